import { LRUCache } from 'lru-cache';
import { atMost, ExpiringCache } from '../../core/caches.js';
import type { State } from '../../core/state.js';
import { steadyMs } from '../../core/time.js';
import type {
  Known,
  KnownRecords,
  Reading,
  RecordKind,
  RecordName,
  RecordState,
  RecordValues,
  Transition,
} from '../../delivery/records.js';
import { isWhatsAppId } from '../../delivery/suppressions.js';
import { LocalClaims, MAX_EVENTS } from '../../delivery/local-claims.js';
import {
  isCurrent,
  LocalOrder,
  MAX_PEOPLE,
  takePlace,
  useNewest,
  type OrderRecord,
} from '../../delivery/order.js';
import type { Bucket, EventClaim, StatePort } from '../../delivery/state.js';
import { MemoryLearning } from './memory-learning.js';

/**
 * A state in the memory of this process, for a single instance and for tests. It keeps the last 8,000 events, 8,000 people, 16,000 last
 * codes, 16,000 limits and 8,000 receipts. It drops the oldest first and starts no timer.
 */
export function memoryState(): State {
  return openMemoryState();
}

/** A `memoryState()` with the members of the port. */
export function openMemoryState(): StatePort {
  const limits = new LimitWindows();
  const orders = new Orders();
  const records = new MemoryRecords();
  // Repeats are found in the claims of the process.
  const claim: StatePort['claim'] = (event) => {
    const { person, limits: buckets, nowMs } = event;
    const exceeded = limits.take(buckets, nowMs);
    const passes = isPassed(event, exceeded);
    const taken = person === undefined ? NO_PLACE : orders.claim(person, event, passes);
    return {
      isFirst: true,
      ...taken,
      exceeded,
      hasRead: true,
      settle: nothing,
      release: () => {
        if (exceeded.length === 0) limits.refund(buckets, nowMs);
        if (taken.place !== undefined) orders.keepPlace(event, taken.place);
      },
    };
  };
  return {
    claim,
    isCurrent: (person, event) => isCurrent(orders.of(person), event),
    useCode: (person, usedAtMs) => {
      orders.use(person, usedAtMs);
    },
    local: { claims: new LocalClaims(), order: new LocalOrder() },
    learning: new MemoryLearning(),
    update: (names, transition) => records.update(names, transition),
    read: (names, read) => records.read(names, read),
    recall: (name) => records.recall(name),
    check: () => Promise.resolve(),
    health: 'ok',
    close: () => Promise.resolve(),
  };
}

const nothing = (): undefined => undefined;
const NO_PLACE = { place: undefined, isCurrent: 'unknown' } as const;

/** Whether a code supersedes older ones. */
export function isPassed({ passes }: Pick<EventClaim, 'passes'>, exceeded: readonly string[]): boolean {
  return passes === 'always' || (passes === 'withinLimits' && exceeded.length === 0);
}

/** The order of each person's codes, and the places of events that were released. Bounded, without a timer. */
class Orders {
  readonly #people = new ExpiringCache<OrderRecord>(MAX_PEOPLE);
  readonly #released = new LRUCache<string, string>(atMost(MAX_EVENTS));
  #claims = 0;

  of(person: string): OrderRecord | undefined {
    return this.#people.get(person, steadyMs())?.value;
  }

  claim(
    person: string,
    { key, isPreview, requestedAtMs, rememberMs, lifeMs }: EventClaim,
    passes: boolean,
  ): Omit<ReturnType<typeof takePlace>, 'order'> {
    this.#claims += 1;
    const nowMs = steadyMs();
    const known = this.#people.get(person, nowMs);
    const { order, ...taken } = takePlace(known?.value, {
      eventKey: key,
      place: this.#released.get(key),
      isPreview,
      passes,
      requestedAtMs,
      token: String(this.#claims),
    });
    this.#people.set(person, order, nowMs, Math.max(rememberMs, lifeMs, known?.leftMs ?? 0));
    return taken;
  }

  /** The event was released, and may come again. */
  keepPlace({ key, isRepeatable }: EventClaim, place: string): void {
    if (isRepeatable) this.#released.set(key, place);
  }

  use(person: string, usedAtMs: number): void {
    const nowMs = steadyMs();
    const known = this.#people.get(person, nowMs);
    if (known !== undefined) {
      this.#people.set(person, useNewest(known.value, usedAtMs), nowMs, known.leftMs);
    }
  }
}

/**
 * So many windows are kept: of 13 codes a second for ten minutes, because a code uses two by default. With more, a window
 * that is not used any more is dropped before its end, but never one that is still used. A state that gateways share has no
 * such bound.
 */
const MAX_WINDOWS = 16_000;

interface Window {
  readonly until: number;
  spent: number;
}

const NONE: readonly string[] = [];

/**
 * Rate limits in memory: fixed windows that begin with their first point, by the hook's clock. Bounded,
 * without a timer.
 */
export class LimitWindows {
  readonly #windows = new LRUCache<string, Window>(atMost(MAX_WINDOWS));

