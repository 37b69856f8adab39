import type { Queue, Worker } from 'bullmq';
import type { Alarms } from '../delivery/receipt.js';
import { waitAtMost } from '../delivery/wait-at-most.js';
import { openWaitingClient, type Client } from './redis-clients.js';
import type { RedisConnection } from './redis-connection.js';
import { failureOf } from './redis-failure.js';
import type { RedisClient } from './redis-options.js';
import type { RedisTimes } from './redis-times.js';
import type { Sealing } from './sealing.js';

/** What is due later, at any gateway that lives then: delayed jobs of BullMQ. */

/** Part of every key of the queue. */
const QUEUE = 'alarm';
/** Of what the queue tells of its jobs, which nobody listens to. */
const MOST_EVENTS = 100;
/** So many are dealt with at a time: each only asks for a receipt. */
const CONCURRENCY = 20;
/** A gateway that closes deals with none: others try, or it when it is back. */
const ATTEMPTS = 5;

interface Opened {
  readonly client: Client;
  readonly queue: Queue;
  readonly worker: Worker;
}

interface AlarmsParts {
  readonly connection: string | RedisClient;
  readonly keyPrefix: string;
  readonly redis: RedisConnection;
  readonly sealing: Sealing;
  readonly times: RedisTimes;
}

/**
 * Alarms in Redis. They are beside the timers of the process that sets them: where one is not set, because Redis is lost or
 * bullmq is missing, only the death of that process is not made up for. Jobs hold the sealed key of a message, and go with it.
 */
export class RedisAlarms implements Alarms {
  readonly #parts: AlarmsParts;
  readonly #listeners: ((messageKey: string) => Promise<void>)[] = [];
  #opening: Promise<Opened | undefined> | undefined;
  #isClosed = false;

  constructor(parts: AlarmsParts) {
    this.#parts = parts;
  }

  onDue(listener: (messageKey: string) => Promise<void>): void {
    this.#listeners.push(listener);
    this.#opening ??= this.#open().catch((error: unknown) => {
      const { remedy } = failureOf(error);
      this.#parts.redis.warn('ALARMS', remedy);
      return undefined;
    });
  }

  set(messageKey: string, dueInMs: number): void {
    const { redis, sealing } = this.#parts;
    if (this.#isClosed || redis.health === 'lost') return;
    const jobId = sealing.digestOf('alarm', messageKey);
    const data = sealing.seal('alarm', jobId, messageKey).toString('base64url');
    // By the time of now, however late Redis does it; a job that is there already is not added.
    const options = { jobId, delay: dueInMs, timestamp: Date.now() };
    void this.#opening
      ?.then((opened) => opened?.queue.add(QUEUE, data, options))
      .catch((error: unknown) => {
        this.#tell(error);
      });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const opened = await this.#opening;
    if (opened === undefined) return;
    const { client, queue, worker } = opened;
    // One that waits for a Redis that hangs would wait for good, and can be closed but once.
    const { redis, times } = this.#parts;
    const isForced = !(await redis.answers());
    await waitAtMost(Promise.all([worker.close(isForced), queue.close()]), times.closeQueueMs).catch(
      () => undefined,
    );
    worker.disconnect().catch(() => undefined);
    client.disconnect();
  }

  async #open(): Promise<Opened | undefined> {
    const { connection, keyPrefix, redis, times } = this.#parts;
    const library = await import('bullmq').catch(() => undefined);
    if (library === undefined) {
      redis.warn(
        'BULLMQ',
        'Install bullmq 6 beside ioredis: without it, what afterSeconds waits for is lost with the process that waits.',
      );
      return undefined;
    }
    if (this.#isClosed) return undefined;
    const { client, keyPrefix: prefixOfClient } = openWaitingClient(connection, times);
    const tell = (error: unknown): void => {
      this.#tell(error);
    };
    client.on('error', tell);
    const shared = {
      connection: client,
      prefix: `${prefixOfClient}{${keyPrefix}}`,
      // By INFO, which a careful ACL forbids.
      skipVersionCheck: true,
    };
    const queue = new library.Queue(QUEUE, {
      ...shared,
      streams: { events: { maxLen: MOST_EVENTS } },
      defaultJobOptions: {
        removeOnComplete: true,
        removeOnFail: true,
        attempts: ATTEMPTS,
        backoff: { type: 'fixed', delay: times.alarmRetryMs },
        // What a listener throws may be about anybody.
        stackTraceLimit: 0,
      },
    });
    const worker = new library.Worker(QUEUE, (job) => this.#due(String(job.id), job.data), {
      ...shared,
      concurrency: CONCURRENCY,
      runRetryDelay: times.alarmRetryMs,
    });
    queue.on('error', tell);
    worker.on('error', tell);
    return { client, queue, worker };
  }

  async #due(jobId: string, data: unknown): Promise<void> {
    // Receipts cannot be asked for: another gateway can, or this one when Redis is back.
    if (this.#parts.redis.health === 'lost') throw new Error('not now');
    const sealed = Buffer.from(typeof data === 'string' ? data : '', 'base64url');
    const messageKey = this.#parts.sealing.open('alarm', jobId, sealed);
    // Of a gateway with other keys, whose receipts do not open here either.
    if (messageKey === undefined) return;
    for (const listener of this.#listeners) {
      await listener(messageKey).catch(() => {
        // Kept with the job.
        throw new Error('not now');
      });
    }
  }

  /** That Redis is lost, its connection tells; a right that is missing, nobody else would. */
  #tell(error: unknown): void {
    const { reason, remedy } = failureOf(error);
    if (reason === 'NOPERM') this.#parts.redis.warn('ALARMS_NOPERM', remedy);
  }
}
