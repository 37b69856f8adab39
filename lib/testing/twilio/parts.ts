import type { HttpDispatcher } from '../../core/http.js';
import type { LoopbackServer } from '../server/loopback-server.js';
import { randomSid } from '../server/random-ids.js';
import { TwilioAccount } from './account.js';
import type { TwilioProducts } from './api.js';
import { TwilioCallbacks } from './callbacks.js';
import { TwilioContent } from './content.js';
import { TwilioInbound } from './inbound.js';
import { TwilioLifecycle } from './lifecycle.js';
import { TwilioMessagingServices } from './messaging-services.js';
import { TwilioPhones } from './phones.js';
import { SendingRules } from './rules.js';
import { TwilioRecipients, TwilioSenders } from './senders.js';
import { TwilioSending } from './sending.js';
import { TwilioVerify } from './verify.js';
import { WhatsAppSessions } from './whatsapp.js';

/** Options of `makeTwilioParts`. */
export interface TwilioPartsOptions {
  readonly accountSid: string;
  readonly authToken: string;
  readonly clock: () => number;
  /** Makes the webhook calls. */
  readonly dispatcher: HttpDispatcher;
  readonly server: () => LoopbackServer;
  readonly stepMs: number;
  readonly senders: readonly string[];
  readonly hasMagicNumbers: boolean;
  readonly landlines: readonly string[];
}

const SANDBOX_NUMBER = '+14155238886';
const SMS_NUMBER = '+14155550100';
const VOICE_NUMBER = '+14155550101';

/** Makes the parts of an account and connects them. */
export function makeTwilioParts(options: TwilioPartsOptions) {
  const { accountSid, authToken, clock, dispatcher, server, stepMs } = options;
  const place = {
    sandboxNumber: SANDBOX_NUMBER,
    joinCode: 'amber-lake',
    sandboxContentSid: randomSid('HX'),
    smsNumber: SMS_NUMBER,
    voiceNumber: VOICE_NUMBER,
    messagingServiceSid: randomSid('MG'),
    verifyServiceSid: randomSid('VA'),
  };
  const { sandboxContentSid, messagingServiceSid } = place;
  const baseUrl = (): string => server().origin;
  const owned = [SMS_NUMBER, VOICE_NUMBER, messagingServiceSid, `whatsapp:${SANDBOX_NUMBER}`];
  const senders = new TwilioSenders([...owned, ...options.senders], options.hasMagicNumbers);
  const recipients = new TwilioRecipients(options.landlines);
  const sessions = new WhatsAppSessions(clock, SANDBOX_NUMBER);
  const phones = new TwilioPhones();
  const rules = new SendingRules();
  const caller = { dispatcher, authToken };
  const callbacks = new TwilioCallbacks(caller, server);
  const lifecycle = new TwilioLifecycle({ server, callbacks, accountSid, stepMs, clock });
  const content = new TwilioContent({ accountSid, sandboxContentSid, baseUrl, clock });
  const account = new TwilioAccount({ accountSid, authToken, clock, senders, recipients });
  // For every part that sends messages, or shows senders.
  const shared = { accountSid, clock, baseUrl, senders, recipients, phones, rules, poolNumber: SMS_NUMBER };
  const products: TwilioProducts = {
    account,
    content,
    sending: new TwilioSending({ ...shared, content, sessions, lifecycle }),
    messagingServices: new TwilioMessagingServices({ ...shared, account }),
    verify: new TwilioVerify({ ...shared, serviceSid: place.verifyServiceSid, messagingServiceSid }),
  };
  const inbound = new TwilioInbound({ ...shared, ...caller, ...place, sessions });
  return { place, products, callbacks, inbound, lifecycle, phones, rules, senders, sessions };
}
