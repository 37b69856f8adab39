import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Frames } from '../resp.js';

/** The way of one gateway to Redis: a TCP proxy that delays, cuts, and tells of the commands that pass. */

/** What happens at one of the next commands. */
export interface Trap {
  /** How many commands pass before it. */
  skip: number;
  /** The command is not passed on. */
  readonly isBefore: boolean;
  readonly onCommand: () => void;
}

export class Way {
  /** Of each piece of data, milliseconds. */
  delayMs = { to: 0, from: 0 };
  /** How long a new connection takes, milliseconds. */
  connectMs = 0;
  trap: Trap | undefined;
  /** After so many bytes, in any direction, all connections are reset. */
  cutAfterBytes = Infinity;
  readonly port: number;
  readonly #server: Server;
  readonly #pipes = new Set<Pipe>();

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** @param onFelt - called when a connection ended with a command in flight, and not by the gateway. */
  static async start(targetPort: number, onFelt: () => void): Promise<Way> {
    const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const way = new Way(server);
    server.on('connection', (near) => {
      near.on('error', () => undefined);
      setTimeout(() => {
        const pipe = new Pipe(near, connect(targetPort, '127.0.0.1'), way, onFelt);
        way.#pipes.add(pipe);
        near.once('close', () => way.#pipes.delete(pipe));
      }, way.connectMs);
    });
    return way;
  }

  /** Resets all connections. */
  cut(): void {
    this.cutAfterBytes = Infinity;
    for (const pipe of this.#pipes) pipe.reset();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }
}

/** One connection through the proxy. */
class Pipe {
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #way: Way;
  readonly #onFelt: () => void;
  readonly #commands = new Frames();
  readonly #answers = new Frames();
  #inFlight = 0;
  #isOver = false;

  constructor(near: Socket, far: Socket, way: Way, onFelt: () => void) {
    this.#near = near;
    this.#far = far;
    this.#way = way;
    this.#onFelt = onFelt;
    for (const socket of [near, far]) socket.setNoDelay(true);
    near.on('data', (chunk: Buffer) => {
      this.#pass(chunk, far, way.delayMs.to, () => this.#seeCommands(chunk));
    });
    far.on('data', (chunk: Buffer) => {
      this.#inFlight -= this.#answers.push(chunk).length;
      this.#pass(chunk, near, way.delayMs.from, () => true);
    });
    // The gateway has ended it itself.
    near.on('end', () => (this.#inFlight = 0));
    near.on('close', () => far.destroy());
    far.on('error', () => undefined);
    far.on('close', () => {
      this.reset();
    });
    near.resume();
  }

  /** Ends the connection, and notes whether the gateway waits for an answer. */
  reset(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#inFlight > 0 && !this.#near.destroyed) this.#onFelt();
    this.#near.resetAndDestroy();
    this.#far.destroy();
  }

  #pass(chunk: Buffer, to: Socket, delayMs: number, mayPass: () => boolean): void {
    const way = this.#way;
    if (!mayPass()) return;
    const isCut = way.cutAfterBytes <= chunk.length;
    const passed = isCut ? chunk.subarray(0, way.cutAfterBytes) : chunk;
    way.cutAfterBytes -= passed.length;
    if (delayMs === 0) to.write(passed);
    else setTimeout(() => to.write(passed), delayMs);
    if (isCut) way.cut();
  }

  /** Counts commands, and springs the trap. `false` if the piece of data is not passed on. */
  #seeCommands(chunk: Buffer): boolean {
    const commands = this.#commands.push(chunk).length;
    this.#inFlight += commands;
    const { trap } = this.#way;
    if (trap === undefined) return true;
    trap.skip -= commands;
    if (trap.skip >= 0) return true;
    this.#way.trap = undefined;
    trap.onCommand();
    return !trap.isBefore;
  }
}
