import { randomUUID } from 'node:crypto';
import { startEmulatedServer } from '../server/emulated-server.js';
import { requireKeys, RuleList, type Fault, type FaultRule, type LimitedRule } from '../server/faults.js';
import { Phones, type DeliveredItem, type EmulatedPhoneItem } from '../server/phones.js';
import { randomAlphanumeric, randomDigits } from '../server/random-ids.js';
import { okReply, type Answer } from '../server/reply.js';
import type { RecordedRequest } from '../server/request.js';
import { StatusCallbacks, type CallbackRule, type EmulatedCallback } from '../server/status-callbacks.js';
import { messageId, readMessage, type EmulatedMetaMessage, type StoredMetaMessage } from './messages.js';
import { metaError, MetaTemplates, type EmulatedMetaTemplate, type NewMetaTemplate } from './templates.js';
import { inboundContent, payloadOf, postPayload, signBody, statusContent } from './webhook.js';
import type { MetaIds, MetaInboundMessage } from './webhook.js';

/** Refuses new messages with one of Meta's codes. */
export interface MetaRefusalRule extends LimitedRule {
  readonly code: number;
  /** The HTTP status. Default: 400. */
  readonly status?: number | undefined;
  /** Meta's `is_transient`. Default: absent. */
  readonly isTransient?: boolean | undefined;
}

/** Accepts new messages, which then fail with one of Meta's codes. */
export interface MetaLateFailureRule extends LimitedRule {
  readonly code: number;
}

/** What `configure` changes. */
export interface MetaSettings {
  /** What the number's `health_status` says. Default: `AVAILABLE`. */
  readonly health?: 'AVAILABLE' | 'LIMITED' | 'BLOCKED' | undefined;
  /** Whether the token may read and create templates. Default: `true`. */
  readonly mayManage?: boolean | undefined;
}

/** Options of `startMetaEmulator`. */
export interface MetaEmulatorOptions {
  /** Default: any free port. */
  readonly port?: number | undefined;
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** Time between the steps of a message, and so before each of its statuses. Default: 10. */
  readonly callbackDelayMs?: number | undefined;
}

/** A fault of the statuses of new messages. */
export type MetaCallbackFault = CallbackRule<EmulatedMetaMessage>;

/** A number of WhatsApp's Cloud API on the loopback interface, with the phones that it reaches. */
export interface MetaEmulator extends MetaIds {
  /** E.g. `http://127.0.0.1:49152`. */
  readonly baseUrl: string;
  /** What `whatsAppCloud` takes. The template is there in `en_US` and `pt_BR`. */
  readonly credential: Readonly<
    Record<'phoneNumberId' | 'accessToken' | 'appSecret' | 'verifyToken' | 'baseUrl', string>
  > & { readonly templates: typeof TEMPLATES };
  /** Every request, newest last. */
  readonly requests: RecordedRequest[];
  /** The accepted messages with their current state, newest last. */
  readonly messages: readonly EmulatedMetaMessage[];
  /** The posts with statuses, newest last. */
  readonly callbacks: readonly EmulatedCallback<object>[];
  readonly templates: readonly EmulatedMetaTemplate[];
  /** How many requests followed a `redirect` fault. */
  readonly redirectHits: number;

  /** The messages on the phone with this number, newest last. A message that fails is never there. */
  inbox(number: string): readonly EmulatedPhoneItem[];
  /** Resolves to the phone's oldest message that no earlier `nextItem` has taken. Rejects after 5 s, or `timeoutMs`. */
  nextItem(number: string, options?: { readonly timeoutMs?: number | undefined }): Promise<EmulatedPhoneItem>;
  /** Calls a listener for every message that a phone gets. */
  onDelivered(listener: (item: DeliveredItem) => void): void;

  /**
   * Enters a URL as the app's webhook: verifies it as Meta does, and posts statuses and messages there from then on. Rejects if
   * the answer is not 200 with the challenge.
   */
  setWebhook(url: string): Promise<void>;
  /** A person writes to the number. Resolves to the status of the webhook's answer; `undefined` without a webhook. */
  receive(message: MetaInboundMessage): Promise<number | undefined>;
  /** The recipient opens a message: its status `read` is posted. Throws for an unknown message. */
  markRead(id: string): void;
  /** `X-Hub-Signature-256` of a body, for a post of your own. */
  sign(body: string): string;

