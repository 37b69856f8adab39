import type { OptionWarning } from '../core/events.js';
import { countSegments } from '../texts/segments.js';
import { fillIn, readTemplate, type TextValues } from '../texts/text-template.js';
import { listTexts, originLine, type TextsOptions } from '../texts/texts.js';
import { hasVoice } from '../channels/twilio/voices.js';

/** What texts are likely to be filled in with at most: Okta's codes have six digits, and live 15 minutes at most. */
const LIKELY: TextValues = { code: '000000', minutes: '15', firstName: 'n'.repeat(20) };

/** What is said of texts when the hook is made: those that cost more than one plain SMS, and those that nobody can read aloud. */
export function textWarnings({ sms = {}, voice = {}, webOtpDomain }: TextsOptions): readonly OptionWarning[] {
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
