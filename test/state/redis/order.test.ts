import { expect } from 'chai';
import type { Redis } from 'ioredis';
import { isCurrent, takePlace, useNewest, type OrderRecord, type PlacedEvent } from '#lib/delivery/order.js';
import { SCRIPTS } from '#lib/state/redis/scripts.js';
import { createSealing, type Sealing } from '#lib/state/redis/sealing.js';
import { Closers } from '#harness/closers.js';
import { needRedis, startRedis, type RedisServer } from '#harness/redis-server.js';
import { runs } from '#harness/thoroughness.js';
import { between, chanceOf } from '../../chaos/chance.js';

const LIFE_MS = 600_000;
const SEALINGS = [1, 2].map((byte) => createSealing(Buffer.alloc(32, byte), 'order'));
const POINTS = 2;
/** Schedules that wait for Redis together, each with keys of its own. */
const AT_ONCE = 20;
const PLAYED = ['claimEvent', 'settleEvent', 'releaseEvent', 'useCode', 'isCurrent'] as const;
/** By their names, once Redis has them. */
const DIGESTS: Record<string, string> = {};
/** Whether an event is its person's newest, in the words of the scripts. */
const CURRENT: Readonly<Record<string, boolean | 'unknown'>> = { yes: true, no: false, unknown: 'unknown' };

/** The names of an event in the order, one for each encryption key. */
const namesInOrder = (sealings: readonly Sealing[], eventKey: string): string[] =>
  sealings.map((sealing) => sealing.digestOf('newest', eventKey));

/** One claim of an event. It may come, be settled and be released several times, and late. */
interface Tried {
  readonly token: string;
  readonly eventKey: string;
  readonly isPreview: boolean;
  readonly passes: 'never' | 'withinLimits' | 'always';
  readonly requestedAtMs: number;
}

interface Reply {
  readonly isFirst: boolean;
  readonly place?: string | undefined;
  readonly isCurrent?: boolean | 'unknown' | undefined;
  readonly isExceeded?: boolean | undefined;
}

/** A state that plays schedules: the scripts, or their model. */
interface Played {
  /** @param wasAlone - its process decided alone, and Redis is back. */
  claim(tried: Tried, wasAlone?: boolean): Promise<Reply>;
  settle(tried: Tried, how: { isAlone: boolean; place: string | undefined }): Promise<void>;
  release(tried: Tried, place: string | undefined): Promise<void>;
  use(usedAtMs: number): Promise<void>;
  isCurrent(event: PlacedEvent): Promise<boolean | 'unknown'>;
  forget(what: string): Promise<void>;
  /** All that it holds. */
  show(): Promise<unknown>;
}

/** What the scripts have to do, by the functions that the memory state uses. */
class Model implements Played {
  #order: OrderRecord | undefined;
  #spent = 0;
  readonly #events = new Map<string, { word: string; token: string; place: string | undefined }>();

