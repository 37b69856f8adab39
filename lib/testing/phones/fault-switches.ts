import type { BadDayView, FaultSwitchView } from './api.js';
import { playBadDay, type BadDay, type BadDayPhase } from './bad-day.js';
import { signInRepeatedly } from './bad-day-people.js';
import { clearScenarios, ScenarioRules, type BadDayVendors } from './scenario-rules.js';
import { BAD_DAY, SWITCHES } from './scenarios.js';

/** A phase of the bad day on the page. */
const PAGE_PHASE_MS = 12_000;
/** Often enough that each phase has codes of everybody, and that a code is entered before the next one. */
const SIGN_IN_EVERY_MS = 1_000;

/**
 * The page's switches and its bad day, of which one is on at a time. The first switch clears the rules that others have
 * set at the emulators.
 */
export class FaultSwitches {
  readonly #vendors: BadDayVendors;
  readonly #on = new Set<string>();
  #badDay: BadDay | undefined;

  constructor(vendors: BadDayVendors) {
    this.#vendors = vendors;
  }

  isOn(id: string): boolean {
    return this.#on.has(id);
  }

  /** Returns `false` if there is no such switch. */
  set(id: string, isOn: boolean): boolean {
    if (!SWITCHES.some((known) => known.id === id)) return false;
    this.stopBadDay();
    if (isOn) this.#on.add(id);
    else this.#on.delete(id);
    clearScenarios(this.#vendors);
    for (const known of SWITCHES) {
      if (this.#on.has(known.id)) known.apply(new ScenarioRules(this.#vendors), Number.POSITIVE_INFINITY);
    }
    return true;
  }

  /** Turns every switch off and plays the bad day from its beginning, while people sign in. */
  playBadDay(onPhase?: (phase: BadDayPhase) => void, phaseMs = PAGE_PHASE_MS): BadDay {
    this.stopBadDay();
    this.#on.clear();
    const day = playBadDay(this.#vendors, { phaseMs, onPhase });
    this.#badDay = day;
    const stopSigningIn = signInRepeatedly(this.#vendors, Math.min(SIGN_IN_EVERY_MS, phaseMs / 12));
    void day.done.then(stopSigningIn);
    return day;
  }

  stopBadDay(): void {
    this.#badDay?.stop();
    this.#badDay = undefined;
  }

  get views(): readonly FaultSwitchView[] {
    return SWITCHES.map(({ apply: _apply, ...shown }) => ({ ...shown, isOn: this.#on.has(shown.id) }));
  }

  get badDay(): BadDayView {
    const phase = this.#badDay?.phase;
    return {
      isPlaying: phase !== undefined,
      phases: BAD_DAY.map(({ id, title }) => ({ name: id, description: title })),
      current: phase?.name,
    };
  }
}
