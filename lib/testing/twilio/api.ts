import { Router, type RequestHandler } from 'express';
import { ifUndecodable, replyWith } from '../server/answer.js';
import type { Answer } from '../server/reply.js';
import type { RecordedRequest } from '../server/faults.js';
import { randomSid } from '../server/random-ids.js';
import type { TwilioAccount } from './account.js';
import type { TwilioContent } from './content.js';
import type { TwilioContext } from './context.js';
import { notFound, twilioErrorReply } from './errors.js';
import type { TwilioSending } from './sending.js';
import type { TwilioVerify } from './verify.js';

/** The products. At Twilio each has a host of its own; here they share one. */
export interface TwilioProducts {
  readonly account: TwilioAccount;
  readonly sending: TwilioSending;
  readonly content: TwilioContent;
  readonly verify: TwilioVerify;
}

/** Whether a request is one of Twilio's API, whatever its answer. */
export function isTwilioCall({ path }: RecordedRequest): boolean {
  return /^\/(?:2010-04-01|v1|v2)\//.test(path);
}

/** Twilio's API: every resource of every product. */
export function twilioHandler(context: TwilioContext, products: TwilioProducts): RequestHandler {
  const { account, sending, content, verify } = products;
  const router = Router({ caseSensitive: true, strict: true });
  const unauthorized = replyWith(() => twilioErrorReply({ code: 20003 }));
  const notSupported = replyWith(() => twilioErrorReply({ code: 20004 }));
  const resource = (path: string, { get, post }: { get?: Answer; post?: Answer }): void => {
    const route = router.route(path);
    if (get !== undefined) route.get(replyWith(get));
    if (post !== undefined) route.post(replyWith(post));
    route.all(notSupported);
  };

  /** For new messages, calls and verifications: a rule of the test may refuse them. */
  const unlessRefused =
    (create: Answer): Answer =>
    (request, params) => {
      const refusal = context.refusals.take(request);
      return refusal === undefined ? create(request, params) : twilioErrorReply(refusal);
    };

  router.use((req, res, next) => {
    res.set({ 'twilio-request-id': randomSid('RQ'), 'twilio-concurrent-requests': '1' });
    if (callerOf(req, context) === undefined) void unauthorized(req, res, next);
    else next();
  });

  resource('/v1/Content', { get: content.list });
  resource('/v1/Content/:sid', { get: content.show });
  resource('/v1/Content/:sid/ApprovalRequests', { get: content.showApproval });
  resource('/v1/Services/:sid', { get: account.showService });
  resource('/v1/Services/:sid/PhoneNumbers', { get: account.listServiceNumbers });

  const service = `/v2/Services/${context.verifyServiceSid}`;
  resource(service, { get: verify.showService });
  resource(`${service}/Verifications`, { post: unlessRefused(verify.create) });
  resource(`${service}/Verifications/:wanted`, { get: verify.show, post: verify.update });

  resource('/2010-04-01/Accounts/:sid.json', {
    get: (request, params) =>
      // A standard API key may not read accounts.
      callerOf(request, context) === 'apiKey'
        ? twilioErrorReply({ code: 20003 })
        : account.show(request, params),
  });
  router.use('/2010-04-01/Accounts/:sid', (req, res, next) => {
    if (req.params.sid === context.accountSid) next();
    else void unauthorized(req, res, next);
  });
  const own = `/2010-04-01/Accounts/${context.accountSid}`;
  resource(`${own}/Balance.json`, { get: account.showBalance });
  resource(`${own}/IncomingPhoneNumbers.json`, { get: account.listNumbers });
  const createMessage = unlessRefused(sending.createMessage);
  resource(`${own}/Messages.json`, { get: sending.listOf('messages'), post: createMessage });
  resource(`${own}/Messages/:sid.json`, { get: sending.showOf('messages') });
  resource(`${own}/Messages/:sid/Feedback.json`, { post: sending.postFeedback });
  resource(`${own}/Calls.json`, { get: sending.listOf('calls'), post: unlessRefused(sending.createCall) });
  resource(`${own}/Calls/:sid.json`, { get: sending.showOf('calls') });

  const nothing = replyWith(notFound);
  router.use(nothing, ifUndecodable(nothing));
  return router;
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
