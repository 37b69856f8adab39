import type { AnyCall, ReadCall } from './call.js';
import type { HookParts } from './parts.js';
import { FAR_OFF_MS } from '../delivery/late/code-uses.js';
import type { AttemptReport } from '../core/events.js';
import { personKey, type PlannedCode } from '../delivery/late/receipt.js';
import type { PlanStep } from '../delivery/plan.js';
import type { CodeRequest } from '../delivery/late/sent-codes.js';

/** Keeps a user's last code until Okta reports its use. No call waits for this. */

/**
 * How a code was requested, to match its use; `undefined` if Okta reports no uses, and for previews: no sign-in
 * uses them.
 */
export function codeRequestOf(
  call: Pick<ReadCall, 'hook' | 'number'>,
  { settings }: HookParts,
): CodeRequest | undefined {
  const { request, isPreview, requestedAtMs, lifeMs, skewMs = 0 } = call.hook;
  const isUseReported = settings.eventHookSchemes.length > 0;
  if (!isUseReported || isPreview || request.userId === undefined) return undefined;
  const country = call.number?.country;
  // Okta's clock is far off: then times are by our clock, also that of the use.
  const atMs = Math.abs(skewMs) < FAR_OFF_MS ? requestedAtMs : requestedAtMs + skewMs;
  return { atMs, endsAtMs: atMs + lifeMs, country };
}

/** A channel has accepted a code. If the caller hung up, the user may use it all the same. */
export function keepAccepted(
  transactionId: string,
  { channel, provider, transactionId: toldId }: AttemptReport,
  step: PlanStep,
  { request, asked, person }: PlannedCode,
  { state }: Pick<HookParts, 'state'>,
): void {
  if (asked === undefined) return;
  const { eventId, oktaRequestId, requestType, deliveryChannel } = request;
  state.keepSent(person, {
    status: 'accepted',
    asked,
    channel,
    place: step.provider,
    provider,
    transactionId,
    toldId: toldId ?? eventId,
    requestType,
    deliveryChannel,
    eventId,
    oktaRequestId,
  });
}

/**
 * A call has ended, and no channel has accepted its code: the user does not type an older code any more. If the
 * outcome is unknown, the event is kept, and its message when the provider answers.
 */
export function keepUnaccepted({ hook, number, delivery }: AnyCall, parts: HookParts): void {
  const { state, channels, underWay } = parts;
  if (hook === undefined || delivery?.status === 'accepted') return;
  if (underWay.isDrained) return;
  const { request } = hook;
  const asked = codeRequestOf({ hook, number }, parts);
  if (asked === undefined) return;
  const { eventId, oktaRequestId, requestType, deliveryChannel } = request;
  const by = delivery?.status === 'unknown' ? delivery.decidedBy : undefined;
  state.keepSent(
    personKey(request),
    by === undefined
      ? { status: 'refused', asked, deliveryChannel, eventId }
      : {
          status: 'unknown',
          asked,
          channel: by.channel,
          place: channels.get(by.channel)?.findIndex(({ provider }) => provider === by.provider) ?? -1,
          provider: by.provider,
          transactionId: '',
          toldId: eventId,
          requestType,
          deliveryChannel,
          eventId,
          oktaRequestId,
        },
  );
}
