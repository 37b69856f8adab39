// A strict TypeScript consumer. package.test.ts compiles it against the packed declarations and never runs it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  ConfigurationError,
  memoryState,
  OktaApiError,
  oktaClient,
  oktaTelephonyHook,
  outcomeOf,
  ProviderError,
  TelephonyHookError,
  twilioCalls,
  twilioMessages,
  twilioLookup,
  twilioVerify,
  type AnswerReader,
  type AttemptReport,
  type CallbackAnswer,
  type CallbackReceiver,
  type CallbackRequest,
  type Channel,
  type ChannelList,
  type ChannelsByCountry,
  type ChannelParts,
  type ConnectedChannel,
  type Assess,
  type AssessContext,
  type Assessment,
  type ChooseChannels,
  type ComposeText,
  type ConsoleOptions,
  type EventHookCredential,
  type GuardOptions,
  type DeliveryReport,
  type HookCredential,
  type InboundOptions,
  type InboundMessage as UserMessage,
  type InboundReply,
  type HookEvent,
  type HookEventFields,
  type HookEventOf,
  type HookEventType,
  type HookStatus,
  type HttpAnswer,
  type HttpDispatcher,
  type HttpRequest,
  type HttpResult,
  type Logger,
  type Message,
  type MetricsRegistry,
  type ConfigurationIssue,
  type ErrorCode,
  type OktaClient,
  type OktaCredential,
  type OktaTelephonyHookOptions,
  type Outcome,
  type PushedReport,
  type Readiness,
  type ReceivedMessage,
  type Refusal,
  type RefusalCause,
  type Rollout,
  type SendContext,
  type State,
  type TelephonyHook,
  type TelephonyRequest,
  type TextsOptions,
  type TwilioConnection,
  type TwilioCredential,
  type TwilioLookupOptions,
  type TwilioVerifyOptions,
  type UserProfile,
} from 'okta-telephony-hook';
import {
  awsSms,
  azureSms,
  lineChannel,
  relayChannel,
  whatsAppCloud,
  type WhatsAppCloudOptions,
  type WhatsAppTemplate,
  type AwsCredentialProvider,
  type AwsCredentials,
  type AwsSmsOptions,
  type AzureCredential,
  type AzureSmsOptions,
  type AzureToken,
  type Dlt,
  type RelayChannelOptions,
  vonageChannel,
  vonageVoice,
  type LineChannelOptions,
  type VonageApplication,
  type VonageChannelOptions,
  type VonageCredential,
  type VonageSignatureSecret,
  type VonageTemplate,
  type VonageVoiceOptions,
} from 'okta-telephony-hook/channels';
import {
  oktaCredentialFrom,
  OPTION_VARIABLES,
  optionsFrom,
  variablesFrom,
  type Environment,
} from 'okta-telephony-hook/environment';
import { redisState, type RedisClient, type RedisStateOptions } from 'okta-telephony-hook/redis';
import {
  createPhonesPage,
  startDemoOrg,
  type DemoHookOptions,
  type PhoneSource,
} from 'okta-telephony-hook/demo';
import {
  startAwsEmulator,
  startAzureEmulator,
  startMetaEmulator,
  startOktaEmulator,
  startTwilioEmulator,
  startVonageEmulator,
} from 'okta-telephony-hook/testing';

const header: HookCredential = { scheme: 'header', name: undefined, secrets: ['secret', 'the one before'] };
const basic: HookCredential = { scheme: 'basic', users: [{ username: 'okta', password: 'a:b' }] };
const oauth2: HookCredential = {
  scheme: 'oauth2',
  issuer: 'https://acme.okta.com/oauth2/default',
  audience: 'api://default',
  clientId: '0oa1',
  scope: 'telephony',
  jwksUri: undefined,
};
const eventHook: EventHookCredential = { scheme: 'basic', users: [{ username: 'okta', password: 'a:b' }] };
const byToken: OktaCredential = { orgUrl: 'https://acme.okta.com', apiToken: 'token' };
const byKey: OktaCredential = {
  orgUrl: 'https://acme.okta.com',
  clientId: '0oa2',
  privateKey: { kty: 'EC' },
  keyId: undefined,
};
const byApiKey: TwilioCredential = {
  accountSid: 'AC1',
  apiKeySid: 'SK1',
  apiKeySecret: 'secret',
  authToken: undefined,
  region: undefined,
  edge: undefined,
  baseUrl: undefined,
};
const byAuthToken: TwilioCredential = { accountSid: 'AC1', authToken: ['current', 'next'] };

