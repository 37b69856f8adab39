import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent } from 'undici';
import type { OutageFact, ShortageFact, HookEventFact } from './facts.js';
import type { GatewayMessage, GatewaySettings } from './gateway.js';
import { startScript } from './processes.js';
import { readHookEvent } from './hook-event.js';

/** A gateway for the balancer: its address, its connections, and whether it is ready. */
export interface Gateway {
  readonly index: number;
  readonly origin: string;
  readonly agent: Agent;
  isUp: boolean;
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
  /** Faults of a process: it exits by itself, or does not exit after SIGTERM. */
  readonly problems: string[] = [];
  readonly #clocks: readonly number[];
  readonly #settings: Omit<GatewaySettings, 'offByMs'>;
  readonly #gateways = new Map<number, { readonly gateway: Gateway; readonly child: ChildProcess }>();
  readonly #endings = new Set<ChildProcess>();
  /** The actions on each gateway, one after the other. */
  readonly #work = new Map<number, Promise<void>>();

  private constructor(clocks: readonly number[], settings: Omit<GatewaySettings, 'offByMs'>) {
    this.#clocks = clocks;
    this.#settings = settings;
  }

  /** @param clocks - the error of each wall clock, milliseconds. */
  static async start(clocks: readonly number[], settings: Omit<GatewaySettings, 'offByMs'>): Promise<Fleet> {
    const fleet = new Fleet(clocks, settings);
    await Promise.all(clocks.map((_, index) => fleet.#start(index)));
    return fleet;
  }

  get gateways(): readonly Gateway[] {
    return [...this.#gateways.values()].map(({ gateway }) => gateway);
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
  setClock(index: number, offByMs: number): void {
    this.#gateways.get(index)?.child.send({ offByMs });
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
  }

  async #inTurn(index: number, work: () => Promise<void>): Promise<void> {
    const turn = (this.#work.get(index) ?? Promise.resolve()).then(work);
    this.#work.set(index, turn);
    await turn;
  }

  /** A gateway that does not start again is a problem for the report, not the end of the run. */
  async #startAgain(index: number): Promise<void> {
    await this.#start(index).catch((error: unknown) => this.problems.push(String(error)));
  }

  async #start(index: number): Promise<void> {
    const child = startScript('gateway.ts', { ...this.#settings, offByMs: this.#clocks[index] ?? 0 });
    const port = await new Promise<number>((resolve, reject) => {
      child.on('message', (message: GatewayMessage) => {
        if ('port' in message) resolve(message.port);
        else if ('hookEvent' in message) this.hookEvents.push(readHookEvent(index, message.hookEvent));
        else this.shortages.push({ gateway: index, ...message.shortage });
      });
      child.once('exit', (code) => {
        reject(new Error(`gateway ${index} ended with ${code ?? 'a signal'} before it was ready`));
      });
    });
    child.once('exit', (code, signal) => {
      this.#gateways.delete(index);
      if (this.#endings.delete(child)) return;
      this.problems.push(`gateway ${index} ended by itself with ${signal ?? code ?? 'nothing'}`);
    });
    const agent = new Agent({ connections: null });
    const gateway = { index, origin: `http://127.0.0.1:${port}`, agent, isUp: true };
    this.#gateways.set(index, { gateway, child });
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
