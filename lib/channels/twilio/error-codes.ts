import type { MoveOn } from '../../core/channel.js';
import {
  ADD_CAPACITY,
  CHECK_ACCOUNT,
  CHECK_CREDENTIALS,
  CHECK_GEO,
  CHECK_REGISTRATION,
  CHECK_SENDER,
  CHECK_TEMPLATE,
  CHECK_WHATSAPP,
  LET_THROUGH,
  REPORT_BUG,
  UPGRADE_TRIAL,
} from './remedies.js';
import { VERIFY_ERRORS } from './verify-error-codes.js';

/**
 * Twilio's error codes: what they mean for the plan. The texts are our own; Twilio's may quote the number.
 * Sources: Twilio's error dictionary, and what it says of each product's failures.
 */

/** What one code means. */
export interface TwilioError {
  /** For Okta's administrators; no digits, so that nothing in it can be a number or a code. */
  readonly meaning: string;
  /** For the log: what somebody has to do. */
  readonly remedy?: string;
  readonly moveOn: MoveOn;
  /** A fraud filter held it back: nothing else may be tried on the user's behalf. */
  readonly isFraudBlock?: true;
  /** Nobody is reached at the number by this channel, and will not be for a while. */
  readonly isNotReached?: true;
}

/** A refusal in our words. */
export interface RefusalDescription {
  /** Twilio's code, or `HTTP_` and the status where it gave none. */
  readonly code: string;
  readonly reason: string;
  readonly moveOn: MoveOn;
  readonly isFraudBlock?: true;
  readonly isNotReached?: true;
  readonly remedy?: string;
}

