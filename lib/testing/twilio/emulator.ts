import {
  startProvider,
  type EmulatedProvider,
  type ProviderEmulatorOptions,
} from '../server/emulated-provider.js';
import { randomAlphanumeric, randomSid } from '../server/random-ids.js';
import { TwilioAccount, type AccountSettings, type CampaignStatus, type TollfreeStatus } from './account.js';
import { isTwilioCall, twilioApi } from './api.js';
import type { EmulatedCall } from './calls.js';
import { TwilioContent, type EmulatedTemplate, type NewTemplate } from './content.js';
import type { AccountIds, LateFailureRule, RefusalRule, TwilioContext } from './context.js';
import { TwilioInbound, type AdvancedOptOut, type EmulatedInbound, type InboundMessage } from './inbound.js';
import { TwilioLifecycle } from './lifecycle.js';
import { TwilioLookup, type NumberRisk } from './lookup.js';
import type { EmulatedFeedback, EmulatedMessage } from './messages.js';
import { TwilioRecipients, TwilioSenders, WhatsAppSessions, type NumberCapabilities } from './senders.js';
import { TwilioSending } from './sending.js';
import { TwilioVerify, type EmulatedVerification } from './verify.js';
import type { VerifySettings } from './verify-service.js';
import { postWebhook, signWebhook } from './webhook.js';

/** Options of `startTwilioEmulator`. */
export interface TwilioEmulatorOptions extends ProviderEmulatorOptions {
  /** More senders of the account: numbers, Messaging Service SIDs, alphanumerics, `whatsapp:+…`. */
  readonly senders?: readonly string[] | undefined;
  /** Whether `+1500555…` act as with Twilio's test credentials. Default: `true`. */
  readonly magicNumbers?: boolean | undefined;
  /** Numbers that get no text messages (21635, by Verify 60205). Default: none. */
  readonly landlines?: readonly string[] | undefined;
  /** Numbers whose phones support RCS: what `messagingServiceSid` sends them goes by RCS. Default: none. */
  readonly rcsPhones?: readonly string[] | undefined;
}

/** A Twilio account on the loopback interface, with the phones that it reaches. */
export interface TwilioEmulator
  extends AccountIds, EmulatedProvider<RefusalRule, LateFailureRule, EmulatedMessage | EmulatedCall> {
  /** `baseUrl` and the keys, for the hook's `credentials.twilio`. */
  readonly credential: Pick<
    TwilioEmulator,
    'baseUrl' | 'accountSid' | 'apiKeySid' | 'apiKeySecret' | 'authToken'
  >;
  /** `smsNumber` and `voiceNumber`, for the hook's `senders`. */
  readonly senders: { readonly sms: string; readonly voice: string };
  /** The accepted messages with their current state, newest last. */
  readonly messages: readonly EmulatedMessage[];
  /** The accepted calls with their current state, newest last. */
  readonly calls: readonly EmulatedCall[];
  /** The verifications with their current state, newest last. */
  readonly verifications: readonly EmulatedVerification[];
  /** The feedback that was posted for messages, newest last. */
  readonly feedback: readonly EmulatedFeedback[];
  /** The content templates that were added. */
  readonly templates: readonly EmulatedTemplate[];
  /** The messages of `receive`, newest last. */
  readonly received: readonly EmulatedInbound[];

  /** The phone joins the WhatsApp sandbox, or writes to it again: 72 hours of membership, 24 of them with free text. */
  joinSandbox(number: string): void;
  /** The phone leaves the WhatsApp sandbox: messages to it are accepted and fail with 63015. */
  leaveSandbox(number: string): void;
  /** Whether WhatsApp messages from the sandbox reach the phone now. */
  isInSandbox(number: string): boolean;
  /**
   * A person writes to a number of the account. Twilio's keywords take effect: STOP and START of an SMS or by RCS (then
   * 21610), joining and leaving the sandbox. The signed webhook is posted, and its reply delivered. Throws for a
   * number that the account does not have.
   */
  receive(message: InboundMessage): Promise<EmulatedInbound>;
  /** The recipient opens a WhatsApp or RCS message: it is `read`, with a status callback. Throws for an unknown message. */
  markRead(messageSid: string): void;
  /** `X-Twilio-Signature` of a form that is posted to a URL. */
  sign(url: string, params: Readonly<Record<string, string>>): string;

  /**
   * Adds a content template, or replaces the one with its SID, e.g. by one that WhatsApp has paused. While there
   * is none, every `ContentSid` is an approved verification template; after that, unknown ones are refused with 21655.
   */
  addTemplate(template: NewTemplate): EmulatedTemplate;
  /** Changes the Verify service. */
  configureVerify(settings: VerifySettings): void;
  /** Sets the status of the 10DLC campaign of `messagingServiceSid`; `undefined` for no campaign. Default: `VERIFIED`. */
  setCampaign(status: CampaignStatus | undefined): void;
  /** Sets the status of the verification of a toll-free number. Default: it has none. */
  setTollfreeVerification(number: string, status: TollfreeStatus): void;
  /** Sets the risk of SMS pumping that Lookup gives a number. Default: a score of 0. */
  setRisk(number: string, risk: NumberRisk): void;
  /** Changes the account's resource, and the numbers that a trial account may send to. */
  configureAccount(settings: AccountSettings): void;
  /**
   * Turns on Advanced Opt-Out of the Messaging Service, with these words; `undefined` turns it off. It then has every sender
   * but the sandbox. Twilio replies to its words, also on WhatsApp, and posts them with `OptOutType`.
   */
  setAdvancedOptOut(words: AdvancedOptOut | undefined): void;
  /** Changes the capabilities of a number of the account. */
  setCapabilities(number: string, changed: Partial<NumberCapabilities>): void;
}

