import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what systems give for port 0 (Linux from 32768 on): no other test is given one of these while nothing listens there. */
const FIRST_PORT = 12_000;
/** Processes that run side by side have process ids that are near to each other, so that each has ports of its own. */
const PROCESSES = 400;
const PORTS_EACH = 50;
const OWN_PORT = FIRST_PORT + (process.pid % PROCESSES) * PORTS_EACH;

let taken = randomInt(PORTS_EACH);

/** For what has to know its own address before it listens, or listens there again later. */
export async function freePort(): Promise<number> {
  for (;;) {
    taken += 1;
    const port = OWN_PORT + (taken % PORTS_EACH);
    const server = createServer();
    const isFree = new Promise<boolean>((resolve) => {
      server.once('listening', () => {
        resolve(true);
      });
      server.once('error', () => {
        resolve(false);
      });
    });
    // At every address, as a server without a host.
    server.listen(port);
    if (!(await isFree)) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** Where connections are refused: nothing may listen there without privileges, and no test is given it. */
export const REFUSING_ORIGIN = 'http://127.0.0.1:9';
