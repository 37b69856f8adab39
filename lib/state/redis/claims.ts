import { randomBytes, randomUUID } from 'node:crypto';
import { sleep } from '../../core/time.js';
import type { Bucket, Claim, EventLife, OrderedEvent, RememberedAnswer } from '../../delivery/state.js';
import { LimitWindows } from '../memory/memory-state.js';
import { MAX_PREVIEWS } from '../memory/receipts.js';
import type { RedisConnection } from './connection.js';
import type { Step } from './steps.js';
import type { RedisRecords } from './records.js';
import type { RedisTimes } from './times.js';
import type { Sealing } from './sealing.js';
import type { Outbox } from './outbox.js';

/** Claims events and takes the points of their limits for all gateways. */

/** First byte of an event's value: of a sealed answer, and of a released claim (`step-scripts.ts`). */
const ANSWER_PREFIX = 'A'.charCodeAt(0);
const RELEASED_PREFIX = 'R'.charCodeAt(0);

/** The arguments of a claim that takes no place. */
const NO_PLACE = { keys: [], args: ['', '', '', ''] } as const;

/** The claim without an event, a limit and a place. */
const NOTHING_CLAIMED: Extract<Claim, { isFirst: true }> = {
  isFirst: true,
  exceeded: [],
  settle: () => undefined,
  release: () => undefined,
};

