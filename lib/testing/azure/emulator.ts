import { randomBytes, randomUUID } from 'node:crypto';
import { parseJson, textFieldOf } from '../../core/json.js';
import {
  startProvider,
  type EmulatedProvider,
  type ProviderEmulatorOptions,
} from '../server/emulated-provider.js';
import type { LimitedRule } from '../server/faults.js';
import { jsonPost, type OutboundAnswer } from '../server/outbound.js';
import { jsonReply, okReply, type Answer, type Reply } from '../server/reply.js';
import { queryOf, type RecordedRequest } from '../server/request.js';
import type { CallbackRule, Mutable } from '../server/status-callbacks.js';
import { AzureCallers } from './callers.js';
import { readSms, type SmsRequest } from './sms-request.js';

/** A message that Azure has accepted. */
export interface EmulatedAzureMessage {
  readonly messageId: string;
  readonly from: string;
  readonly to: string;
  readonly text: string;
  /** The caller's own mark, which the delivery report has. */
  readonly tag: string | undefined;
  /** `undefined` until it is reported. */
  readonly deliveryStatus: 'Delivered' | 'Failed' | undefined;
  /** Where its report goes. */
  readonly statusCallback: string | undefined;
}

/** An event of Event Grid, in Event Grid's own schema. */
export interface EmulatedGridEvent {
  readonly id: string;
  readonly topic: string;
  readonly subject: string;
  readonly eventType: string;
  readonly eventTime: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly dataVersion: string;
  readonly metadataVersion: string;
}

/** A rule that refuses the recipient of new messages, in a response with 202. */
export interface AzureRefusalRule extends LimitedRule {
  /** The status of the recipient, such as 400, 401, 404, 429 or 500. */
  readonly httpStatusCode: number;
}

/** A rule that accepts new messages, and reports later that they failed. */
export interface AzureLateFailureRule extends LimitedRule {
  /** A code of `deliveryStatusDetails`, such as 4007. Default: none. */
  readonly code?: number | undefined;
}

/** A fault of the delivery reports of new messages. */
export type AzureCallbackFault = CallbackRule<EmulatedAzureMessage>;

/** What `startAzureEmulator` takes. */
export interface AzureEmulatorOptions extends ProviderEmulatorOptions {
  /** More senders of the resource: numbers, short codes or names. */
  readonly senders?: readonly string[] | undefined;
}

/** A Communication Services resource on the loopback interface, with Event Grid and the phones that it reaches. */
export interface AzureEmulator extends EmulatedProvider<
  AzureRefusalRule,
  AzureLateFailureRule,
  EmulatedAzureMessage,
  EmulatedGridEvent
> {
  /** `endpoint` and an access key, for `azureSms`. */
  readonly credential: { readonly endpoint: string; readonly accessKey: string };
  /** A number of the resource. */
  readonly number: string;
  /** The accepted messages with their current state, newest last. Each was executed once. */
  readonly messages: readonly EmulatedAzureMessage[];

  /** Returns a token of Microsoft Entra with a life of an hour, for `credential` of `azureSms`. */
  getToken(): Promise<{ readonly token: string; readonly expiresOnTimestamp: number }>;
  /** Ends every token. */
  revokeTokens(): void;
  /** Replaces the access key, and returns the new one. */
  rotateKey(): string;
  /**
   * Lets Event Grid post to a URL from now on. Rejects if the URL does not return the validation code.
   */
  subscribe(url: string): Promise<void>;
  /** A person writes to the resource's number. Resolves to the status of the answer; `undefined` without a subscription. */
  receive(message: { readonly from: string; readonly text: string }): Promise<number | undefined>;
}

const NUMBER = '+18335550100';
const WEBHOOK_TIMEOUT_MS = 30_000;

/** The number as Azure lists it. */
const PURCHASED_NUMBER = {
  id: NUMBER.slice(1),
  phoneNumber: NUMBER,
  countryCode: 'US',
  phoneNumberType: 'tollFree',
  capabilities: { calling: 'none', sms: 'inbound+outbound' },
  assignmentType: 'application',
  purchaseDate: '2026-01-05T09:00:00.000Z',
  cost: { amount: 2, currencyCode: 'USD', billingFrequency: 'monthly' },
};

/** A number as Azure's documentation writes it in events. */
const withoutPlus = (number: string): string => number.replace(/^\+/, '');

