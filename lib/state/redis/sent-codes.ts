import {
  staysBefore,
  TAKEN_MS,
  type LastCode,
  type SentCodeLife,
  type SentCodeUse,
} from '../../delivery/late/sent-codes.js';
import { memorySentCodes } from '../memory/sent-codes.js';
import type { RedisConnection } from './connection.js';
import { openCopies, sealCopies, type Sealing } from './sealing.js';
import { ACCEPTED } from './step-scripts.js';
import { Untold } from './pending-writes.js';

/** The last code that each user asked for, for every gateway: Okta may tell any of them that it was used. */

type DeliveryChannel = LastCode['deliveryChannel'];

/** What Redis has to learn, and when it was, by this process's own monotonic clock. */
interface Happening {
  readonly person: string;
  readonly deliveryChannel: DeliveryChannel;
  readonly life: SentCodeLife;
  readonly atMs: number;
}

/** Sealed, and gone in their time. While Redis is lost this process keeps them; when it is back it is told them. */
export class RedisSentCodes {
  readonly #connection: RedisConnection;
  readonly #sealings: readonly Sealing[];
  readonly #here = memorySentCodes();
  readonly #untold: Untold<Happening>;

  constructor(connection: RedisConnection, sealings: readonly Sealing[]) {
    this.#connection = connection;
    this.#sealings = sealings;
    this.#untold = new Untold(connection, { tell: (happening) => this.#tell(happening) });
  }

  /** Written behind the answer: nobody waits for it. */
  keepSent(person: string, code: LastCode, life: SentCodeLife): void {
    if (this.#connection.health === 'lost') this.#keepHere(person, code, life);
    else {
      this.#keep(person, code, life.untilMs - life.nowMs).catch(() => {
        this.#keepHere(person, code, life);
      });
    }
  }

  /** One that was asked for while Redis was lost is here, and there may be another: the newer one is it. */
  async takeSent(person: string, use: SentCodeUse): Promise<LastCode | undefined> {
    const here = this.#here.takeSent(person, use);
    const there = await this.#take(person, use);
    if (here === undefined || there === undefined) return here ?? there;
    return staysBefore(here, there) ? here : there;
  }

  async #take(person: string, { deliveryChannel, usedMs }: SentCodeUse): Promise<LastCode | undefined> {
    if (this.#connection.health === 'lost') return undefined;
    const names = this.#namesOf(person, deliveryChannel);
    // Where nobody knows whether it was taken, it was.
    const kept = await this.#connection
      .ask((client) => client.takeSentBuffer(names.length, ...names, usedMs, TAKEN_MS))
      .catch(() => []);
    const copies = kept.map((copy) => copy?.subarray(copy.indexOf(' ') + 1));
    const text = openCopies(this.#sealings, 'sent', names, copies);
    return text === undefined ? undefined : (JSON.parse(text) as LastCode);
  }

  async #keep(person: string, code: LastCode, leftMs: number): Promise<void> {
    if (leftMs <= 0) return;
    const names = this.#namesOf(person, code.deliveryChannel);
    const copies = sealCopies(this.#sealings, 'sent', names, JSON.stringify(code));
    const { atMs } = code.asked;
    const mark = code.status === 'accepted' ? ACCEPTED : '';
    await this.#connection.run(
      copies.map((sealed, at) => ({
        name: 'keepSent',
        keys: names.slice(at, at + 1),
        args: [atMs, mark, sealed, Math.ceil(leftMs)],
      })),
    );
  }

  #keepHere(person: string, code: LastCode, life: SentCodeLife): void {
    const { deliveryChannel } = code;
    this.#here.keepSent(person, code, life);
    this.#untold.add({ person, deliveryChannel, life, atMs: performance.now() });
  }

  #namesOf(person: string, deliveryChannel: DeliveryChannel): readonly string[] {
    return this.#sealings.map((sealing) => sealing.nameOf('sent', `${deliveryChannel} ${person}`));
  }

  async #tell({ person, deliveryChannel, life, atMs }: Happening): Promise<void> {
    const nowMs = life.nowMs + performance.now() - atMs;
    const code = this.#here.moveSent(person, deliveryChannel, nowMs);
    // Its use was told meanwhile, or nobody needs to know of it any more.
    if (code === undefined) return;
    await this.#keep(person, code, life.untilMs - nowMs).catch(() => {
      this.#keepHere(person, code, { nowMs, untilMs: life.untilMs });
    });
  }
}
