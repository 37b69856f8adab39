import { NEW_CALL_MS } from '../delivery/order.js';
import { REFUSALS } from '../okta/hook-answer.js';
import type { HookParts, AnyCall, ReadCall } from './call.js';
import { FAR_OFF_MS } from '../delivery/messages/code-uses.js';
import { codeAskedAgain, keepDelivered, keepLastCode, lastCodeName } from '../delivery/messages/last-code.js';
import type { MessageOwner } from '../delivery/messages/receipt.js';
import { networkOf } from '../guard/addresses.js';
import type { CodeRequest, RecordName, SentCode } from '../delivery/records.js';
import { waitAtMost } from '../core/time.js';
import type { HookCall } from '../okta/inline-hook.js';
import { claimsDeliveries } from './ready-channels.js';

/**
 * The codes of one user: their order, and the last one, which a newer one may ask for again. A code that has passed the guard supersedes the user's older ones: at this gateway
 * (`LocalOrder`), and by its claim at every gateway that shares the state. None of them starts another attempt. An event
 * keeps its place: a repeat whose first call sent nothing may be older than a code that was sent since.
 */

/** Makes the call its user's newest code at this gateway, or refuses it if a newer one has passed. */
export function supersedeOlder(call: ReadCall, { state, lateFailover }: HookParts): void {
  const { arrival, person, hook, claim, eventKey } = call;
  const { order } = state.local;
  if (claim?.isCurrent === false || order.hasNewer(person, arrival)) {
    call.refusal = REFUSALS.SUPERSEDED;
  } else if (!hook.isPreview) {
    order.pass(person, arrival);
    lateFailover?.dropOlder(person, { eventKey, place: claim?.place });
  }
}

/**
 * Whether a call may start an attempt: not if a newer code of its user may be delivered before it.
 *
 * @param look - called if the call has waited for anything, to read again what else gateways share.
 */
export function mayStartAttempt(
  call: ReadCall,
  attempts: number,
  parts: HookParts,
  look: () => Promise<void>,
): boolean | Promise<boolean> {
  if (hasNewerCodeHere(call, parts)) return false;
  const hasWaited = attempts > 0 || call.budget.elapsedMs() - call.claimedMs > NEW_CALL_MS;
  if (!hasWaited) return true;
  // Both questions leave together.
  return Promise.all([hasNewerCodeElsewhere(call, parts), look()]).then(
    ([hasNewer]) => !hasNewer && !hasNewerCodeHere(call, parts),
  );
}

/** Whether a newer code of the same user is on its way, at any gateway. */
export async function hasNewerCode(call: ReadCall, parts: HookParts): Promise<boolean> {
  return hasNewerCodeHere(call, parts) || hasNewerCodeElsewhere(call, parts);
}

function hasNewerCodeHere(call: ReadCall, { state }: HookParts): boolean {
  call.isSuperseded ||= state.local.order.hasNewer(call.person, call.arrival);
  return call.isSuperseded;
}

/** Whether a newer code of the same user has passed the guard at a gateway that shares the state. */
async function hasNewerCodeElsewhere(call: ReadCall, { state }: HookParts): Promise<boolean> {
  const { budget, person, eventKey, claim, hook } = call;
  const { isPreview } = hook;
  const place = claim?.place;
  // If the state cannot say, the call goes on. Of a claim that was decided alone it knows since it was back.
  const answer = state.isCurrent(person, { eventKey, place, isPreview });
  // The memory state answers at once, and needs no timer.
  const isCurrent = answer instanceof Promise ? await waitAtMost(answer, budget.stateMs) : answer;
  call.isSuperseded ||= isCurrent === false;
  return call.isSuperseded;
}

/**
 * How a code was requested, to match its use and to know its resend; `undefined` if neither is needed, and for previews: no sign-in uses
 * them, and no resend follows.
 */
export function codeRequestOf(
  call: Pick<ReadCall, 'hook' | 'number'>,
  { settings, learning, resend }: HookParts,
): CodeRequest | undefined {
  const { request, isPreview, lifeMs } = call.hook;
  const isUseReported = settings.credentials.eventHook.length > 0 && request.userId !== undefined;
  const isResendKnown = resend !== undefined && request.deliveryChannel === 'sms';
  if (isPreview || !(isUseReported || isResendKnown)) return undefined;
  const country = call.number?.country;
  const atMs = requestedAtOf(call.hook);
  const network =
    learning === undefined || request.ipAddress === undefined ? undefined : networkOf(request.ipAddress);
  return { atMs, endsAtMs: atMs + lifeMs, country, network };
}

/** The record that says whether a call asks for a code again: a text of a user, unless it is a preview. */
export function lastTextOf(
  { hook, person }: Pick<ReadCall, 'hook' | 'person'>,
  { resend }: HookParts,
): RecordName<'lastCode'> | undefined {
  if (resend === undefined || hook.isPreview || hook.request.deliveryChannel !== 'sms') return undefined;
  return lastCodeName(person, 'sms');
}

/** The code that a call asks for again, if the provider that sent it would have reported its delivery. */
export function resentCodeOf(call: ReadCall, parts: HookParts): SentCode | undefined {
  const { state, channels, resend, settings } = parts;
  const name = lastTextOf(call, parts);
  if (name === undefined || resend === undefined) return undefined;
  const asked = { request: call.hook.request, atMs: requestedAtOf(call.hook) };
  const code = codeAskedAgain(state.recall(name), asked, resend.withinMs);
  const sentBy = code && channels.get(code.channel)?.[code.providerIndex];
  // Another gateway may have sent it, with its providers in another order.
  const isSame = sentBy !== undefined && sentBy.provider === code?.provider;
  return isSame && claimsDeliveries(sentBy, settings) ? code : undefined;
}

/** A report says that a message was delivered: if its user requests another code, it goes by the same order. */
export function noteDelivered(
  { user, lastText }: MessageOwner,
  { state, resend }: Pick<HookParts, 'state' | 'resend'>,
): void {
  if (resend === undefined || lastText === undefined) return;
  keepDelivered(lastText, user.eventId, state);
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
