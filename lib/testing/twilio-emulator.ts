import { Agent } from 'undici';
import { serveApi } from './emulated-api.js';
import type { Fault, FaultRule, RecordedRequest } from './faults.js';
import type { Reply } from './loopback-server.js';
import { randomAlphanumeric, randomSid } from './random-ids.js';
import {
  TwilioAccount,
  type EmulatedPhoneItem,
  type LateFailureRule,
  type RefusalRule,
} from './twilio-account.js';
import type { EmulatedCall } from './twilio-calls.js';
import { TwilioLifecycle, type EmulatedCallback } from './twilio-lifecycle.js';
import type { EmulatedMessage } from './twilio-messages.js';
import { WhatsAppSandbox } from './twilio-sandbox.js';
import { TwilioSenders } from './twilio-senders.js';

/** Options of `startTwilioEmulator`. */
export interface TwilioEmulatorOptions {
  /** Default: any free port. */
  readonly port?: number | undefined;
  /** Milliseconds since 1970; the sandbox's windows go by it. Default: `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** Time between the steps of a message or call, and so before each of its status callbacks. Default: 10. */
  readonly callbackDelayMs?: number | undefined;
  /** More senders of the account: numbers, Messaging Service SIDs, alphanumerics, `whatsapp:+…`. */
  readonly senders?: readonly string[] | undefined;
  /** Whether `+1500555…` act as with Twilio's test credentials. Default: `true`. */
  readonly magicNumbers?: boolean | undefined;
}

/** Something that a phone got, and whose it is. */
export interface DeliveredItem extends EmulatedPhoneItem {
  /** E.164. */
  readonly to: string;
}

/** A Twilio account on the loopback interface, with the phones that it reaches. */
export interface TwilioEmulator {
  /** E.g. `http://127.0.0.1:49152`. */
  readonly baseUrl: string;
  readonly accountSid: string;
  readonly apiKeySid: string;
  readonly apiKeySecret: string;
  /** Also signs the status callbacks. */
  readonly authToken: string;
  /** The number of the shared WhatsApp sandbox, +14155238886. */
  readonly sandboxNumber: string;
  /** What a phone sends to the sandbox to join it, without the `join`. */
  readonly joinCode: string;
  /** A number of the account that sends SMS. */
  readonly smsNumber: string;
  /** A number of the account that calls. */
  readonly voiceNumber: string;
  /** A Messaging Service of the account, which sends SMS from `smsNumber`. */
  readonly messagingServiceSid: string;
  /** Everything that was asked of the API, newest last. */
  readonly requests: RecordedRequest[];
  /** The messages that were accepted, newest last, each as it is now. */
  readonly messages: readonly EmulatedMessage[];
  /** The calls that were accepted, newest last, each as it is now. */
  readonly calls: readonly EmulatedCall[];
  /** The status callbacks that were made, newest last. */
  readonly callbacks: readonly EmulatedCallback[];
  /** How many requests followed a `redirect` fault. */
  readonly redirectHits: number;
  /**
   * What the phone with this number got, newest last. It is there as soon as Twilio accepts what will be delivered:
   * the delivery report comes after it, as in life. What fails is never there.
   */
  inbox(number: string): readonly EmulatedPhoneItem[];
  /** Told about everything that a phone gets. */
  onDelivered(listener: (item: DeliveredItem) => void): void;
  /** The phone joins the WhatsApp sandbox, or writes to it again: 72 hours of membership, 24 of them with free text. */
  joinSandbox(number: string): void;
  /** The phone leaves the WhatsApp sandbox: messages to it are accepted and fail with 63015. */
  leaveSandbox(number: string): void;
  /** Misbehaves, by default for every request. Rules are used in the order in which they were added. */
  fault(rule: FaultRule | Fault): void;
  /** Forgets the rules of `fault`, `refuseWith` and `failLater`. */
  clearFaults(): void;
  /** Refuses new messages and calls with one of Twilio's codes. */
  refuseWith(rule: RefusalRule): void;
  /** Accepts new messages and calls, and reports later that they failed. */
  failLater(rule: LateFailureRule): void;
  /** Ends at once: every connection and timer with it. Callbacks that are due are not made. */
  close(): Promise<void>;
}

