import { randomBytes } from 'node:crypto';
import type { HookEvent } from '../core/events.js';
import type { HistoryLog } from '../core/history.js';
import { parseJson } from '../core/json.js';
import type { Step } from './execution.js';
import { isReadableEvent } from './event-shape.js';

/** Tells the other gateways what happened here, and learns what happened there. No call waits for any of it. */

/** How soon others can know, milliseconds. */
const FLUSH_MS = 250;
/** When it is tried again where it could not be told, milliseconds. */
const RETRY_MS = 1_000;
const MOST_IN_A_BATCH = 100;
/** Not told yet, because the log is lost: the older ones are dropped first. */
const MOST_UNTOLD = 10_000;
/** Batches that are asked for at a time: one answer holds up nothing else on the connection. */
const PAGE = 20;
/** Gateways whose last event is known. One that starts anew is another. */
const MOST_GATEWAYS = 1_000;

/** A batch: the gateway, the place of its first event, the events. What an event is that is read, is not known yet. */
type ReadBatch = readonly [gateway: string, place: number, events: readonly unknown[]];

export class SharedEvents {
  /** This process among the gateways. */
  readonly gateway = randomBytes(9).toString('base64url');
  readonly #log: HistoryLog;
  readonly #onStep: (step: Step) => void;
  #untold: Step[] = [];
  /** The batch that is being told: the same again where nobody knows whether it was. */
  #batch: readonly Step[] = [];
  #timer: NodeJS.Timeout | undefined;
  #telling: Promise<boolean> | undefined;
  #isDue = false;
  /** The log is lost: it is tried again by time alone. */
  #isRetrying = false;
  #cursor: string | undefined;
  readonly #lastPlaces = new Map<string, number>();
  #reading: Promise<void> | undefined;
  #readingNext: Promise<void> | undefined;
  #isClosed = false;

  /** @param onStep - told of each event of another gateway. */
  constructor(log: HistoryLog, onStep: (step: Step) => void) {
    this.#log = log;
    this.#onStep = onStep;
  }

  /** Told to others soon. */
  tell(step: Step): void {
    if (this.#isClosed) return;
    this.#untold.push(step);
    if (this.#untold.length > MOST_UNTOLD) this.#untold = this.#untold.slice(MOST_UNTOLD / 2);
    if (this.#telling !== undefined || this.#isDue) return;
    if (this.#untold.length < MOST_IN_A_BATCH || this.#isRetrying) {
      this.#timer ??= this.#tellIn(FLUSH_MS);
      return;
    }
    // Not while a call is at it.
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      void this.#flush();
    }).unref();
  }

  /** Resolves when what others had told by now is known, or the log cannot be asked. */
  catchUp(): Promise<void> {
    if (this.#reading === undefined) return this.#read();
    // What is read now may have been asked for before something came.
    this.#readingNext ??= this.#reading.then(() => {
      this.#readingNext = undefined;
      return this.#read();
    });
    return this.#readingNext;
  }

  /** Tells what there is, once. Never rejects. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#telling;
    await this.#flush();
  }

  #tellIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      void this.#flush();
    }, ms).unref();
  }

  /** One batch at a time, so that they come in their order. */
  async #flush(): Promise<void> {
    if (this.#telling !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#telling = this.#tellAll();
    const isTold = await this.#telling;
    this.#telling = undefined;
    this.#isRetrying = !isTold;
    if (!this.#isClosed && this.#batch.length + this.#untold.length > 0) {
      this.#timer = this.#tellIn(isTold ? FLUSH_MS : RETRY_MS);
    }
  }

  /** Whether all were told, but for a few that came meanwhile. */
  async #tellAll(): Promise<boolean> {
    do {
      if (this.#batch.length === 0) this.#batch = this.#untold.splice(0, MOST_IN_A_BATCH);
      const [first] = this.#batch;
      if (first === undefined) return true;
      try {
        const events = this.#batch.map(({ event }) => textOf(event));
        await this.#log.append(`["${this.gateway}",${first.place},[${events.join(',')}]]`);
      } catch {
        return false;
      }
      this.#batch = [];
    } while (this.#untold.length >= MOST_IN_A_BATCH || (this.#isClosed && this.#untold.length > 0));
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

  /** What another version of this file has written may be anything, and is passed over. */
  #take(text: string): void {
    const batch = readBatch(text);
    if (batch === undefined) return;
    const [gateway, first, events] = batch;
    if (gateway === this.gateway) return;
    // A batch may be there twice.
    const known = this.#lastPlaces.get(gateway) ?? -1;
    for (const [at, event] of events.entries()) {
      if (first + at > known && isReadableEvent(event)) this.#onStep({ event, gateway, place: first + at });
    }
    this.#lastPlaces.delete(gateway);
    this.#lastPlaces.set(gateway, Math.max(known, first + events.length - 1));
    const [oldest] = this.#lastPlaces.keys();
    if (this.#lastPlaces.size > MOST_GATEWAYS && oldest !== undefined) this.#lastPlaces.delete(oldest);
  }
}

/** One that cannot be written is passed over by whoever reads, and keeps its place: the others are not held up by it. */
function textOf(event: HookEvent): string {
  try {
    return JSON.stringify(event);
  } catch {
    return 'null';
  }
}

/** `undefined` for what no gateway of this version has written. */
function readBatch(text: string): ReadBatch | undefined {
  const batch = parseJson(text);
  const isBatch =
    Array.isArray(batch) &&
    typeof batch[0] === 'string' &&
    Number.isSafeInteger(batch[1]) &&
    Array.isArray(batch[2]);
  return isBatch ? (batch as unknown as ReadBatch) : undefined;
}