  /**
   * Takes a point from each bucket, or from none if one of them is exceeded.
   *
   * @returns the keys of the exceeded buckets.
   */
  take(buckets: readonly Bucket[], nowMs: number): readonly string[] {
    let exceeded = NONE;
    const windows: (Window | undefined)[] = [];
    for (const bucket of buckets) {
      const window = this.#find(bucket, nowMs);
      windows.push(window);
      if (window !== undefined && window.spent >= bucket.points) exceeded = [...exceeded, bucket.key];
    }
    if (exceeded.length > 0) return exceeded;
    buckets.forEach(({ key, seconds }, index) => {
      const window = windows[index];
      if (window === undefined) this.#windows.set(key, { until: nowMs + seconds * 1000, spent: 1 });
      else window.spent += 1;
    });
    return exceeded;
  }

  /**
   * Gives back the points of a `take` that exceeded no bucket.
   *
   * @param takenMs - when they were taken.
   */
  refund(buckets: readonly Bucket[], takenMs: number): void {
    for (const bucket of buckets) {
      const window = this.#find(bucket, takenMs);
      if (window !== undefined && window.spent > 0) window.spent -= 1;
    }
  }

  /**
   * The window of a bucket at a moment; `undefined` if there is none, if it has ended, or if it lies outside
   * the moment because the clock was set back.
   */
  #find({ key, seconds }: Bucket, nowMs: number): Window | undefined {
    // The window of a user who goes on requesting codes stays, also if it is exceeded.
    const window = this.#windows.get(key);
    const leftMs = (window?.until ?? 0) - nowMs;
    return leftMs > 0 && leftMs <= seconds * 1000 ? window : undefined;
  }
}

/** About 50 codes a second that may fail over for nearly three minutes, in which WhatsApp reports failures. */
const MAX_MESSAGES = 8_000;

const MAX_RECIPIENTS = 20_000;

/** A map by the names of records. It keeps so many of each kind, drops the oldest first, and starts no timer. */
export class RecordMap<Value> {
  readonly #maps = {
    message: new ExpiringCache<Value>(MAX_MESSAGES),
    attempt: new ExpiringCache<Value>(MAX_MESSAGES),
    lastCode: new ExpiringCache<Value>(16_000),
    suppressions: new ExpiringCache<Value>(MAX_RECIPIENTS),
    /** Suppressions, too. Every user of WhatsApp has an id, and ids must not push out the STOP of a number. */
    whatsAppId: new ExpiringCache<Value>(MAX_RECIPIENTS),
  };

  get(name: RecordName): Known<Value> | undefined {
    return this.#mapOf(name).get(name.key, steadyMs());
  }

  /** Makes the record the newest. */
  set(name: RecordName, value: Value, lifeMs: number): void {
    this.#mapOf(name).set(name.key, value, steadyMs(), lifeMs);
  }

  delete(name: RecordName): void {
    this.#mapOf(name).delete(name.key);
  }

  #mapOf({ kind, key }: RecordName): ExpiringCache<Value> {
    return this.#maps[kind === 'suppressions' && isWhatsAppId(key) ? 'whatsAppId' : kind];
  }
}

/** The records of `memoryState()`. Transitions run at once. */
export class MemoryRecords implements RecordState {
  readonly #records = new RecordMap<RecordValues[RecordKind]>();

  update<const Names extends readonly RecordName[], Result>(
    names: Names,
    transition: Transition<Names, Result>,
  ): Promise<Result> {
    // The type of each record follows from its name.
    const known = names.map((name) => this.#records.get(name)) as unknown as KnownRecords<Names>;
    const { next, result } = transition(known, { keeperMs: steadyMs(), waitedMs: 0 });
    for (const [at, name] of names.entries()) {
      const changed = next?.[at];
      if (changed !== undefined) this.#records.set(name, changed.value, changed.lifeMs);
    }
    return Promise.resolve(result);
  }

  read<const Names extends readonly RecordName[], Result>(
    names: Names,
    read: Reading<Names, Result>,
  ): Promise<Result> {
    return this.update(names, (known, moment) => ({ result: read(known, moment) }));
  }

  recall<Kind extends RecordKind>(name: RecordName<Kind>): Known<RecordValues[Kind]> | undefined {
    // As in `update`.
    return this.#records.get(name) as Known<RecordValues[Kind]> | undefined;
  }
}
