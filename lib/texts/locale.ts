/** Languages that say nothing of a language: undetermined, several, none. */
const NO_LANGUAGE = new Set(['und', 'mul', 'mis', 'zxx']);

/**
 * A locale as BCP-47, whatever its case and separator: `EN-us`, `en_US` and `en_US.UTF-8` are `en-US`.
 * Extensions and private subtags are dropped, since nothing here depends on them. `undefined` for what is none.
 */
export function readLocale(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > MAX_LENGTH) return undefined;
  let locale = known.get(text);
  if (locale === undefined) {
    locale = parseLocale(text);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(text, locale);
  }
  return locale ?? undefined;
}

/** The longest tag in use, with a character set behind it, has half of that. */
const MAX_LENGTH = 100;

/** An org has a few dozen, and `Intl` takes microseconds to read one: each is read once. `null` is none. */
const known = new Map<string, string | null>();
const MAX_KNOWN = 1000;

function parseLocale(text: string): string | null {
  // POSIX writes the character set and a modifier behind the locale: `de_DE.UTF-8`, `de_DE@euro`.
  const tag = text
    .trim()
    .replace(/[.@].*$/s, '')
    .replaceAll('_', '-');
  // Intl also takes `english` (5 to 8 letters are reserved for languages that nobody registered).
  const language = /^[a-z]{2,3}(?=-|$)/i.exec(tag)?.[0];
  if (language === undefined || NO_LANGUAGE.has(language.toLowerCase())) return null;
  try {
    return new Intl.Locale(tag).baseName;
  } catch {
    return null;
  }
}

/** From the most to the least specific, by RFC 4647's lookup: `zh-Hant-TW`, `zh-Hant`, `zh`. */
export function localeChain(locale: string): string[] {
  const subtags = locale.split('-');
  const chain: string[] = [];
  for (let length = subtags.length; length > 0; length -= 1) {
    // A single letter only introduces the subtag after it.
    if (length > 1 && subtags[length - 1]?.length === 1) continue;
    chain.push(subtags.slice(0, length).join('-'));
  }
  return chain;
}

/**
 * The entry of a table by locale that fits best: the locale's own, then those of its chain, then `default`.
 * Keys count whatever their case and separator.
 */
export function pickByLocale<T>(table: Readonly<Record<string, T>>, locale: string): T | undefined {
  const entries = Object.entries(table);
  for (const candidate of [...localeChain(toKey(locale)), 'default']) {
    const entry = entries.find(([key]) => toKey(key) === candidate);
    if (entry !== undefined) return entry[1];
  }
  return undefined;
}

function toKey(locale: string): string {
  return locale.trim().replaceAll('_', '-').toLowerCase();
}
