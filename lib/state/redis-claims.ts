import { randomBytes } from 'node:crypto';
import type { Bucket, Claim, EventLife, RememberedAnswer } from '../delivery/state.js';
import { LimitWindows } from './limit-windows.js';
import type { RedisConnection } from './redis-connection.js';
import type { Step } from './redis-steps.js';
import type { RedisSuppressions } from './redis-suppressions.js';
import type { RedisTimes } from './redis-times.js';
import type { Sealing } from './sealing.js';
import { Untold } from './untold.js';

/** Repeats and limits that gateways share. */

/** What stands for an event: the token of whoever claimed it, which begins otherwise, or its sealed answer. */
const ANSWERED = 'A'.charCodeAt(0);
const HELD = 'H';

/**
 * A claim is one script, and the one thing that is waited for before a code leaves. What becomes of it is written behind
 * the answer. While Redis is lost the points are this process's own, and an event is claimed by whoever asks: of one
 * process that is one call.
 */
export class RedisClaims {
  readonly #connection: RedisConnection;
  readonly #sealing: Sealing;
  /** While it is lost. */
  readonly #limits = new LimitWindows();
  /** Of this process; with a number behind it, of one claim. */
  readonly #holder = `${HELD}${randomBytes(9).toString('base64url')}`;
  #count = 0;
  /** What became of claims of ours, which Redis may not know: by their tokens, so that told twice it is the same. */
  readonly #untold: Untold<Step>;

  readonly #suppressions: RedisSuppressions;
  readonly #times: RedisTimes;

  constructor(
    connection: RedisConnection,
    sealing: Sealing,
    parts: { readonly suppressions: RedisSuppressions; readonly times: RedisTimes },
  ) {
    this.#connection = connection;
    this.#sealing = sealing;
    this.#suppressions = parts.suppressions;
    this.#times = parts.times;
    this.#untold = new Untold(connection, { tell: (step) => this.#tell(step) });
  }

  claim(key: string | undefined, life: EventLife): Claim | Promise<Claim> {
    if (this.#connection.health === 'lost' || (key === undefined && life.buckets.length === 0)) {
      const exceeded = this.#limits.take(life.buckets, life.nowMs);
      return {
        isFirst: true,
        exceeded,
        settle: () => undefined,
        release: () => {
          this.#giveBackHere(exceeded, life);
        },
      };
    }
    return this.#claimShared(key, life);
  }

  async #claimShared(key: string | undefined, life: EventLife): Promise<Claim> {
    const name = key === undefined ? undefined : this.#sealing.nameOf('event', key);
    const limits = life.buckets.map((bucket) => this.#nameOfLimit(bucket));
    const known = life.recipient === undefined ? [] : this.#suppressions.namesOf(life.recipient);
    const keys = [...(name === undefined ? [] : [name]), ...limits, ...known];
    const token = name === undefined ? '' : this.#nextToken();
    const args = [token, name === undefined ? '' : life.rememberMs, known.length];
    for (const { points, seconds } of life.buckets) args.push(points, seconds * 1000);
    let reply: readonly unknown[];
    try {
      reply = (await this.#connection.run({ name: 'claimEvent', keys, args })) as readonly unknown[];
    } catch {
      // Told by the connection. It may have been done: what becomes of it is written there, if it can be.
      const exceeded = this.#limits.take(life.buckets, life.nowMs);
      const claim = this.#writingBehind(exceeded, name, token, []);
      const release = (): void => {
        this.#giveBackHere(exceeded, life);
        claim.release();
      };
      return { ...claim, release };
    }
    const [isFirst, found, ...places] = reply;
    if (isFirst === 0) return this.#repeatOf(name ?? '', found);
    const exceeded = places.flatMap((place) => life.buckets[Number(place)]?.key ?? []);
    const claim = this.#writingBehind(exceeded, name, token, exceeded.length === 0 ? limits : []);
    if (life.recipient === undefined) return claim;
    return { ...claim, suppressions: this.#suppressions.read(life.recipient, found, life.nowMs) };
  }

  #giveBackHere(exceeded: readonly string[], { buckets, nowMs }: EventLife): void {
    if (exceeded.length === 0) this.#limits.giveBack(buckets, nowMs);
  }

  /** A claim that Redis is told the end of, without anybody waiting for it. */
  #writingBehind(
    exceeded: readonly string[],
    name: string | undefined,
    token: string,
    spent: readonly string[],
  ): Extract<Claim, { isFirst: true }> {
    return {
      isFirst: true,
      exceeded,
      settle: (answer, text = JSON.stringify(answer)) => {
        if (name === undefined) return;
        void this.#tell({ name: 'settleEvent', keys: [name], args: [token, this.#sealed(name, text)] });
        // The last that there is to tell of a call, and before Okta has the answer, in case this process dies then.
        this.#connection.flush();
      },
      release: () => {
        if (name !== undefined)
          void this.#tell({ name: 'releaseEvent', keys: [name, ...spent], args: [token] });
        // Points alone are given back once, or not: twice would be too many.
        else if (spent.length > 0)
          this.#connection.run({ name: 'releaseEvent', keys: spent, args: [token] }).catch(() => undefined);
      },
    };
  }

  #repeatOf(name: string, value: unknown): Claim {
    const answer = this.#answerOf(name, value);
    // A call that is over before waits for it no more.
    answer.catch(() => undefined);
    return { isFirst: false, answer };
  }

  /** The first one's answer. Where there is none in time, it is nobody's to say what became of the code. */
  async #answerOf(name: string, found: unknown): Promise<RememberedAnswer | undefined> {
    const { answerMs, poll } = this.#times;
    const endsAt = performance.now() + answerMs;
    let value = found;
    for (let waitMs = poll.firstMs; ; waitMs = Math.min(waitMs * poll.factor, poll.longestMs)) {
      // It let go of its claim, or the time of the event is over.
      if (!Buffer.isBuffer(value)) return undefined;
      if (value[0] === ANSWERED) return this.#open(name, value.subarray(1));
      if (performance.now() > endsAt) throw new Error('the first call of the event has no answer');
      await new Promise((resolve) => {
        setTimeout(resolve, waitMs);
      });
      value = await this.#connection.ask((client) => client.getBuffer(name));
    }
  }

  #sealed(name: string, answer: string): Buffer {
    const sealed = this.#sealing.seal('answer', name, answer);
    return Buffer.concat([Buffer.of(ANSWERED), sealed]);
  }

  #open(name: string, sealed: Buffer): RememberedAnswer {
    const text = this.#sealing.open('answer', name, sealed);
    if (text === undefined) throw new Error('an answer does not open with encryptionKeys');
    return JSON.parse(text) as RememberedAnswer;
  }

  /** What comes to nothing because Redis is lost, which its connection tells, is told again when it is back. */
  async #tell(step: Step): Promise<void> {
    await this.#connection.run(step).catch(() => {
      this.#untold.add(step);
    });
  }

  /** Another length of window is another window: a limit that was changed holds at once. */
  #nameOfLimit({ key, seconds }: Bucket): string {
    return this.#sealing.nameOf('limit', `${seconds} ${key}`);
  }

  #nextToken(): string {
    this.#count += 1;
    return `${this.#holder}${this.#count}`;
  }
}
