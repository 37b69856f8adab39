import type { IncomingMessage, ServerResponse } from 'node:http';
import { calls, endCall, type Call, type HookParts } from './call.js';
import { Throttle } from './delivery/events.js';
import { maskText } from './delivery/masking.js';
import { RequestError } from './errors.js';
import { answer } from './exchange.js';
import { rejectionAnswer } from './okta/hook-answer.js';

const ONE_MINUTE_MS = 60_000;

type FailureHandler = (error: unknown, req: IncomingMessage, res: ServerResponse, next: () => void) => void;

/** The one error boundary: every failure becomes an answer, and nothing of it but its public sentence. */
export function answerFailure(parts: HookParts): FailureHandler {
  // Express takes what has four parameters for an error handler.
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  return (error, req, res, _next) => {
    const call = calls.get(req);
    const isRequestError = error instanceof RequestError;
    const status = isRequestError ? error.status : 500;
    const body = isRequestError
      ? rejectionAnswer(error)
      : {
          error: { errorSummary: 'Your code could not be sent. Please try again or choose another method.' },
        };
    void call?.claim?.then((claim) => {
      if (claim?.isFirst === true) claim.release();
    });
    answer(req, res, status, body, isRequestError ? error.headers : {});
    if (call !== undefined) endCall(call, parts);
    tellRejected(error, status, call, parts);
  };
}

function tellRejected(error: unknown, status: number, call: Call | undefined, parts: HookParts): void {
  const { events, rejections, settings } = parts;
  const code = error instanceof RequestError ? error.code : 'INTERNAL_ERROR';
  const fields = error instanceof RequestError ? error.fields : [];
  const tell = (count: number): void => {
    if (code === 'CALLER_NOT_PROVEN') events.emit({ type: 'caller.rejected', count, reason: code });
    else
      events.emit({ type: 'request.rejected', status, code, fields, count, reason: reasonOf(error, call) });
  };
  if (PROVEN_CALLERS_ONLY.has(code)) {
    tell(1);
    return;
  }
  const throttle = rejections.get(code) ?? new Throttle(ONE_MINUTE_MS, settings.clock);
  rejections.set(code, throttle);
  throttle.tell(tell);
}

/** Only a caller that was proven to be Okta gets these, so each is told. */
const PROVEN_CALLERS_ONLY: ReadonlySet<string> = new Set([
  'INVALID_REQUEST',
  'UNSUPPORTED_MEDIA_TYPE',
  'BODY_ALREADY_READ',
  'INTERNAL_ERROR',
]);

/** What an operator needs beside the code: why a proof could not be checked, or what broke. */
function reasonOf(error: unknown, call: Call | undefined): string | undefined {
  const cause = error instanceof RequestError ? error.cause : error;
  return cause instanceof Error
    ? maskText(`${cause.name}: ${cause.message}`, call?.hook?.request)
    : undefined;
}
