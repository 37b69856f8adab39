import { generateKeyPair, randomUUID, type KeyPairKeyObjectResult } from 'node:crypto';
import { promisify } from 'node:util';
import { startEmulatedServer } from '../server/emulated-server.js';
import { RuleList, type Fault, type FaultRule, type LimitedRule } from '../server/faults.js';
import { jsonPost } from '../server/outbound.js';
import { Phones, type DeliveredItem, type EmulatedPhoneItem } from '../server/phones.js';
import { randomAlphanumeric } from '../server/random-ids.js';
import type { RecordedRequest } from '../server/request.js';
import { StatusCallbacks, type CallbackRule, type EmulatedCallback } from '../server/status-callbacks.js';
import { vonageApi } from './api.js';
import type { EmulatedVonageCall, StoredCall } from './calls.js';
import { errorOf, refusalReply } from './errors.js';
import { deliveredItem, type EmulatedVonageMessage, type StoredMessage } from './messages.js';
import { signVonageWebhook } from './webhook.js';

/** Options of `startVonageEmulator`. */
export interface VonageEmulatorOptions {
  /** Default: any free port. */
  readonly port?: number | undefined;
  /** Milliseconds since 1970; tokens and signatures go by it. Default: `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** Time between the steps of a message, and so before each of its status webhooks. Default: 10. */
  readonly callbackDelayMs?: number | undefined;
}

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
export interface VonageEmulator {
  readonly baseUrl: string;
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
  /** Every request to the API, newest last. */
  readonly requests: readonly RecordedRequest[];
  /** The accepted messages with their current state, newest last. */
  readonly messages: readonly EmulatedVonageMessage[];
  /** The accepted calls with their current state, newest last. */
  readonly calls: readonly EmulatedVonageCall[];
  /** The status webhooks and events that were made, newest last. */
  readonly callbacks: readonly EmulatedCallback<Readonly<Record<string, unknown>>>[];
  /** How many requests followed a `redirect` fault. */
  readonly redirectHits: number;

  /** The messages and calls on the phone with this number (E.164), newest last. One that fails is never there. */
  inbox(number: string): readonly EmulatedPhoneItem[];
  /** Resolves to the phone's oldest message or call that no earlier `nextItem` has taken; waits 5 s for it, or `timeoutMs`. */
  nextItem(number: string, options?: { readonly timeoutMs?: number | undefined }): Promise<EmulatedPhoneItem>;
  /** Calls a listener for every message and call that a phone gets. */
  onDelivered(listener: (item: DeliveredItem) => void): void;
  /** Posts what a person writes, signed. Resolves to the status of the answer; `undefined` without one. */
  receive(message: VonageInboundMessage): Promise<number | undefined>;
  /** `Authorization` of a webhook with this body. @param claims - replace claims of the token. */
  sign(body: string, claims?: Readonly<Record<string, unknown>>): string;
  /** Signs with another secret from now on, as after its rotation in the Dashboard. */
  rotateSignatureSecret(secret: string): void;

  /** Refuses new messages and calls with one of Vonage's errors, in its own shape. */
  refuseWith(rule: VonageRefusalRule): void;
  /** Accepts new messages and calls, and reports later that they failed. */
  failLater(rule: VonageLateFailureRule): void;
  /** Adds a fault, by default for every request. Rules apply in the order in which they were added. */
  fault(rule: FaultRule | Fault): void;
  /** Makes the webhooks of new messages and calls late, repeated, out of order, or not at all. */
  faultCallbacks(fault: VonageCallbackFault): void;
  /** Makes the webhooks that `faultCallbacks` has held, in their order. Resolves when all are answered. */
  releaseCallbacks(): Promise<void>;
  /** Removes the rules of `fault`, `refuseWith`, `failLater` and `faultCallbacks`. */
  clearFaults(): void;
  /** Ends the emulator at once, with every connection and timer. Webhooks that are due are not made. */
  close(): Promise<void>;
}

const DEFAULT_CALLBACK_DELAY_MS = 10;
const WEBHOOK_TIMEOUT_MS = 15_000;

/** The application's key: one for all emulators of a process, because making it takes long. */
let keys: Promise<KeyPairKeyObjectResult> | undefined;

/** Starts a Vonage account on 127.0.0.1. Close it at the end. */
export async function startVonageEmulator(options: VonageEmulatorOptions = {}): Promise<VonageEmulator> {
  const { clock = Date.now, callbackDelayMs = DEFAULT_CALLBACK_DELAY_MS } = options;
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
  const messages: StoredMessage[] = [];
  const calls: StoredCall[] = [];
  const phones = new Phones();
  const failures = new RuleList<VonageLateFailureRule>();
  const refusals = new RuleList<VonageRefusalRule>();

  const server = await startEmulatedServer({
    port: options.port,
    clock,
    callTimeoutMs: WEBHOOK_TIMEOUT_MS,
  });
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
  const callbacks = new StatusCallbacks<StoredMessage | StoredCall, Readonly<Record<string, unknown>>>(
    server,
    {
      stepMs: callbackDelayMs,
      post,
    },
  );
  const run = (message: StoredMessage, rule: VonageLateFailureRule | undefined): void => {
    const last = rule === undefined ? 'delivered' : (rule.status ?? 'undeliverable');
    callbacks.walk(message, ['submitted', last], (status) => {
      message.status = status;
      const error = status === last && rule?.error !== undefined ? { error: errorOf(rule.error, '') } : {};
      const { id, to, from, channel, client_ref } = message;
      const timestamp = new Date(clock()).toISOString();
      return { message_uuid: id, to, from, timestamp, status, channel, client_ref, ...error };
    });
  };
  const runCall = (call: StoredCall, rule: VonageLateFailureRule | undefined): void => {
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
        return rule && refusalReply({ ...rule, title: 'Refused' });
      },
      accept: (message, request) => {
        messages.push(message);
        const failure = failures.take(request);
        if (failure === undefined) phones.deliver(`+${message.to}`, deliveredItem(message, clock()));
        run(message, failure);
      },
      acceptCall: (call, request) => {
        calls.push(call);
        const failure = failures.take(request);
        const { text, uuid: sid, to } = call;
        if (failure === undefined) {
          phones.deliver(`+${to}`, { channel: 'voice', text, spoken: text, at: clock(), sid });
        }
        runCall(call, failure);
      },
    }),
  );

  return {
    baseUrl: server.origin,
    ...account,
    signatureSecret,
    credential: {
      baseUrl: server.origin,
      applicationId: account.applicationId,
      privateKey: account.privateKey,
      signatureSecret,
    },
    requests: server.requests,
    messages,
    calls,
    callbacks: callbacks.made,
    get redirectHits() {
      return server.redirectHits;
    },
    inbox: (number) => phones.inbox(number),
    nextItem: (number, itemOptions) => phones.nextItem(number, itemOptions),
    onDelivered: (listener) => phones.onDelivered(listener),
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
    refuseWith: (rule) => refusals.add(rule),
    failLater: (rule) => failures.add(rule),
    fault: server.fault,
    faultCallbacks: (fault) => callbacks.fault(fault),
    releaseCallbacks: () => callbacks.release(),
    clearFaults: () => {
      refusals.clear();
      server.clearFaults();
      failures.clear();
      callbacks.clearFaults();
    },
    close: server.close,
  };
}
