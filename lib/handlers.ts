import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  calls,
  endCall,
  hookOf,
  idsOf,
  recordLate,
  tellAnswered,
  type Call,
  type HookParts,
} from './call.js';
import { Budget } from './delivery/budget.js';
import { TIMED_OUT } from './delivery/wait-at-most.js';
import { dispatch, type ReadyChannel } from './delivery/dispatch.js';
import { claimEvent } from './delivery/duplicates.js';
import { readLocale } from './delivery/locale.js';
import { maskError, maskNumber } from './delivery/masking.js';
import { toDialableNumber } from './delivery/phone-number.js';
import { planChannels } from './delivery/plan.js';
import { RequestError } from './errors.js';
import { answer, onlyPost, parseJson, readBody } from './exchange.js';
import { answerFor, pendingAnswer, type HookAnswer } from './okta/hook-answer.js';
import { readHookCall, type HookCall, type Refusal } from './okta/inline-hook.js';
import type { ProfileReading } from './okta/user-profile.js';
import type { HookSettings } from './settings.js';

type Handler = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

/** The chain that `hook.ts` mounts: each a thin shell over a function of its own room. */
export interface Handlers {
  readonly openCall: Handler;
  readonly verifyHook: Handler;
  readonly readRequest: Handler;
  readonly answerRepeat: Handler;
  readonly lookUpProfile: Handler;
  readonly dispatchChannel: Handler;
  readonly answerOkta: Handler;
}

/** A preview is pressed again on purpose; only Okta's own retry of it is a repeat, milliseconds. */
const PREVIEW_MEMORY_MS = 10_000;
/** A skew that is worth telling, milliseconds. */
const TOLD_SKEW_MS = 30_000;

