import type { HookEventOf } from '../core/events.js';
import { isRequestType, shortRequestType } from '../core/request-types.js';

/**
 * The values of labels. Each value makes a time series that stays, so there are few, and none identifies a user. Most are our
 * own words; the functions here check the others.
 */

/** There is no value. */
export const NONE = 'none';
/** There are too many values already, or the value is not a word. */
const OTHER = 'other';
const UNKNOWN = 'unknown';

/** Codes have short numbers. Longer ones may be ids, phone numbers or one-time codes, which must not become labels. */
const WORD = /^(?!.*\d{7})[A-Za-z0-9][\w.:-]{0,39}$/;

/** Lets a limited number of words pass, in the order in which they come. */
export class FewWords {
  readonly #known = new Set<string>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  of(word: string | undefined): string {
    if (word === undefined) return NONE;
    if (this.#known.has(word)) return word;
    if (this.#known.size >= this.#max || !WORD.test(word)) return OTHER;
    this.#known.add(word);
    return word;
  }
}

const MAX_CHANNELS = 32;
const MAX_PROVIDERS = 32;
/** For each provider: Twilio's table has some sixty codes, of which an account gets a few. */
const MAX_CODES = 64;
const MAX_WORDS = 32;

/** Checks values that come from outside: channels and providers from the options, codes from providers, other words from callers. */
export class LabelValues {
  readonly #channels = new FewWords(MAX_CHANNELS);
  readonly #providers = new FewWords(MAX_PROVIDERS);
  readonly #codes = new Map<string, FewWords>();
  readonly #words = new Map<string, FewWords>();

  channel(name: string | undefined): string {
    return this.#channels.of(name);
  }

  provider(name: string | undefined): string {
    return this.#providers.of(name);
  }

  /** @param of - the provider: each has its own limit, so that one with many codes does not use up the others'. */
  code(code: string | undefined, of: string): string {
    return wordsOf(this.#codes, of, MAX_CODES).of(code);
  }

  /** @param list - the list that the word belongs to, with its own limit. */
  word(word: string | undefined, list: string): string {
    return wordsOf(this.#words, list, MAX_WORDS).of(word);
  }

  /** The four labels of an attempt. */
  attempt({ channel, provider, outcome, code }: HookEventOf<'attempt.ended' | 'attempt.settled'>) {
    const by = this.provider(provider);
    return { channel: this.channel(channel), provider: by, outcome, code: this.code(code, by) };
  }
}

function wordsOf(lists: Map<string, FewWords>, name: string, max: number): FewWords {
  const known = lists.get(name) ?? new FewWords(max);
  lists.set(name, known);
  return known;
}

/** ISO 3166. The state may hold something else, written by a gateway of another version. */
export function countryLabel(country: string | undefined): string {
  return country !== undefined && /^[A-Z]{2}$/.test(country) ? country : UNKNOWN;
}

/** The last part of Okta's own types. */
export function requestTypeLabel(requestType: string | undefined): string {
  if (requestType === undefined) return UNKNOWN;
  const short = shortRequestType(requestType);
  return isRequestType(short) ? short : OTHER;
}
