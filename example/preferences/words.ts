import { randomInt } from 'node:crypto';

/** A word that the page shows to a user, and that has not been used yet. */
export interface WaitingWord {
  /** As the page shows it: `7K3Q-XM2D`. */
  readonly word: string;
  /** The user's id at Okta. */
  readonly userId: string;
  /** The number that the word must come from, by `whatsAppNumberOf`. */
  readonly phone: string;
  /** The text that the user has agreed to. */
  readonly textVersion: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Crockford's: no letter looks like a digit, so that people can copy a word by hand. Each letter has 5 bits. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LENGTH = 8;
const LIFE_MS = 10 * 60_000;

/**
 * Words that prove who owns a WhatsApp account: a signed-in user sends one from the number that the user has at Okta. A user has
 * one word at a time. The words are in this process. With several gateways, keep them where both the page and the webhook find them.
 */
export class PairingWords {
  readonly #clock: () => number;
  readonly #byUser = new Map<string, WaitingWord>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Makes a new word, which replaces the user's last one. */
  issue(owner: Pick<WaitingWord, 'userId' | 'phone' | 'textVersion'>): void {
    const letters = Array.from({ length: LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length)));
    const word = `${letters.slice(0, 4).join('')}-${letters.slice(4).join('')}`;
    this.#byUser.set(owner.userId, { ...owner, word, expiresAt: this.#clock() + LIFE_MS });
  }

  /** The user's word, until it expires. */
  waitingFor(userId: string): WaitingWord | undefined {
    const waiting = this.#byUser.get(userId);
    return waiting !== undefined && waiting.expiresAt > this.#clock() ? waiting : undefined;
  }

  /** The word that a message contains, if it waits for this number. */
  find(text: string, from: string): WaitingWord | undefined {
    const [phone, letters, now] = [whatsAppNumberOf(from), lettersOf(text), this.#clock()];
    return [...this.#byUser.values()].find(
      (waiting) => waiting.phone === phone && lettersOf(waiting.word) === letters && waiting.expiresAt > now,
    );
  }

  /** Whether the word is still the user's: not used, not cancelled and not replaced. */
  isWaiting(waiting: WaitingWord): boolean {
    return this.#byUser.get(waiting.userId) === waiting;
  }

  /** Ends the user's word. */
  cancel(userId: string): void {
    this.#byUser.delete(userId);
  }
}

/** A text without what phones and people add to a word. */
function lettersOf(text: string): string {
  return text
    .toUpperCase()
    .replace(/[\s\-–—."'!]/g, '')
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1');
}

/**
 * A number as people type it, in the form in which numbers are compared: E.164, as WhatsApp writes it. `undefined` if it has no
 * country code or is no number.
 *
 * WhatsApp writes some countries' mobile numbers in another way than they are dialled: Mexico's with a 1 and Argentina's with a 9
 * after the calling code, and Brazil's without their ninth digit if the area code is over 30. WhatsApp has no document about it.
 */
export function whatsAppNumberOf(text: unknown): string | undefined {
  const number = typeof text === 'string' ? text.replace(/[\s().\-/]/g, '') : '';
  if (!/^\+[1-9]\d{6,14}$/.test(number)) return undefined;
  return number
    .replace(/^\+521(?=\d{10}$)/, '+52')
    .replace(/^\+549(?=\d{10}$)/, '+54')
    .replace(/^(\+55[3-9]\d)9(?=[6-9]\d{7}$)/, '$1');
}

/** The part of a number that pages, records and logs may show. */
export function endingOf(number: string): string {
  return number.slice(-2);
}
