import { randomBytes } from 'node:crypto';
import { sleep } from '../../core/time.js';
import type { Bucket, Claim, EventLife, RememberedAnswer } from '../../delivery/state.js';
import type { Suppression } from '../../delivery/suppressions.js';
import { LimitWindows } from '../memory/memory-state.js';
import type { RedisConnection } from './connection.js';
import type { Step } from './steps.js';
import type { RedisSuppressions } from './suppressions.js';
import type { RedisTimes } from './times.js';
import type { Sealing } from './sealing.js';
import { PendingWrites } from './pending-writes.js';

/** Claims events and takes the points of their limits for all gateways. */

/** First byte of an event's value: a sealed answer, or the token of the call that claimed it. */
const ANSWER_PREFIX = 'A'.charCodeAt(0);
const HELD_PREFIX = 'H';

/**
 * A claim is one script and the only thing that a code waits for before it leaves. Its answer is sent later, and no call
 * waits for the reply. While Redis is lost, limits count within this process and every claim succeeds: within one
 * process a hook recognises its own repeats.
 */
export class RedisClaims {
  readonly #connection: RedisConnection;
  readonly #sealings: readonly Sealing[];
  /** Used while Redis is lost. */
  readonly #localLimits = new LimitWindows();
  /** Prefix of this process's tokens. A token is the prefix and the number of the claim. */
  readonly #tokenPrefix = `${HELD_PREFIX}${randomBytes(9).toString('base64url')}`;
  #count = 0;
  /** Results of our claims that Redis may not know. Tokens make a second write harmless. */
  readonly #pending: PendingWrites<readonly Step[]>;

  readonly #suppressions: RedisSuppressions;
  readonly #times: RedisTimes;

  constructor(
    connection: RedisConnection,
    sealings: readonly Sealing[],
    parts: { readonly suppressions: RedisSuppressions; readonly times: RedisTimes },
  ) {
    this.#connection = connection;
    this.#sealings = sealings;
    this.#suppressions = parts.suppressions;
    this.#times = parts.times;
    this.#pending = new PendingWrites(connection, { write: (steps) => this.#write(steps) });
  }

  claim(key: string | undefined, life: EventLife): Claim | Promise<Claim> {
    if (this.#connection.health === 'lost' || (key === undefined && life.buckets.length === 0)) {
      const exceeded = this.#localLimits.take(life.buckets, life.nowMs);
      return {
        isFirst: true,
        exceeded,
        settle: () => undefined,
        release: () => {
          this.#refundHere(exceeded, life);
        },
      };
    }
    return this.#claimShared(key, life);
  }

