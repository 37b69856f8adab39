import { fieldOf, type JsonObject } from '../../core/json.js';
import type { UndatedItem } from '../server/emulated-provider.js';
import { codeOfComponents } from '../server/whatsapp-code.js';

/** A message that Vonage accepted. */
export interface EmulatedVonageMessage {
  readonly id: string;
  readonly channel: 'sms' | 'whatsapp';
  /** Without a plus, as Vonage writes numbers. */
  readonly to: string;
  readonly from: string;
  readonly text?: string | undefined;
  readonly ttl?: number | undefined;
  readonly client_ref?: string | undefined;
  readonly custom?: unknown;
  /** The ids of DLT. */
  readonly sms?: unknown;
  /** `webhook_url`. */
  readonly statusCallback: string | undefined;
  /** At first `accepted`, then `submitted`, then `delivered`, `rejected` or `undeliverable`. */
  readonly status: string;
}

const LANGUAGES: readonly unknown[] = ['en_US', 'pt_BR'];

/** The first field that Vonage would not accept, and Vonage's error for it. */
export function wrongField(
  body: JsonObject,
  ownNumber: string,
  templateName: string,
): readonly [field: string, error: string] | undefined {
  const { channel, message_type: type, to, from, text, ttl, client_ref: reference, custom, sms } = body;
  const { webhook_url: url, webhook_version: version } = body;
  const unknownField = Object.keys(body).find((name) => !FIELDS.includes(name));
  if (unknownField !== undefined) return [unknownField, '1020'];
  if (channel !== 'sms' && channel !== 'whatsapp') return ['channel', '1400'];
  // Vonage's E.164 form has no leading + or 00.
  if (typeof to !== 'string' || !/^[1-9]\d{6,14}$/.test(to)) return ['to', '1430'];
  const isName = typeof from === 'string' && /^(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}$/.test(from);
  if (from !== ownNumber && !(channel === 'sms' && isName)) return ['from', '1420'];
  if (reference !== undefined && (typeof reference !== 'string' || reference.length > 100)) {
    return ['client_ref', '1450'];
  }
  if (url !== undefined && !(typeof url === 'string' && URL.canParse(url))) return ['webhook_url', '1150'];
  if (version !== undefined && version !== 'v1' && version !== 'v0.1') return ['webhook_version', '1150'];
  if (ttl !== undefined && !(Number.isInteger(ttl) && Number(ttl) >= 20 && Number(ttl) <= 604_800)) {
    return ['ttl', '1130'];
  }
  if (sms !== undefined && !(channel === 'sms' && areSmsSettings(sms))) return ['sms', '1150'];
  if (type === 'text') {
    const longest = channel === 'sms' ? 3800 : 4096;
    if (custom !== undefined) return ['custom', '1020'];
    return typeof text === 'string' && text !== '' && text.length <= longest ? undefined : ['text', '1020'];
  }
  if (type !== 'custom' || channel !== 'whatsapp') return ['message_type', '1440'];
  if (text !== undefined) return ['text', '1020'];
  return codeOf(custom, templateName) !== undefined ? undefined : ['custom', '1022'];
}

const FIELDS: readonly string[] = [
  ...['channel', 'message_type', 'to', 'from', 'text', 'ttl', 'client_ref', 'custom', 'sms'],
  ...['webhook_url', 'webhook_version'],
];

function areSmsSettings(sms: unknown): boolean {
  const known = ['encoding_type', 'content_id', 'entity_id'];
  return Object.entries(Object(sms) as JsonObject).every(
    ([name, value]) => known.includes(name) && typeof value === 'string' && value !== '',
  );
}

/** The code of a `custom` message, if it sends the account's template. */
function codeOf(custom: unknown, templateName: string): string | undefined {
  const template = fieldOf(custom, 'type') === 'template' ? fieldOf(custom, 'template') : undefined;
  const isKnown = fieldOf(template, 'name') === templateName;
  const isExact = fieldOf(template, 'language', 'policy') === 'deterministic';
  const hasLanguage = LANGUAGES.includes(fieldOf(template, 'language', 'code'));
  return isKnown && isExact && hasLanguage ? codeOfComponents(fieldOf(template, 'components')) : undefined;
}

/** What the phone shows. Of a template that is the code, which its button copies. */
export function deliveredItem(message: EmulatedVonageMessage): UndatedItem {
  const { id: sid, channel, text, custom } = message;
  if (text !== undefined) return { channel, text, sid };
  const code = codeOfComponents(fieldOf(custom, 'template', 'components')) ?? '';
  return { channel, text: code, button: { text: 'Copy code', copies: code }, sid };
}
