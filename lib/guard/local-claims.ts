import { RecentMap } from '../core/recent-map.js';
import type { AnswerOfFirst, RememberedAnswer } from '../delivery/state.js';
import { steadyMs } from '../core/steady-clock.js';

/**
 * Of those that were answered, and of those that were not: 8,000 of each always. So nothing forgets a call under way, and at
 * 3,000 a second an answer is known for longer than Okta waits before it asks again.
 */
const MAX_EVENTS = 16_000;

/** Those who wait for an answer, and how they come to have it. */
interface Waiting {
  readonly answer: AnswerOfFirst;
  readonly resolve: (answer: Awaited<AnswerOfFirst>) => void;
}

/** An event that one call of this process holds, or held. */
export class LocalClaim {
  /** By the steady clock. */
  readonly untilMs: number;
  readonly #key: string | undefined;
  readonly #events: LocalClaims;
  #isEnded = false;
  /** As JSON: one text in place of an object of many parts, all of which every collection of garbage would look at. */
  #found: string | undefined;
  /** Nearly nobody: it is made for the first of them, and stays where a state gave the answer, which no JSON need hold. */
  #waiting: Waiting | undefined;

  constructor(key: string | undefined, events: LocalClaims, untilMs: number) {
    this.untilMs = untilMs;
    this.#key = key;
    this.#events = events;
  }

  /** To be waited for. */
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

  /** The next one may hold it. */
  release(): void {
    if (!this.#end(false)) return;
    this.#waiting?.resolve(undefined);
    this.#waiting = undefined;
  }

  /** The first one is elsewhere: what it gets is the answer, and an answer that is lost may be asked for again. */
  follow(first: AnswerOfFirst): void {
    void first.then((found) => {
      if (found === undefined) this.release();
      else if (this.#end(found !== 'lost')) {
        this.#waiting ??= beginWaiting();
        this.#waiting.resolve(found);
      }
    });
  }

  /** Once; `false` where it has ended before. */
  #end(isRemembered: boolean): boolean {
    if (this.#isEnded) return false;
    this.#isEnded = true;
    if (this.#key !== undefined) this.#events.ended(this.#key, this, isRemembered);
    return true;
  }
}

/**
 * The events that calls of this process hold, or held, and their answers. Bounded to 16,000 under way and 16,000 answered,
 * the older half forgotten first; starts no timer.
 */
export class LocalClaims {
  /** A state's own: what is held here need not be claimed of it. */
  readonly isOfState: boolean;
  readonly #running = new RecentMap<LocalClaim>(MAX_EVENTS);
  readonly #answered = new RecentMap<LocalClaim>(MAX_EVENTS);

  constructor({ isOfState = false } = {}) {
    this.isOfState = isOfState;
  }

  /** The answer of the call that holds an event; `undefined` where none does. */
  answerOf(key: string | undefined): AnswerOfFirst | undefined {
    if (key === undefined) return undefined;
    // However long it takes: one that is under way is never over.
    const running = this.#running.get(key);
    if (running !== undefined) return running.answer;
    const answered = this.#answered.get(key);
    return answered !== undefined && answered.untilMs > steadyMs() ? answered.answer : undefined;
  }

  /** Holds an event that no call holds. Without a key nobody will find it. */
  claim(key: string | undefined, rememberMs: number): LocalClaim {
    const held = new LocalClaim(key, this, steadyMs() + rememberMs);
    if (key !== undefined) this.#running.set(key, held);
    return held;
  }

  /** For the events themselves. One that was forgotten, of too many, may be held by another call by now. */
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
