import type { NewEvent, Receipt, ReceiptState } from '../delivery/receipt.js';
import { memoryReceipts } from './memory-receipts.js';
import type { RedisConnection } from './redis-connection.js';
import { failureOf } from './redis-failure.js';
import type { Sealing } from './sealing.js';

/** What was sent, and which event of a person is the newest, for every gateway. */

/** An administrator who presses Preview again and again has no more of them pending. */
const MAX_PREVIEWS = 20;

/** What is kept to be told to Redis: about 50 codes a second for three minutes. The older half is dropped first. */
const MAX_UNTOLD = 20_000;

/** Told at once; the next ones when Redis has done these, so that codes do not stand behind all of them. */
const TOLD_AT_ONCE = 50;

interface Life {
  readonly nowMs: number;
  readonly untilMs: number;
}

/** What Redis has to learn when it is back, and when it was, by this process's own monotonic clock. */
type Untold = { readonly atMs: number } & (
  | { readonly what: 'event'; readonly person: string; readonly event: NewEvent }
  | { readonly what: 'receipt'; readonly transactionId: string; readonly life: Life }
);

/**
 * Receipts in Redis, sealed, gone with their code. While Redis is lost this process keeps them; when it is back it is told
 * them, each as old as it is, so that gateways agree again.
 */
export class RedisReceipts implements ReceiptState {
  readonly #connection: RedisConnection;
  readonly #sealing: Sealing;
  readonly #here = memoryReceipts();
  #untold: Untold[] = [];
  /** While Redis is being told. */
  #telling: Promise<void> | undefined;

  constructor(connection: RedisConnection, sealing: Sealing) {
    this.#connection = connection;
    this.#sealing = sealing;
    connection.watch(({ type }) => {
      if (type !== 'recovered') return;
      this.#telling ??= this.#tellAll().finally(() => {
        this.#telling = undefined;
      });
    });
  }

  overtake(person: string, event: NewEvent): void {
    this.#write(
      () => this.#overtake(person, event, 0),
      () => {
        void this.#here.overtake(person, event);
        this.#tellLater({ what: 'event', person, event, atMs: performance.now() });
      },
    );
  }

  async isNewest(person: string, eventKey: string, nowMs: number): Promise<boolean> {
    await this.#telling;
    if (this.#connection.health === 'ok') {
      const name = this.#sealing.nameOf('person', person);
      const known = await this.#connection.ask((client) => client.get(name)).catch(() => null);
      const event = this.#sealing.digestOf('newest', eventKey);
      if (known !== null) return known.split(' ').slice(1).includes(event);
    }
    return this.#here.isNewest(person, eventKey, nowMs);
  }

  keepReceipt(transactionId: string, receipt: Receipt, life: Life): void {
    this.#write(
      () => this.#keep(transactionId, receipt, life.untilMs - life.nowMs),
      () => {
        void this.#here.keepReceipt(transactionId, receipt, life);
        this.#tellLater({ what: 'receipt', transactionId, life, atMs: performance.now() });
      },
    );
  }

  async takeReceipt(transactionId: string, nowMs: number): Promise<Receipt | undefined> {
    const kept = await this.#here.takeReceipt(transactionId, nowMs);
    if (kept !== undefined || this.#connection.health === 'lost') return kept;
    const name = this.#sealing.nameOf('receipt', transactionId);
    // Where nobody knows whether it was taken, it was: a code that may go out twice does not.
    const sealed = await this.#connection
      .ask((client) => client.takeReceiptBuffer(1, name))
      .catch(() => null);
    if (sealed === null) return undefined;
    const text = this.#sealing.open('receipt', name, sealed);
    if (text === undefined) throw new Error('a receipt does not open with encryptionKeys');
    return JSON.parse(text) as Receipt;
  }

  async #overtake(person: string, { eventKey, isPreview, nowMs, untilMs }: NewEvent, ageMs: number) {
    const leftMs = Math.ceil(untilMs - nowMs - ageMs);
    if (leftMs <= 0) return;
    const name = this.#sealing.nameOf('person', person);
    const event = this.#sealing.digestOf('newest', eventKey);
    const words = [event, isPreview ? '1' : '0', leftMs, MAX_PREVIEWS, Math.ceil(ageMs)];
    await this.#connection.ask((client) => client.overtakePerson(1, name, ...words));
  }

  async #keep(transactionId: string, receipt: Receipt, leftMs: number): Promise<void> {
    if (leftMs <= 0) return;
    const name = this.#sealing.nameOf('receipt', transactionId);
    const sealed = this.#sealing.seal('receipt', name, JSON.stringify(receipt));
    await this.#connection.ask((client) => client.set(name, sealed, 'PX', Math.ceil(leftMs)));
  }

  /** Not waited for. What Redis may have done is not kept here as well: a receipt is there once. */
  #write(toRedis: () => Promise<void>, here: () => void): void {
    if (this.#connection.health === 'lost') {
      here();
      return;
    }
    toRedis().catch((error: unknown) => {
      if (!failureOf(error).mayBeDone) here();
    });
  }

  #tellLater(untold: Untold): void {
    if (this.#untold.length >= MAX_UNTOLD) this.#untold.splice(0, MAX_UNTOLD / 2);
    this.#untold.push(untold);
  }

  async #tellAll(): Promise<void> {
    while (this.#untold.length > 0 && this.#connection.health === 'ok') {
      const some = this.#untold.splice(0, TOLD_AT_ONCE);
      await Promise.all(some.map((untold) => this.#tell(untold)));
    }
  }

  async #tell(untold: Untold): Promise<void> {
    const ageMs = performance.now() - untold.atMs;
    if (untold.what === 'event') {
      // Told twice it is the same.
      await this.#overtake(untold.person, untold.event, ageMs).catch(() => this.#untold.push(untold));
      return;
    }
    const { transactionId, life } = untold;
    const nowMs = life.nowMs + ageMs;
    const receipt = await this.#here.takeReceipt(transactionId, nowMs);
    if (receipt === undefined) return;
    await this.#keep(transactionId, receipt, life.untilMs - nowMs).catch((error: unknown) => {
      if (failureOf(error).mayBeDone) return;
      void this.#here.keepReceipt(transactionId, receipt, { nowMs, untilMs: life.untilMs });
      this.#untold.push(untold);
    });
  }
}
