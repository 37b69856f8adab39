import { randomBytes } from 'node:crypto';
import { REPORT_LIFE_MS, type Receipt, type FinalReport } from '../../delivery/messages/receipt.js';
import type { NewEvent, ReceiptState } from '../../delivery/state.js';
import { steadyMs } from '../../core/time.js';
import { MAX_PREVIEWS, memoryReceipts } from '../memory/receipts.js';
import type { RedisConnection } from './connection.js';
import { failureOf, RedisFailure } from './failure.js';
import { openCopies, sealCopies, type Sealing } from './sealing.js';
import { PendingWrites } from './pending-writes.js';

/** Keeps receipts, delivery reports and the newest event of each person in Redis, for all gateways. */

/**
 * A write that waits until Redis is back. `atMs` is when it happened, by the monotonic clock of this process.
 */
type PendingWrite = PendingEvent | PendingReceipt | PendingReport;

interface PendingEvent {
  readonly type: 'event';
  readonly atMs: number;
  readonly person: string;
  readonly event: NewEvent;
}

interface PendingReceipt {
  readonly type: 'receipt';
  readonly atMs: number;
  readonly messageKey: string;
  /** When it was to be kept, by the steady clock. */
  readonly nowMs: number;
  /** What Redis may have; `undefined` if it certainly has nothing. */
  readonly sent: SealedReceipt | undefined;
  /** Receives the report of the message that came meanwhile, if any. */
  readonly onWritten: (report: FinalReport | undefined) => void;
  /** Receives an error that is not Redis's. */
  readonly onFailed: (error: unknown) => void;
}

interface PendingReport {
  readonly type: 'report';
  readonly atMs: number;
  readonly messageKey: string;
  readonly report: FinalReport;
  readonly token: string;
  /** Receives the receipt if Redis has it. */
  readonly onReceipt: (receipt: Receipt) => void;
}

/** A receipt as Redis gets it. The same bytes are kept once, however often they come. */
interface SealedReceipt {
  readonly receipt: Receipt;
  /** As `#namesOf`. */
  readonly names: readonly (readonly [receipt: string, report: string])[];
  readonly copies: readonly Buffer[];
}

/**
 * Sealed receipts that expire with their code. While Redis is lost, this process keeps them; when Redis is
 * back it writes them with their age, so that gateways agree again.
 */
export class RedisReceipts implements ReceiptState {
  readonly #connection: RedisConnection;
  readonly #sealings: readonly Sealing[];
  /** What waits for Redis while it is lost. */
  readonly #local = memoryReceipts();
  /** What this process has written to Redis, to recognise its own messages while Redis is lost. */
  readonly #written = memoryReceipts();
  /** The messages whose receipts Redis may have, and which are written again. */
  readonly #unsure = new Set<string>();
  readonly #tokenPrefix = randomBytes(9).toString('base64url');
  #takes = 0;
  readonly #pending: PendingWrites<PendingWrite>;

