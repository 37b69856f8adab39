import { hookOf, idsOf, tellFailed, type Call, type HookParts } from './call.js';
import { bucketsOf, judge, type GuardBlock, type LimitBucket } from './delivery/guard.js';
import { maskNumber } from './delivery/masking.js';
import { readNumber, type NumberReading } from './delivery/phone-number.js';
import { personKey } from './delivery/receipt.js';
import { TIMED_OUT } from './delivery/wait-at-most.js';

/** Before anything is spent on a call, not even a look at the profile: may it go on? */

/** What the numbering plans may take of the budget before a call goes on without their rules. */
const PLANS_SHARE = { maxMs: 300, fraction: 0.15 } as const;

type PossibleReading = NumberReading | undefined;

/** Reads the enrolled number, before the call takes a point of any limit. */
export function classifyNumber(call: Call, parts: HookParts): Promise<void> | undefined {
  if (call.refusal !== undefined) return undefined;
  const reading = readInTime(hookOf(call).request.phoneNumber, call, parts);
  if (reading instanceof Promise) {
    return reading.then((number) => {
      call.number = number;
    });
  }
  call.number = reading;
  return undefined;
}

/** The limits that a call takes a point of: none where its number alone has it blocked. */
export function bucketsFor(call: Call, { settings: { guard } }: HookParts): readonly LimitBucket[] {
  const isBlocked = judge({ number: call.number, exceeded: [] }, guard).length > 0;
  if (isBlocked && guard.mode === 'enforce') return [];
  const { request, isPreview } = hookOf(call);
  return bucketsOf(request, { isPreview, person: call.running?.person ?? personKey(request) }, guard);
}

/** Refuses what the guard blocks. */
export function holdBackSpending(call: Call, parts: HookParts): void {
  if (call.refusal !== undefined) return;
  const { guard } = parts.settings;
  const blocks = judge({ number: call.number, exceeded: call.exceeded }, guard);
  const [first] = blocks;
  if (first === undefined) return;
  tellBlocked(
    first,
    blocks,
    { to: hookOf(call).request.phoneNumber, country: call.number?.country },
    call,
    parts,
  );
  const { code, reason, remedy } = first;
  if (guard.mode === 'enforce')
    call.refusal = { code, reason, remedy, isHeldBack: guard.answer === 'pending' };
}

/** Whether a code may go to a number beside the enrolled one, by what the number is. */
export async function mayGoTo(number: string, call: Call, parts: HookParts): Promise<boolean> {
  const { guard } = parts.settings;
  const reading = await readInTime(number, call, parts);
  const blocks = judge({ number: reading, exceeded: [] }, guard);
  const [first] = blocks;
  if (first === undefined) return true;
  tellBlocked(first, blocks, { to: number, country: reading?.country, isOther: true }, call, parts);
  return guard.mode === 'record';
}

/** By numbering plans that are not there in time, nothing is blocked. */
function readInTime(
  phoneNumber: string,
  call: Call,
  parts: HookParts,
): PossibleReading | Promise<PossibleReading> {
  const reading = readNumber(phoneNumber);
  if (!(reading instanceof Promise)) return reading;
  const tellMissing = tellFailed('numberingPlans', hookOf(call).request, parts);
  return call.budget.within(reading, call.budget.share(PLANS_SHARE.maxMs, PLANS_SHARE.fraction)).then(
    (read) => {
      if (read !== TIMED_OUT) return read;
      tellMissing(new Error('not loaded in time'));
      return undefined;
    },
    (error: unknown) => {
      tellMissing(error);
      return undefined;
    },
  );
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
