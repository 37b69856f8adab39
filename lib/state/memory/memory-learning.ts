import { LRUCache } from 'lru-cache';
import { atMost, ExpiringCache } from '../../core/caches.js';
import type {
  LearnedCode,
  LearnedSummary,
  LearnedUse,
  LearningState,
  LearnVerdict,
} from '../../delivery/learning.js';
import {
  countCode,
  describeLearned,
  isKnownNumber,
  LEARN,
  liftedUntil,
  totalAt,
  withoutCode,
  withUse,
  type KnownNumber,
  type Learned,
  type Marker,
  type NetworkTally,
  type Tally,
  type Total,
} from '../../guard/learning.js';

/** Prefixes with codes of two days, at most. The least used are dropped. */
const MAX_PREFIXES = 20_000;
const MAX_NETWORKS = 20_000;
const MAX_KNOWN_NUMBERS = 100_000;
/** A minute of 130 codes a second. */
const MAX_MARKERS = 8_000;

type Around = Pick<LearnedCode, 'number' | 'prefix' | 'country' | 'network'>;

/** The counts of the guard that learns, in the memory of this process. Bounded, without a timer. */
export class MemoryLearning implements LearningState {
  #total: Total | undefined;
  /** As many as there are countries. */
  readonly #countries = new Map<string, Tally>();
  readonly #prefixes = new LRUCache<string, Tally>(atMost(MAX_PREFIXES));
  readonly #networks = new LRUCache<string, NetworkTally>(atMost(MAX_NETWORKS));
  readonly #known: LRUCache<string, KnownNumber>;
  readonly #markers = new ExpiringCache<Marker>(MAX_MARKERS);

  /** @param maxKnownNumbers - how many numbers that used a code it keeps. */
  constructor(maxKnownNumbers = MAX_KNOWN_NUMBERS) {
    this.#known = new LRUCache(atMost(maxKnownNumbers));
  }

  count(code: LearnedCode): LearnVerdict {
    const marker = markerOf(code);
    const { next, verdict } = countCode(this.#around(code, marker), code);
    this.#keep(code, next);
    this.#keepMarker(marker, next.marker, code.nowMs);
    return verdict;
  }

  giveBack(code: LearnedCode): void {
    const marker = markerOf(code);
    const next = withoutCode(this.#around(code, marker), code);
    this.#keep(code, next);
    this.#keepMarker(marker, next.marker, code.nowMs);
  }

  use(use: LearnedUse): Promise<void> {
    this.#keep(use, withUse(this.#around(use), use));
    return Promise.resolve();
  }

  list(at: Pick<LearnedCode, 'ratio' | 'nowMs'>): Promise<LearnedSummary> {
    return Promise.resolve(describeLearned(this.#total, [...this.#countries], at));
  }

  lift(country: string, untilMs: number, at: Pick<LearnedCode, 'ratio' | 'nowMs'>): Promise<boolean> {
    this.#countries.set(country, liftedUntil(this.#countries.get(country), untilMs, at));
    return Promise.resolve(true);
  }

  /** Another state has counted a code: this one may have to go on from what it knows. */
  follow({ number, nowMs }: LearnedCode, { beganAtMs, isBlind, isKnown }: LearnVerdict): void {
    const total = { ...totalAt(this.#total, nowMs), beganAtMs };
    this.#total = isBlind
      ? { ...total, blindSinceMs: Math.max(total.blindSinceMs, 1) }
      : { ...total, blindSinceMs: 0, usedAtMs: total.atMs, knownInRow: 0 };
    if (isKnown && !isKnownNumber(this.#known.get(number), nowMs))
      this.#known.set(number, { token: '', atMs: nowMs });
  }

  #around(
    { number, prefix, country, network, ...code }: Around & { readonly nowMs: number },
    marker = '',
  ): Learned {
    return {
      total: this.#total,
      country: this.#countries.get(country),
      prefix: this.#prefixes.get(prefix),
      network: network === '' ? undefined : this.#networks.get(network),
      marker: marker === '' ? undefined : this.#markers.get(marker, code.nowMs)?.value,
      known: this.#known.get(number),
    };
  }

  #keepMarker(name: string, marker: Marker | undefined, nowMs: number): void {
    if (marker === undefined) this.#markers.delete(name);
    else this.#markers.set(name, marker, nowMs, LEARN.supersededMs);
  }

  #keep({ number, prefix, country, network }: Around, learned: Learned): void {
    this.#total = learned.total;
    if (learned.country !== undefined) this.#countries.set(country, learned.country);
    if (learned.prefix !== undefined) this.#prefixes.set(prefix, learned.prefix);
    if (learned.network !== undefined) this.#networks.set(network, learned.network);
    if (learned.known !== undefined) this.#known.set(number, learned.known);
  }
}

function markerOf({ person, number }: LearnedCode): string {
  return `${person} ${number}`;
}
