import type { Allowances } from './allowances.js';
import type { RunFacts } from './facts.js';

/** What gateways say about themselves: each loss of Redis that they have felt, that it is over, and no error of ours. */

/** Faults that are about no single code. */
export const PROBLEMS = {
  unreported: 'a gateway lost a command to Redis, and reported no loss',
  unended: 'a gateway had lost Redis, and has not found it again',
  internal: 'a gateway reports an error of its own',
} as const;

export type ProblemKind = keyof typeof PROBLEMS;

export interface Problem {
  readonly kind: ProblemKind;
  readonly gateway: number;
  readonly at: number;
  readonly text: string;
}

/** From a fault that is felt to its report, milliseconds. */
const REPORTED_MS = 1_000;
/** From the end of all faults to the report that Redis is back, milliseconds. */
const BACK_MS = 5_000;

export function problemsOf(facts: RunFacts, allowances: Allowances): readonly Problem[] {
  return [
    ...unreportedLosses(facts, allowances),
    ...unendedLosses(facts, allowances),
    ...facts.hookEvents
      .filter(({ isInternal }) => isInternal === true)
      .map(
        ({ gateway, at, type, text }) =>
          ({ kind: 'internal', gateway, at, text: `${type} ${text}` }) as const,
      ),
  ];
}

function unreportedLosses({ felt = [] }: RunFacts, allowances: Allowances): readonly Problem[] {
  return felt
    .filter(({ gateway, life, at }) => {
      const isReported = allowances.losses.some(
        (loss) =>
          loss.gateway === gateway && loss.life === life && loss.from <= at + REPORTED_MS && loss.to >= at,
      );
      const to = at + REPORTED_MS;
      return !isReported && !allowances.wasOut(gateway, at, to) && !allowances.wasStarved(gateway, at, to);
    })
    .map(({ gateway, at }) => ({ kind: 'unreported', gateway, at, text: '' }));
}

function unendedLosses({ hookEvents, endsAt = 0 }: RunFacts, allowances: Allowances): readonly Problem[] {
  return allowances.losses
    .filter(({ to, from, gateway, life = 0 }) => {
      // A later process has taken its place.
      const isGone = hookEvents.some((event) => event.gateway === gateway && (event.life ?? 0) > life);
      return to === Infinity && from < endsAt - BACK_MS && !isGone;
    })
    .map(({ gateway, from }) => ({ kind: 'unended', gateway, at: from, text: '' }));
}
