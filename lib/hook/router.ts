import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TwilioPort } from '../channels/twilio/client.js';
import { Budget } from '../core/budget.js';
import type { CodeUses } from '../delivery/messages/code-uses.js';
import { isCallerGone, methodNotAllowed, readBody } from '../http/exchange.js';
import { createRoutes, normalizePath, type Handler, type Route } from '../http/routes.js';
import type { CallerVerifier } from '../okta/verify-caller.js';
import { STATUS_PATH } from '../options/settings.js';
import { answerError } from './answer-error.js';
import { answerOkta } from './answer-okta.js';
import { beginCall, type HookParts, type OpenCall, type ReadCall } from './call.js';
import { channelRoutes } from './callbacks/channel-routes.js';
import { createInbox } from './callbacks/inbox.js';
import { createReportTaker } from './callbacks/reports.js';
import { recordSignIns } from './callbacks/sign-in-outcome.js';
import { INBOUND_PATH, receiveTwilioMessages, recordDelivery } from './callbacks/twilio-routes.js';
import { assessCode } from './assess-code.js';
import { deduplicate } from './deduplicate.js';
import { dispatchChannels } from './dispatch-channels.js';
import { enforceLimits } from './enforce-limits.js';
import { lookUpProfile } from './look-up-profile.js';
import { readRequest, verifyHook } from './read-request.js';

/** The handler of the hook's own route: the steps of a call, from top to bottom. Each step fills in its fields of the call. */
function answerCall(parts: HookParts): Route['handle'] {
  return async (req, res, next) => {
    const opened = openCall(parts, req, res);
    try {
      if (req.method !== 'POST') throw methodNotAllowed('POST');
      if (!parts.verifier.hasSecret(req)) await verifyHook(opened, parts, req);
      opened.isProven = true;
      const body = await readBody(req, { type: 'application/json', waitMs: opened.budget.remainingMs() });
      const read = readRequest(opened, body, parts);
      await sendOnce(read, parts);
      await answerOkta(read, parts, req, res);
    } catch (error) {
      answerError(parts, { call: opened, route: 'hook' })(error, req, res, next);
    }
  };
}

/** The steps between the request and the answer: they send the code, unless the call is a repeat or refused. */
export async function sendOnce(call: ReadCall, parts: HookParts): Promise<void> {
  await deduplicate(call, parts);
  if (call.answer !== undefined) return;
  enforceLimits(call, parts);
  if (isRefused(call)) return;
  const { assess } = parts.settings.guard;
  const assessed = assess && assessCode(assess, call, parts);
  await lookUpProfile(call, parts);
  await assessed;
  if (isRefused(call)) return;
  await dispatchChannels(call, parts);
}

/** A function: TypeScript would otherwise assume that no step changes it. */
const isRefused = ({ refusal }: ReadCall): boolean => refusal !== undefined;

/** Begins a call. Its deadline counts from here. */
function openCall(parts: HookParts, req: IncomingMessage, res: ServerResponse): OpenCall {
  // A process that was suspended or busy may learn late, by `close`, that the caller hung up, and never of an answer that Node has
  // queued behind another one. The socket knows it at once. Requests of serverless adapters may have no socket.
  const { socket } = req as { readonly socket?: Socket };
  const isGone = (): boolean => socket?.readableEnded === true || isCallerGone(res);
  const call = beginCall(new Budget(parts.settings.deadlineMs, isGone), parts);
  // The gateway may have answered the request before it reached the hook.
  if (res.writableEnded) call.budget.hangUp();
  res.on('close', () => {
    // The caller is gone, or the gateway has answered the request itself.
    if (!call.isOver) call.budget.hangUp();
  });
  return call;
}

/** Mounts the hook's routes. A route that is not configured is not mounted. */
export function createRouter(
  parts: HookParts,
  {
    twilio,
    eventHook,
  }: {
    readonly twilio: TwilioPort | undefined;
    readonly eventHook: { readonly verifier: CallerVerifier; readonly codeUses: CodeUses };
  },
): Handler {
  const { path, publicUrl, credentials } = parts.settings;
  const routes: Route[] = [
    { path: path || '/', handle: answerCall(parts), onError: answerError(parts, { route: 'hook' }) },
  ];
  const takeReport = createReportTaker(parts);
  const inbox = createInbox(parts);
  routes.push(...channelRoutes(parts, { takeReport, inbox }));
  if (twilio !== undefined && publicUrl !== undefined) {
    routes.push({
      path: path + STATUS_PATH,
      handle: recordDelivery(parts, twilio, takeReport),
      onError: answerError(parts, { route: 'status' }),
    });
    routes.push({
      path: path + INBOUND_PATH,
      handle: receiveTwilioMessages(parts, twilio, inbox),
      onError: answerError(parts),
    });
  }
  if (credentials.eventHook.length > 0) {
    routes.push({
      path: `${path}/events`,
      handle: recordSignIns(parts, eventHook),
      onError: answerError(parts, { route: 'events' }),
    });
  }
  return createRoutes(routes, parts.openAnswers, warnOfMount(parts));
}

/** Warns once, if the hook passes on a request for its own public path. Okta then gets the answer of another handler. */
function warnOfMount({ settings, events }: HookParts): (wholePath: string) => void {
  const path = settings.path || '/';
  const { publicUrl } = settings;
  const { pathname } = new URL(publicUrl ?? 'http://localhost');
  // A publicUrl without a path may be that of a proxy that rewrites paths. Its root may serve anything.
  const publicPath = pathname === '/' ? path : pathname;
  const watched = normalizePath(publicPath);
  const remedy =
    watched === normalizePath(path)
      ? 'Mount the hook before the middleware that changes req.url.'
      : `Set path to ${publicPath}, the path of publicUrl.`;
  let isWarned = false;
  return (wholePath) => {
    if (isWarned || wholePath !== watched) return;
    isWarned = true;
    events.emit({ type: 'configuration.warned', option: 'path', where: ['path'], remedy });
  };
}
