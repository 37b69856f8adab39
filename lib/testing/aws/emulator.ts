import { randomUUID } from 'node:crypto';
import { asObject, isObject, parseJson, type JsonObject } from '../../core/json.js';
import { startEmulatedServer } from '../server/emulated-server.js';
import { RuleList, type Fault, type FaultRule, type LimitedRule } from '../server/faults.js';
import { Phones, type DeliveredItem, type EmulatedPhoneItem } from '../server/phones.js';
import { randomAlphanumeric } from '../server/random-ids.js';
import { jsonReply, type Answer, type Reply } from '../server/reply.js';
import type { RecordedRequest } from '../server/request.js';
import { StatusCallbacks, type CallbackRule, type EmulatedCallback } from '../server/status-callbacks.js';
import { signatureProblem, type AwsKeys } from './proof.js';
import { SnsTopic, type SnsFields } from './topic.js';

/** Options of `startAwsEmulator`. */
export interface AwsEmulatorOptions {
  /** Default: any free port. */
  readonly port?: number | undefined;
  /** Milliseconds since 1970; signatures and notifications go by it. Default: `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** Time between the steps of a message, and so before each event. Default: 10. */
  readonly callbackDelayMs?: number | undefined;
}

/** A message that AWS accepted. */
export interface EmulatedAwsMessage {
  readonly messageId: string;
  /** E.164. */
  readonly to: string;
  readonly text: string;
  /** The fields of `SendTextMessage` as they were sent. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The last event, such as `TEXT_DELIVERED`. */
  readonly eventType: string;
  /** Where its events go; `undefined` without the configuration set or a confirmed subscription. */
  readonly statusCallback: string | undefined;
}

/** A rule that refuses new messages with an exception of AWS's. */
export interface AwsRefusalRule extends LimitedRule {
  /** The name of the exception, such as `ConflictException`. */
  readonly type: string;
  /** AWS's `Reason`. */
  readonly reason?: string | undefined;
  /** The field that AWS complains about, such as `DestinationPhoneNumber`. */
  readonly field?: string | undefined;
  /** Default: 400. */
  readonly status?: number | undefined;
}

/** A rule that accepts new messages, which then fail. */
export interface AwsLateFailureRule extends LimitedRule {
  /** Such as `TEXT_UNREACHABLE`. */
  readonly eventType: string;
}

/** A fault of the events of new messages. */
export type AwsCallbackFault = CallbackRule<EmulatedAwsMessage>;

/** An account of AWS End User Messaging and its SNS topic on the loopback interface, with the phones that it reaches. */
export interface AwsEmulator {
  readonly baseUrl: string;
  /** What `awsSms` takes. */
  readonly credential: Readonly<
    Record<'baseUrl' | 'region' | 'originationIdentity' | 'configurationSet' | 'topicArn', string>
  > & { readonly credentials: AwsKeys };
  /** Every request to the API, newest last. */
  readonly requests: RecordedRequest[];
  /** The accepted messages with their current state, newest last. */
  readonly messages: readonly EmulatedAwsMessage[];
  /** The feedback about messages, newest last. */
  readonly feedback: readonly { readonly messageId: string; readonly status: string }[];
  /** The events that were posted, newest last. */
  readonly callbacks: readonly EmulatedCallback<JsonObject>[];
  /** How many requests followed a `redirect` fault. */
  readonly redirectHits: number;
  /** Whether the subscription of `subscribe` is confirmed. */
  readonly isSubscribed: boolean;
  /** The messages on the phone with this number, newest last. They are there as soon as AWS accepts them. */
  inbox(number: string): readonly EmulatedPhoneItem[];
  /** Resolves to the phone's oldest message that no earlier `nextItem` has taken; waits for it up to 5 s, or `timeoutMs`. */
  nextItem(number: string, options?: { readonly timeoutMs?: number | undefined }): Promise<EmulatedPhoneItem>;
  /** Calls a listener for every message that a phone gets. */
  onDelivered(listener: (item: DeliveredItem) => void): void;
  /** Subscribes the URL of the channel's `receive` to the topic. Resolves to the status of the answer to the confirmation. */
  subscribe(url: string): Promise<number | undefined>;
  /** A message of the topic as SNS posts it, signed. `changed` replaces fields before that, such as `Timestamp`. */
  sign(message: unknown, changed?: SnsFields): string;
  /** Posts a message of the topic. Resolves to the status of the answer. */
  post(url: string, body: string): Promise<number | undefined>;
  /** SNS signs with another key from now on. */
  rotateCertificate(): void;
  /** Adds a fault, by default for every request to the API. */
  fault(rule: FaultRule | Fault): void;
  /** Refuses new messages with an exception. */
  refuseWith(rule: AwsRefusalRule): void;
  /** Accepts new messages, and reports later that they failed. */
  failLater(rule: AwsLateFailureRule): void;
  /** Makes the events of new messages late, repeated, out of order, or not at all. */
  faultCallbacks(fault: AwsCallbackFault): void;
  /** Posts the events that `faultCallbacks` has held. Resolves when all are answered. */
  releaseCallbacks(): Promise<void>;
  /** Removes the rules of `fault`, `refuseWith`, `failLater` and `faultCallbacks`. */
  clearFaults(): void;
  /** Ends the emulator at once. Events that are due are not posted. */
  close(): Promise<void>;
}

