import type { DeliveryFailure } from '../../core/channel.js';
import type {
  AttemptRecord,
  KeptReceipt,
  Known,
  MessageRecord,
  Next,
  Receipt,
  RecordName,
} from '../records.js';
import { transactionIdOf, withAccepted, REPORT_LIFE_MS, type FinalReport } from './receipt.js';

/**
 * What a state keeps of a message, and how news of it change that. These functions are pure; the memory state and Redis run the same
 * ones. News may come in any order, more than once, and to any gateway. `docs/contribute/architecture.md` has the tables.
 */

/** Names the record of a message, by its `messageKey`. */
export function messageName(key: string): RecordName<'message'> {
  return { kind: 'message', key };
}

/** Names the record of an attempt, by the namespace of its channel and its reference. */
export function attemptName(key: string): RecordName<'attempt'> {
  return { kind: 'attempt', key };
}

/** News of a message. A token identifies it: the same news may come twice. */
export type MessageNews =
  | AcceptedNews
  | NamingNews
  | {
      readonly token: string;
      readonly report: FinalReport;
      readonly accepted?: undefined;
      readonly reference?: undefined;
    };

/** A channel has accepted the message. */
interface AcceptedNews {
  readonly token: string;
  readonly accepted: Receipt;
  readonly report?: undefined;
  /** The key of the attempt, if reports may name it alone. */
  readonly reference?: string | undefined;
}

/** A report names the attempt of the message. */
interface NamingNews {
  readonly token: string;
  /** `undefined` if it says only that there is a message. */
  readonly report?: FinalReport | undefined;
  readonly reference: string;
  readonly accepted?: undefined;
}

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
  /** The key under which the message is kept, if it is another one: the news must go there. */
  readonly elsewhere?: string | undefined;
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
  const record = known?.value;
  const receipt =
    known !== undefined && 'receipt' in known.value ? receiptIn(known.value, known, nowMs) : undefined;
  const reply: MessageReply = { before: record?.status, ...(receipt && { receipt }) };
  const { accepted = receipt, report } = news;
  if (record?.status === 'delivered') return { reply };
  if (report?.status === 'delivered') {
    const lifeMs = receipt === undefined ? REPORT_LIFE_MS : keepReceipt(receipt, nowMs).lifeMs;
    return { next: { value: { status: 'delivered' }, lifeMs }, reply };
  }
  if (record?.status === 'failed') {
    const isSame = record.followToken === news.token && receipt !== undefined;
    return { reply: { ...reply, follow: isSame ? { receipt, failure: record.failure } : undefined } };
  }
  // It fails once its acceptance and a failure are known, in any order.
  const failure = record?.status === 'early' ? record.failure : report;
  if (accepted !== undefined && failure !== undefined) {
    const { kept, lifeMs } = keepReceipt(accepted, nowMs);
    const value = { status: 'failed', followToken: news.token, failure, ...kept } as const;
    const follow = { receipt: accepted, failure };
    return { next: { value, lifeMs }, reply: { before: reply.before, receipt: accepted, follow } };
  }
  if (record !== undefined) return { reply };
  if (accepted === undefined)
    return { next: failure && { value: { status: 'early', failure }, lifeMs: REPORT_LIFE_MS }, reply };
  const lifeMs = accepted.expiresAtMs - nowMs;
  return {
    next: lifeMs > 0 ? { value: { status: 'waiting', receipt: accepted }, lifeMs } : undefined,
    reply,
  };
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
  const { messageKey, recogniseToken } = record;
  if (recogniseToken === undefined)
    return {
      next: { value: { ...record, recogniseToken: token }, lifeMs: REPORT_LIFE_MS },
      reply: messageKey,
    };
  return { reply: recogniseToken === token ? messageKey : undefined };
}

/** A report names the message of an attempt. Replies the receipt if this caller recognises the message. */
export function attemptAfterNaming(
  known: Known<AttemptRecord> | undefined,
  { token, messageKey }: { readonly token: string; readonly messageKey: string },
  nowMs: number,
): Outcome<AttemptRecord, Receipt | undefined> {
  if (known === undefined) {
    const value = { status: 'named', messageKey, recogniseToken: undefined } as const;
    return { next: { value, lifeMs: REPORT_LIFE_MS }, reply: undefined };
  }
  const record = known.value;
  if (record.status === 'unknown') {
    const receipt = receiptIn(record, known, nowMs);
    const { kept, lifeMs } = keepReceipt(receipt, nowMs);
    return {
      next: { value: { status: 'named', messageKey, recogniseToken: token, kept }, lifeMs },
      reply: receipt,
    };
  }
  const isSame = record.recogniseToken === token && record.kept !== undefined;
  return { reply: isSame ? receiptIn(record.kept, known, nowMs) : undefined };
}

