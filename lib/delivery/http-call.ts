import { Agent, type Dispatcher } from 'undici';

/** One call outward. Redirects are never followed. */
export interface HttpCall {
  readonly dispatcher: Dispatcher;
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** The whole time from now to the last byte of the answer, milliseconds. */
  readonly timeoutMs: number;
  /** How long it may wait for a connection, milliseconds. Default `timeoutMs`. */
  readonly leaveWithinMs?: number | undefined;
  /** Aborts what has not left yet; does nothing to what has. */
  readonly leaveSignal?: AbortSignal | undefined;
  /** Aborts whatever is going on: `not-sent` if nothing has left yet, else `no-answer`. */
  readonly signal?: AbortSignal | undefined;
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
export function createAgent(connectTimeoutMs: number): Dispatcher {
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
    let hasLeft = false;
    let isSettled = false;
    let abort: ((reason: Error) => void) | undefined;
    let status = 0;
    let headers: HttpAnswer['headers'] = {};
    let size = 0;
    const chunks: Buffer[] = [];

    const settle = (result: HttpResult): void => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(wholeTimer);
      clearTimeout(leaveTimer);
      call.leaveSignal?.removeEventListener('abort', onLeaveAborted);
      call.signal?.removeEventListener('abort', onAborted);
      resolve(result);
    };
    const giveUp = (reason: string): void => {
      settle({ kind: hasLeft ? 'no-answer' : 'not-sent', reason });
      abort?.(new Error(reason));
    };
    const onLeaveAborted = (): void => {
      if (!hasLeft) giveUp('DEADLINE');
    };
    const onAborted = (): void => {
      giveUp('ABORTED');
    };
    const wholeTimer = setTimeout(giveUp, call.timeoutMs, 'TIMEOUT');
    const leaveTimer =
      call.leaveWithinMs === undefined
        ? undefined
        : setTimeout(() => {
            if (!hasLeft) giveUp('CONNECT_TIMEOUT');
          }, call.leaveWithinMs);
    if (call.leaveSignal?.aborted === true) {
      giveUp('DEADLINE');
      return;
    }
    if (call.signal?.aborted === true) {
      giveUp('ABORTED');
      return;
    }
    call.signal?.addEventListener('abort', onAborted, { once: true });
    call.leaveSignal?.addEventListener('abort', onLeaveAborted, { once: true });

    const handler: Dispatcher.DispatchHandler = {
      // undici calls this right before it writes to the socket: until here nothing has left.
      onRequestStart(controller) {
        if (isSettled) {
          controller.abort(new Error('given up before it left'));
          return;
        }
        hasLeft = true;
        abort = (reason) => {
          controller.abort(reason);
        };
      },
      onResponseStart(_controller, statusCode, incoming) {
        // An informational answer (1xx) comes before the real one.
        if (statusCode < 200) return;
        status = statusCode;
        headers = flatten(incoming);
      },
      onResponseData(controller, chunk) {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) {
          settle({ kind: 'no-answer', reason: 'ANSWER_TOO_LARGE' });
          controller.abort(new Error('answer too large'));
          return;
        }
        chunks.push(chunk);
      },
      onResponseEnd() {
        settle({ kind: 'answered', status, headers, body: Buffer.concat(chunks).toString('utf8') });
      },
      onResponseError(_controller, error) {
        settle({ kind: hasLeft ? 'no-answer' : 'not-sent', reason: reasonOf(error) });
      },
    };
    try {
      call.dispatcher.dispatch(
        {
          origin: call.url.origin,
          path: call.url.pathname + call.url.search,
          method: call.method,
          headers: call.headers,
          body: call.body ?? null,
        },
        handler,
      );
    } catch (error) {
      giveUp(reasonOf(error));
    }
  });
}

function flatten(incoming: Record<string, string | string[] | undefined>): HttpAnswer['headers'] {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming)) {
    if (value !== undefined) headers[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
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
