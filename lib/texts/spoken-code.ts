import { pickByLocale } from './locale.js';

/** What a call says, in the words of one language. */
export interface SpokenCode {
  /** The language of the words: BCP-47, without a region. */
  readonly language: string;
  /** What comes before the code. */
  readonly sentence: string;
  /** The code's characters, one by one. */
  readonly digits: string;
}

interface Phrase {
  readonly language: string;
  readonly sentence: string;
  /**
   * Never a dot, neither between the digits nor after the last: German reads `1.` as "first". A comma makes
   * every voice pause; each script has its own.
   */
  readonly separator: string;
}

const ENGLISH: Phrase = { language: 'en', sentence: 'Hello. Your verification code is:', separator: ', ' };

const PHRASES: Readonly<Record<string, Phrase>> = {
  default: ENGLISH,
  en: ENGLISH,
  es: { language: 'es', sentence: 'Hola. Su código de verificación es:', separator: ', ' },
  fr: { language: 'fr', sentence: 'Bonjour. Votre code de vérification est :', separator: ', ' },
  de: { language: 'de', sentence: 'Guten Tag. Ihr Bestätigungscode lautet:', separator: ', ' },
  pt: { language: 'pt', sentence: 'Olá. O seu código de verificação é:', separator: ', ' },
  it: { language: 'it', sentence: 'Buongiorno. Il suo codice di verifica è:', separator: ', ' },
  nl: { language: 'nl', sentence: 'Hallo. Uw verificatiecode is:', separator: ', ' },
  ja: { language: 'ja', sentence: 'こんにちは。確認コードをお伝えします。', separator: '、' },
  hi: { language: 'hi', sentence: 'नमस्ते। आपका सत्यापन कोड है:', separator: ', ' },
  ar: { language: 'ar', sentence: 'مرحبًا. رمز التحقق الخاص بك هو:', separator: '، ' },
};

/** Those that our own words are in. */
export const SPOKEN_LANGUAGES: readonly string[] = Object.keys(PHRASES);

/** White space and control characters: nothing that could be said. */
const UNSPEAKABLE = /[\p{C}\p{Z}]/gu;

/**
 * The words of a voice call: a sentence, and the code character by character, since `123456` would be read as
 * a number. A language that is not known here is spoken to in English.
 */
export function spokenCode(locale: string, code: string): SpokenCode {
  const { language, sentence } = pickByLocale(PHRASES, locale) ?? ENGLISH;
  return { language, sentence, digits: spokenDigits(locale, code) };
}

/** The characters of a code, one by one, as they are set apart in a language. */
export function spokenDigits(locale: string, code: string): string {
  const { separator } = pickByLocale(PHRASES, locale) ?? ENGLISH;
  return Array.from(code.replace(UNSPEAKABLE, '')).join(separator);
}
