import type { CodeOutcome, HookEvent } from '../../core/events.js';
import type {
  DeliveryTimes,
  ExecutionSummary,
  TimelineBucket,
  TimelineOutcome,
  TimelineSpan,
} from './answers.js';
import { answerOf } from './execution-outcome.js';

/** The history over time, for the plots of the console. An execution is read once, when its events have changed. */

/** What one execution adds to a timeline. */
export interface TimelinePoint {
  /** When Okta requested the code, milliseconds since 1970. */
  readonly at: number;
  /** `undefined` while the call runs. */
  readonly outcome: TimelineOutcome | undefined;
  /** Its delivered messages, with the time since the request. */
  readonly deliveries: readonly { readonly channel: string; readonly ms: number }[];
}

/** For an execution without a known answer. */
const WITHOUT_ANSWER: Readonly<Record<ExecutionSummary['outcome'], CodeOutcome | undefined>> = {
  running: undefined,
  sent: 'accepted',
  delivered: 'accepted',
  undelivered: 'accepted',
  used: 'accepted',
  pending: 'unknown',
  blocked: 'blocked',
  failed: 'refused',
};

/** @param events - of one execution, in the order of time. */
export function pointOf(
  events: readonly HookEvent[],
  summary: Pick<ExecutionSummary, 'startedAt' | 'outcome' | 'failover'>,
): TimelinePoint {
  const { startedAt } = summary;
  // `delivered` and `read` are two reports on one message.
  const deliveries = new Map<string, TimelinePoint['deliveries'][number]>();
  for (const event of events) {
    if (event.type !== 'message.reported' || event.report !== 'delivered') continue;
    const { channel, transactionId, at } = event;
    // Clocks of two gateways may differ.
    if (!deliveries.has(transactionId))
      deliveries.set(transactionId, { channel, ms: Math.max(0, at - startedAt) });
  }
  return {
    at: startedAt,
    outcome: outcomeOf(events, summary),
    deliveries: [...deliveries.values()],
  };
}

/** By the answer to Okta, except for what a provider reported later: a message that failed is not one that was accepted. */
function outcomeOf(
  events: readonly HookEvent[],
  { outcome, failover }: Pick<ExecutionSummary, 'outcome' | 'failover'>,
): TimelineOutcome | undefined {
  const answered = answerOf(events)?.outcome ?? WITHOUT_ANSWER[outcome];
  if (answered !== 'accepted') return answered;
  if (outcome === 'undelivered') return 'undelivered';
  return failover === undefined ? 'accepted' : 'failedOver';
}

/** Sorts points into the buckets of a span. A point before or after it is left out. */
export function bucketsOf(
  points: readonly TimelinePoint[],
  { bucketMs, count }: TimelineSpan,
  nowMs: number,
): readonly TimelineBucket[] {
  const firstMs = (Math.floor(nowMs / bucketMs) - count + 1) * bucketMs;
  const codes = Array.from({ length: count }, noCodes);
  const times = Array.from({ length: count }, () => new Map<string, number[]>());
  for (const { at, outcome, deliveries } of points) {
    const index = Math.floor((at - firstMs) / bucketMs);
    const counts = codes[index];
    if (counts !== undefined && outcome !== undefined) counts[outcome] += 1;
    for (const { channel, ms } of deliveries) {
      const known = times[index]?.get(channel);
      if (known === undefined) times[index]?.set(channel, [ms]);
      else known.push(ms);
    }
  }
  return codes.map((counts, index) => ({
    from: firstMs + index * bucketMs,
    codes: counts,
    deliveries: [...(times[index] ?? [])]
      .map(([channel, ms]) => timesOf(channel, ms))
      .sort((one, other) => (one.channel < other.channel ? -1 : 1)),
  }));
}

function noCodes(): Record<TimelineOutcome, number> {
  return { accepted: 0, failedOver: 0, undelivered: 0, unknown: 0, blocked: 0, refused: 0 };
}

function timesOf(channel: string, ms: number[]): DeliveryTimes {
  ms.sort((one, other) => one - other);
  /** The nearest rank: a time that a message really took. */
  const rank = (share: number): number => ms[Math.ceil(share * ms.length) - 1] ?? 0;
  return { channel, count: ms.length, medianMs: rank(0.5), p95Ms: rank(0.95) };
}
