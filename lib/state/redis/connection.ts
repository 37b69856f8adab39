import type { StateEvent } from '../../delivery/state.js';
import { TIMED_OUT, waitAtMost } from '../../core/time.js';
import { openClient, type Client } from './clients.js';
import { CLOSED, failureOf, RedisFailure, STATE_CLOSED, TIMEOUT } from './failure.js';
import type { RedisClient, RedisTimes } from './options.js';
import { SCRIPTS } from './scripts.js';
import { RedisSteps, type Step } from './steps.js';

interface ConnectionParts {
  readonly connection: string | RedisClient;
  /** Writes as a claim writes: if Redis accepts it, it accepts claims. */
  readonly probe: (client: Client) => Promise<unknown>;
  readonly times: RedisTimes;
}

/**
 * The connection to Redis, which opens with the first command. After a failure every command is refused at
 * once, and a write in the background, about every second, detects when Redis is back.
 */
export class RedisConnection {
  readonly #parts: ConnectionParts;
  readonly #steps = new RedisSteps((work) => this.#execute(work, () => true));
  readonly #watchers = new Set<(news: StateEvent) => void>();
  readonly #onConnected: (() => void)[] = [];
  #client: { readonly redis: Client; readonly sinceMs: number } | undefined;
  #connecting: Promise<Client> | undefined;
  #lost: { readonly failure: RedisFailure; readonly sinceMs: number } | undefined;
  #losses = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  readonly #warned = new Set<string>();

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  /** Whether a command can leave at once. */
  get isOpen(): boolean {
    return this.#client !== undefined;
  }

  get health(): 'ok' | 'lost' {
    return this.#lost === undefined ? 'ok' : 'lost';
  }

  /** How often Redis was lost until now. */
  get losses(): number {
    return this.#losses;
  }

