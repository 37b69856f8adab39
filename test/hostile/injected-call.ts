import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import type { TelephonyHook } from '#lib/index.js';
import { makeHookPayload, type HookPayloadOptions } from '#lib/testing/okta/hook-payload.js';
import { ANA, CODE, HOOK_SECRET } from '#harness/scene.js';
import type { SeenAnswer } from './expectations.js';
import { readAnswers } from './wire.js';

/** A hook call without a network: nothing happens in it but what the test lets happen. */
export interface InjectedCall {
  /** What has been answered until now. */
  answers(): readonly SeenAnswer[];
  /** The caller is gone. */
  hangUp(): void;
  readonly hasHungUp: boolean;
}

/** Okta calls the hook for Ana. */
export function inject(hook: TelephonyHook, payload: HookPayloadOptions): InjectedCall {
  const body = makeHookPayload(
    { userId: ANA.id, login: ANA.login, phoneNumber: ANA.phone, otpCode: CODE, ...payload },
    undefined,
    { orgUrl: 'http://okta.invalid', now: Date.now() },
  );
  return injectRequest(hook, '/okta/telephony', JSON.stringify(body), {
    authorization: HOOK_SECRET,
    'content-type': 'application/json',
  });
}

/** Twilio tells the hook what became of a message. */
export function injectCallback(
  hook: TelephonyHook,
  params: Readonly<Record<string, string>>,
  signed: { readonly publicUrl: string; readonly authToken: string },
  /** Of the attempt that sent the message. */
  reference: string,
): InjectedCall {
  const path = `/twilio/status?attempt=${reference}`;
  const url = signed.publicUrl + path;
  return injectRequest(hook, `/okta/telephony${path}`, new URLSearchParams(params).toString(), {
    'x-twilio-signature': getExpectedTwilioSignature(signed.authToken, url, params),
    'content-type': 'application/x-www-form-urlencoded',
  });
}

/** Posts to the hook as Express would, with a request and a response of our own. */
function injectRequest(
  hook: TelephonyHook,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): InjectedCall {
  const written: Buffer[] = [];
  const wire = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk);
      done();
    },
  });
  // Of a socket, Node's request and response use what every stream has; its type asks for the class.
  const socket = wire as unknown as Socket;
  const req = new IncomingMessage(socket);
  req.method = 'POST';
  req.url = path;
  req.headers = {
    host: 'gateway.test',
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
  };
  // Else Node takes its end for the caller's going away.
  req.complete = true;
  req.push(body);
  req.push(null);
  const res = new ServerResponse(req);
  res.assignSocket(socket);
  let hasHungUp = false;
  hook(req, res, (error) => {
    throw new Error('the hook passed its own request on', { cause: error });
  });
  return {
    answers: () => readAnswers(Buffer.concat(written)),
    hangUp: () => {
      hasHungUp = true;
      wire.destroy();
    },
    get hasHungUp() {
      return hasHungUp;
    },
  };
}

/** Until all that can go on without time, network or the test has gone on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