type Stored = { -readonly [Key in keyof EmulatedAwsMessage]: EmulatedAwsMessage[Key] };

const REGION = 'eu-central-1';
const TOPIC_ARN = `arn:aws:sns:${REGION}:111122223333:otp-events`;
const CONFIGURATION_SET = 'one-time-codes';
const PRICE_USD = 0.045;

/** The fields of SendTextMessage, with the values that AWS takes. */
const FIELDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  DestinationPhoneNumber: (value) => /^\+[1-9]\d{1,14}$/.test(String(value)),
  OriginationIdentity: (value) => typeof value === 'string',
  MessageBody: (value) => typeof value === 'string' && value.length >= 1 && value.length <= 1600,
  MessageType: (value) => value === 'TRANSACTIONAL' || value === 'PROMOTIONAL',
  ConfigurationSetName: (value) => typeof value === 'string',
  MaxPrice: (value) => typeof value === 'string' && /^\d{0,2}\.\d{1,5}$/.test(value),
  TimeToLive: (value) => Number.isInteger(value) && Number(value) >= 5 && Number(value) <= 259_200,
  Context: (value) => isObject(value) && Object.values(value).every((text) => typeof text === 'string'),
  DestinationCountryParameters: isObject,
  DryRun: (value) => typeof value === 'boolean',
  MessageFeedbackEnabled: (value) => typeof value === 'boolean',
};

