import { runLoad, type LoadLimits } from './load.js';
import type { Process } from './processes.js';
import type { Measurement } from './report.js';
import type { StandInCounts } from './stand-ins.js';

/** A server to measure. */
export interface Contestant {
  readonly name: string;
  readonly server: Process<{ readonly port: number }>;
  /** The number of processes that share its port. Default: 1. */
  readonly processes?: number;
}

interface Usage {
  readonly cpuMicroseconds: number;
}

/** The load of the warm-up. */
export const WARM_UP_CONNECTIONS = 32;

/** The first codes of a new process, which cost more than twice as much as later codes. */
export const COLD_REQUESTS = 2_000;

/** Per process: on Node 24 the CPU time of a code falls over about so many codes. */
export const WARM_UP_REQUESTS = 30_000;

/** The measurement of one server in one turn. */
export type Measured = Omit<Measurement, 'round'>;

/** What was measured of the first codes of each server, in round 0, and of later codes. */
export interface Rounds<Result> {
  readonly cold: readonly (Result & { readonly round: number })[];
  readonly warm: readonly (Result & { readonly round: number })[];
}

/**
 * Short turns: every server in each round, each round in another order. Other load on this machine then affects all
 * servers alike, and each round gives its own ratios.
 */
export async function runRounds<Result extends Measured, C extends Contestant>(
  contestants: readonly C[],
  limits: { readonly rounds: number; readonly seconds: number; readonly connections: readonly number[] },
  measure: (contestant: C, turn: LoadLimits) => Promise<Result>,
): Promise<Rounds<Result>> {
  const cold: (Result & { readonly round: number })[] = [];
  for (const contestant of contestants) {
    const { server, processes = 1 } = contestant;
    const first = { connections: WARM_UP_CONNECTIONS, requests: COLD_REQUESTS * processes };
    cold.push({ ...(await measure(contestant, first)), round: 0 });
    await runLoad(server.started.port, { ...first, requests: WARM_UP_REQUESTS * processes });
    await runLoad(server.started.port, { connections: 1, requests: 500 });
  }
  const warm: (Result & { readonly round: number })[] = [];
  for (const connections of limits.connections) {
    for (let round = 0; round < limits.rounds; round += 1) {
      const first = round % contestants.length;
      const order = [...contestants.slice(first), ...contestants.slice(0, first)];
      for (const contestant of order) {
        const measured = await measure(contestant, { connections, seconds: limits.seconds });
        warm.push({ ...measured, round });
      }
    }
  }
  return { cold, warm };
}

/** @param optedInShare - the share of users whose profile at the stand-ins has the opt-in. */
export async function measureServer(
  { name, server }: Contestant,
  standIns: Process<unknown>,
  turn: LoadLimits,
  optedInShare = 0.5,
): Promise<Measured> {
  const standInsBefore = await standIns.ask<StandInCounts>('counts');
  const before = await server.ask<Usage>('usage');
  const load = await runLoad(server.started.port, turn);
  const after = await server.ask<Usage>('usage');
  const standInsAfter = await standIns.ask<StandInCounts>('counts');
  assertWorkDone(name, load.requests * optedInShare, load.requests, standInsBefore, standInsAfter);
  return {
    name,
    connections: turn.connections,
    requests: load.requests,
    requestsPerSecond: load.requests / load.seconds,
    p50Ms: load.p50Ms,
    p99Ms: load.p99Ms,
    cpuMicroseconds: (after.cpuMicroseconds - before.cpuMicroseconds) / load.requests,
    standInShare:
      (standInsAfter.cpuMicroseconds - standInsBefore.cpuMicroseconds) / (load.seconds * 1_000_000),
  };
}

/** Throws if a server made fewer or other calls, which would make it look faster. */
function assertWorkDone(
  name: string,
  optedIn: number,
  requests: number,
  before: StandInCounts,
  after: StandInCounts,
): void {
  const made = {
    okta: after.oktaCalls - before.oktaCalls,
    twilio: after.twilioCalls - before.twilioCalls,
    whatsApp: after.whatsAppCalls - before.whatsAppCalls,
    stray: after.strayCalls - before.strayCalls,
  };
  const isOptInKept = Math.abs(made.whatsApp - optedIn) < 1;
  if (made.okta !== requests || made.twilio !== requests || made.stray !== 0 || !isOptInKept) {
    throw new Error(`${name} did other work for ${requests} requests: ${JSON.stringify(made)}`);
  }
}
