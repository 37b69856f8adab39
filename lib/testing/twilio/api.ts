import { pathOf, type RecordedRequest } from '../server/faults.js';
import type { Reply } from '../server/loopback-server.js';
import type { TwilioAccount } from './account.js';
import type { TwilioContent } from './content.js';
import { notFound, twilioErrorReply } from './errors.js';
import type { TwilioMessagingServices } from './messaging-services.js';
import type { TwilioSending } from './sending.js';
import type { TwilioVerify } from './verify.js';

/** The secrets of an emulated account. */
export interface TwilioKeys {
  readonly accountSid: string;
  readonly authToken: string;
  readonly apiKeySid: string;
  readonly apiKeySecret: string;
}

/** The products that share one origin here, at Twilio each with a host of its own. */
export interface TwilioProducts {
  readonly account: TwilioAccount;
  readonly sending: TwilioSending;
  readonly content: TwilioContent;
  readonly messagingServices: TwilioMessagingServices;
  readonly verify: TwilioVerify;
}

const PRODUCT_PATH = /^\/(?:2010-04-01|v1|v2)\//;

/** Whether a request is of Twilio's API, whatever comes of it. */
export function isTwilioCall(request: RecordedRequest): boolean {
  return PRODUCT_PATH.test(request.path);
}

/** Answers a request of any product; they are told apart by their paths. */
export function answerTwilio(request: RecordedRequest, keys: TwilioKeys, products: TwilioProducts): Reply {
  const path = pathOf(request);
  const caller = callerOf(request, keys);
  if (caller === undefined) return twilioErrorReply({ code: 20003 });
  if (/^\/v1\/Content(\/|$)/.test(path)) return products.content.answer(request, path);
  if (path.startsWith('/v1/Services/')) return products.messagingServices.answer(request, path);
  if (path.startsWith('/v2/Services/')) return products.verify.answer(request, path);
  return answerLegacy(request, path, caller === 'apiKey', keys.accountSid, products);
}

/** The API of 2010, all of it under the account. */
function answerLegacy(
  request: RecordedRequest,
  path: string,
  isApiKey: boolean,
  accountSid: string,
  { account, sending }: TwilioProducts,
): Reply {
  const [, sid, resource] = /^\/2010-04-01\/Accounts\/([^/]+?)(?:\/(.+))?\.json$/.exec(path) ?? [];
  if (sid === undefined) return notFound(path);
  if (resource === undefined) return account.answerAccount(request, path, sid, isApiKey);
  if (sid !== accountSid) return twilioErrorReply({ code: 20003 });
  const [name, itemSid, part, ...rest] = resource.split('/');
  if (rest.length > 0) return notFound(path);
  if (name === 'Messages') return sending.answerMessages(request, path, itemSid, part);
  if (name === 'Calls') return sending.answerCalls(request, path, itemSid, part);
  if (itemSid !== undefined) return notFound(path);
  if (name === 'Balance') return account.answerBalance(request);
  return name === 'IncomingPhoneNumbers' ? account.answerNumbers(request) : notFound(path);
}

function callerOf(request: RecordedRequest, keys: TwilioKeys): 'account' | 'apiKey' | undefined {
  const [, encoded = ''] = /^Basic (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const credentials = Buffer.from(encoded, 'base64').toString('utf8');
  if (credentials === `${keys.accountSid}:${keys.authToken}`) return 'account';
  return credentials === `${keys.apiKeySid}:${keys.apiKeySecret}` ? 'apiKey' : undefined;
}
