import { createServer, type IncomingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import { Agent, type Dispatcher } from 'undici';
import type { Message } from '#lib/core/channel.js';
import { createTwilioConnection, type TwilioPort } from '#lib/channels/twilio/client.js';
import type { TwilioSettings } from '#lib/channels/twilio/settings.js';

export const ACCOUNT_SID = `AC${'a1'.repeat(16)}`;
export const KEY_SID = `SK${'b2'.repeat(16)}`;
export const KEY_SECRET = 'the secret of the key';
export const PHONE_NUMBER = '+447700900123';
export const OTP_CODE = '048213';
export const NOW = Date.parse('2026-11-25T12:00:00Z');

interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly form: URLSearchParams;
}

/** What the server does with one request: answers it, or fails. */
export type Answer =
  | { readonly status: number; readonly body: string | object; readonly headers?: Record<string, string> }
  | 'hang'
  | 'reset'
  | 'cut';

export interface ScriptedApi {
  readonly origin: string;
  readonly requests: RecordedRequest[];
  /** The answers to the next requests, in order. The last one answers all later requests too. */
  script(...answers: Answer[]): void;
  /** Resolves when a request has come that the server lets hang. */
  hanging(): Promise<void>;
  connect(settings?: Partial<TwilioSettings>): TwilioPort;
  close(): Promise<void>;
}

/** A server that records requests and answers as scripted. */
export async function startScriptedApi(): Promise<ScriptedApi> {
  const requests: RecordedRequest[] = [];
  let answers: Answer[] = [];
  let onHanging: () => void = () => undefined;
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      requests.push({
        method: req.method ?? '',
        path: req.url ?? '',
        headers: req.headers,
        form: new URLSearchParams(Buffer.concat(chunks).toString()),
      });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer === undefined) throw new Error('no answer was scripted');
      if (answer === 'hang') onHanging();
      else if (answer === 'reset') req.socket.destroy();
      else if (answer === 'cut') {
        res.writeHead(201, { 'Content-Length': '500' });
        res.write('{"sid":"SM');
        setImmediate(() => req.socket.destroy());
      } else {
        const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
        res.writeHead(answer.status, answer.headers).end(body);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const origin = `http://127.0.0.1:${address.port}`;
  const dispatcher: Dispatcher = new Agent();
  return {
    origin,
    requests,
    script: (...next) => {
      answers = next;
      requests.length = 0;
    },
    hanging: () =>
      new Promise((resolve) => {
        onHanging = resolve;
      }),
    connect: (settings) =>
      createTwilioConnection({ settings: makeSettings({ baseUrl: origin, ...settings }), dispatcher }),
    close: async () => {
      await dispatcher.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function makeSettings(settings: Partial<TwilioSettings> = {}): TwilioSettings {
  return {
    accountSid: ACCOUNT_SID,
    username: KEY_SID,
    password: KEY_SECRET,
    region: undefined,
    edge: undefined,
    baseUrl: undefined,
    smartEncoding: true,
    deviceIp: true,
    senders: { sms: { default: '+15005550006' }, voice: { default: '+15005550006' }, whatsapp: undefined },
    statusCallbackUrl: undefined,
    ...settings,
  };
}

export function makeMessage(message: Partial<Message> = {}, lifeMs = 300_000): Message {
  const expiresAt = new Date(NOW + lifeMs);
  return {
    request: {
      eventId: 'event-1',
      requestType: 'com.okta.user.telephony.mfa-verification',
      deliveryChannel: 'sms',
      phoneNumber: PHONE_NUMBER,
      otpCode: OTP_CODE,
      expiresAt,
      msgTemplate: undefined,
      locale: undefined,
      userId: '00u1',
      login: 'ada@example.com',
      firstName: 'Ada',
      lastName: undefined,
      ipAddress: undefined,
      oktaRequestId: undefined,
      raw: {},
    },
    profile: undefined,
    to: PHONE_NUMBER,
    text: `Your code is ${OTP_CODE}.`,
    locale: 'en',
    expiresAt,
    ...message,
  };
}