  /** Reports losses and recoveries, and a present loss at once. Returns the function that stops it. */
  watch(onNews: (news: StateEvent) => void): () => void {
    this.#watchers.add(onNews);
    if (this.#lost !== undefined) this.#notify(lossOf(this.#lost.failure), [onNews]);
    return () => void this.#watchers.delete(onNews);
  }

  /** Calls the listener for each new connection, also if Redis was not lost. */
  onConnected(listener: () => void): void {
    this.#onConnected.push(listener);
  }

  /**
   * Runs a step in one command with all other steps of this turn of the event loop. Resolves to its reply.
   *
   * @throws RedisFailure within `commandMs`.
   */
  run(step: Step): Promise<unknown> {
    return this.#steps.run(step);
  }

  /**
   * Runs commands, behind the steps that came before. Any failure counts as a loss of Redis.
   *
   * @throws RedisFailure within `commandMs`.
   */
  execute<T>(work: (client: Client) => Promise<T>): Promise<T> {
    this.#steps.flush();
    return this.#execute(work, () => true);
  }

  /**
   * The same for commands that no code depends on. A refusal of Redis then is no loss; a missing answer is.
   */
  executeOptional<T>(work: (client: Client) => Promise<T>): Promise<T> {
    return this.#execute(work, ({ mayBeDone }) => mayBeDone);
  }

  async #execute<T>(
    work: (client: Client) => Promise<T>,
    isLoss: (failure: RedisFailure) => boolean,
  ): Promise<T> {
    if (this.#lost !== undefined) throw new RedisFailure(this.#lost.failure.reason, false);
    let client: Client | undefined;
    try {
      client = this.#client?.redis ?? (await this.#connected());
      return await this.#withTimeout(work(client));
    } catch (error) {
      const failure = failureOf(error);
      // A connection that ends is forgotten before its commands fail. One that has been replaced says nothing
      // about the new one.
      const isReplaced = this.#client !== undefined && this.#client.redis !== client;
      if (!isReplaced && isLoss(failure)) this.#markLost(failure);
      throw failure;
    }
  }

  /** Resolves if Redis accepts writes. Tries to connect if Redis is lost. */
  async check(): Promise<void> {
    if (this.#isClosed) throw new RedisFailure(STATE_CLOSED, false);
    const client = this.#client?.redis ?? (await this.#connect());
    await this.execute(this.#parts.probe);
    await this.#warnOfEviction(client);
  }

  /** Whether Redis accepts writes now. Commands that were sent before are done then. */
  async isWritable(): Promise<boolean> {
    return this.execute(this.#parts.probe).then(
      () => true,
      () => false,
    );
  }

  /**
   * Whether Redis can be used again within `waitMs`: a connection that has ended is made again at once. While
   * Redis is only probed, nothing waits.
   */
  async isBackWithin(waitMs: number): Promise<boolean> {
    const connecting = this.#connecting;
    if (connecting !== undefined) await waitAtMost(connecting, waitMs).catch(() => undefined);
    return this.health === 'ok';
  }

  /** Reports a warning about a state that works; each reason once, unless it says something else each time. */
  warn(reason: string, remedy: string, { isRepeated = false } = {}): void {
    if (this.#warned.has(reason) && !isRepeated) return;
    this.#warned.add(reason);
    this.#notify({ type: 'warned', reason, remedy });
  }

  /** A value in Redis cannot be read: a gateway of another version wrote it. */
  reportUnreadable(): void {
    this.#notify({ type: 'unreadable' });
  }

  /** Closes the connection. Commands that were sent before are done first, if Redis still answers. */
  async close(): Promise<void> {
    await this.isWritable();
    // Watchers must learn that the state was closed, also if Redis was lost before.
    if (!this.#isClosed) this.#lost = undefined;
    this.#isClosed = true;
    this.#markLost(new RedisFailure(STATE_CLOSED, false));
    await this.#connecting?.catch(() => undefined);
  }

  /**
   * The client for a command that came before the connection. The command is not sent if there is none in
   * time.
   */
  async #connected(): Promise<Client> {
    const connected = await waitAtMost(this.#connect(), this.#parts.times.commandMs).catch(
      (error: unknown) => {
        throw new RedisFailure(failureOf(error).reason, false);
      },
    );
    // `#connect` reports its own result.
    if (connected === TIMED_OUT) throw new RedisFailure(TIMEOUT, false);
    return connected;
  }

  /** Connects; one attempt at a time. It reports its failure and schedules the next attempt. */
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
      // The rejection of `connect()` only says that the connection was closed.
      opened.on('error', (error: unknown) => {
        cause = error;
      });
      opened.on('end', () => {
        this.#onEnd(opened);
      });
      const connected = await waitAtMost(opened.connect(), this.#parts.times.connectMs);
      if (connected === TIMED_OUT) throw new RedisFailure(TIMEOUT, false);
      await this.#withTimeout(this.#parts.probe(opened));
      if (this.#isClosed) throw new RedisFailure(STATE_CLOSED, false);
      this.#client = { redis: opened, sinceMs: performance.now() };
    } catch (error) {
      client?.disconnect();
      const failure = failureOf(cause ?? error);
      this.#markLost(failure);
      throw failure;
    }
    this.#markRecovered();
    for (const listener of this.#onConnected) listener();
    return client;
  }

  /**
   * A firewall or Redis may end an idle connection. That is no loss, unless no new connection can be made.
   */
  #onEnd(client: Client): void {
    if (client !== this.#client?.redis) return;
    const { sinceMs } = this.#client;
    this.#client = undefined;
    if (performance.now() - sinceMs < this.#parts.times.probeEveryMs)
      this.#markLost(new RedisFailure(CLOSED, true));
    else this.#connect().catch(() => undefined);
  }

  #markLost(failure: RedisFailure): void {
    this.#client?.redis.disconnect();
    this.#client = undefined;
    clearTimeout(this.#timer);
    if (!this.#isClosed) {
      this.#timer = setTimeout(() => {
        this.#connect().catch(() => undefined);
      }, this.#parts.times.probeEveryMs);
      // Does not keep the process alive.
      this.#timer.unref();
    }
    if (this.#lost !== undefined) return;
    this.#lost = { failure, sinceMs: performance.now() };
    this.#losses += 1;
    this.#notify(lossOf(failure));
  }

  #markRecovered(): void {
    clearTimeout(this.#timer);
    if (this.#lost === undefined) return;
    const { failure, sinceMs } = this.#lost;
    this.#lost = undefined;
    this.#notify({
      type: 'recovered',
      reason: failure.reason,
      lostMs: Math.round(performance.now() - sinceMs),
    });
  }

  #notify(news: StateEvent, watchers: Iterable<(news: StateEvent) => void> = this.#watchers): void {
    for (const watcher of watchers) {
      // A watcher's error must not reach the caller.
      try {
        watcher(news);
      } catch {
        continue;
      }
    }
  }

  /**
   * All our keys have an expiry. With any other policy Redis may evict a claim, and a code goes out twice.
   */
  async #warnOfEviction(client: Client): Promise<void> {
    // An ACL may forbid INFO.
    const info = await waitAtMost(client.info('memory'), this.#parts.times.commandMs).catch(() => TIMED_OUT);
    const policy = typeof info === 'string' ? /^maxmemory_policy:(\S+)/m.exec(info)?.[1] : undefined;
    if (policy === undefined || policy === 'noeviction') return;
    this.warn(
      'EVICTION',
      'Set maxmemory-policy to noeviction: with any other policy Redis may forget what was sent.',
    );
  }

  /**
   * Waits for an answer. After the time-out it gives the event loop one more turn: in a busy process the
   * answer may already be in the socket.
   */
  #withTimeout<T>(work: Promise<T>): Promise<T> {
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

function lossOf({ reason, remedy }: RedisFailure): StateEvent {
  return { type: 'lost', reason, remedy };
}
