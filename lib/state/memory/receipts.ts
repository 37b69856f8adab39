import { LRUCache } from 'lru-cache';
import { atMost, RecentMap } from '../../core/caches.js';
import { REPORT_LIFE_MS, type Receipt, type FinalReport } from '../../delivery/messages/receipt.js';
import type { Life, ReceiptState, SentCodeUse } from '../../delivery/state.js';
import { staysBefore, TAKEN_MS, type LastCode } from '../../delivery/messages/sent-codes.js';

/** What a process keeps of people: their newest event, their last codes, and the receipts of their messages. */

/** The people of at least the last so many codes are remembered: 100 a second for 80 seconds. */
const MIN_PEOPLE = 8_000;

type DeliveryChannel = LastCode['deliveryChannel'];

/** The last code of a person by text message or by call. */
interface KeptCode {
  readonly code: LastCode;
  readonly untilMs: number;
  /** Whether its use was reported. The entry then only keeps earlier codes from being stored. */
  readonly isTaken: boolean;
}

const NONE: readonly string[] = [];

/**
 * Everything that is kept of one person. One object, because a call that reads one part has just read
 * another.
 */
class Person {
  /**
   * When the call of the newest event arrived, by the steady clock. With previews only: when the first of
   * them arrived.
   */
  atMs = 0;
  /** Until when the newest event is remembered. */
  untilMs = 0;
  /** The newest event; `undefined` if there are only previews. */
  eventKey: string | undefined = undefined;
  /** Previews since the newest event, the newest last. */
  previews: readonly string[] = NONE;
  sms: KeptCode | undefined = undefined;
  voice: KeptCode | undefined = undefined;
}

/** By `personKey`. */
type People = RecentMap<Person>;

export function newPeople(): People {
  return new RecentMap<Person>(MIN_PEOPLE);
}

/** The entry of a person; a new one if there is none. */
function personOf(key: string, people: People): Person {
  // A person with something new to keep is one of the newest.
  const known = people.use(key);
  if (known !== undefined) return known;
  const person = new Person();
  people.set(key, person);
  return person;
}

/** The last code of a person, unless it has expired. */
function codeOf(
  person: Person | undefined,
  deliveryChannel: DeliveryChannel,
  nowMs: number,
): KeptCode | undefined {
  const kept = person?.[deliveryChannel];
  return kept !== undefined && kept.untilMs > nowMs ? kept : undefined;
}

/** Drops expired codes, also of a person who goes on requesting others. */
function dropExpiredCodes(person: Person, nowMs: number): void {
  person.sms = codeOf(person, 'sms', nowMs);
  person.voice = codeOf(person, 'voice', nowMs);
}

/** The port with synchronous results. */
export interface MemorySentCodes {
  keepSent(person: string, code: LastCode, life: Life): undefined;
  takeSent(person: string, use: SentCodeUse): LastCode | undefined;
  /** Removes a code that was not used yet, to keep it elsewhere. */
  moveSent(person: string, deliveryChannel: DeliveryChannel, nowMs: number): LastCode | undefined;
}

/** The sent codes of `memoryState()`, and those that a Redis state keeps while Redis is lost. */
export function memorySentCodes(people: People = newPeople()): MemorySentCodes {
  return {
    keepSent(key, code, { nowMs, untilMs }) {
      const person = personOf(key, people);
      const known = codeOf(person, code.deliveryChannel, nowMs);
      const stays =
        known !== undefined &&
        (known.isTaken
          ? known.code.codeRequest.atMs >= code.codeRequest.atMs
          : staysBefore(known.code, code));
      if (!stays) person[code.deliveryChannel] = { code, untilMs, isTaken: false };
      return undefined;
    },
    takeSent(key, { deliveryChannel, nowMs, usedMs }) {
      const known = codeOf(people.get(key), deliveryChannel, nowMs);
      if (known === undefined || known.isTaken || known.code.codeRequest.atMs > usedMs) return undefined;
      const { code } = known;
      personOf(key, people)[deliveryChannel] = { code, untilMs: nowMs + TAKEN_MS, isTaken: true };
      return code;
    },
    moveSent(key, deliveryChannel, nowMs) {
      const known = codeOf(people.get(key), deliveryChannel, nowMs);
      if (known === undefined || known.isTaken) return undefined;
      personOf(key, people)[deliveryChannel] = undefined;
      return known.code;
    },
  };
}

/**
 * Holds about 50 codes a second that may fail over for nearly three minutes, in which WhatsApp reports
 * failures. The oldest are dropped first.
 */
const MAX_RECEIPTS = 8_000;

/** Previews that are pending at once, for an administrator who repeats Preview in the Admin Console. */
export const MAX_PREVIEWS = 20;

/** The reports of one minute at 100 codes a second. */
const MAX_REPORTS = 6_000;

