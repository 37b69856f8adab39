import type { Extension } from './extensions.js';

/** `open`: the host is given up for a while. `half-open`: one real call is trying it again. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** One attempt at one channel, as it is told. */
export interface AttemptReport {
  readonly channel: string;
  readonly provider: string;
  readonly outcome: 'accepted' | 'refused' | 'unknown';
  /** The provider's code, or one of ours (`UNREACHABLE`, `BREAKER_OPEN`, `HTTP_400`). */
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  /** What an operator can do about a refusal. */
  readonly remedy?: string | undefined;
  readonly transactionId?: string | undefined;
  readonly durationMs: number;
}

/** An option that works, but not as well as it could. */
export type WarnedOption =
  /** Without it nobody hears of WhatsApp messages that fail after Twilio has accepted them. */
  | 'publicUrl'
  /** It does not end with `path`: unless a proxy rewrites paths, Twilio's callbacks do not reach the hook. */
  | 'publicUrl.path'
  /** A channel of the user's own that no user can choose. */
  | 'channels'
  /** It names a channel that does not tell what was delivered. */
  | 'lateFailover.afterSeconds'
  /** A secret or a password of it has less than 16 characters. */
  | 'credentials.hook'
  | 'credentials.eventHook'
  /** These are no SIDs as Twilio makes them: two letters and 32 hexadecimal digits. */
  | 'credentials.twilio.accountSid'
  | 'credentials.twilio.apiKeySid'
  | 'sandboxNumber.contentSid'
  | 'senders.whatsapp.templates'
  /** Filled in, these do not fit one segment of 160 characters: they are sent, and paid, as more, or as UCS-2. */
  | 'texts.sms'
  /** No voice of Twilio's that is known here speaks the language of these. */
  | 'texts.voice';

/** One of them, and which parts of it are meant. */
export interface OptionWarning {
  readonly option: WarnedOption;
  /** Paths, such as `credentials.hook.secrets[1] (header)` or `lateFailover.afterSeconds.sms`; never a value. */
  readonly where: readonly string[];
  /** What it should be, where that is known. */
  readonly remedy?: string | undefined;
}

/** The part of the guard that a request broke, by its option's name; `numberType` has none. */
export type GuardRule = 'perUser' | 'perNumber' | 'perIp' | 'country' | 'numberType';

/** One rule of the guard that a request broke. */
export interface BrokenRule {
  readonly rule: GuardRule;
  /** What the answer, and `request.answered`, say. */
  readonly code: string;
  /** What an operator can do about it. */
  readonly remedy: string;
  /** Those of the limit; `undefined` where the rule is none. */
  readonly points: number | undefined;
  readonly seconds: number | undefined;
}

/** What every event about one hook call carries. */
interface OfCall {
  /** Okta's `eventId`. */
  readonly eventId: string;
  /** Okta's transaction id, as the System Log has it. */
  readonly oktaRequestId: string | undefined;
}

/**
 * What happened, one event per step, in order. No event holds a code, a number (but for its last two digits),
 * a login, a name or a secret.
 */
