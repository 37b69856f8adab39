import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what systems give for port 0 (Linux from 32768 on): no other test is given one of these while nothing listens there. */
const FIRST_PORT = 12_000;
const PORTS = 20_000;

/** For what has to know its own address before it listens, or listens there again later. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + randomInt(PORTS);
    const server = createServer();
    const isFree = new Promise<boolean>((resolve) => {
      server.once('listening', () => {
        resolve(true);
      });
      server.once('error', () => {
        resolve(false);
      });
    });
    server.listen(port, '127.0.0.1');
    if (!(await isFree)) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** Where connections are refused: nothing may listen there without privileges, and no test is given it. */
export const REFUSING_ORIGIN = 'http://127.0.0.1:9';
