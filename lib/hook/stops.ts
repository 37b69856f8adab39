import type { Budget } from '../core/budget.js';
import { suppressionFor, type PlanStep } from '../delivery/plan.js';
import type { Suppression } from '../delivery/suppressions.js';
import { NONE } from './call.js';
import type { HookParts } from './parts.js';

/** What gateways shared about a number, and when. */
interface Shared {
  readonly suppressions: readonly Suppression[];
  /** By the monotonic clock of this process. */
  readonly readMs: number;
}

/**
 * Whether a recipient has stopped a channel since the plan of a send was made. A STOP at this gateway counts at once, one
 * at another gateway when the state is read again: before each attempt that has waited for anything.
 */
export class Stops {
  readonly #parts: Pick<HookParts, 'suppressions' | 'state'>;
  readonly #since: Shared;
  readonly #read = new Map<string, Shared>();

  /** @param sinceMs - when the plan was made, by the monotonic clock of this process. The wall clock may jump. */
  constructor(parts: Pick<HookParts, 'suppressions' | 'state'>, sinceMs: number) {
    this.#parts = parts;
    this.#since = { suppressions: NONE, readMs: sinceMs };
  }

  /** Reads again what gateways share about the recipient of a step. If the state cannot say, the plan holds. */
  async read({ to }: PlanStep, budget?: Budget): Promise<void> {
    if (!this.#parts.state.isShared) return;
    const readMs = performance.now();
    const suppressions = await this.#parts.suppressions.ask(to, budget);
    if (suppressions !== undefined) this.#read.set(to, { suppressions, readMs });
  }

  has({ channel, to }: PlanStep): boolean {
    const { suppressions, readMs } = this.#read.get(to) ?? this.#since;
    const known = this.#parts.suppressions.of(to, suppressions, readMs);
    return suppressionFor(known, channel)?.reason === 'STOPPED';
  }
}
