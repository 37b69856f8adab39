import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Started } from './start.js';

/**
 * How long a gateway serves on after SIGTERM, milliseconds: longer than a load balancer's probe takes to notice. Whoever stops
 * the gateway must wait longer than this time, `LAST_CONNECTION_MS` and 10 s for open sends together, as the recipes in deploy/ do.
 */
export const GRACE_MS = 5_000;

/** A client that never ends its request must not keep the gateway for ever, milliseconds. */
export const LAST_CONNECTION_MS = 10_000;

/**
 * Stops the gateway in an order that loses no code. First the readiness probe fails, while requests are still served. Then the
 * server closes. Only then the hook closes, since it answers new requests with 503 from that moment on.
 *
 * @param graceMs - how long requests are still served.
 */
export async function stop(
  { server, monitoring, gateway, demo }: Pick<Started, 'server' | 'monitoring' | 'gateway' | 'demo'>,
  graceMs: number,
): Promise<void> {
  gateway.hook.drain();
  demo?.endStreams();
  if (graceMs > 0) await wait(graceMs);
  const closed = once(server, 'close');
  server.close();
  const timer = setTimeout(() => server.closeAllConnections(), LAST_CONNECTION_MS);
  await closed;
  clearTimeout(timer);
  await gateway.hook.close();
  // Last: the end of the gateway can be watched.
  monitoring?.close();
  monitoring?.closeAllConnections();
  await demo?.close();
}

/**
 * Stops the gateway on SIGTERM, which a deployment sends, and on SIGINT, which is Ctrl-C: then no load balancer needs the grace
 * time. Later signals are ignored, since Ctrl-C under `npm start` arrives twice: from the terminal and from npm.
 *
 * @param isStartedByNpm - whether `npm start` has started this process.
 */
export function stopOnSignals(started: Started, isStartedByNpm: boolean): void {
  let isStopping = false;
  const onSignal = (signal: 'SIGTERM' | 'SIGINT'): void => {
    if (isStopping) return;
    isStopping = true;
    console.log(`\n${signal}: finishing the requests that are under way.`);
    void stop(started, signal === 'SIGTERM' ? GRACE_MS : 0).then(() => process.exit(0));
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  if (isStartedByNpm) {
    // npm's shell ends at SIGTERM and does not pass it on: this process only sees that it has another parent.
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent) onSignal('SIGTERM');
    }, 250).unref();
  }
}
