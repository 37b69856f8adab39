import { randomUUID, type KeyObject } from 'node:crypto';
import { jwtVerify } from 'jose';
import { jsonReply, type Answer, type Api, type Reply } from '../server/reply.js';
import type { RecordedRequest } from '../server/request.js';
import { refusalReply } from './errors.js';
import { wrongField, type StoredMessage } from './messages.js';

/** What the API needs of the account. */
interface Account {
  readonly applicationId: string;
  readonly publicKey: KeyObject;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly number: string;
  readonly templateName: string;
  readonly clock: () => number;
  /** The answer to each new message, if it is refused. */
  readonly refusal: () => Reply | undefined;
  /** Called with each accepted message. */
  readonly accept: (message: StoredMessage, request: RecordedRequest) => void;
}

/** Vonage's Messages API (v1). */
export function vonageApi(account: Account): Api {
  const sendMessage: Answer = async (request) => {
    if (!(await isCaller(request, account))) return UNAUTHORIZED;
    if (request.headers['content-type'] !== 'application/json') {
      return refusalReply({ status: 415, error: 'unsupported-media-type', title: 'Unsupported media type' });
    }
    const body = readJson(request.body);
    const [field, error] = wrongField(body, account.number, account.templateName) ?? [];
    if (error !== undefined) {
      const extra = { invalid_parameters: [{ name: field, reason: 'Wrong' }] };
      return refusalReply({ status: 422, error, title: 'Invalid params' }, extra);
    }
    const refusal = account.refusal();
    if (refusal !== undefined) return refusal;
    const id = randomUUID();
    return {
      ...jsonReply(202, { message_uuid: id }),
      commit: () => {
        const { channel, to, from, text, ttl, client_ref, custom, sms, webhook_url } =
          body as unknown as StoredMessage & { webhook_url?: string };
        const sent = { id, channel, to, from, text, ttl, client_ref, custom, sms };
        account.accept({ ...sent, statusCallback: webhook_url, status: 'accepted' }, request);
      },
    };
  };
  return {
    routes: [['post', '/v1/messages', sendMessage]],
    notFound: () => refusalReply({ status: 404, error: 'not-found', title: 'Not Found' }),
    notAllowed: () => refusalReply({ status: 405, error: 'method-not-allowed', title: 'Method not allowed' }),
  };
}

const UNAUTHORIZED = refusalReply({ status: 401, error: 'unauthorized', title: 'Unauthorized' });

async function isCaller({ headers }: RecordedRequest, account: Account): Promise<boolean> {
  const [, scheme, value = ''] = /^(Basic|Bearer) (\S+)$/.exec(headers.authorization ?? '') ?? [];
  if (scheme === 'Basic') {
    return Buffer.from(value, 'base64').toString() === `${account.apiKey}:${account.apiSecret}`;
  }
  try {
    const { payload } = await jwtVerify(value, account.publicKey, {
      algorithms: ['RS256'],
      currentDate: new Date(account.clock()),
      requiredClaims: ['iat', 'jti', 'exp'],
      maxTokenAge: '24h',
    });
    return payload['application_id'] === account.applicationId;
  } catch {
    return false;
  }
}

/** The fields of a body; none if it is not JSON. */
function readJson(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text)) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
