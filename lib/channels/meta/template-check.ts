import { ProviderError } from '../../core/errors.js';
import { asList, fieldOf, textFieldOf } from '../../core/json.js';
import type { HttpAnswer, HttpRequest } from '../../core/http.js';
import type { Refusal, SendContext } from '../../core/channel.js';
import { USER_AGENT } from '../../http/call.js';
import { readObject } from '../../http/request.js';
import { checkProvider } from '../check-provider.js';
import type { WhatsAppTemplate } from '../whatsapp-template.js';
import { readRefusal } from './error-codes.js';
import type { WhatsAppCloudSettings } from './options.js';

/** Whether Meta lets the number send, and whether its templates are approved: for `ready()` and doctor. */

type Context = Pick<SendContext, 'http'>;

type GraphRequest = (path: string) => HttpRequest;

/** Makes a GET of the Graph API at this path. */
export const graphRequests =
  ({ accessToken, apiVersion, baseUrl }: WhatsAppCloudSettings): GraphRequest =>
  (path) => ({
    method: 'GET',
    url: `${new URL(baseUrl).origin}/${apiVersion}/${path}`,
    headers: { authorization: `Bearer ${accessToken}`, 'user-agent': USER_AGENT },
  });

/**
 * Checks the token and the number, and reads the template.
 *
 * @returns the languages of the template; `undefined` if the token may not read them, with which it may still send.
 * @throws ProviderError if Meta does not accept the token, or blocks the number.
 */
export async function findTemplates(
  settings: WhatsAppCloudSettings,
  context: Context,
): Promise<readonly MetaTemplate[] | undefined> {
  const { phoneNumberId, templates } = settings;
  const request = graphRequests(settings);
  const accountId = await checkNumber(phoneNumberId, request, context);
  return accountId === undefined ? undefined : readTemplates(accountId, templates.name, request, context);
}

const CHECK_NUMBER =
  'Look at the number, its account and the payment method in WhatsApp Manager: each names what is missing.';
const CHECK_TEMPLATE =
  "Compare whatsAppCloud's templates with WhatsApp Manager, or run okta-telephony-hook setup whatsapp-template.";
const WAIT_FOR_REVIEW = 'Wait for its review, or look up in WhatsApp Manager why Meta rejected or paused it.';
const CHECK_CATEGORY = 'Make another one in the category Authentication: Meta allows codes in these alone.';

/** The id of the number's WhatsApp account; `undefined` if Meta does not say it. */
export async function checkNumber(
  phoneNumberId: string,
  request: GraphRequest,
  context: Context,
): Promise<string | undefined> {
  let health: unknown;
  await checkProvider(
    { name: 'Meta', describe },
    request(`${phoneNumberId}?fields=health_status`),
    context,
    (answer) => {
      health = readObject(answer)['health_status'];
      return answer.status === 200 && readObject(answer)['id'] === phoneNumberId;
    },
  );
  const entities = asList(fieldOf(health, 'entities'));
  const blocked = entities.filter((entity) => fieldOf(entity, 'can_send_message') === 'BLOCKED');
  if (fieldOf(health, 'can_send_message') === 'BLOCKED') {
    const what = blocked.map((entity) => WORDS.get(fieldOf(entity, 'entity_type')) ?? 'something else');
    const reason = `Meta lets the number send nothing: it blocks ${what.join(' and ') || 'it'}`;
    throw new ProviderError('PROVIDER_REFUSED', reason, { providerCode: 'BLOCKED', remedy: CHECK_NUMBER });
  }
  const account = entities.find((entity) => fieldOf(entity, 'entity_type') === 'WABA');
  const id = textFieldOf(account, 'id');
  return id !== undefined && /^\d{1,25}$/.test(id) ? id : undefined;
}

const WORDS: ReadonlyMap<unknown, string> = new Map([
  ['PHONE_NUMBER', 'the number'],
  ['WABA', 'the WhatsApp account'],
  ['BUSINESS', 'the business'],
  ['APP', 'the app'],
]);

function describe(answer: HttpAnswer): Refusal {
  const refusal = readRefusal(answer);
  if (refusal?.status === 'refused') return refusal;
  return {
    status: 'refused',
    code: `HTTP_${answer.status}`,
    reason: `Meta answered with status ${answer.status}`,
  };
}

/** A template in one language, as Meta has it. */
export interface MetaTemplate {
  readonly name: string | undefined;
  readonly language: string | undefined;
  readonly status: string | undefined;
  readonly category: string | undefined;
  /** How long Meta tries to deliver a message, in seconds; -1 is thirty days. `undefined` stands for Meta's default. */
  readonly ttlSeconds: number | undefined;
}

const FIELDS = 'name,language,status,category,message_send_ttl_seconds';

/** The languages of a template; `undefined` if the token may not read them. */
export async function readTemplates(
  accountId: string,
  name: string,
  request: GraphRequest,
  { http }: Context,
): Promise<readonly MetaTemplate[] | undefined> {
  const result = await http(
    request(`${accountId}/message_templates?name=${name}&fields=${FIELDS}&limit=200`),
  );
  if (result.kind !== 'answered' || result.status !== 200) return undefined;
  const { data } = readObject(result);
  if (!Array.isArray(data)) return undefined;
  const templates = asList(data).map((given): MetaTemplate => {
    const ttl = fieldOf(given, 'message_send_ttl_seconds');
    return {
      name: textFieldOf(given, 'name'),
      language: textFieldOf(given, 'language'),
      status: textFieldOf(given, 'status'),
      category: textFieldOf(given, 'category'),
      ttlSeconds: typeof ttl === 'number' ? ttl : undefined,
    };
  });
  // Meta also returns names that only contain this one.
  return templates.filter((template) => template.name === name);
}

/** @throws ProviderError if a language of the template is absent, not approved, or no authentication template. */
export function checkTemplates({ languages }: WhatsAppTemplate, templates: readonly MetaTemplate[]): void {
  for (const language of new Set(Object.values(languages))) {
    const template = templates.find((one) => one.language === language);
    if (template === undefined) {
      refuse('132001', `The WhatsApp account has no such template in ${language}`, CHECK_TEMPLATE);
    }
    const { status = '', category = '' } = template;
    if (status !== 'APPROVED') {
      const code = { PAUSED: '132015', DISABLED: '132016' }[status] ?? '132001';
      refuse(code, `The template in ${language} is not approved: ${word(status)}`, WAIT_FOR_REVIEW);
    }
    if (category !== 'AUTHENTICATION') {
      refuse('131049', `The template in ${language} has the category ${word(category)}`, CHECK_CATEGORY);
    }
  }
}

function refuse(providerCode: string, reason: string, remedy: string): never {
  throw new ProviderError('PROVIDER_REFUSED', reason, { providerCode, remedy });
}

/** A word of Meta's, if it looks like one. */
function word(text: string): string {
  return /^[A-Z_]{1,40}$/.test(text) ? text : 'unknown';
}
