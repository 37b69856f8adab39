import type { DeliveryFailure } from '../../core/channel.js';
import type { Known, Next, RecordName } from '../records.js';
import { transactionIdOf, withAccepted, REPORT_LIFE_MS, type FinalReport, type Receipt } from './receipt.js';

/**
 * What a state keeps of a message, and how news of it change that. These functions are pure; the memory state and Redis run the same
 * ones. News may come in any order, more than once, and to any gateway. `docs/contribute/architecture.md` has the tables.
 */

/**
 * A message. `by` is the token of the news that let something follow: if its reply was lost, it gets the same reply again.
 * `beyondMs`: how much longer the code lives than the record, milliseconds; negative if it ends before.
 */
export type MessageRecord =
  /** A provider has accepted it. */
  | { readonly status: 'waiting'; readonly receipt: Receipt }
  /** It has failed, before the answer to its send was known. */
  | { readonly status: 'early'; readonly failure: DeliveryFailure }
  /** It has failed, and one caller follows. */
  | {
      readonly status: 'failed';
      readonly by: string;
      readonly failure: DeliveryFailure;
      readonly receipt: Receipt;
      readonly beyondMs: number;
    }
  | { readonly status: 'delivered' };

/**
 * An attempt whose outcome is unknown, by its reference. Whether its message went out, and under which id, only a report says.
 * One caller recognises the message; from then on the message's own record decides what follows.
 */
export type AttemptRecord =
  | { readonly status: 'unknown'; readonly receipt: Receipt }
  | {
      readonly status: 'named';
      readonly messageKey: string;
      /** The token of the news that recognised the message; `undefined` until its attempt ends as unknown. */
      readonly by: string | undefined;
      /** Given again to the news with this token. */
      readonly receipt?: Receipt | undefined;
      readonly beyondMs: number;
    };

/** Names the record of a message, by its `messageKey`. */
export function messageName(key: string): RecordName<'message'> {
  return { kind: 'message', key };
}

/** Names the record of an attempt, by its reference. */
export function attemptName(key: string): RecordName<'attempt'> {
  return { kind: 'attempt', key };
}

/** News of a message. A token identifies it: the same news may come twice. */
export type MessageNews =
  | { readonly token: string; readonly accepted: Receipt }
  | { readonly token: string; readonly report: FinalReport };

/** What a caller has to do after news. */
export interface MessageReply {
  /** The status before; `undefined` if nothing was known. */
  readonly before: MessageRecord['status'] | undefined;
  /** Given to one caller only: the next channel follows. */
  readonly follow?: { readonly receipt: Receipt; readonly failure: DeliveryFailure } | undefined;
  /** The receipt of the message, if it is known: it says whose message it is. */
  readonly receipt?: Receipt | undefined;
  /** The receipt, with its attempt as it turned out, if a report named the attempt and this caller recognises the message. */
  readonly recognised?: Receipt | undefined;
}

/** A record after news, and the reply. Without `next`, the record stays as it is. */
export interface Outcome<Value, Reply> {
  readonly next?: Next<Value> | undefined;
  readonly reply: Reply;
}

/**
 * The message after news.
 *
 * @param nowMs - by this process's steady clock. Receipts in replies end by it.
 */
export function messageAfter(
  known: Known<MessageRecord> | undefined,
  news: MessageNews,
  nowMs: number,
): Outcome<MessageRecord, MessageReply> {
  return 'accepted' in news ? afterAccepted(known, news, nowMs) : afterReport(known, news, nowMs);
}

function afterAccepted(
  known: Known<MessageRecord> | undefined,
  { token, accepted }: Extract<MessageNews, { accepted: Receipt }>,
  nowMs: number,
): Outcome<MessageRecord, MessageReply> {
  const record = known?.value;
  const lifeMs = accepted.expiresAtMs - nowMs;
  switch (record?.status) {
    case undefined:
      return {
        next: lifeMs > 0 ? { value: { status: 'waiting', receipt: accepted }, lifeMs } : undefined,
        reply: { before: undefined },
      };
    case 'early':
      return failedNow(accepted, record.failure, { token, nowMs, before: 'early' });
    case 'failed':
      return { reply: repliedAgain(record, known, token, nowMs) };
    case 'waiting':
    case 'delivered':
      return { reply: { before: record.status } };
  }
}

function afterReport(
  known: Known<MessageRecord> | undefined,
  { token, report }: Extract<MessageNews, { report: FinalReport }>,
  nowMs: number,
): Outcome<MessageRecord, MessageReply> {
  const record = known?.value;
  if (record?.status === 'delivered') return { reply: { before: 'delivered' } };
  const receipt =
    record?.status === 'waiting' || record?.status === 'failed'
      ? receiptNow(record, known, nowMs)
      : undefined;
  if (report.status === 'delivered') {
    const lifeMs = receipt === undefined ? REPORT_LIFE_MS : lifeWith(receipt, nowMs).lifeMs;
    return { next: { value: { status: 'delivered' }, lifeMs }, reply: { before: record?.status, receipt } };
  }
  switch (record?.status) {
    case undefined:
      return {
        next: { value: { status: 'early', failure: report }, lifeMs: REPORT_LIFE_MS },
        reply: { before: undefined },
      };
    case 'waiting':
      return failedNow(receipt ?? record.receipt, report, { token, nowMs, before: 'waiting' });
    case 'failed':
      return { reply: repliedAgain(record, known, token, nowMs) };
    case 'early':
      return { reply: { before: 'early' } };
  }
}

