import { hookOf, idsOf, tellFailed, type Call, type HookParts } from './call.js';
import { judge } from './delivery/guard.js';
import { readNumber, type NumberReading } from './delivery/phone-number.js';
import { TIMED_OUT } from './delivery/wait-at-most.js';

/** Before anything is spent on a call, not even a look at the profile: may it go on? */

/** What the numbering plans may take of the budget before a call goes on without their rules. */
const PLANS_SHARE = { maxMs: 300, fraction: 0.15 } as const;

/** Refuses what the guard blocks. By numbering plans that are not there in time, nothing is. */
export function holdBackSpending(call: Call, parts: HookParts): Promise<void> | undefined {
  if (call.refusal !== undefined) return undefined;
  const reading = readNumber(hookOf(call).request.phoneNumber);
  if (!(reading instanceof Promise)) {
    decide(call, reading, parts);
    return undefined;
  }
  return call.budget.within(reading, call.budget.share(PLANS_SHARE.maxMs, PLANS_SHARE.fraction)).then(
    (read) => {
      if (read === TIMED_OUT) tellMissingPlans(new Error('not loaded in time'), call, parts);
      decide(call, read === TIMED_OUT ? undefined : read, parts);
    },
    (error: unknown) => {
      tellMissingPlans(error, call, parts);
      decide(call, undefined, parts);
    },
  );
}

function decide(
  call: Call,
  number: NumberReading | undefined,
  { settings: { guard }, events }: HookParts,
): void {
  const block = judge({ number, exceeded: call.exceeded ?? [] }, guard);
  if (block === undefined) return;
  const hook = hookOf(call);
  const { rule, code, reason, remedy, country } = block;
  events.emit({
    type: 'guard.blocked',
    at: events.now(),
    ...idsOf(hook.request),
    mode: guard.mode,
    rule,
    code,
    country,
    remedy,
    requestType: hook.request.requestType,
    userId: hook.request.userId,
    isPreview: hook.isPreview,
  });
  if (guard.mode === 'enforce') call.refusal = { code, reason, isHeldBack: guard.answer === 'pending' };
}

function tellMissingPlans(error: unknown, call: Call, parts: HookParts): void {
  parts.missingPlans.tell((count) => {
    tellFailed('numberingPlans', hookOf(call).request, parts)(error, { count });
  });
}