const SANDBOX_NUMBER = '+14155238886';
const SMS_NUMBER = '+14155550100';
const VOICE_NUMBER = '+14155550101';
const API = '/2010-04-01/';
const DEFAULT_CALLBACK_DELAY_MS = 10;

/** Starts a Twilio account on 127.0.0.1. Close it at the end. */
export async function startTwilioEmulator(options: TwilioEmulatorOptions = {}): Promise<TwilioEmulator> {
  const clock = options.clock ?? Date.now;
  const keys = {
    accountSid: randomSid('AC'),
    authToken: randomSid(''),
    apiKeySid: randomSid('SK'),
    apiKeySecret: randomAlphanumeric(32),
  };
  const messagingServiceSid = randomSid('MG');
  const owned = [SMS_NUMBER, VOICE_NUMBER, messagingServiceSid, `whatsapp:${SANDBOX_NUMBER}`];
  const sandbox = new WhatsAppSandbox(clock);
  const inboxes = new Map<string, EmulatedPhoneItem[]>();
  const listeners: ((item: DeliveredItem) => void)[] = [];
  const agent = new Agent({ connections: null, keepAliveTimeout: 1000 });
  const lifecycle = new TwilioLifecycle({
    server: () => api.server,
    dispatcher: agent,
    accountSid: keys.accountSid,
    authToken: keys.authToken,
    stepMs: options.callbackDelayMs ?? DEFAULT_CALLBACK_DELAY_MS,
    clock,
  });
  const account = new TwilioAccount({
    keys,
    clock,
    senders: new TwilioSenders([...owned, ...(options.senders ?? [])], options.magicNumbers ?? true),
    poolNumber: SMS_NUMBER,
    sandboxNumber: SANDBOX_NUMBER,
    sandbox,
    lifecycle,
    onDelivered: (to, item) => {
      const inbox = inboxes.get(to);
      if (inbox === undefined) inboxes.set(to, [item]);
      else inbox.push(item);
      for (const listener of listeners) listener({ ...item, to });
    },
  });
  const api = await serveApi({
    port: options.port ?? 0,
    clock,
    isFaultable: () => true,
    isRecorded: (request) => request.path.startsWith(API),
    answer: (request) => withTwilioHeaders(account.answer(request)),
  });

  return {
    baseUrl: api.server.origin,
    ...keys,
    sandboxNumber: SANDBOX_NUMBER,
    joinCode: 'amber-lake',
    smsNumber: SMS_NUMBER,
    voiceNumber: VOICE_NUMBER,
    messagingServiceSid,
    requests: api.requests,
    messages: account.messages,
    calls: account.calls,
    callbacks: lifecycle.callbacks,
    get redirectHits() {
      return api.redirectHits();
    },
    inbox: (number) => [...(inboxes.get(number) ?? [])],
    onDelivered: (listener) => {
      listeners.push(listener);
    },
    joinSandbox: (number) => {
      sandbox.join(number);
    },
    leaveSandbox: (number) => {
      sandbox.leave(number);
    },
    fault: api.fault,
    clearFaults: () => {
      api.clearFaults();
      account.refusals.clear();
      account.lateFailures.clear();
    },
    refuseWith: (rule) => {
      account.refusals.add(rule);
    },
    failLater: (rule) => {
      account.lateFailures.add(rule);
    },
    close: async () => {
      await Promise.all([api.server.close(), agent.destroy()]);
    },
  };
}

function withTwilioHeaders(reply: Reply): Reply {
  const headers = { 'twilio-request-id': randomSid('RQ'), 'twilio-concurrent-requests': '1' };
  return { ...reply, headers: { ...headers, ...reply.headers } };
}
