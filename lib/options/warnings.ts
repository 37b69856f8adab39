import { VOICE } from '../core/channel.js';
import type { OptionWarning } from '../core/events.js';
import { countSegments } from '../texts/segments.js';
import { fillIn, readTemplate, type TextValues } from '../texts/text-template.js';
import { listTexts, originLine } from '../texts/texts.js';
import type { TextsOptions } from '../core/option-types.js';
import { hasVoice } from '../channels/twilio/voices.js';
import { E164, numberProblemOf } from '../numbers/phone-number.js';
import type { OktaTelephonyHookOptions } from './options.js';
import type { HookSettings } from './settings.js';
import { MIN_SECRET_LENGTH } from '../okta/probe-mark.js';

/** Options that may be a mistake. No rule refuses them; the hook logs a warning when it is made. */

/** The shape of Twilio's ids. An emulator may have ids of another shape, so this is no rule. */
export const SID = /^[A-Z]{2}[0-9a-f]{32}$/i;

/** The warnings about options that have passed their rules. @param settings - made of the options, with the defaults. */
export function warningsOf(
  options: OktaTelephonyHookOptions,
  settings: Pick<HookSettings, 'path' | 'optInChannels'>,
): readonly OptionWarning[] {
  const { credentials, sandboxNumber, senders, publicUrl } = options;
  const { twilio } = credentials;
  const hasWhatsApp = sandboxNumber !== undefined || senders?.whatsapp !== undefined;
  const senderTexts = [...textsIn('senders', senders), ...textsIn('sandboxNumber', sandboxNumber)];
  const oddSid = (option: OptionWarning['option'], texts: readonly Placed[]): OptionWarning => ({
    option,
    where: texts.filter(([place, sid]) => place.startsWith(option) && !SID.test(sid)).map(([place]) => place),
  });
  const all: readonly OptionWarning[] = [
    // Most failures of WhatsApp come after Twilio has accepted the message.
    { option: 'publicUrl', where: hasWhatsApp && publicUrl === undefined ? ['publicUrl'] : [] },
    { option: 'guard.countries', where: options.guard?.countries === undefined ? ['guard.countries'] : [] },
    { option: 'senders.sms', where: isMissing('sms', options) ? ['senders.sms'] : [] },
    { option: 'senders.voice', where: isMissing(VOICE, options) ? ['senders.voice'] : [] },
    { option: 'senders.number', where: senderTexts.filter(isOfWrongLength).map(([place]) => place) },
    { option: 'chooseChannels', where: idleOptions(options) },
    { option: 'channels', where: unchosenChannels(options, settings) },
    { option: 'credentials.hook', where: shortSecretsIn('credentials.hook', credentials.hook) },
    {
      option: 'credentials.eventHook',
      where: shortSecretsIn('credentials.eventHook', credentials.eventHook),
    },
    oddSid('credentials.twilio.accountSid', textsIn('credentials.twilio', twilio)),
    oddSid('credentials.twilio.apiKeySid', textsIn('credentials.twilio', twilio)),
    oddSid('sandboxNumber.contentSid', senderTexts),
    oddSid('senders.whatsapp.templates', senderTexts),
    ...pathWarnings(options, settings),
    ...textWarnings(options.texts ?? {}),
  ];
  return all.filter(({ where }) => where.length > 0);
}

/**
 * Whether Okta may ask for a channel that does not exist. A rollout of 0 says that this is meant. Not for SMS with
 * `chooseChannels`, which may choose another channel for every text.
 */
function isMissing(
  name: 'sms' | typeof VOICE,
  { senders, channels, rollout, chooseChannels }: OktaTelephonyHookOptions,
): boolean {
  if (senders?.[name] !== undefined || channels?.[name] !== undefined) return false;
  if (name === 'sms' && chooseChannels !== undefined) return false;
  return typeof rollout !== 'object' || rollout[name] !== 0;
}

/** A text in the options, with its place. */
type Placed = readonly [place: string, text: string];

