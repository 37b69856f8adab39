import type { StateEvent } from '../../delivery/state.js';
import { TIMED_OUT, waitAtMost } from '../../core/wait-at-most.js';
import { openClient, type Client } from './clients.js';
import { CLOSED, failureOf, RedisFailure, STATE_CLOSED, TIMEOUT } from './failure.js';
import type { RedisClient } from './options.js';
import { SCRIPTS } from './scripts.js';
import { RedisSteps, type Step } from './steps.js';
import type { RedisTimes } from './times.js';

interface ConnectionParts {
  readonly connection: string | RedisClient;
  /** Writes as a claim writes: what lets it through lets claims through. */
  readonly probe: (client: Client) => Promise<unknown>;
  readonly times: RedisTimes;
}

/**
 * The way to Redis. It opens with the first command; after a failure every command is refused at once, while a write in
 * the background, about every second, finds out when Redis is back.
 */
export class RedisConnection {
  readonly #parts: ConnectionParts;
  readonly #steps = new RedisSteps((work) => this.#ask(work, () => true));
  readonly #watchers = new Set<(news: StateEvent) => void>();
  #client: { readonly redis: Client; readonly sinceMs: number } | undefined;
  #connecting: Promise<Client> | undefined;
  #lost: { readonly failure: RedisFailure; readonly sinceMs: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  readonly #warned = new Set<string>();

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  get health(): 'ok' | 'lost' {
    return this.#lost === undefined ? 'ok' : 'lost';
  }

