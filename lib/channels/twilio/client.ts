import twilio from 'twilio';
import type { SendContext } from '../../core/channel.js';
import { callHttp, type HttpCall, type HttpResult, type HttpDispatcher } from '../../http/call.js';
import type { VoiceTexts } from '../../texts/texts.js';
import { NO_MESSAGE_SID, readCheckAnswer } from './credentials-check.js';
import { StatusCallbacks } from './status-callbacks.js';

/** A message as the SDK takes it: the parameters of Twilio's Messages resource that a code needs. */
export interface TwilioMessageParameters {
  readonly to: string;
  readonly from?: string | undefined;
  readonly messagingServiceSid?: string | undefined;
  readonly body?: string | undefined;
  readonly contentSid?: string | undefined;
  /** JSON. */
  readonly contentVariables?: string | undefined;
  /** Seconds. */
  readonly validityPeriod?: number | undefined;
  readonly provideFeedback?: boolean | undefined;
  readonly statusCallback?: string | undefined;
}

/** A call as the SDK takes it: the parameters of Twilio's Calls resource that a code needs. */
export interface TwilioCallParameters {
  readonly to: string;
  readonly from: string;
  /** TwiML, inline: its text, or what the SDK builds it with. */
  readonly twiml?:
    | string
    | {
        /** The text. */
        toString(): string;
      }
    | undefined;
  /** Where the TwiML is fetched, in its place. */
  readonly url?: string | undefined;
  /** Seconds of ringing. */
  readonly timeout?: number | undefined;
  readonly statusCallback?: string | undefined;
  readonly statusCallbackEvent?: string[] | undefined;
}

/**
 * The SDK's client as far as a channel needs it; what `TwilioConnection.call` hands to its action. Written out,
 * because the SDK's own types do not compile without packages that it does not install (@types/jsonwebtoken).
 */
export interface TwilioClient {
  /** WhatsApp and SMS; called with a SID, the one of that SID. */
  readonly messages: {
    /** Sends one. */
    create(parameters: TwilioMessageParameters): Promise<unknown>;
    (sid: string): {
      /** Asks what became of it. */
      fetch(): Promise<unknown>;
      /** What became of the code in it. */
      readonly feedback: {
        /** Tells Twilio whether the code was used. */
        create(parameters: { readonly outcome: 'confirmed' | 'unconfirmed' }): Promise<unknown>;
      };
    };
  };
  /** Called with a SID, the one of that SID. */
  readonly calls: {
    /** Calls a phone. */
    create(parameters: TwilioCallParameters): Promise<unknown>;
    (sid: string): {
      /** Asks what became of it. */
      fetch(): Promise<unknown>;
    };
  };
  /** What an account says of itself, for those who look whether it can send. */
  readonly api: {
    readonly v2010: {
      /** The account of that SID. */
      accounts(sid: string): {
        /** Whether it is active, and a trial. */
        fetch(): Promise<unknown>;
        readonly balance: {
          /** What is left to spend. */
          fetch(): Promise<unknown>;
        };
        readonly incomingPhoneNumbers: {
          /** The account's own numbers, and what each can do. */
          page(parameters: { readonly phoneNumber: string; readonly pageSize: number }): Promise<unknown>;
        };
        readonly outgoingCallerIds: {
          /** Numbers of others that the account has verified. */
          page(parameters: { readonly phoneNumber: string; readonly pageSize: number }): Promise<unknown>;
        };
      };
    };
  };
  readonly content: {
    readonly v1: {
      /** The template of that SID. */
      contents(sid: string): {
        /** What is in it. */
        fetch(): Promise<unknown>;
        /** WhatsApp's approval of it. */
        approvalFetch(): {
          /** Whether WhatsApp lets it be sent. */
          fetch(): Promise<unknown>;
        };
      };
    };
  };
  readonly messaging: {
    readonly v1: {
      /** The Messaging Service of that SID. */
      services(sid: string): {
        /** Whether it is there. */
        fetch(): Promise<unknown>;
        readonly phoneNumbers: {
          /** The numbers that it sends from. */
          page(parameters: { readonly pageSize: number }): Promise<unknown>;
        };
      };
    };
  };
  readonly verify: {
    readonly v2: {
      /** The Verify service of that SID. */
      services(sid: string): {
        /** What it allows. */
        fetch(): Promise<unknown>;
        /** Called with a SID, the one of that SID. */
        readonly verifications: {
          /** Sends a code. */
          create(parameters: TwilioVerificationParameters): Promise<unknown>;
          (sid: string): {
            /** Tells Twilio that the code was used. */
            update(parameters: { readonly status: 'approved' }): Promise<unknown>;
          };
        };
      };
    };
  };
}

