import type { HookEvent, WarnedOption } from '../delivery/events.js';
import { DEFAULT_PATH, type HookCredential, type OktaTelephonyHookOptions } from '../options.js';

/** What is no mistake for certain, and so refused by no rule, but worth a line when the hook is made. */

/** Random letters and digits of this length cannot be guessed over the network. */
const SHORTEST_SECRET = 16;

/** Twilio's own; what stands in for it may have ids of another shape, which the rules let pass. */
const SID = /^[A-Z]{2}[0-9a-f]{32}$/i;

/** What is told of one option. */
export type Warning = Omit<Extract<HookEvent, { type: 'configuration.warned' }>, 'type' | 'at'>;

/** The options, which are checked, that work, but not as well as they could. */
export function warningsOf(options: OktaTelephonyHookOptions): readonly Warning[] {
  const { credentials, sandboxNumber, senders, publicUrl } = options;
  const { hook, twilio } = credentials;
  const schemes: readonly HookCredential[] = 'scheme' in hook ? [hook] : hook;
  const contentSid = typeof sandboxNumber === 'object' ? sandboxNumber.contentSid : undefined;
  const templates = Object.values(senders?.whatsapp?.templates ?? {});
  const hasWhatsApp = sandboxNumber !== undefined || senders?.whatsapp !== undefined;
  const warned: readonly (readonly [WarnedOption, boolean])[] = [
    // Most failures of WhatsApp come after Twilio has accepted the message.
    ['publicUrl', hasWhatsApp && publicUrl === undefined],
    ['credentials.hook', schemes.flatMap(secretsOf).some(({ length }) => length < SHORTEST_SECRET)],
    ['credentials.twilio.accountSid', isOdd(twilio.accountSid)],
    ['credentials.twilio.apiKeySid', isOdd(twilio.apiKeySid)],
    ['sandboxNumber.contentSid', isOdd(contentSid)],
    ['senders.whatsapp.templates', templates.some(isOdd)],
  ];
  return [
    ...warned.filter(([, isWarned]) => isWarned).map(([option]) => ({ option })),
    ...pathWarnings(options),
  ];
}

/** A proxy may rewrite paths, so that another path is no mistake for certain. */
function pathWarnings({ publicUrl, path = DEFAULT_PATH }: OktaTelephonyHookOptions): readonly Warning[] {
  if (publicUrl === undefined) return [];
  const { origin, pathname } = new URL(publicUrl);
  const comparable = (text: string): string => text.replace(/\/+$/, '').toLowerCase();
  if (comparable(pathname).endsWith(comparable(path))) return [];
  return [
    {
      option: 'publicUrl.path',
      remedy: `Unless a proxy rewrites paths, set publicUrl to ${origin}${path.replace(/\/$/, '')}, as it is entered in Okta.`,
    },
  ];
}

const isOdd = (sid: string | undefined): boolean => sid !== undefined && !SID.test(sid);

/** What alone proves Okta to us. */
function secretsOf(scheme: HookCredential): readonly string[] {
  switch (scheme.scheme) {
    case 'header':
      return scheme.secrets;
    case 'basic':
      return scheme.users.map(({ password }) => password);
    case 'oauth2':
      return [];
  }
}
