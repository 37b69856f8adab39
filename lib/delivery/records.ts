import type { DeliveryFailure, TelephonyRequest, UserProfile } from '../core/channel.js';
import type { AttemptReport } from '../core/events.js';
import type { Place } from './order.js';

/**
 * The records of a state: what it keeps of messages, attempts, last codes and suppressions. Each is changed by a pure transition, in
 * one step with the others that it names. Types only.
 */

/** One step of a plan. Plain data: a state keeps it, and another gateway may read it. */
export interface PlanStep {
  readonly channel: string;
  /** The index of the provider in its channel's list. */
  readonly provider: number;
  /** Where the code goes by this channel, E.164. */
  readonly to: string;
}

/** `expiresAt` is by the wall clock of one process, so that a receipt has none. */
export type KeptRequest = Omit<TelephonyRequest, 'expiresAt'>;

/**
 * A code and what is left of its plan. A call makes it, `dispatch` sends it, and a state keeps it as a receipt
 * until the code ends. Plain data, as JSON carries it. Personal: it holds the code and the number.
 */
export interface PlannedCode {
  /** The `raw` of a receipt may be `undefined`, too. */
  readonly request: KeptRequest;
  /** When the code ends, by this process's steady clock. Each process has its own clock, so a reply of the state converts it. */
  readonly expiresAtMs: number;
  /**
   * A receipt has it only if a `composeText`, a text or a custom channel may read it. What only the custom channel of the
   * message has read has just the attributes that are masked.
   */
  readonly profile?: UserProfile | undefined;
  /** BCP-47. */
  readonly locale: string;
  /** As `personKey` makes it. */
  readonly person: string;
  /** Which of the person's events it is, as `duplicateKey` makes it. */
  readonly eventKey: string;
  /** Its place in the order of the person's codes, as its claim gave it. */
  readonly place?: Place | undefined;
  /** A preview supersedes nothing. */
  readonly isPreview?: boolean | undefined;
  /** The steps that were not tried yet, in their order. */
  readonly untried: readonly PlanStep[];
  /** The attempts of earlier sends; in a receipt those of the send that made it as well. */
  readonly attempts: readonly AttemptReport[];
  /** The keys of the messages with this code that failed. Any of them may be delivered after all. */
  readonly failedIds: readonly string[];
  /** `undefined` if the code is not kept as its user's last one: nothing needs to know it. */
  readonly codeRequest?: CodeRequest | undefined;
}

/**
 * A code that a channel has accepted. If its message fails, late failover sends the code by the steps that are
 * left. With no step left it only says whose message failed.
 */
export interface Receipt extends PlannedCode {
  /** The step whose channel has the message. */
  readonly sentBy: PlanStep;
  /**
   * `true` if nothing may follow, because Okta or the user does not expect this code any more. The receipt then only
   * says whose message a callback is about.
   */
  readonly isUnwanted?: boolean | undefined;
}

/** A receipt in a record that lives for at least as long as reports are remembered. */
export interface KeptReceipt {
  readonly receipt: Receipt;
  /** How much longer the record lives than the code, milliseconds. */
  readonly outlivesCodeMs: number;
}

export type MessageRecord =
  /** A provider has accepted it. The record lives as long as the code. */
  | { readonly status: 'waiting'; readonly receipt: Receipt }
  /** It has failed, before the answer to its send was known. */
  | { readonly status: 'early'; readonly failure: DeliveryFailure }
  /** It has failed, and one caller follows. */
  | (KeptReceipt & {
      readonly status: 'failed';
      readonly failure: DeliveryFailure;
      /** The token of the news that let something follow: if its reply was lost, it gets the same reply again. */
      readonly followToken: string;
    })
  | { readonly status: 'delivered' };

/**
 * An attempt whose outcome is unknown, by its reference. Whether its message went out, and under which id, only a report says.
 * One caller recognises the message; from then on the message's own record decides what follows.
 */
export type AttemptRecord =
  /** The record lives as long as the code. */
  | { readonly status: 'unknown'; readonly receipt: Receipt }
  | {
      readonly status: 'named';
      readonly messageKey: string;
      /** The token of the news that recognised the message; `undefined` until its attempt ends as unknown. */
      readonly recogniseToken: string | undefined;
      /** Given again to the news with this token; `undefined` if the end of the attempt recognised the message. */
      readonly kept?: KeptReceipt | undefined;
    };

/** How a code was requested. A use is matched with it. */
export interface CodeRequest {
  /** When Okta requested it, by Okta's clock, milliseconds since 1970. */
  readonly atMs: number;
  /** When the code ends, by Okta's clock, milliseconds since 1970. */
  readonly endsAtMs: number;
  /** ISO 3166; `undefined` if the country of the number is not known. */
  readonly country?: string | undefined;
  /** The network that requested it, for the guard that learns. */
  readonly network?: string | undefined;
}

interface LastCodeBase {
  readonly codeRequest: CodeRequest;
  readonly deliveryChannel: 'sms' | 'voice';
  readonly eventId: string;
}

/** A code that a channel has accepted, or whose outcome is unknown. Plain data, as JSON carries it. */
export interface SentCode extends LastCodeBase {
  readonly status: 'accepted' | 'unknown';
  /** The number that Okta requested the code for, E.164. */
  readonly to: string;
  readonly channel: string;
  /** The provider's place in its channel's list. */
  readonly providerIndex: number;
  /** The provider's name. */
  readonly provider: string;
  /** The provider's id of the message; empty if it gave none, or has not answered. */
  readonly transactionId: string;
  /** The id of the message in events. */
  readonly reportedId: string;
  readonly requestType?: string | undefined;
  readonly oktaRequestId?: string | undefined;
}

