import { isObject } from '../../core/json.js';
import {
  isOrigin,
  lazyRules,
  LOOPBACK,
  optionsOf,
  readOptionsBy,
  tested,
  textOf,
  urlRule,
} from '../../core/option-rules.js';
import { dltRule } from '../dlt-rule.js';
import type { Dlt } from '../dlt.js';

/** Keys of AWS. Temporary keys have a session token and an expiration. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** When temporary keys expire. Default: never. */
  readonly expiration?: Date | undefined;
}

/**
 * Gets keys of AWS, such as `fromNodeProviderChain()` of `@aws-sdk/credential-providers`. The channel keeps them until five
 * minutes before they expire, or for five minutes if they have no expiration.
 */
export type AwsCredentialProvider = () => Promise<AwsCredentials>;

/** The options of `awsSms`. */
export interface AwsSmsOptions {
  /** The AWS Region of the sender, such as `eu-central-1`. */
  readonly region: string;
  /** The sender: a number, a sender id, a pool or an RCS agent, by its id or its ARN. */
  readonly originationIdentity: string;
  /** The name or the ARN of a configuration set. Without one, AWS reports nothing about messages. */
  readonly configurationSet?: string | undefined;
  /** Keys that may call `sms-voice:SendTextMessage`, and `sms-voice:PutMessageFeedback` for `feedback`; or a function that gets them. */
  readonly credentials: AwsCredentials | AwsCredentialProvider;
  /** The SNS topic that the configuration set reports to. Without it, the channel receives no reports. */
  readonly topicArn?: string | undefined;
  /** The highest price of a message in US dollars, such as `0.05`. AWS refuses a dearer one. Default: no limit. */
  readonly maxPrice?: number | string | undefined;
  /** The ids that messages to India need. Default: none. */
  readonly dlt?: Dlt | undefined;
  /**
   * Whether AWS expects feedback, which the hook gives when a code is used. Set `true` only with an event hook that reports used
   * codes: AWS counts a message without feedback as failed after an hour. Default `false`.
   */
  readonly feedback?: boolean | undefined;
  /** In place of `https://sms-voice.<region>.amazonaws.com`, e.g. a VPC endpoint or an emulator. `https`, or `http` on loopback. */
  readonly baseUrl?: string | undefined;
}

/** The options with their defaults, and the price as AWS has it. */
export interface AwsSmsSettings extends Omit<AwsSmsOptions, 'maxPrice'> {
  readonly maxPrice?: string | undefined;
  readonly feedback: boolean;
  readonly baseUrl: string;
}

const AWS_REGION = /^[a-z]{2,5}(?:-[a-z]+)+-\d{1,2}$/;
const TOPIC_ARN = /^arn:aws[a-z-]{0,20}:sns:[a-z0-9-]{3,30}:\d{12}:[\w-]{1,256}(?:\.fifo)?$/;
/** SendTextMessage, `MaxPrice`. */
const MAX_PRICE = /^\d{0,2}\.\d{1,5}$/;
/** SendTextMessage, `OriginationIdentity` and `ConfigurationSetName`. */
const IDENTITY = /^[\w:/+-]{1,256}$/;
const CONFIGURATION_SET = /^[\w:/-]{1,256}$/;

/** What a header can carry: visible characters. */
const VISIBLE = /^[\x21-\x7e]{1,8192}$/;
const isVisible = (value: unknown): boolean => typeof value === 'string' && VISIBLE.test(value);

/** Whether a value has the form of keys. A function of the user may return anything. */
export function isCredentials(value: unknown): value is AwsCredentials {
  if (!isObject(value)) return false;
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = value;
  return (
    isVisible(accessKeyId) &&
    isVisible(secretAccessKey) &&
    (sessionToken === undefined || isVisible(sessionToken)) &&
    (expiration === undefined || (expiration instanceof Date && Number.isFinite(expiration.getTime())))
  );
}

const CREDENTIALS =
  'an object with accessKeyId, secretAccessKey and for temporary keys sessionToken, or a function that resolves to one';

const RULES = lazyRules(() =>
  optionsOf<AwsSmsSettings>('an object', {
    region: textOf('an AWS Region, such as eu-central-1').pattern(AWS_REGION).required(),
    originationIdentity: textOf('the sender: a number, a sender id or a pool, by its id or its ARN')
      .pattern(IDENTITY)
      .required(),
    configurationSet: textOf('the name or the ARN of a configuration set, or be left out').pattern(
      CONFIGURATION_SET,
    ),
    credentials: tested(
      CREDENTIALS,
      (value) => typeof value === 'function' || isCredentials(value),
    ).required(),
    topicArn: textOf('the ARN of an SNS topic, or be left out').pattern(TOPIC_ARN),
    maxPrice: tested(
      'a price in US dollars from 0.00001 to 99.99999, such as 0.05, or be left out',
      (value) => priceOf(value) !== undefined,
    ).custom(priceOf),
    dlt: dltRule(),
    feedback: tested('true or false, or be left out', (value) => typeof value === 'boolean').default(false),
    baseUrl: urlRule(
      'an origin without a path, such as https://sms-voice.eu-central-1.amazonaws.com',
      isOrigin,
      ', or be left out',
    ).default(({ region }: AwsSmsOptions) => `https://sms-voice.${region}.amazonaws.com`),
  }),
);

/** @throws ConfigurationError that names every problem of the options and its remedy, and no value. */
export function readAwsSmsOptions(options: AwsSmsOptions, factory: string): AwsSmsSettings {
  return readOptionsBy(RULES(), options, factory);
}

/** A price as AWS has it; `undefined` if it has none. */
function priceOf(value: unknown): string | undefined {
  const isInRange = typeof value === 'number' && value >= 0.00001 && value <= 99.99999;
  const text = isInRange ? value.toFixed(5) : value;
  return typeof text === 'string' && MAX_PRICE.test(text) && Number(text) > 0 ? text : undefined;
}

/** Whether an origin is an emulator's on this machine. Only such an origin may sign in place of Amazon SNS. */
export const isLoopback = (url: string): boolean => LOOPBACK.test(new URL(url).hostname);