const nested: Partial<OktaTelephonyHookOptions> = {
  senders: { sms: undefined, voice: undefined, whatsapp: undefined },
  profile: {
    timeoutMs: undefined,
    unverifiedPhoneAttribute: undefined,
    cache: { ttlSeconds: undefined, staleSeconds: undefined, max: undefined },
  },
  channels: { sms: undefined },
  texts: { sms: { default: undefined }, voice: undefined, webOtpDomain: undefined },
  lateFailover: { afterSeconds: { whatsapp: undefined } },
  inbound: {
    keywords: { stop: undefined, start: undefined, help: undefined },
    replies: { stop: undefined, start: undefined, help: undefined, other: false },
    onMessage: undefined,
  },
};
const inbound: InboundOptions = {
  onMessage: ({ channel, from, text, messageId, isHandled }: ReceivedMessage): InboundReply => ({
    text: [channel, from, text, messageId].join(),
    isStart: isHandled,
  }),
};
/** For types without an exported name. The exported type leads to them. */
type Options = OktaTelephonyHookOptions;
const sender: NonNullable<NonNullable<Options['senders']>['sms']> = {
  default: '+15005550006',
  GB: 'ACME',
  DE: { service: 'MG1', fallbackFrom: 'ACME' },
};

/** What a provider pushes. */
const receiver: CallbackReceiver = {
  methods: ['GET', 'POST'],
  handle: ({ method, url, query, headers, rawBody }: CallbackRequest, { http, signal }): CallbackAnswer => {
    const report: PushedReport = {
      status: 'failed',
      code: 'C1',
      reason: 'no',
      transactionId: query['id'],
      reference: undefined,
      providerStatus: undefined,
      to: undefined,
    };
    const message: UserMessage = {
      messageId: 'M1',
      text: rawBody.toString(),
      from: undefined,
      externalUserId: headers['x-user']?.toString(),
      isHandled: undefined,
    };
    const isProven = method === 'POST' && url !== '' && typeof http === 'function' && !signal.aborted;
    return isProven
      ? { status: 200, reports: [report], inbound: [message] }
      : { status: 401, body: undefined, contentType: undefined, reports: undefined, inbound: undefined };
  },
};
/** A channel that needs no parts of the hook. */
const ownChannel: Channel = {
  reports: undefined,
  confirm: undefined,
  idNamespace: undefined,
  receive: receiver,
  lookUp: (transactionId, { signal }): Promise<DeliveryReport> => {
    const moveOn: Refusal['moveOn'] = signal.aborted ? undefined : 'other-provider';
    const failure: DeliveryReport = { status: 'failed', code: 'C1', reason: 'no', moveOn };
    return Promise.resolve(transactionId === '' ? { status: 'pending' } : failure);
  },
  send: (message: Message, context: SendContext): Promise<Outcome> => {
    const { request, profile, to, text, locale, expiresAt } = message;
    const life: number = expiresAt.getTime() - Date.now();
    const attribute: unknown = profile?.['lineUserId'];
    const outcome: Outcome =
      context.signal.aborted || life < 0
        ? { status: 'unknown', reason: `${locale}${to}${request.eventId}` }
        : attribute === undefined
          ? {
              status: 'refused',
              code: '1',
              reason: 'no',
              moveOn: undefined,
              isFraudBlock: undefined,
              isNotReached: undefined,
              remedy: undefined,
            }
          : { status: 'accepted', transactionId: text };
    return Promise.resolve(outcome);
  },
  provider: undefined,
  host: undefined,
  usesText: undefined,
};
/** A channel that gets the parts of the hook by `connect`. */
const overTwilio: Channel = {
  send: () => Promise.reject(new Error('not connected')),
  connect: (parts: ChannelParts): ConnectedChannel => ({
    send: async (message, context) => {
      const { twilio, logger, clock, channel, dispatcher } = parts;
      logger.info('sends', { channel, at: clock(), dispatcher: typeof dispatcher.dispatch });
      if (twilio === undefined) return { status: 'unknown', reason: 'NO_TWILIO' };
      const byTwilio: Channel = twilioMessages();
      return typeof byTwilio === 'function'
        ? byTwilio(parts).send(message, context)
        : { status: 'unknown', reason: 'NO_CHANNEL' };
    },
  }),
};
/** A channel that is a function and calls its provider with the HTTP client of the hook. */
const overHttp: Channel = ({ channel }) => ({
  provider: channel,
  check: async ({ http }) => {
    const request: HttpRequest = {
      url: 'https://api.acme.example',
      method: 'GET',
      headers: { a: undefined },
    };
    const result: HttpResult = await http(request);
    if (result.kind !== 'answered') throw new Error(result.reason);
  },
  lookUp: (): Promise<DeliveryReport> =>
    Promise.resolve({ status: 'failed', code: '1', reason: 'no', cause: 'not-reached' }),
  send: async ({ to, text }, { http }) => {
    const form: HttpRequest['form'] = { to: [to], text, at: 1, no: undefined };
    const reader: AnswerReader = {
      provider: 'ACME',
      readSuccess: ({ headers, json, body }) =>
        typeof json === 'string' ? json : { status: 'accepted', transactionId: headers['id'] ?? body },
      readRefusal: ({ status }: HttpAnswer): Refusal => {
        const cause: RefusalCause | undefined = status === 429 ? 'busy' : undefined;
        return { status: 'refused', code: '1', reason: 'no', cause, hasLeft: undefined };
      },
    };
    return outcomeOf(await http({ url: 'https://api.acme.example', form }), reader);
  },
});
const port: Channel = twilioMessages();
const verifyOptions: TwilioVerifyOptions = { serviceSid: 'VA0', riskCheck: undefined };
const verify: Channel = twilioVerify(verifyOptions);
const lineOptions: LineChannelOptions = {
  channelAccessToken: 'token',
  userIdAttribute: undefined,
  baseUrl: undefined,
};
const line: Channel = lineChannel(lineOptions);
const credential: VonageCredential = { applicationId: 'app', privateKey: 'PEM', apiKey: undefined };
const template: VonageTemplate = { name: 'code', languages: { default: 'en_US', pt: 'pt_BR' } };
const application: VonageApplication = { applicationId: 'app', privateKey: 'PEM' };
const signatureSecret: VonageSignatureSecret = ['current', 'next'];
const awsKeys: AwsCredentials = { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: undefined };
const awsProvider: AwsCredentialProvider = () => Promise.resolve(awsKeys);
const awsOptions: AwsSmsOptions = {
  region: 'eu-central-1',
  originationIdentity: 'pool-1',
  configurationSet: undefined,
  credentials: awsProvider,
  topicArn: undefined,
  maxPrice: undefined,
  dlt: undefined,
  feedback: undefined,
  baseUrl: undefined,
};
export const aws: readonly Channel[] = [awsSms(awsOptions), awsSms({ ...awsOptions, credentials: awsKeys })];
const dlt: Dlt = { entityId: '1101', contentId: { default: '1107', hi: '1108' } };
const vonageOptions: VonageChannelOptions = { ...credential, from: '+1', kind: undefined, template, dlt };
const voiceOptions: VonageVoiceOptions = { ...application, from: '+1', signatureSecret, baseUrl: undefined };
const vonageVia: Channel = vonageChannel({ ...application, from: '+1', signatureSecret, dlt: undefined });
const vonage: Channel = vonageChannel(vonageOptions);
const azureToken: AzureToken = { token: 'token', expiresOnTimestamp: 1 };
const azureCredential: AzureCredential = {
  credential: () => Promise.resolve(azureToken),
  accessKey: undefined,
};
const azureOptions: AzureSmsOptions = {
  ...azureCredential,
  ...{ endpoint: 'https://acme.communication.azure.com', from: '+1', apiVersion: undefined },
  ...{ reportSecret: ['current-secret-123', 'next-secret-123456'], baseUrl: undefined },
};
const azure: Channel = azureSms(azureOptions);
const whatsAppTemplate: WhatsAppTemplate = template;
const cloudOptions: WhatsAppCloudOptions = {
  ...{ phoneNumberId: '106540352242922', accessToken: 'token', templates: whatsAppTemplate },
  ...{ appSecret: ['current', 'next'], verifyToken: 'token', apiVersion: undefined, baseUrl: undefined },
};
const cloud: Channel = whatsAppCloud(cloudOptions);
const relayOptions: RelayChannelOptions = {
  ...{ url: 'https://flow.example/invoke', headers: { authorization: 'secret' } },
  ...{ provider: undefined, refusals: undefined },
};
const relay: Channel = relayChannel(relayOptions);

