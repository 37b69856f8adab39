import { runLoad } from './load.js';
import type { Process } from './processes.js';
import type { Measurement } from './report.js';
import type { StandInCounts } from './stand-ins.js';

/** A server that is measured. */
export interface Contestant {
  readonly name: string;
  readonly server: Process<{ readonly port: number }>;
  /** How many share its port; 1 by default. */
  readonly processes?: number;
}

interface Usage {
  readonly cpuMicroseconds: number;
}

/** By process: enough for V8 to have compiled what is hot, and for caches and pools to be full. */
const WARM_UP_REQUESTS = 5_000;

/** How long a turn is, and at which load. */
export interface Turn {
  readonly connections: number;
  readonly seconds: number;
}

/** What a turn tells of one server. */
export type Measured = Omit<Measurement, 'round'>;

/**
 * Short turns, every server in each round and every round in another order: what else this machine does meets all
 * alike, and each round gives ratios of its own.
 */
export async function runRounds<Told extends Measured, C extends Contestant>(
  contestants: readonly C[],
  limits: { readonly rounds: number; readonly seconds: number; readonly connections: readonly number[] },
  measure: (contestant: C, turn: Turn) => Promise<Told>,
): Promise<(Told & { readonly round: number })[]> {
  for (const { server, processes = 1 } of contestants) {
    await runLoad(server.started.port, { connections: 32, requests: WARM_UP_REQUESTS * processes });
    await runLoad(server.started.port, { connections: 1, requests: WARM_UP_REQUESTS / 10 });
  }
  const measurements: (Told & { readonly round: number })[] = [];
  for (const connections of limits.connections) {
    for (let round = 0; round < limits.rounds; round += 1) {
      const first = round % contestants.length;
      const order = [...contestants.slice(first), ...contestants.slice(0, first)];
      for (const contestant of order) {
        const measured = await measure(contestant, { connections, seconds: limits.seconds });
        measurements.push({ ...measured, round });
      }
    }
  }
  return measurements;
}

/** @param optedInShare - of the users, as the stand-ins tell it. */
export async function measureServer(
  { name, server }: Contestant,
  standIns: Process<unknown>,
  turn: Turn,
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

/** A server that makes fewer calls is not faster. */
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
