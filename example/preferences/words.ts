import { randomInt } from 'node:crypto';
import { whatsAppNumberOf } from './whatsapp-number.js';

/** A word that is shown to a user, and that has not come yet. */
export interface WaitingWord {
  /** As it is shown: `7K3Q-XM2D`. */
  readonly word: string;
  /** The user's id at Okta. */
  readonly userId: string;
  /** The number that it must come from, by `whatsAppNumberOf`. */
  readonly phone: string;
  /** The text that the user has agreed to. */
  readonly textVersion: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** It has come. */
  isTaken: boolean;
  /** The user has cancelled it since, or asked for another one. */
  isCancelled: boolean;
}

/** Crockford's: no letter looks like a digit, so that people can copy a word by hand. Each letter has 5 bits. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LENGTH = 8;
const WORD = new RegExp(`^[${ALPHABET}]{${LENGTH}}$`);
const LIFE_MS = 10 * 60_000;
/** The oldest are forgotten first. */
const MAX_WORDS = 10_000;

/**
 * Words that prove who holds a WhatsApp account: shown to a signed-in user, and sent from the number that the user has at
 * Okta. A user has one at a time, and it counts once. They are in this process. With several gateways, keep them where
 * both the page and the webhook find them.
 */
export class PairingWords {
  readonly #clock: () => number;
  readonly #byUser = new Map<string, WaitingWord>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** A new word in the place of the user's last one. */
  issue(owner: Pick<WaitingWord, 'userId' | 'phone' | 'textVersion'>): WaitingWord {
    this.cancel(owner.userId);
    const key = Array.from({ length: LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
    const word = `${key.slice(0, LENGTH / 2)}-${key.slice(LENGTH / 2)}`;
    const expiresAt = this.#clock() + LIFE_MS;
    const waiting = { ...owner, word, expiresAt, isTaken: false, isCancelled: false };
    this.#byUser.set(owner.userId, waiting);
    const [oldest] = this.#byUser.keys();
    if (this.#byUser.size > MAX_WORDS && oldest !== undefined) this.#byUser.delete(oldest);
    return waiting;
  }

  /** The user's word, while it is good. One that has come stays until `cancel` ends it. */
  waitingFor(userId: string): WaitingWord | undefined {
    const waiting = this.#byUser.get(userId);
    return waiting !== undefined && waiting.expiresAt > this.#clock() ? waiting : undefined;
  }

  /** The word in a message, if it waits for this number. A word of another number's user is of no use to a sender. */
  take(text: string, from: string): WaitingWord | undefined {
    const key = keyOf(text);
    const phone = whatsAppNumberOf(from) ?? from;
    const now = this.#clock();
    for (const waiting of key === undefined ? [] : this.#byUser.values()) {
      const isIt = waiting.phone === phone && keyOf(waiting.word) === key;
      if (!isIt || waiting.isTaken || waiting.expiresAt <= now) continue;
      waiting.isTaken = true;
      return waiting;
    }
    return undefined;
  }

  isCancelled(waiting: WaitingWord): boolean {
    return waiting.isCancelled;
  }

  /** The user's word counts no more. */
  cancel(userId: string): void {
    const waiting = this.#byUser.get(userId);
    if (waiting !== undefined) waiting.isCancelled = true;
    this.#byUser.delete(userId);
  }
}

/** Whether a text could be such a word. */
export function isLikeAWord(text: string): boolean {
  return keyOf(text) !== undefined;
}

/** A word without what phones and people put into it; `undefined` for a text that is no such word. */
function keyOf(text: string): string | undefined {
  if (text.length > 40) return undefined;
  const key = text
    .toUpperCase()
    .replace(/[\s\-–—."'!]/g, '')
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1');
  return WORD.test(key) ? key : undefined;
}
