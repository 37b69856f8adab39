import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';

/** An HTTP server on the loopback interface. `close` ends every connection and timer at once. */
export interface LoopbackServer {
  /** E.g. `http://127.0.0.1:49152`. */
  readonly origin: string;
  /** Runs something later, unless the server is closed by then. */
  readonly later: (delayMs: number, run: () => void) => void;
  /** Destroys every connection and timer, and frees the port. */
  readonly close: () => Promise<void>;
}

/** Starts a server on 127.0.0.1, or on every address of this machine. */
export async function startLoopbackServer(
  handle: RequestListener,
  port = 0,
  isOpenToOthers = false,
): Promise<LoopbackServer> {
  const timers = new Set<NodeJS.Timeout>();
  const server = createServer({ keepAliveTimeout: 60_000 }, handle);
  server.on('connection', (socket) => socket.on('error', () => undefined));
  server.listen(port, isOpenToOthers ? '0.0.0.0' : '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server listens on no port.');

  let closing: Promise<void> | undefined;
  return {
    origin: `http://127.0.0.1:${address.port}`,
    later(delayMs, run) {
      if (closing !== undefined) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        run();
      }, delayMs);
      timers.add(timer);
    },
    close() {
      closing ??= new Promise((resolve) => {
        for (const timer of timers) clearTimeout(timer);
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closing;
    },
  };
}
