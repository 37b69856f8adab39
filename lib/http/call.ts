import { Agent, type Dispatcher } from 'undici';
import type { HttpAnswer, HttpDispatcher, HttpRequest, HttpResult } from '../core/http.js';
import { parseJson } from '../core/json.js';
import { joinChunks } from './exchange.js';

/** The `user-agent` of our own calls of Okta and the providers. A user's channel names itself. */
export const USER_AGENT = 'okta-telephony-hook';

/** One outgoing HTTP request. Redirects are never followed. */
export interface HttpCall {
  readonly method: NonNullable<HttpRequest['method']>;
  /** E.g. `https://api.twilio.com`. */
  readonly origin: string;
  /** From `/`, with the query if there is one; already encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** By what a request goes, and its limits in time. */
export interface HttpLimits {
  readonly dispatcher: HttpDispatcher;
  /**
   * Whether the request may be repeated, because it changes nothing. It is then sent once more if its connection ends before any
   * byte of the answer: the other side may close a kept connection just as the request leaves.
   */
  readonly isRead?: boolean | undefined;
  /** From now to the last byte of the answer, milliseconds. */
  readonly timeoutMs: number;
  /** Called right before the request is written to the socket; `false` stops it. Default: always `true`. */
  readonly mayLeave?: (() => boolean) | undefined;
  /** How long the call may wait for a connection, milliseconds. Default: `timeoutMs`. */
  readonly leaveWithinMs?: number | undefined;
  /** Called with the reason if the call ends before anything has left. */
  readonly onNotSent?: ((reason: string) => void) | undefined;
}

/** The largest body that is read; answers of the vendors have a few KB. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** The reason if an answer is larger. The other side has answered, though nothing of it can be used. */
export const ANSWER_TOO_LARGE = 'ANSWER_TOO_LARGE';

/**
 * A connection pool without a limit, so that hanging calls never delay others. A connect that stalls is given
 * up well before the deadline.
 */
export function createAgent(connectTimeoutMs: number): HttpDispatcher & { destroy(): Promise<void> } {
  return new Agent({
    connections: null,
    pipelining: 1,
    keepAliveTimeout: 20_000,
    keepAliveMaxTimeout: 60_000,
    connect: { timeout: connectTimeoutMs },
    // Each call has its own timer, because undici's timers are coarse. These only limit what escapes that
    // timer.
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
  });
}

/** Makes one call. Never rejects. */
export function callHttp(call: HttpCall, limits: HttpLimits): Promise<HttpResult> {
  return new Promise((resolve) => {
    new PendingCall(limits, resolve).start(call);
  });
}

/** The state of one call between dispatch and result, as undici's handler. */
class PendingCall implements Dispatcher.DispatchHandler {
  readonly #limits: HttpLimits;
  readonly #resolve: (result: HttpResult) => void;
  readonly #chunks: Buffer[] = [];
  /** Runs first for `leaveWithinMs` if that is shorter, then for the rest: one timer serves both. */
  #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #hasLeft = false;
  #isSettled = false;
  /** The call while it may be repeated. Nothing else of a call is kept, because its body may have a code. */
  #read: HttpCall | undefined;
  #size = 0;
  #status = 0;
  #headers: HttpAnswer['headers'] = {};

  constructor(limits: HttpLimits, resolve: (result: HttpResult) => void) {
    this.#limits = limits;
    this.#resolve = resolve;
    const { timeoutMs, leaveWithinMs = timeoutMs } = limits;
    this.#timer =
      leaveWithinMs < timeoutMs
        ? setTimeout(endConnectWait, leaveWithinMs, this)
        : setTimeout(giveUp, timeoutMs, this, 'TIMEOUT');
  }

  start(call: HttpCall): void {
    if (this.#limits.isRead === true) this.#read = call;
    this.#dispatch(call);
  }

  #dispatch({ origin, path, method, headers, body }: HttpCall): void {
    try {
      this.#limits.dispatcher.dispatch({ origin, path, method, headers, body: body ?? null }, this);
    } catch (error) {
      this.giveUp(reasonOf(error));
    }
  }