/** A verification as the SDK takes it: the parameters of Verify's Verifications resource that a code needs. */
export interface TwilioVerificationParameters {
  readonly to: string;
  /** `sms`, `call` or `whatsapp`. */
  readonly channel: string;
  readonly customCode?: string | undefined;
  /** One of Verify's own. */
  readonly locale?: string | undefined;
  readonly riskCheck?: 'enable' | 'disable' | undefined;
}

/** The SDK's builder of TwiML as far as a channel needs it, written out for the same reason. */
export interface TwimlBuilder {
  readonly VoiceResponse: new () => {
    /** Speaks a text. */
    say(
      attributes: { readonly language?: string | undefined; readonly voice?: string | undefined },
      text: string,
    ): unknown;
    /** Is silent for so many seconds. */
    pause(attributes: { readonly length: number }): unknown;
    /** The TwiML. */
    toString(): string;
  };
}

/** The SDK's own client, which is one. */
type SdkClient = InstanceType<typeof twilio.Twilio>;

/** Senders by ISO 3166 country of the recipient, and `default`: E.164, a Messaging Service SID, or a name. */
export type SenderByCountry = Readonly<Record<string, string>>;

/** How WhatsApp is sent: from Twilio's shared sandbox, or from an approved sender with its own templates. */
export type WhatsAppSender =
  | {
      readonly kind: 'sandbox';
      /** E.164. */
      readonly from: string;
      /** The sandbox's own template; `undefined` sends free text, which the 24-hour window limits. */
      readonly contentSid: string | undefined;
    }
  | {
      readonly kind: 'templates';
      /** E.164. */
      readonly from: string;
      /** Content SIDs by BCP-47 tag, with `default`: a template has one language. */
      readonly templates: Readonly<Record<string, string>>;
    };

/** Everything about Twilio that the options say. */
export interface TwilioSettings {
  /** `AC…` */
  readonly accountSid: string;
  /** `SK…`, or the account SID. */
  readonly username: string;
  /** The key's secret, or the account's auth token. */
  readonly password: string;
  readonly region: string | undefined;
  readonly edge: string | undefined;
  /** One origin for every Twilio product, in place of Twilio's own hosts. */
  readonly baseUrl: string | undefined;
  readonly senders: {
    readonly sms: SenderByCountry | undefined;
    readonly voice: SenderByCountry | undefined;
    readonly whatsapp: WhatsAppSender | undefined;
  };
  /** What calls say in place of our own words. */
  readonly voiceTexts?: VoiceTexts | undefined;
  /** Where Twilio reports what became of a message. */
  readonly statusCallbackUrl: string | undefined;
}

/** The clock of one call; a channel's `SendContext` is one. */
export type TwilioCallContext = Pick<SendContext, 'endWithinMs' | 'mayLeave' | 'leaveWithinMs'>;