/** The records of a message and of its attempt. */
type BothKnown = readonly [Known<MessageRecord> | undefined, Known<AttemptRecord> | undefined];

/** Both records after news. */
interface BothAfter {
  readonly next: readonly [Next<MessageRecord> | undefined, Next<AttemptRecord> | undefined];
  readonly reply: MessageReply;
}

/** News names the attempt of its message, whose record says under which key the message is kept: the first news decides. */
export function messageAfterNaming(
  both: BothKnown,
  news: AcceptedNews | NamingNews,
  messageKey: string,
  nowMs: number,
): BothAfter {
  const [, attempt] = both;
  const keptAs = attempt?.value.status === 'named' ? attempt.value.messageKey : messageKey;
  if (keptAs !== messageKey)
    return { next: [undefined, undefined], reply: { before: undefined, elsewhere: keptAs } };
  return news.accepted === undefined
    ? afterReportOfAttempt(both, news, messageKey, nowMs)
    : afterAcceptedAttempt(both, news, messageKey, nowMs);
}

function afterAcceptedAttempt(
  [message, attempt]: BothKnown,
  news: AcceptedNews,
  messageKey: string,
  nowMs: number,
): BothAfter {
  const { next, reply } = messageAfter(message, news, nowMs);
  const value = { status: 'named', messageKey, recogniseToken: news.token } as const;
  const { lifeMs } = keepReceipt(news.accepted, nowMs);
  return { next: [next, attempt === undefined ? { value, lifeMs } : undefined], reply };
}

/** The message may be recognised, and is then accepted. The report itself comes after that. */
function afterReportOfAttempt(
  [message, attempt]: BothKnown,
  { token, report }: NamingNews,
  messageKey: string,
  nowMs: number,
): BothAfter {
  // A message that is known needs no attempt.
  const isKnown = message !== undefined && message.value.status !== 'early';
  const naming: Outcome<AttemptRecord, Receipt | undefined> =
    isKnown && attempt === undefined
      ? { reply: undefined }
      : attemptAfterNaming(attempt, { token, messageKey }, nowMs);
  const recognised = naming.reply && withAccepted(naming.reply, transactionIdOf(messageKey));
  const news: MessageNews[] = [];
  // Of a message that nothing may follow, only whose it is counts.
  if (recognised?.isUnwanted !== true) {
    if (recognised !== undefined) news.push({ token, accepted: recognised });
    if (report !== undefined) news.push({ token, report });
  }
  const before = message?.value.status;
  let known = message;
  let next: Next<MessageRecord> | undefined;
  let reply: MessageReply = { before, recognised };
  for (const one of news) {
    const after = messageAfter(known, one, nowMs);
    reply = { ...after.reply, before, recognised };
    if (after.next === undefined) continue;
    next = after.next;
    known = { value: next.value, leftMs: next.lifeMs };
  }
  return { next: [next, naming.next], reply };
}

/**
 * How long a record lives whose receipt was handed out: as long as the code, so that no late write makes a new one. For at least as
 * long as reports are remembered.
 */
function keepReceipt(
  receipt: Receipt,
  nowMs: number,
): { readonly kept: KeptReceipt; readonly lifeMs: number } {
  const leftMs = receipt.expiresAtMs - nowMs;
  const lifeMs = Math.max(REPORT_LIFE_MS, leftMs);
  return { kept: { receipt, outlivesCodeMs: lifeMs - leftMs }, lifeMs };
}

/** A kept receipt, with its end by this process's clock. The gateway that kept it has another one. */
function receiptIn(
  { receipt, outlivesCodeMs = 0 }: Pick<KeptReceipt, 'receipt'> & Partial<KeptReceipt>,
  { leftMs }: Known<unknown>,
  nowMs: number,
): Receipt {
  return { ...receipt, expiresAtMs: nowMs + leftMs - outlivesCodeMs };
}
