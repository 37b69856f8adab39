import { randomBytes, randomUUID } from 'node:crypto';
import { parseJson, textFieldOf } from '../../core/json.js';
import { startEmulatedServer } from '../server/emulated-server.js';
import { RuleList, type Fault, type FaultRule, type LimitedRule } from '../server/faults.js';
import { jsonPost } from '../server/outbound.js';
import { Phones, type DeliveredItem, type EmulatedPhoneItem } from '../server/phones.js';
import { jsonReply, okReply, type Answer, type Reply } from '../server/reply.js';
import { queryOf, type RecordedRequest } from '../server/request.js';
import { StatusCallbacks, type CallbackRule, type EmulatedCallback } from '../server/status-callbacks.js';
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
export interface AzureEmulatorOptions {
  /** Default: any free port. */
  readonly port?: number | undefined;
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** Time before the delivery report of a message. Default: 10. */
  readonly callbackDelayMs?: number | undefined;
  /** More senders of the resource: numbers, short codes or names. */
  readonly senders?: readonly string[] | undefined;
}

/** A Communication Services resource on the loopback interface, with Event Grid and the phones that it reaches. */
export interface AzureEmulator {
  /** The endpoint, e.g. `http://127.0.0.1:49152`. */
  readonly baseUrl: string;
  /** `endpoint` and an access key, for `azureSms`. */
  readonly credential: { readonly endpoint: string; readonly accessKey: string };
  /** A number of the resource. */
  readonly number: string;
  /** Every request to the API, newest last. */
  readonly requests: RecordedRequest[];
  /** The accepted messages with their current state, newest last. Each was executed once. */
  readonly messages: readonly EmulatedAzureMessage[];
  /** The delivery reports that were posted, newest last. */
  readonly callbacks: readonly EmulatedCallback<EmulatedGridEvent>[];
  /** How many requests followed a `redirect` fault. */
  readonly redirectHits: number;

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
  /** The messages on the phone with this number, newest last. */
  inbox(number: string): readonly EmulatedPhoneItem[];
  /** Resolves to the phone's oldest message that no earlier `nextItem` has taken. Rejects after 5 s, or `timeoutMs`. */
  nextItem(number: string, options?: { readonly timeoutMs?: number | undefined }): Promise<EmulatedPhoneItem>;
  /** Calls a listener for every message that a phone gets. */
  onDelivered(listener: (item: DeliveredItem) => void): void;

  /** Adds a fault, by default for every request. Rules apply in the order in which they were added. */
  fault(rule: FaultRule | Fault): void;
  /** Refuses the recipient of new messages. */
  refuseWith(rule: AzureRefusalRule): void;
  /** Accepts new messages, and reports later that they failed. */
  failLater(rule: AzureLateFailureRule): void;
  /** Makes the delivery reports of new messages late, repeated, held, or not at all. */
  faultCallbacks(fault: AzureCallbackFault): void;
  /** Makes the reports that `faultCallbacks` has held. Resolves when all are answered. */
  releaseCallbacks(): Promise<void>;
  /** Removes the rules of `fault`, `refuseWith`, `failLater` and `faultCallbacks`. */
  clearFaults(): void;
  /** Ends the emulator at once. Reports that are due are not made. */
  close(): Promise<void>;
}

/** A message while its state changes. */
type StoredMessage = { -readonly [Key in keyof EmulatedAzureMessage]: EmulatedAzureMessage[Key] };

const NUMBER = '+18335550100';
const DEFAULT_CALLBACK_DELAY_MS = 10;
const WEBHOOK_TIMEOUT_MS = 30_000;

/** A number as Azure's documentation writes it in events. */
const withoutPlus = (number: string): string => number.replace(/^\+/, '');

