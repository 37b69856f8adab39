import type { AnyCall, ReadCall } from './call.js';
import type { HookParts } from './parts.js';
import type { TelephonyRequest } from '../core/channel.js';
import { FAR_OFF_MS } from '../delivery/late/code-uses.js';
import type { ReadyChannel } from '../delivery/dispatch.js';
import type { AttemptReport } from '../core/events.js';
import { personKey, placeOf } from '../delivery/late/receipt.js';
import type { AskedCode } from '../delivery/late/sent-codes.js';

/** What is kept of a user's last code, until Okta tells that it was used. Nobody waits for it. */

/** What the use of a code is held against. A preview is sent beside what a user signs in by. */
export function codeRequestOf(
  call: Pick<ReadCall, 'hook' | 'number'>,
  { settings }: HookParts,
): AskedCode | undefined {
  const { request, isPreview, requestedAtMs, lifeMs, skewMs = 0 } = call.hook;
  const isUseTold = settings.eventHookSchemes.length > 0;
  if (!isUseTold || isPreview || request.userId === undefined) return undefined;
  const country = call.number?.country;
  // By our clock then, as the time of the use is.
  const atMs = Math.abs(skewMs) < FAR_OFF_MS ? requestedAtMs : requestedAtMs + skewMs;
  return { atMs, endsAtMs: atMs + lifeMs, country };
}

/** A code, and how it was asked for: in its call, or once more when it is sent late. */
interface AcceptedCode {
  readonly request: TelephonyRequest;
  /** `undefined` where nobody tells whether it is used. */
  readonly asked: AskedCode | undefined;
  readonly event: { readonly person: string } | undefined;
}

/** A channel has taken a code. Whoever hung up may have it typed all the same: it is out. */
export function keepAccepted(
  transactionId: string,
  attempt: AttemptReport | undefined,
  by: ReadyChannel,
  { request, asked, event }: AcceptedCode,
  { state, channels }: HookParts,
): void {
  if (asked === undefined) return;
  const { eventId, oktaRequestId, requestType, deliveryChannel } = request;
  state.keepSent(event?.person ?? personKey(request), {
    status: 'accepted',
    asked,
    channel: by.name,
    place: placeOf(by, channels),
    provider: by.provider,
    transactionId,
    toldId: attempt?.transactionId ?? eventId,
    requestType,
    deliveryChannel,
    eventId,
    oktaRequestId,
  });
}

/**
 * A call has ended, and no channel has taken its code: an older code that was taken is no more the one that the user
 * types. Of one that may be out the event is known, and its message as soon as its provider answers.
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
