import { LRUCache } from 'lru-cache';
import type { Claim, EventLife, RememberedAnswer } from '../delivery/state.js';
import { LimitWindows } from './limit-windows.js';

/** About 100 sign-ins a second for three minutes. */
const MAX_ENTRIES = 20_000;

interface Entry {
  readonly until: number;
  readonly answer: Promise<RememberedAnswer | undefined>;
}

type FirstClaim = Extract<Claim, { isFirst: true }>;
type RepeatClaim = Extract<Claim, { isFirst: false }>;

/**
 * The events that this process was the first to claim, and its limits. Bounded to 20,000 events and 60,000 limits, the
 * oldest forgotten first; starts no timer.
 */
export class ProcessClaims {
  readonly #entries = new LRUCache<string, Entry>({ max: MAX_ENTRIES });
  readonly #limits = new LimitWindows();

  /** Claims an event and takes its points, as `State` says. */
  claim(key: string | undefined, life: EventLife): Claim {
    const { nowMs, buckets } = life;
    const repeat = this.find(key, nowMs);
    if (repeat !== undefined) return repeat;
    const exceeded = this.#limits.spend(buckets, nowMs);
    const { settle, release } = this.hold(key, life);
    return {
      isFirst: true,
      exceeded,
      settle,
      release: () => {
        if (exceeded.length === 0) this.#limits.giveBack(buckets, nowMs);
        release();
      },
    };
  }

  /** The repeat of an event that this process has claimed; `undefined` where it has not. */
  find(key: string | undefined, nowMs: number): RepeatClaim | undefined {
    const known = key === undefined ? undefined : this.#entries.get(key);
    return known !== undefined && known.until > nowMs ? { isFirst: false, answer: known.answer } : undefined;
  }

  /** Claims an event that has not been claimed, whatever its limits. */
  hold(
    key: string | undefined,
    { nowMs, rememberMs }: Omit<EventLife, 'buckets'>,
  ): Pick<FirstClaim, 'settle' | 'release'> {
    if (key === undefined) return { settle: () => undefined, release: () => undefined };
    let resolve: (answer: RememberedAnswer | undefined) => void = () => undefined;
    const answer = new Promise<RememberedAnswer | undefined>((settle) => {
      resolve = settle;
    });
    const entry: Entry = { until: nowMs + rememberMs, answer };
    this.#entries.set(key, entry);
    return {
      settle: resolve,
      release: () => {
        if (this.#entries.peek(key) === entry) this.#entries.delete(key);
        resolve(undefined);
      },
    };
  }
}
