import { mergeSuppression, type Suppression, type SuppressionState } from '../delivery/suppressions.js';
import type { RedisConnection } from './redis-connection.js';
import type { Sealing } from './sealing.js';
import { Untold } from './untold.js';

/** Several gateways may write of one number at once; more of them do not. */
const MOST_TRIES = 5;

/** What becomes of the list of a number. */
interface Change {
  readonly recipient: string;
  /** When it was, by the hook's clock, and by this process's own monotonic one. */
  readonly nowMs: number;
  readonly atMs: number;
  readonly to: (known: readonly Suppression[]) => readonly Suppression[];
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

  /** What a claim has found under that name. */
  read(name: string, value: unknown, nowMs: number): readonly Suppression[] {
    if (!Buffer.isBuffer(value) || value.length === 0) return [];
    const text = this.#sealing.open('suppressed', name, value);
    // Sealed with a key that is not listed any more: nobody knows.
    if (text === undefined) return [];
    return (JSON.parse(text) as readonly Suppression[]).filter(({ untilMs }) => untilMs > nowMs);
  }

  suppress(recipient: string, suppression: Suppression, nowMs: number): Promise<void> {
    const to: Change['to'] = (known) => mergeSuppression(known, suppression, nowMs);
    return this.#tell({ recipient, nowMs, atMs: performance.now(), to });
  }

  lift(recipient: string, channel: string, nowMs: number): Promise<void> {
    const to: Change['to'] = (known) => known.filter((entry) => entry.channel !== channel);
    return this.#tell({ recipient, nowMs, atMs: performance.now(), to });
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

  /** What comes to nothing because Redis is lost is told when it is back; told twice it is the same. */
  async #tell(change: Change): Promise<void> {
    const name = this.nameOf(change.recipient);
    try {
      for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
        const value = await this.#connection.ask((client) => client.getBuffer(name));
        const nowMs = change.nowMs + performance.now() - change.atMs;
        const known = this.read(name, value, nowMs);
        const next = change.to(known);
        const untilMs = Math.max(...next.map((entry) => entry.untilMs));
        const sealed = next.length === 0 ? '' : this.#sealing.seal('suppressed', name, JSON.stringify(next));
        const lifeMs = next.length === 0 ? 0 : Math.max(1, Math.ceil(untilMs - nowMs));
        const isDone = await this.#connection.ask((client) =>
          client.replaceValue(1, name, value ?? '', sealed, lifeMs),
        );
        if (isDone === 1) return;
      }
    } catch {
      this.#untold.add(change);
    }
  }
}