const indian: ChannelList = [vonage, port];
const byCountry: ChannelsByCountry = { default: port, IN: indian, BR: undefined };
const literal: Options['channels'] = {
  sms: {
    // The types of its parts are known without a type beside them.
    default: { send: () => Promise.resolve({ status: 'accepted', transactionId: '1' }) },
    IN: [{ send: () => Promise.resolve({ status: 'refused', code: 'NO', reason: 'Busy', cause: 'busy' }) }],
  },
};

const chooseChannels: ChooseChannels = (request: TelephonyRequest, profile: UserProfile | undefined) =>
  profile?.['line'] === true && request.deliveryChannel === 'sms' ? ['line'] : [];
const composeText: ComposeText = (request, _profile, channel) => `${channel}: ${request.otpCode}`;
const logged: string[] = [];
const logger: Logger = console;
const log: Options['logger'] = (level, message, fields) =>
  logged.push(level, message, String(fields['event']));
/** Has the types of a `Registry` of prom-client. */
class Registry {
  registerMetric<Label extends string>(metric: { readonly name: string; get(): Promise<Label> }): void {
    logged.push(metric.name);
  }
  getSingleMetric(name: string): { readonly name: string } {
    return { name };
  }
  metrics(): Promise<string> {
    return Promise.resolve('');
  }
}
const metrics: MetricsRegistry = new Registry();
/** The consumer's Redis client. The package does not need its types. */
const client: RedisClient = { isCluster: false, duplicate: () => ({}) };
const redisOptions: RedisStateOptions = {
  connection: client,
  encryptionKeys: ['current', 'previous'],
  keyPrefix: undefined,
};
const redis: State = redisState(redisOptions);
// @ts-expect-error -- its members are internal.
export const internal: unknown = redis.close;
// @ts-expect-error -- only the package makes one.
export const ownState: State = { claim: () => undefined };
const answered: HookEventType = 'request.answered';
const outcomeField = ({
  outcome,
}: HookEventOf<'attempt.ended'>): HookEventFields['attempt.ended']['outcome'] => outcome;
void [answered, outcomeField];

