import { letSocketsBeRead, sleep, TIMED_OUT, waitAtMost } from '../../core/time.js';
import { newToken } from '../../core/token.js';
import type { PlacedEvent } from '../../delivery/order.js';
import type { Bucket, Claim, EventClaim, FirstClaim } from '../../delivery/state.js';
import type { AnswerOfFirst, RememberedAnswer } from '../../delivery/local-claims.js';
import { isPassed, LimitWindows } from '../memory/memory-state.js';
import type { RedisConnection } from './connection.js';
import type { Step } from './steps.js';
import type { RedisRecords } from './records.js';
import type { RedisTimes } from './options.js';
import type { Sealing } from './sealing.js';
import type { Outbox, WriteQueue } from './outbox.js';

/** Claims events, takes the points of their limits, and orders each person's codes, for all gateways. */

/** First byte of an event's value: of a sealed answer, and of a released claim (`step-scripts.ts`). */
const ANSWER_PREFIX = 'A'.charCodeAt(0);
const RELEASED_PREFIX = 'R'.charCodeAt(0);

/** Whether an event is its person's newest, in the words of the scripts. */
const CURRENT: Readonly<Record<string, boolean>> = { yes: true, no: false };

/** What a claim has found out; of a process that decided alone, only its limits. */
type Found = Pick<FirstClaim, 'exceeded' | 'place' | 'isCurrent' | 'hasRead'> & {
  readonly isAlone: boolean;
};

/** Made for each attempt to write it; `undefined` if it came too late. */
type MakeStep = () => Step | undefined;

/** An event that this process claims, with its names for each encryption key. */
interface ClaimedEvent extends EventClaim {
  readonly names: readonly string[];
  readonly limitNames: readonly (readonly string[])[];
  /** Of the records to read. */
  readonly readNames: readonly (readonly string[])[];
  /** Of its person; none if it takes no place. */
  readonly people: readonly string[];
  /** In the order of its person's codes. */
  readonly orderNames: readonly string[];
  readonly token: string;
  /** The writes after the claim. */
  readonly queue: WriteQueue;
  /** By the monotonic clock of this process. */
  readonly claimedMs: number;
}

/**
 * A claim is one script. A code that leaves at once waits for nothing else of Redis. Its answer is sent later, and no call
 * waits for the reply. While Redis is lost, limits count within this process and every claim succeeds: within one
 * process a hook recognises its own repeats.
 */
export class RedisClaims {
  readonly #connection: RedisConnection;
  readonly #sealings: readonly Sealing[];
  /** Used while Redis is lost. */
  readonly #localLimits = new LimitWindows();
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

  claim(event: EventClaim): Claim | Promise<Claim> {
    const claimed = this.#eventOf(event);
    return this.#connection.health === 'lost' ? this.#claimAlone(claimed) : this.#claimShared(claimed);
  }