/** Starts an account of AWS End User Messaging on 127.0.0.1. Close it at the end. */
export async function startAwsEmulator(options: AwsEmulatorOptions = {}): Promise<AwsEmulator> {
  const { clock = Date.now, callbackDelayMs = 10 } = options;
  const keys: AwsKeys = {
    accessKeyId: `ASIA${randomAlphanumeric(16).toUpperCase()}`,
    secretAccessKey: randomAlphanumeric(40),
    sessionToken: randomAlphanumeric(200),
  };
  const pool = `pool-${randomUUID().replaceAll('-', '')}`;
  const isApiCall = ({ method }: RecordedRequest): boolean => method === 'POST';
  const server = await startEmulatedServer({
    port: options.port,
    clock,
    callTimeoutMs: 15_000,
    isFaultable: isApiCall,
    isRecorded: isApiCall,
  });
  const topic = new SnsTopic(server, TOPIC_ARN);
  const phones = new Phones();
  const refusals = new RuleList<AwsRefusalRule>();
  const lateFailures = new RuleList<AwsLateFailureRule>();
  const callbacks = new StatusCallbacks<EmulatedAwsMessage, JsonObject>(server, {
    stepMs: callbackDelayMs,
    post: (url, event) => topic.post(url, topic.sign(event)),
  });
  const messages: Stored[] = [];
  const feedback: { messageId: string; status: string }[] = [];

  const sendTextMessage = (fields: JsonObject, request: RecordedRequest): Reply => {
    const rule = refusals.take(request);
    if (rule !== undefined) return exception(rule);
    const names = new Set([...Object.keys(fields), 'DestinationPhoneNumber', 'MessageBody']);
    const wrong = [...names].find((name) => FIELDS[name]?.(fields[name]) !== true);
    if (wrong !== undefined) return invalid('INVALID_PARAMETER', wrong);
    const { OriginationIdentity: sender, ConfigurationSetName: set = CONFIGURATION_SET } = fields;
    if (sender !== pool || set !== CONFIGURATION_SET) return exception({ type: 'ResourceNotFoundException' });
    if (Number(fields['MaxPrice'] ?? PRICE_USD) < PRICE_USD)
      return invalid('PRICE_OVER_THRESHOLD', 'MaxPrice');
    const message: Stored = {
      messageId: randomUUID(),
      to: String(fields['DestinationPhoneNumber']),
      text: String(fields['MessageBody']),
      fields,
      eventType: 'TEXT_PENDING',
      statusCallback: 'ConfigurationSetName' in fields ? topic.endpoint : undefined,
    };
    const accepted = reply(200, { MessageId: message.messageId });
    return fields['DryRun'] === true ? accepted : { ...accepted, commit: () => take(message, request) };
  };

  const take = (message: Stored, request: RecordedRequest): void => {
    messages.push(message);
    const failure = lateFailures.take(request)?.eventType;
    const { messageId: sid, to, text } = message;
    if (failure === undefined) phones.deliver(to, { channel: 'sms', text, at: clock(), sid });
    callbacks.walk(message, ['TEXT_QUEUED', 'TEXT_SENT', failure ?? 'TEXT_DELIVERED'], (eventType, index) => {
      message.eventType = eventType;
      return eventOf(message, index === 2, clock());
    });
  };

  const putMessageFeedback = ({ MessageId: id, MessageFeedbackStatus: status }: JsonObject): Reply => {
    const message = messages.find(({ messageId }) => messageId === id);
    if (message?.fields['MessageFeedbackEnabled'] !== true) {
      return exception({ type: 'ResourceNotFoundException' });
    }
    const { messageId } = message;
    const accepted = reply(200, { MessageId: id, MessageFeedbackStatus: status });
    return { ...accepted, commit: () => void feedback.push({ messageId, status: String(status) }) };
  };

  const api: Answer = (request) => {
    const problem = signatureProblem(request, keys, REGION, clock());
    if (problem !== undefined) return exception({ type: problem });
    const fields = asObject(parseJson(request.body));
    switch (request.headers['x-amz-target']) {
      case 'PinpointSMSVoiceV2.SendTextMessage':
        return sendTextMessage(fields, request);
      case 'PinpointSMSVoiceV2.PutMessageFeedback':
        return putMessageFeedback(fields);
      default:
        return exception({ type: 'UnknownOperationException' });
    }
  };
  server.serve({
    routes: [
      ['post', '/', api],
      ['get', '/', topic.confirm],
      ['get', '/:file', topic.certificate],
    ],
    notFound: () => exception({ type: 'UnknownOperationException', status: 404 }),
  });

  return {
    baseUrl: server.origin,
    credential: {
      baseUrl: server.origin,
      region: REGION,
      originationIdentity: pool,
      configurationSet: CONFIGURATION_SET,
      topicArn: TOPIC_ARN,
      credentials: keys,
    },
    requests: server.requests,
    messages,
    feedback,
    callbacks: callbacks.made,
    get redirectHits() {
      return server.redirectHits;
    },
    get isSubscribed() {
      return topic.endpoint !== undefined;
    },
    inbox: (number) => phones.inbox(number),
    nextItem: (number, itemOptions) => phones.nextItem(number, itemOptions),
    onDelivered: (listener) => phones.onDelivered(listener),
    subscribe: (url) => topic.subscribe(url),
    sign: (message, changed) => topic.sign(message, changed),
    post: (url, body) => topic.post(url, body),
    rotateCertificate: () => topic.rotateCertificate(),
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

function reply(status: number, body: object): Reply {
  return jsonReply(status, body, {
    'content-type': 'application/x-amz-json-1.0',
    'x-amzn-requestid': randomUUID(),
  });
}

/** AWS names an exception with its namespace. */
function exception({ type, reason, field, status = 400 }: AwsRefusalRule): Reply {
  return reply(status, {
    __type: `com.amazonaws.pinpointsmsvoicev2#${type}`,
    Message: 'The request was refused',
    Reason: reason,
    Fields: field === undefined ? undefined : [{ Name: field, Message: 'This field is not valid' }],
  });
}

const invalid = (reason: string, field: string): Reply =>
  exception({ type: 'ValidationException', reason, field });

function eventOf(message: EmulatedAwsMessage, isFinal: boolean, nowMs: number): JsonObject {
  const { eventType, messageId, to, fields } = message;
  return {
    eventType,
    eventVersion: '1.0',
    eventTimestamp: nowMs,
    isFinal,
    destinationPhoneNumber: to,
    messageId,
    messageType: fields['MessageType'],
    messageStatus: eventType.replace('TEXT_', ''),
    context: fields['Context'] ?? {},
  };
}
