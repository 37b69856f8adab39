import type Joi from 'joi';
import { DLT_ID } from '../channels/dlt.js';
import { secretRule, serviceSidRule } from '../channels/provider.js';
import { TEMPLATE_LANGUAGE, TEMPLATE_NAME } from '../channels/whatsapp-template.js';
import { oneOf, textOf, urlRule } from '../core/option-rules.js';
import { decodeUrlPart } from '../state/redis/options.js';
import {
  accountSid,
  apiKeySecret,
  apiKeySid,
  apiToken,
  headerSecret,
  oneAuthToken,
  orgUrl,
  servicePrivateKey,
  twilioBaseUrl,
} from './credentials.js';
import { DEFAULT_LIST } from './channel-lists.js';
import { attributeName, publicUrl } from './schema.js';
import { contentSid, countriesOrAll, countriesRule, fallbackSender, phone, smsSender } from './senders.js';

/** The environment as one table. `optionsFrom`, the command line and the reference of the variables read it. */

/** What the hook knows of a variable. The comment of its row goes into the reference. */
export interface Variable {
  /**
   * The option that gets the value: of `oktaTelephonyHook`, or of the function that the path begins with. Without one, only the
   * command line reads the variable.
   */
  readonly option?: string;
  /** Default: any text. An empty value counts as absent. The function that gets the value may have its own rule. */
  readonly rule?: () => Joi.AnySchema;
  /** The parts of the value that the command line never shows. */
  readonly secretsIn?: (value: string) => readonly string[];
  /** The value may have several lines. */
  readonly isPem?: true;
  /** The channel that the value is a sender of: one of these variables is enough for a gateway. */
  readonly sends?: string;
  /** The provider then pushes to `PUBLIC_URL`, which makes an option also without Twilio. */
  readonly receives?: true;
}

const whole = (value: string): readonly string[] => [value];
/** Values with commas between them, such as a secret and the next one. */
export const listIn = (value: string): readonly string[] => value.split(',').map((one) => one.trim());

function passwordOf(value: string): readonly string[] {
  if (!URL.canParse(value)) return [value];
  const { password } = new URL(value);
  return [value, password, decodeUrlPart(password) ?? ''];
}

const VERIFY_CHANNELS = /^(?:sms|voice|whatsapp)(?:,(?:sms|voice|whatsapp))*$/;
const verifyChannels = (): Joi.AnySchema =>
  textOf('sms, voice or whatsapp, or several with commas between them').pattern(VERIFY_CHANNELS);
const awsKey = (): Joi.AnySchema => secretRule("a part of AWS's keys");
const dltId = (): Joi.AnySchema => textOf('an id of DLT, without spaces').pattern(DLT_ID);
const templateName = (): Joi.AnySchema =>
  textOf('the name of an approved authentication template').pattern(TEMPLATE_NAME);
const templateLanguage = (): Joi.AnySchema =>
  textOf("the template's language as WhatsApp writes it, such as en_US").pattern(TEMPLATE_LANGUAGE);
const maxScore = (): Joi.AnySchema => textOf('a whole number from 0 to 100').pattern(/^(?:\d{1,2}|100)$/);
const learnMode = (): Joi.AnySchema => oneOf('record or enforce', 'record', 'enforce');
const NAMES = '(?:twilio|verify|vonage|azure|aws|meta)';
const LIST = `${NAMES}(?:,${NAMES})*`;
const PROVIDER_LISTS = new RegExp(`^${LIST}(?:/[A-Za-z]{2}:${LIST})*$`);
/** The list for all countries, then those of single ones: `twilio/IN:aws,twilio`. */
export function readProviderLists(value: string): ReadonlyMap<string, readonly string[]> | undefined {
  if (!PROVIDER_LISTS.test(value)) return undefined;
  const [all = '', ...others] = value.split('/');
  const byCountry = others.map((text) => [text.slice(0, 2), text.slice(3).split(',')] as const);
  const lists = new Map<string, readonly string[]>([[DEFAULT_LIST, all.split(',')], ...byCountry]);
  return lists.size === byCountry.length + 1 ? lists : undefined;
}
const providerLists = (): Joi.AnySchema =>
  countriesRule(
    'names of twilio, verify, vonage, azure, aws and meta with commas between them, then lists for ISO 3166 countries, each once, such as twilio/IN:aws,twilio',
    (value) => {
      const lists = typeof value === 'string' ? readProviderLists(value) : undefined;
      return lists && [...lists.keys()].filter((name) => name !== DEFAULT_LIST);
    },
  );
