import type { OptionWarning } from '../core/events.js';
import { VOICE } from '../core/channel.js';
import { countSegments } from '../texts/segments.js';
import { fillIn, readTemplate, type TextValues } from '../texts/text-template.js';
import { listTexts, originLine, type TextsOptions } from '../texts/texts.js';
import { hasVoice } from '../channels/twilio/voices.js';
import { DEFAULT_PATH, type HookCredential, type OktaTelephonyHookOptions } from './options.js';

/** What is no mistake for certain, and so refused by no rule, but worth a line when the hook is made. */

/** Random letters and digits of this length cannot be guessed over the network. */
const SHORTEST_SECRET = 16;

/** Twilio's own; what stands in for it may have ids of another shape, which the rules let pass. */
const SID = /^[A-Z]{2}[0-9a-f]{32}$/i;

/** The options, which are checked, that work, but not as well as they could. */
export function warningsOf(options: OktaTelephonyHookOptions): readonly OptionWarning[] {
  const { credentials, sandboxNumber, senders, publicUrl } = options;
  const { hook, twilio } = credentials;
  const eventHook = credentials.eventHook === false ? [] : (credentials.eventHook ?? []);
  const hasWhatsApp = sandboxNumber !== undefined || senders?.whatsapp !== undefined;
  const contentSid = typeof sandboxNumber === 'object' ? sandboxNumber.contentSid : undefined;
  const templates = Object.entries(senders?.whatsapp?.templates ?? {});
  const sid = (option: OptionWarning['option'], value: string | undefined): OptionWarning => ({
    option,
    where: isOdd(value) ? [option] : [],
  });
  const warnings: readonly OptionWarning[] = [
    // Most failures of WhatsApp come after Twilio has accepted the message.
    { option: 'publicUrl', where: hasWhatsApp && publicUrl === undefined ? ['publicUrl'] : [] },
    { option: 'channels', where: unchosenChannels(options) },
    { option: 'credentials.hook', where: shortSecretsOf('credentials.hook', hook) },
    { option: 'credentials.eventHook', where: shortSecretsOf('credentials.eventHook', eventHook) },
    sid('credentials.twilio.accountSid', twilio.accountSid),
    sid('credentials.twilio.apiKeySid', twilio.apiKeySid),
    sid('sandboxNumber.contentSid', contentSid),
    {
      option: 'senders.whatsapp.templates',
      where: templates
        .filter(([, template]) => isOdd(template))
        .map(([locale]) => `senders.whatsapp.templates.${locale}`),
    },
  ];
  return [
    ...warnings.filter(({ where }) => where.length > 0),
    ...pathWarnings(options),
    ...textWarnings(options.texts ?? {}),
  ];
}

/** By the opt-in rule alone, a text goes by the channels of `optInChannels` and by SMS. */
function unchosenChannels({
  channels = {},
  optInChannels = ['whatsapp'],
  chooseChannels,
}: OktaTelephonyHookOptions): readonly string[] {
  if (chooseChannels !== undefined) return [];
  const chosen = new Set([...optInChannels, 'sms', VOICE]);
  return Object.keys(channels)
    .filter((name) => channels[name] !== undefined && !chosen.has(name))
    .map((name) => `channels.${name}`);
}

/** A proxy may rewrite paths, so that another path is no mistake for certain. */
function pathWarnings({
  publicUrl,
  path = DEFAULT_PATH,
}: OktaTelephonyHookOptions): readonly OptionWarning[] {
  if (publicUrl === undefined) return [];
  const { origin, pathname } = new URL(publicUrl);
  const comparable = (text: string): string => text.replace(/\/+$/, '').toLowerCase();
  if (comparable(pathname).endsWith(comparable(path))) return [];
  return [
    {
      option: 'publicUrl.path',
      where: ['publicUrl'],
      remedy: `Unless a proxy rewrites paths, set publicUrl to ${origin}${path.replace(/\/$/, '')}, as it is entered in Okta.`,
    },
  ];
}

const isOdd = (sid: string | undefined): boolean => sid !== undefined && !SID.test(sid);

/** Where those stand that are too short, as they are written down: with an index where there are several schemes. */
function shortSecretsOf(
  option: OptionWarning['option'],
  hook: OktaTelephonyHookOptions['credentials']['hook'],
): readonly string[] {
  const schemes: readonly (readonly [path: string, HookCredential])[] =
    'scheme' in hook ? [[option, hook]] : hook.map((scheme, index) => [`${option}[${index}]`, scheme]);
  return schemes.flatMap(([path, scheme]) =>
    secretsOf(scheme)
      .filter(({ secret }) => secret.length < SHORTEST_SECRET)
      .map(({ key }) => `${path}.${key} (${scheme.scheme})`),
  );
}

/** What alone proves Okta to us. */
function secretsOf(scheme: HookCredential): readonly { readonly key: string; readonly secret: string }[] {
  switch (scheme.scheme) {
    case 'header':
      return scheme.secrets.map((secret, index) => ({ key: `secrets[${index}]`, secret }));
    case 'basic':
      return scheme.users.map(({ password }, index) => ({
        key: `users[${index}].password`,
        secret: password,
      }));
    case 'oauth2':
      return [];
  }
}

/** What texts are likely to be filled in with at most: Okta's codes have six digits, and live 15 minutes at most. */
const LIKELY: TextValues = { code: '000000', minutes: '15', firstName: 'n'.repeat(20) };

/** What is said of texts when the hook is made: those that cost more than one plain SMS, and those that nobody can read aloud. */
function textWarnings({ sms = {}, voice = {}, webOtpDomain }: TextsOptions): readonly OptionWarning[] {
  const ending = webOtpDomain === undefined ? '' : originLine(webOtpDomain, LIKELY.code);
  const long = listTexts(sms).flatMap(([place, text]) => {
    const why = whyNotOneSegment(fillIn(readTemplate(text), LIKELY) + ending);
    return why === undefined ? [] : [{ path: `texts.sms.${place}`, why }];
  });
  const unspoken = listTexts(voice)
    .map(([place]) => place)
    .filter((place) => isUnspoken(place.slice(place.lastIndexOf('.') + 1)));
  const warnings: readonly OptionWarning[] = [
    {
      option: 'texts.sms',
      where: long.map(({ path }) => path),
      remedy: long.map(({ path, why }) => `${path}: ${why}`).join('; '),
    },
    {
      option: 'texts.voice',
      where: unspoken.map((place) => `texts.voice.${place}`),
      remedy: 'Leave it out, unless a voice channel of your own speaks it.',
    },
  ];
  return warnings.filter(({ where }) => where.length > 0);
}

const isUnspoken = (tag: string): boolean => tag !== 'default' && !hasVoice(tag);

function whyNotOneSegment(text: string): string | undefined {
  const { segments, places, foreign } = countSegments(text);
  const count = segments === 1 ? '1 segment' : `${segments} segments`;
  if (foreign !== undefined) {
    return `without '${foreign}', which GSM-7 does not have, a segment would hold 160 characters in place of 70 (it takes ${count})`;
  }
  return segments === 1
    ? undefined
    : `it takes ${places} of 160 characters, and ${count}; make it ${places - 160} shorter`;
}
