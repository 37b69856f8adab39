import {
  staysBefore,
  TAKEN_MS,
  type LastCode,
  type SentCodeLife,
  type SentCodeUse,
} from '../delivery/sent-codes.js';
import { memorySentCodes } from './memory-sent-codes.js';
import type { RedisConnection } from './redis-connection.js';
import type { Sealing } from './sealing.js';
import { ACCEPTED } from './redis-scripts.js';
import { Untold } from './untold.js';

/** The last code that each user asked for, for every gateway: Okta may tell any of them that it was used. */

/** What Redis has to learn, and when it was, by this process's own monotonic clock. */
interface Happening {
  readonly key: string;
  readonly life: SentCodeLife;
  readonly atMs: number;
}

/** Sealed, and gone in their time. While Redis is lost this process keeps them; when it is back it is told them. */
export class RedisSentCodes {
  readonly #connection: RedisConnection;
  readonly #sealing: Sealing;
  readonly #here = memorySentCodes();
  readonly #untold: Untold<Happening>;

  constructor(connection: RedisConnection, sealing: Sealing) {
    this.#connection = connection;
    this.#sealing = sealing;
    this.#untold = new Untold(connection, { tell: (happening) => this.#tell(happening) });
  }

  /** Written behind the answer: nobody waits for it. */
  keepSent(key: string, code: LastCode, life: SentCodeLife): void {
    if (this.#connection.health === 'lost') this.#keepHere(key, code, life);
    else {
      this.#keep(key, code, life.untilMs - life.nowMs).catch(() => {
        this.#keepHere(key, code, life);
      });
    }
  }

  /** One that was asked for while Redis was lost is here, and there may be another: the newer one is it. */
  async takeSent(key: string, use: SentCodeUse): Promise<LastCode | undefined> {
    const here = this.#here.takeSent(key, use);
    const there = await this.#take(key, use.usedMs);
    if (here === undefined || there === undefined) return here ?? there;
    return staysBefore(here, there) ? here : there;
  }

  async #take(key: string, usedMs: number): Promise<LastCode | undefined> {
    if (this.#connection.health === 'lost') return undefined;
    const name = this.#sealing.nameOf('sent', key);
    // Where nobody knows whether it was taken, it was.
    const kept = await this.#connection
      .ask((client) => client.takeSentBuffer(1, name, usedMs, TAKEN_MS))
      .catch(() => null);
    if (kept === null) return undefined;
    const text = this.#sealing.open('sent', name, kept.subarray(kept.indexOf(' ') + 1));
    if (text === undefined) throw new Error('a sent code does not open with encryptionKeys');
    return JSON.parse(text) as LastCode;
  }

  async #keep(key: string, code: LastCode, leftMs: number): Promise<void> {
    if (leftMs <= 0) return;
    const name = this.#sealing.nameOf('sent', key);
    const sealed = this.#sealing.seal('sent', name, JSON.stringify(code));
    const { atMs } = code.asked;
    const mark = code.status === 'accepted' ? ACCEPTED : '';
    await this.#connection.run({
      name: 'keepSent',
      keys: [name],
      args: [atMs, mark, sealed, Math.ceil(leftMs)],
    });
  }

  #keepHere(key: string, code: LastCode, life: SentCodeLife): void {
    this.#here.keepSent(key, code, life);
    this.#untold.add({ key, life, atMs: performance.now() });
  }

  async #tell({ key, life, atMs }: Happening): Promise<void> {
    const nowMs = life.nowMs + performance.now() - atMs;
    const code = this.#here.moveSent(key, nowMs);
    // Its use was told meanwhile, or nobody needs to know of it any more.
    if (code === undefined) return;
    await this.#keep(key, code, life.untilMs - nowMs).catch(() => {
      this.#keepHere(key, code, { nowMs, untilMs: life.untilMs });
    });
  }
}