function textsIn(place: string, value: unknown): readonly Placed[] {
  if (typeof value === 'string') return [[place, value]];
  if (Array.isArray(value)) return value.flatMap((one, index) => textsIn(`${place}[${index}]`, one));
  return Object.entries(Object(value) as object).flatMap(([name, one]) => textsIn(`${place}.${name}`, one));
}

/** Whether a sender's number is too short or too long for its country. */
const isOfWrongLength = ([, sender]: Placed): boolean =>
  E164.test(sender) && numberProblemOf(sender) === 'length';

/** The options of the opt-in rule, if `chooseChannels` replaces it. */
function idleOptions(options: OktaTelephonyHookOptions): readonly string[] {
  if (options.chooseChannels === undefined) return [];
  return (['optInAttribute', 'optInChannels'] as const).filter((option) => options[option] !== undefined);
}

/** Own providers of WhatsApp that no user can choose. Every other channel is in `optInChannels`, or needs no opt-in. */
function unchosenChannels(
  { channels, chooseChannels }: OktaTelephonyHookOptions,
  { optInChannels }: Pick<HookSettings, 'optInChannels'>,
): readonly string[] {
  if (chooseChannels !== undefined) return [];
  const isUnchosen = channels?.['whatsapp'] !== undefined && !optInChannels.includes('whatsapp');
  return isUnchosen ? ['channels.whatsapp'] : [];
}

/** A proxy may rewrite paths, so a path that differs is not always a mistake. */
function pathWarnings(
  { publicUrl }: OktaTelephonyHookOptions,
  { path }: Pick<HookSettings, 'path'>,
): readonly OptionWarning[] {
  if (publicUrl === undefined) return [];
  const { origin, pathname } = new URL(publicUrl);
  const comparable = (text: string): string => text.replace(/\/+$/, '').toLowerCase();
  if (comparable(pathname).endsWith(comparable(path))) return [];
  return [
    {
      option: 'publicUrl.path',
      where: ['publicUrl'],
      remedy: `Unless a proxy rewrites paths, set publicUrl to ${origin}${path}, as it is entered in Okta.`,
    },
  ];
}

/** The places of secrets that are too short, with their scheme. */
function shortSecretsIn(place: string, schemes: unknown): readonly string[] {
  const short = textsIn(place, schemes).filter(([, secret]) => secret.length < MIN_SECRET_LENGTH);
  return short.flatMap(([at]) => {
    if (/\.secrets\[\d+\]$/.test(at)) return [`${at} (header)`];
    return at.endsWith('.password') ? [`${at} (basic)`] : [];
  });
}

/** The longest values that are likely: Okta's codes have six digits and live for 15 minutes at most. */
const LIKELY: TextValues = { code: '000000', minutes: '15', firstName: 'n'.repeat(20) };

/** About texts that need more than one SMS segment, and languages that no voice speaks. */
function textWarnings({ sms = {}, voice = {}, webOtpDomain }: TextsOptions): readonly OptionWarning[] {
  const ending = webOtpDomain === undefined ? '' : originLine(webOtpDomain, LIKELY.code);
  const long = listTexts(sms).flatMap(([place, text]) => {
    const why = whyNotOneSegment(fillIn(readTemplate(text), LIKELY) + ending);
    return why === undefined ? [] : [{ path: `texts.sms.${place}`, why }];
  });
  const unspoken = listTexts(voice)
    .map(([place]) => place)
    .filter((place) => isUnspoken(place.slice(place.lastIndexOf('.') + 1)));
  return [
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
}

const isUnspoken = (tag: string): boolean => tag !== 'default' && !hasVoice(tag);

function whyNotOneSegment(text: string): string | undefined {
  const { segments, units, nonGsm } = countSegments(text);
  const count = segments === 1 ? '1 segment' : `${segments} segments`;
  if (nonGsm !== undefined) {
    return `without '${nonGsm}', which GSM-7 does not have, a segment would hold 160 characters in place of 70 (it takes ${count})`;
  }
  return segments === 1
    ? undefined
    : `it takes ${units} of 160 characters, and ${count}; make it ${units - 160} shorter`;
}