export function createHandlers(parts: HookParts): Handlers {
  const { settings, events } = parts;

  /** A step of the chain; when the call is over, the rest is passed over. */
  const step =
    (run: (call: Call, req: IncomingMessage, res: ServerResponse) => Promise<void> | void): Handler =>
    (req, res, next) => {
      const call = calls.get(req);
      if (call === undefined || call.isOver) return;
      // Express 4 does not wait for promises.
      void (async () => {
        try {
          await run(call, req, res);
        } catch (error) {
          next(error ?? new Error('a step failed without an error'));
          return;
        }
        // An answered call must not reach the gateway's other routes.
        if (!call.isOver) next();
      })();
    };

  const respond = (call: Call, req: IncomingMessage, res: ServerResponse, body: HookAnswer): void => {
    answer(req, res, 200, body);
    endCall(call, parts);
  };

  const openCall: Handler = (req, res, next) => {
    const budget = new Budget(settings.deadlineMs);
    calls.set(req, { budget, isProven: false, isOver: false });
    parts.underWay.calls += 1;
    // Before the hook's turn came, or after it.
    if (res.destroyed) budget.hangUp();
    res.once('close', () => {
      if (!res.writableFinished) budget.hangUp();
    });
    if (req.method !== 'POST') {
      next(onlyPost());
    } else if (parts.underWay.isClosing) {
      next(new RequestError('CLOSING', 'This gateway is shutting down.'));
    } else next();
  };

  const verifyHook = step(async (call, req, res) => {
    const proof = await call.budget.within(parts.verifier.verify(req, res), call.budget.remainingMs());
    if (proof === TIMED_OUT) {
      throw new RequestError('PROOF_UNAVAILABLE', 'The caller cannot be checked at the moment.');
    }
    call.isProven = true;
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
    call.refusal = hook.refusal;
    const { eventId, oktaRequestId, requestType, deliveryChannel, userId, phoneNumber } = hook.request;
    events.emit({
      type: 'request.received',
      ...{ eventId, oktaRequestId, requestType, deliveryChannel, userId },
      to: maskNumber(phoneNumber),
      isPreview: hook.isPreview,
    });
    if (hook.skewMs !== undefined && Math.abs(hook.skewMs) > TOLD_SKEW_MS && !hook.isPreview) {
      const { skewMs } = hook;
      parts.skews.tell(() => {
        events.emit({ type: 'clock.skewed', skewMs });
      });
    }
  });

  const answerRepeat = step(async (call, req, res) => {
    const hook = hookOf(call);
    if (!hook.hasEventId || call.refusal !== undefined) return;
    const nowMs = settings.clock();
    const result = await claimEvent(hook.request, {
      state: settings.state,
      nowMs,
      rememberMs: hook.isPreview ? PREVIEW_MEMORY_MS : hook.request.expiresAt.getTime() - nowMs,
      budget: call.budget,
      onFailure: (error) => {
        const reason = maskError(error, hook.request);
        events.emit({ type: 'extension.failed', ...idsOf(hook), extension: 'state', reason });
      },
    });
    if (result.isFirst) {
      call.claim = result.claim;
      return;
    }
    events.emit({ type: 'request.repeated', ...idsOf(hook) });
    const first = result.answer ?? pendingAnswer(hook.request);
    respond(call, req, res, first);
    tellAnswered(call, first, parts, true);
  });

  const lookUpProfile = step(async (call) => {
    if (call.refusal !== undefined) return;
    const { budget } = call;
    const hook = hookOf(call);
    const { userId, login } = hook.request;
    const startedAt = budget.elapsedMs();
    const waitMs = budget.share(settings.profile.timeoutMs, 0.5);
    const reading = await parts.profiles.read({ userId, login }, waitMs);
    call.reading = { ...reading, durationMs: Math.round(budget.elapsedMs() - startedAt) };
    const { source, reason, durationMs } = call.reading;
    events.emit({ type: 'profile.read', ...idsOf(hook), source, reason, durationMs });
  });

  const dispatchChannel = step(async (call) => {
    if (call.refusal !== undefined) return;
    const hook = hookOf(call);
    const { request } = hook;
    const profile = call.reading?.profile;
    const onFailure = (extension: 'chooseChannels' | 'composeText') => (error: unknown) => {
      events.emit({ type: 'extension.failed', ...idsOf(hook), extension, reason: maskError(error, request) });
    };
    const names = planChannels(request, profile, {
      chooseChannels: settings.chooseChannels,
      optInAttribute: settings.optInAttribute,
      optInChannels: settings.optInChannels,
      isConfigured: (channel) => parts.channels.has(channel),
      onFailure: onFailure('chooseChannels'),
    });
    events.emit({ type: 'channels.planned', ...idsOf(hook), channels: names });
    const plan = names.flatMap((name) => parts.channels.get(name) ?? []);
    call.delivery = await dispatch(plan, request, profile, {
      budget: call.budget,
      composeText: settings.composeText,
      locale: localeOf(hook, call.reading),
      addressFor: (channel) => addressFor(channel, hook, call.reading, settings),
      onAttempt: (attempt) => {
        if (attempt.outcome === 'accepted')
          parts.underWay.lastSuccess.set(attempt.channel, new Date(settings.clock()));
        events.emit({ type: 'attempt.ended', ...idsOf(hook), ...attempt });
      },
      onComposeFailure: onFailure('composeText'),
      onDetached: (late) => {
        recordLate(late, hook, parts);
      },
    });
    if (call.delivery.decidedBy === undefined) call.refusal = refusalWithoutAttempt(plan);
  });

  const answerOkta = step((call, req, res) => {
    const hook = hookOf(call);
    const body = answerFor(hook.request, {
      delivery: call.delivery,
      refusal: call.refusal,
      durationMs: call.budget.elapsedMs(),
    });
    // Nothing left for a caller who hung up: should Okta ask again, that call is the first.
    const isVoid = call.budget.hasHungUp && (call.delivery?.status ?? 'refused') === 'refused';
    void call.claim?.then((claim) => {
      if (claim?.isFirst !== true) return;
      if (isVoid) claim.release();
      else claim.settle(body);
    });
    respond(call, req, res, body);
    tellAnswered(call, body, parts, false);
  });

  return {
    openCall,
    verifyHook,
    readRequest,
    answerRepeat,
    lookUpProfile,
    dispatchChannel,
    answerOkta,
  };
}

function localeOf({ request }: HookCall, reading: ProfileReading | undefined): string {
  const { profile } = reading ?? {};
  return (
    request.locale ?? readLocale(profile?.['preferredLanguage']) ?? readLocale(profile?.['locale']) ?? 'en'
  );
}

/** The enrolled number; for WhatsApp at sign-in the profile's, where the gateway's owner chose that. */
function addressFor(
  channel: string,
  { request }: HookCall,
  reading: ProfileReading | undefined,
  { unverifiedPhoneAttribute, defaultCountry }: HookSettings,
): string {
  const isSignIn = request.requestType?.endsWith('.mfa-verification') === true;
  if (unverifiedPhoneAttribute === undefined || channel !== 'whatsapp' || !isSignIn)
    return request.phoneNumber;
  const value = reading?.profile?.[unverifiedPhoneAttribute];
  const number = typeof value === 'string' ? toDialableNumber(value, defaultCountry) : undefined;
  return number ?? request.phoneNumber;
}

function refusalWithoutAttempt(plan: readonly ReadyChannel[]): Refusal {
  return plan.length === 0
    ? {
        code: 'CHANNEL_NOT_CONFIGURED',
        reason: 'No sender is configured for the channel that Okta asked for',
      }
    : { code: 'DEADLINE', reason: 'The time was over before anything could be sent' };
}
