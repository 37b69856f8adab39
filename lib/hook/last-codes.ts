import type { AttemptReport } from '../core/events.js';
import { FAR_OFF_MS } from '../delivery/messages/code-uses.js';
import type { KeptRequest, PlannedCode } from '../delivery/messages/receipt.js';
import {
  lastCodeAfter,
  lastCodeName,
  type CodeRequest,
  type LastCode,
  type SentCode,
} from '../delivery/messages/last-code.js';
import type { PlanStep } from '../delivery/plan.js';
import type { HookCall } from '../okta/inline-hook.js';
import type { AnyCall, ReadCall } from './call.js';
import type { HookParts } from './parts.js';

/** Keeps a user's last code until Okta reports its use. No call waits for this. */

/**
 * How a code was requested, to match its use; `undefined` if Okta reports no uses, and for previews: no sign-in
 * uses them.
 */
export function codeRequestOf(
  call: Pick<ReadCall, 'hook' | 'number'>,
  { settings }: HookParts,
): CodeRequest | undefined {
  const { request, isPreview, lifeMs } = call.hook;
  const isUseReported = settings.eventHookSchemes.length > 0;
  if (!isUseReported || isPreview || request.userId === undefined) return undefined;
  const country = call.number?.country;
  const atMs = requestedAtOf(call.hook);
  return { atMs, endsAtMs: atMs + lifeMs, country };
}

/** When a code was requested, by Okta's clock, milliseconds since 1970. */
export function requestedAtOf({ requestedAtMs, skewMs = 0 }: HookCall): number {
  // Okta's clock is far off: then times are by our clock, also that of the use.
  return Math.abs(skewMs) < FAR_OFF_MS ? requestedAtMs : requestedAtMs + skewMs;
}

/**
 * Keeps a code whose attempt starts: the user may have used it before its provider has answered. A code that was accepted
 * before stays.
 */
export function keepStarted(
  { channel, provider: place }: PlanStep,
  provider: string,
  { request, codeRequest, person }: PlannedCode,
  { state }: Pick<HookParts, 'state'>,
): void {
  if (codeRequest === undefined) return;
  const attempt = { channel, provider };
  keep(person, sentCodeOf('unknown', codeRequest, { request, attempt, place, transactionId: '' }), state);
}

/** Keeps a code that a channel has accepted. The user may use it even if Okta hung up. */
export function keepAccepted(
  transactionId: string,
  attempt: AttemptReport,
  step: PlanStep,
  { request, codeRequest, person }: PlannedCode,
  { state }: Pick<HookParts, 'state'>,
): void {
  if (codeRequest === undefined) return;
  const sent = { request, attempt, place: step.provider, transactionId };
  keep(person, sentCodeOf('accepted', codeRequest, sent), state);
}

/**
 * Keeps a code that no channel has accepted when its call ends: the user does not type an older code any more. If the
 * outcome is unknown, the event is kept, and its message when the provider answers.
 */
export function keepUnaccepted({ hook, person, number, delivery }: AnyCall, parts: HookParts): void {
  const { state, channels, underWay } = parts;
  if (hook === undefined || person === undefined || delivery?.status === 'accepted') return;
  if (underWay.isDrained) return;
  const { request } = hook;
  const codeRequest = codeRequestOf({ hook, number }, parts);
  if (codeRequest === undefined) return;
  const attempt = delivery?.status === 'unknown' ? delivery.decidedBy : undefined;
  if (attempt === undefined) {
    const { eventId, deliveryChannel } = request;
    keep(person, { status: 'refused', codeRequest, deliveryChannel, eventId }, state);
    return;
  }
  const place =
    channels.get(attempt.channel)?.findIndex(({ provider }) => provider === attempt.provider) ?? -1;
  keep(person, sentCodeOf('unknown', codeRequest, { request, attempt, place, transactionId: '' }), state);
}

function keep(person: string, code: LastCode, state: HookParts['state']): void {
  void state.update([lastCodeName(person, code.deliveryChannel)], ([known]) => ({
    next: [lastCodeAfter(known, code)],
    result: true,
  }));
}

/** Field by field, so that V8 has one hidden class for all of them. */
function sentCodeOf(
  status: SentCode['status'],
  codeRequest: CodeRequest,
  {
    request,
    attempt,
    place,
    transactionId,
  }: Pick<SentCode, 'place' | 'transactionId'> & {
    readonly request: KeptRequest;
    readonly attempt: Pick<AttemptReport, 'channel' | 'provider' | 'transactionId'>;
  },
): SentCode {
  return {
    status,
    codeRequest,
    channel: attempt.channel,
    place,
    provider: attempt.provider,
    transactionId,
    reportedId: attempt.transactionId ?? request.eventId,
    requestType: request.requestType,
    deliveryChannel: request.deliveryChannel,
    eventId: request.eventId,
    oktaRequestId: request.oktaRequestId,
  };
}