const SANDBOX_NUMBER = '+14155238886';
const SMS_NUMBER = '+14155550100';
const VOICE_NUMBER = '+14155550101';

/** Starts a Twilio account on 127.0.0.1. Close it at the end. */
export async function startTwilioEmulator(options: TwilioEmulatorOptions = {}): Promise<TwilioEmulator> {
  const { magicNumbers = true } = options;
  const keys = {
    accountSid: randomSid('AC'),
    authToken: randomSid(''),
    apiKeySid: randomSid('SK'),
    apiKeySecret: randomAlphanumeric(32),
  };
  const place = {
    sandboxNumber: SANDBOX_NUMBER,
    joinCode: 'amber-lake',
    sandboxContentSid: randomSid('HX'),
    smsNumber: SMS_NUMBER,
    voiceNumber: VOICE_NUMBER,
    messagingServiceSid: randomSid('MG'),
    verifyServiceSid: randomSid('VA'),
  };
  const owned = [SMS_NUMBER, VOICE_NUMBER, place.messagingServiceSid, `whatsapp:${SANDBOX_NUMBER}`];
  const senders = new TwilioSenders([...owned, ...(options.senders ?? [])], magicNumbers);
  const provider = await startProvider<RefusalRule, LateFailureRule, EmulatedMessage | EmulatedCall>(
    options,
    {
      isRecorded: isTwilioCall,
      // Without an answer, Twilio only writes an entry in its debugger.
      post: async (url, params) => (await postWebhook(context, url, params))?.status,
    },
  );
  const { clock, server, phones, refusals, lateFailures, callbacks } = provider;
  const sessions = new WhatsAppSessions(clock, SANDBOX_NUMBER);
  const context: TwilioContext = {
    ...keys,
    ...place,
    clock,
    server,
    senders,
    recipients: new TwilioRecipients(options.landlines ?? [], options.rcsPhones ?? []),
    sessions,
    phones,
    refusals,
    lateFailures,
  };
  const lifecycle = new TwilioLifecycle(context, callbacks);
  const content = new TwilioContent(context);
  const account = new TwilioAccount(context);
  const sending = new TwilioSending(context, content, lifecycle);
  const verify = new TwilioVerify(context);
  const lookup = new TwilioLookup(context);
  const inbound = new TwilioInbound(context);
  server.serve(twilioApi(context, { account, sending, content, verify, lookup }));

  return provider.emulatorOf<TwilioEmulator>({
    ...keys,
    credential: { ...keys, baseUrl: server.origin },
    senders: { sms: SMS_NUMBER, voice: VOICE_NUMBER },
    ...place,
    messages: sending.messages,
    calls: sending.calls,
    get verifications() {
      return verify.verifications;
    },
    feedback: sending.feedback,
    templates: content.templates,
    received: inbound.received,
    joinSandbox: (number) => sessions.join(number),
    leaveSandbox: (number) => sessions.leave(number),
    isInSandbox: (number) => sessions.isReachable(number, SANDBOX_NUMBER),
    receive: (message) => inbound.receive(message),
    markRead: (messageSid) => {
      const message = sending.messages.find(({ sid, channel }) => sid === messageSid && channel !== 'sms');
      if (message === undefined)
        throw new Error(`There is no WhatsApp message or RCS message ${messageSid}.`);
      lifecycle.readMessage(message);
    },
    sign: (url, params) => signWebhook(keys.authToken, url, params),
    addTemplate: (template) => content.add(template),
    configureVerify: (settings) => verify.configure(settings),
    setCampaign: (status) => account.setCampaign(status),
    setTollfreeVerification: (number, status) => account.setTollfree(number, status),
    setRisk: (number, risk) => lookup.setRisk(number, risk),
    configureAccount: (settings) => account.configure(settings),
    setAdvancedOptOut: (words) => inbound.setAdvancedOptOut(words),
    setCapabilities: (number, changed) => senders.setCapabilities(number, changed),
  });
}