/** The codes of each subject, in the order in which TROUBLESHOOTING.md has them. */
export const ERRORS: Readonly<Record<string, Readonly<Record<number, TwilioError>>>> = {
  'The account, its credentials, Twilio itself': {
    20003: {
      meaning: 'Twilio does not accept the credentials',
      remedy: CHECK_CREDENTIALS,
      moveOn: 'other-provider',
    },
    20005: { meaning: 'The Twilio account is not active', remedy: CHECK_ACCOUNT, moveOn: 'other-provider' },
    20008: {
      meaning: 'Test credentials cannot do this',
      remedy: CHECK_CREDENTIALS,
      moveOn: 'other-provider',
    },
    20404: {
      meaning: 'Twilio knows no such account or service',
      remedy: CHECK_CREDENTIALS,
      moveOn: 'other-provider',
    },
    20429: { meaning: 'Too many requests to Twilio at once', remedy: ADD_CAPACITY, moveOn: true },
    20500: { meaning: 'A fault at Twilio', moveOn: true },
    20503: { meaning: 'Twilio is not available', moveOn: true },
    30002: { meaning: 'The Twilio account is suspended', remedy: CHECK_ACCOUNT, moveOn: 'other-provider' },
    30037: { meaning: 'The Twilio account may not send', remedy: CHECK_ACCOUNT, moveOn: 'other-provider' },
    21608: {
      meaning: 'A trial account sends to verified numbers only',
      remedy: UPGRADE_TRIAL,
      moveOn: 'other-provider',
    },
    21219: {
      meaning: 'A trial account calls verified numbers only',
      remedy: UPGRADE_TRIAL,
      moveOn: 'other-provider',
    },
    572005: {
      meaning: 'A trial account sends to verified numbers only',
      remedy: UPGRADE_TRIAL,
      moveOn: 'other-provider',
    },
  },
  "The recipient's number": {
    21211: { meaning: 'Not a valid phone number', moveOn: false },
    21217: { meaning: 'Not a valid phone number', moveOn: false },
    21401: { meaning: 'Not a valid phone number', moveOn: false },
    21614: { meaning: 'Not a mobile number', moveOn: true },
    21635: { meaning: 'A landline, which gets no text messages', moveOn: true },
    30006: { meaning: 'A landline, or a carrier that cannot be reached', moveOn: true },
    30003: { meaning: 'The phone is off or out of reach', moveOn: true },
    30005: { meaning: 'The number is unknown or no longer in use', moveOn: true },
    30038: { meaning: "The recipient is a number of Twilio's, which gets no one-time codes", moveOn: false },
  },
  "The recipient's will": {
    21610: {
      meaning: 'The recipient has opted out of messages from this sender',
      remedy: 'They lift it by sending START to the sender.',
      moveOn: 'other-channel',
    },
    30630: { meaning: 'The recipient has opted out of messages from this sender', moveOn: 'other-channel' },
    30004: {
      meaning: 'The recipient or the carrier blocks messages from this sender',
      moveOn: 'other-channel',
    },
  },
  Fraud: {
    30450: {
      meaning: "Held back by Twilio's protection against SMS pumping",
      remedy: LET_THROUGH,
      moveOn: false,
      isFraudBlock: true,
    },
    30453: {
      meaning: "Held back by Twilio's protection against fraud",
      remedy: LET_THROUGH,
      moveOn: false,
      isFraudBlock: true,
    },
    30485: {
      meaning: "Held back by Twilio's protection against fraud",
      remedy: LET_THROUGH,
      moveOn: false,
      isFraudBlock: true,
    },
  },
  Countries: {
    21408: { meaning: 'Text messages to this country are not allowed', remedy: CHECK_GEO, moveOn: true },
  },
  'Text messages: sender and route': {
    21212: { meaning: 'Not a valid sender', remedy: CHECK_SENDER, moveOn: true },
    21603: { meaning: 'The sender is missing', remedy: CHECK_SENDER, moveOn: true },
    21606: { meaning: 'The sender cannot send this', remedy: CHECK_SENDER, moveOn: true },
    21657: { meaning: 'Not a valid sender', remedy: CHECK_SENDER, moveOn: true },
    21659: { meaning: 'The sender is not a number of the account', remedy: CHECK_SENDER, moveOn: true },
    21660: { meaning: 'The sender does not belong to the account', remedy: CHECK_SENDER, moveOn: true },
    21661: { meaning: 'The sender cannot send text messages', remedy: CHECK_SENDER, moveOn: true },
    21612: {
      meaning: 'There is no route from this sender to the recipient',
      remedy: CHECK_SENDER,
      moveOn: true,
    },
    21703: {
      meaning: 'The Messaging Service has no sender for the recipient',
      remedy: CHECK_SENDER,
      moveOn: true,
    },
    30018: {
      meaning: 'The country wants senders registered, which this one is not',
      remedy: CHECK_REGISTRATION,
      moveOn: true,
    },
    30024: {
      meaning: 'The sender is not set up at the carrier yet',
      remedy: CHECK_REGISTRATION,
      moveOn: true,
    },
    30032: { meaning: 'The toll-free sender is not verified', remedy: CHECK_REGISTRATION, moveOn: true },
    30034: {
      meaning: 'The sender is not registered for the United States',
      remedy: CHECK_REGISTRATION,
      moveOn: true,
    },
    30035: {
      meaning: "The sender's registration is not complete yet",
      remedy: CHECK_REGISTRATION,
      moveOn: true,
    },
  },
  'Text messages: what is sent': {
    21602: { meaning: 'The message has no text', remedy: REPORT_BUG, moveOn: true },
    21617: { meaning: 'The message is too long', remedy: REPORT_BUG, moveOn: true },
    21618: { meaning: 'The text cannot be sent', moveOn: true },
    21658: { meaning: 'A parameter is too long', remedy: REPORT_BUG, moveOn: true },
    21609: {
      meaning: 'Twilio does not take the callback URL',
      remedy: 'Check publicUrl: Twilio has to reach it.',
      moveOn: true,
    },
    21624: { meaning: "Twilio does not take the message's lifetime", remedy: REPORT_BUG, moveOn: true },
    30045: { meaning: "Twilio does not take the message's lifetime", remedy: REPORT_BUG, moveOn: true },
    90007: { meaning: "Twilio does not take the message's lifetime", remedy: REPORT_BUG, moveOn: true },
    30007: {
      meaning: 'Filtered by Twilio or the carrier',
      remedy: "Check the text and the sender's registration.",
      moveOn: true,
    },
    30008: { meaning: 'Not delivered, for a reason that the carrier does not tell', moveOn: true },
    // Messages live as long as their code: nothing is left to be sent.
    30036: { meaning: 'The code expired before the message could be delivered', moveOn: false },
  },
  'Text messages: capacity': {
    21611: { meaning: "The sender's queue is full", remedy: ADD_CAPACITY, moveOn: true },
    30001: { meaning: "The sender's queue is full", remedy: ADD_CAPACITY, moveOn: true },
    30022: { meaning: 'More messages than the sender is registered for', remedy: ADD_CAPACITY, moveOn: true },
    30023: { meaning: "The sender's daily limit is used up", remedy: ADD_CAPACITY, moveOn: true },
    30027: {
      meaning: "The sender's daily limit at the carrier is used up",
      remedy: ADD_CAPACITY,
      moveOn: true,
    },
  },
  'WhatsApp: sender and account': {
    21910: {
      meaning: 'Sender and recipient are not of the same channel',
      remedy: CHECK_SENDER,
      moveOn: true,
    },
    30016: {
      meaning: 'Sender and recipient are not of the same channel',
      remedy: CHECK_SENDER,
      moveOn: true,
    },
    63001: { meaning: 'WhatsApp does not accept the sender', remedy: CHECK_WHATSAPP, moveOn: true },
    63002: { meaning: 'WhatsApp does not know the sender', remedy: CHECK_WHATSAPP, moveOn: true },
    63007: { meaning: 'The account has no such WhatsApp sender', remedy: CHECK_WHATSAPP, moveOn: true },
    63008: { meaning: 'The WhatsApp sender is not set up properly', remedy: CHECK_WHATSAPP, moveOn: true },
    63020: { meaning: 'Twilio is not invited to the business at Meta', remedy: CHECK_WHATSAPP, moveOn: true },
    63022: { meaning: "The WhatsApp sender's name is not certified", remedy: CHECK_WHATSAPP, moveOn: true },
    63051: { meaning: 'Meta has locked the WhatsApp Business account', remedy: CHECK_WHATSAPP, moveOn: true },
    63112: {
      meaning: 'Meta has disabled the WhatsApp Business account',
      remedy: CHECK_WHATSAPP,
      moveOn: true,
    },
  },
  'WhatsApp: the recipient': {
    63003: { meaning: 'The recipient is not on WhatsApp', moveOn: true, isNotReached: true },
    63014: { meaning: 'The recipient has blocked or opted out of this sender', moveOn: 'other-channel' },
    63015: {
      meaning: 'The recipient has not joined the WhatsApp sandbox',
      remedy: 'Join it anew: its membership lasts three days.',
      moveOn: true,
    },
    63024: { meaning: 'The recipient cannot get this on WhatsApp', moveOn: true, isNotReached: true },
    63032: { meaning: 'Meta does not let this reach the recipient for now', moveOn: true },
    63033: { meaning: 'The recipient has blocked or opted out of this sender', moveOn: 'other-channel' },
    63049: {
      meaning: 'Meta withheld the message',
      remedy: 'The template has to be of the category AUTHENTICATION.',
      moveOn: true,
    },
  },
  'WhatsApp: what is sent': {
    21654: { meaning: 'The content template is missing', remedy: CHECK_TEMPLATE, moveOn: true },
    21655: { meaning: 'There is no such content template', remedy: CHECK_TEMPLATE, moveOn: true },
    21656: { meaning: "Twilio does not take the template's variables", remedy: CHECK_TEMPLATE, moveOn: true },
    63005: { meaning: 'WhatsApp does not take the content', remedy: CHECK_TEMPLATE, moveOn: true },
    63006: { meaning: 'WhatsApp cannot format the content', remedy: CHECK_TEMPLATE, moveOn: true },
    63013: { meaning: "The message is against WhatsApp's rules", remedy: CHECK_TEMPLATE, moveOn: true },
    63016: {
      meaning: 'Free text outside the hours after the recipient last wrote',
      remedy: 'Send a template: sandboxNumber {number, contentSid}, or senders.whatsapp.',
      moveOn: true,
    },
    63021: { meaning: 'WhatsApp does not take the content', remedy: CHECK_TEMPLATE, moveOn: true },
    63027: { meaning: 'The template does not exist in this language', remedy: CHECK_TEMPLATE, moveOn: true },
    63028: { meaning: 'The template has another number of variables', remedy: CHECK_TEMPLATE, moveOn: true },
    63040: { meaning: 'Meta has rejected the template', remedy: CHECK_TEMPLATE, moveOn: true },
    63041: { meaning: 'Meta has paused the template', remedy: CHECK_TEMPLATE, moveOn: true },
    63042: { meaning: 'Meta has disabled the template', remedy: CHECK_TEMPLATE, moveOn: true },
  },
  'WhatsApp: capacity and faults': {
    63017: { meaning: 'More messages than the account may send', remedy: ADD_CAPACITY, moveOn: true },
    63018: {
      meaning: 'More messages than WhatsApp lets the sender send',
      remedy: ADD_CAPACITY,
      moveOn: true,
    },
    63038: { meaning: "The account's daily limit is used up", remedy: ADD_CAPACITY, moveOn: true },
    63009: { meaning: 'A fault at WhatsApp', moveOn: true },
    63010: { meaning: 'A fault at Twilio', moveOn: true },
    63012: { meaning: 'A fault at WhatsApp', moveOn: true },
    63023: { meaning: 'A fault at WhatsApp', moveOn: true },
  },
  Voice: {
    21201: { meaning: 'The call has no recipient', remedy: REPORT_BUG, moveOn: true },
    21202: { meaning: 'A premium-rate number', moveOn: false },
    21203: { meaning: 'International calls are not allowed', remedy: CHECK_GEO, moveOn: true },
    21210: { meaning: 'The caller is not a number of the account', remedy: CHECK_SENDER, moveOn: true },
    21214: { meaning: 'The number cannot be reached by a call', moveOn: true },
    21215: { meaning: 'Calls to this country are not allowed', remedy: CHECK_GEO, moveOn: true },
    21216: { meaning: 'Twilio does not call this number', moveOn: true },
    13227: { meaning: 'Calls to this country are not allowed', remedy: CHECK_GEO, moveOn: true },
    32205: { meaning: 'Calls to this number are not allowed', remedy: CHECK_GEO, moveOn: true },
    13521: { meaning: 'The spoken text is too long', remedy: REPORT_BUG, moveOn: true },
    32018: { meaning: 'The spoken text is too long', remedy: REPORT_BUG, moveOn: true },
  },
};

