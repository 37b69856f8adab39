import { hash } from 'node:crypto';
import type { TelephonyRequest, UserProfile } from '../../core/channel.js';
import type { AttemptReport } from '../../core/events.js';
import { recipientOf } from '../../numbers/phone-number.js';
import type { PlanStep } from '../plan.js';
import type { FinalReport } from './report.js';
import type { CodeRequest } from './sent-codes.js';

/**
 * A code and what is left of its plan. A call makes it, `dispatch` sends it, and a state keeps it as a receipt until the code ends.
 * Plain data, as JSON carries it. Personal: it holds the code and the number.
 */
export interface PlannedCode {
  /** Without `expiresAt`, which is by the wall clock of one process: `Send` has it. A receipt's `raw` may be `undefined`. */
  readonly request: Omit<TelephonyRequest, 'expiresAt'>;
  /** When the code ends, by this process's steady clock. `takeReceipt` converts it for another process. */
  readonly expiresAtMs: number;
  /** A receipt has it only if a `composeText`, a text or a custom channel may read it. */
  readonly profile?: UserProfile | undefined;
  /** BCP-47. */
  readonly locale: string;
  /** As `personKey` makes it. */
  readonly person: string;
  /** Which of the person's events it is. */
  readonly eventKey: string;
  /** The steps that were not tried yet, in their order. */
  readonly untried: readonly PlanStep[];
  /** The attempts of earlier sends; in a receipt those of the send that made it as well. */
  readonly attempts: readonly AttemptReport[];
  /** The keys of the messages with this code that failed. Any of them may be delivered after all. */
  readonly failedIds: readonly string[];
  /** `undefined` if Okta does not report whether the code was used. */
  readonly asked?: CodeRequest | undefined;
}

/**
 * A code that a channel has accepted. If its message fails, late failover sends the code by the steps that are left. With no step
 * left it only tells whose message failed.
 */
export interface Receipt extends PlannedCode {
  /** The step whose channel has the message. */
  readonly sentBy: PlanStep;
  /** `true` if the state was lost when the message failed: another process may have sent the code again, so this one does not. */
  readonly wasLost?: boolean | undefined;
}

/** A user; the number where Okta sent none. A digest, so that no number is a key. */
export function personKey({ userId, phoneNumber }: TelephonyRequest): string {
  return userId === undefined
    ? hash('sha256', `number ${recipientOf(phoneNumber)}`, 'base64url')
    : userKey(userId);
}

/** The same, of a user alone. */
export function userKey(userId: string): string {
  return hash('sha256', `user ${userId}`, 'base64url');
}

/** An event of a person, as it takes the place of older ones. */
export interface NewEvent {
  readonly eventKey: string;
  /** One of Okta's preview page goes beside the newest event, and in the place of none. */
  readonly isPreview: boolean;
  readonly nowMs: number;
  /** How long ago its call came in, milliseconds: one that came before what is known already is not the newest. Default: 0. */
  readonly ageMs?: number | undefined;
  /** The event that it comes right after, however old it is: where that one is the newest, it takes its place. */
  readonly after?: string | undefined;
  /** When its code ends: nothing needs to be known of it after that. */
  readonly untilMs: number;
}

/** An event of a person, and its request, to say whose it was should the state fail. */
export type PersonEvent = Pick<Receipt, 'person' | 'eventKey' | 'request'>;

/**
 * The part of `State` that late failover needs. `nowMs` and `untilMs` are by the steady clock of this process: how far they
 * are apart counts, not what they are.
 */
export interface ReceiptState {
  /** Makes an event the newest of its person: what is pending for older ones is dropped. */
  overtake(person: string, event: NewEvent): void;
  /**
   * Whether nothing newer has come; `'unknown'` where nobody can say (any more): nothing goes out late then either, but a
   * call that is under way goes on.
   */
  isNewest(
    person: string,
    eventKey: string,
    nowMs: number,
  ): boolean | 'unknown' | Promise<boolean | 'unknown'>;
  /**
   * Keeps what was sent, by the message's key (where its id comes from, and the provider's id), until the code ends. Where a
   * report of the message is remembered it gives that, in the same step, and keeps nothing: it is for the caller then to
   * act. It resolves when it is kept: while Redis is lost, when Redis is back.
   */
  keepReceipt(
    messageKey: string,
    receipt: Receipt,
    life: { readonly nowMs: number; readonly untilMs: number },
  ): FinalReport | undefined | Promise<FinalReport | undefined>;
  /**
   * Gives a receipt to exactly one of all who ask for it, while its code is good; where another process kept it, its
   * `expiresAtMs` becomes `nowMs` and what is left of its life. Where there is none, or the message has
   * failed, it remembers the report for a minute, in the same step: the one whose message it is may not have Twilio's answer
   * yet, and the one who goes on with it may be about to send. `delivered` takes the place of a failure, not the reverse.
   *
   * @param onLate - told of it later, with `wasLost`, where the state was lost and is back.
   */
  takeReceipt(
    messageKey: string,
    nowMs: number,
    report: FinalReport,
    onLate?: (receipt: Receipt) => void,
  ): Receipt | undefined | Promise<Receipt | undefined>;
  /** Whether one of these messages is remembered to have been delivered. */
  isDelivered(messageKeys: readonly string[], nowMs: number): boolean | Promise<boolean>;
  /**
   * Whether other processes see what this one keeps. A report without a receipt is then of a message that nothing could
   * follow, or that has been dealt with; else perhaps of one that another process has sent.
   */
  readonly isShared?: boolean | undefined;
  /** Where one process can go on with what another one waited for. */
  readonly alarms?: Alarms | undefined;
}

/** What is due later, whoever lives then. They are beside the timers of the process that sets them. */
export interface Alarms {
  /** Wakes somebody about a message, once, milliseconds from now. */
  set(messageKey: string, dueInMs: number): void;
  /**
   * Is told from now on of what is due: each to one of all that listen. If that one rejects or dies, it or another is told again.
   * Gives what ends that.
   */
  onDue(listener: (messageKey: string) => Promise<void>): (() => void) | undefined;
}

/** How long a state remembers a report, milliseconds: longer than any send takes to be answered. */
export const REPORT_LIFE_MS = 60_000;
