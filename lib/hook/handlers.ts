import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { beginCall, callOf, hookOf, idsOf, keepCall, tellFailed, type Call, type HookParts } from './call.js';
import { answerCall, respond } from './answer-call.js';
import { deliver, readProfile } from './deliver.js';
import { Budget } from '../core/budget.js';
import { FAR_OFF_MS } from '../delivery/late/code-uses.js';
import { TIMED_OUT } from '../core/wait-at-most.js';
import { claimEvent, type ClaimResult } from '../guard/duplicates.js';
import { exceededRules } from '../guard/limits.js';
import { maskNumber } from '../core/masking.js';
import { personKey } from '../delivery/late/receipt.js';
import { NEW_CALL_MS } from '../delivery/running-calls.js';
import { steadyMs } from '../core/steady-clock.js';
import { recipientOf } from '../numbers/phone-number.js';
import { RequestError } from '../core/errors.js';
import { onlyMethods, parseJson, readBody } from '../http/exchange.js';
import { answerOfRepeat } from '../okta/hook-answer.js';
import { readHookCall, type HookCall } from '../okta/inline-hook.js';
import type { Handler } from '../http/routes.js';
import { bucketsFor, holdBackSpending } from './spending.js';

/** The chain that `hook.ts` mounts: each a thin shell over a function of its own room. */
export interface Handlers {
  readonly openCall: Handler;
  readonly verifyHook: Handler;
  /** In place of `verifyHook`, where no caller from outside can come. */
  readonly trustTester: Handler;
  readonly readRequest: Handler;
  readonly answerRepeat: Handler;
  readonly guardSpending: Handler;
  readonly lookUpProfile: Handler;
  readonly dispatchChannel: Handler;
  readonly answerOkta: Handler;
}

/** A preview is pressed again on purpose; only Okta's own retry of it is a repeat, milliseconds. */
const PREVIEW_MEMORY_MS = 10_000;
/** However short a code lives: a call, and what goes on after it, must have ended before its event is forgotten. */
const SHORTEST_MEMORY_MS = 15_000;
/** A skew that is worth telling, milliseconds. */
const TOLD_SKEW_MS = 30_000;

/** Stands in for an error that is none: to the chain it would be success. */
const NO_ERROR = new Error('a step failed without an error');

