import type { OutageFact, ShortageFact, ToldFact } from './facts.js';
import { overlaps } from './records.js';

/** A machine that has too much to do stops processes, too, without telling anybody: what it did is told apart. */

const LOOK_EVERY_MS = 20;
/** Shorter ones are everyday life, milliseconds. */
const SHORTEST_MS = 80;
/** Of a process that works all the time; less means that it waited for a processor. */
const BUSY = 0.7;

/** Tells when this process wanted to run and was not let. */
export function watchForShortage(
  tell: (shortage: { readonly from: number; readonly to: number }) => void,
): void {
  let last = { at: performance.now(), cpu: process.cpuUsage() };
  setInterval(() => {
    const now = { at: performance.now(), cpu: process.cpuUsage() };
    const lasted = now.at - last.at;
    const workedMs = (now.cpu.user + now.cpu.system - last.cpu.user - last.cpu.system) / 1000;
    last = now;
    if (lasted < SHORTEST_MS + LOOK_EVERY_MS || workedMs > BUSY * lasted) return;
    tell({ from: Date.now() - lasted, to: Date.now() });
  }, LOOK_EVERY_MS).unref();
}

/** So long before Redis counts as lost its answers were due, and so long after it they were waited for. */
const AROUND_MS = 1_000;

/**
 * When gateways lost Redis though nobody had touched it: where the machine was short of processors, that is an outage
 * like others; where not, it must not be.
 */
export function readLosses(facts: {
  readonly told: readonly ToldFact[];
  readonly outages: readonly OutageFact[];
  readonly shortages: readonly ShortageFact[];
}): { readonly outages: readonly OutageFact[]; readonly problems: readonly string[] } {
  const outages: OutageFact[] = [];
  const problems: string[] = [];
  for (const { gateway, at, type, text } of facts.told) {
    if (type !== 'state.lost') continue;
    const isExpected = facts.outages.some(
      (outage) => (outage.gateway ?? gateway) === gateway && overlaps(outage, at - AROUND_MS, at),
    );
    if (isExpected) continue;
    const isShort = facts.shortages.some(({ from, to }) => from <= at + AROUND_MS && to >= at - AROUND_MS);
    if (!isShort) problems.push(`gateway ${gateway} lost Redis, though nobody had touched it: ${text}`);
    const found = facts.told.find(
      (later) => later.type === 'state.recovered' && later.gateway === gateway && later.at > at,
    );
    outages.push({ gateway: undefined, from: at - AROUND_MS, to: (found?.at ?? at) + AROUND_MS });
  }
  return { outages, problems };
}
