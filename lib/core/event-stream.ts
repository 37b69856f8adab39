import { channel } from 'node:diagnostics_channel';
import type {
  Counted,
  EmittedEvent,
  Extension,
  HookEvent,
  HookEventListener,
  HookEventOf,
  OfCall,
} from './events.js';
import { maskError, type PersonalData } from './masking.js';

const ONE_MINUTE_MS = 60_000;

/** Every event of every hook in the process also goes out here, for tracing and monitoring agents. */
const DIAGNOSTICS = channel('okta-telephony-hook:event');

/** An event that says how many times something happened since the last event about it. */
export type CountedEvent = Extract<EmittedEvent, Counted>;

/** A failure of what the user has given the hook, such as a function or a channel. */
type ExtensionFailure = Pick<HookEventOf<'extension.failed'>, 'extension' | 'reason' | 'percentages'> & {
  /** The call in which it failed, or whose message it was about, as far as that is known. */
  readonly call: Partial<OfCall> | undefined;
};

/** What may happen often, such as rejected callers, and is reported at most once a minute. */
interface Subject {
  /** How many times it happened since the last report. */
  count: number;
  /** When it was last reported. */
  reportedMs: number;
  /** The event of the first time since then. */
  waiting: CountedEvent | undefined;
  /** Reports it. */
  timer: NodeJS.Timeout | undefined;
}

/** The one stream of events. Log, metrics, history and the user's `onEvent` listen to it. */
export class EventStream {
  #listeners: readonly HookEventListener[];
  #hasStepListeners: boolean;
  readonly #clock: () => number;
  /** By name. The names are few. */
  readonly #subjects = new Map<string, Subject>();
  #isClosed = false;

  constructor(
    parts: {
      /** It gets every event, but writes nothing for the steps of a call: the line of the call has their facts. */
      readonly log?: HookEventListener | undefined;
      /** The package's own listeners, which do not change an event. */
      readonly listeners: readonly HookEventListener[];
      /** The user's listener, which may change its event, so it gets a copy. */
      readonly onEvent: HookEventListener | undefined;
    },
    /** The hook's clock, which never throws. */
    clock: () => number,
  ) {
    const { log, listeners, onEvent } = parts;
    const others =
      onEvent === undefined ? listeners : [...listeners, (event: HookEvent) => onEvent({ ...event })];
    this.#listeners = log === undefined ? others : [log, ...others];
    this.#hasStepListeners = others.length > 0;
    this.#clock = clock;
  }

  /** Whether a listener uses the steps of a call. If not, the caller need not make these events. */
  get hasStepListeners(): boolean {
    return this.#hasStepListeners || DIAGNOSTICS.hasSubscribers;
  }

  /** Adds a listener of the package. */
  listen(listener: HookEventListener): void {
    this.#hasStepListeners = true;
    this.#listeners = [...this.#listeners, listener];
  }

