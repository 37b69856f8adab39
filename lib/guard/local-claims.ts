import { RecentMap } from '../core/caches.js';
import type { AnswerOfFirst, RememberedAnswer } from '../delivery/state.js';
import { steadyMs } from '../core/time.js';

/**
 * How many running and how many answered events are remembered: always at least 8,000 of each. So no running
 * call is forgotten, and at 3,000 a second an answer is known for longer than Okta waits before its retry.
 */
const MAX_EVENTS = 16_000;

/** An answer that calls wait for. */
interface Waiting {
  readonly answer: AnswerOfFirst;
  readonly resolve: (answer: Awaited<AnswerOfFirst>) => void;
}

/** The claim of an event by one call of this process. */
export class LocalClaim {
  /** By the steady clock. */
  readonly untilMs: number;
  readonly #key: string | undefined;
  readonly #events: LocalClaims;
  #isEnded = false;
  /** The answer as JSON: one string costs the garbage collector less than an object of many parts. */
  #found: string | undefined;
  /**
   * Made when the first repeat waits. It stays if the state gave the answer, which is then not kept as JSON.
   */
  #waiting: Waiting | undefined;

  constructor(key: string | undefined, events: LocalClaims, untilMs: number) {
    this.untilMs = untilMs;
    this.#key = key;
    this.#events = events;
  }

  get answer(): AnswerOfFirst {
    if (this.#waiting === undefined && this.#isEnded) return Promise.resolve(readFound(this.#found));
    this.#waiting ??= beginWaiting();
    return this.#waiting.answer;
  }

  /** Keeps the answer, as JSON, for repeats of the event. */
  settle(answer: string): void {
    if (!this.#end(true)) return;
    this.#found = answer;
    this.#waiting?.resolve(readFound(answer));
    this.#waiting = undefined;
  }

  /** The next call may claim the event. */
  release(): void {
    if (!this.#end(false)) return;
    this.#waiting?.resolve(undefined);
    this.#waiting = undefined;
  }

  /** The first call is at another gateway: its answer counts. If it is lost, the next repeat asks again. */
  follow(first: AnswerOfFirst): void {
    void first.then((found) => {
      if (found === undefined) this.release();
      else if (this.#end(found !== 'lost')) {
        this.#waiting ??= beginWaiting();
        this.#waiting.resolve(found);
      }
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

/**
 * The claims of this process, and the answers of its calls. Bounded to 16,000 running and 16,000 answered
 * events; the older half is forgotten first. It starts no timer.
 */
export class LocalClaims {
  /** Whether these are the claims of a state: the hook then does not claim an event in the state again. */
  readonly isOfState: boolean;
  readonly #running = new RecentMap<LocalClaim>(MAX_EVENTS);
  readonly #answered = new RecentMap<LocalClaim>(MAX_EVENTS);

  constructor({ isOfState = false } = {}) {
    this.isOfState = isOfState;
  }

  /** The answer of the call that has claimed an event; `undefined` if none has. */
  answerOf(key: string | undefined): AnswerOfFirst | undefined {
    if (key === undefined) return undefined;
    // A running call counts, however long it takes.
    const running = this.#running.get(key);
    if (running !== undefined) return running.answer;
    const answered = this.#answered.get(key);
    return answered !== undefined && answered.untilMs > steadyMs() ? answered.answer : undefined;
  }

  /** Claims an event that no call has claimed. Without a key no repeat can find it. */
  claim(key: string | undefined, rememberMs: number): LocalClaim {
    const held = new LocalClaim(key, this, steadyMs() + rememberMs);
    if (key !== undefined) this.#running.set(key, held);
    return held;
  }

  /** Called by claims. A forgotten event may be claimed by another call by now. */
  ended(key: string, held: LocalClaim, isRemembered: boolean): void {
    if (this.#running.get(key) !== held) return;
    this.#running.delete(key);
    if (isRemembered) this.#answered.set(key, held);
    else this.#answered.delete(key);
  }
}

function readFound(found: string | undefined): RememberedAnswer | undefined {
  return found === undefined ? undefined : (JSON.parse(found) as RememberedAnswer);
}

function beginWaiting(): Waiting {
  let resolve: Waiting['resolve'] = () => undefined;
  const answer: AnswerOfFirst = new Promise((settle) => {
    resolve = settle;
  });
  return { answer, resolve };
}
