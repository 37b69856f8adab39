import { FAR_OFF_MS } from '../delivery/messages/code-uses.js';
import { keepLastCode } from '../delivery/messages/last-code.js';
import type { CodeRequest } from '../delivery/records.js';
import type { HookCall } from '../okta/inline-hook.js';
import type { AnyCall, ReadCall } from './call.js';
import type { HookParts } from './parts.js';

/**
 * How a code was requested, to match its use; `undefined` if Okta reports no uses, and for previews: no sign-in
 * uses them.
 */
export function codeRequestOf(
  call: Pick<ReadCall, 'hook' | 'number'>,
  { settings }: HookParts,
): CodeRequest | undefined {
  const { request, isPreview, lifeMs } = call.hook;
  const isUseReported = settings.credentials.eventHook.length > 0;
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

/** Keeps a code that was not sent when its call ends: the user does not type an older code any more. */
export function keepRefused({ hook, person, number, delivery }: AnyCall, parts: HookParts): void {
  if (hook === undefined || person === undefined || parts.underWay.isDrained) return;
  // The attempt of a code that may have left has kept it.
  if (delivery !== undefined && delivery.status !== 'refused') return;
  const codeRequest = codeRequestOf({ hook, number }, parts);
  if (codeRequest === undefined) return;
  const { eventId, deliveryChannel } = hook.request;
  keepLastCode(person, { status: 'refused', codeRequest, deliveryChannel, eventId }, parts.state);
}