const env: Environment = Object.fromEntries(OPTION_VARIABLES.map((name) => [name, undefined]));
export const fromEnvironment = (): OktaTelephonyHookOptions => ({
  ...optionsFrom(env),
  credentials: { ...optionsFrom(env).credentials, okta: oktaCredentialFrom(env, 'OKTA_PAGE_') },
});
export const { PORT }: { readonly PORT: string | undefined } = variablesFrom(env, ['PORT']);
const onEvent = (event: HookEvent): void => {
  if (event.type === 'attempt.ended') {
    const report: AttemptReport = event;
    logged.push(report.channel, report.code ?? 'none');
  }
  if (event.type === 'configuration.warned') {
    const { option, where }: HookEventFields['configuration.warned'] = event;
    logged.push(option, ...where);
  }
  if (event.type === 'request.answered') {
    const outcome: 'accepted' | 'unknown' | 'blocked' | 'refused' = event.outcome;
    logged.push(
      outcome,
      event.toEnding,
      ...event.skipped.map(({ channel, reason }) => `${channel} ${reason}`),
    );
  }
  if (event.type === 'message.reported') {
    const report: 'pending' | 'delivered' | 'failed' = event.report;
    logged.push(report, event.status);
  }
  if (event.type === 'failover.ended') logged.push(event.cause.code, event.cause.remedy ?? 'none');
  if (event.type === 'guard.blocked' || event.type === 'guard.noticed') {
    const { rule, rules }: HookEventOf<'guard.blocked' | 'guard.noticed'> = event;
    logged.push(rule, event.remedy, ...rules.map(({ code }) => code));
  }
};
const perUser: GuardOptions['perUser'] = { points: 5, seconds: 60 };
const lookupOptions: TwilioLookupOptions = { maxScore: 75, cacheSeconds: undefined };
const lookup: Assess = twilioLookup(lookupOptions);
const assess: Assess = async (request: TelephonyRequest, context: AssessContext) => {
  const own: Assessment = { block: request.ipAddress === undefined, reason: undefined };
  return own.block ? own : await lookup(request, context);
};
const guard: GuardOptions = {
  assess,
  mode: 'record',
  perUser,
  perIp: false,
  countries: { allow: ['US'] },
};
const sms: TextsOptions['sms'] = { default: 'Your code is {code}', pt: '{code}' };
const texts: TextsOptions = { sms: undefined, voice: undefined, webOtpDomain: undefined };
const voice = { de: 'Ihr Code lautet {code}' };
const rollout: Rollout = { whatsapp: 25, line: undefined };

