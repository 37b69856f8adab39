import { LRUCache } from 'lru-cache';
import { atMost } from '../core/caches.js';
import type { AnswerOfFirst, RememberedAnswer } from './state.js';

/** The claims of one process: whatever the state does, at most one of its calls is the first of an event. */

/**
 * So many running and so many answered events are remembered. So no running call is forgotten, and at 2,500 a second an
 * answer is known for the three seconds that Okta waits before its retry.
 */
export const MAX_EVENTS = 8_000;

/** An answer that calls wait for. */
interface Waiting {
  readonly answer: AnswerOfFirst;
  readonly resolve: (answer: Awaited<AnswerOfFirst>) => void;
}

/** The claim of an event by one call of this process. */
export class LocalClaim {
  /** When it came, by the monotonic clock. */
  cameMs = performance.now();
  readonly rememberMs: number;
  /** Its call's number in `LocalOrder`. */
  readonly arrival: number;
  readonly #key: string | undefined;
  readonly #events: LocalClaims;
  #isEnded = false;
  #found: RememberedAnswer | undefined;
  /** Made when the first repeat waits. */
  #waiting: Waiting | undefined;

  constructor(
    key: string | undefined,
    events: LocalClaims,
    { rememberMs, arrival }: Pick<LocalClaim, 'rememberMs' | 'arrival'>,
  ) {
    this.rememberMs = rememberMs;
    this.arrival = arrival;
    this.#key = key;
    this.#events = events;
  }

  get answer(): AnswerOfFirst {
    if (this.#waiting === undefined && this.#isEnded) return Promise.resolve(this.#found);
    this.#waiting ??= beginWaiting();
    return this.#waiting.answer;
  }

  /** Keeps the answer for repeats of the event. */
  settle(answer: RememberedAnswer): void {
    if (!this.#end(true)) return;
    this.#found = answer;
    this.#waiting?.resolve(answer);
    this.#waiting = undefined;
  }

  /** The next call may claim the event. */
  release(): void {
    if (!this.#end(false)) return;
    this.#waiting?.resolve(undefined);
    this.#waiting = undefined;
  }

  /**
   * The first call is at another gateway: its answer counts. If it is lost, the next repeat asks again.
   *
   * @param cameMs - when the first call came there.
   */
  follow(first: AnswerOfFirst, cameMs: number): void {
    this.cameMs = cameMs;
    void first.then((found) => {
      if (found === undefined) this.release();
      else if (found !== 'lost') this.settle(found);
      else if (this.#end(false)) this.#waiting?.resolve(found);
    });
  }

  /** `false` if the claim has ended before. */
  #end(isRemembered: boolean): boolean {
    if (this.#isEnded) return false;
    this.#isEnded = true;
    if (this.#key !== undefined) this.#events.ended(this.#key, this, isRemembered);
    return true;
  }
}

/** The claims of this process, and the answers of its calls. It keeps the last 8,000 running and answered events. */
export class LocalClaims {
  readonly #running = new LRUCache<string, LocalClaim>(atMost(MAX_EVENTS));
  readonly #answered = new LRUCache<string, LocalClaim>(atMost(MAX_EVENTS));
  /** The numbers of events whose claims were released: they keep their place in `LocalOrder`. */
  readonly #released = new LRUCache<string, number>(atMost(MAX_EVENTS));

  /** The claim of an event; `undefined` if it has none. */
  find(key: string | undefined): LocalClaim | undefined {
    if (key === undefined) return undefined;
    // A running call counts, however long it takes.
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const answered = this.#answered.get(key);
    if (answered === undefined) return undefined;
    return answered.cameMs + answered.rememberMs > performance.now() ? answered : undefined;
  }

  /**
   * Claims an event that no call has claimed. Without a key no repeat can find it.
   *
   * @param arrival - of the call, as `LocalOrder` numbers it. An event that was released before has its first one.
   */
  claim(key: string | undefined, rememberMs: number, arrival: number): LocalClaim {
    const held = new LocalClaim(key, this, {
      rememberMs,
      arrival: (key === undefined ? undefined : this.#released.get(key)) ?? arrival,
    });
    if (key !== undefined) this.#running.set(key, held);
    return held;
  }

  /** Called by claims. A forgotten event may be claimed by another call by now. */
  ended(key: string, held: LocalClaim, isRemembered: boolean): void {
    if (this.#running.get(key) !== held) return;
    this.#running.delete(key);
    if (isRemembered) {
      this.#answered.set(key, held);
      return;
    }
    this.#answered.delete(key);
    this.#released.set(key, held.arrival);
  }
}

function beginWaiting(): Waiting {
  let resolve: Waiting['resolve'] = () => undefined;
  const answer: AnswerOfFirst = new Promise((settle) => {
    resolve = settle;
  });
  return { answer, resolve };
}
