import { ENDS, VIOLATIONS, type Account, type Violation } from './account.js';
import type { OutageFact } from './facts.js';
import { FOLLOW_UPS } from './follow-up.js';
import { startOf, overlaps } from './records.js';

/** An account as people read it. */

const count = (number: number): string => number.toLocaleString('en').padStart(8);

/** What became of everything, in numbers. */
export function tableOf({ ends, violations, followUps, calls }: Account): string {
  const lines = (words: Readonly<Record<string, string>>, numberOf: (key: string) => number): string[] =>
    Object.entries(words).map(([key, text]) => `${count(numberOf(key))}  ${text}`);
  const ended = new Map<string, number>(ends);
  const followed = new Map<string, number>(followUps);
  const durationAt = (share: number): string => {
    const sorted = calls.durationsMs;
    return (sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN).toFixed(0);
  };
  return [
    'Every event:',
    ...lines(ENDS, (key) => ended.get(key) ?? 0),
    '',
    'What must not happen:',
    ...lines(VIOLATIONS, (key) => violations.filter(({ kind }) => kind === key).length),
    '',
    'WhatsApp messages that were not delivered, followed:',
    ...lines(FOLLOW_UPS, (key) => followed.get(key) ?? 0),
    '',
    `${count(calls.all)}  calls by Okta, ${calls.repeats} of them repeats`,
    `${count(calls.disturbed)}  late or not answered: their gateway was stopped or killed`,
    `${count(calls.starved)}  late or not answered: this machine was too busy to let their gateway run`,
    `${count(calls.cutOff)}  cut off by a gateway that was well`,
    `Answered by gateways that were well within ${durationAt(0.5)} ms (half of them), ${durationAt(0.99)} ms (99 %), ${durationAt(1)} ms (all)`,
  ].join('\n');
}

/** Of each kind. */
const SHOWN = 3;

/** What happened that must not: the first few of each kind, by time. */
export function timelinesOf({ violations }: Account, outages: readonly OutageFact[]): readonly string[] {
  return Object.keys(VIOLATIONS).flatMap((kind) =>
    violations
      .filter((violation) => violation.kind === kind)
      .slice(0, SHOWN)
      .map((violation) => timelineOf(violation, outages)),
  );
}

/** So long before an event, and after it, other things may bear on it, milliseconds. */
const BEFORE_MS = 3_000;
const AFTER_MS = 12_000;

/** Everything that is known of an event that ended as it must not, by time. */
function timelineOf({ kind, record }: Violation, outages: readonly OutageFact[]): string {
  const { event, messages, callbacks, told, newer, newerMessages } = record;
  const start = startOf(event);
  const lines: { readonly at: number; readonly text: string }[] = [];
  const add = (at: number, text: string): void => {
    lines.push({ at, text });
  };
  for (const [name, { calls }] of [['', event] as const, ...newer.map((one) => ['newer ', one] as const)]) {
    for (const { at, durationMs, gateway, answer, problem } of calls) {
      add(at, `Okta calls ${name}`.trim());
      add(at + durationMs, `Okta has ${name}${answer ?? problem ?? ''} from gateway ${gateway ?? '-'}`);
    }
  }
  for (const [name, list] of [['', messages] as const, ['newer ', newerMessages] as const]) {
    for (const { at, sid, channel, status, statusAt, errorCode } of list) {
      add(at, `Twilio accepts ${name}${channel} ${sid}`);
      add(statusAt, `Twilio has ${name}${channel} ${sid} ${status} ${errorCode ?? ''}`);
    }
  }
  for (const { at, sid, status, gateway, isTaken } of callbacks) {
    add(at, `gateway ${gateway ?? '-'} ${isTaken ? 'took' : 'did not take'} ${status} of ${sid}`);
  }
  for (const { at, gateway, type, text } of told) add(at, `gateway ${gateway} tells ${type} ${text}`);
  for (const outage of outages) {
    if (!overlaps(outage, start - BEFORE_MS, start + AFTER_MS)) continue;
    const who = outage.gateway === undefined ? 'Redis' : `gateway ${outage.gateway}`;
    add(outage.from, `${who} is lost`);
    add(outage.to, `${who} is back`);
  }
  const shown = lines
    .filter(({ at }) => at <= start + AFTER_MS)
    .sort((a, b) => a.at - b.at)
    .map(({ at, text }) => `  ${((at - start) / 1000).toFixed(3).padStart(8)} s  ${text}`);
  const asked = `Twilio was asked ${record.asked} times`;
  return [`${event.eventId}: ${VIOLATIONS[kind]}; ${asked}`, ...shown].join('\n');
}
