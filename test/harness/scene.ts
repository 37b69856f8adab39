import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import express from 'express';
import {
  oktaTelephonyHook,
  type HookEvent,
  type HookEventOf,
  type HookEventType,
  type OktaTelephonyHookOptions,
  type State,
  type TelephonyHook,
  type TwilioCredential,
} from '#lib/index.js';
import type { StatePort } from '#lib/delivery/state.js';
import {
  startOktaEmulator,
  startTwilioEmulator,
  type EmulatedInbound,
  type HookCall,
  type InboundMessage,
  type OktaEmulator,
  type RecordedRequest,
  type TwilioEmulator,
  type TwilioEmulatorOptions,
} from '#lib/testing/index.js';
import { callApi, eventHook } from '../testing/okta/client.js';
import { mustNotShow, witness } from './witness.js';

/** The users of the tests. Their numbers are from ranges reserved for fiction. */
export const ANA = {
  id: '00u1anasilveira00001',
  login: 'ana.silveira@example.com',
  firstName: 'Anastasia',
  lastName: 'Silveira',
  phone: '+447700900123',
} as const;
export const BOB = {
  id: '00u1bobmontgomery001',
  login: 'bob.montgomery@example.com',
  firstName: 'Bobwin',
  lastName: 'Montgomery',
  phone: '+12025550142',
} as const;
/** For `scene.call()`: to Bob, who has no opt-in, in place of Ana. */
export const TO_BOB = { userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone } as const;
export const CODE = '204981';
/** For faults of Twilio: whether a request is about a WhatsApp message. */
export const isWhatsApp = ({ form }: RecordedRequest): boolean =>
  String(form?.['To']).startsWith('whatsapp:');
/** A message id in the form of WhatsApp's API: base64 of bytes that contain the number. */
export function wamid(number: string, before = '\x1c\x18\x0c', random = '7A717FACE7FA5C8052'): string {
  return `wamid.${Buffer.from(`${before}${number}\x15\x02\0\x11\x18\x12${random}\0`).toString('base64')}`;
}
const PATH = '/okta/telephony';
export const HOOK_SECRET = 'hook-secret-5f1c9ab2';

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Both emulated vendors, a gateway with the hook, and its log and events. */
export interface Scene {
  readonly okta: OktaEmulator;
  readonly twilio: TwilioEmulator;
  readonly hook: TelephonyHook;
  readonly url: string;
  readonly server: Server;
  readonly log: LogLine[];
  readonly events: HookEvent[];
  /** Lets Okta call the hook. Default: for Ana (opted in to WhatsApp), by SMS. */
  readonly call: (call?: Partial<Parameters<OktaEmulator['callHook']>[0]>) => Promise<HookCall>;
  /** The events of one type. */
  readonly of: <Type extends HookEventType>(type: Type) => HookEventOf<Type>[];
  /** Posts a status callback about a WhatsApp message to Ana, as Twilio does. Resolves to the HTTP status of the answer. */
  readonly report: (sid: string | undefined, status: string, callback?: StatusCallback) => Promise<number>;
  /** Lets Ana write by WhatsApp, or another user by another channel. */
  readonly write: (body: string, message?: Partial<InboundMessage>) => Promise<EmulatedInbound>;
  /** Makes a verified event hook in Okta. Resolves to its id. */
  readonly registerEventHook: (url?: string, secret?: string) => Promise<string>;
  close(): Promise<void>;
}

/** What differs from the usual status callback. */
interface StatusCallback {
  readonly code?: string;
  /** Default: that of the URL. */
  readonly signature?: string;
  /** Default: the hook's, as Twilio knows it. */
  readonly url?: string;
}

type Override = Partial<Omit<OktaTelephonyHookOptions, 'credentials' | 'state'>> & {
  readonly credentials?: Partial<OktaTelephonyHookOptions['credentials']>;
  /** A `StatePort` if the test wraps the state. */
  readonly state?: State | StatePort | undefined;
};

