import type { AttemptRecord, MessageRecord } from './messages/transitions.js';
import type { LastCodeRecord } from './messages/last-code.js';
import type { KeptEntry } from './suppressions.js';

/**
 * The records of a state: what it keeps of messages, attempts, last codes and suppressions. Each is changed by a pure transition, in
 * one step with the others that it names. Types only.
 */

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
  /** By the attempt's reference. */
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
