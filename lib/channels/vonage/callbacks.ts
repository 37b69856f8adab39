import { createHash, timingSafeEqual } from 'node:crypto';
import { jwtVerify } from 'jose/jwt/verify';
import type {
  CallbackAnswer,
  CallbackReceiver,
  CallbackRequest,
  InboundMessage,
  PushedReport,
} from '../../core/channel.js';
import { asObject, isObject, parseJson, textFieldOf, type JsonObject } from '../../core/json.js';
import { numberOfUser } from '../provider.js';
import { describeCallFailure, describeFailure } from './error-codes.js';
import type { VonageSignatureSecret } from './options.js';

/**
 * Reads Vonage's webhooks: the statuses of messages, inbound messages, and the events of calls. Sources: Vonage's pages "Decoding
 * signed webhooks", "Messages API" (v1: message status, inbound message) and "Voice API webhooks reference".
 */

/** A webhook may be this old, seconds. What it says matters while a code is valid. */
const MAX_AGE_SECONDS = 5 * 60;
/** How far Vonage's clock may be ahead of ours, seconds. */
const SKEW_SECONDS = 60;

/** How Vonage proves its webhooks. */
export interface WebhookProof {
  readonly signatureSecret: VonageSignatureSecret;
  /** The account that signs, if it is known. */
  readonly apiKey?: string | undefined;
  readonly clock: () => number;
}

/**
 * Receives the status webhooks and the inbound messages of one kind to one sender. An application has one URL for the inbound
 * messages of all kinds and numbers.
 *
 * @param sender - E.164; `undefined` for a name, which nobody can write to.
 */
export function messageReceiver(
  { kind, sender }: { readonly kind: 'sms' | 'whatsapp'; readonly sender: string | undefined },
  proof: WebhookProof,
): CallbackReceiver {
  return receiver(proof, (body) => {
    if (body['status'] !== undefined) return { reports: readStatus(body) };
    const isToSender = sender !== undefined && numberOfUser(textFieldOf(body, 'to')) === sender;
    return { inbound: isToSender && body['channel'] === kind ? readInbound(body) : [] };
  });
}

/** Receives the events of calls. */
export function callReceiver(proof: WebhookProof): CallbackReceiver {
  return receiver(proof, (body, { query }) => ({ reports: readCallEvent(body, query['attempt']) }));
}

type Reading = Pick<CallbackAnswer, 'reports' | 'inbound'>;

function receiver(
  proof: WebhookProof,
  read: (body: JsonObject, request: CallbackRequest) => Reading,
): CallbackReceiver {
  const keys = [proof.signatureSecret].flat().map((secret) => new TextEncoder().encode(secret));
  return {
    async handle(request) {
      if (!(await isProven(request, keys, proof))) return { status: 401 };
      const body = parseJson(request.rawBody.toString());
      // Vonage sends again what is not answered by a success, and it would be the same again.
      return { status: 200, ...(isObject(body) ? read(body, request) : {}) };
    },
  };
}

/** Whether Vonage has signed this body just now. */
async function isProven(
  { headers, rawBody }: CallbackRequest,
  keys: readonly Uint8Array[],
  { apiKey, clock }: WebhookProof,
): Promise<boolean> {
  const [, token] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (token === undefined) return false;
  for (const key of keys) {
    const claims = await jwtVerify(token, key, {
      algorithms: ['HS256'],
      currentDate: new Date(clock()),
      maxTokenAge: MAX_AGE_SECONDS,
      clockTolerance: SKEW_SECONDS,
    }).then(
      ({ payload }): JsonObject => payload,
      () => undefined,
    );
    if (claims === undefined) continue;
    const { payload_hash: hash, api_key: account } = claims;
    return isHashOf(rawBody, hash) && (apiKey === undefined || account === apiKey);
  }
  return false;
}

function isHashOf(body: Buffer, hash: unknown): boolean {
  const given = Buffer.from(typeof hash === 'string' ? hash : '', 'hex');
  const actual = createHash('sha256').update(body).digest();
  return given.length === actual.length && timingSafeEqual(given, actual);
}

function readStatus(body: JsonObject): readonly PushedReport[] {
  const { status, error } = body;
  const transactionId = textFieldOf(body, 'message_uuid');
  if (typeof status !== 'string' || transactionId === undefined) return [];
  const message = {
    transactionId,
    reference: textFieldOf(body, 'client_ref'),
    providerStatus: status,
    to: numberOfUser(textFieldOf(body, 'to')),
  };
  if (status === 'rejected' || status === 'undeliverable') {
    return [{ ...message, ...describeFailure(status, asObject(error)) }];
  }
  return [{ ...message, status: status === 'delivered' || status === 'read' ? 'delivered' : 'pending' }];
}

function readInbound(body: JsonObject): readonly InboundMessage[] {
  const messageId = textFieldOf(body, 'message_uuid');
  const from = textFieldOf(body, 'from');
  if (messageId === undefined || from === undefined) return [];
  const number = numberOfUser(from);
  return [
    {
      messageId,
      from: number,
      // WhatsApp also has users without a number.
      externalUserId: number === undefined ? from : undefined,
      // Or a tap on a button of a template.
      text: textFieldOf(body, 'text') ?? textFieldOf(body, 'button', 'text') ?? '',
    },
  ];
}

/**
 * @param reference - of the attempt: calls have no reference of their own, so the URL has it. The token covers the body alone. So
 * the reference counts only beside the signed id. It is random, and only Vonage gets it.
 */
function readCallEvent(body: JsonObject, reference: string | undefined): readonly PushedReport[] {
  const { status, detail } = body;
  const transactionId = textFieldOf(body, 'uuid');
  if (typeof status !== 'string' || transactionId === undefined) return [];
  const call = { transactionId, reference, providerStatus: status };
  // Of a call that rang and was not picked up or was declined, nothing follows: the phone is there.
  if (status === 'failed' || (status === 'rejected' && detail !== 'declined')) {
    return [{ ...call, ...describeCallFailure(status, detail) }];
  }
  return [{ ...call, status: status === 'completed' ? 'delivered' : 'pending' }];
}