  /** Adds a template, or replaces the one with its name and language. */
  addTemplate(template: NewMetaTemplate): void;
  /** Changes the number and the token. */
  configure(settings: MetaSettings): void;

  /** Adds a fault, by default for every request. Rules apply in the order in which they were added. */
  fault(rule: FaultRule | Fault): void;
  /** Refuses new messages with one of Meta's codes. */
  refuseWith(rule: MetaRefusalRule): void;
  /** Accepts new messages, and reports later that they failed. */
  failLater(rule: MetaLateFailureRule): void;
  /** Makes the statuses of new messages late, repeated, out of order, or not at all. */
  faultCallbacks(fault: MetaCallbackFault): void;
  /** Posts the statuses that `faultCallbacks` has held, in their order. Resolves when all are answered. */
  releaseCallbacks(): Promise<void>;
  /** Removes the rules of `fault`, `refuseWith`, `failLater` and `faultCallbacks`. */
  clearFaults(): void;
  /** Ends the emulator at once, with every connection and timer. Statuses that are due are not posted. */
  close(): Promise<void>;
}

const DEFAULT_CALLBACK_DELAY_MS = 10;
const WEBHOOK_TIMEOUT_MS = 20_000;
const TEMPLATES = { name: 'okta_code', languages: { default: 'en_US', pt: 'pt_BR' } } as const;

