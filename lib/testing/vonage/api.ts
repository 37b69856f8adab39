import { randomUUID, type KeyObject } from 'node:crypto';
import { jwtVerify } from 'jose';
import { asObject, parseJson } from '../../core/json.js';
import { jsonReply, okReply, type Answer, type Api, type Reply } from '../server/reply.js';
import type { RecordedRequest } from '../server/request.js';
import { refusalReply } from './errors.js';
import { readCall, type EmulatedVonageCall } from './calls.js';
import { wrongField, type EmulatedVonageMessage } from './messages.js';

/** What the API needs of the account. */
interface Account {
  readonly applicationId: string;
  readonly publicKey: KeyObject;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly number: string;
  readonly templateName: string;
  readonly clock: () => number;
  /** The answer to a new message or call that is refused. */
  readonly refusal: (request: RecordedRequest) => Reply | undefined;
  /** Called with each accepted message. */
  readonly accept: (message: EmulatedVonageMessage, request: RecordedRequest) => void;
  readonly acceptCall: (call: EmulatedVonageCall, request: RecordedRequest) => void;
}

/** Vonage's Messages API and Voice API (both v1). */
export function vonageApi(account: Account): Api {
  const sendMessage: Answer = async (request) => {
    if (!(await isCaller(request, account))) return UNAUTHORIZED;
    if (request.headers['content-type'] !== 'application/json') {
      return refusalReply(415, 'unsupported-media-type', 'Unsupported media type');
    }
    const body = asObject(parseJson(request.body));
    const [field, error] = wrongField(body, account.number, account.templateName) ?? [];
    if (error !== undefined) {
      const extra = { invalid_parameters: [{ name: field, reason: 'Wrong' }] };
      return refusalReply(422, error, 'Invalid params', extra);
    }
    const refusal = account.refusal(request);
    if (refusal !== undefined) return refusal;
    const id = randomUUID();
    return {
      ...jsonReply(202, { message_uuid: id }),
      commit: () => {
        const { channel, to, from, text, ttl, client_ref, custom, sms, webhook_url } =
          body as unknown as EmulatedVonageMessage & { webhook_url?: string };
        const sent = { id, channel, to, from, text, ttl, client_ref, custom, sms };
        account.accept({ ...sent, statusCallback: webhook_url, status: 'accepted' }, request);
      },
    };
  };
  const makeCall: Answer = async (request) => {
    if (!(await isCaller(request, account, 'Bearer'))) return voiceReply(401, 'UNAUTHORIZED', 'Unauthorized');
    const read = readCall(asObject(parseJson(request.body)), account.number);
    if (typeof read === 'string') {
      return voiceReply(400, 'BAD_REQUEST', 'Bad Request', { invalid_parameters: { [read]: 'Is invalid.' } });
    }
    const refusal = account.refusal(request);
    if (refusal !== undefined) return refusal;
    const { uuid, conversationUuid: conversation_uuid } = read;
    return {
      ...jsonReply(201, { uuid, status: 'started', direction: 'outbound', conversation_uuid }),
      commit: () => account.acceptCall(read, request),
    };
  };
  const listCalls: Answer = async (request) =>
    (await isCaller(request, account, 'Bearer'))
      ? okReply({ page_size: 1, record_index: 0, count: 0, _embedded: { calls: [] } })
      : voiceReply(401, 'UNAUTHORIZED', 'Unauthorized');
  return {
    routes: [
      ['post', '/v1/messages', sendMessage],
      ['post', '/v1/calls', makeCall],
      ['get', '/v1/calls', listCalls],
    ],
    notFound: () => refusalReply(404, 'not-found', 'Not Found'),
    notAllowed: () => refusalReply(405, 'method-not-allowed', 'Method not allowed'),
  };
}

function voiceReply(status: number, type: string, title: string, extra: object = {}): Reply {
  return jsonReply(status, { type, error_title: title, ...extra });
}

const UNAUTHORIZED = refusalReply(401, 'unauthorized', 'Unauthorized');

/** @param only - the one scheme that the API takes. Default: both. */
async function isCaller({ headers }: RecordedRequest, account: Account, only?: 'Bearer'): Promise<boolean> {
  const [, scheme, value = ''] = /^(Basic|Bearer) (\S+)$/.exec(headers.authorization ?? '') ?? [];
  if (scheme === 'Basic' && only === undefined) {
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
