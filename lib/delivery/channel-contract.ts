import { randomUUID } from 'node:crypto';
import type { Budget } from '../core/budget.js';
import {
  type DeliveryReport,
  type MoveOn,
  type Outcome,
  type SendContext,
  type TelephonyRequest,
  CAUSES,
  effectOf,
} from '../core/channel.js';
import type { OfCall } from '../core/events.js';
import type { HttpDispatcher, HttpRequest, HttpResult } from '../core/http.js';
import { sendRequest } from '../http/request.js';
import type { HostSign } from './breaker.js';

/**
 * What a channel is called with: its context, with an HTTP client within the limits in time of the call. And what it may
 * answer: custom channels may be written without types, so that any answer may come.
 */

/** How long a send that has left may go on after the call's deadline, milliseconds. */
export const DETACHED_MS = 10_000;

/** How long a connect may take: milliseconds at most, and a fraction of the remaining budget. */
const CONNECT_SHARE = { maxMs: 700, fraction: 0.4 } as const;

/** What a channel needs of its hook to make HTTP requests. */
export interface ChannelClient {
  readonly dispatcher: HttpDispatcher;
  /** Called with what the channel did wrong, and its call if there is one. */
  readonly onMistake: (mistake: string, call?: OfCall) => void;
  /** Of the channel's `receive`. */
  readonly callbackUrl: string | undefined;
}

/** One attempt to send: its requests, their limits in time, and what its channel has read of its context. */
export class AttemptScope {
  readonly context: SendContext;
  readonly #budget: Budget;
  readonly client: ChannelClient;
  /** Not the whole request, which this would keep in memory until the next full collection of garbage. */
  readonly #call: OfCall;
  readonly #onReference: (reference: string) => void;
  #reference: string | undefined;
  #controller: AbortController | undefined;
  #isGivenUp = false;
  #signOfConnection: Exclude<HostSign, 'answer'> = 'none';