/** Starts a number of the Cloud API on 127.0.0.1. Close it at the end. */
export async function startMetaEmulator(options: MetaEmulatorOptions = {}): Promise<MetaEmulator> {
  const { clock = Date.now, callbackDelayMs = DEFAULT_CALLBACK_DELAY_MS } = options;
  const accountId = `1${randomDigits(14)}`;
  const phoneNumberId = `2${randomDigits(14)}`;
  const ids = { accountId, phoneNumberId, number: '+14155550199' };
  const accessToken = `EAAG${randomAlphanumeric(60)}`;
  const appSecret = randomUUID().replaceAll('-', '');
  const verifyToken = `verify-${randomUUID()}`;
  let webhook: string | undefined;
  let settings: MetaSettings = {};
  const phones = new Phones();
  const messages: StoredMetaMessage[] = [];
  const templates = new MetaTemplates();
  for (const language of Object.values(TEMPLATES.languages)) {
    templates.add({ name: TEMPLATES.name, language, message_send_ttl_seconds: 300 });
  }
  const refusals = new RuleList<MetaRefusalRule>();
  const lateFailures = new RuleList<MetaLateFailureRule>();
  const server = await startEmulatedServer({ port: options.port, clock, callTimeoutMs: WEBHOOK_TIMEOUT_MS });
  const callbacks = new StatusCallbacks<EmulatedMetaMessage, object>(server, {
    stepMs: callbackDelayMs,
    post: (url, payload) => postPayload(server, appSecret, url, payload),
  });
  const enter = (message: StoredMetaMessage, status: EmulatedMetaMessage['status']): object => {
    message.status = status;
    return payloadOf(ids, statusContent(message, clock()));
  };

  const send: Answer = (request) => {
    const asked = readMessage(request, templates);
    if (!('to' in asked)) return asked;
    const refusal = refusals.take(request);
    if (refusal !== undefined) {
      const { code, status = 400, isTransient: is_transient } = refusal;
      return metaError(status, code, `Not sent to ${asked.to}`, { is_transient });
    }
    const { to, code } = asked;
    const id = messageId(to);
    const contacts = [{ input: to, wa_id: to.slice(1) }];
    const made = { messaging_product: 'whatsapp', contacts, messages: [{ id, message_status: 'accepted' }] };
    const commit = (): void => {
      const state = { status: 'accepted', errorCode: undefined, statusCallback: webhook } as const;
      const message: StoredMetaMessage = { ...asked, id, ...state };
      messages.push(message);
      const failure = lateFailures.take(request);
      if (failure === undefined) {
        const button = { text: 'Copy code', copies: code };
        const text = `${code} is your verification code.`;
        phones.deliver(to, { channel: 'whatsapp', text, button, at: clock(), sid: id });
      }
      const steps = failure === undefined ? (['sent', 'delivered'] as const) : (['failed'] as const);
      callbacks.walk(message, steps, (status) => {
        // A message that was read is delivered.
        if (message.status === 'read') return undefined;
        message.errorCode = failure?.code;
        return enter(message, status);
      });
    };
    return { ...okReply(made), commit };
  };
  const readNumber: Answer = () => {
    const { health: can_send_message = 'AVAILABLE' } = settings;
    const entities = [
      { entity_type: 'PHONE_NUMBER', id: phoneNumberId, can_send_message },
      { entity_type: 'WABA', id: accountId, can_send_message: 'AVAILABLE' },
    ];
    return okReply({ health_status: { can_send_message, entities }, id: phoneNumberId });
  };
  const guarded =
    (id: string, answer: Answer): Answer =>
    (request, params) => {
      if (request.headers.authorization !== `Bearer ${accessToken}`) {
        return metaError(401, 190, 'Invalid OAuth access token');
      }
      if (params['id'] !== id) return metaError(400, 100, 'Unsupported request', { error_subcode: 33 });
      const isForbidden = id === accountId && settings.mayManage === false;
      return isForbidden ? metaError(403, 200, 'Permissions error') : answer(request, params);
    };
  server.serve({
    routes: [
      ['get', '/:version/:id', guarded(phoneNumberId, readNumber)],
      ['post', '/:version/:id/messages', guarded(phoneNumberId, send)],
      ['get', '/:version/:id/message_templates', guarded(accountId, templates.read)],
      ['post', '/:version/:id/message_templates', guarded(accountId, templates.create)],
    ],
    notFound: () => metaError(404, 2500, 'Unknown path components'),
  });

  return {
    ...ids,
    baseUrl: server.origin,
    credential: {
      phoneNumberId,
      accessToken,
      appSecret,
      verifyToken,
      baseUrl: server.origin,
      templates: TEMPLATES,
    },
    requests: server.requests,
    messages,
    callbacks: callbacks.made,
    templates: templates.list,
    get redirectHits() {
      return server.redirectHits;
    },
    inbox: (number) => phones.inbox(number),
    nextItem: (number, itemOptions) => phones.nextItem(number, itemOptions),
    onDelivered: (listener) => phones.onDelivered(listener),
    setWebhook: async (url) => {
      const challenge = randomDigits(10);
      const query = `hub.mode=subscribe&hub.challenge=${challenge}&hub.verify_token=${verifyToken}`;
      const verification = { method: 'GET', url: `${url}?${query}`, headers: {} } as const;
      const { status, text } = await server.outbound.call(verification);
      if (status !== 200 || text !== challenge) {
        throw new Error(`The webhook could not be verified: its answer has the status ${status ?? 'none'}.`);
      }
      webhook = url;
    },
    receive: async (message) => {
      if (webhook === undefined) return undefined;
      const content = inboundContent(messageId(message.from), message, clock());
      return postPayload(server, appSecret, webhook, payloadOf(ids, content));
    },
    markRead: (id) => {
      const message = messages.find((one) => one.id === id);
      if (message === undefined) throw new Error('There is no such message.');
      callbacks.make(message, enter(message, 'read'));
    },
    sign: (body) => signBody(appSecret, body),
    addTemplate: (template) => templates.add(template),
    configure: (changed) => {
      requireKeys('configure()', changed, ['health', 'mayManage']);
      settings = { ...settings, ...changed };
    },
    fault: server.fault,
    refuseWith: (rule) => refusals.add(rule),
    failLater: (rule) => lateFailures.add(rule),
    faultCallbacks: (fault) => callbacks.fault(fault),
    releaseCallbacks: () => callbacks.release(),
    clearFaults: () => {
      server.clearFaults();
      refusals.clear();
      lateFailures.clear();
      callbacks.clearFaults();
    },
    close: server.close,
  };
}