export type HookEvent = { /** Milliseconds since 1970. */ readonly at: number } & (
  | ({
      /** Told once for each such option, when the hook is made. */ readonly type: 'configuration.warned';
    } & OptionWarning)
  | {
      /** A proven, well-formed request has come in. */
      readonly type: 'request.received';
      readonly eventId: string;
      readonly oktaRequestId: string | undefined;
      readonly requestType: string | undefined;
      readonly deliveryChannel: 'sms' | 'voice';
      readonly userId: string | undefined;
      /** The last two digits. */
      readonly to: string;
      readonly isPreview: boolean;
    }
  | ({ /** The same event again: answered as the first. */ readonly type: 'request.repeated' } & OfCall)
  | {
      /** Callers that could not prove to be Okta: the first at once, then at most once a minute. */
      readonly type: 'caller.rejected';
      /** How many since it was last told. */
      readonly count: number;
      readonly reason: string;
      /** Which of Okta's hooks it called as. */
      readonly hook: 'inline' | 'event';
      /** What a caller can prove itself by here. */
      readonly schemes: readonly ('header' | 'basic' | 'oauth2')[];
    }
  | {
      /**
       * Answered with a status other than 200, or by 200 although something failed after the code was out; what an
       * unproven caller can cause, at most once a minute.
       */
      readonly type: 'request.rejected';
      /** How many since it was last told. */
      readonly count: number;
      readonly status: number;
      readonly code: string;
      readonly fields: readonly string[];
      /** What lies behind it, where the code alone does not tell. */
      readonly reason: string | undefined;
    }
  | {
      /** Okta's clock and ours differ by more than 30 s; at most once a minute. */
      readonly type: 'clock.skewed';
      /** Ours minus Okta's. */
      readonly skewMs: number;
    }
  | ({
      /**
       * The guard held a code back; in mode `record` it would have, and the code goes out. `rule`, `code`, `remedy`,
       * `points` and `seconds` are those of the first rule that was broken, for which the code is held back.
       */
      readonly type: 'guard.blocked';
      readonly mode: 'enforce' | 'record';
      /** ISO 3166, where the number's is known. */
      readonly country: string | undefined;
      /** `true` where not the enrolled number broke them but the profile's: no code was held back, it goes to the enrolled one. */
      readonly isOtherNumber?: boolean | undefined;
      /** All that were broken, the first one included. */
      readonly rules: readonly BrokenRule[];
      readonly requestType: string | undefined;
      readonly userId: string | undefined;
      /** The last two digits. */
      readonly to: string;
      readonly isPreview: boolean;
    } & BrokenRule &
      OfCall)
  | ({
      readonly type: 'profile.read';
      readonly source: 'okta' | 'cache' | 'stale' | 'none';
      readonly reason: string | undefined;
      readonly durationMs: number;
    } & OfCall)
  | {
      /** Okta's Users API is not asked for a while, to leave the org its rate limit. */
      readonly type: 'okta.paused';
      readonly reason: 'LOW' | 'RATE_LIMITED';
      readonly untilMs: number;
    }
  | ({
      readonly type: 'channels.planned';
      readonly channels: readonly string[];
      readonly passedOver: readonly string[];
    } & OfCall)
  | ({ readonly type: 'attempt.ended' } & AttemptReport & OfCall)
  | ({
      /** What became of a send that was unknown when Okta was answered. */
      readonly type: 'attempt.late';
    } & AttemptReport &
      OfCall)
  | {
      /**
       * A function or an object that the user gave, or a library, failed; we went on without it. The first at once, then
       * at most once a minute by extension.
       */
      readonly type: 'extension.failed';
      /** How many since it was last told. */
      readonly count: number;
      readonly extension: Extension;
      readonly reason: string;
      /** What an operator can do about it. */
      readonly remedy: string;
      /** Of a `rollout`: those that stay in force, by channel; all others are on. */
      readonly percentages?: Readonly<Record<string, number>> | undefined;
      /** `undefined` where it failed after the call. */
      readonly eventId: string | undefined;
      readonly oktaRequestId: string | undefined;
    }
  | {
      /** The state that gateways share cannot be reached: until it is, repeats and limits count within this process. */
      readonly type: 'state.lost';
      /** A word, such as `ECONNREFUSED`, `READONLY` or `TIMEOUT`. */
      readonly reason: string;
      /** What an operator can do about it. */
      readonly remedy: string;
    }
  | {
      readonly type: 'state.recovered';
      /** Why it had been lost. */
      readonly reason: string;
      readonly lostMs: number;
    }
  | {
      /** The state works, but not as well as it could: it may forget, be shared by fewer than it should, or wake nobody. */
      readonly type: 'state.warned';
      readonly reason: string;
      readonly remedy: string;
    }
  | ({
      /** The hook call is over. */
      readonly type: 'request.answered';
      readonly status: 'SUCCESSFUL' | 'PENDING' | 'ERROR';
      /** Why nothing went out, where nothing did. */
      readonly code: string | undefined;
      /** The same in words. */
      readonly reason: string | undefined;
      /** What an operator can do about it, where that is known. */
      readonly remedy: string | undefined;
      readonly requestType: string | undefined;
      readonly deliveryChannel: 'sms' | 'voice';
      readonly userId: string | undefined;
      readonly to: string;
      /** Of the enrolled number: ISO 3166, where it is known. */
      readonly country: string | undefined;
      readonly isPreview: boolean;
      readonly isRepeat: boolean;
      /** Okta had hung up before. */
      readonly hasHungUp: boolean;
      readonly channel: string | undefined;
      readonly provider: string | undefined;
      readonly transactionId: string | undefined;
      readonly attempts: readonly AttemptReport[];
      /**
       * Channels that were planned and not tried, and why, as `whatsapp:STOPPED`: `ROLLED_BACK` by the rollout, `STOPPED` by
       * the user's own word, `OPTED_OUT` or `NOT_REACHED` by what the provider said before.
       */
      readonly passedOver: readonly string[];
      readonly profileSource: 'okta' | 'cache' | 'stale' | 'none' | undefined;
      /** Why the profile is not fresh, or not there: a code of `OktaApiError`, `TIMEOUT`, `PAUSED`, … */
      readonly profileReason: string | undefined;
      readonly profileMs: number | undefined;
      readonly durationMs: number;
      /** What was left of the budget. */
      readonly remainingMs: number;
    } & OfCall)
  | { readonly type: 'breaker.changed'; readonly host: string; readonly state: BreakerState }
  | {
      /** What Twilio's status callback, or a provider that was asked, says of a message that was accepted before. */
      readonly type: 'message.status';
      readonly channel: string;
      readonly transactionId: string;
      /** Twilio's word for it; `delivered` or `failed` where the provider was asked. */
      readonly status: string;
      readonly code: string | undefined;
      readonly reason: string | undefined;
      /** What an operator can do about a failure. */
      readonly remedy?: string | undefined;
      /** Whose message it is: not there in a callback, which does not say. */
      readonly eventId?: string | undefined;
      readonly oktaRequestId?: string | undefined;
      readonly userId?: string | undefined;
      /** The last two digits. */
      readonly to?: string | undefined;
    }
  | {
      /**
       * Twilio accepted messages, and no status callback has come since: WhatsApp messages are asked for until one
       * does. Told once, until then.
       */
      readonly type: 'callbacks.missing';
      /** So many messages in a row, the last of them 20 s old. */
      readonly count: number;
      /** What an operator can do about it. */
      readonly remedy: string;
    }
  | {
      /** Somebody wrote to a sender. */
      readonly type: 'inbound.received';
      readonly channel: 'whatsapp' | 'sms' | 'rcs';
      /** Twilio's id of the message. */
      readonly messageId: string;
      /** Whether it is a word that is understood. */
      readonly keyword: 'stop' | 'start' | 'help' | undefined;
      /** The last two digits; `undefined` where WhatsApp hides the number, and nothing has told it. */
      readonly from: string | undefined;
    }
  | ({
      /** A code that did not arrive: what became of sending it by the plan's next channel. */
      readonly type: 'failover.ended';
      /** The channel by which it did not arrive. */
      readonly fromChannel: string;
      /** The code of that failure; `NOT_DELIVERED_IN_TIME` where nothing was told. */
      readonly why: string;
      /** The same in words. */
      readonly whyReason: string | undefined;
      /** What an operator can do about that failure. */
      readonly whyRemedy: string | undefined;
      readonly userId: string | undefined;
      /** The last two digits. */
      readonly to: string;
      /** Of the last attempt; `dropped` where none was made, and rightly so. */
      readonly outcome: 'accepted' | 'refused' | 'unknown' | 'dropped';
      readonly channel: string | undefined;
      readonly provider: string | undefined;
      /** The refusal's; of what was dropped one of ours (`OVERTAKEN`, `CODE_EXPIRED`, `STATE_LOST`, …). */
      readonly code: string | undefined;
      readonly reason: string | undefined;
      /** What an operator can do about that. */
      readonly remedy: string | undefined;
      readonly transactionId: string | undefined;
      /** All that were made for the event. */
      readonly attempts: readonly AttemptReport[];
    } & OfCall)
  | ({
      /** A user has signed in, or enrolled a phone, by a code that was sent: Okta's event hook told it. */
      readonly type: 'code.used';
      readonly requestType: string | undefined;
      readonly deliveryChannel: 'sms' | 'voice';
      readonly userId: string;
      readonly channel: string;
      readonly provider: string;
      /** ISO 3166, where the number's is known. */
      readonly country: string | undefined;
      readonly transactionId: string;
      /** From when Okta asked for the code to its use. */
      readonly sinceSentMs: number;
    } & OfCall)
  | ({
      /** A provider could not be told that a code which it sent was used; at most once a minute by channel. */
      readonly type: 'feedback.failed';
      /** How many since it was last told. */
      readonly count: number;
      readonly channel: string;
      readonly provider: string;
      /** The provider's code, or one of ours (`TIMEOUT`, `BREAKER_OPEN`, `UNREACHABLE`, `HTTP_404`, …). */
      readonly code: string;
      readonly reason: string;
      /** What an operator can do about it, where that is known. */
      readonly remedy: string | undefined;
      readonly transactionId: string;
    } & OfCall)
  | {
      /**
       * Okta told of more codes that were used than could be followed in time: nothing follows from these. The first at
       * once, then at most once a minute.
       */
      readonly type: 'uses.skipped';
      /** How many since it was last told. */
      readonly count: number;
    }
  | {
      /** Status callbacks of messages that this process did not send, or has forgotten; at most once a minute. */
      readonly type: 'message.unknown';
      /** How many since it was last told. */
      readonly count: number;
      /** The last one. */
      readonly transactionId: string;
    }
);

