import {
  REPORT_LIFE_MS,
  type NewEvent,
  type Receipt,
  type ReceiptState,
} from '../../delivery/late/receipt.js';
import type { FinalReport } from '../../delivery/late/report.js';
import { steadyMs } from '../../core/steady-clock.js';
import { MAX_PREVIEWS, memoryReceipts } from '../memory/receipts.js';
import type { RedisConnection } from './connection.js';
import { RedisFailure } from './failure.js';
import { openCopies, sealCopies, type Sealing } from './sealing.js';
import { Untold } from './pending-writes.js';

/** What was sent, and which event of a person is the newest, for every gateway. */

interface Life {
  readonly nowMs: number;
  readonly untilMs: number;
}

/** What Redis has to learn, and when it was, by this process's own monotonic clock. */
type Happening = { readonly atMs: number } & (
  | { readonly what: 'event'; readonly person: string; readonly event: NewEvent }
  | {
      readonly what: 'receipt';
      readonly messageKey: string;
      readonly life: Life;
      /** Told what was reported of its message to others meanwhile. */
      readonly onTold: (report: FinalReport | undefined) => void;
      /** Told what keeps the receipt from being written. */
      readonly onFailed: (error: unknown) => void;
    }
  | {
      readonly what: 'report';
      readonly messageKey: string;
      readonly report: FinalReport;
      /** Told of the receipt, where Redis has one. */
      readonly onReceipt: (receipt: Receipt) => void;
    }
);

/**
 * Receipts in Redis, sealed, gone with their code. While Redis is lost this process keeps them; when it is back it is told
 * them, each as old as it is, so that gateways agree again.
 */
export class RedisReceipts implements ReceiptState {
  readonly #connection: RedisConnection;
  readonly #sealings: readonly Sealing[];
  /** While Redis is lost, what it has to learn. */
  readonly #here = memoryReceipts();
  /** What this process has given to Redis, to know whose message has failed while Redis is lost. */
  readonly #given = memoryReceipts();
  readonly #untold: Untold<Happening>;

