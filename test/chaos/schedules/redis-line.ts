import { Duplex } from 'node:stream';
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';
import { between } from '../chance.js';
import type { SimulatedRedis } from './redis.js';
import { Frames, wordsOf } from '../resp.js';
import type { Cut } from './steps.js';

/** The way of one gateway to Redis. It delays, cuts and refuses, at a time or at a certain command. */

/** What happens at one of the next commands: a cut, the death of the gateway in its place, or a delay. */
export type Trap = {
  /** How many commands pass before it. */
  skip: number;
} & (
  | { readonly cut: Cut; readonly kill?: (() => void) | undefined; readonly lateMs?: undefined }
  | { readonly lateMs: number; readonly cut?: undefined }
);

const HAS_SEVERAL_KEYS = /^(?:eval|evalsha)$/i;

export class RedisLine {
  /** The longest delay to Redis and back, milliseconds. Each command and each answer has its own. */
  delayMs = { to: 0, from: 0 };
  /** How long a new connection takes, milliseconds. */
  connectMs = 0;
  /** How Redis refuses commands with several keys. */
  refusal: string | undefined;
  isUnreachable = false;
  /** When Redis made the last answer that the gateway has read. */
  answeredAtMs = -Infinity;
  readonly traps: Trap[] = [];
  readonly #redis: SimulatedRedis;
  readonly #chance: () => number;
  readonly #onFelt: () => void;
  readonly #wires = new Set<Wire>();
  #isDead = false;

  /** @param onFelt - called when a connection was cut with a command in flight. */
  constructor(redis: SimulatedRedis, chance: () => number, onFelt: () => void) {
    this.#redis = redis;
    this.#chance = chance;
    this.#onFelt = onFelt;
  }

  /** A client for `redisState()`, which duplicates it. */
  client(): Redis {
    const connect = (): Promise<Wire> => this.#connect();
    class Connector extends AbstractConnector {
      constructor(options: unknown) {
        super((options as RedisOptions).disconnectTimeout ?? 0);
      }
      override async connect(): ReturnType<AbstractConnector['connect']> {
        this.connecting = true;
        // ioredis uses it as a socket.
        this.stream = (await connect()) as unknown as typeof this.stream;
        return this.stream;
      }
    }
    return new Redis({ Connector, lazyConnect: true });
  }

  /** Ends all connections now. */
  cut(): void {
    if ([...this.#wires].some(({ inFlight }) => inFlight > 0)) this.#onFelt();
    for (const wire of this.#wires) wire.reset();
  }

  /** The process was killed. What has left it still arrives. */
  die(): void {
    this.#isDead = true;
    for (const wire of this.#wires) wire.isDead = true;
  }

  async #connect(): Promise<Wire> {
    this.#redis.steps += 1;
    if (this.connectMs > 0) await new Promise((resolve) => setTimeout(resolve, this.connectMs));
    // A process that was killed waits for ever.
    if (this.#isDead) await new Promise(() => undefined);
    if (this.isUnreachable) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const wire: Wire = new Wire({
      next: () => {
        const trap = this.#takeTrap();
        return { trap, delayMs: trap?.lateMs ?? between(this.#chance, 0, this.delayMs.to) };
      },
      onCommand: (command, trap) => {
        this.#arrive(wire, command, trap);
      },
      onEnd: () => void this.#wires.delete(wire),
    });
    this.#wires.add(wire);
    return wire;
  }

  /** A command has come to Redis. */
  #arrive(wire: Wire, command: Buffer, trap: Trap | undefined): void {
    if (trap?.cut === 'before') {
      this.#fall(trap);
      return;
    }
    const answering = this.#answer(command);
    const delayMs = between(this.#chance, 0, this.delayMs.from);
    wire.inTurn(async () => {
      const { answer, madeAtMs } = await answering;
      const leftMs = madeAtMs + delayMs - Date.now();
      if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs));
      this.#redis.steps += 1;
      if (wire.isOver) return;
      // ioredis takes a null for complete without its last byte.
      if (trap?.cut === 'within') wire.push(answer.subarray(0, Math.floor(answer.length / 2)));
      if (trap?.cut !== undefined) {
        this.#fall(trap);
        return;
      }
      this.answeredAtMs = madeAtMs;
      wire.inFlight -= 1;
      wire.push(answer);
      // As in a socket, the next answer is read in another turn: what follows from this one goes first.
      for (let turns = 0; turns < 2; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    });
  }

  #fall(trap: Trap): void {
    if (trap.cut !== undefined && trap.kill !== undefined) trap.kill();
    else this.cut();
  }

  async #answer(command: Buffer): Promise<{ readonly answer: Buffer; readonly madeAtMs: number }> {
    const isRefused = this.refusal !== undefined && HAS_SEVERAL_KEYS.test(String(wordsOf(command)[0]));
    const answer = isRefused ? Buffer.from(`-${this.refusal}\r\n`) : await this.#redis.run(command);
    return { answer, madeAtMs: Date.now() };
  }

  #takeTrap(): Trap | undefined {
    const [trap] = this.traps;
    if (trap === undefined) return undefined;
    if (trap.skip === 0) return this.traps.shift();
    trap.skip -= 1;
    return undefined;
  }
}

interface WireParts {
  /** What happens to the next command, and how late it comes to Redis. */
  readonly next: () => { readonly trap: Trap | undefined; readonly delayMs: number };
  readonly onCommand: (command: Buffer, trap: Trap | undefined) => void;
  readonly onEnd: () => void;
}

/** One connection, as the gateway sees it: a socket. */
class Wire extends Duplex {
  /** Commands without an answer. */
  inFlight = 0;
  isDead = false;
  readonly #parts: WireParts;
  readonly #frames = new Frames();
  /** The answers, in the order of their commands. */
  #turn: Promise<void> = Promise.resolve();
  /** The commands on their way to Redis, and when the last of them arrives. */
  #late = 0;
  #arrivesAtMs = 0;

  constructor(parts: WireParts) {
    super();
    this.#parts = parts;
  }

  get isOver(): boolean {
    return this.destroyed || this.isDead;
  }

  inTurn(work: () => Promise<void>): void {
    this.#turn = this.#turn.then(work);
  }

  reset(): void {
    if (!this.isDead) this.destroy();
  }

  override _read(): void {
    // Answers come by push().
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    for (const command of this.isDead ? [] : this.#frames.push(chunk)) {
      this.inFlight += 1;
      const { trap, delayMs } = this.#parts.next();
      this.#pass(command, trap, delayMs);
    }
    done();
  }

  #pass(command: Buffer, trap: Trap | undefined, delayMs: number): void {
    this.#arrivesAtMs = Math.max(this.#arrivesAtMs, Date.now() + delayMs);
    const afterMs = this.#arrivesAtMs - Date.now();
    if (afterMs === 0 && this.#late === 0) {
      this.#parts.onCommand(command, trap);
      return;
    }
    this.#late += 1;
    setTimeout(() => {
      this.#late -= 1;
      this.#parts.onCommand(command, trap);
    }, afterMs);
  }

  override _final(done: () => void): void {
    done();
    this.destroy();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#parts.onEnd();
    done(error);
  }

  // The parts of a socket that ioredis uses.
  setNoDelay(): void {
    // There are no packets.
  }
  setKeepAlive(): void {
    // Nor a network.
  }
  setTimeout(): void {
    // The hook has its own time-outs.
  }
}