/** Twilio's SDK on our own HTTP client. */
export interface TwilioConnection {
  readonly settings: TwilioSettings;
  /** Whether Twilio tells what becomes of messages; of no meaning without `settings.statusCallbackUrl`. */
  readonly callbacks: Pick<StatusCallbacks, 'areTrusted' | 'came' | 'expect'>;
  /** The host that is really called: its health decides whether channels over it are tried. */
  readonly host: string;
  /** The same of Verify, which has a host of its own. */
  readonly verifyHost: string;
  /**
   * Runs one SDK call and says what came of it on the wire. Never rejects. The action makes its one call at once, not
   * after an `await`; what the SDK itself returns never settles, for the answer is in the result. The context is read
   * when the call begins.
   */
  call(
    action: (client: TwilioClient, twiml: TwimlBuilder) => unknown,
    context: TwilioCallContext,
  ): Promise<HttpResult>;
  /**
   * Asks for a message that cannot exist, which proves the credentials, costs nothing and leaves a connection
   * open.
   *
   * @throws ProviderError `TWILIO_UNREACHABLE`, `TWILIO_UNAUTHORIZED`, `TWILIO_UNREADABLE` or `TWILIO_HTTP_ERROR`
   */
  check(timeoutMs: number): Promise<void>;
}

/** What the SDK's resources ask of their client, as far as we use them. */
interface SdkRequest {
  readonly method: string;
  /** At the product's usual host, without the query; of an API its path there. */
  readonly uri: string;
  readonly params?: FormValues;
  readonly data?: FormValues;
}

type FormValue = string | number | boolean;
type FormValues = Readonly<Record<string, FormValue | readonly FormValue[] | undefined>>;

/** What one call allows itself. */
type CallContext = Pick<TwilioCallContext, 'endWithinMs'> & Partial<TwilioCallContext>;

/** What the SDK is given for an answer: it would only parse again what is read from the wire. */
const NEVER = { then: () => NEVER };

/** Nothing has left: the SDK refused what it was given. */
const SDK_ERROR: HttpResult = { kind: 'not-sent', reason: 'SDK_ERROR' };

/** Makes the connection; nothing is opened before the first call. */
export function createTwilioConnection(parts: {
  readonly settings: TwilioSettings;
  readonly dispatcher: HttpDispatcher;
  /** So many messages in a row brought no status callback. */
  readonly onCallbacksMissing?: ((count: number) => void) | undefined;
}): TwilioConnection {
  const { settings, dispatcher, onCallbacksMissing = () => undefined } = parts;
  const headers = headersOf(settings);
  const originOf = productOrigins(settings);

  /** The action that runs: its limits, and what it sends. Nothing of it outlives it. */
  let running: { readonly context: CallContext; sending?: Promise<HttpResult> } | undefined;
  const sendTo = (
    product: string,
    path: string,
    { method: name, params, data }: SdkRequest,
  ): typeof NEVER => {
    if (running === undefined) throw new Error('the SDK was called after its action had returned');
    // The result of one call only can be told.
    if (running.sending !== undefined) throw new Error('an action makes one call');
    const { context } = running;
    const method = METHODS.get(name);
    if (method === undefined) throw new Error('not a method that we use');
    const query = params === undefined ? '' : formOf(params);
    running.sending = callHttp({
      dispatcher,
      method,
      origin: originOf(product),
      path: query === '' ? path : `${path}?${query}`,
      headers: headers[method],
      body: method === 'GET' ? undefined : formOf(data ?? {}),
      timeoutMs: context.endWithinMs,
      mayLeave: context.mayLeave,
      leaveWithinMs: context.leaveWithinMs,
    });
    return NEVER;
  };
  const send = (request: SdkRequest): typeof NEVER => {
    // Its only other parts are ids, whose shape was checked.
    const [, product, path] = /^https:\/\/([a-z]+)\.twilio\.com(\/.*)$/.exec(request.uri) ?? [];
    if (product === undefined || path === undefined) throw new Error('not a URL of the SDK');
    return sendTo(product, path, request);
  };
  // One client for all calls. It keeps nothing of a call, and makes nothing for each: the SDK's own `request` would put the
  // same headers together and take the same URL apart every time, and its HTTP client keeps the last request, with the code
  // and the credentials.
  const client = new twilio.Twilio(settings.username, settings.password, {
    accountSid: settings.accountSid,
    // Not undefined: the SDK would read TWILIO_EDGE, TWILIO_REGION and TWILIO_LOG_LEVEL from the environment
    // of whatever application this runs in.
    edge: '',
    region: '',
    logLevel: 'error',
  });
  // By its type it gives a promise, and nothing else is done with it than `then`.
  client.request = send as unknown as SdkClient['request'];
  // Before that an API joins its URLs, trimmed, by patterns that are compiled anew: not those of messages and calls.
  client.api.v2010.request = ((request: SdkRequest) =>
    sendTo('api', `/2010-04-01${request.uri}`, request)) as unknown as SdkClient['request'];

  const run = (
    action: (client: SdkClient, twiml: TwimlBuilder) => unknown,
    context: CallContext,
  ): Promise<HttpResult> => {
    const acting: NonNullable<typeof running> = { context };
    running = acting;
    try {
      const result = action(client, twilio.twiml);
      if (result instanceof Promise) result.catch(() => undefined);
    } catch {
      // The SDK refuses what it was given: nothing has left.
    } finally {
      running = undefined;
    }
    return acting.sending ?? Promise.resolve(SDK_ERROR);
  };

  const hostOf = (product: string): string => new URL(originOf(product)).host;
  const host = hostOf('api');

  return {
    settings,
    callbacks: new StatusCallbacks(onCallbacksMissing),
    host,
    verifyHost: hostOf('verify'),
    call: run,
    check: async (timeoutMs) => {
      const fetchNone = (sdkClient: SdkClient): unknown => sdkClient.messages(NO_MESSAGE_SID).fetch();
      const result = await run(fetchNone, { endWithinMs: timeoutMs });
      readCheckAnswer(result, host);
    },
  };
}

