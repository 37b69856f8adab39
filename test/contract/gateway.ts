import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { oktaTelephonyHook, type OktaTelephonyHookOptions } from '../../lib/index.js';
import type { TelephonyHook } from '../../lib/index.js';

/** The secret of Okta's calls to the gateway of the run. */
export const HOOK_SECRET = 'contract-run-of-the-hook';

/** A gateway with the hook mounted, on the loopback interface. */
export interface Gateway {
  readonly hook: TelephonyHook;
  readonly origin: string;
  close(): Promise<void>;
}

export async function startGateway(options: OktaTelephonyHookOptions): Promise<Gateway> {
  const hook = oktaTelephonyHook({ logger: SILENT, ...options });
  const server = express().use(hook).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    hook,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await hook.close();
    },
  };
}

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
