import type { IncomingMessage } from 'node:http';
import { answerCall, mayHaveLeft } from './answer-call.js';
import { callOf, endCall, type Call, type HookParts } from './call.js';
import { maskError } from '../core/masking.js';
import { CODE_NOT_SENT, RequestError } from '../core/errors.js';
import { answer } from '../http/exchange.js';
import { keepUnaccepted } from './last-codes.js';
import { rejectionAnswer } from '../okta/hook-answer.js';
import type { HookScheme } from '../okta/verify-caller.js';
import type { FailureHandler } from '../http/routes.js';

/** Which of Okta's hooks a route is for, and what its callers prove themselves by. */
interface CalledHook {
  readonly hook: 'inline' | 'event';
  readonly schemes: readonly HookScheme[];
}

/** The one error boundary: every failure becomes an answer, and nothing of it but its public sentence. */
export function answerFailure(
  parts: HookParts,
  called: CalledHook = { hook: 'inline', schemes: parts.settings.hookSchemes },
): FailureHandler {
  return (error, req, res) => {
    const call = callOf(req);
    // A code that is on its way stays sent, whatever fails after it: an error would let Okta send it once more.
    if (call !== undefined && !call.isOver && mayHaveLeft(call)) {
      answerCall(call, req, res, parts);
      tellRejected(error, { status: 200, call, called }, parts);
      return;
    }
    const isRequestError = error instanceof RequestError;
    const status = isRequestError ? error.status : 500;
    const body = isRequestError ? rejectionAnswer(error) : { error: { errorSummary: CODE_NOT_SENT } };
    call?.claim?.release();
    answer(req, res, status, body, isRequestError ? error.headers : {});
    if (call !== undefined) {
      endCall(call, parts);
      keepUnaccepted(call, parts);
    }
    tellRejected(error, { status, call, called }, parts);
  };
}

/** Why a call did not go to its end, by its request: the answer tells less of it. */
const kept = new WeakMap<IncomingMessage, unknown>();

/** For `answerFailure`, where somebody asks for what failed. */
export function keepingFailure(onFailure: FailureHandler): FailureHandler {
  return (error, req, res) => {
    kept.set(req, error);
    onFailure(error, req, res);
  };
}

export function keptFailure(req: IncomingMessage): unknown {
  return kept.get(req);
}

/** Each rejection of a proven caller; what anybody can cause, at most once a minute. */
function tellRejected(
  error: unknown,
  exchange: { readonly status: number; readonly call: Call | undefined; readonly called: CalledHook },
  { events, rejections }: HookParts,
): void {
  const { status, call, called } = exchange;
  const code = error instanceof RequestError ? error.code : 'INTERNAL_ERROR';
  const fields = error instanceof RequestError ? error.fields : [];
  const tell = (count: number): void => {
    if (code === 'CALLER_NOT_PROVEN')
      events.emit({
        type: 'caller.rejected',
        at: events.now(),
        count,
        reason: code,
        hook: called.hook,
        schemes: called.schemes.map(({ scheme }) => scheme),
      });
    else
      events.emit({
        type: 'request.rejected',
        at: events.now(),
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
function reasonOf(error: unknown, call: Call | undefined): string | undefined {
  const cause = error instanceof RequestError ? error.cause : error;
  return cause instanceof Error ? maskError(cause, call?.hook?.request) : undefined;
}
