import { steadyMs } from '../core/time.js';
import { NEW_CALL_MS } from '../delivery/running-calls.js';
import type { ClaimedCall, ProfiledCall } from './call.js';
import type { HookParts } from './parts.js';

/**
 * The order of one user's codes. A code that has passed the guard supersedes the user's older ones, at this gateway
 * (`runningCalls`) and at every gateway that shares the state: none of them starts another attempt.
 */

/** Makes the call its user's newest code. Returns whether it is the newest. */
export function supersedeOlder(
  { running, person, expiresAtMs, hook }: ClaimedCall,
  { state, runningCalls, lateFailover }: HookParts,
): boolean {
  // A repeat that waited for its first call, which sent nothing, may be older than a code that was sent meanwhile.
  if (running !== undefined && running.newer !== 'none') return false;
  if (running !== undefined) runningCalls.passGuard(running);
  const { request, isPreview } = hook;
  const eventKey = request.eventId;
  // Within this process, `runningCalls` is enough.
  if (lateFailover !== undefined || state.isShared) {
    // The age matters only for a repeat that has waited for its first call.
    const sinceMs = running === undefined ? 0 : performance.now() - running.beganAtMs;
    const ageMs = sinceMs > NEW_CALL_MS ? sinceMs : 0;
    // The order in this process is known, so that no clock decides it.
    const after = running === undefined ? undefined : runningCalls.follow(person, eventKey);
    const event = { eventKey, isPreview, nowMs: steadyMs(), ageMs, after, untilMs: expiresAtMs };
    state.overtake(person, event, request);
    if (!isPreview) lateFailover?.dropOlder(person, eventKey);
  }
  return true;
}

/** Whether a call may start an attempt: not if a newer code of its user may be delivered before it. */
export function mayStartAttempt(
  call: ProfiledCall,
  attempts: number,
  parts: HookParts,
): boolean | Promise<boolean> {
  const { running, budget } = call;
  if (running === undefined) return true;
  const isFirst = attempts === 0;
  const start = (): boolean => {
    call.isSuperseded = isFirst ? running.newer === 'ahead' : running.newer !== 'none';
    // At the end of its time, the call starts no attempt any more.
    if (!call.isSuperseded && !budget.isOver) parts.runningCalls.startAttempt(running);
    return !call.isSuperseded;
  };
  if (isFirst && budget.elapsedMs() <= NEW_CALL_MS) return start();
  return hasNewerCodeElsewhere(call, parts).then((hasNewer) => !hasNewer && start());
}

/** Whether a newer code of the same user is on its way, at any gateway. */
export async function hasNewerCode(call: ProfiledCall, parts: HookParts): Promise<boolean> {
  if (call.isSuperseded || call.running?.newer === 'ahead') return true;
  return hasNewerCodeElsewhere(call, parts);
}

/** Whether a newer code of the same user has passed the guard at a gateway that shares the state. */
async function hasNewerCodeElsewhere(call: ProfiledCall, { state }: HookParts): Promise<boolean> {
  const { budget, person, hook } = call;
  if (!state.isShared || call.running === undefined || !call.isNewest) return false;
  // If the state cannot say, the call goes on.
  const { request } = hook;
  const event = { person, eventKey: request.eventId, request };
  call.isSuperseded ||= (await state.isNewest(event, budget)) === false;
  return call.isSuperseded;
}
