import type {
  CallbackAnswer,
  CallbackReceiver,
  DeliveryReport,
  InboundMessage,
  PushedReport,
} from '../../core/channel.js';
import { asObject, isObject, parseJson, textFieldOf, type JsonObject } from '../../core/json.js';
import { isSameText, numberOfUser } from '../provider.js';
import { describeFailure } from './error-codes.js';

/**
 * What Event Grid pushes: delivery reports and messages of users, in Event Grid's own schema. It signs nothing: a secret in the
 * URL proves it.
 *
 * Sources: Azure Event Grid, "Azure Communication Services - SMS events" and "Endpoint validation with Event Grid event schema".
 */

const VALIDATION = 'Microsoft.EventGrid.SubscriptionValidationEvent';
const REPORT = 'Microsoft.Communication.SMSDeliveryReportReceived';
const RECEIVED = 'Microsoft.Communication.SMSReceived';

interface EventOptions {
  /** One, or two while it changes. */
  readonly secrets: readonly string[];
  /** The channel's sender. The resource may have others, which send for other purposes. */
  readonly from: string;
}

export function eventGridReceiver({ secrets, from }: EventOptions): CallbackReceiver {
  const sender = senderOf(from);
  const isSender = (given: unknown): boolean => typeof given === 'string' && senderOf(given) === sender;
  return {
    handle: ({ query, rawBody }): CallbackAnswer => {
      const { secret = '' } = query;
      // Each is compared, so that the time does not tell which one it was.
      if (!secrets.map((one) => isSameText(one, secret)).includes(true)) return { status: 401 };
      const body = parseJson(rawBody.toString('utf8'));
      if (!Array.isArray(body) && !isObject(body)) return { status: 400 };
      const events = (Array.isArray(body) ? body : [body]).map(asObject);
      const validation = events.find(({ eventType }) => eventType === VALIDATION);
      if (validation !== undefined) return validationAnswer(validation);
      return {
        status: 200,
        reports: dataOf(events, REPORT)
          .filter((data) => isSender(data['from']))
          .flatMap(readReport),
        inbound: dataOf(events, RECEIVED)
          .filter((data) => isSender(data['to']))
          .flatMap(readMessage),
      };
    },
  };
}

/** A sender in one form: the examples of the documentation have numbers with and without a plus. */
const senderOf = (text: string): string => text.replace(/^\+/, '').toLowerCase();

/** Event Grid sends nothing to a URL that has not returned its code. */
function validationAnswer(event: JsonObject): CallbackAnswer {
  const validationResponse = textFieldOf(event, 'data', 'validationCode');
  return validationResponse === undefined
    ? { status: 400 }
    : { status: 200, contentType: 'application/json', body: JSON.stringify({ validationResponse }) };
}

const dataOf = (events: readonly JsonObject[], type: string): readonly JsonObject[] =>
  events.filter(({ eventType }) => eventType === type).map(({ data }) => withSmallInitials(asObject(data)));

/** Azure's schema and its SDKs begin the names with small letters, but the examples beside the schema with capitals. */
const withSmallInitials = (data: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name.charAt(0).toLowerCase() + name.slice(1), value]),
  );

/** A report without an id names no message. */
function readReport(data: JsonObject): readonly PushedReport[] {
  const transactionId = textFieldOf(data, 'messageId');
  const reference = textFieldOf(data, 'tag');
  if (transactionId === undefined && reference === undefined) return [];
  return [
    {
      ...statusOf(data),
      transactionId,
      reference,
      providerStatus: textFieldOf(data, 'deliveryStatus'),
      to: numberOfUser(textFieldOf(data, 'to')),
    },
  ];
}

function statusOf({ deliveryStatus, deliveryStatusDetails }: JsonObject): DeliveryReport {
  switch (deliveryStatus) {
    case 'Delivered':
      return { status: 'delivered' };
    case 'Failed':
      return describeFailure(deliveryStatusDetails);
    default:
      // Such as the end of the wait for a report: the message may have arrived.
      return { status: 'pending' };
  }
}

function readMessage(data: JsonObject): readonly InboundMessage[] {
  const messageId = textFieldOf(data, 'messageId');
  const from = numberOfUser(textFieldOf(data, 'from'));
  if (messageId === undefined || from === undefined) return [];
  return [{ messageId, from, text: textFieldOf(data, 'message') ?? '' }];
}
