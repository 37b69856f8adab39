import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What a client sends, and what the server sends back. */
type Direction = 'commands' | 'answers';

/** A TCP proxy that can be slow, hold data back, or swallow all data. */
export interface TcpProxy {
  readonly port: number;
  /** The delay of each piece of an answer, milliseconds. */
  delayMs: number;
  /** Drops all data, and keeps connections open. */
  isBlackHole: boolean;
  /**
   * Holds data of this direction back, and passes it on in its order once the direction changes: commands also
   * after their client has closed its connection.
   */
  held: Direction | undefined;
  /** From now on data is held back only on connections that exist now. */
  letNewPass(): void;
  /** How many pieces of data are held back. */
  readonly heldPieces: number;
  /** Called with each piece of an answer that was passed on. */
  onAnswer: (() => void) | undefined;
  /** Ends all connections, as a load balancer does with idle ones. Held data is lost. Resolves when they are closed. */
  endAll(): Promise<void>;
  readonly connections: number;
  close(): Promise<void>;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let queue: { readonly to: Socket; readonly chunk: Buffer; readonly direction: Direction }[] = [];
  let held: Direction | undefined;
  /** The sockets whose data is held back; `undefined` for all. */
  let heldSockets: ReadonlySet<Socket> | undefined;
  /** Sockets to the server whose client is gone. They still get held commands. */
  const orphans = new Set<Socket>();
  const write = (to: Socket, chunk: Buffer, direction: Direction): void => {
    if (direction === 'answers' && proxy.delayMs > 0) setTimeout(() => to.write(chunk), proxy.delayMs);
    else to.write(chunk);
    if (direction === 'answers') proxy.onAnswer?.();
  };
  const pass = (to: Socket, chunk: Buffer, direction: Direction): void => {
    if (proxy.isBlackHole) return;
    if (direction === held && heldSockets?.has(to) !== false) queue.push({ to, chunk, direction });
    else write(to, chunk, direction);
  };
  const release = (): void => {
    const passed = queue.filter(({ direction }) => direction !== held);
    queue = queue.filter(({ direction }) => direction === held);
    for (const { to, chunk, direction } of passed) write(to, chunk, direction);
    for (const orphan of orphans) orphan.end();
    orphans.clear();
  };
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        if (queue.some((piece) => piece.to === to && piece.direction === 'commands')) orphans.add(to);
        else to.destroy();
      });
    }
    near.on('data', (chunk: Buffer) => {
      pass(far, chunk, 'commands');
    });
    far.on('data', (chunk: Buffer) => {
      pass(near, chunk, 'answers');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endAll = async (): Promise<void> => {
    queue = [];
    const ended = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of sockets) socket.destroy();
    await Promise.all(ended);
  };
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    delayMs: 0,
    isBlackHole: false,
    get held() {
      return held;
    },
    set held(direction) {
      held = direction;
      heldSockets = undefined;
      release();
    },
    letNewPass: () => {
      heldSockets = new Set(sockets);
    },
    get heldPieces() {
      return queue.length;
    },
    onAnswer: undefined,
    endAll,
    get connections() {
      return sockets.size / 2;
    },
    close: async () => {
      await endAll();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}
