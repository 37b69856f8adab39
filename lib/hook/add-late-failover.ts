import { sendCode } from '../delivery/dispatch.js';
import type { Delivery } from '../delivery/attempt.js';
import { LateFailover } from '../delivery/messages/late-failover.js';
import type { LateSend } from '../delivery/messages/late-sends.js';
import { skipSuppressed, suppressionFor } from '../delivery/plan.js';
import type { PlanStep } from '../delivery/records.js';
import { recordRecognised, suppressRefusing } from '../delivery/send-recorder.js';
import { noteDelivered } from './codes-of-user.js';
import { enabledChannels } from './dispatch-channels.js';
import type { HookParts } from './call.js';

/** Adds late failover to the parts of a hook: it sends a code again by the same steps as a call. */

/** With so many calls in flight, codes need the connections more than look-ups do. */
const BUSY_CALLS = 32;

/** The parts of a hook, complete: with late failover if it is on. */
export function addLateFailover(made: Omit<HookParts, 'lateFailover'>): HookParts {
  const { settings, events, channels, underWay } = made;
  if (settings.lateFailover === false) return { ...made, lateFailover: undefined };
  const lateFailover = new LateFailover({
    state: made.state,
    events,
    clock: settings.clock,
    deadlineMs: settings.deadlineMs,
    afterSeconds: settings.lateFailover.afterSeconds,
    channels,
    owners: made.messageOwners,
    channelsOn: (names, request) => enabledChannels(names, request, made),
    onRecognised: (receipt, transactionId) => {
      recordRecognised(receipt, transactionId, made);
    },
    onLookedUpFailure: ({ sentBy }, failure) => {
      suppressRefusing(sentBy, failure, made);
    },
    onDelivered: (owner) => {
      noteDelivered(owner, made);
    },
    send: (send, isStillWanted) => sendAgain(send, isStillWanted, parts),
    isSending: () => underWay.calls.size + underWay.detached.size > 0,
    isBusy: () => underWay.calls.size >= BUSY_CALLS,
  });
  const parts: HookParts = { ...made, lateFailover };
  return parts;
}

/** Sends a code again, by the steps that are left of its plan. */
async function sendAgain(
  late: LateSend,
  isStillWanted: () => Promise<boolean>,
  parts: HookParts,
): Promise<Delivery> {
  const { code, request, budget } = late;
  // The user may have written STOP since the code was sent, and to another gateway.
  const untried = await allowedSteps(code.untried, parts);
  if (untried.length === 0) {
    late.dropped ??= 'NO_CHANNEL_LEFT';
    return { status: 'refused', decidedBy: undefined, attempts: [], isFraudBlock: false };
  }
  const { suppressions } = parts;
  const send = {
    code: { ...code, untried },
    request,
    budget,
    isStillWanted: async (step: PlanStep) => {
      const [isWanted] = await Promise.all([isStillWanted(), suppressions.refresh(step.to)]);
      return isWanted;
    },
    isSuppressed: (step: PlanStep) => suppressions.isStopped(step),
  };
  const delivery = await sendCode(send, parts);
  if (delivery.decidedBy === undefined && untried.every((step) => suppressions.isStopped(step))) {
    late.dropped ??= 'NO_CHANNEL_LEFT';
  }
  return delivery;
}

/** The steps of an earlier plan that are still not suppressed. */
async function allowedSteps(
  steps: readonly PlanStep[],
  { suppressions }: HookParts,
): Promise<readonly PlanStep[]> {
  const numbers = [...new Set(steps.map(({ to }) => to))];
  await Promise.all(numbers.map((to) => suppressions.refresh(to)));
  // All steps of a channel go to one number.
  const toOf = new Map(steps.map(({ channel, to }) => [channel, to]));
  const allowed = skipSuppressed([...toOf.keys()], (channel) =>
    suppressionFor(suppressions.of(toOf.get(channel) ?? ''), channel),
  );
  return steps.filter(({ channel }) => allowed.channels.includes(channel));
}
