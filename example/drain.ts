import type { Server } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Gateway } from './gateway.js';

export interface DrainParts {
  readonly server: Server;
  readonly gateway: Gateway;
  /** What is closed at the very end. */
  readonly closeLast?: (() => Promise<void>) | undefined;
  /** Whether npm's shell stands between this process and who ends it. */
  readonly isStartedByNpm?: boolean | undefined;
  /** How long requests are still served after the probe says no, milliseconds. */
  readonly graceMs: number;
}

/** A client that never ends its request must not keep the gateway for ever, milliseconds. */
export const LAST_CONNECTION_MS = 10_000;

/**
 * Ends without losing a code. The order matters: the load balancer learns by the probe, and until it has, requests
 * come and are served; then no connection is taken any more; only then the hook closes, which answers new events 503
 * and waits for sends that have left.
 */
export async function drain({ server, gateway, closeLast, graceMs }: DrainParts): Promise<void> {
  gateway.startDraining();
  if (graceMs > 0) await wait(graceMs);
  await closeServer(server);
  await gateway.hook.close();
  await closeLast?.();
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    // Its only error says that it was not listening.
    server.close(() => {
      resolve();
    });
  });
  server.closeIdleConnections();
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, LAST_CONNECTION_MS);
  await closed;
  clearTimeout(timer);
}

/**
 * Longer than a load balancer's probe takes to notice. Whoever stops the gateway must wait longer than all of it: this,
 * then the last connection, then the 10 s of sends that have left; deploy/ does.
 */
export const GRACE_MS = 5_000;

/** `npm start` hands Ctrl-C on to a process that the terminal has told already: twice so soon is once. */
const SAME_SIGNAL_MS = 500;

/** How often it is looked whether the parent is still there, milliseconds. */
const PARENT_CHECK_MS = 250;

/**
 * Drains on the first signal and exits with 0; a second one does not wait and exits with 1. SIGTERM comes from what
 * deploys, in front of which a load balancer stands; SIGINT from a person at the keyboard, whom nobody probes.
 */
export function drainOnSignals(parts: Omit<DrainParts, 'graceMs'>): void {
  let firstAt: number | undefined;
  const onSignal = (signal: 'SIGTERM' | 'SIGINT'): void => {
    if (firstAt !== undefined) {
      if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    firstAt = performance.now();
    console.log(`\n${signal}: finishing what is under way. Once more ends at once.`);
    drain({ ...parts, graceMs: signal === 'SIGTERM' ? GRACE_MS : 0 }).then(
      () => process.exit(0),
      (error: unknown) => {
        console.error('Could not end in order:', error);
        process.exit(1);
      },
    );
  };
  // The shell that npm starts this by dies of a SIGTERM and hands it on to nobody: to lose the parent means the same.
  if (parts.isStartedByNpm === true) {
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent && firstAt === undefined) onSignal('SIGTERM');
    }, PARENT_CHECK_MS).unref();
  }
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