const credentials = { hook: [header, basic, oauth2], okta: byToken, twilio: byApiKey };
/** Without Twilio. */
const alone = { hook: header, okta: byToken, twilio: undefined };
export const hooks: readonly TelephonyHook[] = [
  oktaTelephonyHook({ credentials }),
  oktaTelephonyHook({ credentials: alone, channels: { line }, logger: log, guard: { countries: false } }),
  oktaTelephonyHook({ credentials: alone, channels: { sms: vonage }, logger: false }),
  oktaTelephonyHook({ credentials: alone, channels: { sms: byCountry }, logger: false }),
  oktaTelephonyHook({ credentials: alone, channels: literal, logger: false }),
  oktaTelephonyHook({
    ...nested,
    credentials: { hook: header, eventHook, okta: byKey, twilio: byAuthToken },
  }),
  oktaTelephonyHook({ ...nested, credentials: { ...credentials, eventHook: false } }),
  oktaTelephonyHook({
    credentials,
    publicUrl: 'https://id.acme.com/okta/telephony',
    sandboxNumber: { number: '+14155238886', contentSid: 'HX1' },
    twilio: {
      contentRetention: 'discard',
      addressRetention: undefined,
      smartEncoding: false,
      deviceIp: false,
    },
    senders: { sms: sender, voice: '+15005550006' },
    channels: {
      own: ownChannel,
      line,
      whatsapp: [cloud, overTwilio],
      sms: [port, overTwilio, overHttp, verify, vonage, vonageVia, azure, relay],
      voice: [twilioCalls(), vonageVoice(voiceOptions)],
    },
    profile: { cache: false },
    chooseChannels,
    composeText,
    lateFailover: { afterSeconds: { whatsapp: 20 } },
    logger,
    metrics,
    state: redis,
    onEvent,
    clock: Date.now,
  }),
  oktaTelephonyHook({
    credentials,
    senders: { whatsapp: { from: '+15005550006', templates: { default: 'HX1', pt: 'HX2' } } },
    guard,
    texts: { ...texts, sms, voice: { 'mfa-verification': voice }, webOtpDomain: 'login.acme.com' },
    rollout: () => rollout,
    lateFailover: false,
    state: memoryState(),
  }),
];
const [hook] = hooks;
if (hook === undefined) throw new Error('there is one');

// node:http
createServer((req, res) => {
  hook(req, res, () => {
    res.end();
  });
});

// The part of @types/express 4 and 5 that concerns a handler.
interface ExpressRequest extends IncomingMessage {
  body: unknown;
  params: Record<string, string>;
}
interface ExpressResponse extends ServerResponse {
  locals: Record<string, unknown>;
}
interface NextFunction {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  (error?: any): void;
  (deferToNext: 'router'): void;
  (deferToNext: 'route'): void;
}
type Express4Handler = (req: ExpressRequest, res: ExpressResponse, next: NextFunction) => void;
type Express5Handler = (
  req: ExpressRequest,
  res: ExpressResponse,
  next: NextFunction,
) => void | Promise<void>;
declare const app4: {
  use(...handlers: Express4Handler[]): void;
  use(path: string, handler: Express4Handler): void;
};
declare const app5: {
  use(...handlers: Express5Handler[]): void;
  use(path: string, handler: Express5Handler): void;
};
app4.use(hook);
app4.use('/id', hook);
app5.use(hook);
app5.use('/id', hook);