  /** `'unknown'` while Redis is lost: another gateway may have received a newer request. */
  async isCurrent(
    person: string,
    { eventKey, place = '', isPreview }: PlacedEvent,
  ): Promise<boolean | 'unknown'> {
    // This process may have sent a newer code that Redis does not know yet.
    await this.#outbox.catchingUp;
    if (this.#connection.health === 'lost') return 'unknown';
    const args = [place, isPreview ? 'preview' : 'code', ...this.#orderNamesOf(eventKey)];
    const keys = [...this.#eventNamesOf(eventKey), ...this.#peopleOf(person)];
    const step: Step = { name: 'isCurrent', keys, args };
    const reply = await this.#connection.run(step).catch(() => undefined);
    return CURRENT[String(reply)] ?? 'unknown';
  }

  useCode(person: string, usedAtMs: number): void {
    const step: Step = { name: 'useCode', keys: this.#peopleOf(person), args: [usedAtMs] };
    void this.#outbox.write({ isLasting: false, writes: [] }, () => this.#connection.run(step));
  }

  async #claimShared(event: ClaimedEvent): Promise<Claim> {
    const { names, limitNames, people, limits, readNames } = event;
    const read = readNames.flat();
    const keys = [...names, ...limitNames.flat(), ...people, ...read];
    const args = claimArgs(event, event.passes, { reads: read.length, lives: event });
    const ofLimits = limits.flatMap(({ points, seconds }) => [points, seconds * 1000]);
    let reply: readonly unknown[] | typeof TIMED_OUT;
    try {
      const step: Step = { name: 'claimEvent', keys, args: [...args, ...ofLimits] };
      reply = await this.#run(step, event);
    } catch {
      // The connection has reported the failure. Redis may have run the script, so the result is still
      // written there.
      return this.#claimAlone(event);
    }
    if (reply === TIMED_OUT) return this.#claimAlone(event);
    const [isFirst, second, third, fourth, ...exceededAt] = reply;
    if (isFirst === 0) return this.#repeatOf(names, Number(third), second, Number(fourth ?? 0));
    const exceeded = exceededAt.flatMap((index) => limits[Number(index)]?.key ?? []);
    const found: Found = {
      exceeded,
      place: String(third) || undefined,
      isCurrent: CURRENT[String(fourth)] ?? 'unknown',
      hasRead: true,
      isAlone: false,
    };
    return this.#firstClaim(event, found, (makeStep) => {
      this.#write(event, makeStep);
    });
  }

  /**
   * The claim if Redis does not answer. Once Redis is back it learns of the claim, also while the call still runs, and of its answer or
   * its release, for repeats at other gateways.
   */
  #claimAlone(event: ClaimedEvent): FirstClaim {
    const { limits, nowMs } = event;
    const exceeded = this.#localLimits.take(limits, nowMs);
    // What Redis learns once it is back. If the call ends before, its end says it all.
    let makeWaiting: MakeStep = () => lateClaim(event);
    let isWritten = !isPassed(event, exceeded);
    if (!isWritten) {
      this.#write(event, () => {
        isWritten = true;
        return makeWaiting();
      });
    }
    const found = { exceeded, place: undefined, isCurrent: 'unknown', hasRead: false } as const;
    const claim = this.#firstClaim(event, { ...found, isAlone: true }, (makeStep) => {
      if (isWritten) this.#write(event, makeStep);
      else makeWaiting = makeStep;
    });
    const release = (): void => {
      if (exceeded.length === 0) this.#localLimits.refund(limits, nowMs);
      claim.release();
    };
    return { ...claim, release };
  }

  #eventOf(event: EventClaim): ClaimedEvent {
    const { key, person, limits, reads } = event;
    return {
      ...event,
      names: this.#eventNamesOf(key),
      limitNames: this.#sealings.map((sealing) => limits.map((limit) => nameOfLimit(sealing, limit))),
      readNames: reads.map((record) => this.#records.namesOf(record)),
      people: person === undefined ? [] : this.#peopleOf(person),
      orderNames: person === undefined ? [] : this.#orderNamesOf(key),
      token: newToken(),
      queue: { isLasting: false, writes: [] },
      claimedMs: performance.now(),
      lifeMs: Math.ceil(event.lifeMs),
      requestedAtMs: Math.max(0, Math.round(event.requestedAtMs)),
    };
  }

  #eventNamesOf(key: string): readonly string[] {
    return this.#sealings.map((sealing) => sealing.nameOf('event', key));
  }

  #peopleOf(person: string): readonly string[] {
    return this.#sealings.map((sealing) => sealing.nameOf('person', person));
  }

  #orderNamesOf(eventKey: string): readonly string[] {
    return this.#sealings.map((sealing) => sealing.digestOf('newest', eventKey));
  }

  /** Runs a claim; once more, if its connection has ended and the next one comes in time. */
  async #run(
    claim: Step,
    { reads, readNames, waitMs }: ClaimedEvent,
  ): Promise<readonly unknown[] | typeof TIMED_OUT> {
    const endsAt = performance.now() + waitMs;
    const once = async (): Promise<readonly unknown[]> => {
      // The script replies a list. Of a first claim, it has the records.
      const reply = (await this.#connection.run(claim)) as readonly unknown[];
      // At once, before any later reply: what was read last counts.
      if (reply[0] === 1 && reads.length > 0) this.#records.remember(reads, readNames, reply[1]);
      return reply;
    };
    try {
      // Most calls have a connection and more time than a command, and need no timer of their own.
      const isShort = waitMs < this.#times.commandMs || !this.#connection.isOpen;
      return await (isShort ? inTime(once(), waitMs) : once());
    } catch (error) {
      // Redis may have run it. Its token makes a second run harmless.
      if (!(await this.#connection.isBackWithin(endsAt - performance.now()))) throw error;
      return inTime(once(), endsAt - performance.now());
    }
  }

  /** A claim whose result is written to Redis without delaying the answer. */
  #firstClaim(
    event: ClaimedEvent,
    { isAlone, ...found }: Found,
    write: (makeStep: MakeStep) => void,
  ): FirstClaim {
    const { names, limitNames, token, rememberMs, limits } = event;
    const place = found.place ?? '';
    return {
      isFirst: true,
      ...found,
      settle: (answer) => {
        if (!event.isRepeatable && !isAlone) return;
        const text = JSON.stringify(answer);
        const isOrdered = isPassed(event, found.exceeded) && !event.isPreview;
        const keys = isOrdered ? [...names, ...event.people] : names;
        const answers = this.#sealings.map((sealing, at) => sealing.seal('answer', names[at] ?? '', text));
        write(() => {
          const lives = livesAfter(event, Math.round(performance.now() - event.claimedMs));
          if (lives === undefined) return undefined;
          const how = [token, lives.rememberMs, names.length, isAlone ? 1 : 0, place, lives.lifeMs];
          return {
            name: 'settleEvent',
            keys,
            args: [...how, event.requestedAtMs, ...answers, ...event.orderNames],
          };
        });
      },
      release: () => {
        const windowsMs = limits.map(({ seconds }) => seconds * 1000);
        const keys = [...names, ...limitNames.flat(), ...(isAlone ? event.people : [])];
        const args = [token, rememberMs, names.length, place, ...windowsMs];
        write(() => ({ name: 'releaseEvent', keys, args }));
      },
    };
  }

  #repeatOf(names: readonly string[], at: number, value: unknown, ageMs: number): Claim {
    return { isFirst: false, answer: this.#answerOf(names[at] ?? '', this.#sealings[at], value), ageMs };
  }

  /**
   * The answer of the first call, polled from Redis. `'lost'` if none comes in time: the code may have been sent.
   */
  async #answerOf(name: string, sealing: Sealing | undefined, found: unknown): AnswerOfFirst {
    const { answerMs, poll } = this.#times;
    const endsAt = performance.now() + answerMs;
    let value = found;
    for (let waitMs = poll.firstMs; ; waitMs = Math.min(waitMs * poll.factor, poll.longestMs)) {
      // The first call released its claim, or the event has expired.
      if (!Buffer.isBuffer(value) || value[0] === RELEASED_PREFIX) return undefined;
      if (value[0] === ANSWER_PREFIX) return this.#openAnswer(sealing, name, value);
      if (performance.now() > endsAt) return 'lost';
      await sleep(waitMs);
      try {
        value = await this.#connection.execute((client) => client.getBuffer(name));
      } catch {
        // The connection reports the failure.
        return 'lost';
      }
    }
  }

  /** @param value - `A` and its token, the place and the sealed answer, with a space after the first two. */
  #openAnswer(sealing: Sealing | undefined, name: string, value: Buffer): RememberedAnswer | 'lost' {
    const sealed = value.subarray(value.indexOf(' ', value.indexOf(' ') + 1) + 1);
    const text = sealing?.open('answer', name, sealed);
    if (text !== undefined) return JSON.parse(text) as RememberedAnswer;
    this.#connection.reportUnreadable();
    return 'lost';
  }

  /** Writes what follows a claim, which may wait for Redis. */
  #write({ queue }: ClaimedEvent, makeStep: MakeStep): void {
    void this.#outbox.write(queue, async () => {
      const step = makeStep();
      if (step !== undefined) await this.#connection.run(step);
    });
  }
}

