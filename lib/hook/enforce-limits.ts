import { shuttingDown } from '../core/request-error.js';
import { endingOf } from '../core/masking.js';
import type { FilteredChannels } from '../delivery/plan.js';
import type { LearnBlock } from '../delivery/learning.js';
import { isPaidChannel, type LearnedCall } from '../guard/learning-guard.js';
import { blockBy, judge, type GuardBlock } from '../guard/limits.js';
import { readNumber, type NumberReading } from '../numbers/phone-number.js';
import type { HookRefusal } from '../okta/hook-answer.js';
import { idsOf, type HookParts, type ReadCall } from './call.js';
import { supersedeOlder } from './codes-of-user.js';

/**
 * Refuses the calls that the guard blocks, before the profile is read. A call that passes supersedes its user's older codes: from
 * here on none of them starts another attempt.
 *
 * @throws RequestError `CLOSING` after `close()`.
 */
export function enforceLimits(call: ReadCall, parts: HookParts): void {
  // A repeat never gets here: its answer is known, also after `close()`.
  if (call.isAfterClose) throw shuttingDown();
  const { number, exceeded } = call;
  if (number !== undefined) applyBlocks(judge({ number, exceeded }, parts.settings.guard), call, parts);
  if (call.refusal === undefined) supersedeOlder(call, parts);
}

/** Whether the guard blocks a number, whatever the limits say. */
export function isNumberBlocked(number: NumberReading, { settings: { guard } }: HookParts): boolean {
  return guard.mode === 'enforce' && judge({ number, exceeded: [] }, guard).length > 0;
}

/** Counts a code for the guard that learns. Previews do not count, nor what comes after `close()`. */
export function countLearned(
  call: ReadCall,
  number: NumberReading,
  parts: HookParts,
): Promise<LearnedCall> | undefined {
  const { learning, underWay } = parts;
  const { request, isPreview } = call.hook;
  if (learning === undefined || isPreview || call.isAfterClose || underWay.isDrained) return undefined;
  const { person, budget } = call;
  return learning.count(request, { person, country: number.country, waitMs: budget.stateMs });
}

/** Reports the rules that a code breaks. Refuses the code, unless the guard only records. */
export function applyBlocks(blocks: readonly GuardBlock[], call: ReadCall, parts: HookParts): void {
  const { guard } = parts.settings;
  const [first] = blocks;
  if (first === undefined) return;
  const country = call.number?.country;
  emitJudged(first, blocks, { to: call.hook.request.phoneNumber, country }, call, parts);
  if (guard.mode === 'enforce') call.refusal = refusalOf(first, parts);
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

/** The channels of a plan that the guard that learns allows, and its block, if it has blocked one. */
export function withoutLearned(
  planned: FilteredChannels,
  call: ReadCall,
  parts: HookParts,
): FilteredChannels & { readonly block: HookRefusal | undefined } {
  const { blocks: broken = [], isActing = false } = call.learned?.verdict ?? {};
  const blocks = broken.map(learnedBlock);
  const [first] = blocks;
  const blockedChannels = planned.channels.filter(isPaidChannel);
  if (first === undefined || blockedChannels.length === 0) return { ...planned, block: undefined };
  const allowedChannels = planned.channels.filter((channel) => !isPaidChannel(channel));
  const { phoneNumber } = call.hook.request;
  const of = { to: phoneNumber, country: call.number?.country, blockedChannels, allowedChannels, isActing };
  emitJudged(first, blocks, of, call, parts);
  if (!isActing) return { ...planned, block: undefined };
  const skipped = blockedChannels.map((channel) => ({ channel, reason: 'BLOCKED' }) as const);
  return {
    channels: allowedChannels,
    skipped: [...planned.skipped, ...skipped],
    block: refusalOf(first, parts),
  };
}

function learnedBlock({ rule, ...limit }: LearnBlock): GuardBlock {
  return { ...blockBy(rule), ...limit };
}

function refusalOf({ code, reason, remedy }: GuardBlock, { settings: { guard } }: HookParts): HookRefusal {
  return { code, reason, remedy, isBlock: true, isPending: guard.answer === 'pending' };
}

/** @param number - the number that the guard judged, and its country. */
function emitJudged(
  { rule, code, reason, remedy, points, seconds, level }: GuardBlock,
  blocks: readonly GuardBlock[],
  number: {
    readonly to: string;
    readonly country: string | undefined;
    readonly isOther?: true;
    readonly isActing?: boolean;
    readonly blockedChannels?: readonly string[];
    readonly allowedChannels?: readonly string[];
  },
  call: ReadCall,
  { settings: { guard }, events }: HookParts,
): void {
  const { request, isPreview } = call.hook;
  const { blockedChannels, allowedChannels, isActing = guard.mode === 'enforce' } = number;
  events.emit({
    type: isActing ? 'guard.blocked' : 'guard.noticed',
    ...idsOf(request),
    rule,
    code,
    country: number.country,
    ...(number.isOther === true ? { isOtherNumber: true } : {}),
    remedy,
    points,
    seconds,
    ...(rule === 'assess' ? { reason } : {}),
    level,
    ...(blockedChannels === undefined ? {} : { blockedChannels, allowedChannels }),
    rules: blocks.map(({ reason: _, ...broken }) => broken),
    requestType: request.requestType,
    toEnding: endingOf(number.to),
    isPreview,
  });
}