function failedNow(
  receipt: Receipt,
  failure: DeliveryFailure,
  {
    token,
    nowMs,
    before,
  }: { readonly token: string; readonly nowMs: number; readonly before: 'early' | 'waiting' },
): Outcome<MessageRecord, MessageReply> {
  const { lifeMs, beyondMs } = lifeWith(receipt, nowMs);
  return {
    next: { value: { status: 'failed', by: token, failure, receipt, beyondMs }, lifeMs },
    reply: { before, follow: { receipt, failure }, receipt },
  };
}

/**
 * How long a record lives whose receipt was handed out: as long as the code, so that no late write makes a new one. For at least as
 * long as reports are remembered.
 */
function lifeWith(receipt: Receipt, nowMs: number): { readonly lifeMs: number; readonly beyondMs: number } {
  const leftMs = receipt.expiresAtMs - nowMs;
  const lifeMs = Math.max(REPORT_LIFE_MS, leftMs);
  return { lifeMs, beyondMs: leftMs - lifeMs };
}

/** The reply to news on a message that has failed: `follow` again, if these news let it follow. */
function repliedAgain(
  record: Extract<MessageRecord, { status: 'failed' }>,
  known: Known<MessageRecord> | undefined,
  token: string,
  nowMs: number,
): MessageReply {
  const receipt = receiptNow(record, known, nowMs);
  const follow = record.by === token ? { receipt, failure: record.failure } : undefined;
  return { before: 'failed', follow, receipt };
}

/** A kept receipt, with its end by this process's clock. The gateway that kept it has another one. */
function receiptNow(
  { receipt, beyondMs = 0 }: { readonly receipt: Receipt; readonly beyondMs?: number },
  known: Known<unknown> | undefined,
  nowMs: number,
): Receipt {
  return { ...receipt, expiresAtMs: nowMs + (known?.leftMs ?? 0) + beyondMs };
}

/** An attempt has ended, and its outcome is unknown. Replies the key of its message if this caller recognises it. */
export function attemptAfterEnd(
  known: Known<AttemptRecord> | undefined,
  { token, receipt }: { readonly token: string; readonly receipt: Receipt },
  nowMs: number,
): Outcome<AttemptRecord, string | undefined> {
  const record = known?.value;
  if (record === undefined) {
    const lifeMs = receipt.expiresAtMs - nowMs;
    return {
      next: lifeMs > 0 ? { value: { status: 'unknown', receipt }, lifeMs } : undefined,
      reply: undefined,
    };
  }
  if (record.status === 'unknown') return { reply: undefined };
  if (record.by === undefined)
    return { next: { value: { ...record, by: token }, lifeMs: REPORT_LIFE_MS }, reply: record.messageKey };
  // The attempt's own end has no receipt in the record: a report has recognised a message that has one.
  return { reply: record.by === token ? record.messageKey : undefined };
}

/** A report names the message of an attempt. Replies the receipt if this caller recognises the message. */
export function attemptAfterNaming(
  known: Known<AttemptRecord> | undefined,
  { token, messageKey }: { readonly token: string; readonly messageKey: string },
  nowMs: number,
): Outcome<AttemptRecord, Receipt | undefined> {
  const record = known?.value;
  if (record === undefined)
    return {
      next: { value: { status: 'named', messageKey, by: undefined, beyondMs: 0 }, lifeMs: REPORT_LIFE_MS },
      reply: undefined,
    };
  if (record.status === 'unknown') {
    const receipt = receiptNow(record, known, nowMs);
    const { lifeMs, beyondMs } = lifeWith(receipt, nowMs);
    const value = { status: 'named', messageKey, by: token, receipt, beyondMs } as const;
    return { next: { value, lifeMs }, reply: receipt };
  }
  const { by, receipt, beyondMs } = record;
  return {
    reply:
      by === token && receipt !== undefined ? receiptNow({ receipt, beyondMs }, known, nowMs) : undefined,
  };
}

/** A report on a message names its attempt. */
export interface NamingNews {
  readonly token: string;
  readonly reference: string;
  /** `undefined` for a report that says only that there is a message. */
  readonly report: FinalReport | undefined;
}

/** A report names an attempt: the message may be recognised, and is then accepted. The report itself comes after that. */
export function messageAfterNaming(
  [message, attempt]: readonly [Known<MessageRecord> | undefined, Known<AttemptRecord> | undefined],
  { token, report }: NamingNews,
  messageKey: string,
  nowMs: number,
): {
  readonly next: readonly [Next<MessageRecord> | undefined, Next<AttemptRecord> | undefined];
  readonly reply: MessageReply;
} {
  // A message that is known needs no attempt.
  const isKnown = message !== undefined && message.value.status !== 'early';
  const naming: Outcome<AttemptRecord, Receipt | undefined> =
    isKnown && attempt === undefined
      ? { reply: undefined }
      : attemptAfterNaming(attempt, { token, messageKey }, nowMs);
  const recognised = naming.reply && withAccepted(naming.reply, transactionIdOf(messageKey));
  let known = message;
  let next: Next<MessageRecord> | undefined;
  let reply: MessageReply = { before: message?.value.status };
  const hear = (news: MessageNews): void => {
    const after = messageAfter(known, news, nowMs);
    const isDelivered = after.next?.value.status === 'delivered';
    const follow = isDelivered ? undefined : (after.reply.follow ?? reply.follow);
    reply = { ...after.reply, before: reply.before, follow };
    if (after.next === undefined) return;
    next = after.next;
    known = { value: next.value, leftMs: next.lifeMs };
  };
  // The message is accepted first, then the report counts.
  // Of a message that nothing may follow, only whose it is counts.
  if (recognised !== undefined && recognised.isUnwanted !== true) hear({ token, accepted: recognised });
  if (report !== undefined && recognised?.isUnwanted !== true) hear({ token, report });
  return { next: [next, naming.next], reply: { ...reply, recognised } };
}
