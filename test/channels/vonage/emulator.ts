import { randomUUID } from 'node:crypto';
import { jwtVerify } from 'jose';
import { startEmulatedServer } from '#lib/testing/server/emulated-server.js';
import { jsonReply, type Answer, type Reply } from '#lib/testing/server/reply.js';
import type { Fault, FaultRule } from '#lib/testing/server/faults.js';
import type { RecordedRequest } from '#lib/testing/server/request.js';
import { mustNotShow } from '#harness/witness.js';
import { rsaKeys } from '#harness/rsa-keys.js';

/** A message that Vonage accepted. */
export interface VonageMessage {
  readonly id: string;
  readonly channel: string;
  readonly to: string;
  readonly from: string;
  readonly text?: string | undefined;
  readonly ttl?: number | undefined;
  readonly client_ref?: string | undefined;
  readonly custom?: unknown;
}

/** A Vonage account with Messages (v1) on the loopback interface, as strict as Vonage's reference says. */
export interface VonageEmulator {
  readonly baseUrl: string;
  readonly applicationId: string;
  /** PEM. */
  readonly privateKey: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** A number of the account that sends SMS and WhatsApp. */
  readonly number: string;
  /** The account's approved WhatsApp template, in `en_US` and `pt_BR`. */
  readonly templateName: string;
  readonly requests: readonly RecordedRequest[];
  /** The accepted messages, newest last. */
  readonly messages: readonly VonageMessage[];
  readonly redirectHits: number;
  /** Refuses new messages with one of Vonage's errors, in its own shape. */
  refuseWith(status: number, error: string): void;
  fault(rule: FaultRule | Fault): void;
  clearFaults(): void;
  close(): Promise<void>;
}

const LANGUAGES: readonly unknown[] = ['en_US', 'pt_BR'];

/** The application's key: one for all emulators of a process. */
const KEYS = rsaKeys();
const privateKey = KEYS.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicKey = KEYS.publicKey;

export async function startVonageEmulator(clock: () => number = Date.now): Promise<VonageEmulator> {
  const account = {
    applicationId: randomUUID(),
    privateKey,
    apiKey: 'a1b2c3d4',
    apiSecret: `vonage-${randomUUID()}`,
    number: '447700900444',
    templateName: 'okta_code',
  };
  mustNotShow(account.apiSecret, account.privateKey, account.privateKey.slice(60, 100));
  const messages: VonageMessage[] = [];
  let refusal: { status: number; error: string } | undefined;

  const isCaller = async (authorization = ''): Promise<boolean> => {
    const [, scheme, value = ''] = /^(Basic|Bearer) (\S+)$/.exec(authorization) ?? [];
    if (scheme === 'Basic') {
      return Buffer.from(value, 'base64').toString() === `${account.apiKey}:${account.apiSecret}`;
    }
    mustNotShow(value);
    try {
      const { payload } = await jwtVerify(value, publicKey, {
        algorithms: ['RS256'],
        currentDate: new Date(clock()),
        requiredClaims: ['iat', 'jti', 'exp'],
        maxTokenAge: '24h',
      });
      return payload['application_id'] === account.applicationId;
    } catch {
      return false;
    }
  };

  const refuse = (status: number, error: string, title: string, extra: object = {}): Reply =>
    jsonReply(
      status,
      {
        type: `https://developer.vonage.com/api-errors${/^\d/.test(error) ? '/messages' : ''}#${error}`,
        title,
        detail: 'As the reference says.',
        instance: randomUUID().replaceAll('-', ''),
        ...extra,
      },
      { 'content-type': 'application/problem+json' },
    );
  const sendMessage: Answer = async (request) => {
    if (!(await isCaller(request.headers.authorization))) return refuse(401, 'unauthorized', 'Unauthorized');
    if (request.headers['content-type'] !== 'application/json') {
      return refuse(415, 'unsupported-media-type', 'Unsupported media type');
    }
    const body = readJson(request.body);
    if (body === undefined) return refuse(422, '1020', 'Invalid params');
    const wrong = wrongField(body, account.number, account.templateName);
    if (wrong !== undefined) {
      const [field, error] = wrong;
      return refuse(422, error, 'Invalid params', { invalid_parameters: [{ name: field, reason: 'Wrong' }] });
    }
    if (refusal !== undefined) return refuse(refusal.status, refusal.error, 'Refused');
    const id = randomUUID();
    return {
      ...jsonReply(202, { message_uuid: id }),
      commit: () => {
        const { channel, to, from, text, ttl, client_ref, custom } = body as unknown as VonageMessage;
        messages.push({ id, channel, to, from, text, ttl, client_ref, custom });
      },
    };
  };

  const server = await startEmulatedServer({ clock, callTimeoutMs: 15_000 });
  server.serve({
    routes: [['post', '/v1/messages', sendMessage]],
    notFound: () => refuse(404, 'not-found', 'Not Found'),
    notAllowed: () => refuse(405, 'method-not-allowed', 'Method not allowed'),
  });
  return {
    baseUrl: server.origin,
    ...account,
    requests: server.requests,
    messages,
    get redirectHits() {
      return server.redirectHits;
    },
    refuseWith: (status, error) => {
      refusal = { status, error };
    },
    fault: server.fault,
    clearFaults: () => {
      refusal = undefined;
      server.clearFaults();
    },
    close: server.close,
  };
}

