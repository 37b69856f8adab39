import { LRUCache } from 'lru-cache';
import { atMost } from '../../core/caches.js';
import type { HookEvent, HookEventOf } from '../../core/events.js';
import type { ChannelTally, ExecutionFilter, Flow, FlowQuery, Timeline, TimelineSpan } from './answers.js';
import { endOfTurn } from '../../core/time.js';
import { ExecutionRecord, type Step } from './execution.js';
import { sumFlow } from './flow.js';
import { bucketsOf } from './timeline.js';

/** The last executions. Each event is added to its execution, and the oldest executions are dropped. */

/** How long an execution is kept at most, milliseconds. */
const LIFE_MS = 86_400_000;
/** Reports of messages whose send is not known yet: the events of the gateway that sent them may be on their way. */
const MAX_EARLY_MESSAGES = 1_000;
const MAX_EARLY_REPORTS = 10;
/** Okta's ids of the requests of one execution. More than one is a caller's repeat of an event with another id. */
const MAX_REQUESTS = 10;
/** The executions are sorted and cut when there are this much more than allowed. */
const SLACK = 0.1;

/** All steps of all executions, some 50 MB: a caller who repeats events without end gets no more memory. */
const MAX_STEPS = 100_000;

/** How many executions are read in one turn of the event loop. */
const READ_AT_ONCE = 50;

/** Whether the query has no filter. */
export function isForAll({ search = '', ...filters }: ExecutionFilter): boolean {
  const { channel, outcome, failover, from, to } = filters;
  const all = [channel, outcome, failover, from, to];
  return search.trim() === '' && all.every((filter) => filter === undefined);
}

/** Whether the event belongs to an execution, known or not known yet. */
export function isOfExecution(event: HookEvent): boolean {
  return idOf(event) !== undefined || event.type === 'message.reported' || event.type === 'okta.fell-back';
}

export class KeptExecutions {
  readonly #byId = new Map<string, ExecutionRecord>();
  /** The execution that sent a message. */
  readonly #byTransaction = new Map<string, ExecutionRecord>();
  /** By Okta's request id, for what Okta says of a request. */
  readonly #byRequest = new Map<string, ExecutionRecord>();
  readonly #early = new LRUCache<string, Step[]>(atMost(MAX_EARLY_MESSAGES));
  /** The ids of dropped executions: their later events must not create them anew. */
  readonly #gone: LRUCache<string, true>;
  #stepCount = 0;
  /** When the newest dropped execution began. */
  #droppedSince = -Infinity;
  readonly #beganAt: number;
  readonly #max: number;
  readonly #clock: () => number;

  constructor(max: number, clock: () => number) {
    this.#max = max;
    // By the id of the event, and by that of the request.
    this.#gone = new LRUCache(atMost(2 * max));
    this.#clock = clock;
    this.#beganAt = clock();
  }

  /** Returns the execution that changed. */
  add(step: Step): ExecutionRecord | undefined {
    const { event } = step;
    const record = this.#recordOf(step);
    if (record === undefined) return undefined;
    this.#addTo(record, step);
    if (event.type !== 'okta.fell-back' && 'oktaRequestId' in event && event.oktaRequestId !== undefined)
      this.#knowRequest(event.oktaRequestId, record);
    if ('transactionId' in event && event.transactionId !== undefined && event.type !== 'message.reported') {
      this.#know(event.transactionId, record);
    }
    return record;
  }

  get(id: string): ExecutionRecord | undefined {
    this.#cut();
    return this.#byId.get(id);
  }

  /** The executions that fit, newest first. */
  find(query: ExecutionFilter): readonly ExecutionRecord[] {
    const records = this.#cut();
    if (isForAll(query)) return records;
    const search = query.search?.trim().toLowerCase() || undefined;
    const nowMs = this.#clock();
    return records.filter((record) => record.fits(query, search, nowMs));
  }

  /** Reads changed executions a few at a time, so that calls are served meanwhile. */
  async readAll(): Promise<void> {
    const nowMs = this.#clock();
    let count = 0;
    for (const record of this.#cut()) {
      if (record.isRead) continue;
      record.read(nowMs);
      count += 1;
      if (count % READ_AT_ONCE === 0) await endOfTurn();
    }
  }

  /** By channel, for executions that began since then, without previews and tests. */
  tally(sinceMs: number): readonly ChannelTally[] {
    const nowMs = this.#clock();
    const sums = new Map<string, MutableTally>();
    for (const record of this.#cut()) {
      if (record.startedAt < sinceMs) break;
      const { summary, counts } = record.read(nowMs);
      if (summary.isPreview) continue;
      for (const { channel, as } of counts) {
        const sum = sums.get(channel) ?? emptyTally(channel);
        sums.set(channel, sum);
        // A newer gateway may know more outcomes.
        if (Object.hasOwn(sum, as)) sum[as] += 1;
      }
    }
    return [...sums.values()].sort((one, other) => (one.channel < other.channel ? -1 : 1));
  }

  timeline(spans: readonly TimelineSpan[], query?: ExecutionFilter): Timeline {
    const nowMs = this.#clock();
    const points = this.find(query ?? {})
      .map((record) => record.read(nowMs))
      .filter(({ summary }) => query !== undefined || !summary.isPreview)
      .map(({ point }) => point);
    return {
      completeSince: this.completeSince(),
      spans: spans.map((span) => ({ bucketMs: span.bucketMs, buckets: bucketsOf(points, span, nowMs) })),
    };
  }

