import type { IncomingMessage, ServerResponse } from 'node:http';
import { endCall, hookOf, tellAnswered, type Call, type HookParts } from './call.js';
import { answerText, JSON_TYPE } from '../http/exchange.js';
import { keepUnaccepted } from './last-codes.js';
import { answerFor, type HookAnswer } from '../okta/hook-answer.js';

/** How a call ends that was read: Okta is answered 200, and what it was told is kept for repeats. */

/** Answers with a body that was made before, or just now. @param text - the body, as JSON. */
export function respond(
  call: Call,
  req: IncomingMessage,
  res: ServerResponse,
  { body, text, isRepeat }: { readonly body: HookAnswer; readonly text: string; readonly isRepeat: boolean },
  parts: HookParts,
): void {
  answerText(req, res, { status: 200, type: JSON_TYPE, text });
  endCall(call, parts);
  tellAnswered(call, body, parts, isRepeat);
}

/** Answers with what became of the call's code. */
export function answerCall(call: Call, req: IncomingMessage, res: ServerResponse, parts: HookParts): void {
  const { delivery, refusal, budget } = call;
  const body = answerFor(hookOf(call).request, {
    delivery,
    refusal,
    durationMs: budget.elapsedMs(),
    guardAnswer: parts.settings.guard.answer,
  });
  const text = JSON.stringify(body);
  // Nothing left for a caller who hung up: should Okta ask again, that call is the first.
  const isVoid = budget.hasHungUp && !mayHaveLeft(call);
  if (isVoid) call.claim?.release();
  else call.claim?.settle(body, text);
  respond(call, req, res, { body, text, isRepeat: false }, parts);
  keepUnaccepted(call, parts);
}

/** Whether a code is on its way, or may be. */
export function mayHaveLeft({ delivery }: Call): boolean {
  return delivery !== undefined && delivery.status !== 'refused';
}
