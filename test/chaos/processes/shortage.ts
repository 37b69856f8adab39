import type { OutageFact, ShortageFact, HookEventFact } from '../account/facts.js';
import { overlaps } from '../account/records.js';

/** Recognises times in which a busy machine gave a process no CPU, so that they do not count as faults. */

const LOOK_EVERY_MS = 20;
/** Shorter waits are normal, milliseconds. */
const SHORTEST_MS = 80;
/** The share of CPU of a busy process. A lower share means that the process waited for CPU. */
const BUSY = 0.7;

/** Reports times in which this process had no CPU. */
export function watchForShortage(
  report: (shortage: { readonly from: number; readonly to: number }) => void,
): void {
  let last = { at: performance.now(), cpu: process.cpuUsage() };
  setInterval(() => {
    const now = { at: performance.now(), cpu: process.cpuUsage() };
    const lasted = now.at - last.at;
    const workedMs = (now.cpu.user + now.cpu.system - last.cpu.user - last.cpu.system) / 1000;
    last = now;
    if (lasted < SHORTEST_MS + LOOK_EVERY_MS || workedMs > BUSY * lasted) return;
    report({ from: Date.now() - lasted, to: Date.now() });
  }, LOOK_EVERY_MS).unref();
}

/** The state counts as lost this long after the first missing answer, at most. */
const AROUND_MS = 1_000;

/** A time in which a gateway, or each of them, may lose Redis. */
export type Disturbance = OutageFact;

/**
 * Losses of Redis without a scheduled fault. During a shortage of CPU they are outages like others; else they are
 * problems.
 */
export function readLosses(facts: {
  readonly hookEvents: readonly HookEventFact[];
  /** The faults of Redis, and of the ways to it. */
  readonly disturbances: readonly Disturbance[];
  readonly outages: readonly OutageFact[];
  readonly shortages: readonly ShortageFact[];
}): { readonly outages: readonly OutageFact[]; readonly problems: readonly string[] } {
  const outages: OutageFact[] = [];
  const problems: string[] = [];
  for (const { gateway, at, type, text } of facts.hookEvents) {
    // A hook that is closed gives Redis up.
    if (type !== 'state.lost' || text.includes('STATE_CLOSED')) continue;
    const isExpected = [...facts.disturbances, ...facts.outages].some(
      (outage) => (outage.gateway ?? gateway) === gateway && overlaps(outage, at - AROUND_MS, at),
    );
    if (isExpected) continue;
    const isShort = facts.shortages.some(({ from, to }) => from <= at + AROUND_MS && to >= at - AROUND_MS);
    if (!isShort) problems.push(`gateway ${gateway} lost Redis without a fault of Redis: ${text}`);
    const found = facts.hookEvents.find(
      (later) => later.type === 'state.recovered' && later.gateway === gateway && later.at > at,
    );
    outages.push({ gateway: undefined, from: at - AROUND_MS, to: (found?.at ?? at) + AROUND_MS });
  }
  return { outages, problems };
}
