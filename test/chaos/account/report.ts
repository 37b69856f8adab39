import { ENDS, VIOLATIONS, type Account, type Violation } from './account.js';
import type { RunFacts } from './facts.js';
import { FOLLOW_UPS } from './follow-up.js';
import { PROBLEMS, type Problem } from './loss-reports.js';
import { startOf } from './records.js';

/** Prints an account as text. */

const count = (number: number): string => number.toLocaleString('en').padStart(8);

/** The numbers of a run. */
export function tableOf({ ends, violations, followUps, calls }: Account, facts: RunFacts): string {
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
    'Faults:',
    ...lines(VIOLATIONS, (key) => violations.filter(({ kind }) => kind === key).length),
    '',
    'WhatsApp messages that were not delivered, followed:',
    ...lines(FOLLOW_UPS, (key) => followed.get(key) ?? 0),
    '',
    `${count(calls.all)}  calls by Okta, ${calls.repeats} of them repeats`,
    `${count(calls.disturbed)}  late or not answered: their gateway was stopped or killed`,
    `${count(calls.starved)}  late or not answered: this machine was too busy to run their gateway`,
    `${count(calls.cutOff)}  cut off by a gateway that worked`,
    ...surroundingsOf(facts),
    `Answered by gateways that worked within ${durationAt(0.5)} ms (half of them), ${durationAt(0.99)} ms (99 %), ${durationAt(1)} ms (all)`,
  ].join('\n');
}

function surroundingsOf({ words = [], uses = [], felt = [], hookEvents }: RunFacts): readonly string[] {
  const losses = hookEvents.filter(({ type }) => type === 'state.lost').length;
  return [
    `${count(words.length)}  times STOP or START, ${count(uses.length).trim()} reports of used codes`,
    `${count(losses)}  losses of Redis reported by a gateway, ${felt.length} of a command in flight`,
  ];
}

export function describeProblem({ kind, gateway, at, text }: Problem): string {
  return `${PROBLEMS[kind]}: gateway ${gateway}, at ${new Date(at).toISOString()} ${text}`.trimEnd();
}

/** The number of timelines for each kind. */
const SHOWN = 3;

/** The timelines of the first faults of each kind. */
export function timelinesOf(
  { violations }: Account,
  facts: RunFacts,
  isWanted: (violation: Violation) => boolean = () => true,
): readonly string[] {
  return Object.keys(VIOLATIONS).flatMap((kind) =>
    violations
      .filter((violation) => violation.kind === kind && isWanted(violation))
      .slice(0, SHOWN)
      .map((violation) => timelineOf(violation, facts)),
  );
}

/** Outages this long before or after an event can affect it, milliseconds. */
const BEFORE_MS = 3_000;
const AFTER_MS = 25_000;

/** All records of an event with a fault, in the order of time. */
function timelineOf({ kind, record }: Violation, facts: RunFacts): string {
  const { event, messages, callbacks, hookEvents, newer, newerMessages } = record;
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
    for (const { at, sid, channel, provider, status, statusAt, errorCode } of list) {
      add(at, `${provider} accepts ${name}${channel} ${sid}`);
      add(statusAt, `${provider} has ${name}${channel} ${sid} ${status} ${errorCode ?? ''}`);
    }
  }
  for (const { at, sid, status, gateway, isTaken, isNamed } of callbacks) {
    add(
      at,
      `gateway ${gateway ?? '-'} ${isTaken ? 'took' : 'did not take'} ${status} of ${sid}${isNamed ? ', with its attempt' : ''}`,
    );
  }
  for (const { at, gateway, type, text } of hookEvents) add(at, `gateway ${gateway} reports ${type} ${text}`);
  addSurroundings(event.userId, facts, add);
  const shown = lines
    // A use or a word counts long after.
    .filter(({ at }) => at >= start - BEFORE_MS && at <= start + AFTER_MS)
    .sort((a, b) => a.at - b.at)
    .map(({ at, text }) => `  ${((at - start) / 1000).toFixed(3).padStart(8)} s  ${text}`);
  const requests = `${record.sendRequests} requests to providers`;
  return [`${event.eventId}: ${VIOLATIONS[kind]}; ${requests}`, ...shown].join('\n');
}

/** What concerns every code: faults, what gateways say of Redis, and what the user wrote or typed. */
function addSurroundings(userId: string, facts: RunFacts, add: (at: number, text: string) => void): void {
  const { outages, hookEvents, words = [], uses = [], felt = [], wipes = [] } = facts;
  for (const { gateway, from, to } of outages) {
    const who = gateway === undefined ? 'Redis' : `gateway ${gateway}`;
    add(from, `${who} is lost`);
    add(to, `${who} is back`);
  }
  for (const { at, gateway, type, text } of hookEvents)
    if (type.startsWith('state.')) add(at, `gateway ${gateway} reports ${type} ${text}`);
  for (const { gateway, at } of felt) add(at, `gateway ${gateway} loses a command to Redis`);
  for (const { from } of wipes) add(from, 'Redis loses keys');
  for (const { word, answeredAt, gateway, isTaken } of words.filter((one) => one.userId === userId))
    add(answeredAt, `gateway ${gateway} ${isTaken ? 'took' : 'did not take'} ${word}`);
  for (const { eventId, at, gateway, isTaken } of uses.filter((one) => one.userId === userId))
    add(at, `gateway ${gateway} ${isTaken ? 'took' : 'did not take'} the use of ${eventId}`);
}
