import { waitAtMost } from '../../core/time.js';
import type { RedisConnection } from './connection.js';
import { RedisFailure } from './failure.js';

/** Holds about 50 codes a second for three minutes. */
const MAX_WRITES = 20_000;

/** Queues that a new connection continues at once: a code must not wait behind all of them. */
const DRAINED_AT_ONCE = 50;

interface Write {
  readonly run: () => Promise<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** All writes of one record, or of one claim. The first one is sent; the others follow in their order. */
export interface WriteQueue {
  /** Dropped last: the record holds for long, as STOP and START do. */
  readonly isLasting: boolean;
  readonly writes: Write[];
}

/**
 * Writes that wait until Redis has answered. A write whose connection fails runs again with the next one: it must be harmless
 * twice. If too many wait, the older half is dropped.
 */
export class Outbox {
  readonly #connection: Pick<RedisConnection, 'health' | 'onConnected' | 'warn'>;
  /** Queues that wait for a connection, the oldest first. */
  readonly #stalled = new Set<WriteQueue>();
  readonly #underWay = new Set<WriteQueue>();
  readonly #onSent: (() => void)[] = [];
  /** How many writes have no answer yet. */
  #size = 0;
  #drainers = 0;
  #catchingUp: Promise<unknown> | undefined;
  #connectionCount = 0;
  #isClosed = false;

  constructor(connection: Pick<RedisConnection, 'health' | 'onConnected' | 'warn'>) {
    this.#connection = connection;
    // Not only after a loss: a write also waits if its connection took too long.
    connection.onConnected(() => {
      this.#connectionCount += 1;
      const drained: unknown[] = [this.#catchingUp];
      for (let count = this.#stalled.size; count > 0 && this.#drainers < DRAINED_AT_ONCE; count -= 1)
        drained.push(this.#drainStalled());
      const catchingUp = Promise.all(drained).finally(() => {
        if (this.#catchingUp === catchingUp) this.#catchingUp = undefined;
      });
      this.#catchingUp = catchingUp;
    });
  }

  /**
   * Writes to Redis, at once if nothing waits in this queue and Redis is not lost. Resolves to the result of the attempt that Redis
   * answered, or to `undefined` if the write was dropped or the outbox is closed. Rejects with any other error of an attempt.
   *
   * @param run - one attempt; rejects with a RedisFailure if Redis did not answer.
   */
  write<Result>(queue: WriteQueue, run: () => Promise<Result>): Promise<Result | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    if (this.#size >= MAX_WRITES) this.#dropOlderHalf();
    this.#size += 1;
    return new Promise<unknown>((resolve, reject) => {
      const isBehind = queue.writes.push({ run, resolve, reject }) > 1;
      if (isBehind) return;
      if (this.#connection.health === 'lost') this.#stalled.add(queue);
      else void this.#send(queue);
      // The attempt resolves to a `Result`.
    }) as Promise<Result | undefined>;
  }

  /** Present while writes that waited for the connection run; resolves when they are done, or wait for the next one. */
  get catchingUp(): Promise<unknown> | undefined {
    return this.#catchingUp;
  }

  /** Resolves when no write is under way. Writes that wait for Redis do not count. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0 || (this.#stalled.size > 0 && this.#connection.health === 'ok'))
      await new Promise<void>((resolve) => this.#onSent.push(resolve));
  }

  /** Waits until it is idle, at most `timeoutMs`. Then drops what waits, and whatever comes. */
  async close(timeoutMs: number): Promise<void> {
    await waitAtMost(this.idle(), timeoutMs);
    this.#isClosed = true;
    const dropped = this.#size;
    for (const queue of [...this.#stalled, ...this.#underWay]) this.#drop(queue);
    if (dropped === 0) return;
    this.#connection.warn(
      'WRITES_DROPPED',
      `The gateway stopped while Redis was lost, and dropped ${dropped} writes: a STOP or START since state.lost may be missing (inbound.received). Next time, wait until Redis is back.`,
    );
  }

  /** Continues queues that wait, one after the other. */
  async #drainStalled(): Promise<void> {
    this.#drainers += 1;
    for (const queue of this.#stalled) {
      if (this.#connection.health === 'lost') break;
      this.#stalled.delete(queue);
      await this.#send(queue);
    }
    this.#drainers -= 1;
  }

  /** Runs the writes of a queue until none is left, or one has no answer. */
  async #send(queue: WriteQueue): Promise<void> {
    this.#underWay.add(queue);
    for (let write = queue.writes[0]; write !== undefined; write = queue.writes[0]) {
      const connections = this.#connectionCount;
      try {
        write.resolve(await write.run());
      } catch (error) {
        if (error instanceof RedisFailure) {
          // A connection that came meanwhile does not come again.
          if (this.#connectionCount !== connections && !this.#isClosed) continue;
          if (!this.#isClosed) this.#stalled.add(queue);
          break;
        }
        write.reject(error);
      }
      queue.writes.shift();
      this.#size -= 1;
    }
    this.#underWay.delete(queue);
    if (this.#onSent.length > 0) for (const onSent of this.#onSent.splice(0)) onSent();
  }

  #dropOlderHalf(): void {
    let dropped = 0;
    const oldestFirst = [...this.#stalled];
    for (const queue of oldestFirst.sort((one, two) => Number(one.isLasting) - Number(two.isLasting))) {
      if (dropped >= MAX_WRITES / 2) break;
      dropped += this.#drop(queue);
    }
    if (dropped === 0) return;
    this.#connection.warn(
      'WRITES_DROPPED',
      `Check why Redis was lost for so long. The ${dropped} oldest writes that waited for it were dropped: late failovers of their codes may not run.`,
      { isRepeated: true },
    );
  }

  /** Drops all writes of a queue. Returns how many they were. */
  #drop(queue: WriteQueue): number {
    this.#stalled.delete(queue);
    const dropped = queue.writes.splice(0);
    for (const { resolve } of dropped) resolve(undefined);
    this.#size -= dropped.length;
    return dropped.length;
  }
}
