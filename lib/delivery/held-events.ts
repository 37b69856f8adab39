import { BoundedMap } from './bounded-map.js';
import type { EventLife, RememberedAnswer } from './state.js';

/** About 100 sign-ins a second for three minutes. */
const MAX_EVENTS = 20_000;

/** The first one's answer, once it has one; `undefined` if it let go. */
export type AnswerOfFirst = Promise<RememberedAnswer | undefined>;

/** Those who wait for an answer, and how they come to have it. */
interface Waiting {
  readonly answer: AnswerOfFirst;
  readonly resolve: (answer: RememberedAnswer | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** An event that one call of this process holds. */
export class HeldEvent {
  readonly untilMs: number;
  readonly #key: string | undefined;
  readonly #events: BoundedMap<HeldEvent>;
  /** Nearly nobody: it is made for the first of them. */
  #waiting: Waiting | undefined;
  #isEnded = false;
  #found: RememberedAnswer | undefined;

  constructor(key: string | undefined, events: BoundedMap<HeldEvent>, untilMs: number) {
    this.untilMs = untilMs;
    this.#key = key;
    this.#events = events;
  }

  /** To be waited for. */
  get answer(): AnswerOfFirst {
    if (this.#isEnded) return Promise.resolve(this.#found);
    this.#waiting ??= beginWaiting();
    return this.#waiting.answer;
  }

  /** Keeps the answer for repeats of the event. */
  settle(answer: RememberedAnswer): void {
    this.#end(answer);
  }

  /** The next one may hold it. */
  release(): void {
    this.#forget();
    this.#end(undefined);
  }

  /** The first one is elsewhere: what it gets is the answer, and an answer that is lost may be asked for again. */
  follow(first: AnswerOfFirst): void {
    first.then(
      (found) => {
        if (found === undefined) this.release();
        else this.#end(found);
      },
      (error: unknown) => {
        this.#forget();
        this.#waiting?.reject(error);
      },
    );
  }

  #end(found: RememberedAnswer | undefined): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#found = found;
    this.#waiting?.resolve(found);
    this.#waiting = undefined;
  }

  #forget(): void {
    if (this.#key !== undefined && this.#events.get(this.#key) === this) this.#events.delete(this.#key);
  }
}

/**
 * The events that calls of this process hold, or held, and their answers. Bounded to 20,000, the oldest forgotten first;
 * starts no timer.
 */
export class HeldEvents {
  /** A state's own: what is held here need not be claimed of it. */
  readonly isOfState: boolean;
  readonly #events = new BoundedMap<HeldEvent>(MAX_EVENTS);

  constructor({ isOfState = false } = {}) {
    this.isOfState = isOfState;
  }

  /** The answer of the call that holds an event; `undefined` where none does. */
  find(key: string | undefined, nowMs: number): AnswerOfFirst | undefined {
    const known = key === undefined ? undefined : this.#events.get(key);
    return known !== undefined && known.untilMs > nowMs ? known.answer : undefined;
  }

  /** Holds an event that no call holds. Without a key nobody will find it. */
  hold(key: string | undefined, { nowMs, rememberMs }: Omit<EventLife, 'buckets'>): HeldEvent {
    const held = new HeldEvent(key, this.#events, nowMs + rememberMs);
    if (key !== undefined) this.#events.set(key, held);
    return held;
  }
}

function beginWaiting(): Waiting {
  let resolve: Waiting['resolve'] = () => undefined;
  let reject: Waiting['reject'] = () => undefined;
  const answer: AnswerOfFirst = new Promise((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  // Who waited may be gone by then.
  answer.catch(() => undefined);
  return { answer, resolve, reject };
}