export interface SceneOptions {
  /** Options that override the usual ones. A function gets the emulators and the gateway's origin. */
  readonly hook?:
    Override | ((parts: { okta: OktaEmulator; twilio: TwilioEmulator; origin: string }) => Override);
  readonly twilio?: TwilioEmulatorOptions;
  /** Whether Twilio's callbacks and users' messages reach the hook: sets `publicUrl` to its URL. */
  readonly hasCallbacks?: boolean;
  /** Mounts the hook. Default: alone, at the root. */
  readonly mount?: (app: express.Express, hook: TelephonyHook) => void;
}

/** The hook options of a scene, for tests that share some. */
export type HookOptions = Exclude<SceneOptions['hook'], ((...args: never) => unknown) | undefined>;

/** For tests of one user who gets more codes than the usual limits allow. */
export const SENDS_MANY = { perUser: false, perNumber: false, countries: false } as const;

/** Starts both vendors and a gateway. */
export async function startScene(options: SceneOptions = {}): Promise<Scene> {
  await warmUp();
  return openScene(options);
}

let warmedUp: Promise<void> | undefined;

/**
 * Makes the first call of this process, once. It loads and compiles code, which on a busy machine can take longer than
 * the deadline. It also lets the HTTP client keep the real timers before a test stops time.
 */
export function warmUp(): Promise<void> {
  warmedUp ??= (async () => {
    const scene = await openScene({});
    await scene.call();
    await scene.close();
  })();
  return warmedUp;
}

async function openScene(options: SceneOptions): Promise<Scene> {
  const [okta, twilio] = await Promise.all([startOktaEmulator(), startTwilioEmulator(options.twilio)]);
  okta.addUser({ ...ANA, profile: { whatsAppOptIn: true, mobilePhone: ANA.phone, locale: 'en_GB' } });
  okta.addUser({ ...BOB, profile: { mobilePhone: BOB.phone, locale: 'en_US' } });
  twilio.joinSandbox(ANA.phone);
  mustNotShow(CODE, HOOK_SECRET, okta.apiToken, twilio.apiKeySecret, twilio.authToken);
  for (const { login, firstName, lastName, phone } of [ANA, BOB]) {
    mustNotShow(login, firstName, lastName, phone.slice(1));
  }

  const log: LogLine[] = [];
  const events: HookEvent[] = [];
  const write =
    (level: LogLine['level']) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      log.push({ level, message, fields });
      witness({ level, message, fields });
    };
  const app = express();
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const closeVendors = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await Promise.all([okta.close(), twilio.close()]);
  };
  const override =
    typeof options.hook === 'function' ? options.hook({ okta, twilio, origin }) : (options.hook ?? {});
  let hook: TelephonyHook;
  try {
    hook = oktaTelephonyHook({
      guard: SENDS_MANY,
      sandboxNumber: twilio.sandboxNumber,
      senders: { sms: twilio.smsNumber, voice: twilio.voiceNumber },
      logger: { info: write('info'), warn: write('warn'), error: write('error') },
      onEvent: (event) => {
        events.push(event);
        witness(event);
      },
      ...(options.hasCallbacks === true ? { publicUrl: `${origin}${override.path ?? PATH}` } : {}),
      ...override,
      credentials: { ...usualCredentials(okta, twilio), ...override.credentials },
    });
  } catch (error) {
    // A test with invalid options: close the emulators, so that the process can exit.
    await closeVendors();
    throw error;
  }

  const mount = options.mount ?? ((gateway, handler) => gateway.use(handler));
  mount(app, hook);
  const url = `${origin}${override.path ?? PATH}`;

  return {
    okta,
    twilio,
    hook,
    url,
    server,
    log,
    events,
    call: async (call = {}) => {
      const made = await okta.callHook({
        url,
        headers: { Authorization: HOOK_SECRET },
        userId: ANA.id,
        login: ANA.login,
        phoneNumber: ANA.phone,
        otpCode: CODE,
        msgTemplate: `Your code is ${String(call.otpCode ?? CODE)}`,
        locale: 'en-GB',
        requestType: 'mfa-verification',
        deliveryChannel: 'SMS',
        ...call,
      });
      witness(made.body);
      witness(made.headers);
      return made;
    },
    of: <Type extends HookEventType>(type: Type) =>
      events.filter((event): event is Extract<HookEventOf<Type>, HookEvent> => event.type === type),
    report: async (sid = '', MessageStatus, callback = {}) => {
      const { code: ErrorCode, url: to = `${url}/twilio/status` } = callback;
      const params = {
        MessageSid: sid,
        MessageStatus,
        To: `whatsapp:${ANA.phone}`,
        ...(ErrorCode === undefined ? {} : { ErrorCode }),
      };
      const { status } = await fetch(to, {
        method: 'POST',
        headers: { 'x-twilio-signature': callback.signature ?? twilio.sign(to, params) },
        body: new URLSearchParams(params),
      });
      return status;
    },
    write: (body, message) =>
      twilio.receive({
        from: ANA.phone,
        channel: 'whatsapp',
        body,
        url: `${url}/twilio/inbound`,
        ...message,
      }),
    registerEventHook: async (hookUrl = `${url}/events`, secret = HOOK_SECRET) => {
      const { body } = await callApi(okta, 'POST', '/api/v1/eventHooks', eventHook(hookUrl, secret));
      const id = String(body['id']);
      await callApi(okta, 'POST', `/api/v1/eventHooks/${id}/lifecycle/verify`);
      return id;
    },
    close: async () => {
      try {
        await closeVendors();
      } finally {
        await hook.close();
      }
    },
  };
}