  flow(query: FlowQuery): Flow {
    const nowMs = this.#clock();
    const points = this.find({ from: query.from })
      .map((record) => record.read(nowMs))
      .filter(({ summary }) => !summary.isPreview && summary.outcome !== 'running')
      .map(({ flow }) => flow);
    return { ...sumFlow(points, query), completeSince: this.completeSince() };
  }

  /** A shared log may have executions of gateways that began earlier. Before the first of them nothing is known. */
  completeSince(): number {
    const first = this.#cut().at(-1);
    return Math.max(this.#droppedSince, Math.min(this.#beganAt, first?.startedAt ?? this.#beganAt));
  }

  #recordOf(step: Step): ExecutionRecord | undefined {
    const { event } = step;
    const id = idOf(event);
    if (id !== undefined) {
      if (this.#gone.has(id)) return undefined;
      return this.#byId.get(id) ?? this.#begin(id);
    }
    if (event.type === 'okta.fell-back') return this.#recordOfFallback(event);
    if (event.type !== 'message.reported') return undefined;
    const record = this.#byTransaction.get(event.transactionId);
    if (record === undefined) this.#keepEarly(event.transactionId, step);
    return record;
  }

  /** A call that no gateway has read has an execution of its own. */
  #recordOfFallback({
    oktaRequestId,
    logEventId,
  }: HookEventOf<'okta.fell-back'>): ExecutionRecord | undefined {
    const known = oktaRequestId === undefined ? undefined : this.#byRequest.get(oktaRequestId);
    const of = oktaRequestId ?? logEventId;
    if (known !== undefined || of === undefined) return known;
    const id = unreadId(of);
    if (this.#gone.has(id)) return undefined;
    return this.#byId.get(id) ?? this.#begin(id);
  }

  #knowRequest(oktaRequestId: string, record: ExecutionRecord): void {
    const { oktaRequestIds } = record;
    if (oktaRequestIds.has(oktaRequestId) || oktaRequestIds.size >= MAX_REQUESTS) return;
    oktaRequestIds.add(oktaRequestId);
    // The last one: if Okta gives up on a call, it is that of the last event.
    this.#byRequest.set(oktaRequestId, record);
    const unread = this.#byId.get(unreadId(oktaRequestId));
    if (unread === undefined) return;
    // Another gateway had read the call, and its events come only now.
    this.#byId.delete(unread.id);
    this.#stepCount -= unread.steps.length;
    for (const step of unread.steps) this.#addTo(record, step);
  }

  #begin(id: string): ExecutionRecord {
    const record = new ExecutionRecord(id);
    // Drops old executions even if no request comes.
    for (const oldest of this.#byId.values()) {
      if (oldest.startedAt >= this.#clock() - LIFE_MS) break;
      this.#forget(oldest);
    }
    if (this.#byId.size >= this.#max * (1 + SLACK)) this.#cut();
    this.#byId.set(id, record);
    return record;
  }

  #know(transactionId: string, record: ExecutionRecord): void {
    if (record.transactionIds.has(transactionId)) return;
    record.transactionIds.add(transactionId);
    this.#byTransaction.set(transactionId, record);
    const early = this.#early.peek(transactionId);
    if (early === undefined) return;
    this.#early.delete(transactionId);
    for (const step of early) this.#addTo(record, step);
  }

  #addTo(record: ExecutionRecord, step: Step): void {
    const before = record.steps.length;
    record.add(step);
    this.#stepCount += record.steps.length - before;
    if (this.#stepCount > MAX_STEPS * (1 + SLACK)) this.#cut();
  }

  #keepEarly(transactionId: string, step: Step): void {
    const early = this.#early.peek(transactionId);
    if (early === undefined) this.#early.set(transactionId, [step]);
    else if (early.length < MAX_EARLY_REPORTS) early.push(step);
  }

  /** Drops what is too old or too much, and returns the rest, newest first. */
  #cut(): readonly ExecutionRecord[] {
    const records = [...this.#byId.values()].sort(newestFirst);
    const oldestMs = this.#clock() - LIFE_MS;
    let steps = 0;
    const firstGone = records.findIndex((record, at) => {
      steps += record.steps.length;
      return at >= this.#max || record.startedAt < oldestMs || steps > MAX_STEPS;
    });
    if (firstGone === -1) return records;
    for (const record of records.splice(firstGone).reverse()) this.#forget(record);
    return records;
  }

  #forget(record: ExecutionRecord): void {
    this.#byId.delete(record.id);
    this.#stepCount -= record.steps.length;
    this.#droppedSince = Math.max(this.#droppedSince, record.startedAt);
    for (const id of record.transactionIds) {
      if (this.#byTransaction.get(id) === record) this.#byTransaction.delete(id);
    }
    for (const id of record.oktaRequestIds) {
      if (this.#byRequest.get(id) !== record) continue;
      this.#byRequest.delete(id);
      // A gateway has read this call, whatever Okta reports of it later.
      this.#gone.set(unreadId(id), true);
    }
    this.#gone.set(record.id, true);
  }
}

/** A total order, so that each page continues where the one before it ended. */
export function newestFirst(one: ExecutionRecord, other: ExecutionRecord): number {
  return other.startedAt - one.startedAt || (one.id < other.id ? 1 : -1);
}

/** The id of an execution whose call no gateway has read. It is not one of Okta's event ids. */
function unreadId(of: string): string {
  return `unread-${of}`;
}

function idOf(event: HookEvent): string | undefined {
  return 'eventId' in event ? event.eventId : undefined;
}

type MutableTally = { -readonly [Name in keyof ChannelTally]: ChannelTally[Name] };

function emptyTally(channel: string): MutableTally {
  return { channel, accepted: 0, refused: 0, blocked: 0, unknown: 0, delivered: 0, undelivered: 0, used: 0 };
}
