import { randomUUID } from 'node:crypto';
import {
  startProvider,
  type EmulatedProvider,
  type ProviderEmulatorOptions,
} from '../server/emulated-provider.js';
import { requireKeys, type LimitedRule } from '../server/faults.js';
import { randomAlphanumeric, randomDigits } from '../server/random-ids.js';
import { okReply, type Answer } from '../server/reply.js';
import type { CallbackRule, Mutable } from '../server/status-callbacks.js';
import { messageId, readMessage, type EmulatedMetaMessage } from './messages.js';
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
export type MetaEmulatorOptions = ProviderEmulatorOptions;

/** A fault of the statuses of new messages. */
export type MetaCallbackFault = CallbackRule<EmulatedMetaMessage>;

/** A number of WhatsApp's Cloud API on the loopback interface, with the phones that it reaches. */
export interface MetaEmulator
  extends MetaIds, EmulatedProvider<MetaRefusalRule, MetaLateFailureRule, EmulatedMetaMessage, object> {
  /** What `whatsAppCloud` takes. The template is there in `en_US` and `pt_BR`. */
  readonly credential: Readonly<
    Record<'phoneNumberId' | 'accessToken' | 'appSecret' | 'verifyToken' | 'baseUrl', string>
  > & { readonly templates: typeof TEMPLATES };
  /** The accepted messages with their current state, newest last. */
  readonly messages: readonly EmulatedMetaMessage[];
  readonly templates: readonly EmulatedMetaTemplate[];

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
}

const WEBHOOK_TIMEOUT_MS = 20_000;
const TEMPLATES = { name: 'okta_code', languages: { default: 'en_US', pt: 'pt_BR' } } as const;

/** Starts a number of the Cloud API on 127.0.0.1. Close it at the end. */
export async function startMetaEmulator(options: MetaEmulatorOptions = {}): Promise<MetaEmulator> {
  const accountId = `1${randomDigits(14)}`;
  const phoneNumberId = `2${randomDigits(14)}`;
  const ids = { accountId, phoneNumberId, number: '+14155550199' };
  const accessToken = `EAAG${randomAlphanumeric(60)}`;
  const appSecret = randomUUID().replaceAll('-', '');
  const verifyToken = `verify-${randomUUID()}`;
  let webhook: string | undefined;
  let settings: MetaSettings = {};
  const messages: Mutable<EmulatedMetaMessage>[] = [];
  const templates = new MetaTemplates();
  for (const language of Object.values(TEMPLATES.languages)) {
    templates.add({ name: TEMPLATES.name, language, message_send_ttl_seconds: 300 });
  }
  const provider = await startProvider<MetaRefusalRule, MetaLateFailureRule, EmulatedMetaMessage, object>(
    options,
    {
      callTimeoutMs: WEBHOOK_TIMEOUT_MS,
      post: (url, payload): Promise<number | undefined> => postPayload(server, appSecret, url, payload),
    },
  );
  const { clock, server, refusals, callbacks, deliver } = provider;
  const enter = (message: Mutable<EmulatedMetaMessage>, status: EmulatedMetaMessage['status']): object => {
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
      const message: Mutable<EmulatedMetaMessage> = { ...asked, id, ...state };
      messages.push(message);
      const button = { text: 'Copy code', copies: code };
      const text = `${code} is your verification code.`;
      const failure = deliver(request, to, { channel: 'whatsapp', text, button, sid: id });
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

  return provider.emulatorOf<MetaEmulator>({
    ...ids,
    credential: {
      phoneNumberId,
      accessToken,
      appSecret,
      verifyToken,
      baseUrl: server.origin,
      templates: TEMPLATES,
    },
    messages,
    templates: templates.list,
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
  });
}