/** Every type that an event may have. */
export const EVENT_TYPES: readonly string[] = Object.keys({
  'configuration.warned': true,
  'request.received': true,
  'request.repeated': true,
  'caller.rejected': true,
  'request.rejected': true,
  'clock.skewed': true,
  'guard.blocked': true,
  'profile.read': true,
  'okta.paused': true,
  'channels.planned': true,
  'attempt.ended': true,
  'attempt.late': true,
  'extension.failed': true,
  'state.lost': true,
  'state.recovered': true,
  'state.warned': true,
  'request.answered': true,
  'breaker.changed': true,
  'message.status': true,
  'callbacks.missing': true,
  'inbound.received': true,
  'failover.ended': true,
  'code.used': true,
  'feedback.failed': true,
  'uses.skipped': true,
  'message.unknown': true,
} satisfies Record<HookEvent['type'], true>);

/** What it returns is not looked at, but for a promise that may fail. */
export type HookEventListener = (event: HookEvent) => unknown;

/** The one stream that everything is told on; log, metrics and history are its listeners. */
export class EventStream {
  #listeners: readonly HookEventListener[];
  #hasStepListeners: boolean;
  readonly #clock: () => number;

  constructor(
    parts: {
      /** Is told everything, and says nothing of the steps of a call: their facts are in the line of the call. */
      readonly log?: HookEventListener | undefined;
      /** Ours, which leave an event as it is. */
      readonly listeners: readonly HookEventListener[];
      /** The user's, who may do with theirs what they like. */
      readonly onEvent: HookEventListener | undefined;
    },
    /** The hook's, which never fails. */
    clock: () => number,
  ) {
    const { log, listeners, onEvent } = parts;
    const heard =
      onEvent === undefined ? listeners : [...listeners, (event: HookEvent) => onEvent({ ...event })];
    this.#listeners = log === undefined ? heard : [log, ...heard];
    this.#hasStepListeners = heard.length > 0;
    this.#clock = clock;
  }

