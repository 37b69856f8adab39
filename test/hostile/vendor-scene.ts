import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Agent, request } from 'undici';
import {
  oktaTelephonyHook,
  type HookEvent,
  type OktaTelephonyHookOptions,
  type TelephonyHook,
} from '#lib/index.js';
import { makeHookPayload, type HookPayloadOptions } from '#lib/testing/okta/hooks/hook-payload.js';
import { ANA, CODE, HOOK_SECRET, type LogLine } from '#harness/scene.js';
import type { SeenAnswer, Output } from './expectations.js';
import { VENDOR_WORDS } from './http-answers.js';
import { startRawVendor, type RawAnswer, type RawVendor } from './raw-vendor.js';

/** A gateway between an Okta and a Twilio whose answers the test sets byte by byte. */
export interface VendorScene {
  readonly okta: RawVendor;
  readonly twilio: RawVendor;
  /** One hook call for Ana, at a new hook. */
  call(payload?: HookPayloadOptions, options?: Override, authorization?: string): Promise<VendorCall>;
  close(): Promise<void>;
}

export interface VendorCall {
  readonly answer: SeenAnswer;
  /** The log and the events until now. A late send adds to them. */
  readonly output: Output;
  /** When every send of the call has ended. */
  readonly closed: Promise<void>;
}

type Override = Partial<Omit<OktaTelephonyHookOptions, 'credentials'>> & {
  readonly credentials?: Partial<OktaTelephonyHookOptions['credentials']>;
};

/** Unlike Ana's own id, it contains no name. */
export const USER_ID = '00uhostilevendors001';
export const EVENT_ID = 'evt-abcdefgh';
const API_TOKEN = 'okta-api-token-0a1b2c';
const KEY_SECRET = 'twilio-key-secret-3d4e5f';

/** No answer, log line or event may contain these. */
export const SECRETS: readonly string[] = [
  CODE,
  ANA.phone.slice(1),
  ANA.login,
  ANA.firstName,
  ANA.lastName,
  HOOK_SECRET,
  API_TOKEN,
  KEY_SECRET,
  VENDOR_WORDS,
];

export async function startVendorScene(): Promise<VendorScene> {
  const [okta, twilio] = await Promise.all([startRawVendor(), startRawVendor()]);
  const agent = new Agent({ keepAliveTimeout: 60_000 });
  const hooks = new Map<string, TelephonyHook>();
  const app = express();
  // Each call has its own hook, without a breaker, cache, token or pause of an earlier call.
  app.use('/:id', (req, res, next) => {
    hooks.get(req.params.id)?.(req, res, next);
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let count = 0;

  return {
    okta,
    twilio,
    call: async (payload = {}, options = {}, authorization = HOOK_SECRET) => {
      const log: LogLine[] = [];
      const events: HookEvent[] = [];
      const write =
        (level: LogLine['level']) =>
        (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
          log.push({ level, message, fields });
        };
      const hook = oktaTelephonyHook({
        sandboxNumber: '+14155238886',
        senders: { sms: '+14155550100', voice: '+14155550101' },
        logger: { info: write('info'), warn: write('warn'), error: write('error') },
        onEvent: (event) => {
          events.push(event);
        },
        ...options,
        credentials: {
          hook: { scheme: 'header', secrets: [HOOK_SECRET] },
          okta: { orgUrl: okta.origin, apiToken: API_TOKEN },
          twilio: {
            accountSid: `AC${'a'.repeat(32)}`,
            apiKeySid: `SK${'b'.repeat(32)}`,
            apiKeySecret: KEY_SECRET,
            baseUrl: twilio.origin,
          },
          ...options.credentials,
        },
      });
      count += 1;
      const id = String(count);
      hooks.set(id, hook);
      const body = makeHookPayload(
        {
          eventId: EVENT_ID,
          userId: USER_ID,
          login: ANA.login,
          phoneNumber: ANA.phone,
          otpCode: CODE,
          ...payload,
        },
        undefined,
        { orgUrl: okta.origin, now: Date.now() },
      );
      const answer = await request(`${origin}/${id}/okta/telephony`, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'content-type': 'application/json', authorization },
        body: JSON.stringify(body),
      });
      const text = await answer.body.text();
      hooks.delete(id);
      return {
        answer: { status: answer.statusCode, headers: answer.headers, body: text },
        output: { log, events },
        closed: hook.close(),
      };
    },
    close: async () => {
      await agent.destroy();
      server.closeAllConnections();
      server.close();
      await Promise.all([okta.close(), twilio.close()]);
    },
  };
}

/** The answer of a vendor that works. */
function wellAnswer(status: number, body: unknown): RawAnswer {
  const text = JSON.stringify(body);
  const head = `HTTP/1.1 ${status} OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n`;
  return { pieces: [Buffer.from(head + text).toString('latin1')], then: 'keep' };
}

export const MESSAGE_SID = `SM${'ab'.repeat(16)}`;
export const CALL_SID = `CA${'cd'.repeat(16)}`;

/** Twilio accepts the message. */
export function taken(request: { readonly path: string }): RawAnswer {
  const isCall = request.path.endsWith('/Calls.json');
  return wellAnswer(201, { sid: isCall ? CALL_SID : MESSAGE_SID, status: 'queued' });
}

/** Okta knows Ana, with her opt-in to WhatsApp. */
export const ANA_KNOWN: RawAnswer = wellAnswer(200, {
  id: USER_ID,
  status: 'ACTIVE',
  profile: { login: ANA.login, firstName: ANA.firstName, whatsAppOptIn: true },
});
