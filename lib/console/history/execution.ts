import type { HookEvent } from '../../core/events.js';
import { TESTER_PREFIX } from '../../okta/inline-hook.js';
import { type Execution, type ExecutionFilter, type ExecutionSummary } from './answers.js';
import type { NamesIn } from '../../events/event-shape.js';
import {
  answerOf,
  countsOf,
  failoverOf,
  readOutcome,
  wayOf,
  type ChannelCount,
} from './execution-outcome.js';
import { flowPointOf, type FlowPoint } from './flow.js';
import { pointOf, type TimelinePoint } from './timeline.js';

/** One execution, made of its events, which may come in any order. */

/** How many events of one execution are kept. A code has about ten; only repeats make more. */
const MAX_STEPS = 200;

/** The code of an execution that cannot be read. */
const UNREADABLE = 'UNREADABLE';

/** An event, and its place among the events of its gateway. */
export interface Step {
  readonly event: HookEvent;
  /** The gateway that emitted it. */
  readonly gateway: string;
  /** Grows with each event of that gateway. */
  readonly place: number;
}

/** What the events say. It is read once, and again after the next event. */
export interface Reading {
  readonly summary: ExecutionSummary;
  readonly events: readonly HookEvent[];
  readonly channels: ReadonlySet<string | undefined>;
  /** The searchable words, in lower case. */
  readonly words: string;
  /** What it adds to the counts of each channel. */
  readonly counts: readonly ChannelCount[];
  readonly point: TimelinePoint;
  readonly flow: FlowPoint;
}

export class ExecutionRecord {
  readonly id: string;
  /** The ids of its messages. */
  readonly transactionIds = new Set<string>();
  /** Okta's ids of its requests: one, unless a caller repeats an event with others. */
  readonly oktaRequestIds = new Set<string>();
  /** When Okta requested the code, and the earliest event, which a gateway with a slow clock may have emitted. */
  #requestedAt = Infinity;
  #earliestAt = Infinity;
  #steps: Step[] = [];
  #omitted = 0;
  #repeats = 0;
  #reading: Reading | undefined;

  constructor(id: string) {
    this.id = id;
  }

