import type { HistoryState } from '../core/history.js';
import type { State } from '../core/state.js';
import type { RecordState } from './records.js';
import type { Suppression } from './suppressions.js';

/** What a state has to do, for hooks. Types only. */

/** What a state keeps of an answer for the repeats of its call: the `Decision` of `okta/hook-answer.ts`. Plain data, as JSON carries it. */
export type RememberedAnswer = Readonly<Record<string, unknown>>;

/** One limit as it applies to one request: a number of points in a number of seconds. */
export interface Bucket {
  /** The user id may be read from it, but no number and no login. */
  readonly key: string;
  readonly points: number;
  readonly seconds: number;
}

/** An event that takes its place in the order of its person's codes. */
export interface OrderedEvent {
  readonly person: string;
  readonly eventKey: string;
  /** An event of Okta's preview page supersedes nothing: it is kept beside the newest event. */
  readonly isPreview: boolean;
  /** How long its code lives, milliseconds. */
  readonly lifeMs: number;
  /** Whether it supersedes older codes although a limit is exceeded. */
  readonly passesLimits: boolean;
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
  /** Its place among the codes of its person; `undefined` if it supersedes none. */
  readonly order?: OrderedEvent | undefined;
  /** How long the caller waits for the claim, milliseconds: within this time it may be tried again. Default: 0. */
  readonly waitMs?: number | undefined;
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
      /**
       * Whether the event is the newest of its person now. It keeps the place of its first claim, also after a
       * release. `undefined` if the state did not take its place with the claim: then `overtake` does.
       */
      readonly isNewest?: boolean | undefined;
      /** Keeps the answer for repeats of the event. */
      settle(answer: RememberedAnswer): void;
      /**
       * Forgets the event, except for its place, and gives the points back: nothing was sent, and the next call is
       * the first.
       */
      release(): void;
    }
  | {
      readonly isFirst: false;
      /** Rejects with the reason if the answer cannot be known. */
      readonly answer: AnswerOfFirst;
      /** How long ago the first claim came, milliseconds, if the state knows it and has no answer yet. Default: 0. */
      readonly ageMs?: number | undefined;
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
export interface StatePort extends State, OrderState, RecordState, HistoryState {
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

/** An event of a person that supersedes older ones. */
export interface NewEvent {
  readonly eventKey: string;
  /** An event of Okta's preview page supersedes nothing: it is kept beside the newest event. */
  readonly isPreview: boolean;
  readonly nowMs: number;
  /**
   * How long ago its call came in, milliseconds. An event that came before a known one is not the newest.
   * Default: 0.
   */
  readonly ageMs?: number | undefined;
  /** The event right before it. If that one is the newest, this one supersedes it, however old it is. */
  readonly after?: string | undefined;
  /** When its code ends. The event may be forgotten then. */
  readonly untilMs: number;
}

/** The part of `State` that late failover needs. `nowMs` is by this process's steady clock. */
export interface OrderState {
  /**
   * Makes an event the newest of its person, if no claim has done so: older ones are not sent late any more.
   */
  overtake(person: string, event: NewEvent): void;
  /**
   * Whether an event is its person's newest. With `'unknown'` (the state is lost, or has forgotten the person)
   * nothing is sent late, but a running call goes on.
   */
  isNewest(
    person: string,
    eventKey: string,
    nowMs: number,
  ): boolean | 'unknown' | Promise<boolean | 'unknown'>;
  /**
   * Whether other processes see what this one keeps. If not, a report without a receipt may be about a message
   * of another process.
   */
  readonly isShared?: boolean | undefined;
  /** Alarms let one process go on with what another one waited for. */
  readonly alarms?: Alarms | undefined;
}

/** An alarm fires in one of the processes that are running then. The process that sets an alarm also has its own timer. */
export interface Alarms {
  /** Fires once for a message, milliseconds from now. */
  set(messageKey: string, dueInMs: number): void;
  /**
   * Adds a listener. Each alarm goes to one listener of all processes, and is lost if that process dies then.
   * Returns a function that removes the listener.
   */
  onDue(listener: (messageKey: string) => void): (() => void) | undefined;
}
