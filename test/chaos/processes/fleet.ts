import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent } from 'undici';
import type { FeltFact, HookEventFact, OutageFact, ShortageFact } from '../account/facts.js';
import { readHookEvent } from '../account/hook-event.js';
import { startScript } from './children.js';
import type { GatewayMessage, GatewaySettings } from './gateway.js';
import type { MemoryFact } from './memory.js';
import { Way } from './way.js';

/** A gateway for the balancer: its address, its connections, and whether it is ready. */
export interface Gateway {
  readonly index: number;
  /** How often it has started. */
  readonly life: number;
  readonly origin: string;
  readonly agent: Agent;
  isUp: boolean;
}

export interface FleetOptions {
  /** The error of each wall clock, milliseconds. There are as many gateways. */
  readonly clocks: readonly number[];
  /** The programs of Node.js that the gateways take in turn. */
  readonly nodes: readonly string[];
  /** The lists of encryption keys that the gateways take in turn. */
  readonly keyLists: readonly (readonly string[])[];
  readonly redisPort: number;
  readonly settings: Omit<GatewaySettings, 'offByMs' | 'redisUrl' | 'encryptionKeys'>;
}

/** The time that a stopped gateway needs to catch up, milliseconds. */
const CATCH_UP_MS = 1_000;
/** The longest drain: grace, one call, detached sends, milliseconds. */
const DRAIN_MS = 20_000;

/** The gateway processes, and the faults on them. */
export class Fleet {
  readonly outages: OutageFact[] = [];
  readonly hookEvents: HookEventFact[] = [];
  readonly shortages: ShortageFact[] = [];
  readonly felt: FeltFact[] = [];
  readonly memory: MemoryFact[] = [];
  /** Faults of a process: it exits by itself, or does not exit after SIGTERM. */
  readonly problems: string[] = [];
  readonly #options: FleetOptions;
  readonly #ways: readonly Way[];
  readonly #gateways = new Map<number, { readonly gateway: Gateway; readonly child: ChildProcess }>();
  readonly #endings = new Set<ChildProcess>();
  readonly #lives: number[] = [];
  /** The actions on each gateway, one after the other. */
  readonly #work = new Map<number, Promise<void>>();

  private constructor(options: FleetOptions, ways: readonly Way[]) {
    this.#options = options;
    this.#ways = ways;
  }

