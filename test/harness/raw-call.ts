import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { makeHookPayload, type HookPayloadOptions } from '#lib/testing/okta/hooks/hook-payload.js';
import { ANA, CODE, HOOK_SECRET, type Scene } from './scene.js';

/** A hook call whose caller can hang up. */
export interface RawCall {
  destroy(): void;
  /** Hangs up. Resolves when the gateway has noticed. */
  hangUp(): Promise<void>;
}

/** A hook call of Okta for Ana that does not wait for the answer. */
export function startRawCall(scene: Scene, options: HookPayloadOptions = {}): RawCall {
  const gone = new Promise<void>((resolve) => {
    scene.server.once('request', (_req: IncomingMessage, res: ServerResponse) => {
      res.once('close', resolve);
    });
  });
  const payload = makeHookPayload(
    { userId: ANA.id, login: ANA.login, phoneNumber: ANA.phone, otpCode: CODE, ...options },
    undefined,
    { orgUrl: scene.okta.orgUrl, now: Date.now() },
  );
  const call = request(scene.url, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', authorization: HOOK_SECRET },
  });
  call.on('error', () => undefined);
  call.end(JSON.stringify(payload));
  return {
    destroy: () => void call.destroy(),
    hangUp: () => {
      call.destroy();
      return gone;
    },
  };
}