  /** For an event's `at`, by the clock that everything else goes by. */
  now(): number {
    return this.#clock();
  }

  /** Whether anybody is told of the steps of a call: what nobody hears need not be made for every call. */
  get hasStepListeners(): boolean {
    return this.#hasStepListeners;
  }

  /** Tells another listener of ours from now on. */
  listen(listener: HookEventListener): void {
    this.#hasStepListeners = true;
    this.#listeners = [...this.#listeners, listener];
  }

  emit(event: HookEvent): void {
    for (const listener of this.#listeners) {
      // Its failure is its own.
      try {
        const returned = listener(event);
        if (returned instanceof Promise) returned.catch(() => undefined);
      } catch {
        continue;
      }
    }
  }
}

const ONE_MINUTE_MS = 60_000;

/** Tells the first at once and the rest at most once a minute, with their count. Needs no timer. */
export class Throttle {
  #count = 0;
  #lastTold = -Infinity;
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  tell(emit: (count: number) => void): void {
    this.#count += 1;
    const now = this.#clock();
    // A clock that was set back must not silence it.
    if (now >= this.#lastTold && now - this.#lastTold < ONE_MINUTE_MS) return;
    emit(this.#count);
    this.#count = 0;
    this.#lastTold = now;
  }
}

/** A throttle for each of a few names. */
export class Throttles {
  readonly #byName = new Map<string, Throttle>();
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  of(name: string): Throttle {
    const throttle = this.#byName.get(name) ?? new Throttle(this.#clock);
    this.#byName.set(name, throttle);
    return throttle;
  }
}
