import { generateKeyPair, randomUUID, type KeyPairKeyObjectResult } from 'node:crypto';
import { promisify } from 'node:util';
import {
  startProvider,
  type EmulatedProvider,
  type ProviderEmulatorOptions,
} from '../server/emulated-provider.js';
import type { LimitedRule } from '../server/faults.js';
import { jsonPost } from '../server/outbound.js';
import { randomAlphanumeric } from '../server/random-ids.js';
import type { CallbackRule, Mutable } from '../server/status-callbacks.js';
import { vonageApi } from './api.js';
import type { EmulatedVonageCall } from './calls.js';
import { errorOf, refusalReply } from './errors.js';
import { deliveredItem, type EmulatedVonageMessage } from './messages.js';
import { signVonageWebhook } from './webhook.js';

/** Options of `startVonageEmulator`. */
export type VonageEmulatorOptions = ProviderEmulatorOptions;

/** A refusal of new messages and calls. */
export interface VonageRefusalRule extends LimitedRule {
  /** Of the answer. */
  readonly status: number;
  /** The end of the type of Vonage's error: a number such as `1420`, or words such as `low-balance`. */
  readonly error: string;
}

/** The failure of accepted messages and calls. */
export interface VonageLateFailureRule extends LimitedRule {
  /**
   * The last status. Default: `undeliverable`, of calls `failed`. A message whose time to live has ended is `rejected`. A call may also be
   * `busy`, `unanswered`, `cancelled` or `timeout`.
   */
  readonly status?: string | undefined;
  /** Of a message: Vonage's number of the error, such as `1260`. Default: a status webhook without an error. */
  readonly error?: string | undefined;
  /** Of a call: the detail of its last event, such as `cannot_route`. Default: none. */
  readonly detail?: string | undefined;
}

/** A fault of the webhooks of new messages and calls. */
export type VonageCallbackFault = CallbackRule<EmulatedVonageMessage | EmulatedVonageCall>;

/** A message that a person writes to a number of the account. */
export interface VonageInboundMessage {
  /** The URL that the application has for inbound messages: the hook's `…/callbacks/sms`. */
  readonly url: string;
  /** The person's number, E.164; or another id that WhatsApp shows in its place. */
  readonly from: string;
  readonly text: string;
  /** Default: `'sms'`. */
  readonly channel?: 'sms' | 'whatsapp' | undefined;
  /** Default: a new one. */
  readonly messageUuid?: string | undefined;
}

/** A Vonage account with Messages and Voice (both v1) on the loopback interface, as strict as Vonage's reference says. */
export interface VonageEmulator extends EmulatedProvider<
  VonageRefusalRule,
  VonageLateFailureRule,
  EmulatedVonageMessage | EmulatedVonageCall,
  Readonly<Record<string, unknown>>
> {
  readonly applicationId: string;
  /** PEM. */
  readonly privateKey: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** Signs the webhooks. */
  readonly signatureSecret: string;
  /** `baseUrl`, the application and the signature secret, for `vonageChannel`. */
  readonly credential: Pick<VonageEmulator, 'baseUrl' | 'applicationId' | 'privateKey' | 'signatureSecret'>;
  /** A number of the account that calls and sends SMS and WhatsApp, as Vonage writes it: without a plus. */
  readonly number: string;
  /** The account's approved WhatsApp template, in `en_US` and `pt_BR`. */
  readonly templateName: string;
  /** The accepted messages with their current state, newest last. */
  readonly messages: readonly EmulatedVonageMessage[];
  /** The accepted calls with their current state, newest last. */
  readonly calls: readonly EmulatedVonageCall[];

  /** Posts what a person writes, signed. Resolves to the status of the answer; `undefined` without one. */
  receive(message: VonageInboundMessage): Promise<number | undefined>;
  /** `Authorization` of a webhook with this body. @param claims - replace claims of the token. */
  sign(body: string, claims?: Readonly<Record<string, unknown>>): string;
  /** Signs with another secret from now on, as after its rotation in the Dashboard. */
  rotateSignatureSecret(secret: string): void;
}

/** The application's key: one for all emulators of a process, because making it takes long. */
let keys: Promise<KeyPairKeyObjectResult> | undefined;