  /** Ends the call now: `not-sent` if it has not left, `no-answer` if it has. */
  giveUp(reason: string): void {
    this.#settle({ kind: this.#hasLeft ? 'no-answer' : 'not-sent', reason });
    this.#controller?.abort(new Error(reason));
  }

  /** A request that has left keeps the rest of its time; any other is given up. */
  endConnectWait(): void {
    const { timeoutMs, leaveWithinMs = timeoutMs } = this.#limits;
    if (this.#hasLeft) this.#timer = setTimeout(giveUp, timeoutMs - leaveWithinMs, this, 'TIMEOUT');
    else this.giveUp('CONNECT_TIMEOUT');
  }

  /** undici calls this right before it writes to the socket: until here nothing has left. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#limits.mayLeave?.() === false) this.giveUp('DEADLINE');
    if (this.#isSettled) {
      controller.abort(new Error('given up before it left'));
      return;
    }
    this.#hasLeft = true;
    this.#controller = controller;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#read = undefined;
    // Also called for each informational response (1xx): the real one comes last.
    this.#status = status;
    this.#headers = flatten(headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > MAX_ANSWER_BYTES) {
      this.#settle({ kind: 'no-answer', reason: ANSWER_TOO_LARGE });
      controller.abort(new Error('answer too large'));
      return;
    }
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#settle(new Answer(this.#status, this.#headers, joinChunks(this.#chunks).toString('utf8')));
  }

  onResponseError(_controller: unknown, error: unknown): void {
    const reason = reasonOf(error);
    const read = this.#read;
    if (read !== undefined && this.#hasLeft && !this.#isSettled && LOST_CONNECTION.test(reason)) {
      this.#read = undefined;
      // undici is still closing the connection, which must not be used again.
      queueMicrotask(() => {
        this.#dispatch(read);
      });
      return;
    }
    this.#settle({ kind: this.#hasLeft ? 'no-answer' : 'not-sent', reason });
  }

  #settle(result: HttpResult): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    if (result.kind === 'not-sent') this.#limits.onNotSent?.(result.reason);
    this.#resolve(result);
  }
}

/** The reasons of a connection that its other side has closed. */
const LOST_CONNECTION = /^(?:UND_ERR_SOCKET|ECONNRESET|EPIPE)$/;

/** A class, so that only an answer whose JSON is read is parsed. */
class Answer implements HttpAnswer {
  readonly kind = 'answered';
  readonly status: number;
  readonly headers: HttpAnswer['headers'];
  readonly body: string;

  constructor(status: number, headers: HttpAnswer['headers'], body: string) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  get json(): unknown {
    return parseJson(this.body);
  }
}

/** An answer with status 2xx and JSON. */
export interface JsonAnswer extends Pick<HttpAnswer, 'status' | 'headers'> {
  /** Parsed JSON: an object or an array. */
  readonly body: object;
}

/** The answer with its JSON if it has status 2xx; `undefined` for any other result. */
export function readJsonSuccess(result: HttpResult): JsonAnswer | undefined {
  if (result.kind !== 'answered' || result.status < 200 || result.status > 299) return undefined;
  const { status, headers, json: body } = result;
  return typeof body === 'object' && body !== null ? { status, headers, body } : undefined;
}

// Passed to `setTimeout` with the call as an argument: that saves a closure for each call, and hardly any
// timer fires.
const giveUp = (call: PendingCall, reason: string): void => {
  call.giveUp(reason);
};
const endConnectWait = (call: PendingCall): void => {
  call.endConnectWait();
};

/** undici's headers have lower-case names. Fast path: nothing is copied if every header came once. */
function flatten(incoming: Record<string, string | string[] | undefined>): HttpAnswer['headers'] {
  for (const name in incoming) if (typeof incoming[name] !== 'string') return joinRepeated(incoming);
  return incoming as HttpAnswer['headers'];
}

function joinRepeated(incoming: Record<string, string | string[] | undefined>): HttpAnswer['headers'] {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

/** Only the error's code: a message may quote the request. */
function reasonOf(error: unknown): string {
  if (typeof error === 'object' && error !== null) {
    if ('code' in error && typeof error.code === 'string' && error.code !== '') return error.code;
    if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  }
  return 'CONNECTION_FAILED';
}
