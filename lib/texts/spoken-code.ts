import { pickByLocale } from './locale.js';

/** What a voice call says in one language. */
interface Phrase {
  /** BCP-47, without a region. */
  readonly language: string;
  /** The sentence before the code. */
  readonly sentence: string;
  /**
   * Never a dot, not even after the last digit: German voices read `1.` as "first". Every voice pauses at a
   * comma, and each script has its own comma.
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

/** The languages of the built-in sentences, and `default`. */
export const SPOKEN_LANGUAGES: readonly string[] = Object.keys(PHRASES);

/** White space and control characters, which cannot be spoken. */
const UNSPEAKABLE = /[\p{C}\p{Z}]/gu;

/**
 * The default words of a voice call: a sentence and the code, character by character, because a voice reads
 * `123456` as one number. Falls back to English.
 */
export function spokenCode(
  locale: string,
  code: string,
): Pick<Phrase, 'language' | 'sentence'> & { readonly digits: string } {
  const { language, sentence } = pickByLocale(PHRASES, locale) ?? ENGLISH;
  return { language, sentence, digits: spokenDigits(locale, code) };
}

/** The characters of a code, with the separator of a language between them. */
export function spokenDigits(locale: string, code: string): string {
  const { separator } = pickByLocale(PHRASES, locale) ?? ENGLISH;
  return Array.from(code.replace(UNSPEAKABLE, '')).join(separator);
}
