import { request, type ClientRequest } from 'node:http';
import { makeHookPayload, type HookPayloadOptions } from '#lib/testing/okta/hooks/hook-payload.js';
import { ANA, CODE, HOOK_SECRET, type Scene } from './scene.js';

/** A hook call of Okta for Ana that does not wait for the answer, so that the test can hang up. */
export function startRawCall(scene: Scene, options: HookPayloadOptions = {}): ClientRequest {
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
  return call;
}
