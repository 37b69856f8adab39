import {
  functionRule,
  isOrigin,
  lazyRules,
  optionsOf,
  readOptionsBy,
  tested,
  textOf,
  urlRule,
} from '../../core/option-rules.js';
import { numberRule } from '../provider.js';

/** A token of Microsoft Entra, as the credentials of `@azure/identity` return it. */
export interface AzureToken {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresOnTimestamp: number;
}

/** How we prove to Azure who we are. */
export type AzureCredential =
  | {
      /** An access key of the resource, in base64. */
      readonly accessKey: string;
      readonly credential?: undefined;
    }
  | {
      /**
       * Returns a token of Microsoft Entra for the scope `https://communication.azure.com/.default`. A message waits 700 ms for it;
       * after 10 s, the next message calls the function again. The channel keeps the token until two minutes before its end. If no
       * new one comes, it uses the old one until its end. It does not keep a token whose end is not a finite number.
       */
      readonly credential: () => Promise<AzureToken | null>;
      readonly accessKey?: undefined;
    };

/** What `azureSms` takes. */
export type AzureSmsOptions = AzureCredential & {
  /** The endpoint of the Communication Services resource, such as `https://acme.communication.azure.com`. */
  readonly endpoint: string;
  /** The sender: a number of the resource (E.164), a short code, or a name of 1 to 11 characters. */
  readonly from: string;
  /**
   * Proves the delivery reports of Event Grid: the value of `secret` in the query of the webhook's URL. Two secrets while it
   * changes. At least 16 letters, digits, `.`, `_`, `~` and `-`. Without it, no reports come in.
   */
  readonly reportSecret?: string | readonly string[] | undefined;
  /** The version of Azure's API. Default `2026-01-23`. */
  readonly apiVersion?: string | undefined;
  /** In place of `endpoint`, for the requests and their signature, e.g. an emulator. `https`, or `http` on loopback. */
  readonly baseUrl?: string | undefined;
};

/** The options with their defaults. */
export type AzureSettings = AzureSmsOptions & { readonly apiVersion: string };

const ONE_CREDENTIAL = 'give accessKey or credential: one of the two';
const ENDPOINT = "the resource's endpoint, such as https://acme.communication.azure.com";

const RULES = lazyRules(() =>
  optionsOf<AzureSettings>('an object', {
    endpoint: urlRule(ENDPOINT, isOrigin).required(),
    accessKey: tested(
      "an access key of the resource: base64, without 'endpoint=' and 'accesskey='",
      isAccessKey,
    ),
    credential: functionRule('a function () => a promise of { token, expiresOnTimestamp }'),
    from: numberRule(
      'a phone number in E.164 form, a short code, or a name of 1 to 11 letters, digits and spaces with a letter',
      /^(?:\d{3,8}|(?=.*[A-Za-z])(?! )[A-Za-z0-9 ]{1,11}(?<! ))$/,
    ).required(),
    reportSecret: tested(
      "a secret of at least 16 letters, digits, '.', '_', '~' and '-', or a list of one or two, or be left out",
      areSecrets,
    ),
    apiVersion: textOf("a version of Azure's API such as '2026-01-23', or be left out")
      .pattern(/^\d{4}-\d{2}-\d{2}(-[a-z\d]+)?$/)
      .default('2026-01-23'),
    baseUrl: urlRule(
      'an origin without a path, such as https://acme.communication.azure.com',
      isOrigin,
      ', or be left out',
    ),
  })
    .xor('accessKey', 'credential')
    .messages({ 'object.missing': ONE_CREDENTIAL, 'object.xor': ONE_CREDENTIAL }),
);

/** @throws ConfigurationError that names every problem of the options and its remedy, and no value. */
export function readAzureOptions(options: unknown, factory: string): AzureSettings {
  return readOptionsBy(RULES(), options, factory);
}

/** Whether a key could be Azure's. A connection string is a usual slip. */
function isAccessKey(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Za-z\d+/]+={0,2}$/.test(value) && value.length % 4 === 0;
}

function areSecrets(value: unknown): boolean {
  const secrets: readonly unknown[] = Array.isArray(value) ? value : [value];
  const areFine = secrets.every((one) => typeof one === 'string' && /^[\w.~-]{16,256}$/.test(one));
  return areFine && (secrets.length === 1 || secrets.length === 2);
}
