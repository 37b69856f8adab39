import type { Alarms } from '../../delivery/state.js';
import type { RedisConnection } from './connection.js';
import { failureOf } from './failure.js';
import type { RedisTimes } from './times.js';
import type { Sealing } from './sealing.js';

/**
 * Alarms in Redis, so that a gateway goes on with a late failover if the one that sent the code has died. A
 * sorted set by due time, by Redis's clock, for each encryption key. With several keys an alarm comes twice;
 * the second one finds its receipt taken.
 */

/** Alarms that are taken at once. */
const MAX_AT_ONCE = 20;
/**
 * How long alarms stay in Redis if no gateway takes them, milliseconds. No code lives longer, so nothing
 * could follow.
 */
const KEPT_MS = 900_000;

/**
 * Sets and takes alarms. They back up the timers of the process that sets them: while Redis is lost no alarm
 * is set, and no other gateway takes over if that process dies. An alarm is the sealed key of a message.
 */
export class RedisAlarms implements Alarms {
  readonly #redis: RedisConnection;
  readonly #times: RedisTimes;
  readonly #sets: readonly { readonly sealing: Sealing; readonly name: string }[];
  readonly #listeners = new Set<(messageKey: string) => Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #isTaking = false;
  #pausedUntilMs = -Infinity;

  constructor(redis: RedisConnection, sealings: readonly Sealing[], times: RedisTimes) {
    this.#redis = redis;
    this.#times = times;
    this.#sets = sealings.map((sealing) => ({ sealing, name: sealing.nameOf('alarm', '') }));
  }

  onDue(listener: (messageKey: string) => Promise<void>): () => void {
    this.#listeners.add(listener);
    // Does not keep the process alive.
    this.#timer ??= setInterval(() => void this.#tick(), this.#times.alarmEveryMs).unref();
    return () => void this.#listeners.delete(listener);
  }

  set(messageKey: string, dueInMs: number): void {
    for (const { sealing, name } of this.#sets) {
      const sealed = sealing.seal('alarm', name, messageKey);
      this.#redis
        .executeOptional((client) => client.setAlarm(1, name, sealed, Math.ceil(dueInMs), KEPT_MS))
        .catch((error: unknown) => {
          this.#warn(error);
        });
    }
  }

  /** Takes no more alarms. Alarms that were taken but not finished become due again at another gateway. */
  close(): void {
    clearInterval(this.#timer);
  }

  async #tick(): Promise<void> {
    if (this.#isTaking || performance.now() < this.#pausedUntilMs) return;
    this.#isTaking = true;
    try {
      for (const set of this.#sets) while ((await this.#take(set)) === MAX_AT_ONCE);
    } catch (error) {
      this.#warn(error);
      // A primary that has become a replica also refuses claims: this detects it before the next code.
      await this.#redis.isWritable();
    } finally {
      this.#isTaking = false;
    }
  }

  /** Resolves to the number of alarms that were due. */
  async #take({ sealing, name }: { readonly sealing: Sealing; readonly name: string }): Promise<number> {
    const { alarmRetryMs } = this.#times;
    const taken = await this.#redis.executeOptional((client) =>
      client.takeAlarmsBuffer(1, name, MAX_AT_ONCE, alarmRetryMs),
    );
    const areDone = await Promise.all(
      taken.map((sealed) => this.#dispatch(sealing.open('alarm', name, sealed))),
    );
    // Every hook of this process drains or is closed: leaves the alarms to other gateways when they are due
    // again.
    if (areDone.includes(false)) this.#pausedUntilMs = performance.now() + 2 * alarmRetryMs;
    const done = taken.filter((_, index) => areDone[index]);
    if (done.length > 0) await this.#redis.executeOptional((client) => client.zrem(name, ...done));
    return taken.length;
  }

  /**
   * Passes an alarm to the first listener that accepts it. `false` if all reject: their hooks drain or are
   * closed.
   */
  async #dispatch(messageKey: string | undefined): Promise<boolean> {
    // Not ours, and of no other gateway: every writer of this set has its key.
    if (messageKey === undefined) return true;
    for (const listener of this.#listeners) {
      const isDone = await listener(messageKey).then(
        () => true,
        () => false,
      );
      if (isDone) return true;
    }
    return false;
  }

  /** The connection reports a lost Redis, but no other code reports a missing permission. */
  #warn(error: unknown): void {
    const { reason, remedy } = failureOf(error);
    if (reason === 'NOPERM') this.#redis.warn('ALARMS_NOPERM', remedy);
  }
}
