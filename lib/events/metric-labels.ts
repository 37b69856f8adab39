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

const MAX_WORDS = 32;
/** Twilio's table has some sixty codes, of which an account gets a few. */
const MAX_CODES = 64;

/** Checks values that come from outside: channels and providers from the options, codes from providers, other words from callers. */
export class LabelValues {
  readonly #lists = new Map<string, Set<string>>();

  channel(name: string | undefined): string {
    return this.word(name, 'channel');
  }

  provider(name: string | undefined): string {
    return this.word(name, 'provider');
  }

  /** @param of - the provider: each has its own limit, so that one with many codes does not use up the others'. */
  code(code: string | undefined, of: string): string {
    return this.word(code, `code of ${of}`, MAX_CODES);
  }

  /** Lets a limited number of words pass, in the order in which they come. Each list has its own limit. */
  word(word: string | undefined, list: string, max = MAX_WORDS): string {
    if (word === undefined) return NONE;
    const known = this.#lists.get(list) ?? new Set();
    this.#lists.set(list, known);
    if (known.has(word)) return word;
    if (known.size >= max || !WORD.test(word)) return OTHER;
    known.add(word);
    return word;
  }

  /** The four labels of an attempt. */
  attempt({ channel, provider, outcome, code }: HookEventOf<'attempt.ended' | 'attempt.settled'>) {
    const by = this.provider(provider);
    return { channel: this.channel(channel), provider: by, outcome, code: this.code(code, by) };
  }
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
