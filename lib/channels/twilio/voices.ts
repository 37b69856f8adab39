import type twilio from 'twilio';
import { pickByLocale } from '../../texts/locale.js';

/** Chooses the voice that reads a spoken code. */

/** The attributes of `<Say>`; the SDK does not export this type. */
type SayAttributes = Parameters<InstanceType<typeof twilio.twiml.VoiceResponse>['say']>[0];

/** A language and a voice of that language. Twilio fails `<Say>` if they do not match. */
export type Voice = Readonly<Required<Pick<SayAttributes, 'language' | 'voice'>>>;

const AMERICAN: Voice = { language: 'en-US', voice: 'Polly.Joanna' };
const CASTILIAN: Voice = { language: 'es-ES', voice: 'Polly.Lucia' };
const MEXICAN: Voice = { language: 'es-MX', voice: 'Polly.Mia' };
const FRENCH: Voice = { language: 'fr-FR', voice: 'Polly.Lea' };
const BRAZILIAN: Voice = { language: 'pt-BR', voice: 'Polly.Camila' };

/**
 * Amazon Polly's standard voices by BCP-47 tag: for the languages of `spoken-code.ts`, and for others that only texts in the
 * options use.
 */
export const VOICES: Readonly<Record<string, Voice>> = {
  en: AMERICAN,
  'en-GB': { language: 'en-GB', voice: 'Polly.Amy' },
  'en-AU': { language: 'en-AU', voice: 'Polly.Nicole' },
  'en-IN': { language: 'en-IN', voice: 'Polly.Raveena' },
  es: CASTILIAN,
  'es-419': MEXICAN,
  'es-MX': MEXICAN,
  'es-US': { language: 'es-US', voice: 'Polly.Lupe' },
  fr: FRENCH,
  'fr-CA': { language: 'fr-CA', voice: 'Polly.Chantal' },
  de: { language: 'de-DE', voice: 'Polly.Vicki' },
  pt: BRAZILIAN,
  'pt-PT': { language: 'pt-PT', voice: 'Polly.Ines' },
  it: { language: 'it-IT', voice: 'Polly.Bianca' },
  nl: { language: 'nl-NL', voice: 'Polly.Lotte' },
  ja: { language: 'ja-JP', voice: 'Polly.Mizuki' },
  hi: { language: 'hi-IN', voice: 'Polly.Aditi' },
  ar: { language: 'arb', voice: 'Polly.Zeina' },
  cy: { language: 'cy-GB', voice: 'Polly.Gwyneth' },
  da: { language: 'da-DK', voice: 'Polly.Naja' },
  is: { language: 'is-IS', voice: 'Polly.Dora' },
  ko: { language: 'ko-KR', voice: 'Polly.Seoyeon' },
  nb: { language: 'nb-NO', voice: 'Polly.Liv' },
  pl: { language: 'pl-PL', voice: 'Polly.Ewa' },
  ro: { language: 'ro-RO', voice: 'Polly.Carmen' },
  ru: { language: 'ru-RU', voice: 'Polly.Tatyana' },
  sv: { language: 'sv-SE', voice: 'Polly.Astrid' },
  tr: { language: 'tr-TR', voice: 'Polly.Filiz' },
  zh: { language: 'cmn-CN', voice: 'Polly.Zhiyu' },
};

/** The voice for a locale; American English if there is none. */
export function voiceFor(locale: string): Voice {
  return pickByLocale(VOICES, locale) ?? AMERICAN;
}

/** Whether there is a voice for this locale's language. */
export function hasVoice(locale: string): boolean {
  return pickByLocale(VOICES, locale) !== undefined;
}
