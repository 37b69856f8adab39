import { randomUUID } from 'node:crypto';
import { asObject, isObject, parseJson, type JsonObject } from '../../core/json.js';
import {
  startProvider,
  type EmulatedProvider,
  type ProviderEmulatorOptions,
} from '../server/emulated-provider.js';
import type { LimitedRule } from '../server/faults.js';
import { randomAlphanumeric } from '../server/random-ids.js';
import { jsonReply, type Answer, type Reply } from '../server/reply.js';
import type { RecordedRequest } from '../server/request.js';
import type { CallbackRule, Mutable } from '../server/status-callbacks.js';
import { signatureProblem, type AwsKeys } from './proof.js';
import { SnsTopic, type SnsFields } from './topic.js';

/** Options of `startAwsEmulator`. */
export type AwsEmulatorOptions = ProviderEmulatorOptions;

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
export interface AwsEmulator extends EmulatedProvider<
  AwsRefusalRule,
  AwsLateFailureRule,
  EmulatedAwsMessage,
  JsonObject
> {
  /** What `awsSms` takes. */
  readonly credential: Readonly<
    Record<'baseUrl' | 'region' | 'originationIdentity' | 'configurationSet' | 'topicArn', string>
  > & { readonly credentials: AwsKeys };
  /** The accepted messages with their current state, newest last. */
  readonly messages: readonly EmulatedAwsMessage[];
  /** The feedback about messages, newest last. */
  readonly feedback: readonly { readonly messageId: string; readonly status: string }[];
  /** Whether the subscription of `subscribe` is confirmed. */
  readonly isSubscribed: boolean;
  /** Subscribes the URL of the channel's `receive` to the topic. Resolves to the status of the answer to the confirmation. */
  subscribe(url: string): Promise<number | undefined>;
  /** A message of the topic as SNS posts it, signed. `changed` replaces fields before that, such as `Timestamp`. */
  sign(message: unknown, changed?: SnsFields): string;
  /** Posts a message of the topic. Resolves to the status of the answer. */
  post(url: string, body: string): Promise<number | undefined>;
  /** SNS signs with another key from now on. */
  rotateCertificate(): void;
}

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
  const keys: AwsKeys = {
    accessKeyId: `ASIA${randomAlphanumeric(16).toUpperCase()}`,
    secretAccessKey: randomAlphanumeric(40),
    sessionToken: randomAlphanumeric(200),
  };
  const pool = `pool-${randomUUID().replaceAll('-', '')}`;
  const isApiCall = ({ method }: RecordedRequest): boolean => method === 'POST';
  const provider = await startProvider<AwsRefusalRule, AwsLateFailureRule, EmulatedAwsMessage, JsonObject>(
    options,
    {
      isFaultable: isApiCall,
      isRecorded: isApiCall,
      post: (url, event): Promise<number | undefined> => topic.post(url, topic.sign(event)),
    },
  );
  const { clock, server, refusals, callbacks, deliver } = provider;
  const topic = new SnsTopic(server, TOPIC_ARN);
  const messages: EmulatedAwsMessage[] = [];
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
    const message: EmulatedAwsMessage = {
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

  const take = (message: Mutable<EmulatedAwsMessage>, request: RecordedRequest): void => {
    messages.push(message);
    const { messageId: sid, to, text } = message;
    const failure = deliver(request, to, { channel: 'sms', text, sid });
    const last = failure?.eventType ?? 'TEXT_DELIVERED';
    callbacks.walk(message, ['TEXT_QUEUED', 'TEXT_SENT', last], (eventType, index) => {
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

  return provider.emulatorOf<AwsEmulator>({
    credential: {
      baseUrl: server.origin,
      region: REGION,
      originationIdentity: pool,
      configurationSet: CONFIGURATION_SET,
      topicArn: TOPIC_ARN,
      credentials: keys,
    },
    messages,
    feedback,
    get isSubscribed() {
      return topic.endpoint !== undefined;
    },
    subscribe: (url) => topic.subscribe(url),
    sign: (message, changed) => topic.sign(message, changed),
    post: (url, body) => topic.post(url, body),
    rotateCertificate: () => topic.rotateCertificate(),
  });
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
