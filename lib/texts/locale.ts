import { LRUCache } from 'lru-cache';
import { atMost } from '../core/caches.js';

/** ISO 639 codes that name no language: undetermined, multiple, uncoded, no linguistic content. */
const SPECIAL_CODES = new Set(['und', 'mul', 'mis', 'zxx']);

/**
 * Normalises a locale of any case and separator to BCP-47: `EN-us`, `en_US` and `en_US.UTF-8` become `en-US`.
 * Drops extensions and private subtags, because no text depends on them. Returns `undefined` if the value is
 * not a locale.
 */
export function readLocale(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > MAX_LENGTH) return undefined;
  let locale = parsed.get(text);
  if (locale === undefined) {
    locale = parseLocale(text) ?? '';
    parsed.set(text, locale);
  }
  return locale === '' ? undefined : locale;
}

/** Characters. Twice the longest tag in use with a character set behind it. */
const MAX_LENGTH = 100;

/**
 * Parsed locales by their text; the empty text stands for an invalid one. An org uses a few dozen, and `Intl` takes
 * microseconds for each.
 */
const parsed = new LRUCache<string, string>(atMost(1000));

function parseLocale(text: string): string | undefined {
  // POSIX appends a character set or a modifier: `de_DE.UTF-8`, `de_DE@euro`.
  const tag = text
    .trim()
    .replace(/[.@].*$/s, '')
    .replaceAll('_', '-');
  // `Intl` also accepts `english`: BCP-47 reserves 5 to 8 letters for registered languages, and none is
  // registered.
  const language = /^[a-z]{2,3}(?=-|$)/i.exec(tag)?.[0];
  if (language === undefined || SPECIAL_CODES.has(language.toLowerCase())) return undefined;
  try {
    return new Intl.Locale(tag).baseName;
  } catch {
    return undefined;
  }
}

/** A locale and its fallbacks by RFC 4647 lookup, the most specific first: `zh-Hant-TW`, `zh-Hant`, `zh`. */
export function localeChain(locale: string): string[] {
  const subtags = locale.split('-');
  const chain: string[] = [];
  for (let length = subtags.length; length > 0; length -= 1) {
    // RFC 4647, section 3.4: a single-letter subtag is removed together with the subtag after it.
    if (length > 1 && subtags[length - 1]?.length === 1) continue;
    chain.push(subtags.slice(0, length).join('-'));
  }
  return chain;
}

/**
 * Other tags, in lower case, whose texts a user of a tag can read as well, the best first. Okta's locales name Chinese by its
 * country and Norwegian by its written form, where tables of texts name them by script and as a whole, and the reverse.
 */
const OTHER_TAGS: Readonly<Record<string, readonly string[]>> = {
  nb: ['no', 'nn'],
  nn: ['nb', 'no'],
  no: ['nb', 'nn'],
  // Plain `zh` stands for simplified characters.
  zh: ['zh-hans', 'zh-cn'],
  'zh-hans': ['zh', 'zh-cn'],
  'zh-cn': ['zh-hans'],
  'zh-sg': ['zh-hans', 'zh', 'zh-cn'],
  'zh-hant': ['zh-tw', 'zh-hk'],
  'zh-hant-hk': ['zh-hk', 'zh-hant', 'zh-tw'],
  'zh-hant-mo': ['zh-mo', 'zh-hant', 'zh-hk', 'zh-tw'],
  'zh-tw': ['zh-hant', 'zh-hk'],
  'zh-hk': ['zh-hant', 'zh-tw'],
  'zh-mo': ['zh-hant', 'zh-hk', 'zh-tw'],
  fil: ['tl'],
  tl: ['fil'],
  // The old codes of Hebrew and Indonesian.
  he: ['iw'],
  iw: ['he'],
  id: ['in'],
  in: ['id'],
};

/**
 * The tags, in lower case, whose texts suit a locale, the best first: its own and its fallbacks ({@link localeChain}). Behind the
 * first of them that has other tags come these. Those of a later one do not suit: `zh` behind `zh-tw` has only its own text.
 */
export function suitableTags(locale: string): readonly string[] {
  const tags = localeChain(toKey(locale));
  const named = tags.findIndex((tag) => Object.hasOwn(OTHER_TAGS, tag));
  return tags.toSpliced(named + 1, 0, ...(OTHER_TAGS[tags[named] ?? ''] ?? []));
}

/**
 * The entry of a table that fits a locale best: that of its first suitable tag ({@link suitableTags}), else
 * `default`. Keys match in any case and with any separator.
 */
export function pickByLocale<T>(table: Readonly<Record<string, T>>, locale: string): T | undefined {
  const entries = Object.entries(table);
  for (const candidate of [...suitableTags(locale), 'default']) {
    const entry = entries.find(([key]) => toKey(key) === candidate);
    if (entry !== undefined) return entry[1];
  }
  return undefined;
}

function toKey(locale: string): string {
  return locale.trim().replaceAll('_', '-').toLowerCase();
}