/** The request type of the gateway's login, for the console. */
interface SessionRequest extends ExpressRequest {
  readonly session: { readonly isAdministrator?: boolean };
}
const consoleOptions: ConsoleOptions = {
  authorize: (req: SessionRequest) => req.session.isAdministrator === true && { administrator: 'Ana' },
  links: undefined,
};
const consolePage: ReturnType<TelephonyHook['console']> = hook.console(consoleOptions);
app4.use('/admin/telephony', consolePage);
app5.use(
  '/admin/telephony',
  hook.console({ authorize: () => Promise.resolve(true), links: [{ title: 'x', href: '/' }] }),
);

export async function look(): Promise<string> {
  const { okta, twilio, hookKeys, state: reached, channels }: Readiness = await hook!.ready();
  const status: HookStatus = hook!.status();
  const breaker: HookStatus['breakers'][string] | undefined = status.breakers['api.twilio.com'];
  const last: Date | undefined = status.lastSuccess['sms'];
  await hook!.close();
  return [okta, twilio, hookKeys, reached, channels['line'], breaker, last?.toISOString()].join();
}

export function explain(error: unknown): string {
  if (error instanceof ConfigurationError) {
    const issues: readonly ConfigurationIssue[] = error.issues;
    return issues.map(({ option, message }) => (option === 'deadlineMs' ? message : option)).join();
  }
  if (error instanceof OktaApiError) {
    const code: OktaApiError['code'] = error.code;
    return code;
  }
  if (error instanceof ProviderError) {
    const code: ProviderError['code'] = error.code;
    return code === 'PROVIDER_REFUSED' ? (error.providerCode ?? '') : code;
  }
  if (error instanceof TelephonyHookError) {
    const code: ErrorCode = error.code;
    // @ts-expect-error -- a misspelt code is an error of the compiler
    return error.code === 'OKTA_FORBIDEN' ? '' : code;
  }
  return new ProviderError('PROVIDER_REFUSED', 'message', { providerCode: 'MINE', remedy: undefined }).code;
}

export async function optIn(apiToken: string): Promise<unknown> {
  const credential = { orgUrl: 'https://acme.okta.com', apiToken };
  const users: OktaClient = oktaClient({ credential, timeoutMs: undefined, dispatcher: undefined });
  const { whatsAppOptIn } = await users.readUser('00u1');
  return users.updateUser('00u1', { whatsAppOptIn: whatsAppOptIn !== true });
}

/** The named types of the parts that a custom channel gets. */
export function useParts({
  dispatcher,
  twilio,
}: ChannelParts): readonly [HttpDispatcher, TwilioConnection | undefined] {
  // @ts-expect-error -- its members are internal.
  void twilio?.settings;
  return [dispatcher, twilio];
}
// @ts-expect-error -- only the hook makes one.
export const ownConnection: TwilioConnection = { host: 'api.twilio.com' };

/** The hook takes what the emulators have, and the phones' page takes the hook. */
export async function tryOut(): Promise<void> {
  const okta = await startOktaEmulator();
  const twilio = await startTwilioEmulator();
  const account = await startAwsEmulator({ port: undefined, clock: undefined, callbackDelayMs: undefined });
  account.refuseWith({ type: 'ConflictException', reason: undefined, times: 1 });
  awsSms(account.credential);
  const resource = await startAzureEmulator();
  azureSms({ ...resource.credential, from: resource.number });
  await resource.close();
  const emulatedMeta = await startMetaEmulator({ port: undefined, clock: undefined });
  emulatedMeta.configure({ health: undefined });
  whatsAppCloud(emulatedMeta.credential);
  const emulatedVonage = await startVonageEmulator({ port: undefined });
  emulatedVonage.failLater({ status: undefined, error: '1300', times: 1 });
  vonageVoice({ ...emulatedVonage.credential, from: emulatedVonage.number });
  const { hookCredential, credential: oktaCredential } = okta;
  oktaTelephonyHook({
    credentials: { hook: hookCredential, okta: oktaCredential, twilio: twilio.credential },
    senders: twilio.senders,
    sandboxNumber: twilio.sandboxNumber,
  });
  okta.fault({ fault: { kind: 'hang', delivered: undefined }, times: 1 });
  twilio.faultCallbacks({ copies: 2, delayMs: undefined, match: ({ to }) => to !== '' });
  okta.onHookCall((sent) => (result) => [sent, result.okta.action]);
  const org = await startDemoOrg({ optInAttribute: undefined });
  const options: DemoHookOptions = org.hookOptions('http://127.0.0.1:3000/okta/telephony');
  const source: PhoneSource = { inbox: () => [], onDelivered: () => undefined };
  const phones = createPhonesPage({
    okta: org.okta,
    twilio: org.twilio,
    emulators: { Vonage: source },
    hook: oktaTelephonyHook(options),
  });
  createServer((req: IncomingMessage, res: ServerResponse) => {
    phones(req, res);
  });
}

