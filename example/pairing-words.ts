import { randomInt } from 'node:crypto';
import { whatsAppNumberOf } from './whatsapp-number.js';

/** A word that a user was shown, and that has not come yet. */
export interface WaitingWord {
  /** As it is shown: `7K3Q-XM2D`. */
  readonly word: string;
  /** Whose it is, at Okta. */
  readonly userId: string;
  /** Whom it must come from, by `whatsAppNumberOf`. */
  readonly phone: string;
  /** What its user has agreed to. */
  readonly textVersion: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Crockford's: no letter looks like a digit, so that a word can be copied by hand. 32 of them, 5 bits each. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 40 bits. */
const LENGTH = 8;
const WORD = new RegExp(`^[${ALPHABET}]{${LENGTH}}$`);
const LIFE_MS = 10 * 60_000;

/** Wrong words from one number, and for how long nothing more is heard from it then, milliseconds. */
const MAX_WRONG = 5;
const WRONG_MS = 10 * 60_000;

/** The oldest are forgotten first. */
const MAX_KEPT = 10_000;

/**
 * Words that prove who holds a WhatsApp account: shown to a signed-in user, and sent from the number that the user has
 * at Okta. One at a time for each user, and each counts once. They live in this process: several gateways would keep
 * them where both the page and the webhook find them.
 */
export class PairingWords {
  readonly #clock: () => number;
  readonly #byWord = new Map<string, WaitingWord>();
  readonly #byUser = new Map<string, WaitingWord>();
  readonly #cancelled = new WeakSet<WaitingWord>();
  readonly #wrong = new Map<string, { readonly count: number; readonly until: number }>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** A new word in the place of the user's last one. */
  issue(owner: Pick<WaitingWord, 'userId' | 'phone' | 'textVersion'>): WaitingWord {
    this.cancel(owner.userId);
    const key = Array.from({ length: LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
    const word = `${key.slice(0, LENGTH / 2)}-${key.slice(LENGTH / 2)}`;
    const waiting = { ...owner, word, expiresAt: this.#clock() + LIFE_MS };
    this.#byUser.set(owner.userId, waiting);
    this.#byWord.set(key, waiting);
    const oldest = forgetOldest(this.#byUser);
    if (oldest !== undefined) this.#byWord.delete(keyOf(oldest.word) ?? '');
    return waiting;
  }

  /** The word that a user was shown last, while it is good. One that has come stays until `cancel` ends it. */
  waitingFor(userId: string): WaitingWord | undefined {
    const waiting = this.#byUser.get(userId);
    return waiting !== undefined && waiting.expiresAt > this.#clock() ? waiting : undefined;
  }

  /**
   * The word that a message is, if it is one that waits for just this number; it is taken once. Where it is another
   * word, a few are enough: whoever tries words is not heard for a while.
   */
  take(text: string, from: string): WaitingWord | undefined {
    const key = keyOf(text);
    if (key === undefined) return undefined;
    const phone = whatsAppNumberOf(from) ?? from;
    const now = this.#clock();
    const wrong = this.#wrong.get(phone);
    const count = wrong !== undefined && wrong.until > now ? wrong.count : 0;
    if (count >= MAX_WRONG) return undefined;
    const waiting = this.#byWord.get(key);
    if (waiting !== undefined && waiting.expiresAt > now && waiting.phone === phone) {
      this.#byWord.delete(key);
      return waiting;
    }
    this.#wrong.delete(phone);
    this.#wrong.set(phone, { count: count + 1, until: now + WRONG_MS });
    forgetOldest(this.#wrong);
    return undefined;
  }

  /** Whether its user has cancelled it since, or asked for another one. A word that is merely forgotten is not cancelled. */
  isCancelled(waiting: WaitingWord): boolean {
    return this.#cancelled.has(waiting);
  }

  /** It came, and WhatsApp could not be turned on: it may come again, unless it is cancelled or forgotten. */
  giveBack(waiting: WaitingWord): void {
    if (this.#byUser.get(waiting.userId) === waiting) this.#byWord.set(keyOf(waiting.word) ?? '', waiting);
  }

  /** The user's word counts no more. */
  cancel(userId: string): void {
    const waiting = this.#byUser.get(userId);
    if (waiting === undefined) return;
    this.#cancelled.add(waiting);
    this.#byUser.delete(userId);
    this.#byWord.delete(keyOf(waiting.word) ?? '');
  }
}

/** Whether it could be such a word, whoever it waits for. */
export function isLikeAWord(text: string): boolean {
  return keyOf(text) !== undefined;
}

/** A word whatever its case, and what phones and people put between; `undefined` for what is no such word. */
function keyOf(text: string): string | undefined {
  // Nothing more of a long message is looked at.
  if (text.length > 40) return undefined;
  const key = text
    .toUpperCase()
    .replace(/[\s\-–—."'!]/g, '')
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1');
  return WORD.test(key) ? key : undefined;
}

/** Keeps a map to its size: the one that came first goes. */
function forgetOldest<Value>(map: Map<string, Value>): Value | undefined {
  if (map.size <= MAX_KEPT) return undefined;
  for (const [key, value] of map) {
    map.delete(key);
    return value;
  }
  return undefined;
}
