import type { Answer, Api, Route } from '../server/reply.js';
import { randomSid } from '../server/random-ids.js';
import type { RecordedRequest } from '../server/request.js';
import type { TwilioAccount } from './account.js';
import type { TwilioContent } from './content.js';
import type { TwilioContext } from './context.js';
import { notFound, twilioErrorReply } from './errors.js';
import { API_VERSION } from './formats.js';
import type { TwilioLookup } from './lookup.js';
import type { TwilioSending } from './sending.js';
import type { TwilioVerify } from './verify.js';

/** The products. At Twilio each has a host of its own; here they share one. */
export interface TwilioProducts {
  readonly account: TwilioAccount;
  readonly sending: TwilioSending;
  readonly content: TwilioContent;
  readonly verify: TwilioVerify;
  readonly lookup: TwilioLookup;
}

/** Whether a request is one of Twilio's API, whatever its answer. */
export function isTwilioCall({ path }: RecordedRequest): boolean {
  return /^\/(?:2010-04-01|v1|v2)\//.test(path);
}

/** Twilio's API: every resource of every product. */
export function twilioApi(
  context: TwilioContext,
  { account, sending, content, verify, lookup }: TwilioProducts,
): Api {
  const unauthorized = twilioErrorReply({ code: 20003 });
  const account2010 = `/${API_VERSION}/Accounts/${context.accountSid}`;
  const service = `/v2/Services/${context.verifyServiceSid}`;
  const isOfOtherAccount = ({ path }: RecordedRequest): boolean =>
    /^\/2010-04-01\/Accounts\/[^/]+\//.test(path) && !path.startsWith(`${account2010}/`);
  /** Refuses callers without the credentials, whatever they request. */
  const guarded =
    (answer: Answer): Answer =>
    async (request, params) => {
      const isRefused = callerOf(request, context) === undefined || isOfOtherAccount(request);
      const reply = isRefused ? unauthorized : await answer(request, params);
      const ids = { 'twilio-request-id': randomSid('RQ'), 'twilio-concurrent-requests': '1' };
      return { ...reply, headers: { ...ids, ...reply.headers } };
    };
  /** For new messages, calls and verifications: a rule of the test may refuse them. */
  const unlessRefused =
    (create: Answer): Answer =>
    (request, params) => {
      const refusal = context.refusals.take(request);
      return refusal === undefined ? create(request, params) : twilioErrorReply(refusal);
    };
  /** A standard API key may not read accounts. */
  const showAccount: Answer = (request, params) =>
    callerOf(request, context) === 'apiKey' ? unauthorized : account.show(request, params);

  const routes: readonly Route[] = [
    ['get', '/v1/Content', content.list],
    ['get', '/v1/Content/:sid', content.show],
    ['get', '/v1/Content/:sid/ApprovalRequests', content.showApproval],
    ['get', '/v1/Services', account.listServices],
    ['get', '/v1/Services/:sid', account.showService],
    ['get', '/v1/Services/:sid/Compliance/Usa2p', account.listCampaigns],
    ['get', '/v1/Tollfree/Verifications', account.listTollfree],
    ['get', '/v1/Services/:sid/PhoneNumbers', account.listServiceNumbers],
    ['get', '/v2/PhoneNumbers/:number', lookup.show],
    ['get', service, verify.showService],
    ['post', `${service}/Verifications`, unlessRefused(verify.create)],
    ['get', `${service}/Verifications/:wanted`, verify.show],
    ['post', `${service}/Verifications/:wanted`, verify.update],
    ['get', `/${API_VERSION}/Accounts/:sid.json`, showAccount],
    ['get', `${account2010}/Balance.json`, account.showBalance],
    ['get', `${account2010}/IncomingPhoneNumbers.json`, account.listNumbers],
    ['get', `${account2010}/Messages.json`, sending.listOf('messages')],
    ['post', `${account2010}/Messages.json`, unlessRefused(sending.createMessage)],
    ['get', `${account2010}/Messages/:sid.json`, sending.showOf('messages')],
    ['post', `${account2010}/Messages/:sid/Feedback.json`, sending.postFeedback],
    ['get', `${account2010}/Calls.json`, sending.listOf('calls')],
    ['post', `${account2010}/Calls.json`, unlessRefused(sending.createCall)],
    ['get', `${account2010}/Calls/:sid.json`, sending.showOf('calls')],
  ];
  return {
    routes: routes.map(([method, path, answer]) => [method, path, guarded(answer)]),
    notFound: guarded(notFound),
    notAllowed: guarded(() => twilioErrorReply({ code: 20004 })),
  };
}

function callerOf(
  { headers }: Pick<RecordedRequest, 'headers'>,
  context: TwilioContext,
): 'account' | 'apiKey' | undefined {
  const [, encoded = ''] = /^Basic (\S+)$/i.exec(headers.authorization ?? '') ?? [];
  const credentials = Buffer.from(encoded, 'base64').toString('utf8');
  if (credentials === `${context.accountSid}:${context.authToken}`) return 'account';
  return credentials === `${context.apiKeySid}:${context.apiKeySecret}` ? 'apiKey' : undefined;
}
