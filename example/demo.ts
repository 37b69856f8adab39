import { randomBytes } from 'node:crypto';
import express from 'express';
import type { OktaTelephonyHookOptions } from 'okta-telephony-hook';
import { createPhonesPage, startDemoOrg, type DemoCurl, type DemoPerson } from 'okta-telephony-hook/demo';
import { type DeliveredItem } from 'okta-telephony-hook/testing';
import { CONSOLE_PATH, type GatewayOptions } from './gateway.js';
import { CALLBACK_PATH, type LoginOptions } from './login.js';

/** The emulated Okta and Twilio, and the page of the phones, for a gateway without accounts. */
export interface Demo {
  readonly people: readonly DemoPerson[];
  /** Registers the gateway as a web app of the org. */
  login(origin: string): LoginOptions;
  hookOptions(publicUrl: string): OktaTelephonyHookOptions;
  /** The preference page, and the page of the phones, from which people send its words. */
  readonly pages: Pick<GatewayOptions, 'preferences' | 'morePages'>;
  /** Creates the inline hook and the event hook at Okta. The gateway must be serving. */
  connectHook(publicUrl: string): Promise<void>;
  /** Commands to paste that call the hook as Okta does. */
  curls(hookUrl: string): readonly DemoCurl[];
  /** Ends the event streams of its pages, so that the server can close. */
  endStreams(): void;
  close(): Promise<void>;
}

export const PHONES_PATH = '/phones/';

export interface DemoOptions {
  readonly optInAttribute: string | undefined;
  /** Where the emulated Okta listens. Default: any free port. */
  readonly oktaPort?: number | undefined;
  /** Whether browsers on other machines open its pages, as with a container. */
  readonly isReachedFromElsewhere: boolean;
  /** Where it prints what comes to the phones. */
  readonly output: Pick<Console, 'log'>;
}

/** Starts both emulators with people who have a phone. */
export async function startDemo({
  optInAttribute,
  oktaPort,
  isReachedFromElsewhere,
  output,
}: DemoOptions): Promise<Demo> {
  const org = await startDemoOrg({
    optInAttribute,
    oktaPort,
    insecureRemoteAccess: isReachedFromElsewhere,
  });
  const { okta, twilio, people } = org;
  const preferencesToken = okta.addApiToken(['USER_ADMIN']);
  twilio.onDelivered((item) => {
    output.log(phoneScreen(item, people));
  });
  const phones = createPhonesPage({
    okta,
    twilio,
    optInAttribute: org.optInAttribute,
    insecureRemoteAccess: isReachedFromElsewhere,
    links: [
      { title: 'Console', href: `${CONSOLE_PATH}/` },
      { title: 'Gateway', href: '/' },
    ],
  });

  return {
    people,
    login: (origin) => {
      const app = { clientId: '0oademogateway000001', clientSecret: makeSecret() };
      const redirectUri = origin + CALLBACK_PATH;
      okta.registerApp({ ...app, redirectUri });
      const { adminGroup } = org;
      return { issuer: okta.orgUrl, ...app, redirectUri, adminGroup, sessionSecret: makeSecret() };
    },
    pages: {
      preferences: {
        credential: { orgUrl: okta.orgUrl, apiToken: preferencesToken },
        // A link to WhatsApp would lead to real phones.
        linkFor: (word) => `${PHONES_PATH}?text=${word}`,
      },
      morePages: express.Router().use(PHONES_PATH, phones),
    },
    hookOptions: (publicUrl) => org.hookOptions(publicUrl),
    connectHook: (publicUrl) => org.connectHook(publicUrl),
    curls: (hookUrl) => org.curls(hookUrl),
    endStreams: () => {
      phones.close();
    },
    close: () => org.close(),
  };
}

const makeSecret = (): string => randomBytes(32).toString('base64url');

const CHANNEL_NAMES = { sms: 'SMS', whatsapp: 'WhatsApp', voice: 'call' } as const;

/** The screen of an emulated phone, for the terminal. */
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