  constructor(connection: RedisConnection, sealings: readonly Sealing[]) {
    this.#connection = connection;
    this.#sealings = sealings;
    this.#pending = new PendingWrites<PendingWrite>(connection, {
      write: (item) => this.#write(item),
      onDropped: (item) => {
        if (item.type !== 'receipt') return;
        this.#unsure.delete(item.messageKey);
        item.onWritten(undefined);
      },
    });
  }

  overtake(person: string, event: NewEvent): void {
    const ageMs = event.ageMs ?? 0;
    const atMs = performance.now() - ageMs;
    // Also if Redis may have done it: a second write changes nothing.
    const writeLater = (): void => {
      this.#pending.add({ type: 'event', person, event, atMs });
    };
    if (this.#connection.health === 'lost') writeLater();
    else this.#overtake(person, event, ageMs).catch(writeLater);
  }

  /** `'unknown'` while Redis is lost: another gateway may have received a newer request. */
  async isNewest(person: string, eventKey: string): Promise<boolean | 'unknown'> {
    await this.#pending.writing;
    if (this.#connection.health === 'lost') return 'unknown';
    // The requests leave in one turn.
    const known = await this.#connection
      .execute((client) =>
        Promise.all(this.#sealings.map((sealing) => client.get(sealing.nameOf('person', person)))),
      )
      .catch(() => []);
    const copies = known.flatMap((copy) => {
      const [stamp = '', ...events] = copy?.split(' ') ?? [];
      return stamp === '' ? [] : [{ count: Number(stamp.split('#')[1] ?? 0), events }];
    });
    // A gateway with only one of the keys writes only that copy.
    const [best] = copies.sort((one, two) => two.count - one.count);
    if (best === undefined) return 'unknown';
    return this.#sealings.some((sealing) => best.events.includes(sealing.digestOf('newest', eventKey)));
  }

  /** While Redis is lost, written once it is back. If Redis may have it, the same bytes are written again. */
  async keepReceipt(messageKey: string, receipt: Receipt, nowMs: number): Promise<FinalReport | undefined> {
    if (this.#connection.health === 'lost') return this.#keepLocally(messageKey, receipt, nowMs);
    if (receipt.expiresAtMs <= nowMs) return undefined;
    const sealed = this.#seal(messageKey, receipt);
    try {
      return await this.#keep(messageKey, sealed, nowMs);
    } catch (error) {
      // A failure of Redis: everything that it gets is sealed by now.
      const { mayBeDone } = failureOf(error);
      return mayBeDone
        ? this.#keepAgain(messageKey, sealed, nowMs)
        : this.#keepLocally(messageKey, receipt, nowMs);
    }
  }

  async takeReceipt(
    messageKey: string,
    nowMs: number,
    report: FinalReport,
    onLate?: (receipt: Receipt) => void,
  ): Promise<Receipt | undefined> {
    const kept = this.#local.takeReceipt(messageKey, nowMs, report);
    if (kept !== undefined) return kept;
    const written = this.#written.takeReceipt(messageKey, nowMs);
    this.#takes += 1;
    const token = `${this.#tokenPrefix}${this.#takes} `;
    const wait = this.#connection.waitToBeBack();
    // The second time after a connection that ended with the first: with its token, Redis replies the same.
    for (let tries = 1; tries <= 2; tries += 1) {
      // The caller waits a little longer than this, and a report comes only once.
      if (this.#connection.health === 'lost' && !(await wait())) break;
      try {
        return await this.#take(messageKey, nowMs, report, token);
      } catch (error) {
        if (!(error instanceof RedisFailure)) throw error;
      }
    }
    // Another gateway may have taken the receipt. A code that could go out twice is not sent.
    const onReceipt = (receipt: Receipt): void => {
      if (written === undefined) onLate?.({ ...receipt, wasLost: true });
    };
    this.#pending.add({ type: 'report', messageKey, report, token, onReceipt, atMs: performance.now() });
    if (written === undefined) return undefined;
    this.#unsure.delete(messageKey);
    return { ...written, wasLost: true };
  }

  /** @throws RedisFailure if Redis does not do it, Error if no key opens the receipt. */
  async #take(
    messageKey: string,
    nowMs: number,
    report: FinalReport,
    token: string,
  ): Promise<Receipt | undefined> {
    const names = this.#namesOf(messageKey);
    const receiptNames = names.map(([name]) => name);
    const reports = this.#sealings.map((sealing, at) =>
      sealing.seal('report', names[at]?.[1] ?? '', JSON.stringify(report)),
    );
    const isNaming = report.status === 'delivered' && report.messageKey !== undefined;
    const kind = isNaming ? 'named' : report.status;
    const keys = names.flatMap(([name, reportName]) => [name, reportName, `${name}:taken`]);
    const [leftMs, ...copies] = await this.#connection.execute((client) =>
      client.takeReceiptBuffer(keys.length, ...keys, kind, REPORT_LIFE_MS, token, ...reports),
    );
    const text = openCopies(this.#sealings, 'receipt', receiptNames, copies);
    if (text === undefined) return undefined;
    // The gateway that kept the receipt has another clock.
    return { ...(JSON.parse(text) as Receipt), expiresAtMs: nowMs + leftMs };
  }

  async isDelivered(messageKeys: readonly string[], nowMs: number): Promise<boolean> {
    if (this.#local.isDelivered(messageKeys, nowMs)) return true;
    if (this.#connection.health === 'lost') return false;
    // All of them, and what is newest, leave together.
    const asking = messageKeys.flatMap((id) =>
      this.#sealings.map((sealing) => ({ sealing, name: sealing.nameOf('report', id) })),
    );
    const reports = await this.#connection
      .execute((client) => Promise.all(asking.map(({ name }) => client.getBuffer(name))))
      .catch(() => []);
    return asking.some(
      ({ sealing, name }, at) => openReport(sealing, name, reports[at])?.status === 'delivered',
    );
  }

  async #overtake(person: string, { eventKey, isPreview, nowMs, after, untilMs }: NewEvent, ageMs: number) {
    const leftMs = Math.ceil(untilMs - nowMs - ageMs);
    if (leftMs <= 0) return;
    const events = this.#sealings.flatMap((sealing) => [
      sealing.digestOf('newest', eventKey),
      // An event that arrives now supersedes any other.
      after === undefined || ageMs === 0 ? '' : sealing.digestOf('newest', after),
    ]);
    const keys = this.#sealings.map((sealing) => sealing.nameOf('person', person));
    const args = [isPreview ? '1' : '0', leftMs, MAX_PREVIEWS, Math.ceil(ageMs), ...events];
    await this.#connection.run([{ name: 'overtakePerson', keys, args }]);
  }

  /** @throws TypeError if the receipt cannot be serialised. */
  #seal(messageKey: string, receipt: Receipt): SealedReceipt {
    const names = this.#namesOf(messageKey);
    const receiptNames = names.map(([name]) => name);
    return { receipt, names, copies: sealCopies(this.#sealings, 'receipt', receiptNames, textOf(receipt)) };
  }

  /** @throws RedisFailure */
  async #keep(
    messageKey: string,
    { receipt, names, copies }: SealedReceipt,
    nowMs: number,
  ): Promise<FinalReport | undefined> {
    const leftMs = receipt.expiresAtMs - nowMs;
    if (leftMs <= 0) return undefined;
    void this.#written.keepReceipt(messageKey, receipt, nowMs);
    const replies = await this.#connection.run(
      copies.map((sealed, at) => ({
        name: 'keepReceipt',
        keys: names[at] ?? [],
        args: [sealed, Math.ceil(leftMs)],
      })),
    );
    const reports = this.#sealings.map((sealing, at) =>
      openReport(sealing, names[at]?.[1] ?? '', replies[at] as Buffer | null),
    );
    return reports.find((report) => report !== undefined);
  }

  #keepAgain(messageKey: string, sent: SealedReceipt, nowMs: number): Promise<FinalReport | undefined> {
    this.#unsure.add(messageKey);
    return this.#addReceipt(messageKey, nowMs, sent);
  }

  async #keepLocally(messageKey: string, receipt: Receipt, nowMs: number): Promise<FinalReport | undefined> {
    const report = this.#local.keepReceipt(messageKey, receipt, nowMs);
    return report ?? this.#addReceipt(messageKey, nowMs);
  }

  #addReceipt(messageKey: string, nowMs: number, sent?: SealedReceipt): Promise<FinalReport | undefined> {
    const atMs = performance.now();
    return new Promise((onWritten, onFailed) => {
      this.#pending.add({ type: 'receipt', messageKey, nowMs, sent, atMs, onWritten, onFailed });
    });
  }

  /** The names of the receipt and of the report of a message, for each key. */
  #namesOf(messageKey: string): SealedReceipt['names'] {
    return this.#sealings.map((sealing) => [
      sealing.nameOf('receipt', messageKey),
      sealing.nameOf('report', messageKey),
    ]);
  }

  async #write(item: PendingWrite): Promise<void> {
    const ageMs = performance.now() - item.atMs;
    if (item.type === 'event') {
      // A second write changes nothing.
      await this.#overtake(item.person, item.event, ageMs).catch(() => {
        this.#pending.add(item);
      });
      return;
    }
    if (item.type === 'report') {
      const { messageKey, report, token, onReceipt } = item;
      try {
        const receipt = await this.#take(messageKey, steadyMs(), report, token);
        if (receipt !== undefined) onReceipt(receipt);
      } catch (error) {
        if (error instanceof RedisFailure) this.#pending.add(item);
      }
      return;
    }
    await this.#writeReceipt(item, item.nowMs + ageMs);
  }

  async #writeReceipt(item: PendingReceipt, nowMs: number): Promise<void> {
    const { messageKey, onWritten, onFailed } = item;
    let { sent } = item;
    try {
      if (sent === undefined) {
        const receipt = this.#local.takeReceipt(messageKey, nowMs);
        sent = receipt && this.#seal(messageKey, receipt);
      } else if (!this.#unsure.delete(messageKey)) sent = undefined;
      // The receipt was taken, or its code has expired.
      if (sent === undefined) onWritten(undefined);
      else onWritten(await this.#keep(messageKey, sent, nowMs));
    } catch (error) {
      // It cannot be serialised.
      if (sent === undefined || !(error instanceof RedisFailure)) onFailed(error);
      else if (error.mayBeDone || item.sent !== undefined) {
        this.#unsure.add(messageKey);
        this.#pending.add({ ...item, sent });
      } else {
        const report = this.#local.keepReceipt(messageKey, sent.receipt, nowMs);
        if (report === undefined) this.#pending.add(item);
        else onWritten(report);
      }
    }
  }
}

function openReport(
  sealing: Sealing,
  name: string,
  sealed: Buffer | null | undefined,
): FinalReport | undefined {
  const text = sealed ? sealing.open('report', name, sealed) : undefined;
  return text === undefined ? undefined : (JSON.parse(text) as FinalReport);
}

/** @throws Error if the receipt cannot be serialised. */
function textOf(receipt: Receipt): string {
  try {
    return JSON.stringify(receipt);
  } catch {
    // `raw` may be nested too deeply or, after a custom body parser, be cyclic.
    return JSON.stringify({ ...receipt, request: { ...receipt.request, raw: undefined } });
  }
}
