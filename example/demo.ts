import { randomBytes } from 'node:crypto';
import express from 'express';
import type { OktaTelephonyHookOptions } from 'okta-telephony-hook';
import {
  createPhonesPage,
  startDemoOrg,
  type DeliveredItem,
  type DemoPerson,
} from 'okta-telephony-hook/testing';
import type { GatewayOptions } from './gateway.js';
import type { Account } from './login.js';

/** Okta, Twilio and the phones on this machine. */
export interface Demo {
  /** Its people, with passwords of this run. */
  readonly accounts: readonly Account[];
  hookOptions(publicUrl: string): OktaTelephonyHookOptions;
  /** The preference page, and the phones that its words are sent from. */
  readonly pages: Pick<GatewayOptions, 'preferences' | 'morePages'>;
  /** Has Okta call the hook, and tell it which codes were used; the gateway must be serving. */
  connectHook(publicUrl: string): Promise<void>;
  /** Commands to paste, as Okta would call the hook. */
  curls(hookUrl: string): readonly DemoCurl[];
  /** What open pages listen to would keep the server from closing. */
  endPages(): void;
  close(): Promise<void>;
}

export interface DemoCurl {
  readonly title: string;
  readonly command: string;
}

export const PHONES_PATH = '/phones/';

/** Starts both emulators with their people, and the page of their phones. */
export async function startDemo(optInAttribute?: string): Promise<Demo> {
  const org = await startDemoOrg({ optInAttribute });
  const { okta, twilio, people, hookSecret } = org;
  const preferencesToken = okta.addApiToken(['USER_ADMIN']);
  twilio.onDelivered((item) => {
    console.log(phoneScreen(item, people));
  });
  const phones = createPhonesPage({
    okta,
    twilio,
    optInAttribute: org.optInAttribute,
    links: [{ title: 'Gateway', href: '/' }],
  });
  const [ana, bob] = people;
  if (ana === undefined || bob === undefined) throw new Error('The demo has lost its people.');

  return {
    accounts: people.map(({ id, login }) => ({
      username: login.split('@')[0] ?? login,
      password: randomBytes(12).toString('base64url'),
      oktaUserId: id,
    })),
    pages: {
      preferences: {
        credential: { orgUrl: okta.orgUrl, apiToken: preferencesToken },
        // WhatsApp itself would take the word out of this machine.
        linkFor: (word) => `${PHONES_PATH}?text=${word}`,
      },
      morePages: express.Router().use(PHONES_PATH, phones),
    },
    hookOptions: (publicUrl) => org.hookOptions(publicUrl),
    connectHook: (publicUrl) => org.connectHook(publicUrl),
    curls: (hookUrl) => [
      {
        title: 'Ana opted in to WhatsApp:',
        command: curl(hookUrl, hookSecret, payload(ana, 'SMS', '042917')),
      },
      {
        title: 'Bob did not, and gets an SMS:',
        command: curl(hookUrl, hookSecret, payload(bob, 'SMS', '360485')),
      },
      {
        title: 'Bob asks to be called:',
        command: curl(hookUrl, hookSecret, payload(bob, 'voice call', '718204')),
      },
    ],
    endPages: () => {
      phones.close();
    },
    close: () => org.close(),
  };
}

/** Where the shell puts the event id. */
const EVENT_ID = 'EVENT_ID';

/**
 * What Okta sends, without `eventTime` and `otpExpires`: a command that is printed now and pasted in an hour then
 * carries a code that has just been made, not one that has expired.
 */
function payload(person: DemoPerson, deliveryChannel: 'SMS' | 'voice call', otpCode: string): string {
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
function phoneScreen({ to, channel, text }: DeliveredItem, people: readonly DemoPerson[]): string {
  const owner = people.find(({ phone }) => phone === to)?.firstName ?? 'Somebody';
  return [
    '',
    `  .-- ${owner}'s phone ${to} -- ${CHANNEL_NAMES[channel]}`,
    ...text.split('\n').map((line) => `  |  ${line}`),
    `  '--`,
    '',
  ].join('\n');
}
