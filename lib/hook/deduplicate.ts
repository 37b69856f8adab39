import type { TelephonyRequest } from '../core/channel.js';
import { digestOf } from '../core/masking.js';
import { claimEvent } from '../delivery/claim-event.js';
import type { EventClaim } from '../delivery/state.js';
import { suppressionsName } from '../delivery/suppressions.js';
import { bucketsOf, exceededRules } from '../guard/limits.js';
import { recipientOf } from '../numbers/phone-number.js';
import { decisionOfFirst } from '../okta/hook-answer.js';
import { NONE, type ReadCall, type HookParts } from './call.js';
import { countLearned, isNumberBlocked } from './enforce-limits.js';
import { lastTextOf, requestedAtOf } from './codes-of-user.js';

/** A preview may be sent again on purpose. Only Okta's own retry, within this time, is a repeat. */
const PREVIEW_MEMORY_MS = 10_000;
/** The shortest time that an event is remembered: longer than its call and the sends after it. */
const SHORTEST_MEMORY_MS = 15_000;

/**
 * The key by which repeats are recognised. Okta's repeats have the same event id, but an edited preview may
 * have it as well. A digest, so that no code or number is a key.
 */
function duplicateKey(request: TelephonyRequest): string {
  const { eventId, requestType, userId, login, phoneNumber, otpCode, deliveryChannel } = request;
  const parts = [eventId, requestType, userId ?? login, phoneNumber, otpCode, deliveryChannel];
  return digestOf(JSON.stringify(parts));
}

/**
 * Claims the event, takes its points of the rate limits and its place among the user's codes, all in one request to the
 * state. A repeat gets the answer of the first call and sends nothing.
 */
export async function deduplicate(call: ReadCall, parts: HookParts): Promise<void> {
  const { hook, number, arrival, budget } = call;
  if (number === undefined) return;
  // A code to a blocked number does not count against any limit.
  const isBlocked = isNumberBlocked(number, parts);
  const limits = isBlocked ? [] : bucketsOf(hook.request, hook.isPreview, parts.settings.guard);
  const eventKey = duplicateKey(hook.request);
  const claimedMs = budget.elapsedMs();
  const claiming = claimEvent(
    {
      key: eventKey,
      isRepeatable: hook.hasEventId,
      person: call.person,
      isPreview: hook.isPreview,
      passes: passesOf(call, isBlocked, parts),
      requestedAtMs: requestedAtOf(hook),
      nowMs: parts.settings.clock(),
      rememberMs: hook.isPreview ? PREVIEW_MEMORY_MS : Math.max(hook.lifeMs, SHORTEST_MEMORY_MS),
      lifeMs: hook.lifeMs,
      limits,
      reads: recordsToRead(call, parts),
    },
    {
      state: parts.underWay.isDrained ? undefined : parts.state,
      claims: parts.state.local.claims,
      arrival,
      wait: budget,
    },
  );
  // In the same turn: a shared state is asked both in one command.
  const counting = isBlocked ? undefined : countLearned(call, number, parts);
  const result = await claiming;
  const learned = await counting;
  if (!result.isFirst) {
    // The first call counts.
    if (learned !== undefined) parts.learning?.giveBack(learned);
    call.answer = { decision: decisionOfFirst(result.answer), isRepeat: true };
    return;
  }
  call.claim = result;
  call.exceeded = exceededRules(limits, result.exceeded);
  call.arrival = result.arrival;
  call.eventKey = eventKey;
  call.claimedMs = claimedMs;
  call.learned = learned;
}

/** What the plan of a text depends on. A call has no choice of channels. */
function recordsToRead(call: ReadCall, parts: HookParts): EventClaim['reads'] {
  const { deliveryChannel, phoneNumber } = call.hook.request;
  if (deliveryChannel !== 'sms') return NONE;
  const lastText = lastTextOf(call, parts);
  const suppressions = suppressionsName(recipientOf(phoneNumber));
  return lastText === undefined ? [suppressions] : [suppressions, lastText];
}

/** Whether the guard allows the code, and it may therefore supersede older ones. */
function passesOf({ isAfterClose }: ReadCall, isBlocked: boolean, parts: HookParts): EventClaim['passes'] {
  // After `close()` nothing is sent.
  if (isAfterClose || isBlocked) return 'never';
  return parts.settings.guard.mode === 'record' ? 'always' : 'withinLimits';
}
