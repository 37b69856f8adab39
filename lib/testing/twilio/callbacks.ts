import { requireKeys, RuleList, type LimitedRule } from '../server/faults.js';
import type { EmulatedCall } from './calls.js';
import type { TwilioContext } from './context.js';
import type { EmulatedMessage } from './messages.js';
import { postWebhook } from './webhook.js';

/** A status callback that Twilio made. */
export interface EmulatedCallback {
  readonly url: string;
  readonly params: Readonly<Record<string, string>>;
  /** The answer's status; `undefined` while there is no answer. */
  readonly httpStatus: number | undefined;
}

/** A fault of the status callbacks of new messages and calls. */
export interface CallbackFault extends LimitedRule<EmulatedMessage | EmulatedCall> {
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
} satisfies Record<keyof CallbackFault, true>);

/** The callbacks of one message or call. */
export interface CallbackSeries {
  /** The next step is reached. Without `params` it has no callback. */
  due(params: Record<string, string> | undefined, isLast: boolean): void;
}

type Making = () => Promise<void>;

export class TwilioCallbacks {
  readonly made: EmulatedCallback[] = [];
  readonly #faults = new RuleList<CallbackFault, EmulatedMessage | EmulatedCall>();
  readonly #context: TwilioContext;
  #held: Making[] = [];

  constructor(context: TwilioContext) {
    this.#context = context;
  }

  /** @throws TypeError for a key that does not exist. */
  fault(fault: CallbackFault): void {
    requireKeys('faultCallbacks()', fault, CALLBACK_FAULT_KEYS);
    this.#faults.add(fault);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  start(sent: EmulatedMessage | EmulatedCall): CallbackSeries {
    const url = sent.statusCallback;
    if (url === undefined) return { due: () => undefined };
    const fault: CallbackFault = this.#faults.take(sent) ?? {};
    const waiting: Making[] = [];
    return {
      due: (params, isLast) => {
        if (params !== undefined) waiting.push(() => this.#make(url, params, fault.copies ?? 1));
        if (fault.isReversed === true && !isLast) return;
        this.#let(waiting.splice(0).reverse(), fault);
      },
    };
  }

  async release(): Promise<void> {
    await inTurn(this.#held.splice(0));
  }

  #let(makings: readonly Making[], { delayMs = 0, isHeld = false }: CallbackFault): void {
    if (isHeld) this.#held.push(...makings);
    else if (delayMs === 0) void inTurn(makings);
    else this.#context.server.later(delayMs, () => void inTurn(makings));
  }

  async #make(url: string, params: Record<string, string>, copies: number): Promise<void> {
    const made = Array.from({ length: copies }, async () => {
      const callback: { -readonly [Key in keyof EmulatedCallback]: EmulatedCallback[Key] } = {
        url,
        params,
        httpStatus: undefined,
      };
      this.made.push(callback);
      // Without an answer, Twilio only writes an entry in its debugger.
      const answer = await postWebhook(this.#context, url, params);
      callback.httpStatus = answer?.status;
    });
    await Promise.all(made);
  }
}

async function inTurn(makings: readonly Making[]): Promise<void> {
  for (const make of makings) await make();
}