  /** Tells of a loss that it finds, too. Gives what ends that. */
  watch(onNews: (news: StateEvent) => void): () => void {
    this.#watchers.add(onNews);
    if (this.#lost !== undefined) this.#tell(lossBy(this.#lost.failure), [onNews]);
    return () => void this.#watchers.delete(onNews);
  }

  /**
   * Has steps done, by one command, together with all that comes in the same turn of the event loop. Resolves to their replies.
   * @throws RedisFailure, in time.
   */
  run(steps: readonly Step[]): Promise<readonly unknown[]> {
    return this.#steps.run(steps);
  }

  /** Sends the steps of this turn now, where it is connected. */
  flush(): void {
    this.#steps.flush();
  }

  /**
   * Sends commands, at once where it is connected, behind the steps that have come before.
   * @throws RedisFailure, in time.
   */
  ask<T>(work: (client: Client) => Promise<T>): Promise<T> {
    this.#steps.flush();
    return this.#ask(work, () => true);
  }

  /**
   * The same for what no code depends on: what Redis refuses of it says nothing of the rest. One that does not answer is
   * lost to all.
   */
  askBeside<T>(work: (client: Client) => Promise<T>): Promise<T> {
    return this.#ask(work, ({ mayBeDone }) => mayBeDone);
  }

  async #ask<T>(
    work: (client: Client) => Promise<T>,
    isLoss: (failure: RedisFailure) => boolean,
  ): Promise<T> {
    if (this.#lost !== undefined) throw new RedisFailure(this.#lost.failure.reason, false);
    const client = this.#client?.redis ?? (await this.#connected());
    try {
      return await this.#inTime(work(client));
    } catch (error) {
      const failure = failureOf(error);
      if (client === this.#client?.redis && isLoss(failure)) this.#lose(failure);
      throw failure;
    }
  }

  /** Resolves where Redis takes writes; tries to reach it where it is lost. */
  async check(): Promise<void> {
    if (this.#isClosed) throw new RedisFailure(STATE_CLOSED, false);
    const client = this.#client?.redis ?? (await this.#connect());
    await this.ask(this.#parts.probe);
    await this.#warnOfEviction(client);
  }

  /** Whether Redis takes writes at this moment; what was asked before is done then. */
  async answers(): Promise<boolean> {
    return this.ask(this.#parts.probe).then(
      () => true,
      () => false,
    );
  }

  /** Whether it is there, or comes back while a report can wait for it. */
  async isBack(): Promise<boolean> {
    const { backMs, lookEveryMs } = this.#parts.times;
    const endsAt = performance.now() + backMs;
    while (this.health === 'lost' && !this.#isClosed && performance.now() < endsAt) {
      await new Promise((resolve) => {
        setTimeout(resolve, lookEveryMs);
      });
    }
    return this.health === 'ok';
  }

  /** Tells of what works, but not as well as it could; each once. */
  warn(reason: string, remedy: string): void {
    if (this.#warned.has(reason)) return;
    this.#warned.add(reason);
    this.#tell({ type: 'warned', reason, remedy });
  }

  /** What was asked before is done when this has resolved, as far as Redis does anything. */
  async close(): Promise<void> {
    await this.answers();
    // Who goes on using it must know, also where it was lost before.
    if (!this.#isClosed) this.#lost = undefined;
    this.#isClosed = true;
    this.#lose(new RedisFailure(STATE_CLOSED, false));
    await this.#connecting?.catch(() => undefined);
  }

  /** For a command that came before the connection, and was not sent where there is none in time. */
  async #connected(): Promise<Client> {
    const connected = await waitAtMost(this.#connect(), this.#parts.times.commandMs).catch(
      (error: unknown) => {
        throw new RedisFailure(failureOf(error).reason, false);
      },
    );
    // How the connecting ends, it tells itself.
    if (connected === TIMED_OUT) throw new RedisFailure(TIMEOUT, false);
    return connected;
  }

  /** One attempt at a time. Its failure is told, and the next one follows by itself. */
  #connect(): Promise<Client> {
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #open(): Promise<Client> {
    let cause: unknown;
    let client: Client | undefined;
    try {
      client = openClient(this.#parts.connection, this.#parts.times);
      const opened = client;
      for (const [name, lua] of Object.entries(SCRIPTS)) opened.defineCommand(name, { lua });
      // The rejection says only that it was closed.
      opened.on('error', (error: unknown) => {
        cause = error;
      });
      opened.on('end', () => {
        this.#onEnd(opened);
      });
      const connected = await waitAtMost(opened.connect(), this.#parts.times.connectMs);
      if (connected === TIMED_OUT) throw new RedisFailure(TIMEOUT, false);
      await this.#inTime(this.#parts.probe(opened));
      if (this.#isClosed) throw new RedisFailure(STATE_CLOSED, false);
      this.#client = { redis: opened, sinceMs: performance.now() };
    } catch (error) {
      client?.disconnect();
      const failure = failureOf(cause ?? error);
      this.#lose(failure);
      throw failure;
    }
    this.#recover();
    return client;
  }

  /** An idle connection may be ended by whoever carries it: no loss, unless there is none to be had. */
  #onEnd(client: Client): void {
    if (client !== this.#client?.redis) return;
    const { sinceMs } = this.#client;
    this.#client = undefined;
    if (performance.now() - sinceMs < this.#parts.times.probeEveryMs)
      this.#lose(new RedisFailure(CLOSED, true));
    else this.#connect().catch(() => undefined);
  }

  #lose(failure: RedisFailure): void {
    this.#client?.redis.disconnect();
    this.#client = undefined;
    clearTimeout(this.#timer);
    if (!this.#isClosed) {
      this.#timer = setTimeout(() => {
        this.#connect().catch(() => undefined);
      }, this.#parts.times.probeEveryMs);
      // A process that has nothing else to do may end.
      this.#timer.unref();
    }
    if (this.#lost !== undefined) return;
    this.#lost = { failure, sinceMs: performance.now() };
    this.#tell(lossBy(failure));
  }

  #recover(): void {
    clearTimeout(this.#timer);
    if (this.#lost === undefined) return;
    const { failure, sinceMs } = this.#lost;
    this.#lost = undefined;
    this.#tell({
      type: 'recovered',
      reason: failure.reason,
      lostMs: Math.round(performance.now() - sinceMs),
    });
  }

  #tell(news: StateEvent, watchers: Iterable<(news: StateEvent) => void> = this.#watchers): void {
    for (const watcher of watchers) {
      // Its failure is its own.
      try {
        watcher(news);
      } catch {
        continue;
      }
    }
  }

  /** Every key of ours has an expiry, so that any other policy may take a claim away, and a code goes out twice. */
  async #warnOfEviction(client: Client): Promise<void> {
    // Where INFO is forbidden, nothing can be said.
    const info = await waitAtMost(client.info('memory'), this.#parts.times.commandMs).catch(() => TIMED_OUT);
    const policy = typeof info === 'string' ? /^maxmemory_policy:(\S+)/m.exec(info)?.[1] : undefined;
    if (policy === undefined || policy === 'noeviction') return;
    this.warn(
      'EVICTION',
      'Set maxmemory-policy to noeviction: by any other one, Redis may forget what was sent.',
    );
  }

  /** Waits for Redis to answer, and then looks once whether it has: a process that was busy has its answers lying there. */
  #inTime<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        setImmediate(() => {
          reject(new RedisFailure(TIMEOUT, true));
        });
      }, this.#parts.times.commandMs);
      work.then(
        (result) => {
          clearTimeout(timer);
          resolve(result);
        },
        (error: unknown) => {
          clearTimeout(timer);
          reject(failureOf(error));
        },
      );
    });
  }
}

function lossBy({ reason, remedy }: RedisFailure): StateEvent {
  return { type: 'lost', reason, remedy };
}