/** An event that this process claims, with its names for each encryption key. */
interface ClaimedEvent {
  /** Whether another call may have the same event. */
  readonly isRepeatable: boolean;
  readonly names: readonly string[];
  readonly limits: readonly (readonly string[])[];
  /** Of each limit, milliseconds. */
  readonly windowsMs: readonly number[];
  readonly token: string;
  /** When it came, by the monotonic clock of this process. */
  readonly cameMs: number;
  readonly rememberMs: number;
}

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
  readonly #tokenPrefix = randomBytes(9).toString('base64url');
  #count = 0;
  /** For results of our claims. Tokens make a second write harmless. */
  readonly #outbox: Outbox;
  readonly #records: RedisRecords;
  readonly #times: RedisTimes;

  constructor(
    connection: RedisConnection,
    sealings: readonly Sealing[],
    parts: { readonly records: RedisRecords; readonly outbox: Outbox; readonly times: RedisTimes },
  ) {
    this.#connection = connection;
    this.#sealings = sealings;
    this.#records = parts.records;
    this.#outbox = parts.outbox;
    this.#times = parts.times;
  }

  claim(key: string | undefined, life: EventLife): Claim | Promise<Claim> {
    if (key === undefined && life.buckets.length === 0 && life.order === undefined) return NOTHING_CLAIMED;
    if (this.#connection.health === 'lost') return this.#claimAlone(this.#eventOf(key, life), life);
    return this.#claimShared(key, life);
  }

  async #claimShared(key: string | undefined, life: EventLife): Promise<Claim> {
    const event = this.#eventOf(key, life);
    const { names, limits, token } = event;
    const known = life.recipient === undefined ? [] : this.#records.namesOf(life.recipient);
    const place = this.#placeOf(life.order);
    const keys = [...names, ...limits.flat(), ...place.keys, ...known];
    const args = [token, life.rememberMs, known.length, this.#sealings.length, ...place.args];
    for (const { points, seconds } of life.buckets) args.push(points, seconds * 1000);
    let reply: readonly unknown[];
    try {
      reply = await this.#run({ name: 'claimEvent', keys, args }, life.waitMs);
    } catch {
      // The connection has reported the failure. Redis may have run the script, so the result is still
      // written there.
      return this.#claimAlone(event, life);
    }
    const [isFirst, found, third, ...indexes] = reply;
    if (isFirst === 0) return this.#repeatOf(names, Number(third), found, Number(indexes[0] ?? 0));
    const exceeded = indexes.flatMap((index) => life.buckets[Number(index)]?.key ?? []);
    const suppressions =
      life.recipient === undefined
        ? undefined
        : this.#records.suppressionsIn(life.recipient, found, life.nowMs);
    const isNewest = life.order && third === 1;
    return this.#firstClaim(exceeded, event, { suppressions, isNewest });
  }

  /**
   * The claim if Redis does not answer. Its answer, or its release with its place, is written once Redis is back, for
   * repeats at other gateways.
   */
  #claimAlone(event: ClaimedEvent, life: EventLife): Extract<Claim, { isFirst: true }> {
    const exceeded = this.#localLimits.take(life.buckets, life.nowMs);
    const claim = this.#firstClaim(exceeded, event);
    const release = (): void => {
      if (exceeded.length === 0) this.#localLimits.refund(life.buckets, life.nowMs);
      claim.release();
    };
    return { ...claim, release };
  }

  /** The keys of a person and what the claim says of their event; empty texts if it takes no place. */
  #placeOf(order: OrderedEvent | undefined): Pick<Step, 'keys' | 'args'> {
    if (order === undefined) return NO_PLACE;
    const { person, eventKey, isPreview, lifeMs, passesLimits } = order;
    const names = this.#sealings.map((sealing) => sealing.digestOf('newest', eventKey));
    return {
      keys: this.#sealings.map((sealing) => sealing.nameOf('person', person)),
      args: [isPreview ? 'preview' : 'code', passesLimits ? 1 : 0, Math.ceil(lifeMs), MAX_PREVIEWS, ...names],
    };
  }

  /** Without a key, an event of its own: its claim is repeated and released like any other. */
  #eventOf(key: string | undefined, { rememberMs, buckets }: EventLife): ClaimedEvent {
    const text = key ?? randomUUID();
    return {
      isRepeatable: key !== undefined,
      names: this.#sealings.map((sealing) => sealing.nameOf('event', text)),
      limits: this.#sealings.map((sealing) => buckets.map((bucket) => nameOfLimit(sealing, bucket))),
      windowsMs: buckets.map(({ seconds }) => seconds * 1000),
      token: this.#nextToken(),
      cameMs: performance.now(),
      rememberMs,
    };
  }

  /** Runs a claim; once more, if its connection has ended and the next one comes in time. */
  async #run(claim: Step, waitMs = 0): Promise<readonly unknown[]> {
    const endsAt = performance.now() + waitMs;
    const once = async (): Promise<readonly unknown[]> => {
      const [reply] = await this.#connection.run([claim]);
      return reply as readonly unknown[];
    };
    try {
      return await once();
    } catch (error) {
      // Redis may have run it. Its token makes a second run harmless.
      if (!(await this.#connection.isBackWithin(endsAt - performance.now()))) throw error;
      return once();
    }
  }

  /** A claim whose result is written to Redis without delaying the answer. */
  #firstClaim(
    exceeded: readonly string[],
    { isRepeatable, names, limits, windowsMs, token, cameMs, rememberMs }: ClaimedEvent,
    found: Pick<Extract<Claim, { isFirst: true }>, 'suppressions' | 'isNewest'> = {},
  ): Extract<Claim, { isFirst: true }> {
    return {
      isFirst: true,
      exceeded,
      suppressions: found.suppressions,
      isNewest: found.isNewest,
      settle: (answer) => {
        if (!isRepeatable) return;
        const text = JSON.stringify(answer);
        const steps = this.#sealings.map((sealing, at): Step => {
          const name = names[at] ?? '';
          const args = [token, sealAnswer(sealing, name, text), rememberMs];
          return { name: 'settleEvent', keys: [name], args };
        });
        this.#write(token, () => steps);
      },
      release: () => {
        this.#write(token, () =>
          names.map((name, at) => ({
            name: 'releaseEvent',
            keys: [name, ...(limits[at] ?? [])],
            args: [token, rememberMs, Math.ceil(performance.now() - cameMs), ...windowsMs],
          })),
        );
      },
    };
  }

  #repeatOf(names: readonly string[], at: number, value: unknown, ageMs: number): Claim {
    const answer = this.#answerOf(names[at] ?? '', this.#sealings[at], value);
    // A call that ends before does not wait for it any more.
    answer.catch(() => undefined);
    return { isFirst: false, answer, ageMs };
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
      if (!Buffer.isBuffer(value) || value[0] === RELEASED_PREFIX) return undefined;
      if (value[0] === ANSWER_PREFIX) return openAnswer(sealing, name, value.subarray(1));
      if (performance.now() > endsAt) throw new Error('the first call of the event has no answer');
      await sleep(waitMs);
      value = await this.#connection.execute((client) => client.getBuffer(name));
    }
  }

  /** Writes the result of a claim, which may wait for Redis. The steps are made for each attempt. */
  #write(token: string, steps: () => readonly Step[]): void {
    void this.#outbox.write(`claim ${token}`, () => this.#connection.run(steps()));
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