/** Starts a Communication Services resource on 127.0.0.1. Close it at the end. */
export async function startAzureEmulator(options: AzureEmulatorOptions = {}): Promise<AzureEmulator> {
  const { clock = Date.now, callbackDelayMs = DEFAULT_CALLBACK_DELAY_MS } = options;
  const senders = new Set([NUMBER, ...(options.senders ?? [])]);
  const callers = new AzureCallers(clock);
  const phones = new Phones();
  const refusals = new RuleList<AzureRefusalRule>();
  const lateFailures = new RuleList<AzureLateFailureRule>();
  const messages: StoredMessage[] = [];
  /** The result of each pair of repeatability ids, which is given again to a repeat. */
  const results = new Map<string, { readonly firstSent: string; readonly recipient: object }>();
  let subscription: string | undefined;

  const server = await startEmulatedServer({ port: options.port, clock, callTimeoutMs: WEBHOOK_TIMEOUT_MS });
  const postEvents = async (url: string, type: string, events: readonly object[]) =>
    server.outbound.call(jsonPost(url, { 'aeg-event-type': type }, events));
  const callbacks = new StatusCallbacks<EmulatedAzureMessage, EmulatedGridEvent>(server, {
    stepMs: callbackDelayMs,
    post: async (url, event) => (await postEvents(url, 'Notification', [event])).status,
  });
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
  const run = (message: StoredMessage, failure: AzureLateFailureRule | undefined): void => {
    const { messageId, from, to, text, tag } = message;
    if (failure === undefined) phones.deliver(to, { channel: 'sms', text, at: clock(), sid: messageId });
    callbacks.walk(message, [failure === undefined ? 'Delivered' : 'Failed'] as const, (deliveryStatus) => {
      message.deliveryStatus = deliveryStatus;
      const receivedTimestamp = new Date(clock()).toISOString();
      const deliveryStatusDetails = failure === undefined ? 'No error.' : (failure.code?.toString() ?? '');
      return eventOf('Microsoft.Communication.SMSDeliveryReportReceived', {
        ...{
          messageId,
          from: withoutPlus(from),
          to,
          deliveryStatus,
          deliveryStatusDetails,
          receivedTimestamp,
        },
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
            ...{ to, httpStatusCode: refusal, repeatabilityResult, successful: false },
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
        run(message, lateFailures.take(request));
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
      ['get', '/phoneNumbers', guarded(() => okReply({ phoneNumbers: [{ phoneNumber: NUMBER }] }))],
    ],
    notFound: () => failure(404, 'NotFound', 'The resource does not exist.'),
    notAllowed: () => failure(405, 'MethodNotAllowed', 'The method is not allowed.'),
  });

  return {
    baseUrl: server.origin,
    get credential() {
      return { endpoint: server.origin, accessKey: callers.accessKey };
    },
    number: NUMBER,
    requests: server.requests,
    messages,
    callbacks: callbacks.made,
    get redirectHits() {
      return server.redirectHits;
    },
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
      const data = {
        messageId: `Incoming_${randomUUID()}`,
        from: withoutPlus(from),
        to: withoutPlus(NUMBER),
        message,
      };
      const event = eventOf('Microsoft.Communication.SMSReceived', {
        ...data,
        receivedTimestamp: new Date(clock()).toISOString(),
      });
      return (await postEvents(subscription, 'Notification', [event])).status;
    },
    inbox: (number) => phones.inbox(number),
    nextItem: (number, itemOptions) => phones.nextItem(number, itemOptions),
    onDelivered: (listener) => phones.onDelivered(listener),
    fault: server.fault,
    refuseWith: (rule) => refusals.add(rule),
    failLater: (rule) => lateFailures.add(rule),
    faultCallbacks: (fault) => callbacks.fault(fault),
    releaseCallbacks: () => callbacks.release(),
    clearFaults: () => {
      server.clearFaults();
      refusals.clear();
      lateFailures.clear();
      callbacks.clearFaults();
    },
    close: server.close,
  };
}

/** An error of Azure's own. */
function failure(status: number, code: string, message: string): Reply {
  return jsonReply(status, { error: { code, message } });
}
