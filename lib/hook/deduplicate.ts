import type { OrderedEvent } from '../delivery/state.js';
import { claimEvent } from '../guard/duplicates.js';
import { exceededRules } from '../guard/limits.js';
import { recipientOf, type NumberReading } from '../numbers/phone-number.js';
import { decisionOfFirst } from '../okta/hook-answer.js';
import { NONE, type ClaimedCall, type ReadCall } from './call.js';
import { isNumberBlocked, limitBucketsOf } from './enforce-limits.js';
import type { HookParts } from './parts.js';

/** A preview may be sent again on purpose. Only Okta's own retry, within this time, is a repeat. */
const PREVIEW_MEMORY_MS = 10_000;
/** The shortest time that an event is remembered: longer than its call and the sends after it. */
const SHORTEST_MEMORY_MS = 15_000;

/**
 * Claims the event, takes its points of the rate limits and its place among the user's codes, all in one request to the state. A
 * repeat gets the answer of the
 * first call and sends nothing.
 */
export async function deduplicate(call: ReadCall, parts: HookParts): Promise<ClaimedCall> {
  const { settings } = parts;
  const { hook, number, arrival } = call;
  if (number === undefined) return Object.assign(call, NOTHING_CLAIMED);
  const buckets = limitBucketsOf(call, number, parts);
  const order = orderOf(call, number, parts);
  if (!hook.hasEventId && buckets.length === 0 && order === undefined)
    return Object.assign(call, NOTHING_CLAIMED);
  const result = await claimEvent(hook.request, {
    state: parts.underWay.isDrained ? undefined : parts.state,
    localClaims: parts.localClaims,
    isRepeatable: hook.hasEventId,
    life: {
      nowMs: settings.clock(),
      rememberMs: hook.isPreview ? PREVIEW_MEMORY_MS : Math.max(hook.lifeMs, SHORTEST_MEMORY_MS),
      buckets,
      // Suppressions matter only for texts, which have a choice of channels.
      recipient: hook.request.deliveryChannel === 'sms' ? recipientOf(hook.request.phoneNumber) : undefined,
      order,
    },
    arrival,
    budget: call.budget,
  });
  if (result.isFirst) {
    return Object.assign(call, {
      claim: result.claim,
      exceeded: exceededRules(buckets, result.exceeded),
      suppressions: result.suppressions,
      wasNewest: result.isNewest,
      arrival: result.arrival,
    });
  }
  call.answer = { decision: decisionOfFirst(result.answer), isRepeat: true };
  return Object.assign(call, NOTHING_CLAIMED);
}

/** What the claim takes the call's place with; `undefined` if it sends nothing, or if gateways share no order. */
function orderOf(call: ReadCall, number: NumberReading, parts: HookParts): OrderedEvent | undefined {
  const { hook, person, isAfterClose } = call;
  if (!parts.state.isShared || isAfterClose || isNumberBlocked(number, parts)) return undefined;
  return {
    person,
    eventKey: hook.request.eventId,
    isPreview: hook.isPreview,
    lifeMs: hook.lifeMs,
    passesLimits: parts.settings.guard.mode === 'record',
  };
}

const NOTHING_CLAIMED = {
  claim: undefined,
  exceeded: NONE,
  suppressions: undefined,
  wasNewest: undefined,
} as const;
