import type { LearnedCode, LearningState } from '#lib/delivery/learning.js';
import { DAY_MS } from './calendar.js';

/** The guard that learns, as the simulation drives it: in `enforce` mode, on the real state. */

/** A code that a user requests. */
export interface Request {
  readonly userId: string;
  readonly number: string;
  /** ISO 3166. */
  readonly country: string;
  readonly ip: string;
  /** The channel of the plan; only texts cost enough to be blocked. */
  readonly channel: 'sms' | 'whatsapp';
}

export interface Decision {
  /** The rules by which the code is blocked; none if it is sent. */
  readonly rules: readonly string[];
}

/** What a run asks. */
export interface LearningGuard {
  send(request: Request, atMs: number): Decision | Promise<Decision>;
  /** Okta's event hook reports that a code was used. */
  use(request: Request, atMs: number): void;
}

/** The members of `guard.learn` that a run may set. */
export interface LearnOptions {
  readonly ratio: number;
  readonly warmUpDays: number;
}

/** How long a claim waits for Redis, milliseconds. */
const WAIT_MS = 1000;

export class EnforcingGuard implements LearningGuard {
  readonly #state: LearningState;
  readonly #options: LearnOptions;
  #tokens = 0;

  constructor(state: LearningState, options: LearnOptions) {
    this.#state = state;
    this.#options = options;
  }

  async send(request: Request, atMs: number): Promise<Decision> {
    const code: LearnedCode = {
      ...this.#keysOf(request, atMs),
      person: request.userId,
      isCounted: true,
      isAllowed: false,
      isEnforced: true,
      warmUpMs: this.#options.warmUpDays * DAY_MS,
    };
    const verdict = await this.#state.count(code, WAIT_MS);
    const isPaid = request.channel === 'sms';
    // As the hook does when another channel has taken the code.
    if (!isPaid && verdict.hasCounted) this.#state.giveBack(code);
    return isPaid && verdict.isActing ? { rules: verdict.blocks.map(({ rule }) => rule) } : NOT_BLOCKED;
  }

  use(request: Request, atMs: number): void {
    void this.#state.use({ ...this.#keysOf(request, atMs), isPaid: request.channel === 'sms' });
  }

  #keysOf(
    { number, country, ip }: Request,
    nowMs: number,
  ): Pick<LearnedCode, 'token' | 'number' | 'prefix' | 'country' | 'network' | 'ratio' | 'nowMs'> {
    this.#tokens += 1;
    const { ratio } = this.#options;
    const token = String(this.#tokens);
    return { token, number, prefix: number.slice(0, -4), country, network: ip, ratio, nowMs };
  }
}

const NOT_BLOCKED: Decision = { rules: [] };
