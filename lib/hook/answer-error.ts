import type { IncomingMessage } from 'node:http';
import type { CountedEvent } from '../core/event-stream.js';
import { CODE_NOT_SENT, RequestError } from '../core/request-error.js';
import { maskError } from '../core/masking.js';
import { answer } from '../http/exchange.js';
import type { ErrorHandler } from '../http/routes.js';
import { personalDataOf } from '../numbers/personal-data.js';
import { rejectionAnswer } from '../okta/hook-answer.js';
import { isProbeMark, PROBE_HEADER, type MarkedCall } from '../okta/probe-mark.js';
import { giveAnswer, mayHaveLeft } from './answer-okta.js';
import { endCall, idsOf, type AnyCall, type HookParts } from './call.js';
import { keepRefused } from './codes-of-user.js';

interface Failed {
  /** The call that the error ends; `undefined` if none has begun. */
  readonly call?: AnyCall;
  /** The route; none for an inbound message and for a test of the console. */
  readonly route?: MarkedCall['route'];
  /** Whether the request is a marked test call of the command line. Default: false. */
  readonly isProbe?: boolean;
}

interface ErrorAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/**
 * The one error boundary: every failure becomes an answer that holds only its public sentence.
 *
 * @param of - the failed call and its route.
 */
export function answerError(parts: HookParts, of: Failed = {}): ErrorHandler {
  return (error, req, res, next) => {
    try {
      endByError(
        error,
        { ...of, isProbe: isProbe(req, of.route, parts) },
        parts,
        ({ status, body, headers }) => {
          answer(req, res, status, body, headers);
        },
      );
    } catch (failure) {
      // Only a failure of this boundary itself goes to the gateway.
      next(failure);
    }
  };
}

function isProbe(
  { headers, method = '' }: IncomingMessage,
  route: MarkedCall['route'] | undefined,
  { settings }: HookParts,
): boolean {
  const mark = headers[PROBE_HEADER];
  if (mark === undefined || route === undefined) return false;
  const { credentials, clock } = settings;
  return isProbeMark(mark, [...credentials.hook, ...credentials.eventHook], clock(), { method, route });
}

/** Ends a call, if one has begun, with the answer to an error. */
export function endByError(
  error: unknown,
  failed: Failed,
  parts: HookParts,
  write: (answer: ErrorAnswer) => void,
): void {
  const { call } = failed;
  // The code may have left: after an error, Okta would send it again.
  if (call !== undefined && !call.isOver && mayHaveLeft(call)) {
    giveAnswer(call, parts, (body) => {
      write({ status: 200, body });
    });
    emitRejected(error, failed, 200, parts);
    return;
  }
  const isRequestError = error instanceof RequestError;
  const status = isRequestError ? error.status : 500;
  const body = isRequestError ? rejectionAnswer(error) : { error: { errorSummary: CODE_NOT_SENT } };
  call?.claim?.release();
  write({ status, body, headers: isRequestError ? error.headers : undefined });
  if (call !== undefined) {
    endCall(call, parts);
    keepRefused(call, parts);
  }
  // The tester shows the administrator what is wrong with their payload. No other reader needs it.
  if (isRequestError && call?.test !== undefined) return;
  emitRejected(error, failed, status, parts);
}

/** Reports each rejection of a proven caller. Rejections that anyone can cause are reported at most once a minute. */
function emitRejected(
  error: unknown,
  { call, route, isProbe = false }: Failed,
  status: number,
  { events, settings }: HookParts,
): void {
  const code = error instanceof RequestError ? error.code : 'INTERNAL_ERROR';
  // A marked call that fails for another reason than its own mistake is reported like any other.
  if (isProbe && status >= 400 && status < 500) {
    events.emitCounted(`rejected probe ${code}`, (count) => ({
      type: 'probe.rejected',
      status,
      code,
      count,
    }));
    return;
  }
  const hook = route === 'events' ? 'event' : 'inline';
  const schemes = settings.credentials[hook === 'event' ? 'eventHook' : 'hook'];
  const fields = error instanceof RequestError ? error.fields : [];
  const makeEvent = (count: number): CountedEvent =>
    code === 'CALLER_NOT_PROVEN'
      ? {
          type: 'caller.rejected',
          count,
          reason: code,
          hook,
          schemes: schemes.map(({ scheme }) => scheme),
        }
      : {
          type: 'request.rejected',
          status,
          code,
          fields,
          count,
          reason: reasonOf(error, call),
          ...(call?.hook === undefined ? {} : idsOf(call.hook.request)),
        };
  if (call?.isProven === true) events.emit(makeEvent(1));
  else events.emitCounted(`rejected ${hook} ${code}`, makeEvent);
}

/** The cause for the log: why a caller could not be checked, or what failed. */
function reasonOf(error: unknown, call: AnyCall | undefined): string | undefined {
  const cause = error instanceof RequestError ? error.cause : error;
  if (!(cause instanceof Error)) return undefined;
  const request = call?.hook?.request;
  return maskError(
    cause,
    request === undefined ? undefined : personalDataOf(request, call?.reading?.profile),
  );
}
