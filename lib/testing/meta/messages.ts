import { randomBytes } from 'node:crypto';
import { asObject, fieldOf, parseJson } from '../../core/json.js';
import type { Reply } from '../server/reply.js';
import type { RecordedRequest } from '../server/request.js';
import { codeOfComponents } from '../server/whatsapp-code.js';
import { metaError, type MetaTemplates } from './templates.js';

/** A message that Meta accepted. */
export interface EmulatedMetaMessage {
  /** `wamid.…`: as at Meta, the recipient's number in base64 is a part of it. */
  readonly id: string;
  /** E.164. */
  readonly to: string;
  readonly language: string;
  /** The code in the body, which the button copies. */
  readonly code: string;
  /** `biz_opaque_callback_data`. */
  readonly reference: string | undefined;
  readonly status: 'accepted' | 'sent' | 'delivered' | 'read' | 'failed';
  /** The code of the failure. */
  readonly errorCode: number | undefined;
  /** Where its statuses are posted: the app's webhook at that time. */
  readonly statusCallback: string | undefined;
}

/** An id in WhatsApp's form. */
export function messageId(number: string): string {
  const random = randomBytes(10).toString('hex').toUpperCase();
  const bytes = `\x1c\x18\x0c${number.slice(1)}\x15\x02\0\x11\x18\x12${random}\0`;
  return `wamid.${Buffer.from(bytes, 'latin1').toString('base64')}`;
}

/** What a send asks for, or Meta's refusal. */
export function readMessage(
  request: RecordedRequest,
  templates: MetaTemplates,
): Pick<EmulatedMetaMessage, 'to' | 'language' | 'code' | 'reference'> | Reply {
  const body = asObject(parseJson(request.body));
  const wrong = wrongField(body);
  if (wrong !== undefined) return metaError(400, 100, `Invalid parameter: ${wrong}`);
  const { to, type, template, biz_opaque_callback_data: reference } = body;
  if (type !== 'template') return metaError(400, 131047, 'Re-engagement message');
  const { status, language = '' } =
    templates.find(fieldOf(template, 'name'), fieldOf(template, 'language', 'code')) ?? {};
  if (status === 'PAUSED') return metaError(400, 132015, 'Template is paused');
  if (status === 'DISABLED') return metaError(400, 132016, 'Template is disabled');
  if (status !== 'APPROVED') return metaError(404, 132001, 'Template name does not exist in the translation');
  const code = codeOfComponents(fieldOf(template, 'components'));
  if (code === undefined) return metaError(400, 132000, 'Number of parameters does not match');
  return {
    to: `+${String(to).replace('+', '')}`,
    language,
    code,
    reference: reference as string | undefined,
  };
}

const FIELDS = ['messaging_product', 'recipient_type', 'to', 'type', 'template', 'biz_opaque_callback_data'];

/** The first field that Meta would not accept. */
function wrongField(body: Readonly<Record<string, unknown>>): string | undefined {
  const { messaging_product, recipient_type, to, biz_opaque_callback_data: reference = '' } = body;
  if (messaging_product !== 'whatsapp') return 'messaging_product';
  if (recipient_type !== 'individual') return 'recipient_type';
  if (!/^\+?[1-9]\d{6,14}$/.test(String(to))) return 'to';
  if (typeof reference !== 'string' || reference.length > 512) return 'biz_opaque_callback_data';
  return Object.keys(body).find((name) => !FIELDS.includes(name));
}
