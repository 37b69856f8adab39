import { randomBytes } from 'node:crypto';
import type { OktaTelephonyHookOptions } from 'okta-telephony-hook';
import { startOktaEmulator, startTwilioEmulator, type DeliveredItem } from 'okta-telephony-hook/testing';
import { createDemoPhones, DEMO_PHONE_PATH } from './demo-phones.js';
import type { GatewayOptions } from './gateway.js';
import type { Account } from './login.js';

/** Okta, Twilio and the phones on this machine. */
export interface Demo {
  /** What a phone that has left the sandbox by STOP sends to be in it again. */
  readonly joinWords: string;
  /** Ana and Bob, with passwords of this run. */
  readonly accounts: readonly Account[];
  hookOptions(publicUrl: string): OktaTelephonyHookOptions;
  /** The preference page, and the phones that its words are sent from. */
  preferences(publicUrl: string): Pick<GatewayOptions, 'preferences' | 'morePages'>;
  /** Commands to paste, as Okta would call the hook. */
  curls(hookUrl: string): readonly DemoCurl[];
  close(): Promise<void>;
}

export interface DemoCurl {
  readonly title: string;
  readonly command: string;
}

/** Numbers of ranges that are kept for fiction. */
const ANA = {
  id: '00uana0silveira00001',
  login: 'ana@example.com',
  firstName: 'Ana',
  lastName: 'Silveira',
  phone: '+447700900123',
} as const;
const BOB = {
  id: '00ubob0montgomery001',
  login: 'bob@example.com',
  firstName: 'Bob',
  lastName: 'Montgomery',
  phone: '+12025550142',
} as const;
type Person = typeof ANA | typeof BOB;

/** Starts both emulators with two users who joined the sandbox: Ana, who opted in to WhatsApp, and Bob, who did not. */
export async function startDemo(optInAttribute = 'whatsAppOptIn'): Promise<Demo> {
  const [okta, twilio] = await Promise.all([
    // The hook's token reads and nothing else; who writes has another one.
    startOktaEmulator({ apiTokenRoles: ['READ_ONLY_ADMIN'] }),
    startTwilioEmulator(),
  ]);
  const preferencesToken = okta.addApiToken(['USER_ADMIN']);
  okta.setAttribute(optInAttribute, { title: 'Codes by WhatsApp', type: 'boolean' });
  okta.addUser({ ...ANA, profile: { mobilePhone: ANA.phone, [optInAttribute]: true } });
  okta.addUser({ ...BOB, profile: { mobilePhone: BOB.phone } });
  for (const { phone } of [ANA, BOB]) twilio.joinSandbox(phone);
  twilio.onDelivered((item) => {
    console.log(phoneScreen(item));
  });
  // Of this run only: nothing in the repository opens a gateway that somebody left running.
  const hookSecret = `demo-${randomBytes(18).toString('base64url')}`;

  return {
    accounts: [ANA, BOB].map(({ id, firstName }) => ({
      username: firstName.toLowerCase(),
      password: randomBytes(12).toString('base64url'),
      oktaUserId: id,
    })),
    joinWords: `join ${twilio.joinCode}`,
    preferences: (publicUrl) => ({
      preferences: {
        credential: { orgUrl: okta.orgUrl, apiToken: preferencesToken },
        // WhatsApp itself would take the word out of this machine.
        linkFor: (word) => `${DEMO_PHONE_PATH}?text=${word}`,
      },
      morePages: createDemoPhones([ANA, BOB], `join ${twilio.joinCode}`, async (from, body) => {
        const url = `${publicUrl}/twilio/inbound`;
        const { replies } = await twilio.receive({ channel: 'whatsapp', from, body, url });
        return replies;
      }),
    }),
    hookOptions: (publicUrl) => ({
      credentials: {
        hook: { scheme: 'header', secrets: [hookSecret] },
        okta: { orgUrl: okta.orgUrl, apiToken: okta.apiToken },
        twilio: {
          accountSid: twilio.accountSid,
          apiKeySid: twilio.apiKeySid,
          apiKeySecret: twilio.apiKeySecret,
          authToken: twilio.authToken,
          baseUrl: twilio.baseUrl,
        },
      },
      publicUrl,
      sandboxNumber: twilio.sandboxNumber,
      senders: { sms: twilio.smsNumber, voice: twilio.voiceNumber },
      optInAttribute,
    }),
    curls: (hookUrl) => [
      {
        title: 'Ana opted in to WhatsApp:',
        command: curl(hookUrl, hookSecret, payload(ANA, 'SMS', '042917')),
      },
      {
        title: 'Bob did not, and gets an SMS:',
        command: curl(hookUrl, hookSecret, payload(BOB, 'SMS', '360485')),
      },
      {
        title: 'Bob asks to be called:',
        command: curl(hookUrl, hookSecret, payload(BOB, 'voice call', '718204')),
      },
    ],
    close: async () => {
      await Promise.all([okta.close(), twilio.close()]);
    },
  };
}

/** Where the shell puts the event id. */
const EVENT_ID = 'EVENT_ID';

/**
 * What Okta sends, without `eventTime` and `otpExpires`: a command that is printed now and pasted in an hour then
 * carries a code that has just been made, not one that has expired.
 */
function payload(person: Person, deliveryChannel: 'SMS' | 'voice call', otpCode: string): string {
  const { id: userId, login, firstName, lastName, phone: phoneNumber } = person;
  return JSON.stringify({
    eventId: EVENT_ID,
    eventType: 'com.okta.telephony.provider',
    requestType: 'com.okta.user.telephony.mfa-verification',
    data: {
      context: { request: { id: 'reqDemo0000000000001', method: 'POST', ipAddress: '203.0.113.7' } },
      userProfile: { userId, login, firstName, lastName },
      messageProfile: {
        // Okta's own text, which it makes for messages only.
        ...(deliveryChannel === 'SMS' ? { msgTemplate: `Your Acme code is ${otpCode}` } : {}),
        ...{ phoneNumber, deliveryChannel, otpCode, locale: 'EN-US' },
      },
    },
  });
}

/**
 * For sh, bash and zsh. The time is the event id, because the same event again is a repeat: it is answered as the
 * first one was, and nothing is sent.
 */
function curl(url: string, secret: string, json: string): string {
  const body = json.replace(EVENT_ID, `demo-'"$(date +%s%N)"'`);
  return [
    `curl -sS -w '\\n' ${url} \\`,
    `  -H 'Authorization: ${secret}' -H 'Content-Type: application/json' \\`,
    `  -d '${body}'`,
  ].join('\n');
}

const CHANNEL_NAMES = { sms: 'SMS', whatsapp: 'WhatsApp', voice: 'call' } as const;

/** What its owner sees on an emulated phone. */
function phoneScreen({ to, channel, text }: DeliveredItem): string {
  const owner = [ANA, BOB].find(({ phone }) => phone === to)?.firstName ?? 'Somebody';
  return [
    '',
    `  .-- ${owner}'s phone ${to} -- ${CHANNEL_NAMES[channel]}`,
    ...text.split('\n').map((line) => `  |  ${line}`),
    `  '--`,
    '',
  ].join('\n');
}
