import { LRUCache } from 'lru-cache';
import type { EventLife, RememberedAnswer } from './state.js';

/** About 100 sign-ins a second for three minutes. */
const MAX_EVENTS = 20_000;

/** The first one's answer, once it has one; `undefined` if it let go. */
export type AnswerOfFirst = Promise<RememberedAnswer | undefined>;

/** An event that one call of this process holds. */
export interface HeldEvent {
  /** Keeps the answer for repeats of the event. */
  readonly settle: (answer: RememberedAnswer) => void;
  /** The next one may hold it. */
  readonly release: () => void;
  /** The first one is elsewhere: what it gets is the answer, and an answer that is lost may be asked for again. */
  readonly follow: (answer: AnswerOfFirst) => void;
}

interface Entry {
  readonly until: number;
  readonly answer: AnswerOfFirst;
}

/**
 * The events that calls of this process hold, or held, and their answers. Bounded to 20,000, the oldest forgotten first;
 * starts no timer.
 */
export class HeldEvents {
  readonly #entries = new LRUCache<string, Entry>({ max: MAX_EVENTS });

  /** The answer of the call that holds an event; `undefined` where none does. */
  find(key: string | undefined, nowMs: number): AnswerOfFirst | undefined {
    const known = key === undefined ? undefined : this.#entries.get(key);
    return known !== undefined && known.until > nowMs ? known.answer : undefined;
  }

  /** Holds an event that no call holds. Without a key nobody will find it. */
  hold(key: string | undefined, { nowMs, rememberMs }: Omit<EventLife, 'buckets'>): HeldEvent {
    let resolve: (answer: RememberedAnswer | undefined) => void = () => undefined;
    let reject: (error: unknown) => void = () => undefined;
    const answer: AnswerOfFirst = new Promise((settle, fail) => {
      resolve = settle;
      reject = fail;
    });
    const entry: Entry = { until: nowMs + rememberMs, answer };
    if (key !== undefined) this.#entries.set(key, entry);
    const forget = (): void => {
      if (key !== undefined && this.#entries.peek(key) === entry) this.#entries.delete(key);
    };
    const release = (): void => {
      forget();
      resolve(undefined);
    };
    return {
      settle: resolve,
      release,
      follow: (first) => {
        // Perhaps nobody waits.
        answer.catch(() => undefined);
        first.then(
          (found) => {
            if (found === undefined) release();
            else resolve(found);
          },
          (error: unknown) => {
            forget();
            reject(error);
          },
        );
      },
    };
  }
}
