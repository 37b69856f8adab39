import {
  badDayPhases,
  type BadDayPhaseName,
  type BadDayScriptPhase,
  type BadDayVendors,
} from './bad-day-phases.js';

/** One phase of a bad day. */
export interface BadDayPhase {
  readonly name: BadDayPhaseName;
  /** What happens in it, in a sentence. */
  readonly description: string;
  /** Counted from 0. */
  readonly index: number;
}

/** Options of `playBadDay`. */
export interface BadDayOptions {
  /** What chance follows: the nth request of a phase meets the same fate every time. Default: 1. */
  readonly seed?: number | undefined;
  /** How long each phase takes; `Infinity` leaves it to `next()`. Default: 10,000. */
  readonly phaseMs?: number | undefined;
  /** Which phases, in which order. Default: all of them, in the order of `BadDayPhaseName`. */
  readonly phases?: readonly BadDayPhaseName[] | undefined;
  /** Told of every phase as it begins, the first one included. */
  readonly onPhase?: ((phase: BadDayPhase) => void) | undefined;
}

/** A bad day that is being played. */
export interface BadDay {
  /** The phase of this moment; `undefined` when the day is over. */
  readonly phase: BadDayPhase | undefined;
  /** Ends this phase and begins the next one, which it returns; `undefined` when that was the last. */
  readonly next: () => BadDayPhase | undefined;
  /** Ends the day at once: all is well again. */
  readonly stop: () => void;
  /** Resolves when the day is over, with the phases that it had. Never rejects. */
  readonly done: Promise<readonly BadDayPhase[]>;
}

const DEFAULT_PHASE_MS = 10_000;
/** While a phase has no end of its own, Okta's rate limit lasts a minute, as its windows do. */
const ENDLESS_PHASE_MS = 60_000;

/**
 * Plays a bad day on both emulators, phase by phase, from the moment of the call on. It uses their faults, limits
 * and rules, and clears them between phases and at the end: whatever a test has set itself goes with them.
 */
export function playBadDay(vendors: BadDayVendors, options: BadDayOptions = {}): BadDay {
  const { seed = 1, phaseMs = DEFAULT_PHASE_MS, onPhase } = options;
  const script = (options.phases ?? badDayPhases.map(({ name }) => name)).map(scriptOf);
  const had: BadDayPhase[] = [];
  let phase: BadDayPhase | undefined;
  let timer: NodeJS.Timeout | undefined;
  let finish: (phases: readonly BadDayPhase[]) => void = () => undefined;
  const done = new Promise<readonly BadDayPhase[]>((resolve) => {
    finish = resolve;
  });

  const clear = (): void => {
    clearTimeout(timer);
    vendors.okta.clearFaults();
    vendors.okta.setRateLimit(undefined);
    vendors.twilio.clearFaults();
  };
  const enter = (index: number): BadDayPhase | undefined => {
    clear();
    const entry = script[index];
    if (entry === undefined) {
      phase = undefined;
      finish(had);
      return undefined;
    }
    entry.begin(vendors, {
      random: (stream) => randomOf(seed, index, stream),
      phaseMs: Number.isFinite(phaseMs) ? phaseMs : ENDLESS_PHASE_MS,
    });
    phase = { name: entry.name, description: entry.description, index };
    had.push(phase);
    // setTimeout takes Infinity for 1.
    if (Number.isFinite(phaseMs)) timer = setTimeout(() => enter(index + 1), phaseMs);
    onPhase?.(phase);
    return phase;
  };
  enter(0);

  return {
    get phase() {
      return phase;
    },
    next: () => (phase === undefined ? undefined : enter(phase.index + 1)),
    stop: () => {
      if (phase !== undefined) enter(script.length);
    },
    done,
  };
}

function scriptOf(name: BadDayPhaseName): BadDayScriptPhase {
  const entry = badDayPhases.find((known) => known.name === name);
  if (entry === undefined) throw new Error(`A bad day knows no phase ${name}.`);
  return entry;
}

/** Numbers from 0 up to 1 that are the same for a seed, a phase and a stream: mulberry32. */
function randomOf(seed: number, phase: number, stream: number): () => number {
  let state = (seed * 0x9e3779b1 + phase * 0x85ebca6b + stream * 0xc2b2ae35) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
