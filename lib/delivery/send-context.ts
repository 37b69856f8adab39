import { randomUUID } from 'node:crypto';
import type { Budget } from '../core/budget.js';
import type { SendContext, TelephonyRequest } from '../core/channel.js';
import type { HttpDispatcher, HttpRequest, HttpResult } from '../core/http.js';
import { sendRequest } from '../http/request.js';

/** The contexts that channels are called with: their HTTP client, within the limits in time of the call. */

/** How long a send that has left may go on after the call's deadline, milliseconds. */
export const DETACHED_MS = 10_000;

/** How long a connect may take: milliseconds at most, and a fraction of the remaining budget. */
const CONNECT_SHARE = { maxMs: 700, fraction: 0.4 } as const;

/** Which call a mistake or a failure belongs to. */
export type CallIds = Pick<TelephonyRequest, 'eventId' | 'oktaRequestId' | 'userId'>;

/** What a channel needs of its hook to make HTTP requests. */
export interface ChannelClient {
  readonly dispatcher: HttpDispatcher;
  /** Called with what the channel did wrong, and its call if there is one. */
  readonly onMistake: (mistake: string, call?: CallIds) => void;
}

/** One attempt to send: its requests, their limits in time, and what its channel has read of its context. */
export class AttemptScope {
  readonly context: SendContext;
  readonly #budget: Budget;
  readonly #client: ChannelClient;
  /** Not the whole request, which this would keep in memory until the next full collection of garbage. */
  readonly #call: CallIds;
  #reference: string | undefined;
  #controller: AbortController | undefined;
  #isGivenUp = false;

  constructor(budget: Budget, client: ChannelClient, request: TelephonyRequest) {
    this.#budget = budget;
    this.#client = client;
    this.#call = {
      eventId: request.eventId,
      oktaRequestId: request.oktaRequestId,
      userId: request.userId,
    };
    this.context = new AttemptContext(this);
  }

  /** The limits are read for each request: a second one that starts late must also leave before the deadline. */
  send(request: HttpRequest): Promise<HttpResult> {
    const budget = this.#budget;
    const limits = {
      dispatcher: this.#client.dispatcher,
      timeoutMs: budget.remainingMs() + DETACHED_MS,
      leaveWithinMs: budget.share(CONNECT_SHARE.maxMs, CONNECT_SHARE.fraction),
      mayLeave: () => !budget.isOver,
    };
    return sendRequest(request, limits, (problem) => {
      this.#client.onMistake(wrongRequest(problem), this.#call);
    });
  }

  /** `context.reference`, if the channel has read it. */
  get reference(): string | undefined {
    return this.#reference;
  }

  readReference(): string {
    this.#reference ??= randomUUID();
    return this.#reference;
  }

  get leaveSignal(): AbortSignal {
    return this.#budget.leaveSignal;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isGivenUp) this.#controller.abort();
    return this.#controller.signal;
  }

  /** Aborts `context.signal`. */
  giveUp(): void {
    this.#isGivenUp = true;
    this.#controller?.abort();
  }
}

/** The scope of a context. A symbol, since a channel may hand on a proxy of the context or inherit from it. */
const SCOPE = Symbol('scope');

/** Made when they are read: most sends end without a signal. */
const LAZY_FIELDS = {
  reference: ownGetter((scope) => scope.readReference()),
  leaveSignal: ownGetter((scope) => scope.leaveSignal),
  signal: ownGetter((scope) => scope.signal),
};

function ownGetter(read: (scope: AttemptScope) => unknown): PropertyDescriptor {
  return {
    get(this: AttemptContext): unknown {
      return read(this[SCOPE]);
    },
    enumerable: true,
    configurable: true,
  };
}

/**
 * All fields are own properties, so that a channel can copy the object and change a field. The getters are the same for all
 * contexts: with an object literal and getters of its own, V8 makes a hidden class for each context. That took 4 µs, and
 * kept the request and its body in memory until the next full collection.
 */
class AttemptContext implements SendContext {
  declare readonly [SCOPE]: AttemptScope;
  readonly http: SendContext['http'];
  declare readonly reference: string;
  declare readonly leaveSignal: AbortSignal;
  declare readonly signal: AbortSignal;

  constructor(scope: AttemptScope) {
    this.http = (request) => scope.send(request);
    Object.defineProperty(this, SCOPE, { value: scope });
    Object.defineProperty(this, 'reference', LAZY_FIELDS.reference);
    Object.defineProperty(this, 'leaveSignal', LAZY_FIELDS.leaveSignal);
    Object.defineProperty(this, 'signal', LAZY_FIELDS.signal);
  }
}

/**
 * The context of a call that no code waits for.
 *
 * @param timeoutMs - its time-out, and `connectMs` the share of it that a connection may take.
 */
export function questionContext(
  { dispatcher, onMistake }: ChannelClient,
  timeoutMs: number,
  connectMs: number,
): SendContext {
  const signal = AbortSignal.timeout(timeoutMs);
  const endsAt = performance.now() + timeoutMs;
  return {
    http: (sent) =>
      sendRequest(
        sent,
        {
          dispatcher,
          timeoutMs: Math.max(0, endsAt - performance.now()),
          leaveWithinMs: connectMs,
          mayLeave: () => !signal.aborted,
        },
        (problem) => {
          onMistake(wrongRequest(problem));
        },
      ),
    signal,
    leaveSignal: signal,
    reference: '',
  };
}

const wrongRequest = (problem: string): string => `its request by context.http is wrong: ${problem}`;
