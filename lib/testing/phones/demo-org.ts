import { fullRequestType } from '../../core/request-types.js';
import { startOktaEmulator, type OktaEmulator } from '../okta/emulator.js';
import { startTwilioEmulator, type TwilioEmulator } from '../twilio/emulator.js';

/** A person of the demo. */
export interface DemoPerson {
  /** The user's id at Okta. */
  readonly id: string;
  readonly login: string;
  readonly firstName: string;
  readonly lastName: string;
  /** E.164, of a range that is reserved for fiction. */
  readonly phone: string;
  /** BCP 47. */
  readonly language: string;
}

/** Options of `startDemoOrg`. */
export interface DemoOrgOptions {
  /** The profile attribute by which people opt in to WhatsApp. Default: `whatsAppOptIn`. */
  readonly optInAttribute?: string | undefined;
  /** The port of the emulated Okta. Default: any free one. */
  readonly oktaPort?: number | undefined;
  /** As in `OktaEmulatorOptions`, for the sign-in page in a container. Default: `false`. */
  readonly insecureRemoteAccess?: boolean | undefined;
}

/** The options with which a telephony hook works with a demo. */
export interface DemoHookOptions {
  readonly credentials: {
    readonly hook: OktaEmulator['hookCredential'];
    readonly okta: OktaEmulator['credential'];
    readonly twilio: TwilioEmulator['credential'];
  };
  readonly publicUrl: string;
  /** With the sandbox's template, which has a button to copy the code. */
  readonly sandboxNumber: { readonly number: string; readonly contentSid: string };
  readonly senders: { readonly sms: string; readonly voice: string };
  readonly optInAttribute: string;
  /** People of a demo sign in more often than usual. They may enter a number of any country: no real phone gets a code. */
  readonly guard: {
    readonly perUser: { readonly points: number; readonly seconds: number };
    readonly perNumber: { readonly points: number; readonly seconds: number };
    readonly countries: false;
  };
  /** Without a cached profile, a changed switch shows with the next code. An older profile is still used if Okta fails. */
  readonly profile: { readonly cache: { readonly ttlSeconds: number } };
}

const DEMO_LIMIT = { points: 200, seconds: 600 } as const;

/** Both emulators, with people. */
export interface DemoOrg {
  readonly okta: OktaEmulator;
  readonly twilio: TwilioEmulator;
  /**
   * Ana, who opted in to WhatsApp and is in its sandbox; Bob, who gets SMS, is in the sandbox, too, and may opt in;
   * Chloé, who speaks French and is not in the sandbox.
   */
  readonly people: readonly DemoPerson[];
  /** The group at Okta of those who may use a gateway's console: Ana is in it. */
  readonly adminGroup: string;
  readonly optInAttribute: string;
  /** The secret that Okta sends to the hook in `Authorization`. Each demo has its own. */
  readonly hookSecret: string;
  /**
   * The options of the demo's hook.
   *
   * @param publicUrl - the hook's URL, which Twilio's callbacks use, too.
   */
  hookOptions(publicUrl: string): DemoHookOptions;
  /**
   * Creates the telephony hook and the event hook at Okta, and verifies the event hook. The gateway must be listening.
   * Rejects if the gateway does not answer as it should.
   */
  connectHook(publicUrl: string): Promise<void>;
  /** Commands to paste into another terminal, as Okta would call the hook. */
  curls(publicUrl: string): readonly DemoCurl[];
  /** Ends both emulators. */
  close(): Promise<void>;
}

const PEOPLE: readonly [DemoPerson, DemoPerson, DemoPerson] = [
  {
    id: '00uana0silveira00001',
    login: 'ana@example.com',
    firstName: 'Ana',
    lastName: 'Silveira',
    phone: '+447700900123',
    language: 'en-GB',
  },
  {
    id: '00ubob0montgomery001',
    login: 'bob@example.com',
    firstName: 'Bob',
    lastName: 'Montgomery',
    phone: '+12025550142',
    language: 'en-US',
  },
  {
    id: '00uchloe0laurent0001',
    login: 'chloe@example.com',
    firstName: 'Chloé',
    lastName: 'Laurent',
    phone: '+33639980118',
    language: 'fr-FR',
  },
];
const OPTED_IN = ['Ana'];
const ADMINISTRATORS = ['Ana'];
const ADMIN_GROUP = 'Telephony administrators';
const IN_SANDBOX = ['Ana', 'Bob'];

/** Slow enough to see each status: ringing, delivered. */
const STEP_MS = 400;

