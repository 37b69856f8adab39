import type { Allowances } from './allowances.js';
import type { RunFacts } from './facts.js';
import { startOf, type EventRecord } from './records.js';

/** The limit of a user holds for all gateways: in each window, no more codes are sent than it has points. */

/** The longest time from a call to its claim in Redis, milliseconds. */
const CLAIMED_MS = 150;

/** The codes that were too many in their window. */
export function overLimit(
  records: readonly EventRecord[],
  { limit }: RunFacts,
  allowances: Allowances,
): readonly EventRecord[] {
  if (limit === undefined) return [];
  const over: EventRecord[] = [];
  for (const ofUser of groupedByUser(records)) {
    for (const { from, to } of windowsOf(ofUser, limit.seconds * 1000)) {
      const sent = ofUser.filter(({ event, messages: [message] }) => {
        return startOf(event) >= from && message !== undefined && message.at < to - CLAIMED_MS;
      });
      if (allowances.hasForgotten(from, to) || allowances.hadLost(undefined, from, to)) continue;
      // A window lasts by Redis's clock.
      if (allowances.clockJumpedMs(from, to) > 0) continue;
      over.push(...sent.slice(limit.points));
    }
  }
  return over;
}

/**
 * The windows whose times are certain. A window begins with the first claim after the end of the one before. The first
 * call of an event claims; another one may.
 */
function windowsOf(
  records: readonly EventRecord[],
  lengthMs: number,
): readonly { readonly from: number; readonly to: number }[] {
  const calls = records
    .flatMap(({ event }) => event.calls.map(({ at }, index) => ({ at, isFirst: index === 0 })))
    .sort((a, b) => a.at - b.at);
  const windows: { readonly from: number; readonly to: number }[] = [];
  let endsAt = -Infinity;
  for (const { at, isFirst } of calls) {
    if (at <= endsAt - CLAIMED_MS) continue;
    if (isFirst && at > endsAt + CLAIMED_MS) windows.push({ from: at, to: at + lengthMs });
    // It may be in a window of its own, which then lasts longer.
    endsAt = at + lengthMs;
  }
  return windows;
}

function groupedByUser(records: readonly EventRecord[]): readonly (readonly EventRecord[])[] {
  const groups = new Map<string, EventRecord[]>();
  for (const record of records) {
    const { userId } = record.event;
    groups.set(userId, [...(groups.get(userId) ?? []), record]);
  }
  return [...groups.values()];
}
