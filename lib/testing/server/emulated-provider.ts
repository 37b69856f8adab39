import { startEmulatedServer, type ServerOptions } from './emulated-server.js';
import { RuleList, type Fault, type FaultRule, type LimitedRule } from './faults.js';
import { Phones, type DeliveredItem, type EmulatedPhoneItem } from './phones.js';
import type { RecordedRequest } from './request.js';
import { StatusCallbacks, type CallbackRule, type EmulatedCallback } from './status-callbacks.js';

/** Options of the emulator of each provider. */
export interface ProviderEmulatorOptions {
  /** Default: any free port. */
  readonly port?: number | undefined;
  /** Milliseconds since 1970; whatever ends or expires at the provider goes by it. Default: `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** Time between the steps of a message or call, and so before each of its reports. Default: 10. */
  readonly callbackDelayMs?: number | undefined;
}

/** What the emulator of each provider has: the requests, the phones that it reaches, rules and faults. */
export interface EmulatedProvider<Refusal, LateFailure, Sent, Params = Readonly<Record<string, string>>> {
  /** The one origin of all its APIs, e.g. `http://127.0.0.1:49152`. */
  readonly baseUrl: string;
  /** Every request to the API, newest last. */
  readonly requests: RecordedRequest[];
  /** The reports (status callbacks, webhooks, events) that were posted, newest last. */
  readonly callbacks: readonly EmulatedCallback<Params>[];
  /** How many requests followed a `redirect` fault. */
  readonly redirectHits: number;

  /**
   * The messages and calls on the phone with this number (E.164), newest last. They are there as soon as the provider accepts
   * them; the report follows. One that fails is never there.
   */
  inbox(number: string): readonly EmulatedPhoneItem[];
  /**
   * Resolves to the phone's oldest message or call that no earlier `nextItem` has taken; waits for it if need be.
   * Rejects if there is none within 5 s, or `timeoutMs`.
   */
  nextItem(number: string, options?: { readonly timeoutMs?: number | undefined }): Promise<EmulatedPhoneItem>;
  /** Calls a listener for every message and call that a phone gets. */
  onDelivered(listener: (item: DeliveredItem) => void): void;

  /** Adds a fault, by default for every request to the API. Rules apply in the order in which they were added. */
  fault(rule: FaultRule | Fault): void;
  /** Refuses new messages and calls with an error of the provider's own. */
  refuseWith(rule: Refusal): void;
  /** Accepts new messages and calls, and reports later that they failed. */
  failLater(rule: LateFailure): void;
  /** Makes the reports of new messages and calls late, repeated, out of order, or not at all. */
  faultCallbacks(fault: CallbackRule<Sent>): void;
  /** Posts the reports that `faultCallbacks` has held, in their order. Resolves when all are answered. */
  releaseCallbacks(): Promise<void>;
  /** Removes the rules of `fault`, `refuseWith`, `failLater` and `faultCallbacks`. */
  clearFaults(): void;
  /** Ends the emulator at once, with every connection and timer. Reports that are due are not posted. */
  close(): Promise<void>;
}

/** What a phone gets at once. */
export type UndatedItem = Omit<EmulatedPhoneItem, 'at'>;

const DEFAULT_CALLBACK_DELAY_MS = 10;
const DEFAULT_CALL_TIMEOUT_MS = 15_000;

/**
 * Starts the server of a provider, from which its emulator is made.
 *
 * @param how.post - signs a report and posts it. Resolves to the status of the answer.
 */
export async function startProvider<
  Refusal extends LimitedRule,
  LateFailure extends LimitedRule,
  Sent extends { readonly statusCallback: string | undefined },
  Params = Readonly<Record<string, string>>,
>(
  { port, clock = Date.now, callbackDelayMs = DEFAULT_CALLBACK_DELAY_MS }: ProviderEmulatorOptions,
  how: Partial<Pick<ServerOptions, 'callTimeoutMs' | 'isFaultable' | 'isRecorded'>> & {
    readonly post: (url: string, params: Params) => Promise<number | undefined>;
  },
) {
  const { post, callTimeoutMs = DEFAULT_CALL_TIMEOUT_MS, ...serverOptions } = how;
  const server = await startEmulatedServer({ port, clock, callTimeoutMs, ...serverOptions });
  const phones = new Phones();
  const refusals = new RuleList<Refusal>();
  const lateFailures = new RuleList<LateFailure>();
  const callbacks = new StatusCallbacks<Sent, Params>(server, { stepMs: callbackDelayMs, post });
  const shared: EmulatedProvider<Refusal, LateFailure, Sent, Params> = {
    baseUrl: server.origin,
    requests: server.requests,
    callbacks: callbacks.made,
    get redirectHits() {
      return server.redirectHits;
    },
    inbox: (number) => phones.inbox(number),
    nextItem: (number, options) => phones.nextItem(number, options),
    onDelivered: (listener) => phones.onDelivered(listener),
    fault: server.fault,
    refuseWith: (rule) => refusals.add(rule),
    failLater: (rule) => lateFailures.add(rule),
    faultCallbacks: (fault) => callbacks.fault(fault),
    releaseCallbacks: () => callbacks.release(),
    clearFaults: () => {
      server.clearFaults();
      refusals.clear();
      lateFailures.clear();
      callbacks.clearFaults();
    },
    close: server.close,
  };
  return {
    clock,
    server,
    phones,
    refusals,
    lateFailures,
    callbacks,
    /** Lets the phone have what was accepted, unless a rule of `failLater` hits the request. Returns that rule. */
    deliver: (request: RecordedRequest, to: string, item: UndatedItem): LateFailure | undefined => {
      const failure = lateFailures.take(request);
      if (failure === undefined) phones.deliver(to, { ...item, at: clock() });
      return failure;
    },
    /** Completes an emulator, whose other members are given. */
    emulatorOf: <Emulator>(own: Omit<Emulator, keyof typeof shared>) =>
      // A spread would read each getter once. TypeScript does not know what defineProperties adds.
      Object.defineProperties(own, Object.getOwnPropertyDescriptors(shared)) as Emulator,
  };
}