export { pageStyle, playBadDay } from 'okta-telephony-hook/demo';
export type {
  BadDay,
  BadDayOptions,
  BadDayPhase,
  BadDayPhaseName,
  BadDayVendors,
  DemoCurl,
  DemoOrg,
  DemoOrgOptions,
  DemoPerson,
  PageLink,
  PhoneSource,
  PhonesPage,
  PhonesPageOptions,
  SuppressionReader,
} from 'okta-telephony-hook/demo';
export type {
  AccountSettings,
  AdvancedOptOut,
  AwsCallbackFault,
  AwsEmulator,
  AwsEmulatorOptions,
  AwsKeys,
  AwsLateFailureRule,
  AwsRefusalRule,
  EmulatedAwsMessage,
  SnsFields,
  AuthenticatorStatus,
  AzureCallbackFault,
  AzureEmulator,
  AzureEmulatorOptions,
  AzureLateFailureRule,
  AzureRefusalRule,
  CallbackFault,
  CampaignStatus,
  CodeProblem,
  DeliveredItem,
  EmulatedAzureMessage,
  EmulatedCall,
  EmulatedCallback,
  EmulatedEventHook,
  EmulatedFeedback,
  EmulatedGridEvent,
  EmulatedHookKey,
  EmulatedInbound,
  EmulatedInlineHook,
  EmulatedMessage,
  EmulatedMetaMessage,
  EmulatedMetaTemplate,
  EmulatedPhoneItem,
  EmulatedProvider,
  EmulatedTemplate,
  EmulatedUser,
  EmulatedVerification,
  EmulatedVonageCall,
  EmulatedVonageMessage,
  EnteredCode,
  EventDelivery,
  Fault,
  FaultRule,
  FireOptions,
  HookCall,
  HookCallOptions,
  HookChannel,
  HookClient,
  HookOAuth,
  HookPayloadOptions,
  HookRequestType,
  HookTokenOptions,
  InboundMessage,
  LateFailureRule,
  LogEvent,
  LogEventOptions,
  LogParty,
  MetaCallbackFault,
  MetaEmulator,
  MetaEmulatorOptions,
  MetaIds,
  MetaInboundMessage,
  MetaLateFailureRule,
  MetaRefusalRule,
  MetaSettings,
  NewMetaTemplate,
  NewTemplate,
  NewUser,
  NumberCapabilities,
  NumberRisk,
  OktaEmulator,
  OktaEmulatorOptions,
  OktaVerdict,
  OidcApp,
  PhoneFactor,
  ProviderEmulatorOptions,
  RateLimit,
  RateLimitBucket,
  RecordedRequest,
  RefusalRule,
  SchemaAttribute,
  SchemaAttributes,
  SchemaDelay,
  ServiceApp,
  TelephonyProvider,
  TemplateStatus,
  TollfreeStatus,
  TwilioEmulator,
  TwilioEmulatorOptions,
  TwilioError,
  UserSchemaView,
  VerifyChannel,
  VerifySettings,
  VonageCallbackFault,
  VonageEmulator,
  VonageEmulatorOptions,
  VonageInboundMessage,
  VonageLateFailureRule,
  VonageRefusalRule,
  WebhookAnswer,
} from 'okta-telephony-hook/testing';