const yesOrNo = (): Joi.AnySchema => oneOf('true or false', 'true', 'false');
const issuer = (): Joi.AnySchema =>
  urlRule("the issuer of the hook's access tokens", (url) => url.search === '');
const hookKeyId = (): Joi.AnySchema =>
  textOf("the id of a hook key of Okta's: 'HKY' and 17 characters").pattern(/^HKY/);
const tokenUrl = (): Joi.AnySchema => urlRule('where Okta gets the tokens for the hook', () => true);

const TABLE = {
  /** The org's origin, such as `https://acme.okta.com`. */
  OKTA_ORG_URL: { option: 'credentials.okta.orgUrl', rule: orgUrl },
  /** An API token of an administrator who may read users. */
  OKTA_API_TOKEN: { option: 'credentials.okta.apiToken', rule: apiToken, secretsIn: whole },
  /** The client id of a service app, instead of an API token. It needs `OKTA_PRIVATE_KEY`. */
  OKTA_CLIENT_ID: { option: 'credentials.okta.clientId' },
  /** The private key of the service app, a PEM or a JWK. */
  OKTA_PRIVATE_KEY: {
    option: 'credentials.okta.privateKey',
    rule: servicePrivateKey,
    secretsIn: whole,
    isPem: true,
  },
  /** The id of that key at Okta, if it has one. */
  OKTA_KEY_ID: { option: 'credentials.okta.keyId' },
  /** The whole value of the header `Authorization`. With `HOOK_OAUTH_ISSUER`, it is for the event hook only. */
  HOOK_SECRET: { option: 'credentials.hook.secrets[0]', rule: headerSecret, secretsIn: whole },
  /** A second secret that the gateway accepts while you rotate it. */
  HOOK_SECRET_PREVIOUS: { option: 'credentials.hook.secrets[1]', rule: headerSecret, secretsIn: whole },
  /** The issuer of Okta's access tokens, instead of a secret. The scheme is then `oauth2`. */
  HOOK_OAUTH_ISSUER: { option: 'credentials.hook.issuer', rule: issuer },
  /** The audience of those tokens. */
  HOOK_OAUTH_AUDIENCE: { option: 'credentials.hook.audience' },
  /** The client id that Okta uses to get those tokens. */
  HOOK_OAUTH_CLIENT_ID: { option: 'credentials.hook.clientId' },
  /** The scope of those tokens. */
  HOOK_OAUTH_SCOPE: { option: 'credentials.hook.scope' },
  /** The account, `AC…`. */
  TWILIO_ACCOUNT_SID: { option: 'credentials.twilio.accountSid', rule: accountSid },
  /** An API key, `SK…`. It needs `TWILIO_API_KEY_SECRET`. */
  TWILIO_API_KEY_SID: { option: 'credentials.twilio.apiKeySid', rule: apiKeySid },
  /** The secret of that API key. */
  TWILIO_API_KEY_SECRET: {
    option: 'credentials.twilio.apiKeySecret',
    rule: apiKeySecret,
    secretsIn: whole,
  },
  /** The account's auth token. Beside an API key, it only checks callbacks, and only `PUBLIC_URL` needs it. */
  TWILIO_AUTH_TOKEN: { option: 'credentials.twilio.authToken', rule: oneAuthToken, secretsIn: whole },
  /** One origin for every Twilio product, such as an emulator. */
  TWILIO_BASE_URL: { option: 'credentials.twilio.baseUrl', rule: twilioBaseUrl },
  /** The number of Twilio's WhatsApp sandbox. */
  TWILIO_SANDBOX_NUMBER: { option: 'sandboxNumber', rule: phone, sends: 'whatsapp' },
  /** An approved WhatsApp sender. It needs `TWILIO_WHATSAPP_TEMPLATE`. */
  TWILIO_WHATSAPP_FROM: { option: 'senders.whatsapp.from', rule: phone, sends: 'whatsapp' },
  /** Its authentication template, `HX…`. */
  TWILIO_WHATSAPP_TEMPLATE: {
    option: 'senders.whatsapp.templates.default',
    rule: contentSid,
    sends: 'whatsapp',
  },
  /** A number, a Messaging Service or an alphanumeric sender. */
  TWILIO_SMS_FROM: { option: 'senders.sms', rule: smsSender, sends: 'sms' },
  /** The sender of the SMS to phones without RCS. It needs a Messaging Service in `TWILIO_SMS_FROM`. */
  TWILIO_SMS_FALLBACK_FROM: { option: 'senders.sms.fallbackFrom', rule: fallbackSender },
  /** A number that calls. */
  TWILIO_VOICE_FROM: { option: 'senders.voice', rule: phone, sends: 'voice' },
  /** `discard`: Twilio does not keep texts. The account needs Message Redaction. */
  TWILIO_CONTENT_RETENTION: {
    option: 'twilio.contentRetention',
    rule: () => oneOf('discard, or be left out', 'discard'),
  },
  /** `obfuscate`: Twilio does not keep the end of a number. The account needs Message Redaction. */
  TWILIO_ADDRESS_RETENTION: {
    option: 'twilio.addressRetention',
    rule: () => oneOf('obfuscate, or be left out', 'obfuscate'),
  },
  /** `false`: the Messaging Service decides whether characters outside GSM-7 are replaced. */
  TWILIO_SMART_ENCODING: { option: 'twilio.smartEncoding', rule: yesOrNo },
  /** `false`: Verify gets no IP addresses of users. */
  TWILIO_DEVICE_IP: { option: 'twilio.deviceIp', rule: yesOrNo },
  /** A Verify service, `VA…`. */
  TWILIO_VERIFY_SERVICE_SID: { option: 'twilioVerify.serviceSid', rule: serviceSidRule, sends: 'sms' },
  /** The channels that Verify sends, such as `sms,voice`, which is the default. */
  TWILIO_VERIFY_CHANNELS: { option: 'channels', rule: verifyChannels },
  /** 0 to 100: `guard.assess` is then a `twilioLookup` with this `maxScore`. Twilio bills each lookup. */
  TWILIO_LOOKUP_MAX_SCORE: { option: 'twilioLookup.maxScore', rule: maxScore },
  /** The key of a Vonage account. It needs `VONAGE_API_SECRET`. */
  VONAGE_API_KEY: { option: 'vonageChannel.apiKey' },
  /** The secret of that account. */
  VONAGE_API_SECRET: { option: 'vonageChannel.apiSecret', secretsIn: whole },
  /** A Vonage application, instead of the account's key. It needs `VONAGE_PRIVATE_KEY`. */
  VONAGE_APPLICATION_ID: { option: 'vonageChannel.applicationId' },
  /** The private key of that application. */
  VONAGE_PRIVATE_KEY: { option: 'vonageChannel.privateKey', secretsIn: whole, isPem: true },
  /** A sender of SMS: `channels.sms` is then a `vonageChannel`. */
  VONAGE_SMS_FROM: { option: 'vonageChannel.from', sends: 'sms' },
  /** A sender of WhatsApp: `channels.whatsapp` is then a `vonageChannel`. */
  VONAGE_WHATSAPP_FROM: { option: 'vonageChannel.from', sends: 'whatsapp' },
  /** The name of the approved WhatsApp template. */
  VONAGE_WHATSAPP_TEMPLATE: { option: 'vonageChannel.template.name', rule: templateName },
  /** The language of that template. The default is `en_US`. */
  VONAGE_WHATSAPP_LANGUAGE: { option: 'vonageChannel.template.languages.default', rule: templateLanguage },
  /** The number of a Vonage application that calls: `channels.voice` is then a `vonageVoice`. */
  VONAGE_VOICE_FROM: { option: 'vonageVoice.from', sends: 'voice' },
  /** Proves Vonage's webhooks; while you rotate it: `current,next`. It needs `PUBLIC_URL`. */
  VONAGE_SIGNATURE_SECRET: { option: 'vonageChannel.signatureSecret', secretsIn: listIn, receives: true },
  /** The id of your organisation at India's DLT, for SMS to India. */
  VONAGE_DLT_ENTITY_ID: { option: 'vonageChannel.dlt.entityId', rule: dltId },
  /** The id of the text at DLT. */
  VONAGE_DLT_CONTENT_ID: { option: 'vonageChannel.dlt.contentId', rule: dltId },
  /** Another host of Vonage's API. */
  VONAGE_BASE_URL: { option: 'vonageChannel.baseUrl' },
  /** The endpoint of an Azure Communication Services resource, such as `https://acme.communication.azure.com`. */
  AZURE_SMS_ENDPOINT: { option: 'azureSms.endpoint' },
  /** An access key of that resource. */
  AZURE_SMS_ACCESS_KEY: { option: 'azureSms.accessKey', secretsIn: whole },
  /** A sender of SMS: `channels.sms` is then an `azureSms`. */
  AZURE_SMS_FROM: { option: 'azureSms.from', sends: 'sms' },
  /** The secret in the URL of Event Grid's webhook, or two with a comma between them. It needs `PUBLIC_URL`. */
  AZURE_SMS_REPORT_SECRET: { option: 'azureSms.reportSecret', secretsIn: listIn, receives: true },
  /** Another origin of Azure's API. */
  AZURE_SMS_BASE_URL: { option: 'azureSms.baseUrl' },
  /** The id of a number in Meta's WhatsApp Manager: `channels.whatsapp` is then a `whatsAppCloud`. It needs `PUBLIC_URL`. */
  META_PHONE_NUMBER_ID: { option: 'whatsAppCloud.phoneNumberId', sends: 'whatsapp' },
  /** A token of a system user at Meta. */
  META_ACCESS_TOKEN: { option: 'whatsAppCloud.accessToken', secretsIn: whole },
  /** The secret of Meta's app; while you rotate it: `current,next`. */
  META_APP_SECRET: { option: 'whatsAppCloud.appSecret', secretsIn: listIn, receives: true },
  /** The verify token that you enter in the app's webhook settings. */
  META_VERIFY_TOKEN: { option: 'whatsAppCloud.verifyToken', secretsIn: whole },
  /** The name of the approved WhatsApp template at Meta. */
  META_TEMPLATE: { option: 'whatsAppCloud.templates.name', rule: templateName },
  /** The language of that template. The default is `en_US`. */
  META_TEMPLATE_LANGUAGE: { option: 'whatsAppCloud.templates.languages.default', rule: templateLanguage },
  /** The version of Meta's Graph API. The default is `v25.0`. */
  META_API_VERSION: { option: 'whatsAppCloud.apiVersion' },
  /** Another origin of Meta's API. */
  META_BASE_URL: { option: 'whatsAppCloud.baseUrl' },
  /** The sender of SMS: a number, a sender id or a pool. `channels.sms` is then an `awsSms`. */
  AWS_SMS_ORIGINATION_IDENTITY: { option: 'awsSms.originationIdentity', sends: 'sms' },
  /** A configuration set of AWS End User Messaging. */
  AWS_SMS_CONFIGURATION_SET: { option: 'awsSms.configurationSet' },
  /** The SNS topic with the events of messages. It needs `PUBLIC_URL`. */
  AWS_SMS_TOPIC_ARN: { option: 'awsSms.topicArn', receives: true },
  /** The highest price of a message in US dollars, such as `0.05`. */
  AWS_SMS_MAX_PRICE: { option: 'awsSms.maxPrice' },
  /** Your organisation's id at DLT, for SMS to India. */
  AWS_SMS_DLT_ENTITY_ID: { option: 'awsSms.dlt.entityId', rule: dltId },
  /** The id of the text at DLT. It needs `AWS_SMS_DLT_ENTITY_ID`. */
  AWS_SMS_DLT_CONTENT_ID: { option: 'awsSms.dlt.contentId', rule: dltId },
  /** `true` with an event hook that reports used codes: AWS then expects feedback. The default is `false`. */
  AWS_SMS_FEEDBACK: { option: 'awsSms.feedback', rule: yesOrNo },
  /** Another origin of AWS's API. */
  AWS_SMS_BASE_URL: { option: 'awsSms.baseUrl' },
  /** The AWS Region of `AWS_SMS_ORIGINATION_IDENTITY`. Without this sender, the hook reads no variable of AWS. */
  AWS_REGION: { option: 'awsSms.region' },
  /** The id of a key of AWS. A container with a role needs code: `credentials` may be a function. */
  AWS_ACCESS_KEY_ID: { option: 'awsSms.credentials.accessKeyId', rule: awsKey },
  /** The secret of that key. */
  AWS_SECRET_ACCESS_KEY: { option: 'awsSms.credentials.secretAccessKey', rule: awsKey, secretsIn: whole },
  /** The session token of a temporary key. */
  AWS_SESSION_TOKEN: { option: 'awsSms.credentials.sessionToken', rule: awsKey, secretsIn: whole },
  /** A long-lived token of a LINE Official Account: `channels.line` is then a `lineChannel`. */
  LINE_CHANNEL_ACCESS_TOKEN: { option: 'lineChannel.channelAccessToken', secretsIn: whole, sends: 'line' },
  /** The profile attribute with the LINE user id. The default is `lineUserId`. */
  LINE_USER_ID_ATTRIBUTE: { option: 'lineChannel.userIdAttribute' },
  /** Another origin of LINE's API. */
  LINE_BASE_URL: { option: 'lineChannel.baseUrl' },
  /** The providers of SMS in their order, then lists for countries: `twilio/IN:aws,twilio`. Default: all that have a sender. */
  SMS_PROVIDERS: { option: 'channels.sms', rule: providerLists },
  /** The same for calls. */
  VOICE_PROVIDERS: { option: 'channels.voice', rule: providerLists },
  /** The same for WhatsApp. */
  WHATSAPP_PROVIDERS: { option: 'channels.whatsapp', rule: providerLists },
  /** The countries that get codes, such as `DE,AT`. `*` means every country. */
  GUARD_COUNTRIES: { option: 'guard.countries.allow', rule: countriesOrAll },
  /** `record` or `enforce`: the guard learns from used codes. It needs Okta's event hook. The default is off. */
  GUARD_LEARN: { option: 'guard.learn.mode', rule: learnMode },
  /** `false`: a code that a user requests again goes by the same route. The default is `true`. */
  RESEND_NEXT_ROUTE: { option: 'resend.nextRoute', rule: yesOrNo },
  /** The profile attribute with the user's choice. */
  OPT_IN_ATTRIBUTE: { option: 'optInAttribute', rule: attributeName },
  /** The middleware's public URL, as entered in Okta. It makes an option if Twilio, or a provider whose reports are set up, needs it. */
  PUBLIC_URL: { option: 'publicUrl', rule: publicUrl },
  /** The Redis that several gateways share. It needs `STATE_ENCRYPTION_KEY`. */
  REDIS_URL: { option: 'redisState.connection', secretsIn: passwordOf },
  /** 32 bytes in Base64. While you rotate the key: `new,old`. */
  STATE_ENCRYPTION_KEY: { option: 'redisState.encryptionKeys', secretsIn: listIn },
  /** The secret of the client at the authorization server, for `setup hook`, `doctor` and `preview`. */
  HOOK_OAUTH_CLIENT_SECRET: { rule: headerSecret, secretsIn: whole },
  /** The id of a hook key, `HKY…`, instead of that secret, for `setup hook`. */
  HOOK_OAUTH_KEY_ID: { rule: hookKeyId },
  /** The URL at which Okta gets the tokens. The default is the issuer + `/v1/token`. */
  HOOK_OAUTH_TOKEN_URL: { rule: tokenUrl },
  /** `profile.unverifiedPhoneAttribute` of the gateway, which `doctor` then checks. */
  UNVERIFIED_PHONE_ATTRIBUTE: { rule: attributeName },
} satisfies Record<string, Variable>;

/** A variable of the table. */
export type VariableName = keyof typeof TABLE;

export const VARIABLES: Readonly<Record<VariableName, Variable>> = TABLE;

/** The names of the rows that a test holds for, in the order of the table. */
export const variablesWhere = (isWanted: (row: Variable, name: string) => boolean): readonly VariableName[] =>
  (Object.keys(VARIABLES) as VariableName[]).filter((name) => isWanted(VARIABLES[name], name));

/** The variables that options come from. */
export const OPTION_NAMES = variablesWhere(({ option }) => option !== undefined);