/** Starts both emulators with people who have a phone. Close it at the end. */
export async function startDemoOrg({
  optInAttribute = 'whatsAppOptIn',
  oktaPort: port,
  insecureRemoteAccess,
}: DemoOrgOptions = {}): Promise<DemoOrg> {
  // The hook's token may only read. `connectHook` has another one.
  const okta = await startOktaEmulator({
    apiTokenRoles: ['READ_ONLY_ADMIN'],
    port,
    insecureRemoteAccess,
  });
  const twilio = await startTwilioEmulator({ callbackDelayMs: STEP_MS }).catch(async (error: unknown) => {
    await okta.close();
    throw error;
  });
  okta.setAttribute(optInAttribute, { title: 'Codes by WhatsApp', type: 'boolean' });
  for (const { phone, language, ...person } of PEOPLE) {
    const optIn = OPTED_IN.includes(person.firstName) ? { [optInAttribute]: true } : {};
    okta.addUser({
      ...person,
      profile: { mobilePhone: phone, preferredLanguage: language, ...optIn },
      phoneFactors: [
        { factorType: 'sms', phoneNumber: phone },
        { factorType: 'call', phoneNumber: phone },
      ],
      groups: ADMINISTRATORS.includes(person.firstName) ? [ADMIN_GROUP] : [],
    });
    if (IN_SANDBOX.includes(person.firstName)) twilio.joinSandbox(phone);
  }
  const [hookSecret] = okta.hookCredential.secrets;
  return {
    okta,
    twilio,
    people: PEOPLE,
    adminGroup: ADMIN_GROUP,
    optInAttribute,
    hookSecret,
    hookOptions: (publicUrl) => ({
      credentials: {
        hook: okta.hookCredential,
        okta: okta.credential,
        twilio: twilio.credential,
      },
      publicUrl,
      sandboxNumber: { number: twilio.sandboxNumber, contentSid: twilio.sandboxContentSid },
      senders: twilio.senders,
      optInAttribute,
      guard: { perUser: DEMO_LIMIT, perNumber: DEMO_LIMIT, countries: false },
      profile: { cache: { ttlSeconds: 0 } },
    }),
    connectHook: (publicUrl) => okta.connectHook(publicUrl),
    curls: (publicUrl) => makeDemoCurls(publicUrl, hookSecret, PEOPLE),
    close: async () => {
      await Promise.all([okta.close(), twilio.close()]);
    },
  };
}

/** A shell command that calls the hook as Okta does. */
export interface DemoCurl {
  /** What it does, with a colon. */
  readonly title: string;
  readonly command: string;
}

/** A command for WhatsApp, one for an SMS, one for a call. */
function makeDemoCurls(
  hookUrl: string,
  secret: string,
  [ana, bob]: readonly [DemoPerson, DemoPerson, ...DemoPerson[]],
): readonly DemoCurl[] {
  const call = (person: DemoPerson, deliveryChannel: 'SMS' | 'voice call', otpCode: string): string =>
    curl(hookUrl, secret, payload(person, deliveryChannel, otpCode));
  return [
    { title: 'Ana opted in to WhatsApp:', command: call(ana, 'SMS', '042917') },
    { title: 'Bob did not, and gets an SMS:', command: call(bob, 'SMS', '360485') },
    { title: 'Bob asks to be called:', command: call(bob, 'voice call', '718204') },
  ];
}

/** The shell replaces it by the event id. */
const EVENT_ID = 'EVENT_ID';

/**
 * Okta's payload, without `eventTime` and `otpExpires`: a command that is printed now and run in an hour then
 * has a fresh code, not an expired one.
 */
function payload(person: DemoPerson, deliveryChannel: 'SMS' | 'voice call', otpCode: string): string {
  const { id: userId, login, firstName, lastName, phone: phoneNumber } = person;
  return JSON.stringify({
    eventId: EVENT_ID,
    eventType: 'com.okta.telephony.provider',
    requestType: fullRequestType('mfa-verification'),
    data: {
      context: { request: { id: `req-${EVENT_ID}`, method: 'POST', ipAddress: '203.0.113.7' } },
      userProfile: { userId, login, firstName, lastName },
      messageProfile: {
        // Okta has a text for messages only.
        ...(deliveryChannel === 'SMS' ? { msgTemplate: `Your Acme code is ${otpCode}` } : {}),
        ...{ phoneNumber, deliveryChannel, otpCode, locale: 'EN-US' },
      },
    },
  });
}

/**
 * For sh, bash and zsh. The time is the event id, because the same event again is a repeat: it gets the first
 * answer, and nothing is sent.
 */
function curl(url: string, secret: string, json: string): string {
  const body = json.replaceAll(EVENT_ID, `demo-'"$(date +%s%N)"'`);
  return [
    `curl -sS -w '\\n' ${url} \\`,
    `  -H 'Authorization: ${secret}' -H 'Content-Type: application/json' \\`,
    `  -d '${body}'`,
  ].join('\n');
}
