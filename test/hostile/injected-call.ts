import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import type { TelephonyHook } from '#lib/index.js';
import { makeHookPayload, type HookPayloadOptions } from '#lib/testing/okta/hooks/hook-payload.js';
import { ANA, CODE, HOOK_SECRET } from '#harness/scene.js';
import type { SeenAnswer } from './expectations.js';
import { readAnswers } from './wire.js';

/** A hook call without a network: the test controls each step. */
export interface InjectedCall {
  /** The answers until now. */
  answers(): readonly SeenAnswer[];
  /** Calls the listener once the answer is written. */
  onAnswer(listener: () => void): void;
  /** Lets the caller hang up. */
  hangUp(): void;
  readonly hasHungUp: boolean;
}

/** The payload of a hook call for Ana. */
export function payloadFor(options: HookPayloadOptions): ReturnType<typeof makeHookPayload> {
  return makeHookPayload(
    { userId: ANA.id, login: ANA.login, phoneNumber: ANA.phone, otpCode: CODE, ...options },
    undefined,
    { orgUrl: 'http://okta.invalid', now: Date.now() },
  );
}

/** Okta calls the hook for Ana. */
export function inject(hook: TelephonyHook, options: HookPayloadOptions): InjectedCall {
  return injectRequest(hook, '/okta/telephony', JSON.stringify(payloadFor(options)), {
    authorization: HOOK_SECRET,
    'content-type': 'application/json',
  });
}

/** Twilio sends the hook a delivery callback. */
export function injectCallback(
  hook: TelephonyHook,
  params: Readonly<Record<string, string>>,
  signed: { readonly publicUrl: string; readonly authToken: string },
  /** The reference of the attempt that sent the message. */
  reference: string,
): InjectedCall {
  const path = `/twilio/status?attempt=${reference}`;
  const url = signed.publicUrl + path;
  return injectRequest(hook, `/okta/telephony${path}`, new URLSearchParams(params).toString(), {
    'x-twilio-signature': getExpectedTwilioSignature(signed.authToken, url, params),
    'content-type': 'application/x-www-form-urlencoded',
  });
}

/** Posts to the hook as Express would, with our own request and response. */
export function injectRequest(
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
  // Node's request and response use only the stream parts of a socket, but their types require the class.
  const socket = wire as unknown as Socket;
  const req = new IncomingMessage(socket);
  req.method = 'POST';
  req.url = path;
  req.headers = {
    host: 'gateway.test',
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
  };
  // Else Node treats the end of the body as a hang-up of the caller.
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
    onAnswer: (listener) => void res.once('finish', listener),
    hangUp: () => {
      hasHungUp = true;
      wire.destroy();
    },
    get hasHungUp() {
      return hasHungUp;
    },
  };
}

/** Resolves after all steps that need no time, network or test. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
