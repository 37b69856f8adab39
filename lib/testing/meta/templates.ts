import { asList, asObject, fieldOf, parseJson, textFieldOf } from '../../core/json.js';
import { randomAlphanumeric, randomDigits } from '../server/random-ids.js';
import { jsonReply, okReply, type Reply } from '../server/reply.js';
import { queryOf, type RecordedRequest } from '../server/request.js';

/** An error in the form of Meta's Graph API. */
export function metaError(status: number, code: number, details: string, more: object = {}): Reply {
  return jsonReply(status, {
    error: {
      message: `(#${code}) ${details}`,
      type: 'OAuthException',
      code,
      error_data: { messaging_product: 'whatsapp', details },
      fbtrace_id: `A${randomAlphanumeric(22)}`,
      ...more,
    },
  });
}

/** A message template of the account, in one language. */
export interface EmulatedMetaTemplate {
  readonly name: string;
  readonly language: string;
  readonly status: 'APPROVED' | 'PENDING' | 'REJECTED' | 'PAUSED' | 'DISABLED';
  readonly category: 'AUTHENTICATION' | 'UTILITY' | 'MARKETING';
  /** How long Meta tries to deliver a message, in seconds. Absent: Meta's default of ten minutes. */
  readonly message_send_ttl_seconds?: number | undefined;
}

/** A template to add. Default: an approved authentication template. */
export type NewMetaTemplate = Pick<EmulatedMetaTemplate, 'name' | 'language'> & Partial<EmulatedMetaTemplate>;

export class MetaTemplates {
  readonly list: EmulatedMetaTemplate[] = [];

  add(template: NewMetaTemplate): void {
    const old = this.find(template.name, template.language);
    if (old !== undefined) this.list.splice(this.list.indexOf(old), 1);
    this.list.push({ status: 'APPROVED', category: 'AUTHENTICATION', ...template });
  }

  find(name: unknown, language: unknown): EmulatedMetaTemplate | undefined {
    return this.list.find((one) => one.name === name && one.language === language);
  }

  /** As at Meta, also those whose name only contains the one that is asked for. */
  readonly read = (request: RecordedRequest): Reply => {
    const name = queryOf(request).get('name') ?? '';
    return okReply({ data: this.list.filter((one) => one.name.includes(name)) });
  };

  readonly create = (request: RecordedRequest): Reply => {
    const body = asObject(parseJson(request.body));
    const wrong = wrongField(body);
    if (wrong !== undefined) return metaError(400, 100, `Invalid parameter: ${wrong}`);
    const { name, language, message_send_ttl_seconds } = body as unknown as EmulatedMetaTemplate;
    if (this.find(name, language) !== undefined) {
      return metaError(400, 100, 'There is already content in this language', { error_subcode: 2388024 });
    }
    const made = { id: randomDigits(15), status: 'PENDING', category: 'AUTHENTICATION' } as const;
    const add = (): void => this.add({ name, language, message_send_ttl_seconds, status: 'PENDING' });
    return { ...okReply(made), commit: add };
  };
}

/** The first field of a new authentication template that Meta would not accept. */
function wrongField(body: Readonly<Record<string, unknown>>): string | undefined {
  const { name, language, category, components, message_send_ttl_seconds: ttl } = body;
  if (!/^[a-z0-9_]{1,512}$/.test(String(name))) return 'name';
  if (!/^[a-z]{2,3}(_[A-Z]{2,4})?$/.test(String(language))) return 'language';
  if (String(category).toUpperCase() !== 'AUTHENTICATION') return 'category';
  if (ttl !== undefined && !(Number(ttl) >= 30 && Number(ttl) <= 900)) return 'message_send_ttl_seconds';
  const part = (type: string): unknown => asList(components).find((one) => fieldOf(one, 'type') === type);
  const minutes = Number(fieldOf(part('footer'), 'code_expiration_minutes') ?? 1);
  if (part('body') === undefined || !(minutes >= 1 && minutes <= 90)) return 'components';
  const [button] = asList(fieldOf(part('buttons'), 'buttons'));
  return textFieldOf(button, 'otp_type') === 'copy_code' ? undefined : 'buttons';
}
