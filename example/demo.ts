import { randomBytes } from 'node:crypto';
import express from 'express';
import type { TelephonyHook } from 'okta-telephony-hook';
import { createPhonesPage, startDemoOrg, type DemoPerson } from 'okta-telephony-hook/demo';
import type { DeliveredItem } from 'okta-telephony-hook/testing';
import type { Environment } from './environment.js';
import { CONSOLE_PATH, HOOK_PATH, type GatewayOptions } from './gateway.js';
import { createGuides, GUIDES_PATH, hasGuides } from './guides.js';
import { CALLBACK_PATH } from './login.js';

/** The emulated Okta and Twilio, for a gateway without accounts. */
export interface Demo {
  /** @param origin - where browsers and the emulators reach the gateway. */
  gatewayOptions(origin: string): GatewayOptions;
  /** Creates the inline hook and the event hook at Okta. The gateway must be listening. */
  connectHook(origin: string, hook: TelephonyHook): Promise<void>;
  /**
   * What to open, and `curl` commands that call the hook as Okta does.
   * @param monitoring - the origin of the metrics and of the hook's state.
   */
  welcome(origin: string, monitoring: string): string;
  /** Ends the event streams of the phones page, so that the server can close. */
  endStreams(): void;
  close(): Promise<void>;
}

const PHONES_PATH = '/phones/';

/**
 * Starts both emulators, with people who have a phone.
 *
 * @param output - gets each message that arrives at a phone.
 */
export async function startDemo(
  { optInAttribute, port, isProduction: isInContainer }: Extract<Environment, { readonly kind: 'emulators' }>,
  output: Pick<Console, 'log'>,
): Promise<Demo> {
  const org = await startDemoOrg({
    optInAttribute,
    // A container publishes this port as well: browsers sign in there.
    oktaPort: isInContainer && port !== 0 ? port + 1 : undefined,
    insecureRemoteAccess: isInContainer,
  });
  const { okta, twilio, people } = org;
  const preferencesToken = okta.addApiToken(['USER_ADMIN']);
  twilio.onDelivered((item) => output.log(phoneScreen(item, people)));
  let connected: TelephonyHook | undefined;
  const phones = createPhonesPage({
    okta,
    twilio,
    // The page is made before the hook.
    hook: { suppressions: async (number) => (await connected?.suppressions(number)) ?? [] },
    optInAttribute: org.optInAttribute,
    insecureRemoteAccess: isInContainer,
    links: [
      { title: 'Console', href: `${CONSOLE_PATH}/` },
      { title: 'Home', href: '/' },
    ],
  });

  const links = [
    { title: 'Phones', href: PHONES_PATH, purpose: 'Read the codes, and switch on faults.' },
    { title: 'Guides', href: GUIDES_PATH, purpose: 'What you can try here, and how to go on.' },
  ].filter(({ href }) => href !== GUIDES_PATH || hasGuides());
  const pages = express.Router().use(PHONES_PATH, phones).use(createGuides());

  return {
    gatewayOptions: (origin) => {
      const app = {
        clientId: '0oademogateway000001',
        clientSecret: makeSecret(),
        redirectUri: origin + CALLBACK_PATH,
      };
      okta.registerApp(app);
      return {
        hook: org.hookOptions(origin + HOOK_PATH),
        login: { issuer: okta.orgUrl, ...app, adminGroup: org.adminGroup, sessionSecret: makeSecret() },
        preferences: {
          credential: { orgUrl: okta.orgUrl, apiToken: preferencesToken },
          whatsAppNumber: twilio.sandboxNumber,
          // A link to WhatsApp would lead to real phones.
          linkFor: (text) => `${PHONES_PATH}?text=${encodeURIComponent(text)}`,
          sandboxWords: `join ${twilio.joinCode}`,
        },
        morePages: pages,
        links,
      };
    },
    connectHook: (origin, hook) => {
      connected = hook;
      return org.connectHook(origin + HOOK_PATH);
    },
    welcome: (origin, monitoring) => {
      const [ana, ...others] = people.map(({ login }) => login);
      const warning = `Note: the gateway listens on every address, and everybody who reaches it sees the codes. Publish its port and ${new URL(okta.orgUrl).port}, the emulated Okta's, on 127.0.0.1 alone.\n`;
      return `An identity gateway with Okta's telephony hook, on emulators of Okta and Twilio: nothing reaches a real phone.

  Open        ${origin}  (sign in at the emulated Okta as ${ana}, ${others.join(' or ')}: the code arrives at the phones)
  Phones      ${origin}${PHONES_PATH}  (read the code, or sign in there, and switch on faults)
  Console     ${origin}${CONSOLE_PATH}  (test the hook and see what it did, as ${ana}, who is an administrator)
  Preferences ${origin}/preferences
  Health      ${origin}/health/live  ${origin}/health/ready
  Metrics     ${monitoring}/metrics  ${monitoring}/status
  Hook        ${origin}${HOOK_PATH}

Call the hook as Okta does: paste one of these commands into another terminal. The code appears at the phones and here.

${org
  .curls(origin + HOOK_PATH)
  .map(({ title, command }) => `${title}\n\n${command}\n\n`)
  .join('')}${isInContainer ? warning : ''}Ctrl-C ends it.\n`;
    },
    endStreams: () => phones.close(),
    close: () => org.close(),
  };
}

const makeSecret = (): string => randomBytes(32).toString('base64url');

const CHANNEL_NAMES = { sms: 'SMS', whatsapp: 'WhatsApp', voice: 'call' } as const;

/** The screen of an emulated phone, for the terminal. */
function phoneScreen({ to, channel, text }: DeliveredItem, people: readonly DemoPerson[]): string {
  const owner = people.find(({ phone }) => phone === to)?.firstName ?? 'Somebody';
  const lines = text.split('\n').map((line) => `  |  ${line}\n`);
  return `\n  .-- ${owner}'s phone ${to} -- ${CHANNEL_NAMES[channel]}\n${lines.join('')}  '--\n`;
}