/** Lets Redis know of a claim once it is back. It takes no points: the process has counted alone. */
function lateClaim(event: ClaimedEvent): Step | undefined {
  const lives = livesAfter(event, Math.round(performance.now() - event.claimedMs));
  if (lives === undefined) return undefined;
  const args = claimArgs(event, 'alone', { reads: 0, lives });
  return { name: 'claimEvent', keys: [...event.names, ...event.people], args };
}

/** How long an event is remembered, and how long its code lives, milliseconds. */
type Lives = Pick<EventClaim, 'rememberMs' | 'lifeMs'>;

/** What is left of the lives for what has waited until Redis is back; `undefined` if it came too late. */
function livesAfter({ rememberMs, lifeMs }: Lives, ageMs: number): Lives | undefined {
  if (ageMs >= rememberMs) return undefined;
  return { rememberMs: rememberMs - ageMs, lifeMs: Math.max(0, lifeMs - ageMs) };
}

/** The arguments of the claim's script, up to the limits. */
function claimArgs(
  { token, names, people, orderNames, isPreview, requestedAtMs }: ClaimedEvent,
  passes: EventClaim['passes'] | 'alone',
  { reads, lives }: { readonly reads: number; readonly lives: Lives },
): Step['args'] {
  const kind = people.length === 0 ? '' : isPreview ? 'preview' : 'code';
  const places = [kind, passes, lives.lifeMs, requestedAtMs, ...orderNames];
  return [token, lives.rememberMs, reads, names.length, ...places];
}

/** The window's length is part of the name, so that a changed limit applies at once. */
function nameOfLimit(sealing: Sealing, { key, seconds }: Bucket): string {
  return sealing.nameOf('limit', `${seconds} ${key}`);
}

/** In a process that was busy past the time, the reply may lie in its sockets: they are read once more. */
async function inTime<T>(work: Promise<T>, waitMs: number): Promise<T | typeof TIMED_OUT> {
  const reply = await waitAtMost(work, waitMs);
  return reply === TIMED_OUT
    ? Promise.race([work, letSocketsBeRead().then((): typeof TIMED_OUT => TIMED_OUT)])
    : reply;
}
