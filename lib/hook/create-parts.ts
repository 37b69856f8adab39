import type { Delivery } from '../delivery/dispatch.js';
import { LateFailover } from '../delivery/late/late-failover.js';
import type { LateSend } from '../delivery/late/late-sends.js';
import type { PlanStep } from '../delivery/plan.js';
import { withinRollout } from '../delivery/rollout.js';
import { allowedSteps, hasStoppedSince } from './allowed-channels.js';
import { reportFailure, type HookParts } from './parts.js';
import { recordRecognised, sendCode, suppressRefusing } from './send-code.js';

/** Adds late failover to the parts of a hook: it sends a code again by the same steps as a call. */

/** With so many calls in flight, codes need the connections more than look-ups do. */
const BUSY_CALLS = 32;

/** The parts of a hook, with late failover if it is on. */
export function createHookParts(made: Omit<HookParts, 'lateFailover'>): HookParts {
  const { settings, events, channels, underWay } = made;
  if (settings.lateFailover === undefined) return { ...made, lateFailover: undefined };
  const lateFailover = new LateFailover({
    state: made.state,
    events,
    clock: settings.clock,
    deadlineMs: settings.deadlineMs,
    afterSeconds: settings.lateFailover.afterSeconds,
    channels,
    channelsOn: (names, request) =>
      withinRollout(names, request, made.rollout(reportFailure('rollout', request, made))),
    onRecognised: (receipt, transactionId) => {
      recordRecognised(receipt, transactionId, made);
    },
    onLookedUpFailure: ({ sentBy }, failure) => {
      suppressRefusing(sentBy, failure, made);
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
  const sinceMs = performance.now();
  // The user may have written STOP since the code was sent, and to another gateway.
  const untried = await allowedSteps(code.untried, parts);
  if (untried.length === 0) {
    late.dropped ??= 'NO_CHANNEL_LEFT';
    return { status: 'refused', decidedBy: undefined, attempts: [], isFraudBlock: false };
  }
  const isSuppressed = ({ channel, to }: PlanStep): boolean => hasStoppedSince(channel, to, sinceMs, parts);
  const send = { code: { ...code, untried }, request, budget, isStillWanted, isSuppressed };
  return sendCode(send, { mayFailOver: true }, parts);
}