/** Starts a Communication Services resource on 127.0.0.1. Close it at the end. */
export async function startAzureEmulator(options: AzureEmulatorOptions = {}): Promise<AzureEmulator> {
  const provider = await startProvider<
    AzureRefusalRule,
    AzureLateFailureRule,
    EmulatedAzureMessage,
    EmulatedGridEvent
  >(options, {
    callTimeoutMs: WEBHOOK_TIMEOUT_MS,
    post: async (url, event): Promise<number | undefined> =>
      (await postEvents(url, 'Notification', [event])).status,
  });
  const { clock, server, refusals, callbacks, deliver } = provider;
  const senders = new Set([NUMBER, ...(options.senders ?? [])]);
  const callers = new AzureCallers(clock);
  const messages: EmulatedAzureMessage[] = [];
  /** The result of each pair of repeatability ids, which is given again to a repeat. */
  const results = new Map<string, { readonly firstSent: string; readonly recipient: object }>();
  let subscription: string | undefined;

  const postEvents = (url: string, type: string, events: readonly object[]): Promise<OutboundAnswer> =>
    server.outbound.call(jsonPost(url, { 'aeg-event-type': type }, events));
  const eventOf = (eventType: string, data: EmulatedGridEvent['data']): EmulatedGridEvent => ({
    id: randomUUID(),
    topic: '/subscriptions/1/resourceGroups/2/providers/microsoft.communication/communicationservices/acme',
    subject: `/phonenumber/${withoutPlus(NUMBER)}`,
    data,
    eventType,
    dataVersion: '1.0',
    metadataVersion: '1',
    eventTime: new Date(clock()).toISOString(),
  });
  const run = (message: Mutable<EmulatedAzureMessage>, request: RecordedRequest): void => {
    const { messageId, from, to, text, tag } = message;
    const failure = deliver(request, to, { channel: 'sms', text, sid: messageId });
    callbacks.walk(message, [failure === undefined ? 'Delivered' : 'Failed'] as const, (deliveryStatus) => {
      message.deliveryStatus = deliveryStatus;
      const receivedTimestamp = new Date(clock()).toISOString();
      const deliveryStatusDetails = failure === undefined ? 'No error.' : (failure.code?.toString() ?? '');
      return eventOf('Microsoft.Communication.SMSDeliveryReportReceived', {
        messageId,
        from: withoutPlus(from),
        to,
        deliveryStatus,
        deliveryStatusDetails,
        receivedTimestamp,
        deliveryAttempts: [{ timestamp: receivedTimestamp, segmentsSucceeded: 1, segmentsFailed: 0 }],
        ...(tag === undefined ? {} : { tag }),
      });
    });
  };

  const send = (request: RecordedRequest, sms: SmsRequest): Reply => {
    const { from, to, text, tag, repeatability } = sms;
    const known = repeatability && results.get(repeatability.id);
    if (known !== undefined) {
      // The same id with another date is another request.
      const isSame = known.firstSent === repeatability?.firstSent;
      const rejected = { to, httpStatusCode: 400, repeatabilityResult: 'rejected', successful: false };
      return jsonReply(202, { value: [isSame ? known.recipient : rejected] });
    }
    const refusal = refusals.take(request)?.httpStatusCode ?? (senders.has(from) ? undefined : 404);
    const messageId = `Outgoing_${randomBytes(16).toString('hex')}`;
    const repeatabilityResult = 'accepted';
    const recipient =
      refusal === undefined
        ? { to, messageId, httpStatusCode: 202, repeatabilityResult, successful: true }
        : {
            to,
            httpStatusCode: refusal,
            repeatabilityResult,
            successful: false,
            errorMessage: `The number ${to} was refused`,
          };
    return {
      ...jsonReply(202, { value: [recipient] }),
      commit: () => {
        if (repeatability !== undefined) {
          results.set(repeatability.id, { firstSent: repeatability.firstSent, recipient });
        }
        if (refusal !== undefined) return;
        const message = {
          messageId,
          from,
          to,
          text,
          tag,
          deliveryStatus: undefined,
          statusCallback: subscription,
        };
        messages.push(message);
        run(message, request);
      },
    };
  };

  const guarded =
    (answer: Answer): Answer =>
    (request, params) => {
      if (!callers.isCaller(request)) return failure(401, 'Denied', 'Denied by the resource provider.');
      if (queryOf(request).get('api-version') === null) {
        return failure(400, 'MissingApiVersionParameter', 'The api-version query parameter is required.');
      }
      return answer(request, params);
    };
  const sendSms: Answer = (request) => {
    const sms = readSms(parseJson(request.body));
    return typeof sms === 'string' ? failure(400, 'BadRequest', sms) : send(request, sms);
  };
  server.serve({
    routes: [
      ['post', '/sms', guarded(sendSms)],
      ['get', '/phoneNumbers', guarded(() => okReply({ phoneNumbers: [PURCHASED_NUMBER] }))],
    ],
    notFound: () => failure(404, 'NotFound', 'The resource does not exist.'),
    notAllowed: () => failure(405, 'MethodNotAllowed', 'The method is not allowed.'),
  });

  return provider.emulatorOf<AzureEmulator>({
    get credential() {
      return { endpoint: server.origin, accessKey: callers.accessKey };
    },
    number: NUMBER,
    messages,
    getToken: () => Promise.resolve(callers.makeToken()),
    revokeTokens: () => callers.revokeTokens(),
    rotateKey: () => callers.rotateKey(),
    subscribe: async (url) => {
      const validationCode = randomUUID();
      const event = eventOf('Microsoft.EventGrid.SubscriptionValidationEvent', { validationCode });
      const { status, text } = await postEvents(url, 'SubscriptionValidation', [event]);
      const returned = textFieldOf(parseJson(text ?? ''), 'validationResponse');
      if (status !== 200 || returned !== validationCode) {
        throw new Error(`The webhook did not return the validation code: ${status ?? 'no answer'}.`);
      }
      subscription = url;
    },
    receive: async ({ from, text: message }) => {
      if (subscription === undefined) return undefined;
      const event = eventOf('Microsoft.Communication.SMSReceived', {
        messageId: `Incoming_${randomUUID()}`,
        from: withoutPlus(from),
        to: withoutPlus(NUMBER),
        message,
        // Texts that users write to a sender of codes are short.
        segmentCount: 1,
        receivedTimestamp: new Date(clock()).toISOString(),
      });
      return (await postEvents(subscription, 'Notification', [event])).status;
    },
  });
}

/** An error of Azure's own. */
function failure(status: number, code: string, message: string): Reply {
  return jsonReply(status, { error: { code, message } });
}