  /** Milliseconds since 1970. */
  get startedAt(): number {
    return this.#requestedAt === Infinity ? this.#earliestAt : this.#requestedAt;
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** Whether the events are read already. */
  get isRead(): boolean {
    return this.#reading !== undefined;
  }

  /** Called for each event of each call, so the events are read only when someone asks. */
  add(step: Step): void {
    this.#reading = undefined;
    const { event } = step;
    this.#earliestAt = Math.min(this.#earliestAt, event.at);
    if (event.type === 'request.received') this.#requestedAt = Math.min(this.#requestedAt, event.at);
    if (event.type === 'request.answered' && event.isRepeat) this.#repeats += 1;
    this.#steps.push(step);
    if (this.#steps.length > MAX_STEPS) this.#omitOne();
  }

  open(nowMs: number): Execution {
    const { summary, events } = this.read(nowMs);
    return { ...summary, steps: events, omittedSteps: this.#omitted + this.#steps.length - events.length };
  }

  /** @param search - in lower case. */
  fits(query: ExecutionFilter, search: string | undefined, nowMs: number): boolean {
    const { channel, outcome, failover, from = -Infinity, to = Infinity } = query;
    if (this.startedAt < from || this.startedAt > to) return false;
    const { summary, channels, words } = this.read(nowMs);
    return (
      (outcome === undefined || summary.outcome === outcome) &&
      (failover === undefined || isFailover(summary.failover, failover)) &&
      (channel === undefined || channels.has(channel)) &&
      (search === undefined || isEndOf(search, summary) || (!/^\d\d$/.test(search) && words.includes(search)))
    );
  }

  /** Drops the newest step of a repeat, else the newest step. The choice must not depend on the order of arrival. */
  #omitOne(): void {
    const first = this.#steps.reduce((one, other) => (compareSteps(one, other) <= 0 ? one : other));
    const ofRepeats = this.#steps.filter((step) => step !== first && isOfRepeat(step));
    const candidates = ofRepeats.length > 0 ? ofRepeats : this.#steps;
    const newest = candidates.reduce((one, other) => (compareSteps(one, other) > 0 ? one : other));
    this.#steps.splice(this.#steps.indexOf(newest), 1);
    this.#omitted += 1;
  }

  read(nowMs: number): Reading {
    // A running execution ends after some time without another event.
    if (this.#reading !== undefined && this.#reading.summary.outcome !== 'running') return this.#reading;
    // If one execution cannot be read, the others still can: its outcome is unknown.
    try {
      const events = requestFirst(this.#steps.sort(compareSteps).map(({ event }) => event));
      this.#reading = readingOf(events, this.#summarize(events, nowMs));
    } catch {
      const known = this.#summarize([], nowMs);
      this.#reading = readingOf([], { ...known, outcome: 'pending', code: UNREADABLE });
    }
    return this.#reading;
  }

  #summarize(events: readonly HookEvent[], nowMs: number): ExecutionSummary {
    const { id, startedAt } = this;
    const { outcome, channel, provider, code } = readOutcome(events, { startedAt, nowMs });
    const oktaRequestId = firstOf(events, 'oktaRequestId');
    return {
      id,
      startedAt,
      oktaRequestId,
      userId: firstOf(events, 'userId'),
      requestType: firstOf(events, 'requestType'),
      deliveryChannel: firstOf(events, 'deliveryChannel'),
      toEnding: firstOf(events, 'toEnding') ?? '',
      isPreview: firstOf(events, 'isPreview') ?? false,
      isTest: oktaRequestId?.startsWith(TESTER_PREFIX) ?? false,
      testedBy: firstOf(events, 'testedBy'),
      outcome,
      way: wayOf(events, outcome),
      failover: failoverOf(events),
      channel,
      provider,
      code,
      durationMs: answerOf(events)?.durationMs,
      repeats: this.#repeats,
    };
  }
}

function readingOf(events: readonly HookEvent[], summary: ExecutionSummary): Reading {
  const { way, channel, deliveryChannel } = summary;
  return {
    summary,
    events,
    channels: new Set([...way.map((step) => step.channel), channel, deliveryChannel]),
    words: wordsOf(summary, events),
    counts: countsOf(events),
    point: pointOf(events, summary),
    flow: flowPointOf(events, summary),
  };
}

/** By time; at the same time, those of one gateway in their order. */
function compareSteps(one: Step, other: Step): number {
  if (one.event.at !== other.event.at) return one.event.at - other.event.at;
  if (one.gateway !== other.gateway) return one.gateway < other.gateway ? -1 : 1;
  return one.place - other.place;
}

/** The request comes first, whatever the clocks of several gateways say. */
function requestFirst(events: readonly HookEvent[]): readonly HookEvent[] {
  const request = events.find(({ type }) => type === 'request.received');
  return request === undefined ? events : [request, ...events.filter((event) => event !== request)];
}

/** The two events of a repeat; the first one also belongs to the first request. */
function isOfRepeat({ event }: Step): boolean {
  return event.type === 'request.received' || (event.type === 'request.answered' && event.isRepeat);
}

/** The first value that a field of this name has in the events. */
function firstOf<Name extends NamesIn<HookEvent>>(
  events: readonly HookEvent[],
  name: Name,
): ValueOf<HookEvent, Name> | undefined {
  for (const event of events) {
    const value = (event as { readonly [Key in Name]?: ValueOf<HookEvent, Name> })[name];
    if (value !== undefined) return value;
  }
  return undefined;
}

type ValueOf<Fields, Name> = Fields extends unknown
  ? Name extends keyof Fields
    ? Fields[Name]
    : never
  : never;

function isFailover(
  known: ExecutionSummary['failover'],
  wanted: NonNullable<ExecutionFilter['failover']>,
): boolean {
  return wanted === 'any' ? known !== undefined : known === wanted;
}

/** Whether a search is the end of the number. Ids hold any two digits, so these are searched for in the number alone. */
function isEndOf(search: string, { toEnding }: ExecutionSummary): boolean {
  return /^(?:\d{2}|\d{4})$/.test(search) && search.slice(-2) === toEnding;
}

function wordsOf(
  { id, oktaRequestId, userId, code }: ExecutionSummary,
  events: readonly HookEvent[],
): string {
  const words = new Set([id, oktaRequestId, userId, code]);
  for (const event of events) {
    if ('transactionId' in event) words.add(event.transactionId);
    if ('providerRequestId' in event) words.add(event.providerRequestId);
    if ('code' in event) words.add(event.code);
    if ('cause' in event) words.add(event.cause.code);
    if ('profileReason' in event) words.add(event.profileReason);
    if ('optIn' in event) words.add(event.optIn);
    if ('skipped' in event) for (const { reason } of event.skipped) words.add(reason);
    if (event.type === 'guard.blocked' || event.type === 'guard.noticed')
      for (const rule of event.rules) words.add(rule.code);
  }
  // A search has no line break, so it cannot match across two words.
  return [...words].join('\n').toLowerCase();
}
