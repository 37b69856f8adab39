import { randomBytes } from 'node:crypto';
import { staysBefore, TAKEN_MS, type LastCode } from '../../delivery/messages/sent-codes.js';
import type { Life, SentCodeUse } from '../../delivery/state.js';
import { memorySentCodes } from '../memory/receipts.js';
import type { RedisConnection } from './connection.js';
import { openCopies, sealCopies, type Sealing } from './sealing.js';
import { ACCEPTED } from './step-scripts.js';
import { PendingWrites } from './pending-writes.js';

/** Keeps the last code of each person in Redis: Okta may report its use to any gateway. */

type DeliveryChannel = LastCode['deliveryChannel'];

/**
 * A write that waits until Redis is back. `atMs` is when it happened, by the monotonic clock of this process.
 */
interface PendingWrite {
  readonly person: string;
  readonly deliveryChannel: DeliveryChannel;
  readonly life: Life;
  readonly atMs: number;
}

/**
 * Sealed codes that expire. While Redis is lost, this process keeps them; when Redis is back it writes them.
 */
export class RedisSentCodes {
  readonly #connection: RedisConnection;
  readonly #sealings: readonly Sealing[];
  readonly #local = memorySentCodes();
  readonly #pending: PendingWrites<PendingWrite>;
  readonly #tokenPrefix = randomBytes(9).toString('base64url');
  #takes = 0;

  constructor(connection: RedisConnection, sealings: readonly Sealing[]) {
    this.#connection = connection;
    this.#sealings = sealings;
    this.#pending = new PendingWrites(connection, { write: (item) => this.#write(item) });
  }

  /** The call does not wait for it. */
  keepSent(person: string, code: LastCode, life: Life): void {
    if (this.#connection.health === 'lost') this.#keepLocally(person, code, life);
    else {
      this.#keep(person, code, life.untilMs - life.nowMs).catch(() => {
        this.#keepLocally(person, code, life);
      });
    }
  }

  /**
   * A code that was requested while Redis was lost is kept here, and Redis may have another: the newer one
   * counts.
   */
  async takeSent(person: string, use: SentCodeUse): Promise<LastCode | undefined> {
    const here = this.#local.takeSent(person, use);
    const there = await this.#take(person, use);
    // A write that was under way may have failed: then this process has kept the code meanwhile.
    const since = this.#local.takeSent(person, use);
    return newestOf([here, there, since]);
  }

  async #take(person: string, { deliveryChannel, usedMs }: SentCodeUse): Promise<LastCode | undefined> {
    const names = this.#namesOf(person, deliveryChannel);
    const wait = this.#connection.waitToBeBack();
    this.#takes += 1;
    const token = `${this.#tokenPrefix}${this.#takes}`;
    const once = (): Promise<readonly (Buffer | null)[]> =>
      this.#connection.execute((client) =>
        client.takeSentBuffer(names.length, ...names, usedMs, TAKEN_MS, token),
      );
    // Once more if the connection ended: with its token, Redis replies the same. After a second failure the code counts as taken.
    const kept = await once()
      .catch(async () => ((await wait()) ? once() : []))
      .catch(() => []);
    const copies = kept.map((copy) => copy?.subarray(copy.indexOf(' ') + 1));
    const text = openCopies(this.#sealings, 'sent', names, copies);
    return text === undefined ? undefined : (JSON.parse(text) as LastCode);
  }

  async #keep(person: string, code: LastCode, leftMs: number): Promise<void> {
    if (leftMs <= 0) return;
    const names = this.#namesOf(person, code.deliveryChannel);
    const copies = sealCopies(this.#sealings, 'sent', names, JSON.stringify(code));
    const { atMs } = code.codeRequest;
    const mark = code.status === 'accepted' ? ACCEPTED : '';
    await this.#connection.run(
      copies.map((sealed, at) => ({
        name: 'keepSent',
        keys: names.slice(at, at + 1),
        args: [atMs, mark, sealed, Math.ceil(leftMs)],
      })),
    );
  }

  #keepLocally(person: string, code: LastCode, life: Life): void {
    const { deliveryChannel } = code;
    this.#local.keepSent(person, code, life);
    this.#pending.add({ person, deliveryChannel, life, atMs: performance.now() });
  }

  #namesOf(person: string, deliveryChannel: DeliveryChannel): readonly string[] {
    return this.#sealings.map((sealing) => sealing.nameOf('sent', `${deliveryChannel} ${person}`));
  }

  async #write({ person, deliveryChannel, life, atMs }: PendingWrite): Promise<void> {
    const nowMs = life.nowMs + performance.now() - atMs;
    const code = this.#local.moveSent(person, deliveryChannel, nowMs);
    // Its use was reported meanwhile, or the code has expired.
    if (code === undefined) return;
    await this.#keep(person, code, life.untilMs - nowMs).catch(() => {
      this.#keepLocally(person, code, { nowMs, untilMs: life.untilMs });
    });
  }
}

/** The code that was requested last. */
function newestOf(codes: readonly (LastCode | undefined)[]): LastCode | undefined {
  return codes.reduce((best, code) =>
    best === undefined || (code !== undefined && !staysBefore(best, code)) ? code : best,
  );
}