/**
 * Receipts that are checked for expiry with each new one. More than one, so that the sweep is faster than the
 * growth.
 */
const CHECKED_PER_RECEIPT = 4;

/** The port with synchronous results. */
export interface MemoryReceipts extends ReceiptState {
  isNewest(person: string, eventKey: string, nowMs: number): boolean | 'unknown';
  keepReceipt(...args: Parameters<ReceiptState['keepReceipt']>): FinalReport | undefined;
  /** Without a report, only to move the receipt elsewhere. */
  takeReceipt(messageKey: string, nowMs: number, report?: FinalReport): Receipt | undefined;
  isDelivered(messageKeys: readonly string[], nowMs: number): boolean;
}

/** The receipts of `memoryState()`, and those that a Redis state keeps while Redis is lost. */
export function memoryReceipts(people: People = newPeople()): MemoryReceipts {
  const receipts = new Map<string, Receipt>();
  // A `Map` iterator also visits entries that are added later. One that stood still would keep deleted
  // entries alive.
  let sweep = receipts.entries();
  // Used while the map is full. A new iterator has to skip the gaps of all deleted entries.
  let oldest: MapIterator<string> | undefined;

  const reports = new LRUCache<string, { readonly report: FinalReport; readonly untilMs: number }>(
    atMost(MAX_REPORTS),
  );
  const reportOf = (messageKey: string, nowMs: number): FinalReport | undefined => {
    const known = reports.get(messageKey);
    return known !== undefined && known.untilMs > nowMs ? known.report : undefined;
  };
  const remember = (messageKey: string, report: FinalReport, nowMs: number): void => {
    if (report.status === 'failed' && reportOf(messageKey, nowMs) !== undefined) return;
    reports.set(messageKey, { report, untilMs: nowMs + REPORT_LIFE_MS });
  };

  /** Drops codes and numbers soon after they expire, without a timer, even if older entries live longer. */
  const dropExpired = (nowMs: number): void => {
    for (let count = 0; count < CHECKED_PER_RECEIPT; count += 1) {
      const next = sweep.next();
      if (next.done === true) {
        sweep = receipts.entries();
        return;
      }
      const [messageKey, { expiresAtMs }] = next.value;
      if (expiresAtMs <= nowMs) receipts.delete(messageKey);
    }
  };
  const keep = (messageKey: string, receipt: Receipt): void => {
    // Moves an existing entry to the end.
    receipts.delete(messageKey);
    receipts.set(messageKey, receipt);
    if (receipts.size <= MAX_RECEIPTS) {
      oldest = undefined;
      return;
    }
    oldest ??= receipts.keys();
    const { value: key } = oldest.next();
    if (key !== undefined) receipts.delete(key);
  };

  return {
    overtake(person, { eventKey, isPreview, nowMs, ageMs = 0, after, untilMs }) {
      const known = people.get(person);
      const alive = known !== undefined && known.untilMs > nowMs ? known : undefined;
      const beside = isPreview ? alive : undefined;
      const atMs = nowMs - ageMs;
      // An event that arrives now is the newest, whatever any clock says.
      const isLate = !isPreview && ageMs > 0 && alive !== undefined && alive.atMs > atMs;
      // Previews supersede nothing. Those that are known came after an event that is recorded late.
      if (isLate && alive.eventKey !== undefined && alive.eventKey !== after) return;
      const next = known ?? new Person();
      const before = isLate ? alive.previews : NONE;
      next.previews = isPreview ? [...(beside?.previews ?? []), eventKey].slice(-MAX_PREVIEWS) : before;
      next.atMs = beside?.atMs ?? atMs;
      next.untilMs = Math.max(untilMs, alive?.untilMs ?? 0);
      next.eventKey = isPreview ? beside?.eventKey : eventKey;
      dropExpiredCodes(next, nowMs);
      people.set(person, next);
    },
    isNewest(person, eventKey, nowMs) {
      const newest = people.get(person);
      if (newest === undefined || newest.untilMs <= nowMs) return 'unknown';
      return newest.eventKey === eventKey || newest.previews.includes(eventKey);
    },
    keepReceipt(messageKey, receipt, nowMs) {
      dropExpired(nowMs);
      const report = reportOf(messageKey, nowMs);
      if (report === undefined) keep(messageKey, receipt);
      return report;
    },
    takeReceipt(messageKey, nowMs, report) {
      const kept = receipts.get(messageKey);
      receipts.delete(messageKey);
      const receipt = kept !== undefined && kept.expiresAtMs > nowMs ? kept : undefined;
      if (report !== undefined && (receipt === undefined || report.status === 'failed'))
        remember(messageKey, report, nowMs);
      return receipt;
    },
    isDelivered: (messageKeys, nowMs) =>
      messageKeys.some((id) => reportOf(id, nowMs)?.status === 'delivered'),
  };
}
