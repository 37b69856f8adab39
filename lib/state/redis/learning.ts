import { TIMED_OUT, waitAtMost } from '../../core/time.js';
import type {
  LearnedCode,
  LearnedSummary,
  LearnedUse,
  LearningState,
  LearnVerdict,
} from '../../delivery/learning.js';
import { DAY_MS, describeLearned, LEARN, type Tally, type Total } from '../../guard/learning.js';
import { COUNTRIES } from '../../numbers/phone-number.js';
import { MemoryLearning } from '../memory/memory-learning.js';
import type { RedisConnection } from './connection.js';
import { readReply } from './copies.js';
import type { Outbox, WriteQueue } from './outbox.js';
import type { Sealing } from './sealing.js';
import type { Step } from './steps.js';

/** How long each kind of record lives after a change, milliseconds, in the order of the scripts. */
const LIVES = [
  ['total', 400 * DAY_MS],
  ['country', (LEARN.days + 1) * DAY_MS],
  ['prefix', 2 * DAY_MS],
  ['network', DAY_MS],
  ['marker', LEARN.supersededMs],
  ['known', LEARN.knownMs],
] as const;

/** Part of every name. Raise it with each change of a record: gateways of two versions then count apart. */
const FORM = 1;

/**
 * The counts of the guard that learns, for all gateways. A code is counted in the same command as its claim. While Redis is lost, this
 * process counts alone, from zero. It goes on with the warm-up, with blindness, and with the known numbers that it has seen.
 */
export class RedisLearning implements LearningState {
  readonly #connection: RedisConnection;
  readonly #sealings: readonly Sealing[];
  readonly #outbox: Outbox;
  readonly #local = new MemoryLearning();

  constructor(connection: RedisConnection, sealings: readonly Sealing[], outbox: Outbox) {
    this.#connection = connection;
    this.#sealings = sealings;
    this.#outbox = outbox;
  }

  async count(code: LearnedCode, waitMs: number): Promise<LearnVerdict> {
    if (this.#connection.health === 'lost') return this.#local.count(code);
    const { token, country, isCounted, isAllowed, ratio, isEnforced, warmUpMs, nowMs } = code;
    const given = { token, country, isCounted, isAllowed, ratio, isEnforced, warmUpMs, nowMs };
    const running = this.#connection.run(this.#step('learnCode', code, given));
    try {
      const reply = await waitAtMost(running, waitMs);
      if (reply === TIMED_OUT) return this.#local.count(code);
      const { blocks = [], ...found } = JSON.parse(String(reply)) as Omit<LearnVerdict, 'blocks'> &
        Partial<LearnVerdict>;
      const verdict = { ...found, blocks };
      this.#local.follow(code, verdict);
      return verdict;
    } catch {
      // The connection reports the failure.
      return this.#local.count(code);
    }
  }

  giveBack(code: LearnedCode): void {
    // It was counted at one of the two.
    this.#local.giveBack(code);
    const { token, country, ratio, nowMs } = code;
    void this.#write(this.#step('giveBack', code, { token, country, ratio, nowMs }));
  }

  async use(use: LearnedUse): Promise<void> {
    // If Redis is lost later, this process knows the number.
    await this.#local.use(use);
    const { token, country, ratio, nowMs, isPaid } = use;
    await this.#write(this.#step('learnUse', use, { token, country, ratio, nowMs, isPaid }));
  }

  async list(at: Pick<LearnedCode, 'ratio' | 'nowMs'>): Promise<LearnedSummary | undefined> {
    const countries = [...COUNTRIES, 'none'];
    const keys = [
      ...this.#namesOf('total', ''),
      ...countries.flatMap((country) => this.#namesOf('country', country)),
    ];
    try {
      const { replies } = readReply(
        await this.#connection.executeOptional((client) => client.exchangeBuffer(keys.length, ...keys)),
      );
      const copies = this.#sealings.length;
      const newestAt = (place: number): unknown => {
        const values = replies.slice(place * copies, (place + 1) * copies).map(([value]) => value);
        const records = values
          .filter(({ length }) => length > 0)
          .map((value) => JSON.parse(String(value)) as { readonly atMs: number });
        return records.sort((one, two) => two.atMs - one.atMs)[0];
      };
      const tallies = countries.flatMap((country, index): [string, Tally][] => {
        const tally = newestAt(index + 1);
        return tally === undefined ? [] : [[country, tally as Tally]];
      });
      return describeLearned(newestAt(0) as Total | undefined, tallies, at);
    } catch {
      return undefined;
    }
  }

  async lift(country: string, untilMs: number, at: Pick<LearnedCode, 'ratio' | 'nowMs'>): Promise<boolean> {
    const around = { number: '', prefix: '', country, network: '', person: '' };
    try {
      await this.#connection.run(this.#step('liftLearned', around, { ...at, untilMs }));
      return true;
    } catch {
      return false;
    }
  }

  #namesOf(kind: (typeof LIVES)[number][0], text: string): readonly string[] {
    return this.#sealings.map((sealing) => sealing.nameOf('learned', `${FORM} ${kind} ${text}`));
  }

  #step(
    name: Step['name'],
    around: Pick<LearnedCode, 'number' | 'prefix' | 'country' | 'network'> & { readonly person?: string },
    given: Readonly<Record<string, unknown>>,
  ): Step {
    const { number, prefix, country, network, person = '' } = around;
    const texts = { total: '', country, prefix, network, marker: `${person} ${number}`, known: number };
    const args = [
      this.#sealings.length,
      JSON.stringify({ ...given, hasNetwork: network !== '' }),
      ...LIVES.map(([, lifeMs]) => lifeMs),
    ];
    return { name, keys: LIVES.flatMap(([kind]) => this.#namesOf(kind, texts[kind])), args };
  }

  /** A write that is harmless twice. */
  async #write(step: Step): Promise<void> {
    const queue: WriteQueue = { isLasting: false, writes: [] };
    await this.#outbox.write(queue, () => this.#connection.run(step)).catch(() => undefined);
  }
}
