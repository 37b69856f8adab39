import { chanceOf, shuffled } from './chance.js';

/** Who asks for codes. Everything about a person follows from their number and the seed, in every process alike. */
export interface Person {
  readonly id: string;
  readonly login: string;
  /** E.164, of the range that is kept for fiction in its later digits. */
  readonly phone: string;
  readonly isOptedIn: boolean;
}

/** Each asks about so often, seconds: with late failover on, often enough to overtake what is pending. */
const ASKS_EVERY_SECONDS = 20;
const OPTED_IN = 0.6;
/** Of events. */
const IS_REPEATED = 0.6;
/** Of those who got an answer: they ask once more, soon. */
const ASKS_AGAIN = 0.25;
/** How soon, milliseconds. Some do before anything is known of the first message. */
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

/** One code that somebody asks for. */
export interface Wish {
  readonly eventId: string;
  /** Six digits that nobody else gets in this run. */
  readonly code: string;
  readonly person: Person;
  /** Okta calls once more after no answer: by its documents it does so for some of its callers, and not for others. */
  readonly isRepeated: boolean;
  /** How long after its answer the person asks again; `undefined` where they do not. */
  readonly againAfterMs: number | undefined;
}

/** Hands out who asks next: whoever is due to ask again, else the next one who is not waiting for an answer. */
export class Wishes {
  readonly #seed: number;
  readonly #chance: () => number;
  readonly #order: Person[];
  readonly #busy = new Set<Person>();
  #again: { readonly person: Person; readonly atMs: number }[] = [];
  #count = 0;

  constructor(seed: number, people: readonly Person[]) {
    this.#seed = seed;
    this.#chance = chanceOf(seed, 'wishes');
    this.#order = shuffled(people, this.#chance);
  }

  next(nowMs: number): Wish {
    const due = this.#again.find(({ atMs }) => atMs <= nowMs);
    this.#again = this.#again.filter((entry) => entry !== due);
    const person = due?.person ?? this.#nextInOrder();
    this.#busy.add(person);
    this.#count += 1;
    // 7919 and 900,000 have no divisor in common: every code is used once before any is used again.
    const code = String(100_000 + ((this.#count * 7_919 + this.#seed) % 900_000));
    const isAskedAgain = this.#chance() < ASKS_AGAIN;
    const againAfterMs = this.#chance() * ASKS_AGAIN_WITHIN_MS;
    return {
      eventId: `evt${this.#seed}n${this.#count}`,
      code,
      person,
      isRepeated: this.#chance() < IS_REPEATED,
      againAfterMs: isAskedAgain ? againAfterMs : undefined,
    };
  }

  /** The wish has its answer, or Okta has given up. */
  answered({ person, againAfterMs }: Wish, nowMs: number): void {
    if (againAfterMs === undefined) this.#busy.delete(person);
    else this.#again.push({ person, atMs: nowMs + againAfterMs });
  }

  #nextInOrder(): Person {
    for (let tries = 0; ; tries += 1) {
      const person = this.#order.shift();
      if (person === undefined) throw new Error('nobody is there to ask for a code');
      this.#order.push(person);
      if (!this.#busy.has(person)) return person;
      if (tries > this.#order.length) throw new Error('everybody waits for an answer: the rate is too high');
    }
  }
}