function readJson(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** The first field that Vonage would not accept, and Vonage's error for it. */
function wrongField(
  body: Readonly<Record<string, unknown>>,
  ownNumber: string,
  templateName: string,
): readonly [field: string, error: string] | undefined {
  const { channel, message_type: type, to, from, text, ttl, client_ref: reference, custom, ...stray } = body;
  const [unknownField] = Object.keys(stray);
  if (unknownField !== undefined) return [unknownField, '1020'];
  if (channel !== 'sms' && channel !== 'whatsapp') return ['channel', '1400'];
  // Vonage's E.164 form has no leading + or 00.
  if (typeof to !== 'string' || !/^[1-9]\d{6,14}$/.test(to)) return ['to', '1430'];
  const isName = typeof from === 'string' && /^(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}$/.test(from);
  if (from !== ownNumber && !(channel === 'sms' && isName)) return ['from', '1420'];
  if (reference !== undefined && (typeof reference !== 'string' || reference.length > 100)) {
    return ['client_ref', '1450'];
  }
  if (ttl !== undefined && !(Number.isInteger(ttl) && Number(ttl) >= 20 && Number(ttl) <= 604_800)) {
    return ['ttl', '1130'];
  }
  if (type === 'text') {
    const longest = channel === 'sms' ? 3800 : 4096;
    if (custom !== undefined) return ['custom', '1020'];
    return typeof text === 'string' && text !== '' && text.length <= longest ? undefined : ['text', '1020'];
  }
  if (type !== 'custom' || channel !== 'whatsapp') return ['message_type', '1440'];
  if (text !== undefined) return ['text', '1020'];
  return isAuthenticationTemplate(custom, templateName) ? undefined : ['custom', '1022'];
}

/** The template has the code in its body and in its copy button. */
function isAuthenticationTemplate(custom: unknown, templateName: string): boolean {
  const { type, template } = Object(custom) as { type?: unknown; template?: unknown };
  const { name, language, components } = Object(template) as Record<string, unknown>;
  const { policy, code } = Object(language) as Record<string, unknown>;
  if (type !== 'template' || name !== templateName || policy !== 'deterministic') return false;
  if (!LANGUAGES.includes(code) || !Array.isArray(components) || components.length !== 2) return false;
  const codes = (components as unknown[]).map((component, index) => {
    const given = Object(component) as Record<string, unknown>;
    const isRight =
      index === 0
        ? given['type'] === 'body'
        : given['type'] === 'button' && given['sub_type'] === 'url' && given['index'] === '0';
    const [parameter, ...more] = given['parameters'] as { type: string; text: string }[];
    return isRight && more.length === 0 && parameter?.type === 'text' ? parameter.text : undefined;
  });
  return typeof codes[0] === 'string' && /^.{1,15}$/.test(codes[0]) && codes[0] === codes[1];
}