  static async start(options: FleetOptions): Promise<Fleet> {
    const ways = await Promise.all(
      options.clocks.map((_, index) =>
        Way.start(options.redisPort, () => {
          fleet.#noteFelt(index);
        }),
      ),
    );
    const fleet = new Fleet(options, ways);
    await Promise.all(options.clocks.map((_, index) => fleet.#start(index)));
    return fleet;
  }

  get gateways(): readonly Gateway[] {
    return [...this.#gateways.values()].map(({ gateway }) => gateway);
  }

  /** The way of a gateway to Redis. */
  wayOf(index: number): Way {
    const way = this.#ways[index];
    if (way === undefined) throw new Error(`there is no gateway ${index}`);
    return way;
  }

  /** Kills it, and starts it again. */
  kill(index: number, forMs: number): Promise<void> {
    return this.#inTurn(index, async () => {
      const from = Date.now();
      await this.#end(index, 'SIGKILL');
      await wait(forMs);
      await this.#startAgain(index);
      this.outages.push({ gateway: index, from, to: Date.now() });
    });
  }

  /** Stops its process for a while. */
  stop(index: number, forMs: number): Promise<void> {
    return this.#inTurn(index, async () => {
      const from = Date.now();
      const child = this.#gateways.get(index)?.child;
      child?.kill('SIGSTOP');
      await wait(forMs);
      child?.kill('SIGCONT');
      this.outages.push({ gateway: index, from, to: Date.now() + CATCH_UP_MS });
    });
  }

  /** Sets its wall clock off by this, until it starts again. */
  setClock(index: number, offByMs: number): Promise<void> {
    return this.#inTurn(index, async () => {
      const child = this.#gateways.get(index)?.child;
      if (child?.connected === true) child.send({ offByMs });
    });
  }

  /** Ends it by SIGTERM, as a deployment does, and starts it again. This must be no outage. */
  drain(index: number): Promise<void> {
    return this.#inTurn(index, async () => {
      await this.#end(index, 'SIGTERM');
      await this.#startAgain(index);
    });
  }

  async drainAll(): Promise<void> {
    await Promise.all(
      this.gateways.map(({ index }) => this.#inTurn(index, () => this.#end(index, 'SIGTERM'))),
    );
    for (const way of this.#ways) way.close();
  }

  async #inTurn(index: number, work: () => Promise<void>): Promise<void> {
    const turn = (this.#work.get(index) ?? Promise.resolve()).then(work);
    this.#work.set(index, turn);
    await turn;
  }

  /** A process that ends or is stopped feels nothing. */
  #noteFelt(index: number): void {
    const entry = this.#gateways.get(index);
    if (entry === undefined || this.#endings.has(entry.child)) return;
    this.felt.push({ gateway: index, life: entry.gateway.life, at: Date.now() });
  }

  /** A gateway that does not start again is a problem for the report, not the end of the run. */
  async #startAgain(index: number): Promise<void> {
    await this.#start(index).catch((error: unknown) => this.problems.push(String(error)));
  }

  async #start(index: number): Promise<void> {
    const { settings, clocks, keyLists, nodes } = this.#options;
    const life = (this.#lives[index] ?? 0) + 1;
    this.#lives[index] = life;
    const own: GatewaySettings = {
      ...settings,
      offByMs: clocks[index] ?? 0,
      redisUrl: `redis://127.0.0.1:${this.wayOf(index).port}`,
      encryptionKeys: keyLists[(index + life) % keyLists.length] ?? [],
    };
    const child = startScript('gateway.ts', own, nodes[(index + life) % nodes.length]);
    const port = await new Promise<number>((resolve, reject) => {
      child.on('message', (message: GatewayMessage) => {
        if ('port' in message) resolve(message.port);
        else this.#note(message, index, life);
      });
      child.once('exit', (code) => {
        reject(new Error(`gateway ${index} ended with ${code ?? 'a signal'} before it was ready`));
      });
    });
    child.once('exit', (code, signal) => {
      this.#gateways.delete(index);
      if (this.#endings.delete(child)) return;
      this.#noteEnd(index, signal ?? String(code ?? 'nothing'));
    });
    const agent = new Agent({ connections: null });
    const gateway = { index, life, origin: `http://127.0.0.1:${port}`, agent, isUp: true };
    this.#gateways.set(index, { gateway, child });
  }

  #note(message: Exclude<GatewayMessage, { readonly port: number }>, index: number, life: number): void {
    if ('hookEvent' in message) this.hookEvents.push({ ...readHookEvent(index, message.hookEvent), life });
    else if ('memory' in message) this.memory.push({ gateway: index, life, ...message.memory });
    else this.shortages.push({ gateway: index, ...message.shortage });
  }

  /** A gateway that has ended by itself starts again, as it would anywhere, so that the run goes on. */
  #noteEnd(index: number, how: string): void {
    this.problems.push(`gateway ${index} ended by itself with ${how}`);
    const from = Date.now();
    void this.#inTurn(index, async () => {
      await this.#startAgain(index);
      this.outages.push({ gateway: index, from, to: Date.now() });
    });
  }

  async #end(index: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const entry = this.#gateways.get(index);
    if (entry === undefined) return;
    const { child, gateway } = entry;
    const ended = once(child, 'exit') as Promise<[number | null]>;
    this.#endings.add(child);
    child.kill(signal);
    if (signal === 'SIGTERM') {
      const [code] = await Promise.race([ended, wait(DRAIN_MS, ['not in time'] as const)]);
      if (code !== 0) this.problems.push(`gateway ${index} ended after SIGTERM with ${code ?? 'a signal'}`);
      child.kill('SIGKILL');
    }
    await ended;
    await gateway.agent.destroy();
  }
}