  /** @param onReference - called with the attempt's reference when the channel reads it. */
  constructor(
    budget: Budget,
    client: ChannelClient,
    request: TelephonyRequest,
    onReference: (reference: string) => void,
  ) {
    this.#onReference = onReference;
    this.#budget = budget;
    this.client = client;
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
    const { maxMs, fraction } = CONNECT_SHARE;
    const leaveWithinMs = budget.share(maxMs, fraction);
    const fullMs = Math.min(maxMs, (budget.elapsedMs() + budget.remainingMs()) * fraction);
    const limits = {
      dispatcher: this.client.dispatcher,
      timeoutMs: budget.remainingMs() + DETACHED_MS,
      windowMs: budget.remainingMs(),
      leaveWithinMs,
      mayLeave: () => !budget.isOver,
      onNotSent: (reason: string) => {
        this.#signOfConnection = signOfNotSent(reason, leaveWithinMs * 2 >= fullMs);
      },
    };
    return sendRequest(request, limits, (problem) => {
      this.client.onMistake(wrongRequest(problem), this.#call);
    });
  }

  /** What the attempt's connections say about their host, if nothing has left. */
  get signOfConnection(): Exclude<HostSign, 'answer'> {
    return this.#signOfConnection;
  }

  /** `context.reference`, if the channel has read it. */
  get reference(): string | undefined {
    return this.#reference;
  }

  readReference(): string {
    if (this.#reference === undefined) {
      this.#reference = randomUUID();
      this.#onReference(this.#reference);
    }
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

/** The reasons of a connect that took longer than a code can wait. */
const SLOW_CONNECT = /^(?:(?:UND_ERR_)?CONNECT_TIMEOUT|ETIMEDOUT)$/;

/** @param hadTime - whether the connect had at least half the time of a new call's: if not, the budget was too short, not the host slow. */
function signOfNotSent(reason: string, hadTime: boolean): Exclude<HostSign, 'answer'> {
  if (SLOW_CONNECT.test(reason)) return hadTime ? 'no-answer' : 'none';
  // The call's time ended, or Okta hung up.
  return reason === 'DEADLINE' ? 'none' : 'no-connection';
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
  readonly callbackUrl: string | undefined;
  declare readonly reference: string;
  declare readonly leaveSignal: AbortSignal;
  declare readonly signal: AbortSignal;

  constructor(scope: AttemptScope) {
    this.http = (request) => scope.send(request);
    this.callbackUrl = scope.client.callbackUrl;
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
  { dispatcher, onMistake }: Pick<ChannelClient, 'dispatcher' | 'onMistake'>,
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

/** The code of a refusal without a code. */
export const REFUSED = 'REFUSED';

/**
 * The outcome that a channel gave, complete and with the effect of a cause in place of the cause. A malformed one is
 * `unknown`, unless its status can be read.
 *
 * @param onMistake - called with what is wrong with a malformed outcome.
 */
export function readOutcome(given: unknown, onMistake: (mistake: string) => void): Outcome {
  const fields = Object(given) as Fields;
  const outcome = outcomeIn(fields, onMistake);
  const { providerRequestId } = fields;
  return typeof providerRequestId === 'string' ? { ...outcome, providerRequestId } : outcome;
}

function outcomeIn(fields: Fields, onMistake: (mistake: string) => void): Outcome {
  const { status, reason } = fields;
  switch (status) {
    case 'accepted': {
      const { transactionId, provider } = fields;
      const by = typeof provider === 'string' && provider !== '' ? { provider } : {};
      if (isText(transactionId)) return { status, transactionId: String(transactionId).slice(0, 200), ...by };
      onMistake('its accepted outcome has no transactionId');
      // The channel has accepted the message. Without its id, events and Okta's answer have the id of the event.
      return { status, transactionId: '' };
    }
    case 'refused': {
      const { code, cause, hasLeft } = fields;
      if (!isText(code) || typeof reason !== 'string')
        onMistake('its refused outcome has no code or no reason');
      else if (cause !== undefined && !CAUSES.includes(cause)) {
        onMistake(`its refused outcome has another cause than ${CAUSES.join(', ')}`);
      }
      return {
        status,
        code: isText(code) ? String(code) : REFUSED,
        reason: typeof reason === 'string' ? reason : 'Refused by the channel',
        ...readMechanics(fields),
        hasLeft: (hasLeft ?? effectOf(cause).hasLeft) !== false,
        remedy: remedyOf(fields),
      };
    }
    case 'unknown':
      if (typeof reason === 'string') return { status, reason, remedy: remedyOf(fields) };
      onMistake('its unknown outcome has no reason');
      break;
    default:
      onMistake("its outcome has none of the statuses 'accepted', 'refused' and 'unknown'");
  }
  return {
    status: 'unknown',
    reason: typeof reason === 'string' ? reason : 'The channel gave no readable outcome',
  };
}

/**
 * Checks the answer of a custom channel to a look-up.
 *
 * @throws Error for a malformed answer.
 */
export function readReport(given: unknown): DeliveryReport {
  const fields = Object(given) as Fields;
  const { status, code, reason } = fields;
  if (status === 'delivered' || status === 'pending') return { status };
  if (status !== 'failed') throw new Error('its answer has no status that is known');
  return {
    status,
    code: isText(code) ? String(code) : 'FAILED',
    reason: typeof reason === 'string' ? reason : '',
    ...readMechanics(fields),
    remedy: remedyOf(fields),
  };
}

type Fields = Readonly<Record<string, unknown>>;

const remedyOf = ({ remedy }: Fields): string | undefined =>
  typeof remedy === 'string' ? remedy : undefined;

const isText = (value: unknown): value is string | number =>
  (typeof value === 'string' && value !== '') || typeof value === 'number';

/** What may follow: what the answer says itself, else what its cause means. */
function readMechanics({ cause, moveOn, isFraudBlock, isNotReached }: Fields): {
  readonly moveOn: MoveOn;
  readonly isFraudBlock: boolean;
  readonly isNotReached: boolean;
} {
  const byCause = effectOf(cause);
  return {
    moveOn: isMoveOn(moveOn) ? moveOn : (byCause.moveOn ?? true),
    isFraudBlock: (isFraudBlock ?? byCause.isFraudBlock) === true,
    isNotReached: (isNotReached ?? byCause.isNotReached) === true,
  };
}

function isMoveOn(value: unknown): value is MoveOn {
  return typeof value === 'boolean' || value === 'other-channel' || value === 'other-provider';
}
