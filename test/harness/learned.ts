import type {
  LearnedCode,
  LearnedUse,
  LearningState,
  LearnRule,
  LearnVerdict,
} from '#lib/delivery/learning.js';
import { newToken } from '#lib/core/token.js';

/** Codes and uses for a state that learns, with a clock that the test moves. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** A Tuesday at noon. */
const BEGAN_MS = Date.UTC(2026, 11, 1, 12);

export class Traffic {
  readonly #state: LearningState;
  readonly #defaults: Partial<LearnedCode>;
  nowMs = BEGAN_MS;

  /** Each code has its own person and number, of one prefix, unless it says otherwise. */
  constructor(state: LearningState, defaults: Partial<LearnedCode> = {}) {
    this.#state = state;
    this.#defaults = defaults;
  }

  codeOf(given: Partial<LearnedCode> = {}): LearnedCode {
    const token = newToken();
    return {
      token,
      person: `person ${token}`,
      number: `number ${token}`,
      prefix: '+44770090',
      country: 'GB',
      network: '',
      isCounted: true,
      isAllowed: false,
      ratio: 1,
      isEnforced: true,
      warmUpMs: 0,
      nowMs: this.nowMs,
      ...this.#defaults,
      ...given,
    };
  }

  async count(code: LearnedCode): Promise<LearnVerdict> {
    return this.#state.count(code, 60_000);
  }

  async send(given: Partial<LearnedCode> = {}): Promise<LearnVerdict> {
    return this.count(this.codeOf(given));
  }

  /** The rules that block a code; none if it passes. */
  async blocks(given: Partial<LearnedCode> = {}): Promise<readonly LearnRule[]> {
    const { blocks } = await this.send(given);
    return blocks.map(({ rule }) => rule);
  }

  /** Sends codes until one is blocked. Resolves to how many passed. */
  async passing(
    most: number,
    given: Partial<LearnedCode> | (() => Partial<LearnedCode>) = {},
  ): Promise<number> {
    for (let passed = 0; passed < most; passed += 1) {
      const rules = await this.blocks(typeof given === 'function' ? given() : given);
      if (rules.length > 0) return passed;
    }
    return most;
  }

  use(code: Partial<LearnedUse> = {}): Promise<void> {
    const { token, number, prefix, country, network, ratio } = this.codeOf();
    const nowMs = this.nowMs;
    return this.#state.use({ token, number, prefix, country, network, ratio, nowMs, isPaid: true, ...code });
  }

  /** Sends a code and reports its use. */
  async convert(given: Partial<LearnedCode> = {}): Promise<void> {
    const code = this.codeOf(given);
    await this.count(code);
    const { number, prefix, country, network } = code;
    await this.use({ number, prefix, country, network });
  }

  giveBack(code: LearnedCode): void {
    this.#state.giveBack(code);
  }
}
