import type { HookEventFields } from '../core/events.js';
import type { State } from '../core/state.js';
import type { AnswerOfFirst, LocalClaims, RememberedAnswer } from './local-claims.js';
import type { LocalOrder, Place, PlacedEvent } from './order.js';
import type { LearningState } from './learning.js';
import type { RecordName, RecordState } from './records.js';

/** What a state has to do, for hooks. Types only. */

/** One limit as it applies to one request: a number of points in a number of seconds. */
export interface Bucket {
  /** The user id may be read from it, but no number and no login. */
  readonly key: string;
  readonly points: number;
  readonly seconds: number;
}

/** What a claim needs to know about its event. */
export interface EventClaim {
  /** Different from the keys of all other events; random if no repeat can have the event. */
  readonly key: string;
  /** `false` if no repeat can have the event: its answer need not be kept. */
  readonly isRepeatable: boolean;
  /** Whose codes it is ordered among, as `personKey` makes it; `undefined` if it is no code. */
  readonly person: string | undefined;
  /** A preview takes a place, but supersedes nothing. */
  readonly isPreview: boolean;
  /** Whether it supersedes older codes: never, if no limit is exceeded, or always. */
  readonly passes: 'never' | 'withinLimits' | 'always';
  /** When its code was requested, by Okta's clock, milliseconds since 1970. */
  readonly requestedAtMs: number;
  /** By the hook's clock, milliseconds since 1970. Only the windows of the limits use it. */
  readonly nowMs: number;
  /** How long the event is remembered from now on, milliseconds, whatever the wall clock does. */
  readonly rememberMs: number;
  /** How long its code lives, milliseconds: its place is known as long. */
  readonly lifeMs: number;
  /** The first call takes one point of each; of none if one has no point left. A repeat takes no point. */
  readonly limits: readonly Bucket[];
  /** The records that are read in the same step, for `recall`. */
  readonly reads: readonly RecordName[];
  /** How long the caller waits for the claim, milliseconds: within this time it may be tried again. */
  readonly waitMs: number;
}

/** The claim of an event's first call. */
export interface FirstClaim {
  readonly isFirst: true;
  /** Its place among the codes of its person, which it keeps, also after a release. */
  readonly place: Place;
  /**
   * Whether no newer code of the person has passed; `'unknown'` if the process decided alone, or if the state
   * cannot say.
   */
  readonly isCurrent: boolean | 'unknown';
  /** The keys of the limits without a point left. */
  readonly exceeded: readonly string[];
  /** Whether the claim has read its `reads`: `recall` says what all gateways know of them. */
  readonly hasRead: boolean;
  /** Keeps the answer for repeats of the event. */
  settle(answer: RememberedAnswer): void;
  /**
   * Forgets the event, except for its place, and gives the points back: nothing was sent, and the next call is
   * the first.
   */
  release(): void;
}

/** The result of a claim. */
export type Claim =
  | FirstClaim
  | {
      readonly isFirst: false;
      readonly answer: AnswerOfFirst;
      /** How long ago the first claim came, milliseconds, if the state knows it and has no answer yet. Default: 0. */
      readonly ageMs?: number | undefined;
    };

/** News of a shared state that are events of the hook, without `state.`. */
type ReportedNews = 'lost' | 'recovered' | 'warned';

/** What happens to a shared state. `unreadable`: a gateway of another version kept a record or an answer, which counts as absent. */
export type StateEvent =
  | { readonly type: 'unreadable' }
  | { [Type in ReportedNews]: { readonly type: Type } & HookEventFields[`state.${Type}`] }[ReportedNews];

/**
 * The port of a state, which remembers what calls have in common. `memoryState()` keeps it in the process,
 * `redisState()` shares it among gateways. No method throws or rejects, except for `check`; a call that waits says how long.
 */
export interface StatePort extends State, RecordState {
  /** Whether other processes see what this one keeps. */
  readonly isShared?: boolean | undefined;
  /**
   * Claims an event: of several calls with one key one sends, and the others wait for its answer. It takes the points
   * and its place among the codes of its person in the same step. Only `claimEvent` calls it, which finds repeats of this process itself.
   */
  claim(event: EventClaim): Claim | Promise<Claim>;
  /**
   * Whether a code is still its person's newest. With `'unknown'` (the state is lost, or has forgotten the person) nothing
   * is sent late, but a running call goes on.
   */
  isCurrent(person: string, event: PlacedEvent): boolean | 'unknown' | Promise<boolean | 'unknown'>;
  /** A user has used a code, by Okta's clock: if the newest one was requested before, none is current any more. */
  useCode(person: string, usedAtMs: number): void;
  /** The part that is in this process alone, whatever happens to the state. All hooks that use the state share it. */
  readonly local: { readonly claims: LocalClaims; readonly order: LocalOrder };
  /** The counts of the guard that learns. */
  readonly learning: LearningState;
  /** Alarms let one process go on with what another one waited for. */
  readonly alarms?: Alarms | undefined;
  /** Missing if each process keeps its own history. */
  readonly history?: HistoryLog | undefined;
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

/** The log by which gateways share their events: sealed batches, of which the oldest are dropped. */
export interface HistoryLog {
  /** Adds a batch, a text of up to some 100 KB. Rejects if it failed, or the outcome is unknown. */
  append(batch: string): Promise<void>;
  /** Reads the batches after a cursor, or from the oldest on. Rejects if the log cannot be read. */
  read(after: string | undefined, max: number): Promise<HistoryPage>;
}

/** The batches of one read. */
export interface HistoryPage {
  /** The batches that could be opened. */
  readonly batches: readonly string[];
  /** The cursor of the next read; `undefined` if the log was always empty. */
  readonly cursor: string | undefined;
  readonly hasMore: boolean;
}
