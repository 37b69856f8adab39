import { between, chanceOf, shuffled } from './chance.js';

/** The faults of the processes. The emulators' bad day has the faults of the vendors. */

export type FaultKind =
  'kill a gateway' | 'stop a gateway' | 'drain a gateway' | 'set a clock' | 'kill Redis' | 'stop Redis';

export interface ProcessFault {
  readonly kind: FaultKind;
  /** From the start of the load. */
  readonly atMs: number;
  /** The duration. After it, a killed gateway starts again, and Redis starts empty. */
  readonly forMs: number;
  /** The index of the gateway, from 0. */
  readonly gateway?: number | undefined;
  /** The error of its wall clock from then on, milliseconds. */
  readonly offByMs?: number | undefined;
}

/**
 * The range of a wall clock's error, milliseconds. Codes are valid for five minutes, and a gateway refuses a request
 * whose code expired more than two minutes ago by its clock.
 */
const OFF_BY_MS = [-3_600_000, 360_000] as const;

/** The error of each gateway's wall clock at its start, milliseconds. The first clock is right. */
export function clocksOf(seed: number, gateways: number): readonly number[] {
  const chance = chanceOf(seed, 'clocks');
  return Array.from({ length: gateways }, (_, index) => (index === 0 ? 0 : between(chance, ...OFF_BY_MS)));
}

const KINDS: readonly FaultKind[] = [
  'kill a gateway',
  'stop a gateway',
  'drain a gateway',
  'set a clock',
  'kill Redis',
  'stop Redis',
];

/** The shortest and longest duration of each fault, milliseconds. */
const LASTS: Readonly<Record<FaultKind, readonly [from: number, to: number]>> = {
  'kill a gateway': [200, 1_500],
  'stop a gateway': [300, 4_500],
  'drain a gateway': [0, 0],
  'set a clock': [0, 0],
  'kill Redis': [200, 2_000],
  'stop Redis': [1_000, 3_000],
};

/**
 * The time until the last call that a fault can affect has ended, with its repeat: Okta gives up after 3 s, the
 * balancer notices a stopped gateway after 1 s, gateways find Redis again after 1 s.
 */
const REACH_MS: Readonly<Record<FaultKind, (forMs: number) => number>> = {
  'kill a gateway': (forMs) => Math.max(3_500, forMs + 1_500),
  'stop a gateway': (forMs) => Math.max(7_500, forMs + 3_500),
  'drain a gateway': () => 2_000,
  'set a clock': () => 500,
  'kill Redis': (forMs) => forMs + 4_500,
  'stop Redis': (forMs) => forMs + 4_500,
};

const FIRST_AT_MS = 2_000;

/**
 * All kinds in an order that depends on the seed, again and again. A fault begins when the one before it affects no
 * call any more: if a gateway and Redis were lost within one call and its repeat, no gateway could recognise the repeat.
 */
export function makeSchedule(parts: {
  readonly seed: number;
  readonly lengthMs: number;
  readonly gateways: number;
}): readonly ProcessFault[] {
  const chance = chanceOf(parts.seed, 'processes');
  const schedule: ProcessFault[] = [];
  let kinds: FaultKind[] = [];
  for (let atMs = FIRST_AT_MS; ;) {
    if (kinds.length === 0) kinds = shuffled(KINDS, chance);
    const kind = kinds.shift() ?? 'kill a gateway';
    const forMs = between(chance, ...LASTS[kind]);
    const gateway = kind.endsWith('Redis') ? undefined : between(chance, 0, parts.gateways - 1);
    const endsAtMs = atMs + REACH_MS[kind](forMs);
    if (endsAtMs > parts.lengthMs) return schedule;
    const offByMs = kind === 'set a clock' ? between(chance, ...OFF_BY_MS) : undefined;
    schedule.push({ kind, atMs, forMs, gateway, offByMs });
    atMs = endsAtMs + between(chance, 0, 500);
  }
}

/** A line for the list of faults at the start. */
export function describeFault({ kind, atMs, forMs, gateway, offByMs }: ProcessFault): string {
  const who = gateway === undefined ? '' : ` ${gateway}`;
  const lasts = forMs === 0 ? '' : ` for ${(forMs / 1000).toFixed(1)} s`;
  const isOff = offByMs === undefined ? '' : `: ${Math.round(offByMs / 1000)} s off`;
  return `${(atMs / 1000).toFixed(1).padStart(7)} s  ${kind}${who}${lasts}${isOff}`;
}
