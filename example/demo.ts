import { randomBytes } from 'node:crypto';
import type { OktaTelephonyHookOptions } from 'okta-telephony-hook';
import { startOktaEmulator, startTwilioEmulator, type DeliveredItem } from 'okta-telephony-hook/testing';

/** Okta, Twilio and the phones on this machine. */
export interface Demo {
  hookOptions(publicUrl: string): OktaTelephonyHookOptions;
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

/** Starts both emulators with two users: Ana, who opted in to WhatsApp and joined the sandbox, and Bob. */
export async function startDemo(optInAttribute = 'whatsAppOptIn'): Promise<Demo> {
  const [okta, twilio] = await Promise.all([startOktaEmulator(), startTwilioEmulator()]);
  okta.addUser({ ...ANA, profile: { mobilePhone: ANA.phone, [optInAttribute]: true } });
  okta.addUser({ ...BOB, profile: { mobilePhone: BOB.phone } });
  twilio.joinSandbox(ANA.phone);
  twilio.onDelivered((item) => {
    console.log(phoneScreen(item));
  });
  // Of this run only: nothing in the repository opens a gateway that somebody left running.
  const hookSecret = `demo-${randomBytes(18).toString('base64url')}`;

  return {
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