/** Starts a Vonage account on 127.0.0.1. Close it at the end. */
export async function startVonageEmulator(options: VonageEmulatorOptions = {}): Promise<VonageEmulator> {
  keys ??= promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const { privateKey, publicKey } = await keys;
  const account = {
    applicationId: randomUUID(),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    apiKey: 'a1b2c3d4',
    apiSecret: `vonage-${randomAlphanumeric(24)}`,
    number: '447700900444',
    templateName: 'okta_code',
  };
  const signatureSecret = randomAlphanumeric(40);
  let signingSecret = signatureSecret;
  const messages: EmulatedVonageMessage[] = [];
  const calls: EmulatedVonageCall[] = [];
  const provider = await startProvider<
    VonageRefusalRule,
    VonageLateFailureRule,
    EmulatedVonageMessage | EmulatedVonageCall,
    Readonly<Record<string, unknown>>
  >(options, { post: (url, payload): Promise<number | undefined> => post(url, payload) });
  const { clock, server, refusals, callbacks, deliver } = provider;
  const sign = (body: string, claims: Readonly<Record<string, unknown>> = {}): string =>
    signVonageWebhook(signingSecret, body, {
      iat: Math.floor(clock() / 1000),
      jti: randomUUID(),
      iss: 'Vonage',
      api_key: account.apiKey,
      application_id: account.applicationId,
      ...claims,
    });
  const post = async (url: string, payload: object): Promise<number | undefined> => {
    const body = JSON.stringify(payload);
    const headers = { authorization: sign(body), 'user-agent': 'vonage-webhooks' };
    const { status, text } = await server.outbound.call(jsonPost(url, headers, body));
    return text === undefined ? undefined : status;
  };
  const run = (message: Mutable<EmulatedVonageMessage>, rule: VonageLateFailureRule | undefined): void => {
    const last = rule === undefined ? 'delivered' : (rule.status ?? 'undeliverable');
    callbacks.walk(message, ['submitted', last], (status) => {
      message.status = status;
      const error = status === last && rule?.error !== undefined ? { error: errorOf(rule.error, '') } : {};
      const { id, to, from, channel, client_ref } = message;
      const timestamp = new Date(clock()).toISOString();
      return { message_uuid: id, to, from, timestamp, status, channel, client_ref, ...error };
    });
  };
  const runCall = (call: Mutable<EmulatedVonageCall>, rule: VonageLateFailureRule | undefined): void => {
    const last = rule === undefined ? 'completed' : (rule.status ?? 'failed');
    const steps = rule === undefined ? ['ringing', 'answered', last] : [last];
    callbacks.walk(call, ['started', ...steps], (status) => {
      call.status = status;
      const { uuid, conversationUuid: conversation_uuid, to, from } = call;
      const timestamp = new Date(clock()).toISOString();
      const detail = status === last && rule?.detail !== undefined ? { detail: rule.detail } : {};
      return { uuid, conversation_uuid, to, from, status, direction: 'outbound', timestamp, ...detail };
    });
  };
  server.serve(
    vonageApi({
      ...account,
      publicKey,
      clock,
      refusal: (request) => {
        const rule = refusals.take(request);
        return rule && refusalReply(rule.status, rule.error, 'Refused');
      },
      accept: (message, request) => {
        messages.push(message);
        run(message, deliver(request, `+${message.to}`, deliveredItem(message)));
      },
      acceptCall: (call, request) => {
        calls.push(call);
        const { text, uuid: sid, to } = call;
        runCall(call, deliver(request, `+${to}`, { channel: 'voice', text, spoken: text, sid }));
      },
    }),
  );

  return provider.emulatorOf<VonageEmulator>({
    ...account,
    signatureSecret,
    credential: {
      baseUrl: server.origin,
      applicationId: account.applicationId,
      privateKey: account.privateKey,
      signatureSecret,
    },
    messages,
    calls,
    receive: ({ url, from, text, channel = 'sms', messageUuid = randomUUID() }) =>
      post(url, {
        channel,
        message_uuid: messageUuid,
        to: account.number,
        from: from.replace(/^\+/, ''),
        timestamp: new Date(clock()).toISOString(),
        message_type: 'text',
        text,
      }),
    sign,
    rotateSignatureSecret: (secret) => {
      signingSecret = secret;
    },
  });
}
