import { clearScenarios, ScenarioRules, type BadDayVendors } from './scenario-rules.js';
import { BAD_DAY, type BadDayPhaseName, type Scenario } from './scenarios.js';

/** One phase of a bad day. */
export interface BadDayPhase {
  readonly name: BadDayPhaseName;
  /** What happens, in a sentence. */
  readonly description: string;
  /** Counted from 0. */
  readonly index: number;
}

/** Options of `playBadDay`. */
export interface BadDayOptions {
  /** Chance follows it: with the same seed, the same fault hits the nth request of a phase. Default: 1. */
  readonly seed?: number | undefined;
  /** How long each phase takes; `Infinity` leaves it to `next()`. Default: 10,000. */
  readonly phaseMs?: number | undefined;
  /** Which phases, in which order. Default: all of them, in the order of `BadDayPhaseName`. */
  readonly phases?: readonly BadDayPhaseName[] | undefined;
  /** Called when a phase begins, the first one included. */
  readonly onPhase?: ((phase: BadDayPhase) => void) | undefined;
}

/** A bad day that is being played. */
export interface BadDay {
  /** The current phase; `undefined` when the day is over. */
  readonly phase: BadDayPhase | undefined;
  /** Ends this phase, begins the next one and returns it; `undefined` after the last one. */
  readonly next: () => BadDayPhase | undefined;
  /** Ends the day at once, and every fault with it. */
  readonly stop: () => void;
  /** Resolves to the phases that were played, when the day is over. Never rejects. */
  readonly done: Promise<readonly BadDayPhase[]>;
}

const DEFAULT_PHASE_MS = 10_000;
/** In a phase that ends by `next()`, Okta's rate limit lasts a minute, as its windows do. */
const ENDLESS_PHASE_MS = 60_000;

/**
 * Plays a bad day on both emulators, phase by phase. It begins at once. It uses their faults, limits and rules, and
 * clears them between phases and at the end, those that a test has set too.
 */
export function playBadDay(vendors: BadDayVendors, options: BadDayOptions = {}): BadDay {
  const { seed = 1, phaseMs = DEFAULT_PHASE_MS, onPhase } = options;
  const script = (options.phases ?? BAD_DAY.map(({ id }) => id)).map(scenarioOf);
  const had: BadDayPhase[] = [];
  let phase: BadDayPhase | undefined;
  let timer: NodeJS.Timeout | undefined;
  let finish: (phases: readonly BadDayPhase[]) => void = () => undefined;
  const done = new Promise<readonly BadDayPhase[]>((resolve) => {
    finish = resolve;
  });

  const enter = (index: number): BadDayPhase | undefined => {
    clearTimeout(timer);
    clearScenarios(vendors);
    const scenario = script[index];
    if (scenario === undefined) {
      phase = undefined;
      finish(had);
      return undefined;
    }
    const rules = new ScenarioRules(vendors, (stream) => randomOf(seed, index, stream));
    scenario.apply(rules, Number.isFinite(phaseMs) ? phaseMs : ENDLESS_PHASE_MS);
    phase = { name: scenario.id, description: scenario.title, index };
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

function scenarioOf(name: BadDayPhaseName): Scenario<BadDayPhaseName> {
  const scenario = BAD_DAY.find(({ id }) => id === name);
  if (scenario === undefined) throw new Error(`A bad day knows no phase ${name}.`);
  return scenario;
}

/** Random numbers from 0 up to 1, the same for the same seed, phase and stream: mulberry32. */
function randomOf(seed: number, phase: number, stream: number): () => number {
  let state = (seed * 0x9e3779b1 + phase * 0x85ebca6b + stream * 0xc2b2ae35) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
