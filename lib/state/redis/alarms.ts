import type { Alarms } from '../../delivery/late/receipt.js';
import type { RedisConnection } from './connection.js';
import { failureOf } from './failure.js';
import type { RedisTimes } from './times.js';
import type { Sealing } from './sealing.js';

/**
 * What is due later, at any gateway that lives then: a sorted set by when each alarm is due, by Redis's own clock, of each encryption
 * key. An alarm that comes twice, while several keys are listed, finds its receipt taken.
 */

/** What Redis gives at once. */
const MOST_AT_ONCE = 20;
/** How long alarms that nobody takes stay in Redis, milliseconds: no code lives longer, so that nothing could follow. */
const KEPT_MS = 900_000;

/**
 * Alarms in Redis. They are beside the timers of the process that sets them: if Redis is lost, no alarm is set, and
 * nobody goes on for that process if it dies. An alarm is the sealed key of a message.
 */
export class RedisAlarms implements Alarms {
  readonly #redis: RedisConnection;
  readonly #times: RedisTimes;
  readonly #sets: readonly { readonly sealing: Sealing; readonly name: string }[];
  readonly #listeners = new Set<(messageKey: string) => Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #isTaking = false;
  #restsUntilMs = -Infinity;

  constructor(redis: RedisConnection, sealings: readonly Sealing[], times: RedisTimes) {
    this.#redis = redis;
    this.#times = times;
    this.#sets = sealings.map((sealing) => ({ sealing, name: sealing.nameOf('alarm', '') }));
  }

  onDue(listener: (messageKey: string) => Promise<void>): () => void {
    this.#listeners.add(listener);
    // A process that has nothing else to do may end.
    this.#timer ??= setInterval(() => void this.#tick(), this.#times.alarmEveryMs).unref();
    return () => void this.#listeners.delete(listener);
  }

  set(messageKey: string, dueInMs: number): void {
    for (const { sealing, name } of this.#sets) {
      const sealed = sealing.seal('alarm', name, messageKey);
      this.#redis
        .askBeside((client) => client.setAlarm(1, name, sealed, Math.ceil(dueInMs), KEPT_MS))
        .catch((error: unknown) => {
          this.#warn(error);
        });
    }
  }

  /** Takes no more alarms. Those that were taken and are not done become due again, at another gateway. */
  close(): void {
    clearInterval(this.#timer);
  }

  async #tick(): Promise<void> {
    if (this.#isTaking || performance.now() < this.#restsUntilMs) return;
    this.#isTaking = true;
    try {
      for (const set of this.#sets) while ((await this.#take(set)) === MOST_AT_ONCE);
    } catch (error) {
      this.#warn(error);
      // A primary that has become a replica refuses codes as well: this finds out, although no code comes.
      await this.#redis.answers();
    } finally {
      this.#isTaking = false;
    }
  }

  /** Resolves to how many alarms were due. */
  async #take({ sealing, name }: { readonly sealing: Sealing; readonly name: string }): Promise<number> {
    const { alarmRetryMs } = this.#times;
    const taken = await this.#redis.askBeside((client) =>
      client.takeAlarmsBuffer(1, name, MOST_AT_ONCE, alarmRetryMs),
    );
    const areDone = await Promise.all(
      taken.map((sealed) => this.#attend(sealing.open('alarm', name, sealed))),
    );
    // Every hook of this process drains or is closed: other gateways look first when these are due again.
    if (areDone.includes(false)) this.#restsUntilMs = performance.now() + 2 * alarmRetryMs;
    const done = taken.filter((_, at) => areDone[at]);
    if (done.length > 0) await this.#redis.askBeside((client) => client.zrem(name, ...done));
    return taken.length;
  }

  /** `false` if every listener rejects: its hook drains or is closed. */
  async #attend(messageKey: string | undefined): Promise<boolean> {
    // Nobody's: whoever writes in this set has its key.
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

  /** The connection reports that Redis is lost; nothing else reports a missing right. */
  #warn(error: unknown): void {
    const { reason, remedy } = failureOf(error);
    if (reason === 'NOPERM') this.#redis.warn('ALARMS_NOPERM', remedy);
  }
}
