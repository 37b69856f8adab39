import { steadyMs } from '../core/time.js';
import { NEW_CALL_MS } from '../delivery/order.js';
import { REFUSALS } from '../okta/refusals.js';
import type { ClaimedCall, ProfiledCall } from './call.js';
import type { HookParts } from './parts.js';

/**
 * The order of one user's codes. A code that has passed the guard supersedes the user's older ones, at this gateway
 * (`codeOrder`) and at every gateway that shares the state: none of them starts another attempt. An event keeps the
 * place of its first arrival: a repeat whose first call sent nothing may be older than a code that was sent since.
 */

/** Makes the call its user's newest code, or refuses it if it comes too late. Returns whether it is the newest. */
export function supersedeOlder(call: ClaimedCall, { state, codeOrder, lateFailover }: HookParts): boolean {
  const { arrival, person, expiresAtMs, hook, wasNewest } = call;
  const { request, isPreview } = hook;
  const eventKey = request.eventId;
  let after: string | undefined;
  if (arrival !== undefined) {
    const newer = codeOrder.newerThan(person, arrival);
    if (newer === 'ahead' || wasNewest === false) call.refusal = REFUSALS.SUPERSEDED;
    if (newer !== 'none' || wasNewest === false) return false;
    // The order in this process is known, so that no clock decides it.
    after = codeOrder.pass(person, arrival, eventKey);
  }
  // Within this process, `codeOrder` is enough.
  if (lateFailover === undefined && !state.isShared) return true;
  if (wasNewest === undefined) {
    // The age matters only for an event that came before.
    const sinceMs = arrival === undefined ? 0 : performance.now() - arrival.atMs;
    const ageMs = sinceMs > NEW_CALL_MS ? sinceMs : 0;
    const event = { eventKey, isPreview, nowMs: steadyMs(), ageMs, after, untilMs: expiresAtMs };
    state.overtake(person, event, request);
  }
  if (!isPreview) lateFailover?.dropOlder(person, eventKey);
  return true;
}

/**
 * Whether a call may start an attempt: not if a newer code of its user may be delivered before it.
 *
 * @param look - called if the call has waited for anything, to read again what else gateways share.
 */
export function mayStartAttempt(
  call: ProfiledCall,
  attempts: number,
  parts: HookParts,
  look: () => Promise<void>,
): boolean | Promise<boolean> {
  const { arrival, person, budget } = call;
  const isFirst = attempts === 0;
  const start = (): boolean => {
    if (arrival === undefined) return true;
    const newer = parts.codeOrder.newerThan(person, arrival);
    call.isSuperseded = isFirst ? newer === 'ahead' : newer !== 'none';
    // At the end of its time, the call starts no attempt any more.
    if (!call.isSuperseded && !budget.isOver) parts.codeOrder.startAttempt(person, arrival);
    return !call.isSuperseded;
  };
  if (isFirst && budget.elapsedMs() <= NEW_CALL_MS) return start();
  // Both questions leave together.
  return Promise.all([hasNewerCodeElsewhere(call, parts), look()]).then(([hasNewer]) => !hasNewer && start());
}

/** Whether a newer code of the same user is on its way, at any gateway. */
export async function hasNewerCode(call: ProfiledCall, parts: HookParts): Promise<boolean> {
  const { arrival, person } = call;
  if (call.isSuperseded) return true;
  if (arrival !== undefined && parts.codeOrder.newerThan(person, arrival) === 'ahead') return true;
  return hasNewerCodeElsewhere(call, parts);
}

/** Whether a newer code of the same user has passed the guard at a gateway that shares the state. */
async function hasNewerCodeElsewhere(call: ProfiledCall, { state }: HookParts): Promise<boolean> {
  const { budget, person, hook } = call;
  if (!state.isShared || call.arrival === undefined) return false;
  // If the state cannot say, the call goes on.
  const { request } = hook;
  const event = { person, eventKey: request.eventId, request };
  call.isSuperseded ||= (await state.isNewest(event, budget)) === false;
  return call.isSuperseded;
}
