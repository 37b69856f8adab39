import type { HookEvent } from './events.js';

/** What became of hook calls, to be looked at later: the ports of the execution history. */

/** What Okta's request id begins with in a call that the console's tester makes. */
export const TESTER_PREFIX = 'tester-';

/**
 * What is known of a call's code by now. `running`: not answered yet. `sent`: a provider accepted it. `delivered`,
 * `undelivered`: the provider said so later. `used`: the user signed in by it. `pending`: it may have gone out, nobody
 * knows. `blocked`: held back by the guard or a fraud filter. `failed`: nothing went out.
 */
export type ExecutionOutcome =
  'running' | 'sent' | 'delivered' | 'undelivered' | 'used' | 'pending' | 'blocked' | 'failed';

/** One event of Okta's, and all that was done for it: its first call, its repeats, and what came after the answer. */
export interface ExecutionSummary {
  /** Okta's `eventId`. */
  readonly id: string;
  /** When it came, milliseconds since 1970. */
  readonly startedAt: number;
  readonly oktaRequestId: string | undefined;
  readonly userId: string | undefined;
  readonly requestType: string | undefined;
  /** Asked for by Okta. */
  readonly deliveryChannel: 'sms' | 'voice' | undefined;
  /** The last two digits. */
  readonly to: string;
  /** Made by Okta's own preview or by the console's tester, not by a sign-in. */
  readonly isPreview: boolean;
  /** Made by the console's tester. */
  readonly isTest: boolean;
  readonly outcome: ExecutionOutcome;
  /** By which it went out last, or was last tried. */
  readonly channel: string | undefined;
  readonly provider: string | undefined;
  /** Why nothing went out, did not arrive, or is not known to have: a provider's code or one of ours. */
  readonly code: string | undefined;
  /** From the request to the answer; `undefined` while it runs. */
  readonly durationMs: number | undefined;
  /** How often the same event came again. */
  readonly repeats: number;
}

/** One of them, opened: every event that was told of it, oldest first. */
export interface Execution extends ExecutionSummary {
  readonly steps: readonly HookEvent[];
  /** So many more there were, most of them of repeats: the newest are not kept where there are hundreds. */
  readonly omittedSteps: number;
}

/** What is looked for; everything that is given must fit. */
export interface ExecutionQuery {
  /** In the event id, Okta's request id, the user id, a transaction id or a code; upper and lower case are the same. */
  readonly search?: string | undefined;
  /** Asked for, tried, or sent by. */
  readonly channel?: string | undefined;
  readonly outcome?: ExecutionOutcome | undefined;
  /** Goes on after this execution, towards the older ones. */
  readonly before?: string | undefined;
  /** How many at most. */
  readonly limit: number;
}

/** What became of the codes of one channel, lately. */
export interface ChannelTally {
  readonly channel: string;
  readonly accepted: number;
  readonly refused: number;
  readonly unknown: number;
  readonly delivered: number;
  readonly undelivered: number;
  readonly used: number;
}

/** The last executions, of all gateways that share a state that keeps them. */
export interface History {
  /** Newest first. With a shared state it has asked it for what is new. */
  find(query: ExecutionQuery): Promise<{
    readonly executions: readonly ExecutionSummary[];
    /** How many fit, as far as they are kept. */
    readonly total: number;
    /** For the next question's `before`; `undefined` where there are no more. */
    readonly next: string | undefined;
  }>;
  open(id: string): Promise<Execution | undefined>;
  /** By channel, of executions that began since. Previews and tests are left out. */
  tally(sinceMs: number): Promise<readonly ChannelTally[]>;
  /**
   * Tells of what begins or changes from now on, those of other gateways too, a few times a second. Returns what ends
   * it; while nobody watches, other gateways are not asked.
   */
  watch(onChanged: (changed: readonly ExecutionSummary[]) => void): () => void;
  /** Whether other gateways' are here, too. */
  readonly isShared: boolean;
}

/** Where gateways put what happened for each other: a log of sealed batches that forgets its oldest. */
export interface HistoryLog {
  /** Adds a batch, a text of up to some 100 KB. Rejects where it cannot be kept, or nobody knows. */
  append(batch: string): Promise<void>;
  /** Those after a cursor, oldest first; without one, from the oldest on. Rejects where it cannot be asked. */
  read(after: string | undefined, max: number): Promise<HistoryPage>;
}

/** What was read at once. */
export interface HistoryPage {
  /** Those that could be read. */
  readonly batches: readonly string[];
  /** For the next question; `undefined` where there never was anything. */
  readonly cursor: string | undefined;
  readonly hasMore: boolean;
}

/** The part of a state that keeps the history. */
export interface HistoryState {
  /** Not there where each process keeps its own. */
  readonly history?: HistoryLog | undefined;
}
