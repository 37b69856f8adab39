import { CODE_NOT_SENT, RequestError } from '../core/errors.js';
import { maskError } from '../core/masking.js';
import { answer } from '../http/exchange.js';
import type { ErrorHandler } from '../http/routes.js';
import { rejectionAnswer } from '../okta/hook-answer.js';
import type { HookScheme } from '../okta/verify-caller.js';
import { giveAnswer, mayHaveLeft } from './answer-okta.js';
import { endCall, type AnyCall } from './call.js';
import { keepUnaccepted } from './last-codes.js';
import type { HookParts } from './parts.js';

/** Which of Okta's hooks a route is for, and what its callers prove themselves by. */
interface CalledHook {
  readonly hook: 'inline' | 'event';
  readonly schemes: readonly HookScheme[];
}

/** What failed. */
interface Failed {
  /** The call that ends by the error; `undefined` where none has begun. */
  readonly call?: AnyCall;
  /** Default: the inline hook. */
  readonly called?: CalledHook;
}

/** What a caller is told of an error. */
interface ErrorAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/**
 * The one error boundary: every failure becomes an answer, and nothing of it but its public sentence.
 *
 * @param of - the call that failed, and whose hook it is; neither for the callbacks of a provider.
 */
export function answerError(parts: HookParts, of: Failed = {}): ErrorHandler {
  return (error, req, res, next) => {
    try {
      endByError(error, of, parts, ({ status, body, headers }) => {
        answer(req, res, status, body, headers);
      });
    } catch (failure) {
      // Only what fails even here is the gateway's.
      next(failure);
    }
  };
}

/** Ends a call, where one has begun, with the answer to an error. */
export function endByError(
  error: unknown,
  { call, called: other }: Failed,
  parts: HookParts,
  write: (answer: ErrorAnswer) => void,
): void {
  const called: CalledHook = other ?? { hook: 'inline', schemes: parts.settings.hookSchemes };
  // A code that is on its way stays sent, whatever fails after it: an error would let Okta send it once more.
  if (call !== undefined && !call.isOver && mayHaveLeft(call)) {
    giveAnswer(call, parts, ({ body }) => {
      write({ status: 200, body });
    });
    emitRejected(error, { status: 200, call, called }, parts);
    return;
  }
  const isRequestError = error instanceof RequestError;
  const status = isRequestError ? error.status : 500;
  const body = isRequestError ? rejectionAnswer(error) : { error: { errorSummary: CODE_NOT_SENT } };
  call?.claim?.release();
  write({ status, body, headers: isRequestError ? error.headers : undefined });
  if (call !== undefined) {
    endCall(call, parts);
    keepUnaccepted(call, parts);
  }
  emitRejected(error, { status, call, called }, parts);
}

/** Each rejection of a proven caller; what anybody can cause, at most once a minute. */
function emitRejected(
  error: unknown,
  exchange: { readonly status: number; readonly call: AnyCall | undefined; readonly called: CalledHook },
  { events, rejections }: HookParts,
): void {
  const { status, call, called } = exchange;
  const code = error instanceof RequestError ? error.code : 'INTERNAL_ERROR';
  const fields = error instanceof RequestError ? error.fields : [];
  const tell = (count: number): void => {
    if (code === 'CALLER_NOT_PROVEN')
      events.emit({
        type: 'caller.rejected',
        count,
        reason: code,
        hook: called.hook,
        schemes: called.schemes.map(({ scheme }) => scheme),
      });
    else
      events.emit({
        type: 'request.rejected',
        status,
        code,
        fields,
        count,
        reason: reasonOf(error, call),
      });
  };
  if (call?.isProven === true) {
    tell(1);
    return;
  }
  rejections.of(`${called.hook} ${code}`).tell(tell);
}

/** What an operator needs beside the code: why a proof could not be checked, or what broke. */
function reasonOf(error: unknown, call: AnyCall | undefined): string | undefined {
  const cause = error instanceof RequestError ? error.cause : error;
  return cause instanceof Error ? maskError(cause, call?.hook?.request) : undefined;
}