/** Twilio's, by product: where it is called, by the account's edge and region. */
function productOrigins(settings: TwilioSettings): (product: string) => string {
  const { baseUrl } = settings;
  if (baseUrl !== undefined) {
    const { origin } = new URL(baseUrl);
    return () => origin;
  }
  const known = new Map<string, string>();
  return (product) => {
    let origin = known.get(product);
    if (origin === undefined) {
      origin = `https://${productHost(product, settings)}`;
      known.set(product, origin);
    }
    return origin;
  };
}

/** As the SDK makes it of them: an edge without a region is in us1. */
function productHost(product: string, { edge, region }: TwilioSettings): string {
  const place = edge === undefined ? [region] : [edge, region ?? 'us1'];
  return [product, ...place, 'twilio.com'].filter((part) => part !== undefined).join('.');
}

/** The headers of every call, by its method. */
function headersOf({ username, password }: TwilioSettings): Readonly<Record<SdkMethod, HttpCall['headers']>> {
  const all = {
    accept: 'application/json',
    'user-agent': 'okta-telephony-hook',
    authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
  };
  const withForm = { ...all, 'content-type': 'application/x-www-form-urlencoded' };
  return { GET: all, POST: withForm, PUT: withForm };
}

type SdkMethod = HttpCall['method'];

const METHODS: ReadonlyMap<string, SdkMethod> = new Map([
  ['get', 'GET'],
  ['post', 'POST'],
  ['put', 'PUT'],
]);

/**
 * As forms are written, by names that need no escaping. Lists are the same name several times. Half a character, as a text
 * that was cut may end, cannot be written, and must take nothing else with it.
 */
function formOf(fields: FormValues): string {
  let form = '';
  const add = (name: string, value: FormValue): void => {
    form += `${form === '' ? '' : '&'}${name}=${encodeURIComponent(String(value).toWellFormed())}`;
  };
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (isList(value)) for (const item of value) add(name, item);
    else if (value !== undefined) add(name, value);
  }
  return form;
}

function isList(value: FormValues[string]): value is readonly FormValue[] {
  return Array.isArray(value);
}
