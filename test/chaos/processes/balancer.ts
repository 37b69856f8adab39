import { setTimeout as wait } from 'node:timers/promises';
import { request } from 'undici';
import type { CallFact } from '../account/facts.js';
import type { Fleet, Gateway } from './fleet.js';

/** A request for any of the gateways. */
export interface Passing {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The time limit. */
  readonly waitMs: number;
  /** The caller hangs up after this. Default: never. */
  readonly hangUpMs?: number | undefined;
  /** Called with each gateway that is tried. */
  readonly onGateway?: ((index: number) => void) | undefined;
}

/** The answer, and the gateway that gave it. */
export interface Passed {
  readonly gateway: number | undefined;
  readonly life: number | undefined;
  readonly status: number | undefined;
  readonly text: string;
  readonly problem: CallFact['problem'];
}

const PROBE_EVERY_MS = 250;
const PROBE_WAITS_MS = 700;

/** Spreads requests over the gateways that are ready, and tries the next one if a connection is refused. */
export class Balancer {
  readonly #fleet: Fleet;
  #turn = 0;
  #isEnded = false;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** Probes the gateways until end(). */
  async probe(): Promise<void> {
    while (!this.#isEnded) {
      await Promise.all([...this.#fleet.gateways.map((gateway) => probe(gateway)), wait(PROBE_EVERY_MS)]);
    }
  }

  end(): void {
    this.#isEnded = true;
  }

  /** Never rejects. */
  async pass({ path, headers, body, waitMs, hangUpMs = Infinity, onGateway }: Passing): Promise<Passed> {
    const signal = AbortSignal.timeout(Math.min(waitMs, hangUpMs));
    const refused = new Set<string>();
    for (;;) {
      const gateway = this.#next(refused);
      const { index, life } = gateway ?? {};
      const nothing = { gateway: index, life, status: undefined, text: '' };
      if (gateway === undefined) return { ...nothing, problem: 'no gateway' };
      const { origin, agent } = gateway;
      onGateway?.(gateway.index);
      try {
        const url = origin + path;
        const answer = await request(url, { dispatcher: agent, method: 'POST', headers, body, signal });
        const text = await answer.body.text();
        return { ...nothing, status: answer.statusCode, text, problem: undefined };
      } catch (error) {
        if (isRefused(error) && !signal.aborted) {
          gateway.isUp = false;
          refused.add(origin);
          continue;
        }
        if (!signal.aborted) return { ...nothing, problem: 'connection lost' };
        return { ...nothing, problem: hangUpMs < waitMs ? 'hung up' : 'no answer in time' };
      }
    }
  }

  #next(refused: ReadonlySet<string>): Gateway | undefined {
    const { gateways } = this.#fleet;
    const up = gateways.filter(({ isUp }) => isUp);
    // If no gateway is ready, it still tries one.
    const choice = up.length > 0 ? up : gateways.filter(({ origin }) => !refused.has(origin));
    this.#turn += 1;
    return choice[this.#turn % choice.length];
  }
}

async function probe(gateway: Gateway): Promise<void> {
  try {
    const { statusCode, body } = await request(`${gateway.origin}/health/ready`, {
      dispatcher: gateway.agent,
      signal: AbortSignal.timeout(PROBE_WAITS_MS),
    });
    await body.dump();
    gateway.isUp = statusCode === 200;
  } catch {
    gateway.isUp = false;
  }
}

/** The request has not reached the gateway. */
function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}
