import { LRUCache } from 'lru-cache';
import { atMost } from '../core/caches.js';

/** The claims of one process: whatever the state does, at most one of its calls is the first of an event. */

/** What a state keeps of an answer for the repeats of its call: the `Decision` of `okta/hook-answer.ts`. Plain data, as JSON carries it. */
export type RememberedAnswer = Readonly<Record<string, unknown>>;

/**
 * The answer of the first call; `undefined` if it released its claim; `'lost'` if the answer is not known: the
 * first call may have sent the code.
 */
export type AnswerOfFirst = Promise<RememberedAnswer | 'lost' | undefined>;

/** So many ended events are remembered: at 2,500 a second, an answer is known for the three seconds that Okta waits before its retry. */
export const MAX_EVENTS = 8_000;

/** The claim of an event by one call of this process. */
export class LocalClaim {
  /** When it came, by the monotonic clock. */
  cameMs = performance.now();
  /** Its call's number in `LocalOrder`. */
  readonly arrival: number;
  readonly #rememberMs: number;
  readonly #onEnd: () => void;
  /** Once it has ended. */
  #end: { readonly found: Awaited<AnswerOfFirst> } | undefined;
  /** Made when the first repeat waits. */
  #answer: AnswerOfFirst | undefined;
  #resolve: ((found: Awaited<AnswerOfFirst>) => void) | undefined;

  constructor(arrival: number, rememberMs: number, onEnd: () => void) {
    this.arrival = arrival;
    this.#rememberMs = rememberMs;
    this.#onEnd = onEnd;
  }

  get answer(): AnswerOfFirst {
    if (this.#end !== undefined) return Promise.resolve(this.#end.found);
    this.#answer ??= new Promise((resolve) => {
      this.#resolve = resolve;
    });
    return this.#answer;
  }

  get isAnswered(): boolean {
    const found = this.#end?.found;
    return found !== undefined && found !== 'lost';
  }

  /** Whether repeats get its answer. A running call counts, however long it takes. */
  get isRemembered(): boolean {
    if (this.#end === undefined) return true;
    return this.isAnswered && this.cameMs + this.#rememberMs > performance.now();
  }

  /** Keeps the answer for repeats of the event. */
  settle(answer: RememberedAnswer): void {
    this.#endWith(answer);
  }

  /** The next call may claim the event. */
  release(): void {
    this.#endWith(undefined);
  }

  /**
   * The first call is at another gateway: its answer counts. If it is lost, the next repeat asks again.
   *
   * @param cameMs - when the first call came there.
   */
  follow(first: AnswerOfFirst, cameMs: number): void {
    this.cameMs = cameMs;
    void first.then((found) => {
      this.#endWith(found);
    });
  }

  #endWith(found: Awaited<AnswerOfFirst>): void {
    if (this.#end !== undefined) return;
    this.#end = { found };
    this.#onEnd();
    this.#resolve?.(found);
  }
}

/** The claims of this process, and the answers of its calls. */
export class LocalClaims {
  /** No cache: a repeat of a running call that is forgotten would send its code again. Every call ends. */
  readonly #running = new Map<string, LocalClaim>();
  /** Also those that were released: their events keep their place in `LocalOrder`. */
  readonly #ended = new LRUCache<string, LocalClaim>(atMost(MAX_EVENTS));

  /** The claim of an event; `undefined` if it has none. */
  find(key: string | undefined): LocalClaim | undefined {
    if (key === undefined) return undefined;
    const known = this.#running.get(key) ?? this.#ended.get(key);
    return known?.isRemembered ? known : undefined;
  }

  /**
   * Claims an event that no call has claimed. Without a key no repeat can find it.
   *
   * @param arrival - of the call, as `LocalOrder` numbers it. An event that was released before has its first one.
   */
  claim(key: string | undefined, rememberMs: number, arrival: number): LocalClaim {
    if (key === undefined) return new LocalClaim(arrival, rememberMs, () => undefined);
    const known = this.#ended.get(key);
    const first = known === undefined || known.isAnswered ? arrival : known.arrival;
    const held = new LocalClaim(first, rememberMs, () => {
      this.#running.delete(key);
      this.#ended.set(key, held);
    });
    this.#running.set(key, held);
    return held;
  }
}