/** The last code that a user requested. If it was not sent, the user has a code from Okta itself, or none, and uses no older one of ours. */
export type LastCode = SentCode | (LastCodeBase & { readonly status: 'refused' });

/** The last code of a person by text or by call. */
export interface LastCodeRecord {
  readonly code: LastCode;
  /** A report says that a message with the code was delivered. */
  readonly isDelivered?: true | undefined;
  /** The token of the use that took it; `undefined` if no use was reported. It then only keeps earlier codes from being stored. */
  readonly takenBy?: string | undefined;
}

/**
 * - `STOPPED`: the user wrote STOP. Nothing goes by this channel until they write START.
 * - `OPTED_OUT`: the provider says that the user does not want it. `NOT_REACHED`: the provider says that it
 *   cannot reach the user. Such a channel is skipped, but used if no other one is left: providers err, and
 *   users come back without notice.
 */
export type SuppressionReason = 'STOPPED' | 'OPTED_OUT' | 'NOT_REACHED';

/**
 * An entry of a recipient. All its times are by the clock of its keeper: Redis's, or `steadyMs` of this process.
 */
export interface KeptEntry {
  /** Empty for an entry that is about no channel. */
  readonly channel: string;
  /**
   * After `STARTED`, an earlier STOP that arrives later or is in another copy does not count. `LIFTED` is the
   * same for what a provider said. `PAIRED` says which number an id belongs to.
   */
  readonly reason: SuppressionReason | 'STARTED' | 'LIFTED' | 'PAIRED';
  readonly atMs: number;
  readonly untilMs: number;
  /**
   * How many entries of its kind came before it. It shows which of two copies is newer, whatever a clock says.
   */
  readonly count?: number | undefined;
  /** With `PAIRED`. */
  readonly number?: string | undefined;
}

/** The suppressions of a number, or of a WhatsApp id. */
export interface SuppressionRecord {
  /** The number or the id: another encryption key names the record by it. */
  readonly recipient: string;
  readonly entries: readonly KeptEntry[];
}

/** What each kind of record holds. Plain data, as JSON carries it. */
export interface RecordValues {
  /** By `messageKey`. */
  readonly message: MessageRecord;
  /** By the namespace of the channel and the attempt's reference. */
  readonly attempt: AttemptRecord;
  /** By channel and person (`lastCodeName`). */
  readonly lastCode: LastCodeRecord;
  /** By number in E.164 or WhatsApp id. */
  readonly suppressions: SuppressionRecord;
}

export type RecordKind = keyof RecordValues;

/** Names one record. */
export interface RecordName<Kind extends RecordKind = RecordKind> {
  readonly kind: Kind;
  readonly key: string;
}

/** A record, and how long it still lives, milliseconds. */
export interface Known<Value> {
  readonly value: Value;
  readonly leftMs: number;
}

/** What a record becomes, and how long it lives from now on, milliseconds. A life of 0 or less removes nothing: it is not written. */
export interface Next<Value> {
  readonly value: Value;
  readonly lifeMs: number;
}

type ValueOf<Name> = Name extends RecordName<infer Kind> ? RecordValues[Kind] : never;
export type KnownRecords<Names extends readonly RecordName[]> = {
  readonly [Index in keyof Names]: Known<ValueOf<Names[Index]>> | undefined;
};
export type NextRecords<Names extends readonly RecordName[]> = {
  readonly [Index in keyof Names]: Next<ValueOf<Names[Index]>> | undefined;
};

/** When a transition runs. */
export interface UpdateMoment {
  /** By the clock of the records' keeper, milliseconds since 1970: Redis's for a shared state. */
  readonly keeperMs: number;
  /** How long the update has waited for a lost Redis, milliseconds; 0 if Redis was not lost since it came. */
  readonly waitedMs: number;
}

/**
 * What records become. Pure: it may run more than once. `next` has a place for each record, `undefined` for one that stays; without
 * `next`, all stay.
 */
export type Transition<Names extends readonly RecordName[], Result> = (
  known: KnownRecords<Names>,
  moment: UpdateMoment,
) => { readonly next?: NextRecords<Names> | undefined; readonly result: Result };

/** What is to be known of records. Pure, as a transition. */
export type Reading<Names extends readonly RecordName[], Result> = (
  known: KnownRecords<Names>,
  moment: UpdateMoment,
) => Result;

/** The part of the port that keeps records. */
export interface RecordState {
  /**
   * Changes records in one step: all or none. The memory state does it before it returns. While Redis is lost, the update waits until
   * Redis is back, in the order of the updates of its first record, and then resolves, however late. Resolves to `undefined` if it was
   * dropped: too many waited, or the state was closed.
   *
   * A record that cannot be read (another version of a gateway kept it) counts as absent, and the state reports it. Rejects with a
   * TypeError only if a value cannot be serialised.
   */
  update<const Names extends readonly RecordName[], Result>(
    names: Names,
    transition: Transition<Names, Result>,
  ): Promise<Result | undefined>;
  /** Reads records in one step. Resolves to `undefined` if the state cannot say now: nothing waits for a lost Redis. */
  read<const Names extends readonly RecordName[], Result>(
    names: Names,
    read: Reading<Names, Result>,
  ): Promise<Result | undefined>;
  /**
   * What this process knows of a record by itself, at once: what it last read or wrote, after the updates that wait. It also answers
   * while Redis is lost. `undefined` if it knows nothing. The times in suppressions are by `steadyMs`.
   */
  recall<Kind extends RecordKind>(name: RecordName<Kind>): Known<RecordValues[Kind]> | undefined;
}
