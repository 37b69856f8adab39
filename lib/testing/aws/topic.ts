import { randomUUID, sign } from 'node:crypto';
import { parseJson, textFieldOf } from '../../core/json.js';
import type { EmulatedServer } from '../server/emulated-server.js';
import { randomSid } from '../server/random-ids.js';
import { jsonReply, type Answer, type Reply } from '../server/reply.js';
import { pathOf, queryOf } from '../server/request.js';
import { selfSigned, type SelfSigned } from './certificate.js';

/** The fields of a message of SNS that may be changed before it is signed. */
export type SnsFields = Readonly<Record<string, string>>;

const CONFIRMATION = ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
const NOTIFICATION = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'];

/** Making a key takes a fifth of a second: the emulators of a process share their certificates. */
const CERTIFICATES: SelfSigned[] = [];

/** A topic of SNS with one subscription. */
export class SnsTopic {
  readonly #topicArn: string;
  readonly #server: EmulatedServer;
  readonly #tokens = new Map<string, string>();
  readonly #files: string[] = [certificateFile()];
  #endpoint: string | undefined;

  constructor(server: EmulatedServer, topicArn: string) {
    this.#server = server;
    this.#topicArn = topicArn;
  }

  /** Where the topic sends its notifications; `undefined` until the subscription is confirmed. */
  get endpoint(): string | undefined {
    return this.#endpoint;
  }

  rotateCertificate(): void {
    this.#files.push(certificateFile());
  }

  /** A message as SNS posts it. The fields replace those of a notification, and are signed. */
  sign(message: unknown, changed: SnsFields = {}): string {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    const fields: Record<string, string> = {
      Type: 'Notification',
      MessageId: randomUUID(),
      TopicArn: this.#topicArn,
      Message: text,
      Timestamp: new Date(this.#server.clock()).toISOString(),
      SignatureVersion: '2',
      SigningCertURL: this.#server.origin + (this.#files.at(-1) ?? ''),
      ...changed,
    };
    const names = fields['Type'] === 'Notification' ? NOTIFICATION : CONFIRMATION;
    const signed = names.map((name) => (name in fields ? `${name}\n${fields[name]}\n` : '')).join('');
    const algorithm = fields['SignatureVersion'] === '2' ? 'RSA-SHA256' : 'RSA-SHA1';
    const { privateKey } = this.#certificate(this.#files.length - 1);
    const signature = sign(algorithm, Buffer.from(signed), privateKey).toString('base64');
    return JSON.stringify({ ...fields, Signature: signature });
  }

  async post(url: string, body: string): Promise<number | undefined> {
    const headers = {
      'content-type': 'text/plain; charset=UTF-8',
      'user-agent': 'Amazon Simple Notification Service Agent',
      'x-amz-sns-message-type': textFieldOf(parseJson(body), 'Type') ?? '',
      'x-amz-sns-topic-arn': this.#topicArn,
    };
    return (await this.#server.outbound.call({ method: 'POST', url, headers, body })).status;
  }

  /** Subscribes a URL, which must confirm it. */
  subscribe(url: string): Promise<number | undefined> {
    const token = randomSid('');
    this.#tokens.set(token, url);
    const query = { Action: 'ConfirmSubscription', TopicArn: this.#topicArn, Token: token };
    const SubscribeURL = `${this.#server.origin}/?${new URLSearchParams(query).toString()}`;
    const fields = { Type: 'SubscriptionConfirmation', Token: token, SubscribeURL };
    return this.post(url, this.sign('Visit the SubscribeURL to confirm the subscription.', fields));
  }

  readonly confirm: Answer = (request): Reply => {
    const query = queryOf(request);
    const url = this.#tokens.get(query.get('Token') ?? '');
    const isForTopic =
      query.get('Action') === 'ConfirmSubscription' && query.get('TopicArn') === this.#topicArn;
    if (url === undefined || !isForTopic) return jsonReply(400, { Error: { Code: 'InvalidParameter' } });
    return { ...jsonReply(200, {}), commit: () => (this.#endpoint = url) };
  };

  /** The certificates, also those of before. */
  readonly certificate: Answer = (request): Reply => {
    const index = this.#files.indexOf(pathOf(request));
    if (index < 0) return jsonReply(404, { Error: { Code: 'NotFound' } });
    return { status: 200, body: this.#certificate(index).pem };
  };

  #certificate(index: number): SelfSigned {
    return (CERTIFICATES[index] ??= selfSigned('sns.amazonaws.com'));
  }
}

const certificateFile = (): string => `/SimpleNotificationService-${randomSid('')}.pem`;
