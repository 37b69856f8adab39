import { randomInt } from 'node:crypto';
import {
  liftSuppressions,
  mergeSuppression,
  type LiftedSuppression,
  type Suppression,
  type SuppressionState,
} from '../delivery/suppressions.js';
import type { RedisConnection } from './redis-connection.js';
import type { Sealing } from './sealing.js';
import { Untold } from './untold.js';

/** Several gateways may write of one number at once; each time one of them succeeds. */
const MOST_TRIES = 50;

const GIVE_ALL_KEYS =
  'A list of a number was sealed with a key that this gateway does not have. Give all gateways one list of encryptionKeys.';

/** What becomes of the list of a number. */
interface Change {
  readonly recipient: string;
  /** When it was, by the hook's clock, and by this process's own monotonic one. */
  readonly nowMs: number;
  readonly atMs: number;
  readonly to: (known: readonly Suppression[]) => readonly Suppression[];
  /** Told once Redis has it. */
  readonly onTold: () => void;
}

/**
 * Which channels a number is not to be reached by, for every gateway: one sealed list for each number, gone with the last of
 * its entries. A claim brings it along, so that nothing more is asked for before a code is sent.
 */
export class RedisSuppressions implements SuppressionState {
  readonly #connection: RedisConnection;
  readonly #sealing: Sealing;
  readonly #untold: Untold<Change>;

  constructor(connection: RedisConnection, sealing: Sealing) {
    this.#connection = connection;
    this.#sealing = sealing;
    this.#untold = new Untold<Change>(connection, { tell: (change) => this.#tell(change) });
  }

  /** What a claim looks up. */
  nameOf(recipient: string): string {
    return this.#sealing.nameOf('suppressed', recipient);
  }

  /** What a claim has found under that name. What does not open says nothing. */
  read(name: string, value: unknown, nowMs: number): readonly Suppression[] {
    return this.#open(name, value, nowMs) ?? [];
  }

  suppress(recipient: string, suppression: Suppression, nowMs: number): Promise<void> {
    return this.#change(recipient, nowMs, (known) => mergeSuppression(known, suppression, nowMs));
  }

  lift(recipient: string, lifted: LiftedSuppression, nowMs: number): Promise<void> {
    return this.#change(recipient, nowMs, (known) => liftSuppressions(known, lifted, nowMs));
  }

  async of(recipient: string, nowMs: number): Promise<readonly Suppression[] | undefined> {
    const name = this.nameOf(recipient);
    try {
      return this.read(name, await this.#connection.ask((client) => client.getBuffer(name)), nowMs);
    } catch {
      // Told by the connection.
      return undefined;
    }
  }

  /** Resolves once Redis has it. */
  #change(recipient: string, nowMs: number, to: Change['to']): Promise<void> {
    return new Promise((onTold) => {
      void this.#tell({ recipient, nowMs, atMs: performance.now(), to, onTold });
    });
  }

  /** What comes to nothing because Redis is lost is told when it is back; told twice it is the same. */
  async #tell(change: Change): Promise<void> {
    try {
      for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
        const end = await this.#try(change);
        if (end === 'done') change.onTold();
        // What Redis does not take from this process, it goes on knowing alone.
        if (end !== 'changed meanwhile') return;
        // Others are at it: not all of them again at the same moment.
        await new Promise((resolve) => {
          setTimeout(resolve, randomInt(tries * 2));
        });
      }
    } catch {
      // Told by the connection.
    }
    this.#untold.add(change);
  }

  async #try({ recipient, nowMs, atMs, to }: Change): Promise<'done' | 'changed meanwhile' | 'not ours'> {
    const name = this.nameOf(recipient);
    const value = await this.#connection.ask((client) => client.getBuffer(name));
    const at = nowMs + performance.now() - atMs;
    const known = this.#open(name, value, at);
    if (known === undefined) {
      // Another gateway has sealed it with a key that this one does not have: it is not ours to replace.
      this.#connection.warn('OTHER_KEYS', GIVE_ALL_KEYS);
      return 'not ours';
    }
    const next = to(known);
    if (next.length === 0 && value === null) return 'done';
    const lifeMs = Math.max(1, Math.ceil(Math.max(...next.map(({ untilMs }) => untilMs)) - at));
    const sealed = next.length === 0 ? '' : this.#sealing.seal('suppressed', name, JSON.stringify(next));
    const isDone = await this.#connection.ask((client) =>
      client.replaceValue(1, name, value ?? '', sealed, next.length === 0 ? 0 : lifeMs),
    );
    return isDone === 1 ? 'done' : 'changed meanwhile';
  }

  /** `undefined` where none of the keys opens it. */
  #open(name: string, value: unknown, nowMs: number): readonly Suppression[] | undefined {
    if (!Buffer.isBuffer(value) || value.length === 0) return [];
    const text = this.#sealing.open('suppressed', name, value);
    if (text === undefined) return undefined;
    return (JSON.parse(text) as readonly Suppression[]).filter(({ untilMs }) => untilMs > nowMs);
  }
}
