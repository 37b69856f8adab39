import type { Alarms } from '../../delivery/state.js';
import type { RedisConnection } from './connection.js';
import { failureOf } from './failure.js';
import type { RedisTimes } from './options.js';
import type { Sealing } from './sealing.js';

/** Alarms that are taken at once. */
const MAX_AT_ONCE = 20;
/** How long alarms stay if no gateway takes them, milliseconds. No code lives longer, so nothing could follow. */
const KEPT_MS = 900_000;

/**
 * Alarms in Redis, so that a gateway goes on with a late failover if the one that sent the code has died. They
 * back up the timers of that one: while Redis is lost no alarm is set, and a taken alarm is gone. An alarm is
 * the sealed key of a message, in a sorted set by due time, by Redis's clock, for each encryption key. With
 * several keys an alarm comes twice; the second one finds its receipt taken.
 */
export class RedisAlarms implements Alarms {
  readonly #redis: RedisConnection;
  readonly #times: RedisTimes;
  readonly #sets: readonly { readonly sealing: Sealing; readonly name: string }[];
  readonly #listeners = new Set<(messageKey: string) => void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(redis: RedisConnection, sealings: readonly Sealing[], times: RedisTimes) {
    this.#redis = redis;
    this.#times = times;
    this.#sets = sealings.map((sealing) => ({ sealing, name: sealing.nameOf('alarm', '') }));
  }

  onDue(listener: (messageKey: string) => void): () => void {
    this.#listeners.add(listener);
    // Does not keep the process alive.
    this.#timer ??= setInterval(() => void this.#takeDue(), this.#times.alarmEveryMs).unref();
    return () => void this.#listeners.delete(listener);
  }

  set(messageKey: string, dueInMs: number): void {
    for (const { sealing, name } of this.#sets) {
      const sealed = sealing.seal('alarm', name, messageKey);
      this.#redis
        .executeOptional((client) => client.setAlarm(1, name, sealed, Math.ceil(dueInMs), KEPT_MS))
        .catch(this.#warn);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #takeDue(): Promise<void> {
    try {
      for (const { sealing, name } of this.#sets) {
        let count = MAX_AT_ONCE;
        // Without a listener the alarms stay for other gateways.
        while (this.#listeners.size > 0 && count === MAX_AT_ONCE) {
          const taken = await this.#redis.executeOptional((client) =>
            client.takeAlarmsBuffer(1, name, MAX_AT_ONCE),
          );
          for (const sealed of taken) this.#dispatch(sealing.open('alarm', name, sealed));
          count = taken.length;
        }
      }
    } catch (error) {
      this.#warn(error);
      // A primary that has become a replica also refuses claims: this detects it before the next code.
      await this.#redis.isWritable();
    }
  }

  #dispatch(messageKey: string | undefined): void {
    if (messageKey === undefined) return;
    const [listener] = this.#listeners;
    // The listener was removed meanwhile: another gateway gets the alarm.
    if (listener === undefined) this.set(messageKey, 0);
    else listener(messageKey);
  }

  /** The connection reports a lost Redis, but no other code reports a missing permission. */
  readonly #warn = (error: unknown): void => {
    const { reason, remedy } = failureOf(error);
    if (reason === 'NOPERM') this.#redis.warn('ALARMS_NOPERM', remedy);
  };
}
