import type { ReceiptState } from './receipt.js';

/** The State port: what must be remembered between hook calls, whoever keeps it. */

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
  readonly nowMs: number;
  readonly rememberMs: number;
  /** The first of its kind takes a point of each, or of none where one has none left; a repeat takes none. */
  readonly buckets: readonly Bucket[];
}

/** What a claim of an event found. */
export type Claim =
  | {
      readonly isFirst: true;
      /** The keys of the buckets that had no point left. */
      readonly exceeded: readonly string[];
      /** Keeps the answer for repeats of the event. */
      settle(answer: RememberedAnswer): void;
      /** Nothing was sent and nothing is remembered: the next one is the first, and the points are given back. */
      release(): void;
    }
  | {
      readonly isFirst: false;
      /** The first one's answer, once it has one; `undefined` if it released its claim. */
      readonly answer: Promise<RememberedAnswer | undefined>;
    };

/** What must be remembered between hook calls. `memoryState()` keeps it in the process. */
export interface State extends ReceiptState {
  /**
   * Claims an event, so that of several calls with one key one sends and the others wait for its answer, and takes
   * its points in the same step. Without a key nothing is a repeat: only the points are taken. A promise where
   * somebody else must be asked.
   */
  claim(key: string | undefined, life: EventLife): Claim | Promise<Claim>;
  /** Resolves when it can be reached; rejects with the reason. For `ready()`. */
  check(): Promise<void>;
  /** For `status()`. */
  readonly health: 'ok' | 'lost';
  close(): Promise<void>;
}
