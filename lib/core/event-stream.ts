import type { EmittedEvent, HookEvent, HookEventListener } from './events.js';

/** The one stream of events. Log, metrics, history and the user's `onEvent` listen to it. */
export class EventStream {
  #listeners: readonly HookEventListener[];
  #hasStepListeners: boolean;
  readonly #clock: () => number;

  constructor(
    parts: {
      /** It gets every event, but writes nothing for the steps of a call: the line of the call has their facts. */
      readonly log?: HookEventListener | undefined;
      /** The package's own listeners, which do not change an event. */
      readonly listeners: readonly HookEventListener[];
      /** The user's listener, which may change its event, so it gets a copy. */
      readonly onEvent: HookEventListener | undefined;
    },
    /** The hook's clock, which never throws. */
    clock: () => number,
  ) {
    const { log, listeners, onEvent } = parts;
    const others =
      onEvent === undefined ? listeners : [...listeners, (event: HookEvent) => onEvent({ ...event })];
    this.#listeners = log === undefined ? others : [log, ...others];
    this.#hasStepListeners = others.length > 0;
    this.#clock = clock;
  }

  /** Whether a listener uses the steps of a call. If not, the caller need not make these events. */
  get hasStepListeners(): boolean {
    return this.#hasStepListeners;
  }

  /** Adds a listener of the package. */
  listen(listener: HookEventListener): void {
    this.#hasStepListeners = true;
    this.#listeners = [...this.#listeners, listener];
  }

  /** @param emitted - a new object: the time is set on it, which costs a third of a copy. */
  emit(emitted: EmittedEvent): void {
    const event: HookEvent = Object.assign(emitted, { at: this.#clock() });
    for (const listener of this.#listeners) {
      // A listener's error must not reach the caller.
      try {
        const returned = listener(event);
        if (returned instanceof Promise) returned.catch(() => undefined);
      } catch {
        continue;
      }
    }
  }
}

const ONE_MINUTE_MS = 60_000;

/** Reports the first occurrence at once and the others at most once a minute, with their count. It needs no timer. */
export class Throttle {
  #count = 0;
  #lastReportMs = -Infinity;
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** @param emit - gets the number of occurrences since the last report. */
  report(emit: (count: number) => void): void {
    this.#count += 1;
    const now = this.#clock();
    // A clock that was set back must not silence the reports.
    if (now >= this.#lastReportMs && now - this.#lastReportMs < ONE_MINUTE_MS) return;
    emit(this.#count);
    this.#count = 0;
    this.#lastReportMs = now;
  }
}

/** One throttle for each name. The names are few. */
export class Throttles {
  readonly #byName = new Map<string, Throttle>();
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  of(name: string): Throttle {
    const throttle = this.#byName.get(name) ?? new Throttle(this.#clock);
    this.#byName.set(name, throttle);
    return throttle;
  }
}
