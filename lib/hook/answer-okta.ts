import type { IncomingMessage, ServerResponse } from 'node:http';
import { endingOf } from '../core/masking.js';
import { endOfTurn } from '../core/time.js';
import { answer } from '../http/exchange.js';
import { answerBy, decide, type HookAnswer } from '../okta/hook-answer.js';
import {
  endCall,
  idsOf,
  testFields,
  type AnyCall,
  type CallAnswer,
  type HookParts,
  type ReadCall,
} from './call.js';
import { keepRefused } from './codes-of-user.js';

/**
 * Writes the answer to Okta at the end of the event loop's turn. A shared state sends what it keeps of a sent code before that, so
 * that other gateways know the answer if this process dies then. Answers of one turn are written together: without this and the
 * batch of `lookUpProfile`, a code takes a third more CPU time under load (Node 24).
 */
export async function answerOkta(
  call: ReadCall,
  parts: HookParts,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  if (call.answer === undefined && mayHaveLeft(call)) call.answer = makeAnswer(call, parts);
  // A repeat waits, too: the call that it repeats is answered first.
  await endOfTurn();
  giveAnswer(call, parts, (body) => {
    answer(req, res, 200, body);
  });
}

/** Makes the answer, writes it and ends the call. Repeats of the event get the same answer. */
export function giveAnswer(call: ReadCall, parts: HookParts, write: (body: HookAnswer) => void): HookAnswer {
  const given = call.answer ?? makeAnswer(call, parts);
  const body = answerBy(given.decision, call.hook.request);
  write(body);
  endCall(call, parts);
  emitAnswered(call, given, parts);
  if (!given.isRepeat) keepRefused(call, parts);
  return body;
}

function makeAnswer(call: ReadCall, { settings }: HookParts): CallAnswer {
  const { claim, delivery, refusal, budget, providersOf } = call;
  const { answer: guardAnswer } = settings.guard;
  const decision = decide({ delivery, refusal, providersOf, durationMs: budget.elapsedMs(), guardAnswer });
  // The caller hung up and nothing has left, so Okta's next call with this event must be the first one again.
  const isVoid = budget.hasHungUp && !mayHaveLeft(call);
  if (isVoid) claim?.release();
  else claim?.settle(decision);
  return { decision, isRepeat: false };
}

/** Whether a code has left, or may have. */
export function mayHaveLeft(call: AnyCall): call is ReadCall {
  return call.delivery !== undefined && call.delivery.status !== 'refused';
}

function emitAnswered(
  { hook, test, budget, number, delivery, skipped, optIn, providersOf, resend, reading, refusal }: ReadCall,
  { decision, isRepeat }: CallAnswer,
  { events }: HookParts,
): void {
  const { request, isPreview } = hook;
  const decidedBy = delivery?.decidedBy;
  events.emit({
    type: 'request.answered',
    ...idsOf(request),
    requestType: request.requestType,
    deliveryChannel: request.deliveryChannel,
    toEnding: endingOf(request.phoneNumber),
    country: number?.country,
    isPreview,
    ...testFields(test),
    isRepeat,
    outcome: decision.outcome,
    status: decision.status,
    code: refusal?.code ?? decidedBy?.code,
    // Of a repeat, why the first answer is not known.
    reason:
      refusal?.reason ??
      decidedBy?.reason ??
      (decision.status === 'PENDING' ? decision.causes[0]?.reason : undefined),
    remedy: refusal?.remedy ?? decidedBy?.remedy,
    hasHungUp: budget.hasHungUp,
    channel: decidedBy?.channel,
    provider: decidedBy?.provider,
    transactionId: decidedBy?.transactionId,
    attempts: delivery?.attempts ?? [],
    // A copy, because listeners may change what they get.
    skipped: [...skipped],
    optIn: optIn.optIn,
    optInAttribute: optIn.optInAttribute,
    providersOf,
    resendOf: resend.resendOf,
    resendOfChannel: resend.resendOfChannel,
    profileSource: reading?.source,
    profileReason: reading?.reason,
    profileStatus: reading?.httpStatus,
    profileMs: reading?.durationMs,
    durationMs: Math.round(budget.elapsedMs()),
    remainingMs: Math.round(budget.remainingMs()),
  });
}
