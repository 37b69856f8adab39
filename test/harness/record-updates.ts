import { lastCodeAfter, lastCodeAfterUse, lastCodeName } from '#lib/delivery/messages/last-code.js';
import type {
  LastCode,
  Receipt,
  Known,
  RecordState,
  SuppressionRecord,
  KeptEntry,
  SuppressionReason,
} from '#lib/delivery/records.js';
import type { FinalReport } from '#lib/delivery/messages/receipt.js';
import {
  messageAfter,
  messageName,
  type MessageNews,
  type MessageReply,
} from '#lib/delivery/messages/transitions.js';
import {
  addEntry,
  applyChange,
  isSuppression,
  isWord,
  suppressionsName,
  type SuppressionChange,
} from '#lib/delivery/suppressions.js';

/** Updates of records as hooks make them, for tests of states. */

export { messageName };

export const FAILED: FinalReport = { status: 'failed', code: '63024', reason: 'No', moveOn: true };
export const DELIVERED: FinalReport = { status: 'delivered' };

/** The steady clock of the gateways in these tests. */
export const NOW = 1_700_000_000_000;
const LIFE_MS = 600_000;
/** A change that has waited longer may be older than another one. */
const JUST_ARRIVED_MS = 25;

let count = 0;
/** A word that no other call gets. */
export const nextWord = (word: string): string => `${word}-${(count += 1)}`;

export function receiptOf(eventKey: string, over: Partial<Receipt> = {}): Receipt {
  const plain = { eventKey, request: { eventId: eventKey }, attempts: [], expiresAtMs: NOW + LIFE_MS };
  // Without what only hooks read.
  return { ...plain, ...over } as unknown as Receipt;
}

/** @param nowMs - the steady clock of the gateway. */
function hear(
  state: RecordState,
  key: string,
  news: MessageNews,
  nowMs = NOW,
): Promise<MessageReply | undefined> {
  return state.update([messageName(key)], ([known], { waitedMs }) => {
    const { next, reply } = messageAfter(known, news, nowMs + waitedMs);
    return { next: next && [next], result: reply };
  });
}

/** A provider has accepted a message. */
export function accept(state: RecordState, key: string, receipt = receiptOf(key)) {
  return hear(state, key, { token: nextWord('accept'), accepted: receipt });
}

/** A report on a message comes. */
export function report(state: RecordState, key: string, one = FAILED, nowMs = NOW) {
  return hear(state, key, { token: nextWord('report'), report: one }, nowMs);
}

export function codeOf(eventId: string, atMs = NOW, status: LastCode['status'] = 'accepted'): LastCode {
  const codeRequest = { atMs, endsAtMs: 9e15 };
  // Without what only sign-in outcomes read.
  return { status, codeRequest, deliveryChannel: 'sms', eventId } as LastCode;
}

export function keepCode(state: RecordState, person: string, code: LastCode): Promise<true | undefined> {
  return state.update([lastCodeName(person, 'sms')], ([known]) => {
    const next = lastCodeAfter(known, code);
    return { next: next && [next], result: true as const };
  });
}

/** Okta reports the use of a code: resolves to the code, to one caller. */
export function useCode(
  state: RecordState,
  person: string,
  usedMs = NOW + 9_000,
): Promise<LastCode | undefined> {
  const token = nextWord('use');
  return state.update([lastCodeName(person, 'sms')], ([known]) => {
    const { next, result } = lastCodeAfterUse(known, { token, usedMs });
    return { next: next && [next], result };
  });
}

function change(state: RecordState, recipient: string, one: SuppressionChange): Promise<true | undefined> {
  return state.update([suppressionsName(recipient)], ([known], { keeperMs, waitedMs }) => {
    const moment = { nowMs: keeperMs, ageMs: waitedMs > JUST_ARRIVED_MS ? waitedMs : 0 };
    const before = known?.value.entries ?? [];
    const entries = applyChange(before, one, moment);
    const isSame = entries.length === before.length && entries.every((entry, at) => entry === before[at]);
    if (isSame) return { result: true as const };
    const lifeMs = Math.max(...entries.map(({ untilMs }) => untilMs)) - keeperMs;
    return { next: [{ value: { recipient, entries }, lifeMs }], result: true as const };
  });
}

export function suppress(
  state: RecordState,
  recipient: string,
  reason: SuppressionReason = 'STOPPED',
  channel = 'whatsapp',
): Promise<true | undefined> {
  return change(state, recipient, { what: 'suppress', channel, reason });
}

export function lift(
  state: RecordState,
  recipient: string,
  isStart = true,
  channel = 'whatsapp',
): Promise<true | undefined> {
  return change(state, recipient, { what: 'lift', channel, isStart });
}

/** `channel:reason` of each suppression, sorted; `undefined` if the state cannot say. */
export function suppressed(state: RecordState, recipient: string): Promise<readonly string[] | undefined> {
  return state.read([suppressionsName(recipient)], ([known]) => suppressionsOf(known));
}

/** As `suppressed`: what the process of the state knows by itself. */
export function recalled(state: RecordState, recipient: string): readonly string[] {
  return suppressionsOf(state.recall(suppressionsName(recipient)));
}

function suppressionsOf(known: Known<SuppressionRecord> | undefined): readonly string[] {
  return (known?.value.entries ?? [])
    .filter(isSuppression)
    .map(({ channel, reason }) => `${channel}:${reason}`)
    .sort();
}

/** An id and a number belong to one user: what the user wrote holds for the number from now on. */
export function pair(
  state: RecordState,
  externalUserId: string,
  recipient: string,
): Promise<true | undefined> {
  const names = [suppressionsName(externalUserId), suppressionsName(recipient)] as const;
  return state.update(names, ([ofId, ofNumber], { keeperMs, waitedMs }) => {
    const entries = ofId?.value.entries ?? [];
    const words = entries.filter(isWord);
    const moved = words.reduce(
      (all, word) => addEntry(all, word, true),
      ofNumber?.value.entries ?? ([] as readonly KeptEntry[]),
    );
    const left = applyChange(
      entries.filter((entry) => !isWord(entry)),
      { what: 'pair', number: recipient },
      { nowMs: keeperMs, ageMs: waitedMs },
    );
    const next = (key: string, of: readonly KeptEntry[]) => {
      const lifeMs = Math.max(0, ...of.map(({ untilMs }) => untilMs)) - keeperMs;
      return { value: { recipient: key, entries: of }, lifeMs };
    };
    return { next: [next(externalUserId, left), next(recipient, moved)], result: true as const };
  });
}

/** The number that an id was paired with. */
export function numberOf(state: RecordState, externalUserId: string): Promise<string | undefined> {
  return state.read(
    [suppressionsName(externalUserId)],
    ([known]) => known?.value.entries.find(({ reason }) => reason === 'PAIRED')?.number,
  );
}
