import type { HistoryState } from '../core/history.js';
import type { State } from '../core/state.js';
import type { ReceiptState } from './late/receipt.js';
import type { SentCodeState } from './late/sent-codes.js';
import type { Suppression, SuppressionState } from './suppressions.js';

/** The answer to a call, kept for its repeats. It holds nothing personal. */
export type RememberedAnswer = Readonly<Record<string, unknown>>;

/** One limit as it applies to one request: a number of points in a number of seconds. */
export interface Bucket {
  /** A digest: no number or login can be read from it. */
  readonly key: string;
  readonly points: number;
  readonly seconds: number;
}

/** What a claim needs to know about its event. */
export interface EventLife {
  /** By the hook's clock, milliseconds since 1970. Only the windows of the limits use it. */
  readonly nowMs: number;
  /** How long the event is remembered from now on, milliseconds, whatever the wall clock does. */
  readonly rememberMs: number;
  /** The first call takes one point of each; of none if one has no point left. A repeat takes no point. */
  readonly buckets: readonly Bucket[];
  /**
   * The number that the code goes to, to read its suppressions in the same step; `undefined` if they are not
   * needed.
   */
  readonly recipient?: string | undefined;
}

/**
 * The answer of the first call; `undefined` if it released its claim; `'lost'` if the answer is not known: the
 * first call may have sent the code.
 */
export type AnswerOfFirst = Promise<RememberedAnswer | 'lost' | undefined>;

/** The result of a claim. */
export type Claim =
  | {
      readonly isFirst: true;
      /** The keys of the buckets without a point left. */
      readonly exceeded: readonly string[];
      /** The recipient's suppressions that gateways share; `undefined` if the state cannot say. */
      readonly suppressions?: readonly Suppression[] | undefined;
      /** Keeps the answer for repeats of the event. @param answer - a `RememberedAnswer` as JSON. */
      settle(answer: string): void;
      /** Forgets the event and gives the points back: nothing was sent, and the next call is the first. */
      release(): void;
    }
  | {
      readonly isFirst: false;
      /** Rejects with the reason if the answer cannot be known. */
      readonly answer: AnswerOfFirst;
    };

/** What happens to a shared state, for operators. */
export type StateEvent =
  | {
      /** It cannot be reached. Until it is back, this process remembers and counts alone. */
      readonly type: 'lost';
      /** A word such as `ECONNREFUSED`, `READONLY` or `TIMEOUT`, without an address or a credential. */
      readonly reason: string;
      /** What an operator can do about it. */
      readonly remedy: string;
    }
  | {
      /** It can be reached again. */
      readonly type: 'recovered';
      /** Why it had been lost. */
      readonly reason: string;
      readonly lostMs: number;
    }
  | {
      /** It works, but not as it should. */
      readonly type: 'warned';
      readonly reason: string;
      readonly remedy: string;
    };

/**
 * The port of a state, which remembers what calls have in common. `memoryState()` keeps it in the process,
 * `redisState()` shares it among gateways. Hook calls use it through `GuardedState`.
 */
export interface StatePort extends State, ReceiptState, SentCodeState, SuppressionState, HistoryState {
  /**
   * Claims an event: of several calls with one key one sends, and the others wait for its answer. It takes the
   * points in the same step. Without a key it only takes the points. A hook claims an event once: its own
   * repeats wait without asking the state.
   */
  claim(key: string | undefined, life: EventLife): Claim | Promise<Claim>;
  /** For `ready()`: resolves if the state can be reached, else rejects with the reason. */
  check(): Promise<void>;
  /** For `status()`. */
  readonly health: 'ok' | 'lost';
  /**
   * Calls the listener for each event from now on, and at once if the state is lost. Returns a function that
   * removes the listener.
   */
  readonly watch?: ((onEvent: (event: StateEvent) => void) => (() => void) | undefined) | undefined;
  /**
   * Closes its connections and is `lost` from then on; what is in this process alone goes on. Called once, when
   * the last hook that uses it is closed. No other hook can use it after that.
   */
  close(): Promise<void>;
}
