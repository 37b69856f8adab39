import { runLoad } from './load.js';
import type { Process } from './processes.js';
import type { Measurement } from './report.js';
import type { StandInCounts } from './stand-ins.js';

/** A server that is measured. */
export interface Contestant {
  readonly name: string;
  readonly server: Process<{ readonly port: number }>;
}

interface Usage {
  readonly cpuMicroseconds: number;
}

/** Enough for V8 to have compiled what is hot, and for caches and pools to be full. */
const WARM_UP_REQUESTS = 5_000;

/**
 * Short turns, every server in each round and every round in another order: what else this machine does meets all
 * alike, and each round gives ratios of its own.
 */
export async function runRounds(
  contestants: readonly Contestant[],
  standIns: Process<unknown>,
  limits: { readonly rounds: number; readonly seconds: number; readonly connections: readonly number[] },
): Promise<Measurement[]> {
  for (const { server } of contestants) {
    await runLoad(server.started.port, { connections: 32, requests: WARM_UP_REQUESTS });
    await runLoad(server.started.port, { connections: 1, requests: WARM_UP_REQUESTS / 10 });
  }
  const measurements: Measurement[] = [];
  for (const connections of limits.connections) {
    for (let round = 0; round < limits.rounds; round += 1) {
      const first = round % contestants.length;
      const order = [...contestants.slice(first), ...contestants.slice(0, first)];
      for (const contestant of order) {
        const measured = await measure(contestant, standIns, { connections, seconds: limits.seconds });
        measurements.push({ ...measured, round });
      }
    }
  }
  return measurements;
}

async function measure(
  { name, server }: Contestant,
  standIns: Process<unknown>,
  limits: { readonly connections: number; readonly seconds: number },
): Promise<Omit<Measurement, 'round'>> {
  const standInsBefore = await standIns.ask<StandInCounts>('counts');
  const before = await server.ask<Usage>('usage');
  const load = await runLoad(server.started.port, limits);
  const after = await server.ask<Usage>('usage');
  const standInsAfter = await standIns.ask<StandInCounts>('counts');
  assertWorkDone(name, load.requests, standInsBefore, standInsAfter);
  return {
    name,
    connections: limits.connections,
    requestsPerSecond: load.requests / load.seconds,
    p50Ms: load.p50Ms,
    p99Ms: load.p99Ms,
    cpuMicroseconds: (after.cpuMicroseconds - before.cpuMicroseconds) / load.requests,
    standInShare:
      (standInsAfter.cpuMicroseconds - standInsBefore.cpuMicroseconds) / (load.seconds * 1_000_000),
  };
}

/** A server that makes fewer calls is not faster; every second user opted in. */
function assertWorkDone(name: string, requests: number, before: StandInCounts, after: StandInCounts): void {
  const made = {
    okta: after.oktaCalls - before.oktaCalls,
    twilio: after.twilioCalls - before.twilioCalls,
    whatsApp: after.whatsAppCalls - before.whatsAppCalls,
    stray: after.strayCalls - before.strayCalls,
  };
  const isHalfByWhatsApp = Math.abs(made.whatsApp * 2 - requests) <= 1;
  if (made.okta !== requests || made.twilio !== requests || made.stray !== 0 || !isHalfByWhatsApp) {
    throw new Error(`${name} did other work for ${requests} requests: ${JSON.stringify(made)}`);
  }
}
