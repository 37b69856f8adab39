import type { Message, Outcome, SendContext } from '../../core/channel.js';
import type { HttpAnswer, HttpRequest } from '../../core/http.js';
import { asList, asObject, textFieldOf, type JsonObject } from '../../core/json.js';
import { USER_AGENT } from '../../http/call.js';
import { outcomeOf, readObject, type AnswerReader } from '../../http/request.js';
import type { Channel } from '../channel.js';
import { checkProvider, missingCredential } from '../check-provider.js';
import { notSent, requireTextChannel } from '../provider.js';
import { authorizerOf } from './authorization.js';
import { eventGridReceiver } from './callbacks.js';
import { BAD_CREDENTIALS, describeRefusal, readRefusal } from './error-codes.js';
import { readAzureOptions, type AzureSmsOptions } from './options.js';

const FACTORY = 'azureSms';
/** The numbers of the resource: reading them checks the credentials. */
const NUMBERS_PATH = '/phoneNumbers?api-version=2022-12-01&top=1';
const MESSAGE_ID = /^[\w-]{1,200}$/;

/** The first request ends then, so that a repeat has the other half of the send window. */
const FIRST_SHARE = 0.5;

/**
 * SMS by Azure Communication Services. If the outcome is unknown, the channel asks once more with the same repeatability ids:
 * Azure then sends nothing again, but says what became of the first request. Azure has no time to live for a message.
 *
 * Sources: the specification of Azure's SMS API (2026-01-23), and "Authentication" of Azure Communication Services.
 *
 * @throws ConfigurationError that names every problem of the options and its remedy.
 */
export function azureSms(options: AzureSmsOptions): Channel {
  const settings = readAzureOptions(options, FACTORY);
  const { endpoint, baseUrl = endpoint, apiVersion, from, reportSecret } = settings;
  const sendUrl = new URL(`/sms?api-version=${apiVersion}`, baseUrl);
  const numbersUrl = new URL(NUMBERS_PATH, baseUrl);
  return ({ channel, clock }) => {
    requireTextChannel(channel, FACTORY);
    const { authorize, forget } = authorizerOf(settings, clock);
    const requestOf = async (
      method: 'GET' | 'POST',
      url: URL,
      context: SendContext,
      body = '',
    ): Promise<HttpRequest | undefined> => {
      const headers = await authorize({ method, url, body }, context);
      if (headers === undefined) return undefined;
      const type = method === 'GET' ? undefined : 'application/json';
      return {
        method,
        url: url.href,
        headers: { 'content-type': type, 'user-agent': USER_AGENT, ...headers },
        body: method === 'GET' ? undefined : body,
      };
    };
    return {
      provider: 'AZURE',
      host: sendUrl.host,
      senderFor: () => ({ from }),
      ...(reportSecret === undefined
        ? {}
        : { reports: 'failures', receive: eventGridReceiver({ secrets: [reportSecret].flat(), from }) }),
      check: async (context) => {
        const request = await requestOf('GET', numbersUrl, context);
        if (request === undefined) throw missingCredential(NO_TOKEN);
        await checkProvider(
          { name: 'Azure', describe: ({ status }) => describeRefusal(`HTTP_${status}`) },
          request,
          context,
          (answer) => answer.status === 200 && Array.isArray(readObject(answer)['phoneNumbers']),
        );
      },
      send: async (message, context) => {
        const { http, reference } = context;
        const body = JSON.stringify(bodyOf(message, { from, reference, nowMs: clock() }));
        const request = await requestOf('POST', sendUrl, context, body);
        if (request === undefined) return notSent(NO_TOKEN);
        const first = outcomeOf(await http({ ...request, windowShare: FIRST_SHARE }), AZURE);
        if (first.status === 'refused' && first.code === BAD_CREDENTIALS) forget();
        if (first.status !== 'unknown') return first;
        const repeat = await requestOf('POST', sendUrl, context, body);
        const second = repeat && (await http(repeat));
        // What did not leave, or got no answer, says nothing about the first request.
        if (second?.kind !== 'answered') return first;
        const outcome = outcomeOf(second, REPEATED);
        return outcome.status === 'unknown' ? first : outcome;
      },
    };
  };
}

const NO_TOKEN = {
  code: 'NO_TOKEN',
  reason: "azureSms's credential gave no token in time",
  remedy: 'Check the identity of the gateway, and that credential resolves to { token, expiresOnTimestamp }.',
} as const;

function bodyOf(
  { to, text }: Message,
  { from, reference, nowMs }: { readonly from: string; readonly reference: string; readonly nowMs: number },
): object {
  const repeatability = {
    // A UUID.
    repeatabilityRequestId: reference,
    repeatabilityFirstSent: new Date(nowMs).toUTCString(),
  };
  return {
    from,
    smsRecipients: [{ to, ...repeatability }],
    message: text,
    smsSendOptions: { enableDeliveryReport: true, tag: reference },
  };
}

const AZURE: AnswerReader = {
  provider: 'Azure',
  readSuccess: (answer) => readRecipient(answer, () => true),
  readRefusal: (answer) => {
    if (!isAzureError(answer)) return undefined;
    const { status } = answer;
    return (
      readRefusal(`HTTP_${status}`) ?? { status: 'unknown', reason: `Azure answered with status ${status}` }
    );
  },
};

/** What Azure says of the message. The other refusals may concern the repeat alone. */
const REFUSED_MESSAGE: ReadonlySet<unknown> = new Set([400, 404]);

/** A refusal of the repeat is one of the first request only if Azure has recognised the ids, whose result has any case. */
const REPEATED: AnswerReader = {
  provider: 'Azure',
  readSuccess: (answer) =>
    readRecipient(
      answer,
      (recipient) =>
        textFieldOf(recipient, 'repeatabilityResult')?.toLowerCase() === 'accepted' &&
        REFUSED_MESSAGE.has(recipient['httpStatusCode']),
    ),
  readRefusal: () => undefined,
};

/** The outcome of the one recipient: a 202 alone is no success. */
function readRecipient(
  answer: HttpAnswer,
  mayRefuse: (recipient: JsonObject) => boolean,
): Outcome | string | undefined {
  const [given, ...others] = asList(readObject(answer)['value']);
  if (others.length > 0) return undefined;
  const recipient = asObject(given);
  const { httpStatusCode: status, successful } = recipient;
  if (successful === true) {
    const id = textFieldOf(recipient, 'messageId');
    return id !== undefined && MESSAGE_ID.test(id) ? id : undefined;
  }
  return typeof status === 'number' && mayRefuse(recipient) ? readRefusal(`RECIPIENT_${status}`) : undefined;
}

/** Whether an answer has an error of Azure's own. */
const isAzureError = (answer: HttpAnswer): boolean => textFieldOf(answer.json, 'error', 'code') !== undefined;
