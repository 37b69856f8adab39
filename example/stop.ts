import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Started } from './start.js';

/** How the gateway ends. */

/** A client that never ends its request must not keep the gateway for ever, milliseconds. */
export const LAST_CONNECTION_MS = 10_000;

/**
 * The order loses no code. First the probe fails, and requests are served until the load balancer has noticed; then the
 * server takes no connection any more; only then the hook closes, which answers new events 503 and waits for sends that
 * have left.
 *
 * @param graceMs - how long requests are still served.
 */
export async function stop(
  { server, gateway, demo }: Pick<Started, 'server' | 'gateway' | 'demo'>,
  graceMs: number,
): Promise<void> {
  gateway.hook.drain();
  demo?.endStreams();
  if (graceMs > 0) await wait(graceMs);
  const closed = once(server, 'close');
  server.close();
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, LAST_CONNECTION_MS);
  await closed;
  clearTimeout(timer);
  await gateway.hook.close();
  await demo?.close();
}

/**
 * Longer than a load balancer's probe takes to notice. Whoever stops the gateway must wait longer than all of it: this,
 * then the last connection, then the 10 s of sends that have left; deploy/ does.
 */
export const GRACE_MS = 5_000;

/** `npm start` hands Ctrl-C on to a process that the terminal has signalled already: two signals so soon are one. */
const SAME_SIGNAL_MS = 500;

/** How often the parent is checked, milliseconds. */
const PARENT_CHECK_MS = 250;

/**
 * Stops the gateway on the first signal and exits with 0; a second one does not wait and exits with 1. SIGTERM comes from what
 * deploys, in front of which a load balancer stands; SIGINT from a person at the keyboard, who waits for no probe.
 *
 * @param isStartedByNpm - whether npm's shell stands between this process and what ends it.
 */
export function stopOnSignals(started: Started, isStartedByNpm: boolean): void {
  let firstAt: number | undefined;
  const onSignal = (signal: 'SIGTERM' | 'SIGINT'): void => {
    if (firstAt !== undefined) {
      if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    firstAt = performance.now();
    console.log(`\n${signal}: finishing what is under way. Once more ends at once.`);
    stop(started, signal === 'SIGTERM' ? GRACE_MS : 0).then(
      () => process.exit(0),
      (error: unknown) => {
        console.error('Could not end in order:', error);
        process.exit(1);
      },
    );
  };
  // npm's shell dies of a SIGTERM and does not hand it on: the loss of the parent means the same.
  if (isStartedByNpm) {
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent && firstAt === undefined) onSignal('SIGTERM');
    }, PARENT_CHECK_MS).unref();
  }
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
