import type { HookEvent } from '../../core/events.js';
import type { ExecutionSummary, Flow, FlowQuery, FlowWay } from './answers.js';
import { readAttempts } from './execution-outcome.js';

/** The way of codes from Okta's request to their use, for the console's flow. */

/** What one execution adds to it. */
export interface FlowPoint extends Pick<FlowWay, 'first' | 'failover' | 'last'> {
  readonly country: string | undefined;
  /** The provider of the first attempt. */
  readonly provider: string | undefined;
  readonly isDelivered: boolean;
  readonly isUsed: boolean;
}

export function flowPointOf(
  events: readonly HookEvent[],
  { outcome, failover }: Pick<ExecutionSummary, 'outcome' | 'failover'>,
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
  };
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
    countries: namesOf(points.map((point) => point.country)),
    providers: namesOf(points.map((point) => point.provider)),
  };
}

function namesOf(names: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(names)].filter((name) => name !== undefined).sort();
}
