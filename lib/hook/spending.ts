import { hookOf, idsOf, type Call, type HookParts } from './call.js';
import { bucketsOf, judge, type GuardBlock, type LimitBucket } from '../guard/limits.js';
import { maskNumber } from '../core/masking.js';
import { readNumber, type NumberReading } from '../numbers/phone-number.js';
import { personKey } from '../delivery/late/receipt.js';

/** Before anything is spent on a call, not even a look at the profile: may it go on? */

/** The enrolled number, read once. */
function numberOf(call: Call): NumberReading {
  call.number ??= readNumber(hookOf(call).request.phoneNumber);
  return call.number;
}

/** The limits that a call takes a point of: none where its number alone has it blocked. */
export function bucketsFor(call: Call, { settings: { guard } }: HookParts): readonly LimitBucket[] {
  const isBlocked = judge({ number: numberOf(call), exceeded: [] }, guard).length > 0;
  if (isBlocked && guard.mode === 'enforce') return [];
  const { request, isPreview } = hookOf(call);
  return bucketsOf(request, { isPreview, person: call.running?.person ?? personKey(request) }, guard);
}

/** Refuses what the guard blocks. */
export function holdBackSpending(call: Call, parts: HookParts): void {
  if (call.refusal !== undefined) return;
  const { guard } = parts.settings;
  const number = numberOf(call);
  const blocks = judge({ number, exceeded: call.exceeded }, guard);
  const [first] = blocks;
  if (first === undefined) return;
  const { country } = number;
  tellBlocked(first, blocks, { to: hookOf(call).request.phoneNumber, country }, call, parts);
  const { code, reason, remedy } = first;
  if (guard.mode === 'enforce')
    call.refusal = { code, reason, remedy, isHeldBack: guard.answer === 'pending' };
}

/** Whether a code may go to a number beside the enrolled one, by what the number is. */
export function mayGoTo(number: string, call: Call, parts: HookParts): boolean {
  const { guard } = parts.settings;
  const reading = readNumber(number);
  const blocks = judge({ number: reading, exceeded: [] }, guard);
  const [first] = blocks;
  if (first === undefined) return true;
  tellBlocked(first, blocks, { to: number, country: reading.country, isOther: true }, call, parts);
  return guard.mode === 'record';
}

/** @param number - which the rules were held against, and its country. */
function tellBlocked(
  { rule, code, remedy, points, seconds }: GuardBlock,
  blocks: readonly GuardBlock[],
  number: { readonly to: string; readonly country: string | undefined; readonly isOther?: true },
  call: Call,
  { settings: { guard }, events }: HookParts,
): void {
  const { request, isPreview } = hookOf(call);
  events.emit({
    type: 'guard.blocked',
    at: events.now(),
    ...idsOf(request),
    mode: guard.mode,
    rule,
    code,
    country: number.country,
    ...(number.isOther === true ? { isOtherNumber: true } : {}),
    remedy,
    points,
    seconds,
    rules: blocks.map((block) => ({
      rule: block.rule,
      code: block.code,
      remedy: block.remedy,
      points: block.points,
      seconds: block.seconds,
    })),
    requestType: request.requestType,
    userId: request.userId,
    to: maskNumber(number.to),
    isPreview,
  });
}
