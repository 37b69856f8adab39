import { Agent, type Dispatcher } from 'undici';

/** As much of undici's dispatcher as a call needs; undici's own `request` and `fetch` ask no more of one. */
export type HttpDispatcher = Pick<Dispatcher, 'dispatch'>;

/** One call outward. Redirects are never followed. */
export interface HttpCall {
  readonly dispatcher: HttpDispatcher;
  readonly method: 'GET' | 'POST' | 'PUT';
  /** E.g. `https://api.twilio.com`. */
  readonly origin: string;
  /** From `/`, with its query if it has one; already encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** The whole time from now to the last byte of the answer, milliseconds. */
  readonly timeoutMs: number;
  /** Asked when it is about to leave. Default: it may. */
  readonly mayLeave?: (() => boolean) | undefined;
  /** How long it may wait for a connection, milliseconds. Default: as long as the whole call. */
  readonly leaveWithinMs?: number | undefined;
}

/** A complete answer. */
export interface HttpAnswer {
  readonly kind: 'answered';
  readonly status: number;
  /** Names in lower case; a header that came twice is joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * What a call came to. The difference that the whole product rests on: `not-sent` has certainly not reached
 * the other side, `no-answer` may have.
 */
export type HttpResult =
  | HttpAnswer
  | { readonly kind: 'not-sent'; readonly reason: string }
  | { readonly kind: 'no-answer'; readonly reason: string };

/** The largest answer that is read; the vendors' own are a few KB. */
const MAX_ANSWER_BYTES = 256 * 1024;

/**
 * Our own pool: as many connections as there are calls, so that hanging ones never make others wait; a
 * connect that stalls is given up well before the deadline.
 */
export function createAgent(connectTimeoutMs: number): HttpDispatcher & { destroy(): Promise<void> } {
  return new Agent({
    connections: null,
    pipelining: 1,
    keepAliveTimeout: 20_000,
    keepAliveMaxTimeout: 60_000,
    connect: { timeout: connectTimeoutMs },
    // Calls end by their own timers (undici's are coarse): these only bound what a caller forgot.
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
  });
}

/** Makes one call and says what came of it. Never rejects. */
export function callHttp(call: HttpCall): Promise<HttpResult> {
  return new Promise((resolve) => {
    new CallUnderWay(call, resolve).start();
  });
}

/** One call while it is under way, as undici sees it. */
class CallUnderWay implements Dispatcher.DispatchHandler {
  readonly #call: HttpCall;
  readonly #resolve: (result: HttpResult) => void;
  readonly #chunks: Buffer[] = [];
  /** First for the time to leave, where that is the shorter one: one timer does for both. */
  #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #hasLeft = false;
  #isSettled = false;
  #size = 0;
  #status = 0;
  #headers: HttpAnswer['headers'] = {};

  constructor(call: HttpCall, resolve: (result: HttpResult) => void) {
    this.#call = call;
    this.#resolve = resolve;
    const { timeoutMs, leaveWithinMs = timeoutMs } = call;
    this.#timer =
      leaveWithinMs < timeoutMs
        ? setTimeout(endWaitToLeave, leaveWithinMs, this)
        : setTimeout(giveUp, timeoutMs, this, 'TIMEOUT');
  }

  start(): void {
    const { dispatcher, origin, path, method, headers, body } = this.#call;
    try {
      dispatcher.dispatch({ origin, path, method, headers, body: body ?? null }, this);
    } catch (error) {
      this.giveUp(reasonOf(error));
    }
  }

  /** Whatever is going on: what has not left is not sent, and what has is not waited for. */
  giveUp(reason: string): void {
    this.#settle({ kind: this.#hasLeft ? 'no-answer' : 'not-sent', reason });
    this.#controller?.abort(new Error(reason));
  }

  /** What has left has the rest of its time; what has not is given up. */
  endWaitToLeave(): void {
    const { timeoutMs, leaveWithinMs = timeoutMs } = this.#call;
    if (this.#hasLeft) this.#timer = setTimeout(giveUp, timeoutMs - leaveWithinMs, this, 'TIMEOUT');
    else this.giveUp('CONNECT_TIMEOUT');
  }

  /** undici calls this right before it writes to the socket: until here nothing has left. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#call.mayLeave?.() === false) this.giveUp('DEADLINE');
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
    // An informational answer (1xx) comes before the real one.
    if (status < 200) return;
    this.#status = status;
    this.#headers = flatten(headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > MAX_ANSWER_BYTES) {
      this.#settle({ kind: 'no-answer', reason: 'ANSWER_TOO_LARGE' });
      controller.abort(new Error('answer too large'));
      return;
    }
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const body = textOf(this.#chunks);
    this.#settle({ kind: 'answered', status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_controller: unknown, error: unknown): void {
    this.#settle({ kind: this.#hasLeft ? 'no-answer' : 'not-sent', reason: reasonOf(error) });
  }

  #settle(result: HttpResult): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    this.#resolve(result);
  }
}

// Timers are given these with the call as an argument: a closure for each would be made in vain nearly always.
const giveUp = (call: CallUnderWay, reason: string): void => {
  call.giveUp(reason);
};
const endWaitToLeave = (call: CallUnderWay): void => {
  call.endWaitToLeave();
};

function textOf(chunks: readonly Buffer[]): string {
  const [only] = chunks;
  return (chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks)).toString('utf8');
}

/** As undici gives them, names in lower case: nothing is made where each came once, as nearly always. */
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

/** The error's code only: a message may quote what was sent. */
function reasonOf(error: unknown): string {
  if (typeof error === 'object' && error !== null) {
    if ('code' in error && typeof error.code === 'string' && error.code !== '') return error.code;
    if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  }
  return 'CONNECTION_FAILED';
}
