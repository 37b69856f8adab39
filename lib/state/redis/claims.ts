import { randomBytes } from 'node:crypto';
import type { Bucket, Claim, EventLife, RememberedAnswer } from '../../delivery/state.js';
import { LimitWindows } from '../memory/limit-windows.js';
import type { RedisConnection } from './connection.js';
import type { Step } from './steps.js';
import type { RedisSuppressions } from './suppressions.js';
import type { RedisTimes } from './times.js';
import type { Sealing } from './sealing.js';
import { Untold } from './pending-writes.js';

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
  readonly #sealings: readonly Sealing[];
  /** While it is lost. */
  readonly #limits = new LimitWindows();
  /** Of this process; with a number behind it, of one claim. */
  readonly #holder = `${HELD}${randomBytes(9).toString('base64url')}`;
  #count = 0;
  /** What became of claims of ours, which Redis may not know: by their tokens, so that told twice it is the same. */
  readonly #untold: Untold<readonly Step[]>;

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
    this.#untold = new Untold(connection, { tell: (steps) => this.#tell(steps) });
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
      // Told by the connection. It may have been done: what becomes of it is written there, if it can be.
      const exceeded = this.#limits.take(life.buckets, life.nowMs);
      const claim = this.#writingBehind(exceeded, names, token, []);
      const release = (): void => {
        this.#giveBackHere(exceeded, life);
        claim.release();
      };
      return { ...claim, release };
    }
    const [isFirst, found, ...places] = reply;
    if (isFirst === 0) return this.#repeatOf(names, Number(places[0]), found);
    const exceeded = places.flatMap((place) => life.buckets[Number(place)]?.key ?? []);
    const claim = this.#writingBehind(exceeded, names, token, exceeded.length === 0 ? limits : []);
    if (life.recipient === undefined) return claim;
    return { ...claim, suppressions: this.#suppressions.read(life.recipient, found, life.nowMs) };
  }

  #giveBackHere(exceeded: readonly string[], { buckets, nowMs }: EventLife): void {
    if (exceeded.length === 0) this.#limits.giveBack(buckets, nowMs);
  }

  /** A claim that Redis is told the end of, without anybody waiting for it. */
  #writingBehind(
    exceeded: readonly string[],
    names: readonly string[],
    token: string,
    /** Of each key. */
    spent: readonly (readonly string[])[],
  ): Extract<Claim, { isFirst: true }> {
    return {
      isFirst: true,
      exceeded,
      settle: (answer, text = JSON.stringify(answer)) => {
        if (names.length === 0) return;
        void this.#tell(
          this.#sealings.map((sealing, at) => {
            const name = names[at] ?? '';
            return { name: 'settleEvent', keys: [name], args: [token, sealAnswer(sealing, name, text)] };
          }),
        );
        // The last that there is to tell of a call, and before Okta has the answer, in case this process dies then.
        this.#connection.flush();
      },
      release: () => {
        const steps = this.#sealings.map((_, at): Step => {
          const keys = [...names.slice(at, at + 1), ...(spent[at] ?? [])];
          return { name: 'releaseEvent', keys, args: [token] };
        });
        if (names.length > 0) void this.#tell(steps);
        // Points alone are given back once, or not: twice would be too many.
        else if (spent.length > 0) this.#connection.run(steps).catch(() => undefined);
      },
    };
  }

  #repeatOf(names: readonly string[], at: number, value: unknown): Claim {
    const answer = this.#answerOf(names[at] ?? '', this.#sealings[at], value);
    // A call that is over before waits for it no more.
    answer.catch(() => undefined);
    return { isFirst: false, answer };
  }

  /** The first one's answer. Where there is none in time, it is nobody's to say what became of the code. */
  async #answerOf(
    name: string,
    sealing: Sealing | undefined,
    found: unknown,
  ): Promise<RememberedAnswer | undefined> {
    const { answerMs, poll } = this.#times;
    const endsAt = performance.now() + answerMs;
    let value = found;
    for (let waitMs = poll.firstMs; ; waitMs = Math.min(waitMs * poll.factor, poll.longestMs)) {
      // It let go of its claim, or the time of the event is over.
      if (!Buffer.isBuffer(value)) return undefined;
      if (value[0] === ANSWERED) return openAnswer(sealing, name, value.subarray(1));
      if (performance.now() > endsAt) throw new Error('the first call of the event has no answer');
      await new Promise((resolve) => {
        setTimeout(resolve, waitMs);
      });
      value = await this.#connection.ask((client) => client.getBuffer(name));
    }
  }

  /** What comes to nothing because Redis is lost, which its connection tells, is told again when it is back. */
  async #tell(steps: readonly Step[]): Promise<void> {
    await this.#connection.run(steps).catch(() => {
      this.#untold.add(steps);
    });
  }

  #nextToken(): string {
    this.#count += 1;
    return `${this.#holder}${this.#count}`;
  }
}

/** Another length of window is another window: a limit that was changed holds at once. */
function nameOfLimit(sealing: Sealing, { key, seconds }: Bucket): string {
  return sealing.nameOf('limit', `${seconds} ${key}`);
}

function sealAnswer(sealing: Sealing, name: string, answer: string): Buffer {
  return Buffer.concat([Buffer.of(ANSWERED), sealing.seal('answer', name, answer)]);
}

function openAnswer(sealing: Sealing | undefined, name: string, sealed: Buffer): RememberedAnswer {
  const text = sealing?.open('answer', name, sealed);
  if (text === undefined) throw new Error('an answer does not open with encryptionKeys');
  return JSON.parse(text) as RememberedAnswer;
}
