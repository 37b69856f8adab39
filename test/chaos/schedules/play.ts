import type { HookEvent } from '#lib/index.js';
import { between, chanceOf } from '../chance.js';
import type {
  ClockJumpFact,
  FeltFact,
  HookEventFact,
  OutageFact,
  RunFacts,
  WipeFact,
} from '../account/facts.js';
import { readHookEvent } from '../account/hook-event.js';
import { Callers } from './callers.js';
import { SimulatedGateway } from './gateway.js';
import type { RedisLine } from './redis-line.js';
import type { SimulatedRedis } from './redis.js';
import type { Script } from './script.js';
import { endOfStep, type Step } from './steps.js';
import type { SimulatedTime } from './time.js';
import { codeOf, EVENTS_PER_USER } from './users.js';
import { Vendors, type Asker } from './vendors.js';

/** Plays one schedule, and returns all records of it. */

/** What all schedules share. */
export interface World {
  readonly redis: SimulatedRedis;
  readonly time: SimulatedTime;
}

/** Until the gateways have opened their connections, milliseconds. */
const STARTED_MS = 50;
/** A call lasts so long at most, milliseconds. */
const CALL_MS = 3_000;
/** From the last fault to the probes, and from the last probe to the end: longer than any late send, milliseconds. */
const QUIET_MS = 10_000;
/** Between two probes: a code is answered, and its way is known, milliseconds. */
const PROBE_MS = 3_500;
/** The events of a user's probes have these numbers. */
const PROBES_FROM = 50;
const OKTA_WAITS_MS = 3_000;
/** A hook that is closed waits for its sends, milliseconds. */
const CLOSING_MS = 15_000;

export async function play(script: Script, world: World): Promise<RunFacts> {
  const played = new Play(script, world);
  try {
    return await played.run();
  } finally {
    await played.close();
  }
}

const TRY_AGAIN = 'TRYAGAIN Multiple keys request during rehashing of slot';

type Disturbance = Exclude<Step, { readonly kind: 'code' | 'word' | 'use' }>;

class Play {
  readonly #script: Script;
  readonly #redis: SimulatedRedis;
  readonly #time: SimulatedTime;
  readonly #vendors: Vendors;
  readonly #callers: Callers;
  /** By their place; a later process replaces an earlier one. */
  readonly #gateways: SimulatedGateway[] = [];
  readonly #closing: Promise<void>[] = [];
  #killsAtSends: Extract<Step, { kind: 'kill at a send' }>[] = [];
  readonly #hookEvents: HookEventFact[] = [];
  readonly #outages: OutageFact[] = [];
  readonly #felt: FeltFact[] = [];
  readonly #wipes: WipeFact[] = [];
  readonly #clockJumps: ClockJumpFact[] = [];

