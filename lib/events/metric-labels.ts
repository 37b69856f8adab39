import type { HookEventOf } from '../core/events.js';
import { isRequestType, shortRequestType } from '../core/request-types.js';

/**
 * Values of labels: few of each, for every one is a series for ever, and none that is about anybody. Most are words of our
 * own; the others are what these let pass.
 */

/** Where there is nothing to name. */
export const NONE = 'none';
/** Where there are too many to name, or what came is no word. */
const OTHER = 'other';
const UNKNOWN = 'unknown';

/** Numbers in codes are short; ids, phone numbers and one-time codes among words are not told. */
const WORD = /^(?!.*\d{7})[A-Za-z0-9][\w.:-]{0,39}$/;

/** As many words as there is room for, in the order in which they come. */
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
/** Of one provider: Twilio's table has some sixty, of which an account meets a few. */
const MAX_CODES = 64;
const MAX_WORDS = 32;

/** What others name: channels and providers by the options, codes by the provider, the rest by who sends it. */
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

  /** @param of - whose code it is: one that makes up codes takes no room from others. */
  code(code: string | undefined, of: string): string {
    return wordsOf(this.#codes, of, MAX_CODES).of(code);
  }

  /** @param list - which words it is one of. */
  word(word: string | undefined, list: string): string {
    return wordsOf(this.#words, list, MAX_WORDS).of(word);
  }

  /** The four labels of an attempt. */
  attempt({ channel, provider, outcome, code }: HookEventOf<'attempt.ended' | 'attempt.late'>) {
    const by = this.provider(provider);
    return { channel: this.channel(channel), provider: by, outcome, code: this.code(code, by) };
  }
}

function wordsOf(lists: Map<string, FewWords>, name: string, max: number): FewWords {
  const known = lists.get(name) ?? new FewWords(max);
  lists.set(name, known);
  return known;
}

/** ISO 3166. A gateway of another version may have kept anything in its place. */
export function countryLabel(country: string | undefined): string {
  return country !== undefined && /^[A-Z]{2}$/.test(country) ? country : UNKNOWN;
}

/** The last part of Okta's own types. */
export function requestTypeLabel(requestType: string | undefined): string {
  if (requestType === undefined) return UNKNOWN;
  const short = shortRequestType(requestType);
  return isRequestType(short) ? short : OTHER;
}
