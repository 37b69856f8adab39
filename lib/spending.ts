import { hookOf, idsOf, tellFailed, type Call, type HookParts } from './call.js';
import { bucketsOf, judge, type GuardBlock, type LimitBucket } from './delivery/guard.js';
import { readNumber, type NumberReading } from './delivery/phone-number.js';
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
  const block = judge({ number: call.number, exceeded: [] }, guard);
  return block !== undefined && guard.mode === 'enforce' ? [] : bucketsOf(hookOf(call).request, guard);
}

/** Refuses what the guard blocks. */
export function holdBackSpending(call: Call, parts: HookParts): void {
  if (call.refusal !== undefined) return;
  const { guard } = parts.settings;
  const block = judge({ number: call.number, exceeded: call.exceeded ?? [] }, guard);
  if (block === undefined) return;
  tellBlocked(block, call, parts);
  const { code, reason } = block;
  if (guard.mode === 'enforce') call.refusal = { code, reason, isHeldBack: guard.answer === 'pending' };
}

/** Whether a code may go to a number beside the enrolled one, by what the number is. */
export async function mayGoTo(number: string, call: Call, parts: HookParts): Promise<boolean> {
  const { guard } = parts.settings;
  const block = judge({ number: await readInTime(number, call, parts), exceeded: [] }, guard);
  if (block === undefined) return true;
  tellBlocked(block, call, parts);
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

function tellBlocked(
  { rule, code, country, remedy }: GuardBlock,
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
    country,
    remedy,
    requestType: request.requestType,
    userId: request.userId,
    isPreview,
  });
}
