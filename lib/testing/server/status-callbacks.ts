import type { EmulatedServer } from './emulated-server.js';
import { requireKeys, RuleList, type LimitedRule } from './faults.js';

/** What an emulator shows, as the emulator itself changes it. */
export type Mutable<Shown> = { -readonly [Key in keyof Shown]: Shown[Key] };

/** A status callback that a vendor made. */
export interface EmulatedCallback<Params = Readonly<Record<string, string>>> {
  readonly url: string;
  readonly params: Params;
  /** The answer's status; `undefined` while there is no answer. */
  readonly httpStatus: number | undefined;
}

/** A fault of the status callbacks of what is sent from now on. */
export interface CallbackRule<Sent> extends LimitedRule<Sent> {
  /** The delay of each callback. Default: 0. */
  readonly delayMs?: number | undefined;
  /** How often each callback is made, all at the same time; 0 is never. Default: 1. */
  readonly copies?: number | undefined;
  /** Whether the last callback comes first, each after the answer to the one before it. */
  readonly isReversed?: boolean | undefined;
  /** Whether they wait for `releaseCallbacks()`. */
  readonly isHeld?: boolean | undefined;
}

export const CALLBACK_FAULT_KEYS: readonly string[] = Object.keys({
  delayMs: true,
  copies: true,
  isReversed: true,
  isHeld: true,
  match: true,
  times: true,
} satisfies Record<keyof CallbackRule<unknown>, true>);

interface CallbackOptions<Params> {
  /** The time between two steps of a message, and so before each callback. */
  readonly stepMs: number;
  /** Signs and makes a callback. Resolves to the status of its answer. */
  readonly post: (url: string, params: Params) => Promise<number | undefined>;
}

type Making = () => Promise<void>;

/** Takes what a vendor has sent from step to step, with a status callback for each. */
export class StatusCallbacks<
  Sent extends { readonly statusCallback: string | undefined },
  Params = Readonly<Record<string, string>>,
> {
  readonly made: EmulatedCallback<Params>[] = [];
  readonly #faults = new RuleList<CallbackRule<Sent>, Sent>();
  readonly #server: Pick<EmulatedServer, 'later'>;
  readonly #options: CallbackOptions<Params>;
  #held: Making[] = [];

  constructor(server: Pick<EmulatedServer, 'later'>, options: CallbackOptions<Params>) {
    this.#server = server;
    this.#options = options;
  }

  /** @throws TypeError for a key that does not exist. */
  fault(fault: CallbackRule<Sent>): void {
    requireKeys('faultCallbacks()', fault, CALLBACK_FAULT_KEYS);
    this.#faults.add(fault);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  async release(): Promise<void> {
    await inTurn(this.#held.splice(0));
  }

  /**
   * Takes every step in turn. `take` changes what was sent, and returns the callback's parameters; `undefined` for a step
   * without one.
   */
  walk<Step>(
    sent: Sent,
    steps: readonly Step[],
    take: (step: Step, index: number) => Params | undefined,
  ): void {
    const due = this.#seriesOf(sent);
    // One timer after the other: timers of different lengths could fire out of order.
    const next = (index: number): void => {
      const [step] = steps.slice(index, index + 1);
      if (step === undefined) return;
      this.#server.later(this.#options.stepMs, () => {
        due(take(step, index), index === steps.length - 1);
        next(index + 1);
      });
    };
    next(0);
  }

  /** Makes a single callback at once. */
  make(sent: Sent, params: Params): void {
    this.#seriesOf(sent)(params, true);
  }

  /** Called when a step is reached. */
  #seriesOf(sent: Sent): (params: Params | undefined, isLast: boolean) => void {
    const url = sent.statusCallback;
    if (url === undefined) return () => undefined;
    const fault: CallbackRule<Sent> = this.#faults.take(sent) ?? {};
    const waiting: Making[] = [];
    return (params, isLast) => {
      if (params !== undefined) waiting.push(() => this.#make(url, params, fault.copies ?? 1));
      if (fault.isReversed === true && !isLast) return;
      this.#let(waiting.splice(0).reverse(), fault);
    };
  }

  #let(makings: readonly Making[], { delayMs = 0, isHeld = false }: CallbackRule<Sent>): void {
    if (isHeld) this.#held.push(...makings);
    else if (delayMs === 0) void inTurn(makings);
    else this.#server.later(delayMs, () => void inTurn(makings));
  }

  async #make(url: string, params: Params, copies: number): Promise<void> {
    const made = Array.from({ length: copies }, async () => {
      const callback: Mutable<EmulatedCallback<Params>> = { url, params, httpStatus: undefined };
      this.made.push(callback);
      callback.httpStatus = await this.#options.post(url, params);
    });
    await Promise.all(made);
  }
}

async function inTurn(makings: readonly Making[]): Promise<void> {
  for (const make of makings) await make();
}
