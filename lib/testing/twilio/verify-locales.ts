/** The locales for which Verify has its own message; another one is answered with 404. From its page on languages. */
const LOCALES = new Set(
  `af ar ca zh zh-CN zh-HK hr cs da nl en en-GB et fi fr de el he hi hu id it ja kn ko lt ms mr nb pl pt-BR pt ro ru sk
  es sv tl te th tr uk vi`.split(/\s+/),
);

/** The language of a number's country, as far as the texts of the emulator differ by it. */
const LANGUAGE_OF_COUNTRY: readonly (readonly [string, string])[] = [
  ['+31', 'nl'],
  ['+33', 'fr'],
  ['+34', 'es'],
  ['+39', 'it'],
  ['+43', 'de'],
  ['+49', 'de'],
  ['+52', 'es'],
  ['+55', 'pt-BR'],
  ['+81', 'ja'],
  ['+351', 'pt'],
  ['+966', 'ar'],
];

/** Whether Verify knows a locale, written as in its list. */
export function isVerifyLocale(locale: string): boolean {
  return LOCALES.has(locale);
}

/** In which language a number is written to that was given no locale. */
export function localeOfNumber(number: string): string {
  return LANGUAGE_OF_COUNTRY.find(([prefix]) => number.startsWith(prefix))?.[1] ?? 'en';
}
