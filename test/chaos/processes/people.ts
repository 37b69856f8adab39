import { chanceOf, pick, shuffled } from '../chance.js';

/** A user. All fields depend only on index and seed, so that each process makes the same users. */
export interface Person {
  readonly id: string;
  readonly login: string;
  /** E.164, from a range reserved for fiction. */
  readonly phone: string;
  readonly isOptedIn: boolean;
}

/** The interval between a user's codes, seconds: with late failover on, short enough to supersede pending codes. */
const ASKS_EVERY_SECONDS = 20;
const OPTED_IN = 0.6;
/** The share of events that Okta repeats after no answer. */
const IS_REPEATED = 0.6;
/** The share of users who request another code soon after an answer. */
const ASKS_AGAIN = 0.25;
/** The share of events whose call Okta repeats though it was answered. */
const COMES_AGAIN = 0.06;
/** The share of calls whose caller hangs up. */
const HANGS_UP = 0.08;
/** The share of codes whose use Okta reports. */
const IS_USED = 0.1;
/** How soon, milliseconds. Sometimes before the first report on the first message. */
const ASKS_AGAIN_WITHIN_MS = 6_000;

export function peopleOf(seed: number, rate: number): readonly Person[] {
  const chance = chanceOf(seed, 'people');
  return Array.from({ length: rate * ASKS_EVERY_SECONDS }, (_, index) => {
    const number = String(index).padStart(5, '0');
    return {
      id: `00uchaos${number}0000001`,
      login: `person.${number}@example.com`,
      phone: `+1${202 + Math.floor(index / 10_000)}555${number.slice(1)}`,
      isOptedIn: chance() < OPTED_IN,
    };
  });
}

/** A code that a user requests. */
export interface Wish {
  readonly eventId: string;
  /** Six digits, unique in this run. */
  readonly code: string;
  readonly person: Person;
  /** Okta repeats the call after no answer. By its documents it does so only for some of its callers. */
  readonly isRepeated: boolean;
  /** Okta repeats the call this long after its end, whatever its answer; `undefined`: never. */
  readonly comesAgainAfterMs: number | undefined;
  /** Okta's caller is gone after this; `undefined`: never. */
  readonly hangUpMs: number | undefined;
  /** Okta reports the use of the code this long after it was sent; `undefined`: never. */
  readonly usedAfterMs: number | undefined;
  /** How long after the answer the user requests another code; `undefined`: never. */
  readonly againAfterMs: number | undefined;
}

/** Selects the next user: one who is due to request another code, else the next one who waits for no answer. */
export class Wishes {
  readonly #seed: number;
  readonly #chance: () => number;
  readonly #order: Person[];
  readonly #busy = new Set<Person>();
  #again: { readonly person: Person; readonly atMs: number }[] = [];
  #count = 0;
  #last: Person | undefined;

  constructor(seed: number, people: readonly Person[]) {
    this.#seed = seed;
    this.#chance = chanceOf(seed, 'wishes');
    this.#order = shuffled(people, this.#chance);
  }

  /** The user who has requested the last code. */
  get last(): Person | undefined {
    return this.#last;
  }

  next(nowMs: number): Wish {
    const due = this.#again.find(({ atMs }) => atMs <= nowMs);
    this.#again = this.#again.filter((entry) => entry !== due);
    const person = due?.person ?? this.#nextInOrder();
    this.#busy.add(person);
    this.#count += 1;
    // 7919 and 900,000 have no common divisor: every code is used once before any is used again.
    const code = String(100_000 + ((this.#count * 7_919 + this.#seed) % 900_000));
    this.#last = person;
    const isAskedAgain = this.#chance() < ASKS_AGAIN;
    const againAfterMs = this.#chance() * ASKS_AGAIN_WITHIN_MS;
    return {
      eventId: `evt${this.#seed}n${this.#count}`,
      code,
      person,
      isRepeated: this.#chance() < IS_REPEATED,
      comesAgainAfterMs: this.#sometimes(COMES_AGAIN, [
        [3, 0, 300],
        [2, 300, 3_000],
        [1, 3_000, 12_000],
      ]),
      hangUpMs: this.#sometimes(HANGS_UP, [
        [2, 1, 100],
        [2, 100, 2_500],
      ]),
      usedAfterMs: this.#sometimes(IS_USED, [[1, 200, 4_000]]),
      againAfterMs: isAskedAgain ? againAfterMs : undefined,
    };
  }

  /** Notes that the wish has its answer, or that Okta has given up. */
  answered({ person, againAfterMs }: Wish, nowMs: number): void {
    if (againAfterMs === undefined) this.#busy.delete(person);
    else this.#again.push({ person, atMs: nowMs + againAfterMs });
  }

  /** A number of one of the ranges, for a share of the events. */
  #sometimes(share: number, ranges: Parameters<typeof pick>[1]): number | undefined {
    const isSo = this.#chance() < share;
    const number = pick(this.#chance, ranges);
    return isSo ? number : undefined;
  }

  #nextInOrder(): Person {
    for (let tries = 0; ; tries += 1) {
      const person = this.#order.shift();
      if (person === undefined) throw new Error('there are no users');
      this.#order.push(person);
      if (!this.#busy.has(person)) return person;
      if (tries > this.#order.length) throw new Error('all users wait for an answer: the rate is too high');
    }
  }
}
