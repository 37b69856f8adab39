import { shuttingDown } from '../core/request-error.js';
import { endingOf } from '../core/masking.js';
import { bucketsOf, judge, type GuardBlock, type LimitBucket } from '../guard/limits.js';
import { readNumber, type NumberReading } from '../numbers/phone-number.js';
import { idsOf, type ClaimedCall, type ReadCall, type HookParts } from './call.js';
import { supersedeOlder } from './codes-of-user.js';

/**
 * Refuses the calls that the guard blocks, before the profile is read. A call that passes supersedes its user's older codes: from
 * here on none of them starts another attempt.
 *
 * @throws RequestError `CLOSING` after `close()`.
 */
export function enforceLimits(call: ClaimedCall, parts: HookParts): ClaimedCall {
  // A repeat never gets here: its answer is known, also after `close()`.
  if (call.isAfterClose) throw shuttingDown();
  if (call.number !== undefined) applyGuard(call, call.number, parts);
  if (call.refusal === undefined) supersedeOlder(call, parts);
  return call;
}

/** The limits that a call counts against: none if the guard blocks its number anyway. */
export function limitBucketsOf(
  call: ReadCall,
  number: NumberReading,
  parts: HookParts,
): readonly LimitBucket[] {
  if (isNumberBlocked(number, parts)) return [];
  const { request, isPreview } = call.hook;
  return bucketsOf(request, isPreview, parts.settings.guard);
}

/** Whether the guard blocks a number, whatever the limits say. */
export function isNumberBlocked(number: NumberReading, { settings: { guard } }: HookParts): boolean {
  return guard.mode === 'enforce' && judge({ number, exceeded: [] }, guard).length > 0;
}

function applyGuard(call: ClaimedCall, number: NumberReading, parts: HookParts): void {
  const blocks = judge({ number, exceeded: call.exceeded }, parts.settings.guard);
  applyBlocks(blocks, call, parts);
}

/** Reports the rules that a code breaks. Refuses the code, unless the guard only records. */
export function applyBlocks(blocks: readonly GuardBlock[], call: ClaimedCall, parts: HookParts): void {
  const { guard } = parts.settings;
  const [first] = blocks;
  if (first === undefined) return;
  const country = call.number?.country;
  emitJudged(first, blocks, { to: call.hook.request.phoneNumber, country }, call, parts);
  const { code, reason, remedy } = first;
  if (guard.mode === 'enforce')
    call.refusal = { code, reason, remedy, isBlock: true, isPending: guard.answer === 'pending' };
}

/** Whether the guard allows a number other than the enrolled one. Rate limits do not count here. */
export function isAllowedByGuard(number: string, call: ReadCall, parts: HookParts): boolean {
  const { guard } = parts.settings;
  const reading = readNumber(number);
  const blocks = judge({ number: reading, exceeded: [] }, guard);
  const [first] = blocks;
  if (first === undefined) return true;
  emitJudged(first, blocks, { to: number, country: reading.country, isOther: true }, call, parts);
  return guard.mode === 'record';
}

/** @param number - the number that the guard judged, and its country. */
function emitJudged(
  { rule, code, reason, remedy, points, seconds }: GuardBlock,
  blocks: readonly GuardBlock[],
  number: { readonly to: string; readonly country: string | undefined; readonly isOther?: true },
  call: ReadCall,
  { settings: { guard }, events }: HookParts,
): void {
  const { request, isPreview } = call.hook;
  events.emit({
    type: guard.mode === 'enforce' ? 'guard.blocked' : 'guard.noticed',
    ...idsOf(request),
    rule,
    code,
    country: number.country,
    ...(number.isOther === true ? { isOtherNumber: true } : {}),
    remedy,
    points,
    seconds,
    ...(rule === 'assess' ? { reason } : {}),
    rules: blocks.map(({ reason: _, ...broken }) => broken),
    requestType: request.requestType,
    toEnding: endingOf(number.to),
    isPreview,
  });
}
