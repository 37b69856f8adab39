import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TwilioConnection } from '../channels/twilio/client.js';
import { Budget } from '../core/budget.js';
import type { CodeUses } from '../delivery/late/code-uses.js';
import { methodNotAllowed } from '../http/exchange.js';
import { createRoutes, type Handler, type Route } from '../http/routes.js';
import type { CallerVerifier } from '../okta/verify-caller.js';
import { STATUS_PATH } from '../options/settings.js';
import { answerError } from './answer-error.js';
import { answerOkta } from './answer-okta.js';
import { beginCall, type OpenCall } from './call.js';
import { recordDelivery } from './callbacks/delivery-status.js';
import { INBOUND_PATH, receiveInbound } from './callbacks/inbound-message.js';
import { recordSignIns } from './callbacks/sign-in-outcome.js';
import { deduplicate } from './deduplicate.js';
import { dispatchChannels } from './dispatch-channels.js';
import { enforceLimits } from './enforce-limits.js';
import { lookUpProfile } from './look-up-profile.js';
import type { HookParts } from './parts.js';
import { readRequest } from './read-request.js';
import { verifyHook } from './verify-hook.js';

/** The hook's routes. One that is not configured is not there. */
export function createRouter(
  parts: HookParts,
  {
    twilio,
    eventHook,
  }: {
    readonly twilio: TwilioConnection;
    readonly eventHook: { readonly verifier: CallerVerifier; readonly codeUses: CodeUses };
  },
): Handler {
  const { path, twilioAuthTokens, eventHookSchemes } = parts.settings;
  const onError = answerError(parts);
  const routes: Route[] = [{ path: path || '/', handle: answerCall(parts), onError }];
  if (twilioAuthTokens.length > 0) {
    routes.push({ path: path + STATUS_PATH, handle: recordDelivery(parts), onError });
    routes.push({ path: path + INBOUND_PATH, handle: receiveInbound(parts, twilio), onError });
  }
  if (eventHookSchemes.length > 0) {
    routes.push({
      path: `${path}/events`,
      handle: recordSignIns(parts, eventHook),
      onError: answerError(parts, { called: { hook: 'event', schemes: eventHookSchemes } }),
    });
  }
  return createRoutes(routes);
}

/** The steps of a call in their order. The compiler checks that each is given what it needs. */
export const CALL_STEPS = inOrder(
  verifyHook,
  readRequest,
  deduplicate,
  enforceLimits,
  lookUpProfile,
  dispatchChannels,
  answerOkta,
);

/**
 * A step takes the call as the step before left it, and gives it with what it adds. Only the first two read the request,
 * and only the last one writes the answer.
 */
type Step<Needs, Gives> = (
  call: Needs,
  parts: HookParts,
  req: IncomingMessage,
  res: ServerResponse,
) => Gives | Promise<Gives>;

function inOrder<A, B, C, D, E, F, G>(
  ...steps: [Step<OpenCall, A>, Step<A, B>, Step<B, C>, Step<C, D>, Step<D, E>, Step<E, F>, Step<F, G>]
): readonly Step<OpenCall, unknown>[] {
  // Each is given the call that the one before it left: one object all the way, whose type grows.
  return steps as unknown as readonly Step<OpenCall, unknown>[];
}

/** Answers a call by its steps, one after the other. */
function answerCall(parts: HookParts): Handler {
  return (req, res, next) => {
    const call = openCall(parts, req, res);
    runSteps(call, parts, req, res).catch((error: unknown) => {
      answerError(parts, { call })(error, req, res, next);
    });
  };
}

async function runSteps(
  call: OpenCall,
  parts: HookParts,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  if (req.method !== 'POST') throw methodNotAllowed('POST');
  for (const step of CALL_STEPS) {
    // The gateway has answered in our place.
    if (call.isOver) return;
    // A repeat is answered without the steps between.
    if (call.answer === undefined || step === answerOkta) await step(call, parts, req, res);
  }
}

/** Begins a call: its time runs from here. */
function openCall(parts: HookParts, req: IncomingMessage, res: ServerResponse): OpenCall {
  // A process that was stopped or busy reads a request late, its end later still, and `close` comes last of all. Adapters
  // of serverless platforms may have no socket.
  const { socket } = req as { readonly socket?: Socket };
  const call = beginCall(new Budget(parts.settings.deadlineMs, () => socket?.readableEnded === true), parts);
  // Before the hook's turn came, or after it.
  if (res.destroyed || res.writableEnded) call.budget.hangUp();
  res.on('close', () => {
    // The caller is gone, or the gateway answered in our place: nobody waits for a code.
    if (!call.isOver) call.budget.hangUp();
  });
  return call;
}
