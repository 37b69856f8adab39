import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy that can be slow or swallow all data. */
export interface TcpProxy {
  readonly port: number;
  /** The delay of each piece of an answer, milliseconds. */
  delayMs: number;
  /** Drops all data, and keeps connections open. */
  isBlackHole: boolean;
  /** Ends all connections, as a load balancer does with idle ones. Resolves when they are closed. */
  endAll(): Promise<void>;
  readonly connections: number;
  close(): Promise<void>;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
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
        to.destroy();
      });
    }
    near.on('data', (chunk: Buffer) => {
      if (!proxy.isBlackHole) far.write(chunk);
    });
    far.on('data', (chunk: Buffer) => {
      if (proxy.isBlackHole) return;
      if (proxy.delayMs === 0) near.write(chunk);
      else setTimeout(() => near.write(chunk), proxy.delayMs);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endAll = async (): Promise<void> => {
    const ended = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of sockets) socket.destroy();
    await Promise.all(ended);
  };
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    delayMs: 0,
    isBlackHole: false,
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
