import { between, chanceOf, shuffled } from '../chance.js';

/** The faults of the processes and of their ways to Redis. The emulators' bad day has the faults of the vendors. */

/** The shortest and longest duration of each fault, milliseconds. */
const LASTS = {
  'kill a gateway': [200, 1_500],
  /** When it sends a command to Redis, or Twilio gets a message of it. */
  'kill a gateway at a command': [200, 1_500],
  'kill a gateway at a send': [200, 1_500],
  'stop a gateway': [300, 4_500],
  'drain a gateway': [0, 0],
  'set a clock': [0, 0],
  'cut the way of a gateway': [0, 0],
  'cut the way of a gateway within some bytes': [0, 0],
  'cut the way of a gateway at a command': [0, 0],
  'slow the way of a gateway': [1_000, 4_000],
  'slow the connections of a gateway': [1_000, 3_000],
  'kill Redis': [200, 2_000],
  'stop Redis': [1_000, 3_000],
  /** For less time than a command may take, or more. */
  'pause Redis': [30, 1_500],
  'fill Redis': [200, 2_000],
  'make Redis read-only': [200, 2_000],
  'let Redis evict': [200, 1_000],
  'flush Redis': [0, 0],
  'close all connections of Redis': [0, 0],
} as const;

export type FaultKind = keyof typeof LASTS;

const FAULT_KINDS = Object.keys(LASTS) as readonly FaultKind[];

export interface ProcessFault {
  readonly kind: FaultKind;
  /** From the start of the load. */
  readonly atMs: number;
  /** The duration. After it, a killed gateway starts again, and a killed Redis starts empty. */
  readonly forMs: number;
  /** The index of the gateway, from 0. */
  readonly gateway?: number | undefined;
  /** A number of which the fault makes what it needs: commands, bytes, milliseconds. */
  readonly size: number;
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

/**
 * The time until the last call that a fault can affect has ended, with its repeat: Okta gives up after 3 s, the
 * balancer notices a stopped gateway after 1 s, gateways find Redis again after 1 s.
 */
function reachOf(kind: FaultKind, forMs: number): number {
  if (kind === 'set a clock' || kind === 'flush Redis') return 500;
  if (kind === 'drain a gateway') return 2_000;
  if (kind === 'stop a gateway') return Math.max(7_500, forMs + 3_500);
  if (kind.startsWith('kill a gateway')) return Math.max(3_500, forMs + 1_500);
  return forMs + 4_500;
}

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
    if (kinds.length === 0) kinds = shuffled(FAULT_KINDS, chance);
    const kind = kinds.shift() ?? 'kill a gateway';
    const [shortest, longest] = LASTS[kind];
    const forMs = between(chance, shortest, longest);
    const gateway = kind.includes('Redis') ? undefined : between(chance, 0, parts.gateways - 1);
    const size = between(chance, 1, 120);
    const endsAtMs = atMs + reachOf(kind, forMs);
    if (endsAtMs > parts.lengthMs) return schedule;
    const offByMs = kind === 'set a clock' ? between(chance, ...OFF_BY_MS) : undefined;
    schedule.push({ kind, atMs, forMs, gateway, size, offByMs });
    atMs = endsAtMs + between(chance, 0, 500);
  }
}

/** A line for the list of faults at the start. */
export function describeFault({ kind, atMs, forMs, gateway, offByMs }: ProcessFault): string {
  const who = gateway === undefined ? '' : ` (${gateway})`;
  const lasts = forMs === 0 ? '' : ` for ${(forMs / 1000).toFixed(1)} s`;
  const isOff = offByMs === undefined ? '' : `: ${Math.round(offByMs / 1000)} s off`;
  return `${(atMs / 1000).toFixed(1).padStart(7)} s  ${kind}${who}${lasts}${isOff}`;
}
