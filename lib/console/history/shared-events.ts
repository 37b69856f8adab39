import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { atMost } from '../../core/caches.js';
import type { HookEvent } from '../../core/events.js';
import type { HistoryLog } from '../../delivery/state.js';
import { parseJson } from '../../core/json.js';
import type { Step } from './execution.js';
import { isReadableEvent } from '../../events/event-shape.js';

/** Sends the events of this gateway to the others, and reads theirs. No call waits for it. */

/** How soon events are written, milliseconds. */
const FLUSH_MS = 250;
/** When a failed write is tried again, milliseconds. */
const RETRY_MS = 1_000;
const MAX_IN_A_BATCH = 100;
/** Events that wait while the log is lost. The oldest are dropped first. */
const MAX_WAITING = 10_000;
/** Batches in one read, so that one answer does not block the connection for long. */
const PAGE = 20;
/** Gateways whose last event is known. A restarted gateway counts as a new one. */
const MAX_GATEWAYS = 1_000;

export class SharedEvents {
  /** The id of this process among the gateways. */
  readonly gateway = randomBytes(9).toString('base64url');
  readonly #log: HistoryLog;
  readonly #onStep: (step: Step) => void;
  #waiting: Step[] = [];
  /** The batch that is being written. It is written again if the outcome of the write is unknown. */
  #batch: readonly Step[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<boolean> | undefined;
  #isDue = false;
  /** The log is lost: only the timer tries again. */
  #isRetrying = false;
  #cursor: string | undefined;
  readonly #lastPlaces = new LRUCache<string, number>(atMost(MAX_GATEWAYS));
  #reading: Promise<void> | undefined;
  #readingNext: Promise<void> | undefined;
  #isClosed = false;

  /** @param onStep - called for each event of another gateway. */
  constructor(log: HistoryLog, onStep: (step: Step) => void) {
    this.#log = log;
    this.#onStep = onStep;
  }

  /** Writes the step soon. */
  add(step: Step): void {
    if (this.#isClosed) return;
    this.#waiting.push(step);
    if (this.#waiting.length > MAX_WAITING) this.#waiting = this.#waiting.slice(MAX_WAITING / 2);
    if (this.#writing !== undefined || this.#isDue) return;
    if (this.#waiting.length < MAX_IN_A_BATCH || this.#isRetrying) {
      this.#timer ??= this.#writeIn(FLUSH_MS);
      return;
    }
    // After the current call's work.
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      void this.#flush();
    }).unref();
  }

  /** Resolves when everything written until now is read, or the log does not answer. */
  catchUp(): Promise<void> {
    if (this.#reading === undefined) return this.#read();
    // The current read may have started before the last write, so another one follows.
    this.#readingNext ??= this.#reading.then(() => {
      this.#readingNext = undefined;
      return this.#read();
    });
    return this.#readingNext;
  }

  /** Writes everything that waits, once. Never rejects. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#writing;
    await this.#flush();
  }

  #writeIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => void this.#flush(), ms).unref();
  }

  /** One batch at a time, to keep the order. */
  async #flush(): Promise<void> {
    if (this.#writing !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writeAll();
    const isWritten = await this.#writing;
    this.#writing = undefined;
    this.#isRetrying = !isWritten;
    if (!this.#isClosed && this.#batch.length + this.#waiting.length > 0) {
      this.#timer = this.#writeIn(isWritten ? FLUSH_MS : RETRY_MS);
    }
  }

  /** Whether all were written, except for a few that came meanwhile. */
  async #writeAll(): Promise<boolean> {
    do {
      if (this.#batch.length === 0) this.#batch = this.#waiting.splice(0, MAX_IN_A_BATCH);
      const [first] = this.#batch;
      if (first === undefined) return true;
      try {
        const events = this.#batch.map(({ event }) => textOf(event));
        await this.#log.append(`["${this.gateway}",${first.place},[${events.join(',')}]]`);
      } catch {
        return false;
      }
      this.#batch = [];
    } while (this.#waiting.length >= MAX_IN_A_BATCH || (this.#isClosed && this.#waiting.length > 0));
    return true;
  }

  #read(): Promise<void> {
    this.#reading = this.#readAll()
      .catch(() => undefined)
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    for (;;) {
      const { batches, cursor, hasMore } = await this.#log.read(this.#cursor, PAGE);
      for (const batch of batches) this.#take(batch);
      this.#cursor = cursor;
      if (!hasMore) return;
    }
  }

  /** Skips what it cannot read: another version may have written it. */
  #take(text: string): void {
    const batch = parseJson(text);
    if (!Array.isArray(batch)) return;
    const [gateway, first, events] = batch as readonly unknown[];
    if (typeof gateway !== 'string' || typeof first !== 'number' || !Array.isArray(events)) return;
    if (gateway === this.gateway || !Number.isSafeInteger(first)) return;
    // A batch may be in the log twice.
    const known = this.#lastPlaces.get(gateway) ?? -1;
    for (const [at, event] of (events as readonly unknown[]).entries()) {
      if (first + at > known && isReadableEvent(event)) this.#onStep({ event, gateway, place: first + at });
    }
    this.#lastPlaces.set(gateway, Math.max(known, first + events.length - 1));
  }
}

/** An event that cannot be written becomes `null`. Readers skip it, and it keeps its place, so the others are not delayed. */
function textOf(event: HookEvent): string {
  try {
    return JSON.stringify(event);
  } catch {
    return 'null';
  }
}
