import type { ConnectedChannel, Message, SendContext } from '../../core/channel.js';
import { ProviderError } from '../../core/errors.js';
import type { HttpRequest, HttpResult } from '../../core/http.js';
import { USER_AGENT } from '../../http/call.js';
import { outcomeOf, readObject, type AnswerReader } from '../../http/request.js';
import type { Channel } from '../channel.js';
import { dltIdsOf } from '../dlt.js';
import { checkProvider } from '../check-provider.js';
import { keptCredential } from '../kept-credential.js';
import { notSent, requireTextChannel, ttlSecondsOf } from '../provider.js';
import { eventReceiver } from './callbacks.js';
import {
  describeRefusal,
  isAboutKeys,
  isAboutRecipient,
  isRefusal,
  REQUEST_ID_HEADER,
} from './error-codes.js';
import { isCredentials, isLoopback, readAwsSmsOptions, type AwsSmsOptions } from './options.js';
import { signRequest } from './signature.js';
import { snsOriginOf } from './sns.js';

const FACTORY = 'awsSms';
const SERVICE = 'sms-voice';

/** SendTextMessage, `TimeToLive`. */
const SHORTEST_TTL_SECONDS = 5;

/** As the docs of `credentials` say. */
const KEYS_SPARE_MS = 5 * 60_000;
const KEYS_WAIT_MS = 1_000;

const MESSAGE_ID = /^[\w:/-]{1,64}$/;

/** AWS's number for tests in the United States: it has no phone, and `DryRun` sends nothing to it either. */
const SIMULATOR = '+14254147755';

/**
 * SMS by AWS End User Messaging. Its requests are signed here and made once: AWS recognises no repeat, so that a retry could
 * send a code twice.
 *
 * Sources: SendTextMessage and PutMessageFeedback in the API reference of AWS End User Messaging SMS, version 2.
 *
 * @throws ConfigurationError that names every problem of the options and its remedy.
 */
export function awsSms(options: AwsSmsOptions): Channel {
  const settings = readAwsSmsOptions(options, FACTORY);
  const { region, originationIdentity, configurationSet, topicArn, maxPrice, dlt, feedback } = settings;
  const { origin, host } = new URL(settings.baseUrl);
  return ({ channel, clock, logger }) => {
    requireTextChannel(channel, FACTORY);
    const { credentials: given } = settings;
    const keys =
      typeof given === 'function'
        ? keptCredential({
            fetch: given,
            read: (found) => (isCredentials(found) ? found : undefined),
            endOf: ({ expiration }) => expiration?.getTime() ?? Infinity,
            spareMs: KEYS_SPARE_MS,
            waitMs: KEYS_WAIT_MS,
            clock,
          })
        : { get: () => Promise.resolve(given), forget: () => undefined };

    /** The signed request; `undefined` without keys in time. */
    const requestOf = async (
      operation: string,
      fields: object,
      context: SendContext,
    ): Promise<HttpRequest | undefined> => {
      const credentials = await keys.get(context);
      if (credentials === undefined) return undefined;
      const body = JSON.stringify(fields);
      const headers = signRequest(
        {
          host,
          headers: {
            'content-type': 'application/x-amz-json-1.0',
            'x-amz-target': `PinpointSMSVoiceV2.${operation}`,
          },
          body,
        },
        { credentials, region, service: SERVICE, nowMs: clock() },
      );
      return { url: `${origin}/`, headers: { ...headers, 'user-agent': USER_AGENT }, body };
    };
    const noteKeys = <Result extends HttpResult>(result: Result): Result => {
      if (result.kind === 'answered' && isAboutKeys(result)) keys.forget();
      return result;
    };
    const messageOf = ({ to, text, locale }: Pick<Message, 'to' | 'text' | 'locale'>): object => ({
      DestinationPhoneNumber: to,
      OriginationIdentity: originationIdentity,
      MessageBody: text,
      MessageType: 'TRANSACTIONAL',
      ConfigurationSetName: configurationSet,
      MaxPrice: maxPrice,
      DestinationCountryParameters: countryParametersOf(dltIdsOf({ to, locale }, dlt)),
    });

    const confirm: ConnectedChannel['confirm'] = async (messageId, context) => {
      const fields = { MessageId: messageId, MessageFeedbackStatus: 'RECEIVED' };
      const request = await requestOf('PutMessageFeedback', fields, context);
      if (request === undefined) throw noKeys();
      await checkProvider(AWS_CHECK, request, context, ({ status }) => status === 200);
    };

    return {
      provider: 'AWS',
      host,
      senderFor: () => ({ from: originationIdentity, hasDlt: dlt !== undefined }),
      check: async (context) => {
        const message = {
          ...messageOf({ to: SIMULATOR, text: 'Your code is 000000', locale: 'en' }),
          DryRun: true,
        };
        const request = await requestOf('SendTextMessage', message, context);
        if (request === undefined) throw noKeys();
        await checkProvider(
          AWS_CHECK,
          request,
          // The keys of a function may be new by now.
          { http: async (sent) => noteKeys(await context.http(sent)) },
          (answer) =>
            (answer.status === 200 && AWS.readSuccess(answer) !== undefined) ||
            (isRefusal(answer) && isAboutRecipient(answer)),
        );
      },
      confirm: feedback ? confirm : undefined,
      receive:
        topicArn === undefined
          ? undefined
          : // An emulator signs in place of Amazon SNS.
            eventReceiver(
              { topicArn, origin: isLoopback(origin) ? origin : snsOriginOf(topicArn) },
              clock,
              logger,
            ),
      send: async (message, context) => {
        const fields = {
          ...messageOf(message),
          // AWS's default is three days.
          TimeToLive: ttlSecondsOf(message, clock(), SHORTEST_TTL_SECONDS),
          MessageFeedbackEnabled: feedback,
          Context: { attempt: context.reference },
        };
        const request = await requestOf('SendTextMessage', fields, context);
        return request === undefined
          ? notSent(NO_CREDENTIALS)
          : outcomeOf(noteKeys(await context.http(request)), AWS);
      },
    };
  };
}

const countryParametersOf = (ids: ReturnType<typeof dltIdsOf>): object | undefined =>
  ids && { IN_ENTITY_ID: ids.entityId, IN_TEMPLATE_ID: ids.contentId };

const NO_CREDENTIALS = {
  code: 'NO_CREDENTIALS',
  reason: 'The function credentials of awsSms gave no keys in time',
  remedy: 'Check that it resolves within a second to { accessKeyId, secretAccessKey } that have not expired.',
} as const;

function noKeys(): ProviderError {
  const { code: providerCode, reason, remedy } = NO_CREDENTIALS;
  return new ProviderError('PROVIDER_REFUSED', reason, { providerCode, remedy });
}

const AWS_CHECK = { name: 'AWS', describe: describeRefusal };

const AWS: AnswerReader = {
  provider: 'AWS',
  requestIdHeader: REQUEST_ID_HEADER,
  readSuccess: (answer) => {
    const { MessageId: id } = readObject(answer);
    return typeof id === 'string' && MESSAGE_ID.test(id) ? id : undefined;
  },
  readRefusal: (answer) => (isRefusal(answer) ? describeRefusal(answer) : undefined),
};