  constructor(connection: RedisConnection, sealings: readonly Sealing[]) {
    this.#connection = connection;
    this.#sealings = sealings;
    this.#untold = new Untold<Happening>(connection, {
      tell: (happening) => this.#tell(happening),
      onDropped: (happening) => {
        if (happening.what === 'receipt') happening.onTold(undefined);
      },
    });
  }

  overtake(person: string, event: NewEvent): void {
    const ageMs = event.ageMs ?? 0;
    const atMs = performance.now() - ageMs;
    // Also what Redis may have done: told twice it is the same.
    const tellLater = (): void => {
      this.#untold.add({ what: 'event', person, event, atMs });
    };
    if (this.#connection.health === 'lost') tellLater();
    else this.#overtake(person, event, ageMs).catch(tellLater);
  }

  /** While Redis is lost another gateway may have been asked for a newer code: nobody can say. */
  async isNewest(person: string, eventKey: string): Promise<boolean | 'unknown'> {
    await this.#untold.telling;
    if (this.#connection.health === 'lost') return 'unknown';
    // All of them leave together.
    const known = await this.#connection
      .ask((client) =>
        Promise.all(this.#sealings.map((sealing) => client.get(sealing.nameOf('person', person)))),
      )
      .catch(() => []);
    const copies = known.flatMap((copy) => {
      const [stamp = '', ...events] = copy?.split(' ') ?? [];
      return stamp === '' ? [] : [{ count: Number(stamp.split('#')[1] ?? 0), events }];
    });
    // A gateway that has one of the keys alone writes that one alone.
    const [best] = copies.sort((one, two) => two.count - one.count);
    if (best === undefined) return 'unknown';
    return this.#sealings.some((sealing) => best.events.includes(sealing.digestOf('newest', eventKey)));
  }

  /** While Redis is lost, told once it is back. What Redis may have done is not kept here as well: a receipt is there once. */
  async keepReceipt(messageKey: string, receipt: Receipt, life: Life): Promise<FinalReport | undefined> {
    if (this.#connection.health === 'lost') return this.#keepHere(messageKey, receipt, life);
    try {
      return await this.#keep(messageKey, receipt, life);
    } catch (error) {
      // Not Redis's: the receipt cannot be written.
      if (!(error instanceof RedisFailure)) throw error;
      return error.mayBeDone ? undefined : this.#keepHere(messageKey, receipt, life);
    }
  }

  async takeReceipt(
    messageKey: string,
    nowMs: number,
    report: FinalReport,
    onLate?: (receipt: Receipt) => void,
  ): Promise<Receipt | undefined> {
    const kept = this.#here.takeReceipt(messageKey, nowMs, report);
    if (kept !== undefined) return kept;
    const given = this.#given.takeReceipt(messageKey, nowMs);
    try {
      // Who asks waits a little longer than that, and a report comes but once.
      if (this.#connection.health === 'ok' || (await this.#connection.isBack()))
        return await this.#take(messageKey, nowMs, report);
    } catch (error) {
      if (!(error instanceof RedisFailure)) throw error;
    }
    // Whether another gateway has taken it nobody knows: a code that may go out twice does not.
    const onReceipt = (receipt: Receipt): void => {
      if (given === undefined) onLate?.({ ...receipt, wasLost: true });
    };
    this.#untold.add({ what: 'report', messageKey, report, onReceipt, atMs: performance.now() });
    return given === undefined ? undefined : { ...given, wasLost: true };
  }

  /** @throws RedisFailure where Redis does not do it, Error for what none of the keys opens. */
  async #take(messageKey: string, nowMs: number, report: FinalReport): Promise<Receipt | undefined> {
    const names = this.#namesOf(messageKey);
    const receiptNames = names.map(([name]) => name);
    const reports = this.#sealings.map((sealing, at) =>
      sealing.seal('report', names[at]?.[1] ?? '', JSON.stringify(report)),
    );
    const isDelivered = report.status === 'delivered' ? '1' : '0';
    const keys = names.flat();
    const [leftMs, ...copies] = await this.#connection.ask((client) =>
      client.takeReceiptBuffer(keys.length, ...keys, isDelivered, REPORT_LIFE_MS, ...reports),
    );
    const text = openCopies(this.#sealings, 'receipt', receiptNames, copies);
    if (text === undefined) return undefined;
    // The gateway that kept it goes by another clock.
    return { ...(JSON.parse(text) as Receipt), expiresAtMs: nowMs + leftMs };
  }

  async isDelivered(messageKeys: readonly string[], nowMs: number): Promise<boolean> {
    if (this.#here.isDelivered(messageKeys, nowMs)) return true;
    if (this.#connection.health === 'lost') return false;
    // All of them, and what is newest, leave together.
    const asking = messageKeys.flatMap((id) =>
      this.#sealings.map((sealing) => ({ sealing, name: sealing.nameOf('report', id) })),
    );
    const reports = await this.#connection
      .ask((client) => Promise.all(asking.map(({ name }) => client.getBuffer(name))))
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
      // What is new takes the place of any.
      after === undefined || ageMs === 0 ? '' : sealing.digestOf('newest', after),
    ]);
    const keys = this.#sealings.map((sealing) => sealing.nameOf('person', person));
    const args = [isPreview ? '1' : '0', leftMs, MAX_PREVIEWS, Math.ceil(ageMs), ...events];
    await this.#connection.run([{ name: 'overtakePerson', keys, args }]);
  }

  async #keep(messageKey: string, receipt: Receipt, life: Life): Promise<FinalReport | undefined> {
    const leftMs = life.untilMs - life.nowMs;
    if (leftMs <= 0) return undefined;
    void this.#given.keepReceipt(messageKey, receipt, life);
    const names = this.#namesOf(messageKey);
    const receiptNames = names.map(([name]) => name);
    const copies = sealCopies(this.#sealings, 'receipt', receiptNames, textOf(receipt));
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

  async #keepHere(messageKey: string, receipt: Receipt, life: Life): Promise<FinalReport | undefined> {
    const report = this.#here.keepReceipt(messageKey, receipt, life);
    if (report !== undefined) return report;
    return new Promise((onTold, onFailed) => {
      this.#untold.add({ what: 'receipt', messageKey, life, atMs: performance.now(), onTold, onFailed });
    });
  }

  /** Of each key, those of the receipt and of the report of a message. */
  #namesOf(messageKey: string): readonly (readonly [receipt: string, report: string])[] {
    return this.#sealings.map((sealing) => [
      sealing.nameOf('receipt', messageKey),
      sealing.nameOf('report', messageKey),
    ]);
  }

  async #tell(happening: Happening): Promise<void> {
    const ageMs = performance.now() - happening.atMs;
    if (happening.what === 'event') {
      // Told twice it is the same.
      await this.#overtake(happening.person, happening.event, ageMs).catch(() => {
        this.#untold.add(happening);
      });
      return;
    }
    if (happening.what === 'report') {
      const { messageKey, report, onReceipt } = happening;
      try {
        const receipt = await this.#take(messageKey, steadyMs(), report);
        if (receipt !== undefined) onReceipt(receipt);
      } catch (error) {
        if (error instanceof RedisFailure) this.#untold.add(happening);
      }
      return;
    }
    const { messageKey, life, onTold, onFailed } = happening;
    const nowMs = life.nowMs + ageMs;
    const receipt = this.#here.takeReceipt(messageKey, nowMs);
    // It was taken, or its code has ended: nobody waits for it any more.
    if (receipt === undefined) {
      onTold(undefined);
      return;
    }
    await this.#keep(messageKey, receipt, { nowMs, untilMs: life.untilMs }).then(onTold, (error: unknown) => {
      if (!(error instanceof RedisFailure)) {
        onFailed(error);
        return;
      }
      if (error.mayBeDone) {
        onTold(undefined);
        return;
      }
      const report = this.#here.keepReceipt(messageKey, receipt, { nowMs, untilMs: life.untilMs });
      if (report === undefined) this.#untold.add(happening);
      else onTold(report);
    });
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

/** @throws Error where nothing of it can be written. */
function textOf(receipt: Receipt): string {
  try {
    return JSON.stringify(receipt);
  } catch {
    // All that Okta sent, or a parser of the gateway's made of it, may be nested too deep or go in a circle.
    return JSON.stringify({ ...receipt, request: { ...receipt.request, raw: undefined } });
  }
}
