import { createHmac, timingSafeEqual } from 'node:crypto';
import type {
  CallbackAnswer,
  CallbackReceiver,
  CallbackRequest,
  InboundMessage,
  PushedReport,
} from '../../core/channel.js';
import { asList, fieldOf, parseJson, textFieldOf } from '../../core/json.js';
import { isSameText, numberOfUser } from '../provider.js';
import { describeFailure } from './error-codes.js';
import type { WhatsAppCloudSettings } from './options.js';

/**
 * The webhook of Meta's app: the verification of its URL, and signed posts with the statuses of messages and the messages of
 * users. Sources: Meta's pages "Create a webhook endpoint" and "messages webhook reference".
 */

/**
 * The webhook of a number. An app has one webhook for all its numbers, unless a number has a callback URL of its own: those of the
 * others are skipped.
 */
export function metaWebhook({
  phoneNumberId,
  appSecret,
  verifyToken,
}: Pick<WhatsAppCloudSettings, 'phoneNumberId' | 'appSecret' | 'verifyToken'>): CallbackReceiver {
  const secrets = [appSecret].flat();
  return {
    methods: ['GET', 'POST'],
    handle: (request) => {
      if (request.method === 'GET') return answerVerification(request, verifyToken);
      if (!isSigned(request, secrets)) return { status: 401 };
      const values = valuesIn(request.rawBody, phoneNumberId);
      return {
        status: 200,
        reports: values.flatMap((value) => asList(fieldOf(value, 'statuses')).flatMap(readStatus)),
        inbound: values.flatMap((value) =>
          asList(fieldOf(value, 'messages')).flatMap((message) => readMessage(message, value)),
        ),
      };
    },
  };
}

/** Meta verifies a URL by the token, and expects its challenge back. */
function answerVerification({ query }: CallbackRequest, verifyToken: string): CallbackAnswer {
  const { 'hub.mode': mode, 'hub.verify_token': token = '', 'hub.challenge': challenge = '' } = query;
  return isSameText(token, verifyToken) && mode === 'subscribe'
    ? { status: 200, body: challenge }
    : { status: 403 };
}

const SIGNATURE = /^sha256=([0-9a-f]{64})$/i;

/** Whether any of the secrets has signed the bytes of the body. */
function isSigned({ headers, rawBody }: CallbackRequest, secrets: readonly string[]): boolean {
  const [, hex] = SIGNATURE.exec(String(headers['x-hub-signature-256'])) ?? [];
  if (hex === undefined) return false;
  const given = Buffer.from(hex, 'hex');
  return secrets
    .map((secret) => timingSafeEqual(createHmac('sha256', secret).update(rawBody).digest(), given))
    .includes(true);
}

/** What the entries and changes of a post say of one number. */
function valuesIn(rawBody: Buffer, phoneNumberId: string): readonly unknown[] {
  const body = parseJson(rawBody.toString('utf8'));
  if (fieldOf(body, 'object') !== 'whatsapp_business_account') return [];
  return asList(fieldOf(body, 'entry'))
    .flatMap((entry) => asList(fieldOf(entry, 'changes')))
    .filter((change) => fieldOf(change, 'field') === 'messages')
    .map((change) => fieldOf(change, 'value'))
    .filter((value) => fieldOf(value, 'metadata', 'phone_number_id') === phoneNumberId);
}

/** The status of a message. Other apps may send from the same number: the hook does not know their messages. */
function readStatus(status: unknown): readonly PushedReport[] {
  const transactionId = textFieldOf(status, 'id');
  const reference = textFieldOf(status, 'biz_opaque_callback_data');
  const word = textFieldOf(status, 'status');
  if (word === undefined || (transactionId ?? reference) === undefined) return [];
  const message = {
    transactionId,
    reference,
    providerStatus: word,
    to: numberOfUser(textFieldOf(status, 'recipient_id')),
  };
  if (word === 'failed') return [{ ...message, ...describeFailure(asList(fieldOf(status, 'errors'))) }];
  // A message that is read at once may have no other status.
  return [{ ...message, status: word === 'delivered' || word === 'read' ? 'delivered' : 'pending' }];
}

/** A message that a user has typed, or chosen by a button. Pictures and the like hold no word. */
function readMessage(message: unknown, value: unknown): readonly InboundMessage[] {
  const messageId = textFieldOf(message, 'id');
  const text =
    textFieldOf(message, 'text', 'body') ??
    textFieldOf(message, 'button', 'text') ??
    textFieldOf(message, 'button', 'payload') ??
    textFieldOf(message, 'interactive', 'button_reply', 'title');
  const waId = textFieldOf(message, 'from');
  const from = numberOfUser(waId);
  const externalUserId =
    textFieldOf(message, 'user_id') ?? textFieldOf(message, 'from_user_id') ?? userIdOf(waId, value);
  if (messageId === undefined || text === undefined || (from ?? externalUserId) === undefined) return [];
  return [{ messageId, text, from, externalUserId, sentAt: endOfSecond(textFieldOf(message, 'timestamp')) }];
}

/** Meta gives whole seconds. By the end of its second, a word never counts as older than one that was taken before it was sent. */
function endOfSecond(timestamp: string | undefined): Date | undefined {
  return timestamp === undefined ? undefined : new Date((Number(timestamp) + 1) * 1000);
}

/** The business-scoped id that a contact of the post has beside their number. */
function userIdOf(waId: string | undefined, value: unknown): string | undefined {
  if (waId === undefined) return undefined;
  const contact = asList(fieldOf(value, 'contacts')).find((one) => fieldOf(one, 'wa_id') === waId);
  return textFieldOf(contact, 'user_id');
}
