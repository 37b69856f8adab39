import type { NewEvent, OrderState } from '../../delivery/state.js';
import { MAX_PREVIEWS } from '../memory/receipts.js';
import type { RedisConnection } from './connection.js';
import type { Outbox } from './outbox.js';
import type { Sealing } from './sealing.js';

/** The newest event of each person, until the claim has the order. */
export class OldOrder implements OrderState {
  readonly #connection: RedisConnection;
  readonly #sealings: readonly Sealing[];
  readonly #outbox: Outbox;

  constructor(connection: RedisConnection, sealings: readonly Sealing[], outbox: Outbox) {
    this.#connection = connection;
    this.#sealings = sealings;
    this.#outbox = outbox;
  }

  overtake(person: string, event: NewEvent): void {
    const atMs = performance.now() - (event.ageMs ?? 0);
    // Whether it just came decides the first attempt alone.
    let isFirst = this.#connection.health === 'ok';
    void this.#outbox.write(`person ${person}`, async () => {
      const ageMs = isFirst ? (event.ageMs ?? 0) : performance.now() - atMs;
      isFirst = false;
      await this.#overtake(person, event, ageMs);
    });
  }

  /** `'unknown'` while Redis is lost: another gateway may have received a newer request. */
  async isNewest(person: string, eventKey: string): Promise<boolean | 'unknown'> {
    if (this.#connection.health === 'lost') return 'unknown';
    await this.#outbox.idle();
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
}