  claim({ token, eventKey, isPreview, passes, requestedAtMs }: Tried, wasAlone = false): Promise<Reply> {
    const known = this.#events.get(eventKey);
    const isOwn = known?.token === token;
    if (known !== undefined && (known.word === 'A' || (!isOwn && known.word !== 'R')))
      return Promise.resolve({ isFirst: false });
    if (isOwn && known.word === 'R') return Promise.resolve({ isFirst: true });
    const isAgain = isOwn && known.word === 'P';
    const isExceeded = !isAgain && !wasAlone && this.#spent >= POINTS;
    const takesPoint = !isAgain && !wasAlone && !isExceeded;
    if (takesPoint) this.#spent += 1;
    const { order, place, ...taken } = takePlace(this.#order, {
      eventKey,
      place: known?.place,
      isPreview,
      passes: wasAlone || passes === 'always' || (passes === 'withinLimits' && !isExceeded),
      requestedAtMs,
      token,
      wasAlone,
    });
    this.#order = order;
    if (!isAgain) this.#events.set(eventKey, { word: takesPoint ? 'P' : 'N', token, place });
    return Promise.resolve({ isFirst: true, place, isCurrent: taken.isCurrent, isExceeded });
  }

  settle(
    { token, eventKey, isPreview, passes, requestedAtMs }: Tried,
    { isAlone, place: given }: { isAlone: boolean; place: string | undefined },
  ): Promise<void> {
    const known = this.#events.get(eventKey);
    const isOwn = known?.token === token;
    let place = given ?? known?.place;
    const isDone = isOwn && known.word === 'A';
    if (passes === 'always' && !isPreview && !isDone && (isAlone || known === undefined)) {
      if (known === undefined && place?.endsWith('~') === false) place += '~';
      const event = { eventKey, place, isPreview, passes: true, requestedAtMs, token, wasAlone: isAlone };
      ({ order: this.#order, place } = takePlace(this.#order, event));
    }
    if (known?.word !== 'A' && (known === undefined || isOwn || isAlone || known.word === 'R'))
      this.#events.set(eventKey, { word: 'A', token, place });
    return Promise.resolve();
  }

  release({ token, eventKey, isPreview }: Tried, given: string | undefined): Promise<void> {
    const known = this.#events.get(eventKey);
    const isOwn = known?.token === token && (known.word === 'P' || known.word === 'N');
    if (known !== undefined && !isOwn) return Promise.resolve();
    let place = given ?? known?.place;
    if (place === undefined) {
      const event = { eventKey, place, isPreview, passes: false, requestedAtMs: 0, token, wasAlone: true };
      ({ order: this.#order, place } = takePlace(this.#order, event));
    }
    if (known?.word === 'P' && this.#spent > 0) this.#spent -= 1;
    this.#events.set(eventKey, { word: 'R', token, place });
    return Promise.resolve();
  }

  use(usedAtMs: number): Promise<void> {
    this.#order = this.#order && useNewest(this.#order, usedAtMs);
    return Promise.resolve();
  }

  isCurrent(event: PlacedEvent): Promise<boolean | 'unknown'> {
    // A process that decided alone does not know the place that its event has been given.
    const place = event.place ?? this.#events.get(event.eventKey)?.place;
    return Promise.resolve(isCurrent(this.#order, { ...event, place }));
  }

  forget(what: string): Promise<void> {
    if (what === 'order') this.#order = undefined;
    else this.#events.delete(what);
    return Promise.resolve();
  }

  show(): Promise<unknown> {
    const events = Object.fromEntries(
      [...this.#events].map(([key, { word, token, place }]) => [key, `${word}${token} ${place ?? ''}`]),
    );
    return Promise.resolve({ order: this.#order, events, spent: this.#spent });
  }
}

/** The scripts, for a gateway with some encryption keys. */
class Scripts implements Played {
  readonly #redis: Redis;
  readonly #sealings: readonly Sealing[];
  readonly #prefix: string;
  readonly #events = new Set<string>();

  constructor(redis: Redis, sealings: readonly Sealing[], prefix: string) {
    this.#redis = redis;
    this.#sealings = sealings;
    this.#prefix = prefix;
  }

  async claim(
    { token, eventKey, isPreview, passes, requestedAtMs }: Tried,
    wasAlone = false,
  ): Promise<Reply> {
    this.#events.add(eventKey);
    const limit = wasAlone ? [] : this.#names('limit');
    const keys = [...this.#names(eventKey), ...limit, ...this.#names('order')];
    const [isFirst, , place, current, ...exceeded] = await this.#run('claimEvent', keys, [
      ...[token, LIFE_MS, 0, this.#sealings.length, isPreview ? 'preview' : 'code'],
      ...[wasAlone ? 'alone' : passes, LIFE_MS, requestedAtMs, ...namesInOrder(this.#sealings, eventKey)],
      ...(wasAlone ? [] : [POINTS, LIFE_MS]),
    ]);
    if (isFirst !== 1) return { isFirst: false };
    // A late claim after its own release.
    if (place === '') return { isFirst: true };
    const isExceeded = exceeded.length > 0;
    return { isFirst: true, place: String(place), isCurrent: CURRENT[String(current)], isExceeded };
  }

  async settle(
    { token, eventKey, isPreview, passes, requestedAtMs }: Tried,
    { isAlone, place }: { isAlone: boolean; place: string | undefined },
  ): Promise<void> {
    this.#events.add(eventKey);
    const isOrdered = passes === 'always' && !isPreview;
    const keys = [...this.#names(eventKey), ...(isOrdered ? this.#names('order') : [])];
    const answers = this.#sealings.map(() => 'sealed \n answer');
    await this.#run('settleEvent', keys, [
      ...[token, LIFE_MS, this.#sealings.length, isAlone ? 1 : 0, place ?? '', LIFE_MS, requestedAtMs],
      ...[...answers, ...namesInOrder(this.#sealings, eventKey)],
    ]);
  }

  async release({ token, eventKey }: Tried, place: string | undefined): Promise<void> {
    this.#events.add(eventKey);
    const keys = [...this.#names(eventKey), ...this.#names('limit'), ...this.#names('order')];
    await this.#run('releaseEvent', keys, [token, LIFE_MS, this.#sealings.length, place ?? '', LIFE_MS]);
  }

  async use(usedAtMs: number): Promise<void> {
    await this.#run('useCode', this.#names('order'), [usedAtMs]);
  }

  async isCurrent({ eventKey, place = '', isPreview }: PlacedEvent): Promise<boolean | 'unknown'> {
    const args = [place, isPreview ? 'preview' : 'code', ...namesInOrder(this.#sealings, eventKey)];
    const keys = [...this.#names(eventKey), ...this.#names('order')];
    const [current] = await this.#run('isCurrent', keys, args);
    return CURRENT[String(current)]!;
  }

  async forget(what: string): Promise<void> {
    await this.#redis.del(...this.#names(what));
  }

  async show(): Promise<unknown> {
    const words = ['order', 'limit', ...this.#events];
    const values = await this.#redis.mget(words.flatMap((word) => this.#names(word)));
    const shown = this.#sealings.map((sealing, at) => {
      const [order, spent, ...events] = words.map((_, index) => values[index * this.#sealings.length + at]);
      const nameOf = (name: string): string =>
        [...this.#events].find((key) => namesInOrder([sealing], key)[0] === name) ?? name;
      return {
        order: readOrder(order ?? '', nameOf),
        events: Object.fromEntries(
          [...this.#events].flatMap((key, index) => {
            const [, known] = /^(\S+ \S*)/.exec(events[index] ?? '') ?? [];
            return known === undefined ? [] : [[key, known]];
          }),
        ),
        spent: Number(spent ?? 0),
      };
    });
    const [first, ...others] = shown;
    // With all keys, the copies say the same.
    for (const other of others) expect(other).to.deep.equal(first);
    return first;
  }

  #names(word: string): string[] {
    return this.#sealings.map(({ id }) => `{order}:${this.#prefix}:${id}:${word}`);
  }

  async #run(
    name: (typeof PLAYED)[number],
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<readonly unknown[]> {
    const reply: unknown = await this.#redis.evalsha(DIGESTS[name] ?? '', keys.length, ...keys, ...args);
    return Array.isArray(reply) ? reply : [reply];
  }
}

function readOrder(value: string, nameOf: (name: string) => string): OrderRecord | undefined {
  const [, count, epoch = '', place, newest = '', requestedAt] =
    /^(\d+)\.([^:]+):(\d+):([^:]+):(\d+)$/.exec(value) ?? [];
  if (count === undefined) return undefined;
  return {
    count: Number(count),
    epoch,
    newestPlace: Number(place),
    newestEvent: nameOf(newest),
    requestedAtMs: Number(requestedAt),
  };
}

describe("the scripts of the order of a person's codes", function () {
  this.timeout(120_000);
  let server: RedisServer;
  const closers = new Closers();
  before(async function () {
    needRedis(this);
    server = closers.add(await startRedis(), (one) => one.close());
    for (const name of PLAYED) DIGESTS[name] = String(await server.admin.script('LOAD', SCRIPTS[name]));
  });
  after(() => closers.closeAll());

  it('do what the functions of the memory state do, with one and two encryption keys, whatever comes twice or late', async () => {
    for (let first = 1; first <= runs(20, 6_000); first += AT_ONCE) {
      const seeds = Array.from({ length: AT_ONCE }, (_, at) => first + at);
      await Promise.all(
        seeds.map((seed) => {
          const scripts = new Scripts(server.admin, SEALINGS.slice(seed % 2), String(seed));
          return playSchedule(seed, new Model(), scripts);
        }),
      );
    }
  });
});

/** Plays one schedule on both, and compares each reply and all values. */
async function playSchedule(seed: number, model: Model, scripts: Scripts): Promise<void> {
  const chance = chanceOf(seed, 'order');
  const of = <T>(items: readonly T[]): T => items[between(chance, 0, items.length - 1)]!;
  const eventKeys = ['one', 'two', 'three', 'preview'];
  const tried: Tried[] = [];
  const tellLate: Tried[] = [];
  const places = new Map<string, string | undefined>();
  const steps: string[] = [];
  const historyOf = (): string => `seed ${seed}: ${steps.join('; ')}`;
  const both = async <T>(step: string, play: (state: Played) => Promise<T>): Promise<T> => {
    steps.push(step);
    const [expected, found] = [await play(model), await play(scripts)];
    expect(found, historyOf()).to.deep.equal(expected);
    return found;
  };
  const claim = async (one: Tried): Promise<void> => {
    const reply = await both(`claim ${one.eventKey} ${one.token} ${one.passes}`, (state) => state.claim(one));
    if (reply.isFirst) places.set(one.token, reply.place);
  };
  for (let at = 1; at <= 25; at += 1) {
    const lot = chance();
    if (tried.length === 0 || lot < 0.35) {
      const eventKey = of(eventKeys);
      const one: Tried = {
        token: `t${at}`,
        eventKey,
        isPreview: eventKey === 'preview',
        passes: of(['never', 'withinLimits', 'always', 'always']),
        requestedAtMs: between(chance, 1, 9),
      };
      tried.push(one);
      // Without its claim, the process has decided alone. Redis may learn of it later, and the claim may come late.
      if (chance() < 0.8) await claim(one);
      else if (chance() < 0.5 && one.passes === 'always') tellLate.push(one);
    } else if (lot < 0.4 && tellLate.length > 0) {
      const one = tellLate.splice(0, 1)[0]!;
      await both(`late ${one.eventKey} ${one.token}`, (state) => state.claim(one, true));
    } else if (lot < 0.5) await claim(of(tried));
    else if (lot < 0.7) {
      const one = of(tried);
      const how = { isAlone: !places.has(one.token), place: places.get(one.token) };
      await both(`settle ${one.token}${how.isAlone ? ' alone' : ''}`, (state) => state.settle(one, how));
    } else if (lot < 0.85) {
      const one = of(tried);
      await both(`release ${one.token}`, (state) => state.release(one, places.get(one.token)));
    } else if (lot < 0.92) {
      const usedAtMs = between(chance, 1, 9);
      await both(`use at ${usedAtMs}`, (state) => state.use(usedAtMs));
    } else {
      const what = of(['order', ...eventKeys]);
      await both(`forget ${what}`, (state) => state.forget(what));
    }
    const { eventKey, isPreview, token } = of(tried);
    const event = { eventKey, isPreview, place: places.get(token) };
    await both(`look ${token}`, (state) => state.isCurrent(event));
    expect(await scripts.show(), historyOf()).to.deep.equal(await model.show());
  }
}