const BY_CODE: Readonly<Record<number, TwilioError>> = Object.fromEntries(
  [ERRORS, VERIFY_ERRORS]
    .flatMap((subjects) => Object.values(subjects))
    .flatMap((codes) => Object.entries(codes)),
);

/** What a code means in our words; `undefined` for one that is not in the table. */
export function meaningOf(code: number): string | undefined {
  return lookUp(code)?.meaning;
}

/**
 * A refusal by Twilio's code, or by the HTTP status where there is none or a new one: Twilio splits its codes
 * now and then, and one that is not known is no reason to stop.
 */
export function describeRefusal(code: number | undefined, httpStatus: number): RefusalDescription {
  const { meaning, ...rest } = (code === undefined ? undefined : lookUp(code)) ?? byStatus(httpStatus);
  return { code: code === undefined ? `HTTP_${httpStatus}` : String(code), reason: meaning, ...rest };
}

function lookUp(code: number): TwilioError | undefined {
  return Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
}

function byStatus(httpStatus: number): TwilioError {
  if (httpStatus === 401) {
    return {
      meaning: 'Twilio does not accept the credentials',
      remedy: CHECK_CREDENTIALS,
      moveOn: 'other-provider',
    };
  }
  if (httpStatus === 429) return { meaning: 'Too many requests to the provider at once', moveOn: true };
  if (httpStatus >= 500) return { meaning: 'The provider is not available', moveOn: true };
  return { meaning: 'Refused by the provider', moveOn: true };
}
