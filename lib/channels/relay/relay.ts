import type { Outcome, TelephonyRequest } from '../../core/channel.js';
import type { HttpAnswer } from '../../core/http.js';
import { asList, asObject, isObject, textFieldOf, type JsonObject } from '../../core/json.js';
import {
  keyThat,
  lazyRules,
  mapOf,
  oneOf,
  optionsOf,
  readOptionsBy,
  textOf,
  urlRule,
} from '../../core/option-rules.js';
import { USER_AGENT } from '../../http/call.js';
import { outcomeOf, readObject, type AnswerReader } from '../../http/request.js';
import type { Channel } from '../channel.js';
import { describeFailure } from './error-codes.js';

/** The options of `relayChannel`. */
export interface RelayChannelOptions {
  /** The whole URL of the other telephony hook, as Okta has it. `https`, or `http` on loopback. */
  readonly url: string;
  /** What Okta sends to prove itself there, such as `{ authorization: 'secret' }`. `{}` sends nothing. */
  readonly headers: Readonly<Record<string, string>>;
  /** The name that Okta and the log show if the other hook names no provider. Default `RELAY`. */
  readonly provider?: string | undefined;
  /**
   * What an error of the other hook means. `'trusted'`: the code has certainly not gone out, and the next attempt follows.
   * Default `'unknown'`: the code may have gone out, and nothing else is sent.
   */
  readonly refusals?: 'unknown' | 'trusted' | undefined;
}

/** The options with their defaults. */
interface RelaySettings extends RelayChannelOptions {
  readonly provider: string;
  readonly refusals: 'unknown' | 'trusted';
}

const FACTORY = 'relayChannel';

/** The request has these already, or they belong to the connection. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['connection', 'content-length', 'content-type', 'expect', 'host', 'keep-alive', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade'],
]);
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const HEADERS = "an object of headers and their values, such as { authorization: 'secret' }";

const RULES = lazyRules(() =>
  optionsOf<RelaySettings>('an object', {
    url: urlRule('the whole URL of the other telephony hook', () => true).required(),
    headers: mapOf(
      HEADERS,
      keyThat((name) => HEADER_NAME.test(name) && !RESERVED.has(name.toLowerCase())),
      textOf("a header's value: one line of visible characters and spaces").pattern(
        /^[\x21-\x7e]+( +[\x21-\x7e]+)*$/,
      ),
      'is not a header that can be set',
    ).required(),
    provider: textOf("a word of at most 64 letters, digits, '.', ':', '-' and '_', or be left out")
      .pattern(/^[\w.:-]{1,64}$/)
      .default('RELAY'),
    refusals: oneOf("'unknown' or 'trusted', or be left out", 'unknown', 'trusted').default('unknown'),
  }),
);

/**
 * Posts Okta's request, as it came, to another telephony hook, and reads its answer as Okta does: a vendor's hosted hook, a
 * flow of Okta Workflows, or an older gateway. It can be mounted by every name. The other hook words and sends the code.
 *
 * Source: Okta's reference of the telephony inline hook.
 *
 * @throws ConfigurationError that names every problem of the options and its remedy.
 */
export function relayChannel(options: RelayChannelOptions): Channel {
  const { url, headers, provider, refusals } = readOptionsBy<RelaySettings>(RULES(), options, FACTORY);
  const isTrusted = refusals === 'trusted';
  return ({ clock }) => ({
    provider,
    host: new URL(url).host,
    usesText: false,
    send: async ({ request }, { http }) => {
      const result = await http({
        url,
        headers: { 'user-agent': USER_AGENT, ...headers },
        json: request.raw ?? payloadOf(request, clock()),
      });
      return outcomeOf(result, readerOf(request, isTrusted));
    },
  });
}

const COMMAND_TYPE = 'com.okta.telephony.action';

function readerOf({ eventId }: TelephonyRequest, isTrusted: boolean): AnswerReader {
  return {
    provider: 'the other hook',
    readSuccess: (answer) => {
      // Okta reads no other success.
      if (answer.status !== 200) return undefined;
      const body = readObject(answer);
      if (isObject(body['error'])) return describeFailure('error', isTrusted);
      const value = commandIn(body);
      switch (value?.['status']) {
        case 'SUCCESSFUL':
          return {
            status: 'accepted',
            // Okta requires none.
            transactionId: textFieldOf(value, 'transactionId') ?? eventId,
            provider: textFieldOf(value, 'provider'),
          };
        case 'PENDING':
          return PENDING;
        case 'FAILED':
          return describeFailure('failed', isTrusted);
        default:
          return undefined;
      }
    },
    readRefusal: (answer) => (isOwnError(answer) ? describeFailure(answer.status, isTrusted) : undefined),
  };
}

const PENDING: Outcome = {
  status: 'unknown',
  reason: 'The other hook answered PENDING',
  remedy: 'Look at the log of the other hook.',
};

/** The value of the command, as Okta reads it; `undefined` if Okta would not. */
function commandIn(body: JsonObject): JsonObject | undefined {
  const command = asObject(asList(body['commands'])[0]);
  if (command['type'] !== COMMAND_TYPE) return undefined;
  const value = asObject(asList(command['value'])[0]);
  const areTexts = ['provider', 'transactionId', 'transactionMetadata'].every(
    (name) => typeof (value[name] ?? '') === 'string',
  );
  return areTexts ? value : undefined;
}

/** Whether an answer with another status than 200 is a hook's own error, and not a proxy's page. */
const isOwnError = (answer: HttpAnswer): boolean =>
  textFieldOf(answer.json, 'error', 'errorSummary') !== undefined;

/** Okta's request from its fields, for a code that is sent late without the body that Okta sent. */
function payloadOf(request: TelephonyRequest, nowMs: number): JsonObject {
  const { eventId, requestType, expiresAt, deliveryChannel } = request;
  return {
    eventId,
    eventTime: new Date(nowMs).toISOString(),
    eventType: 'com.okta.telephony.provider',
    eventTypeVersion: '1.0',
    contentType: 'application/json',
    cloudEventVersion: '0.1',
    requestType,
    data: {
      context: { request: { id: request.oktaRequestId, ipAddress: request.ipAddress } },
      userProfile: {
        userId: request.userId,
        login: request.login,
        firstName: request.firstName,
        lastName: request.lastName,
      },
      messageProfile: {
        msgTemplate: request.msgTemplate,
        phoneNumber: request.phoneNumber,
        otpExpires: expiresAt.toISOString(),
        deliveryChannel: deliveryChannel === 'voice' ? 'voice call' : 'SMS',
        otpCode: request.otpCode,
        locale: request.locale,
      },
    },
  };
}