  /** @param emitted - a new object: the time is set on it, which costs a third of a copy. */
  emit(emitted: EmittedEvent): void {
    const event: HookEvent = Object.assign(emitted, { at: this.#clock() });
    for (const listener of this.#listeners) {
      // A listener's error must not reach the caller.
      try {
        const returned = listener(event);
        if (returned instanceof Promise) returned.catch(() => undefined);
      } catch {
        continue;
      }
    }
    // A subscriber may change its event, so it gets a copy. Node catches its error, and raises it outside of this call.
    if (DIAGNOSTICS.hasSubscribers) DIAGNOSTICS.publish({ ...event });
  }

  /**
   * Emits the first event about a subject at once, and one for all that follow within a minute at its end or when the
   * stream is closed. However many follow, they cost one timer and one event.
   *
   * @param makeEvent - gets how many times it happened since the last event, and whether the event comes at the end of the
   *   minute: what holds only now must not be in it then.
   */
  emitCounted(name: string, makeEvent: (count: number, isLater: boolean) => CountedEvent): void {
    let subject = this.#subjects.get(name);
    if (subject === undefined) {
      subject = { count: 0, reportedMs: -Infinity, waiting: undefined, timer: undefined };
      this.#subjects.set(name, subject);
    }
    subject.count += 1;
    const leftMs = remainingOfMinuteMs(subject.reportedMs, this.#clock());
    if (leftMs === 0) {
      this.#report(subject, makeEvent(subject.count, false));
    } else if (subject.waiting === undefined && !this.#isClosed) {
      // Made now: what it is made of, such as a call, need not be kept.
      subject.waiting = makeEvent(1, true);
      subject.timer = setTimeout(() => {
        this.#reportWaiting(subject);
      }, leftMs).unref();
    }
  }

  /**
   * Emits that an extension failed, counted by the subject.
   *
   * @param subject - what fails alike. Default: the extension.
   */
  emitFailed({ extension, reason, percentages, call }: ExtensionFailure, subject: string = extension): void {
    this.emitCounted(`failed ${subject}`, (count, isLater) => {
      // An event that comes later is about many calls: it is no step of one, and other percentages may be in force by then.
      const of = isLater ? undefined : call;
      return {
        type: 'extension.failed',
        eventId: of?.eventId,
        oktaRequestId: of?.oktaRequestId,
        userId: of?.userId,
        extension,
        remedy: EXTENSION_REMEDIES[extension],
        count,
        reason,
        percentages: isLater ? undefined : percentages,
      };
    });
  }

  /**
   * Emits that an extension has thrown: `emitFailed` with the masked message of its error.
   *
   * @param thrown.personal - what the extension knows of the person; `undefined` outside of a call.
   */
  emitThrown({
    error,
    personal,
    ...failure
  }: Omit<ExtensionFailure, 'reason'> & {
    readonly error: unknown;
    readonly personal: PersonalData | undefined;
  }): void {
    this.emitFailed({ ...failure, reason: maskError(error, personal) });
  }

  /** Emits what waits for the end of its minute. From now on the stream starts no timer. */
  close(): void {
    this.#isClosed = true;
    for (const subject of this.#subjects.values()) this.#reportWaiting(subject);
  }

  #reportWaiting(subject: Subject): void {
    const { waiting, count } = subject;
    if (waiting !== undefined) this.#report(subject, { ...waiting, count });
  }

  #report(subject: Subject, event: CountedEvent): void {
    clearTimeout(subject.timer);
    Object.assign(subject, { count: 0, reportedMs: this.#clock(), waiting: undefined, timer: undefined });
    this.emit(event);
  }
}

/** How much of a minute is left that began at `beganMs`, milliseconds; 0 if it is over. */
export function remainingOfMinuteMs(beganMs: number, nowMs: number): number {
  const sinceMs = nowMs - beganMs;
  // A clock that was set back must not silence the reports.
  return sinceMs >= 0 && sinceMs < ONE_MINUTE_MS ? ONE_MINUTE_MS - sinceMs : 0;
}

const FIX_THE_FUNCTION = (name: string): string =>
  `Fix the option ${name}: it threw, took too long or returned an invalid value; see the reason.`;

/** What an operator can do, by what failed. */
export const EXTENSION_REMEDIES: Readonly<Record<Extension, string>> = {
  chooseChannels: FIX_THE_FUNCTION('chooseChannels'),
  composeText: FIX_THE_FUNCTION('composeText'),
  rollout: FIX_THE_FUNCTION('rollout'),
  'guard.assess': FIX_THE_FUNCTION('guard.assess'),
  state:
    'Follow the remedy of state.lost, if it was reported. Else see that the process is not too busy to hear of its state in time, and that all gateways have the same encryptionKeys.',
  lateFailover:
    'Fix the channel that the reason is about: what it says of its deliveries could not be followed.',
  channel:
    "Fix the channel that the reason names: send resolves to { status: 'accepted', transactionId }, { status: 'refused', code, reason } or { status: 'unknown', reason }, and context.http takes { url, method?, headers?, json | form | body? }.",
  lookUp: 'Fix the lookUp of the channel that the reason names, or see that its provider may be asked.',
  receive: 'Fix the receive of the channel that the reason names. What was answered with 500 comes again.',
  inbound: 'Fix inbound.onMessage: it threw or took too long, and the sender got no reply of it.',
  authorize:
    "Fix the console's authorize: true, { administrator: name } or false within 5 s, and waiting for nothing but your own session.",
};
