import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the range that systems use for port 0 (Linux: from 32768 on), so that no other test gets one of these. */
const FIRST_PORT = 12_000;
/** Parallel processes have process ids close to each other, so that each gets its own ports. */
const PROCESSES = 400;
const PORTS_EACH = 50;
const OWN_PORT = FIRST_PORT + (process.pid % PROCESSES) * PORTS_EACH;

let taken = randomInt(PORTS_EACH);

/** For servers that must know their address before they listen, or that listen at the same port again. */
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
    // At every address, like a server without a host.
    server.listen(port);
    if (!(await isFree)) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** An origin that refuses connections: only privileged processes may listen there, and no test gets this port. */
export const REFUSING_ORIGIN = 'http://127.0.0.1:9';
