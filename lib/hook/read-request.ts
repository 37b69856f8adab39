import type { IncomingMessage } from 'node:http';
import { remainingOfMinuteMs } from '../core/event-stream.js';
import { copyJson } from '../core/freeze.js';
import { endingOf } from '../core/masking.js';
import { RequestError } from '../core/request-error.js';
import { steadyMs, TIMED_OUT, waitAtMost } from '../core/time.js';
import { FAR_OFF_MS } from '../delivery/messages/code-uses.js';
import { personKey } from '../delivery/messages/receipt.js';
import { parseJsonBody } from '../http/exchange.js';
import { readNumber } from '../numbers/phone-number.js';
import { readHookCall, type HookCall } from '../okta/inline-hook.js';
import { testFields, type OpenCall, type ReadCall, type HookParts } from './call.js';

/** The smallest difference between Okta's clock and this gateway's that is reported. */
const REPORTED_SKEW_MS = 30_000;

/**
 * Checks that the caller is Okta, by every scheme that `verifier.hasSecret` does not know.
 *
 * @throws RequestError `CALLER_NOT_PROVEN`; `PROOF_UNAVAILABLE` if Okta's keys cannot be fetched in time.
 */
export async function verifyHook(
  call: OpenCall,
  { verifier }: HookParts,
  req: IncomingMessage,
): Promise<void> {
  const proof = await waitAtMost(verifier.verify(req), call.budget.remainingMs());
  if (proof === TIMED_OUT)
    throw new RequestError('PROOF_UNAVAILABLE', 'The caller cannot be checked at the moment.');
}

/**
 * Parses and reads the request's body.
 *
 * @throws RequestError as `parseJsonBody`; `INVALID_REQUEST` with the fields that cannot be read.
 */
export function readRequest(call: OpenCall, body: unknown, parts: HookParts): ReadCall {
  const payload = parseJsonBody(body);
  // The object of a body parser is the gateway's: its other middleware may still write to it.
  return readPayload(call, payload === body ? copyJson(payload) : payload, parts);
}

/** Reads the hook call from a parsed body. This process numbers the calls here, by arrival. */
export function readPayload(call: OpenCall, payload: unknown, parts: HookParts): ReadCall {
  const { settings } = parts;
  const hook = readHookCall(payload, {
    defaultCountry: settings.defaultCountry,
    nowMs: settings.clock(),
  });
  const { request, refusal } = hook;
  const person = personKey(request);
  const read: ReadCall = Object.assign(call, {
    hook,
    expiresAtMs: steadyMs() + hook.lifeMs,
    refusal,
    number: refusal === undefined ? readNumber(request.phoneNumber) : undefined,
    person,
    arrival: parts.state.local.order.arrive(),
  });
  emitReceived(read, parts);
  trackClockSkew(hook, parts);
  learnHookId(read, parts);
  return read;
}

/** An org has one telephony hook at a time. A gateway may serve a few orgs, and see hooks replaced. */
const MAX_HOOK_IDS = 100;

/** A test of the console has an id that somebody typed. */
function learnHookId({ hook: { inlineHookId }, test }: ReadCall, { inlineHookIds }: HookParts): void {
  if (inlineHookId === undefined || test !== undefined || inlineHookIds.size >= MAX_HOOK_IDS) return;
  inlineHookIds.add(inlineHookId);
}

function emitReceived({ hook: { request, isPreview }, test }: ReadCall, { events }: HookParts): void {
  if (!events.hasStepListeners) return;
  const { eventId, oktaRequestId, requestType, deliveryChannel, userId, phoneNumber } = request;
  events.emit({
    type: 'request.received',
    eventId,
    oktaRequestId,
    requestType,
    deliveryChannel,
    userId,
    toEnding: endingOf(phoneNumber),
    isPreview,
    ...testFields(test),
  });
}

/** Learns Okta's clock from its calls, and reports a large difference. */
function trackClockSkew(
  { skewMs, requestedAtMs, isPreview }: HookCall,
  { oktaClock, settings, events }: HookParts,
): void {
  if (skewMs === undefined || isPreview) return;
  if (Math.abs(skewMs) < FAR_OFF_MS) oktaClock.skewMs = steadyMs() - requestedAtMs;
  if (Math.abs(skewMs) <= REPORTED_SKEW_MS) return;
  const nowMs = settings.clock();
  if (remainingOfMinuteMs(oktaClock.reportedMs, nowMs) > 0) return;
  oktaClock.reportedMs = nowMs;
  events.emit({ type: 'clock.skewed', skewMs });
}
