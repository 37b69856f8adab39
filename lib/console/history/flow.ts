import type { HookEvent } from '../../core/events.js';
import { hasReportedUse } from '../../core/request-types.js';
import type { ExecutionSummary, Flow, FlowQuery, FlowWay, SentCount } from './answers.js';
import { readAttempts } from './execution-outcome.js';

/** The way of codes from Okta's request to their use, for the console's flow. */

/** What one execution adds to it. */
export interface FlowPoint extends Pick<FlowWay, 'first' | 'failover' | 'last'> {
  readonly country: string | undefined;
  /** The provider of the first attempt. */
  readonly provider: string | undefined;
  readonly isDelivered: boolean;
  readonly isUsed: boolean;
  /** Empty if Okta reports no use of such codes. */
  readonly messages: readonly (Pick<SentCount, 'channel' | 'provider'> & { readonly isUsed: boolean })[];
}

export function flowPointOf(
  events: readonly HookEvent[],
  { outcome, failover, requestType = '' }: Pick<ExecutionSummary, 'outcome' | 'failover' | 'requestType'>,
): FlowPoint {
  const attempts = readAttempts(events);
  const [first] = attempts;
  return {
    first: first?.channel,
    failover,
    last: failover === undefined ? undefined : attempts.at(-1)?.channel,
    country: countryOf(events),
    provider: first?.provider,
    // Not every provider reports deliveries, and a code that was used has arrived.
    isDelivered: outcome === 'delivered' || outcome === 'used',
    isUsed: outcome === 'used',
    messages: hasReportedUse(requestType) ? messagesOf(events) : [],
  };
}

/** The messages that may have left. If several had the code, the one counts as used that Okta's report was matched with. */
function messagesOf(events: readonly HookEvent[]): FlowPoint['messages'] {
  const use = events.find((event) => event.type === 'code.used');
  const left = readAttempts(events).filter(({ outcome }) => outcome !== 'refused');
  const used =
    use &&
    (left.find(({ transactionId }) => transactionId === use.transactionId) ??
      left.findLast(({ channel }) => channel === use.channel));
  return left.map((attempt) => ({
    channel: attempt.channel,
    provider: attempt.provider,
    isUsed: attempt === used,
  }));
}

function countryOf(events: readonly HookEvent[]): string | undefined {
  for (const event of events) {
    if ('country' in event && event.country !== undefined) return event.country;
  }
  return undefined;
}

export function sumFlow(
  points: readonly FlowPoint[],
  { country, provider }: Pick<FlowQuery, 'country' | 'provider'>,
): Omit<Flow, 'completeSince'> {
  const fitting = points.filter(
    (point) =>
      (country === undefined || point.country === country) &&
      (provider === undefined || point.provider === provider),
  );
  const ways = new Map<string, FlowWay>();
  for (const { first, failover, last, isDelivered, isUsed } of fitting) {
    const key = JSON.stringify([first, failover, last]);
    const way = ways.get(key) ?? { first, failover, last, count: 0, delivered: 0, used: 0 };
    ways.set(key, {
      ...way,
      count: way.count + 1,
      delivered: way.delivered + Number(isDelivered),
      used: way.used + Number(isUsed),
    });
  }
  return {
    asked: fitting.length,
    ways: [...ways.values()].sort((one, other) => other.count - one.count),
    sent: sumSent(points),
    countries: namesOf(points.map((point) => point.country)),
    providers: namesOf(points.map((point) => point.provider)),
  };
}

/** Most codes first. */
function sumSent(points: readonly FlowPoint[]): readonly SentCount[] {
  const counts = new Map<string, SentCount>();
  for (const { country, messages } of points) {
    for (const { channel, provider, isUsed } of messages) {
      const key = JSON.stringify([country, channel, provider]);
      const { sent, used } = counts.get(key) ?? { sent: 0, used: 0 };
      counts.set(key, { country, channel, provider, sent: sent + 1, used: used + Number(isUsed) });
    }
  }
  return [...counts.values()].sort((one, other) => other.sent - one.sent);
}

function namesOf(names: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(names)].filter((name) => name !== undefined).sort();
}