  async #claimShared(key: string | undefined, life: EventLife): Promise<Claim> {
    const names = key === undefined ? [] : this.#sealings.map((sealing) => sealing.nameOf('event', key));
    const limits = this.#sealings.map((sealing) =>
      life.buckets.map((bucket) => nameOfLimit(sealing, bucket)),
    );
    const known = life.recipient === undefined ? [] : this.#suppressions.namesOf(life.recipient);
    const keys = [...names, ...limits.flat(), ...known];
    const token = key === undefined ? '' : this.#nextToken();
    const rememberMs = key === undefined ? '' : life.rememberMs;
    const args = [token, rememberMs, known.length, this.#sealings.length];
    for (const { points, seconds } of life.buckets) args.push(points, seconds * 1000);
    let reply: readonly unknown[];
    try {
      [reply] = (await this.#connection.run([{ name: 'claimEvent', keys, args }])) as [readonly unknown[]];
    } catch {
      // The connection has reported the failure. Redis may have run the script, so the result is still
      // written there.
      const exceeded = this.#localLimits.take(life.buckets, life.nowMs);
      const claim = this.#firstClaim(exceeded, names, token, { spent: [], suppressions: undefined });
      const release = (): void => {
        this.#refundHere(exceeded, life);
        claim.release();
      };
      return { ...claim, release };
    }
    const [isFirst, found, ...indexes] = reply;
    if (isFirst === 0) return this.#repeatOf(names, Number(indexes[0]), found);
    const exceeded = indexes.flatMap((index) => life.buckets[Number(index)]?.key ?? []);
    const suppressions =
      life.recipient === undefined ? undefined : this.#suppressions.read(life.recipient, found, life.nowMs);
    return this.#firstClaim(exceeded, names, token, {
      spent: exceeded.length === 0 ? limits : [],
      suppressions,
    });
  }

  #refundHere(exceeded: readonly string[], { buckets, nowMs }: EventLife): void {
    if (exceeded.length === 0) this.#localLimits.refund(buckets, nowMs);
  }

  /** A claim whose result is written to Redis without delaying the answer. */
  #firstClaim(
    exceeded: readonly string[],
    names: readonly string[],
    token: string,
    {
      spent,
      suppressions,
    }: {
      /** The limits to give back, for each encryption key. */
      readonly spent: readonly (readonly string[])[];
      readonly suppressions: readonly Suppression[] | undefined;
    },
  ): Extract<Claim, { isFirst: true }> {
    return {
      isFirst: true,
      exceeded,
      suppressions,
      settle: (answer) => {
        if (names.length === 0) return;
        const text = JSON.stringify(answer);
        void this.#write(
          this.#sealings.map((sealing, at) => {
            const name = names[at] ?? '';
            return { name: 'settleEvent', keys: [name], args: [token, sealAnswer(sealing, name, text)] };
          }),
        );
      },
      release: () => {
        const steps = this.#sealings.map((_, at): Step => {
          const keys = [...names.slice(at, at + 1), ...(spent[at] ?? [])];
          return { name: 'releaseEvent', keys, args: [token] };
        });
        if (names.length > 0) void this.#write(steps);
        // Points alone are given back at most once: a second time would give back too many.
        else if (spent.length > 0) this.#connection.run(steps).catch(() => undefined);
      },
    };
  }

  #repeatOf(names: readonly string[], at: number, value: unknown): Claim {
    const answer = this.#answerOf(names[at] ?? '', this.#sealings[at], value);
    // A call that ends before does not wait for it any more.
    answer.catch(() => undefined);
    return { isFirst: false, answer };
  }

  /**
   * The answer of the first call, polled from Redis. Rejects if none comes in time: the code may have been
   * sent.
   */
  async #answerOf(
    name: string,
    sealing: Sealing | undefined,
    found: unknown,
  ): Promise<RememberedAnswer | undefined> {
    const { answerMs, poll } = this.#times;
    const endsAt = performance.now() + answerMs;
    let value = found;
    for (let waitMs = poll.firstMs; ; waitMs = Math.min(waitMs * poll.factor, poll.longestMs)) {
      // The first call released its claim, or the event has expired.
      if (!Buffer.isBuffer(value)) return undefined;
      if (value[0] === ANSWER_PREFIX) return openAnswer(sealing, name, value.subarray(1));
      if (performance.now() > endsAt) throw new Error('the first call of the event has no answer');
      await sleep(waitMs);
      value = await this.#connection.execute((client) => client.getBuffer(name));
    }
  }

  /** Runs steps; if Redis is lost, which the connection reports, they run once it is back. */
  async #write(steps: readonly Step[]): Promise<void> {
    await this.#connection.run(steps).catch(() => {
      this.#pending.add(steps);
    });
  }

  #nextToken(): string {
    this.#count += 1;
    return `${this.#tokenPrefix}${this.#count}`;
  }
}

/** The window's length is part of the name, so that a changed limit applies at once. */
function nameOfLimit(sealing: Sealing, { key, seconds }: Bucket): string {
  return sealing.nameOf('limit', `${seconds} ${key}`);
}

function sealAnswer(sealing: Sealing, name: string, answer: string): Buffer {
  return Buffer.concat([Buffer.of(ANSWER_PREFIX), sealing.seal('answer', name, answer)]);
}

function openAnswer(sealing: Sealing | undefined, name: string, sealed: Buffer): RememberedAnswer {
  const text = sealing?.open('answer', name, sealed);
  if (text === undefined) throw new Error('an answer does not open with encryptionKeys');
  return JSON.parse(text) as RememberedAnswer;
}
