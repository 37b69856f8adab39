import { createHmac } from 'node:crypto';
import { jsonPost } from '../server/outbound.js';
import type { EmulatedServer } from '../server/emulated-server.js';
import type { EmulatedMetaMessage } from './messages.js';

/** A message from a person to the number, for `receive`. */
export interface MetaInboundMessage {
  /** The person's phone, E.164. */
  readonly from: string;
  readonly text: string;
  /** How they wrote it. Default: `text`, typed. */
  readonly type?: 'text' | 'button' | undefined;
  /** WhatsApp's id of the person, such as `US.13491208655302741918`. Default: none. */
  readonly externalUserId?: string | undefined;
  /** Whether WhatsApp shows `externalUserId` in place of the number, as for people with a username. Default: `false`. */
  readonly isNumberHidden?: boolean | undefined;
}

/** What a payload is about. */
export interface MetaIds {
  /** Of the WhatsApp account. */
  readonly accountId: string;
  readonly phoneNumberId: string;
  /** The number itself, E.164. */
  readonly number: string;
}

/** A payload of the webhook with one change of the field `messages`, as Meta posts it. */
export function payloadOf({ accountId, phoneNumberId, number }: MetaIds, content: object): object {
  const metadata = { display_phone_number: number.slice(1), phone_number_id: phoneNumberId };
  const value = { messaging_product: 'whatsapp', metadata, ...content };
  return {
    object: 'whatsapp_business_account',
    entry: [{ id: accountId, changes: [{ field: 'messages', value }] }],
  };
}

export function statusContent(message: EmulatedMetaMessage, at: number): object {
  const { id, to, status, reference, errorCode: code } = message;
  const recipient_id = to.slice(1);
  // As Meta's own texts, it may show the number.
  const error_data = { details: `Message to ${recipient_id} is undeliverable.` };
  const errors = [{ code, title: 'Message undeliverable', message: 'Message undeliverable', error_data }];
  const common = { id, status, timestamp: timestamp(at), recipient_id, biz_opaque_callback_data: reference };
  return { statuses: [code === undefined ? common : { ...common, errors }] };
}

export function inboundContent(id: string, message: MetaInboundMessage, at: number): object {
  const { from, text, type = 'text', externalUserId: user_id, isNumberHidden = false } = message;
  const number = isNumberHidden && user_id !== undefined ? undefined : from.slice(1);
  const said = type === 'text' ? { text: { body: text } } : { button: { text, payload: text } };
  const sender = number === undefined ? { user_id } : { from: number };
  return {
    contacts: [{ profile: { name: 'Somebody' }, wa_id: number, user_id }],
    messages: [{ id, timestamp: timestamp(at), type, ...sender, ...said }],
  };
}

const timestamp = (at: number): string => String(Math.floor(at / 1000));

/** `X-Hub-Signature-256` of a body. */
export function signBody(appSecret: string, body: string): string {
  return `sha256=${createHmac('sha256', appSecret).update(body).digest('hex')}`;
}

/** Posts a payload as Meta does. Resolves to the status of the answer. */
export async function postPayload(
  { outbound }: Pick<EmulatedServer, 'outbound'>,
  appSecret: string,
  url: string,
  payload: object,
): Promise<number | undefined> {
  const body = JSON.stringify(payload);
  const headers = { 'user-agent': 'facebookexternalua', 'x-hub-signature-256': signBody(appSecret, body) };
  return (await outbound.call(jsonPost(url, headers, body))).status;
}