/** Credentials that both emulators accept. */
export function usualCredentials(
  okta: OktaEmulator,
  twilio: TwilioEmulator,
): OktaTelephonyHookOptions['credentials'] & { readonly twilio: TwilioCredential } {
  return {
    hook: { scheme: 'header', secrets: [HOOK_SECRET] },
    okta: { orgUrl: okta.orgUrl, apiToken: okta.apiToken },
    twilio: {
      accountSid: twilio.accountSid,
      apiKeySid: twilio.apiKeySid,
      apiKeySecret: twilio.apiKeySecret,
      authToken: twilio.authToken,
      baseUrl: twilio.baseUrl,
    },
  };
}

/** The one command of an answer. */
export function commandOf(call: HookCall): Readonly<Record<string, string>> | undefined {
  const { commands } = (call.body ?? {}) as { commands?: { value: Record<string, string>[] }[] };
  return commands?.[0]?.value[0];
}

/** The error object of an answer. */
export function errorOf(
  call: HookCall,
): { errorSummary: string; errorCauses?: Readonly<Record<string, string>>[] } | undefined {
  return (
    call.body as { error?: { errorSummary: string; errorCauses?: Record<string, string>[] } } | undefined
  )?.error;
}

/** The channel by which a code went out, as its answer says; `undefined` if the answer is an error. */
export function channelOf(call: HookCall): string | undefined {
  return /channel=([^;]+)/.exec(commandOf(call)?.['transactionMetadata'] ?? '')?.[1];
}

/** The id of the message by which a code went out. */
export function sidOf(call: HookCall): string {
  return commandOf(call)?.['transactionId'] ?? '';
}

/** Why nothing was sent: the code of each cause of an error. */
export function causesOf(call: HookCall): (string | undefined)[] {
  return (errorOf(call)?.errorCauses ?? []).map(({ reason }) => reason?.split(':')[0]);
}

/**
 * Starts scenes, and closes them after each test. Call it in `describe`, after the hooks that give time back: nothing closes
 * while time stands still.
 */
export function scenes(): typeof startScene {
  const open: Scene[] = [];
  afterEach(() => Promise.all(open.splice(0).map((scene) => scene.close())));
  return async (options) => {
    const scene = await startScene(options);
    open.push(scene);
    return scene;
  };
}
