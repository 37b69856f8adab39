import type { HistoryState } from '../core/history.js';
import type { State } from '../core/state.js';
import type { ReceiptState } from './late/receipt.js';
import type { SentCodeState } from './late/sent-codes.js';
import type { Suppression, SuppressionState } from './suppressions.js';

/** The answer that Okta was given, kept to be given again. It holds nothing personal. */
export type RememberedAnswer = Readonly<Record<string, unknown>>;

/** One limit as it applies to one request: so many points in so many seconds. */
export interface Bucket {
  /** A digest: no number or login can be read from it. */
  readonly key: string;
  readonly points: number;
  readonly seconds: number;
}

/** What a claim is told of the event. */
export interface EventLife {
  /** By the hook's clock, milliseconds since 1970: for the windows of the limits alone. */
  readonly nowMs: number;
  /** How long from now the event is known, whatever the wall clock does meanwhile. */
  readonly rememberMs: number;
  /** The first of its kind takes a point of each, or of none where one has none left; a repeat takes none. */
  readonly buckets: readonly Bucket[];
  /** The number that the code goes to, to be told its suppressions in the same step; not there where nobody asks. */
  readonly recipient?: string | undefined;
}

/**
 * The first one's answer, once it has one; `undefined` if it released its claim; `'lost'` if it cannot be known: the first one
 * may have sent the code.
 */
export type AnswerOfFirst = Promise<RememberedAnswer | 'lost' | undefined>;

/** What a claim of an event found. */
export type Claim =
  | {
      readonly isFirst: true;
      /** The keys of the buckets that had no point left. */
      readonly exceeded: readonly string[];
      /** Those of the recipient that gateways share; not there where nobody can say. */
      readonly suppressions?: readonly Suppression[] | undefined;
      /** Keeps the answer for repeats of the event. @param text - the same as JSON, where it is there already. */
      settle(answer: RememberedAnswer, text?: string): void;
      /** Nothing was sent and nothing is remembered: the next one is the first, and the points are given back. */
      release(): void;
    }
  | {
      readonly isFirst: false;
      /** Rejects where it cannot be known, with the reason. */
      readonly answer: AnswerOfFirst;
    };

/** What an operator must know of a state that gateways share. */
export type StateEvent =
  | {
      /** It cannot be reached: until it is back, this process remembers and counts by itself. */
      readonly type: 'lost';
      /** A word such as `ECONNREFUSED`, `READONLY` or `TIMEOUT`: nothing of an address or a credential. */
      readonly reason: string;
      /** What an operator can do about it. */
      readonly remedy: string;
    }
  | {
      /** It is shared again. */
      readonly type: 'recovered';
      /** Why it had been lost. */
      readonly reason: string;
      readonly lostMs: number;
    }
  | {
      /** It works, but not as well as it could. */
      readonly type: 'warned';
      readonly reason: string;
      readonly remedy: string;
    };

/**
 * The port of a state: what must be remembered between hook calls. `memoryState()` keeps it in the process, `redisState()` for
 * many. Hook calls use it through `GuardedState`.
 */
export interface StatePort extends State, ReceiptState, SentCodeState, SuppressionState, HistoryState {
  /**
   * Claims an event, so that of several calls with one key one sends and the others wait for its answer, and takes
   * its points in the same step. Without a key nothing is a repeat: only the points are taken. A promise where
   * somebody else must be asked. A hook asks once for an event: its own repeats wait without asking.
   */
  claim(key: string | undefined, life: EventLife): Claim | Promise<Claim>;
  /** Resolves when it can be reached; rejects with the reason. For `ready()`. */
  check(): Promise<void>;
  /** For `status()`. */
  readonly health: 'ok' | 'lost';
  /** Tells what happens to it from now on, at once and once each, and that it is lost where it is. Gives what ends that. */
  readonly watch?: ((onNews: (news: StateEvent) => void) => (() => void) | undefined) | undefined;
  /**
   * Lets go of what it holds outside this process, and is `lost` from then on; what is in this process alone goes on. Asked once,
   * when the last hook that has it is closed: it is given to no other hook after that.
   */
  close(): Promise<void>;
}
