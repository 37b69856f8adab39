import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import {
  oktaTelephonyHook,
  type HookEvent,
  type OktaTelephonyHookOptions,
  type TelephonyHook,
} from '#lib/index.js';
import { usualCredentials, type Scene } from './scene.js';
import { witness } from './witness.js';

/** Another gateway of the same org and the same account. */
export interface GatewayBeside {
  readonly hook: TelephonyHook;
  /** For `scene.call({ url })`. */
  readonly url: string;
  readonly events: readonly HookEvent[];
  close(): Promise<void>;
}

export async function startGatewayBeside(
  scene: Scene,
  options: Partial<OktaTelephonyHookOptions> = {},
): Promise<GatewayBeside> {
  const events: HookEvent[] = [];
  const hook = oktaTelephonyHook({
    credentials: usualCredentials(scene.okta, scene.twilio),
    sandboxNumber: scene.twilio.sandboxNumber,
    senders: { sms: scene.twilio.smsNumber, voice: scene.twilio.voiceNumber },
    logger: { info: witness, warn: witness, error: witness },
    onEvent: (event) => {
      events.push(event);
      witness(event);
    },
    ...options,
  });
  const server = express().use(hook).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    hook,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/okta/telephony`,
    events,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await hook.close();
    },
  };
}