  constructor(script: Script, { redis, time }: World) {
    this.#script = script;
    this.#redis = redis;
    this.#time = time;
    this.#callers = new Callers(script, (index) => this.#near(index));
    this.#vendors = new Vendors(script, {
      onRequest: (asker) => {
        this.#killAtSend(asker, true);
      },
      onMessage: (message, asker) => {
        this.#callers.bringReports(message);
        this.#killAtSend(asker, false);
      },
      onStep: () => {
        redis.steps += 1;
      },
    });
  }

  async run(): Promise<RunFacts> {
    const { gateways, steps, seed, afterSeconds, limit } = this.#script;
    await this.#redis.flush();
    for (let index = 0; index < gateways; index += 1) this.#start(index);
    await this.#time.pass(STARTED_MS);
    for (const step of steps) setTimeout(() => this.#take(step), step.atMs);
    await this.#time.pass(Math.max(...steps.map(endOfStep)) + CALL_MS);
    // From here on nothing is wrong any more.
    for (const { line } of this.#gateways) line.traps.length = 0;
    this.#killsAtSends = [];
    await this.#time.pass(QUIET_MS);
    await this.#probe(chanceOf(seed, 'probes'));
    await this.#time.pass(QUIET_MS);
    const { callbacks, words, uses, events } = this.#callers;
    return {
      ...{ events, callbacks, words, uses, messages: this.#vendors.messages },
      ...{ outages: this.#outages, felt: this.#felt, wipes: this.#wipes, shortages: [] },
      clockJumps: this.#clockJumps,
      ...{ hookEvents: [...this.#hookEvents], sendRequests: this.#vendors.sendRequests },
      ...{ afterSeconds, limit, endsAt: Date.now() },
    };
  }

  /** Closes everything, also what was killed: it waits for answers that never come. */
  async close(): Promise<void> {
    this.#redis.thaw();
    this.#redis.aheadMs = 0;
    this.#redis.refusal = '';
    for (const gateway of this.#gateways) {
      gateway.isClosing = true;
      this.#closing.push(gateway.hook.close());
    }
    const closing = { isOver: false };
    void Promise.all(this.#closing).then(() => (closing.isOver = true));
    for (let passed = 0; !closing.isOver && passed < CLOSING_MS; passed += 500) await this.#time.pass(500);
  }

  /** Repeats every event, then sends each user one more code by each gateway. */
  async #probe(chance: () => number): Promise<void> {
    const { gateways } = this.#script;
    const { called } = this.#callers;
    for (const event of called) {
      this.#callers.call({ ...event, gateway: between(chance, 0, gateways - 1), hangUpMs: OKTA_WAITS_MS });
    }
    await this.#time.pass(PROBE_MS);
    for (let gateway = 0; gateway < gateways; gateway += 1) {
      for (const user of new Set(called.map((event) => event.user))) {
        const event = user * EVENTS_PER_USER + PROBES_FROM + gateway;
        this.#callers.call({ user, event, gateway, hangUpMs: OKTA_WAITS_MS });
      }
      await this.#time.pass(PROBE_MS);
    }
  }

  #start(index: number): void {
    const { keyLists, seed } = this.#script;
    const life = (this.#gateways[index]?.life ?? 0) + 1;
    const chance = chanceOf(seed, `gateway ${index} ${life}`);
    const list = keyLists[between(chance, 0, keyLists.length - 1)] ?? [0];
    const gateway = new SimulatedGateway({ index, life, keys: list.map(keyOf) }, this.#script, {
      ...{ redis: this.#redis, vendors: this.#vendors, chance },
      // By the clock of the schedule: the gateway's may be off.
      onEvent: (event: HookEvent) =>
        void this.#hookEvents.push({ ...readHookEvent(index, event), at: Date.now(), life }),
      onFelt: () => void this.#felt.push({ gateway: index, life, at: Date.now() }),
    });
    this.#gateways[index] = gateway;
    void gateway.open();
  }

  /** A gateway that takes requests: this one if it does. */
  #near(index: number): SimulatedGateway | undefined {
    const inOrder = this.#gateways.map((_, next) => this.#gateways[(index + next) % this.#gateways.length]);
    const open = inOrder.filter((gateway) => gateway?.isDead === false && !gateway.isClosing);
    return open.find((gateway) => gateway?.isReady) ?? open[0];
  }

  #take(step: Step): void {
    switch (step.kind) {
      case 'code':
        this.#callers.call(step);
        return;
      case 'word':
        void this.#callers.bringWord(step);
        return;
      case 'use':
        // Nobody types a code that was not sent.
        if (this.#vendors.messages.some(({ code }) => code === codeOf(step.event)))
          void this.#callers.bringUse(step);
        return;
      default:
        this.#disturb(step);
    }
  }

  #disturb(step: Disturbance): void {
    switch (step.kind) {
      case 'kill at a send':
        this.#killsAtSends.push(step);
        return;
      case 'frozen Redis':
        this.#redis.freeze();
        setTimeout(() => this.#redis.thaw(), step.forMs);
        return;
      case 'flushed Redis':
        this.#wipe();
        void this.#redis.flush();
        return;
      case 'failover':
        this.#failOver(step);
        return;
      case 'clock jump':
        this.#redis.aheadMs += step.byMs;
        this.#clockJumps.push({ at: Date.now(), byMs: step.byMs });
        return;
      case 'evicting Redis':
        this.#wipe();
        void this.#redis.evict(step.share, this.#script.seed);
        return;
      case 'refusing Redis':
        this.#redis.refusal = step.refusal;
        setTimeout(() => (this.#redis.refusal = ''), step.forMs);
        return;
      case 'resharding Redis':
        for (const { line } of this.#gateways) {
          line.refusal = TRY_AGAIN;
          setTimeout(() => (line.refusal = undefined), step.forMs);
        }
        return;
      default: {
        const gateway = this.#gateways[step.gateway];
        if (gateway !== undefined) this.#disturbGateway(gateway, step);
      }
    }
  }

  /** Faults of one gateway, or on its way to Redis. */
  #disturbGateway(gateway: SimulatedGateway, step: Extract<Disturbance, { readonly gateway: number }>): void {
    const { line } = gateway;
    switch (step.kind) {
      case 'kill':
        this.#kill(gateway, step.forMs);
        return;
      case 'restart':
        this.#restart(gateway);
        return;
      case 'cut':
        line.cut();
        return;
      case 'cut at a command':
        line.traps.push({ skip: step.skip, cut: step.cut });
        return;
      case 'kill at a command': {
        const kill = (): void => {
          this.#kill(gateway, step.forMs);
        };
        line.traps.push({ skip: step.skip, cut: step.cut, kill });
        return;
      }
      case 'slow command':
        line.traps.push({ skip: step.skip, lateMs: step.forMs });
        return;
      case 'slow way':
        line.delayMs = step.delayMs;
        setTimeout(() => (line.delayMs = { to: 0, from: 0 }), step.forMs);
        return;
      case 'slow connect':
        line.connectMs = step.connectMs;
        line.cut();
        setTimeout(() => (line.connectMs = 0), step.forMs);
        return;
      case 'no way':
        closeWay(line, step.forMs);
    }
  }

  /** What was remembered is forgotten. @param since - only what was written from then on. */
  #wipe(since?: number): void {
    const now = Date.now();
    this.#wipes.push({ from: now, to: now, since });
  }

  #failOver({ behindMs, forMs }: Extract<Step, { kind: 'failover' }>): void {
    const since = Date.now();
    void this.#redis.leaveReplicaBehind();
    setTimeout(() => {
      this.#wipe(since);
      void this.#redis.failOverToReplica();
      for (const { line } of this.#gateways) closeWay(line, forMs);
    }, behindMs);
  }

  #kill(gateway: SimulatedGateway, forMs: number): void {
    if (gateway.isDead) return;
    const from = Date.now();
    gateway.kill();
    if (this.#script.isInMemory) this.#wipe();
    this.#closing.push(gateway.hook.close());
    setTimeout(() => {
      this.#start(gateway.index);
      this.#outages.push({ gateway: gateway.index, from, to: Date.now() });
    }, forMs);
  }

  #killAtSend({ index, life }: Asker, isBefore: boolean): void {
    const at = this.#killsAtSends.findIndex((kill) => kill.isBefore === isBefore);
    const [kill] = at < 0 ? [] : this.#killsAtSends.splice(at, 1);
    const gateway = this.#gateways[index];
    if (kill !== undefined && gateway?.life === life) this.#kill(gateway, kill.forMs);
  }

  /** Ends it as a deployment does, beside its successor. */
  #restart(gateway: SimulatedGateway): void {
    if (gateway.isDead || gateway.isClosing) return;
    gateway.isClosing = true;
    gateway.hook.drain();
    const from = Date.now();
    const closing = gateway.hook.close().then(() => {
      // Until then, each of the two processes knows only what it got.
      if (this.#script.isInMemory) this.#wipes.push({ from, to: Date.now() });
    });
    this.#closing.push(closing);
    this.#start(gateway.index);
  }
}

function closeWay(line: RedisLine, forMs: number): void {
  line.isUnreachable = true;
  line.cut();
  setTimeout(() => (line.isUnreachable = false), forMs);
}

function keyOf(number: number): string {
  return Buffer.alloc(32, number + 1).toString('base64');
}