export function createHandlers(parts: HookParts): Handlers {
  const { settings, events } = parts;

  /** A step of the chain; when the call is over, the rest is passed over. */
  const step =
    (run: (call: Call, req: IncomingMessage, res: ServerResponse) => Promise<void> | undefined): Handler =>
    (req, res, next) => {
      const call = callOf(req);
      if (call === undefined || call.isOver) return;
      let work: Promise<void> | undefined;
      try {
        work = run(call, req, res);
      } catch (error) {
        next(error ?? NO_ERROR);
        return;
      }
      if (work === undefined) {
        goOn(call, next);
        return;
      }
      // The chain goes on by `next` alone.
      work.then(
        () => {
          goOn(call, next);
        },
        (error: unknown) => {
          next(error ?? NO_ERROR);
        },
      );
    };

  const openCall: Handler = (req, res, next) => {
    // A process that was stopped or busy reads a request late, its end later still, and `close` comes last of all. Adapters
    // of serverless platforms may have no socket.
    const { socket } = req as { readonly socket?: Socket };
    const budget = new Budget(settings.deadlineMs, () => socket?.readableEnded === true);
    const call = beginCall(budget, parts);
    keepCall(req, call);
    // Before the hook's turn came, or after it.
    if (res.destroyed || res.writableEnded) budget.hangUp();
    res.on('close', () => {
      // The caller is gone, or the gateway answered in our place: nobody waits for a code.
      if (!call.isOver) budget.hangUp();
    });
    if (req.method === 'POST') next();
    else next(onlyMethods('POST'));
  };

  const verifyHook = step((call, req) => {
    const checking = parts.verifier.verify(req);
    if (checking === undefined) {
      call.isProven = true;
      return undefined;
    }
    return call.budget.within(checking, call.budget.remainingMs()).then((proof) => {
      if (proof === TIMED_OUT) {
        throw new RequestError('PROOF_UNAVAILABLE', 'The caller cannot be checked at the moment.');
      }
      call.isProven = true;
    });
  });

  const trustTester = step((call) => {
    call.isProven = true;
    return undefined;
  });

  const readRequest = step(async (call, req) => {
    const body = await readBody(req, {
      type: 'application/json',
      waitMs: call.budget.remainingMs(),
    });
    const hook = readHookCall(parseJson(body), {
      defaultCountry: settings.defaultCountry,
      nowMs: settings.clock(),
    });
    call.hook = hook;
    call.expiresAtMs = steadyMs() + hook.lifeMs;
    call.refusal = hook.refusal;
    // In the order in which they come, also those that wait for another first. A preview overtakes nothing, and nothing overtakes it.
    if (!hook.isPreview) call.running = parts.runningCalls.begin(personKey(hook.request));
    if (events.hearsSteps) {
      const { eventId, oktaRequestId, requestType, deliveryChannel, userId, phoneNumber } = hook.request;
      events.emit({
        type: 'request.received',
        at: events.now(),
        eventId,
        oktaRequestId,
        requestType,
        deliveryChannel,
        userId,
        to: maskNumber(phoneNumber),
        isPreview: hook.isPreview,
      });
    }
    heedSkew(hook, parts);
  });

  const answerRepeat = step((call, req, res) => {
    const hook = hookOf(call);
    if (call.refusal !== undefined) return undefined;
    const buckets = bucketsFor(call, parts);
    if (!hook.hasEventId && buckets.length === 0) return undefined;
    const claiming = claimEvent(hook.request, {
      state: parts.underWay.isDrained ? undefined : settings.state,
      heldEvents: parts.heldEvents,
      isRepeatable: hook.hasEventId,
      buckets,
      // Nothing but a text has a channel to choose.
      recipient: hook.request.deliveryChannel === 'sms' ? recipientOf(hook.request.phoneNumber) : undefined,
      nowMs: settings.clock(),
      rememberMs: hook.isPreview ? PREVIEW_MEMORY_MS : Math.max(hook.lifeMs, SHORTEST_MEMORY_MS),
      budget: call.budget,
      onFailure: tellFailed('state', hook.request, parts),
    });
    const goOnIfFirst = (result: ClaimResult): void => {
      if (result.isFirst) {
        call.claim = result.claim;
        call.exceeded = exceededRules(buckets, result.exceeded);
        call.suppressions = result.suppressions;
        return;
      }
      events.emit({ type: 'request.repeated', at: events.now(), ...idsOf(hook.request) });
      respond(call, req, res, { ...answerOfRepeat(result.answer, hook.request), isRepeat: true }, parts);
    };
    if (claiming instanceof Promise) return claiming.then(goOnIfFirst);
    goOnIfFirst(claiming);
    return undefined;
  });

  const guardSpending = step((call) => {
    // A repeat is answered by now.
    if (call.isAfterClose) throw new RequestError('CLOSING', 'This gateway is shutting down.');
    holdBackSpending(call, parts);
    if (call.refusal === undefined) overtakeOlder(call, parts);
    return undefined;
  });

  const lookUpProfile = step((call) => readProfile(call, parts));

  const dispatchChannel = step((call) => deliver(call, parts));

  const answerOkta = step((call, req, res) => {
    answerCall(call, req, res, parts);
    return undefined;
  });

  return {
    openCall,
    verifyHook,
    trustTester,
    readRequest,
    answerRepeat,
    guardSpending,
    lookUpProfile,
    dispatchChannel,
    answerOkta,
  };
}

/** Okta's clock, as far as its calls tell it. */
function heedSkew({ skewMs, askedAtMs, isPreview }: HookCall, { oktaClock, skews, events }: HookParts): void {
  if (skewMs === undefined || isPreview) return;
  if (Math.abs(skewMs) < FAR_OFF_MS) oktaClock.skewMs = steadyMs() - askedAtMs;
  if (Math.abs(skewMs) > TOLD_SKEW_MS) {
    skews.tell(() => {
      events.emit({ type: 'clock.skewed', at: events.now(), skewMs });
    });
  }
}

/** What goes on becomes the newest code of its user, wherever it is asked. */
function overtakeOlder(call: Call, { settings, runningCalls, receipts, lateFailover }: HookParts): void {
  const { running, expiresAtMs } = call;
  // One that waited for its first, which sent nothing, may be older than what was sent meanwhile.
  if (running !== undefined && running.newer !== 'none') return;
  if (running !== undefined) runningCalls.passGuard(running);
  const { request, isPreview } = hookOf(call);
  const person = running?.person ?? personKey(request);
  const eventKey = request.eventId;
  call.event = { person, eventKey, expiresAtMs };
  // In this process the calls that run know by themselves.
  if (lateFailover === undefined && settings.state.isShared !== true) return;
  // It may have waited for its first, which then sent nothing.
  const sinceMs = running === undefined ? 0 : performance.now() - running.beganAtMs;
  const ageMs = sinceMs > NEW_CALL_MS ? sinceMs : 0;
  // Their order here is known, whatever Redis's clock does meanwhile.
  const after = running === undefined ? undefined : runningCalls.follow(person, eventKey);
  const event = { eventKey, isPreview, nowMs: steadyMs(), ageMs, after, untilMs: expiresAtMs };
  receipts.overtake(person, event, request);
  if (!isPreview) lateFailover?.dropOlder(person, eventKey);
}

/** An answered call must not reach the gateway's other routes. */
function goOn(call: Call, next: () => void): void {
  if (!call.isOver) next();
}
