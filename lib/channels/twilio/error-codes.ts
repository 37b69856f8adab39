import { OTHER_CHANNEL, REPORT_BUG, type ErrorTable, type RefusalMeaning } from '../provider.js';

/**
 * Twilio's error codes and what they mean for the plan. The texts are ours, without digits, because Twilio's may quote
 * the number. Sources: Twilio's error dictionary and its documentation of each product's failures.
 */

// What an operator can do about a refusal.
export const CHECK_CREDENTIALS =
  'Check credentials.twilio: the SIDs, the secret, and that they belong to the same region.';
const CHECK_ACCOUNT = "Look at the account's state in the Twilio Console.";
const CHECK_SENDER = 'Check senders: the number must belong to the account and be able to send this.';
const CHECK_FALLBACK =
  'Set fallbackFrom in senders.sms to a number or name of the account that can send SMS.';
const CHECK_RCS = 'Add an RCS sender to the service, or leave out fallbackFrom in senders.sms.';
const CHECK_REDACTION =
  'Turn on Message Redaction in the Twilio Console, or leave this option of twilio out.';
const CHECK_GEO = 'If you send there, allow the country in the geographic permissions of the Twilio Console.';
const CHECK_TEMPLATE = "Check the template's state, language and variables in Content Template Builder.";
const CHECK_WHATSAPP = 'Check the WhatsApp sender in the Twilio Console and its account at Meta.';
const CHECK_REGISTRATION = 'Register the sender for the country; until then, use another one in senders.sms.';
const UPGRADE_TRIAL = 'Upgrade the trial account, or verify the number in the Twilio Console.';
export const ADD_CAPACITY = 'Add senders, or ask Twilio for more throughput.';
const LET_THROUGH = "If it is a real user, put the number on Twilio's Safe List.";
const SEND_START = 'They can end it by sending START to the sender.';
const UNBLOCK = 'The user must unblock the sender.';
const ENROLL_VALID = 'Have the user enroll a valid number, or set defaultCountry.';
const ENROLL_MOBILE = 'Have the user enroll a mobile number.';
const ENROLL_OTHER = 'Have the user enroll another number.';
const TURN_ON = 'Have the user turn the phone on.';
const TEXT_INSTEAD = 'Have the user choose a text message.';
const NEW_CODE = 'The user must request a new code.';
const CHECK_TEXT = 'Check texts and composeText.';
export const CHECK_STATUS = 'Check status.twilio.com.';
export const LOOK_AT_LOG =
  "Look at the message in the Twilio Console, and at the code in Twilio's error dictionary.";

export const UNAUTHORIZED: RefusalMeaning = {
  reason: 'Twilio does not accept the credentials',
  remedy: CHECK_CREDENTIALS,
  cause: 'account',
};
const TRIAL: RefusalMeaning = {
  reason: 'A trial account sends to verified numbers only',
  remedy: UPGRADE_TRIAL,
  cause: 'account',
};
const OPTED_OUT: RefusalMeaning = {
  reason: 'The recipient has opted out of messages from this sender',
  remedy: SEND_START,
  cause: 'opted-out',
};
const BLOCKED_SENDER: RefusalMeaning = {
  reason: 'The recipient has blocked or opted out of this sender',
  remedy: UNBLOCK,
  cause: 'opted-out',
};
const FRAUD: RefusalMeaning = {
  reason: "Blocked by Twilio's protection against fraud",
  remedy: LET_THROUGH,
  cause: 'fraud',
};
const OTHER_CHANNELS: RefusalMeaning = {
  reason: 'Sender and recipient are on different channels',
  remedy: CHECK_SENDER,
};

export const ERRORS: ErrorTable = {
  'The account, its credentials, Twilio itself': {
    20003: UNAUTHORIZED,
    20005: { reason: 'The Twilio account is not active', remedy: CHECK_ACCOUNT, cause: 'account' },
    20008: {
      reason: 'Test credentials cannot do this',
      remedy: CHECK_CREDENTIALS,
      cause: 'account',
    },
    20404: {
      reason: 'Twilio knows no such account or service',
      remedy: CHECK_CREDENTIALS,
      cause: 'account',
    },
    20429: { reason: 'Too many requests to Twilio at once', remedy: ADD_CAPACITY },
    20500: { reason: 'A fault at Twilio', remedy: CHECK_STATUS },
    20503: { reason: 'Twilio is not available', remedy: CHECK_STATUS },
    30002: { reason: 'The Twilio account is suspended', remedy: CHECK_ACCOUNT, cause: 'account' },
    30037: { reason: 'The Twilio account may not send', remedy: CHECK_ACCOUNT, cause: 'account' },
    21608: TRIAL,
    21219: {
      reason: 'A trial account calls verified numbers only',
      remedy: UPGRADE_TRIAL,
      cause: 'account',
    },
    572005: TRIAL,
  },
  "The recipient's number": {
    21211: { reason: 'Not a valid phone number', remedy: ENROLL_VALID, cause: 'wrong-number' },
    21217: { reason: 'Not a valid phone number', remedy: ENROLL_VALID, cause: 'wrong-number' },
    21401: { reason: 'Not a valid phone number', remedy: ENROLL_VALID, cause: 'wrong-number' },
    21614: { reason: 'Not a mobile number', remedy: ENROLL_MOBILE },
    21635: { reason: 'The number is a landline, which cannot receive text messages', remedy: ENROLL_MOBILE },
    30006: { reason: 'A landline, or a carrier that cannot be reached', remedy: ENROLL_MOBILE },
    30003: { reason: 'The phone is off or out of reach', remedy: TURN_ON },
    30005: { reason: 'The number is unknown or no longer in use', remedy: ENROLL_OTHER },
    30038: {
      reason: "The recipient is a number of Twilio's, which cannot get one-time codes",
      remedy: ENROLL_OTHER,
      moveOn: false,
    },
  },
  "The recipient's will": {
    21610: OPTED_OUT,
    30630: OPTED_OUT,
    30004: {
      reason: 'The recipient or the carrier blocks messages from this sender',
      remedy: UNBLOCK,
      cause: 'opted-out',
    },
  },
  Fraud: {
    30450: {
      reason: "Blocked by Twilio's protection against SMS pumping",
      remedy: LET_THROUGH,
      cause: 'fraud',
    },
    30453: FRAUD,
    30485: FRAUD,
  },
  Countries: {
    21408: { reason: 'Text messages to this country are not allowed', remedy: CHECK_GEO },
  },
  'Text messages: sender and route': {
    21212: { reason: 'Not a valid sender', remedy: CHECK_SENDER },
    21603: { reason: 'The sender is missing', remedy: CHECK_SENDER },
    21606: { reason: 'The sender cannot send this', remedy: CHECK_SENDER },
    21657: { reason: 'Not a valid sender', remedy: CHECK_SENDER },
    21659: { reason: 'The sender is not a number of the account', remedy: CHECK_SENDER },
    21660: { reason: 'The sender does not belong to the account', remedy: CHECK_SENDER },
    21661: { reason: 'The sender cannot send text messages', remedy: CHECK_SENDER },
    21664: { reason: 'A fallback for RCS does not go with a sender', remedy: REPORT_BUG },
    21665: { reason: 'The fallback for RCS is not a sender of the account', remedy: CHECK_FALLBACK },
    21666: { reason: 'A fallback for RCS needs a Messaging Service', remedy: REPORT_BUG },
    21667: { reason: 'The Messaging Service has no RCS sender', remedy: CHECK_RCS },
    21612: {
      reason: 'There is no route from this sender to the recipient',
      remedy: CHECK_SENDER,
    },
    21703: {
      reason: 'The Messaging Service has no sender for the recipient',
      remedy: CHECK_SENDER,
    },
    30018: {
      reason: 'The country requires registered senders, and this one is not registered',
      remedy: CHECK_REGISTRATION,
    },
    30024: {
      reason: 'The sender is not set up at the carrier yet',
      remedy: CHECK_REGISTRATION,
    },
    30032: { reason: 'The toll-free sender is not verified', remedy: CHECK_REGISTRATION },
    30034: {
      reason: 'The sender is not registered for the United States',
      remedy: CHECK_REGISTRATION,
    },
    30035: {
      reason: "The sender's registration is not complete yet",
      remedy: CHECK_REGISTRATION,
    },
  },
  'Text messages: content': {
    21602: { reason: 'The message has no text', remedy: REPORT_BUG },
    21617: { reason: 'The message is too long', remedy: REPORT_BUG },
    21618: { reason: 'The text cannot be sent', remedy: CHECK_TEXT },
    21658: { reason: 'A parameter is too long', remedy: REPORT_BUG },
    21609: {
      reason: 'Twilio does not accept the callback URL',
      remedy: 'Check publicUrl: Twilio must reach it.',
    },
    21624: { reason: "Twilio does not accept the message's lifetime", remedy: REPORT_BUG },
    30045: { reason: "Twilio does not accept the message's lifetime", remedy: REPORT_BUG },
    90007: { reason: "Twilio does not accept the message's lifetime", remedy: REPORT_BUG },
    30029: { reason: 'The account may not have texts discarded', remedy: CHECK_REDACTION },
    30030: { reason: 'The account may not have numbers obfuscated', remedy: CHECK_REDACTION },
    30007: {
      reason: 'Filtered by Twilio or the carrier',
      remedy: "Check the text and the sender's registration.",
    },
    30008: { reason: 'Not delivered, for a reason that the carrier does not give', remedy: LOOK_AT_LOG },
    // The message's validity ends with the code, so another channel must not send it.
    30036: {
      reason: 'The code expired before the message could be delivered',
      remedy: NEW_CODE,
      moveOn: false,
    },
  },
  'Text messages: capacity': {
    21611: { reason: "The sender's queue is full", remedy: ADD_CAPACITY },
    30001: { reason: "The sender's queue is full", remedy: ADD_CAPACITY },
    30022: {
      reason: "More messages than the sender's registration allows",
      remedy: ADD_CAPACITY,
    },
    30023: { reason: "The sender's daily limit is used up", remedy: ADD_CAPACITY },
    30027: {
      reason: "The sender's daily limit at the carrier is used up",
      remedy: ADD_CAPACITY,
    },
  },
  'WhatsApp: sender and account': {
    21910: OTHER_CHANNELS,
    30016: OTHER_CHANNELS,
    63001: { reason: 'WhatsApp does not accept the sender', remedy: CHECK_WHATSAPP },
    63002: { reason: 'WhatsApp does not know the sender', remedy: CHECK_WHATSAPP },
    63007: { reason: 'The account has no such WhatsApp sender', remedy: CHECK_WHATSAPP },
    63008: { reason: 'The WhatsApp sender is not set up properly', remedy: CHECK_WHATSAPP },
    63020: { reason: 'Twilio is not invited to the business at Meta', remedy: CHECK_WHATSAPP },
    63022: { reason: "The WhatsApp sender's name is not certified", remedy: CHECK_WHATSAPP },
    63051: { reason: 'Meta has locked the WhatsApp Business account', remedy: CHECK_WHATSAPP },
    63112: {
      reason: 'Meta has disabled the WhatsApp Business account',
      remedy: CHECK_WHATSAPP,
    },
  },
  'WhatsApp: the recipient': {
    63003: { reason: 'The recipient is not on WhatsApp', remedy: OTHER_CHANNEL, isNotReached: true },
    63014: BLOCKED_SENDER,
    63015: {
      reason: 'The recipient has not joined the WhatsApp sandbox',
      remedy: 'Join it anew: its membership lasts three days.',
    },
    63024: { reason: 'The recipient cannot get this on WhatsApp', remedy: OTHER_CHANNEL, isNotReached: true },
    63032: { reason: 'Meta does not let this reach the recipient for now', remedy: OTHER_CHANNEL },
    63033: BLOCKED_SENDER,
    63049: {
      reason: 'Meta withheld the message',
      remedy: 'The template must have the category AUTHENTICATION.',
    },
  },
  'WhatsApp: content': {
    21654: { reason: 'The content template is missing', remedy: CHECK_TEMPLATE },
    21655: { reason: 'There is no such content template', remedy: CHECK_TEMPLATE },
    21656: {
      reason: "Twilio does not accept the template's variables",
      remedy: CHECK_TEMPLATE,
    },
    63005: { reason: 'WhatsApp does not accept the content', remedy: CHECK_TEMPLATE },
    63006: { reason: 'WhatsApp cannot format the content', remedy: CHECK_TEMPLATE },
    63013: { reason: "The message is against WhatsApp's rules", remedy: CHECK_TEMPLATE },
    63016: {
      reason: 'Free text outside the hours after the recipient last wrote',
      remedy: 'Send a template: sandboxNumber {number, contentSid}, or senders.whatsapp.',
    },
    63021: { reason: 'WhatsApp does not accept the content', remedy: CHECK_TEMPLATE },
    63027: { reason: 'The template does not exist in this language', remedy: CHECK_TEMPLATE },
    63028: { reason: 'The template has another number of variables', remedy: CHECK_TEMPLATE },
    63040: { reason: 'Meta has rejected the template', remedy: CHECK_TEMPLATE },
    63041: { reason: 'Meta has paused the template', remedy: CHECK_TEMPLATE },
    63042: { reason: 'Meta has disabled the template', remedy: CHECK_TEMPLATE },
  },
  'WhatsApp: capacity and faults': {
    63017: { reason: 'More messages than the account may send', remedy: ADD_CAPACITY },
    63018: {
      reason: 'More messages than WhatsApp lets the sender send',
      remedy: ADD_CAPACITY,
    },
    63038: { reason: "The account's daily limit is used up", remedy: ADD_CAPACITY },
    63009: { reason: 'A fault at WhatsApp', remedy: CHECK_STATUS },
    63010: { reason: 'A fault at Twilio', remedy: CHECK_STATUS },
    63012: { reason: 'A fault at WhatsApp', remedy: CHECK_STATUS },
    63023: { reason: 'A fault at WhatsApp', remedy: CHECK_STATUS },
  },
  Voice: {
    21201: { reason: 'The call has no recipient', remedy: REPORT_BUG },
    21202: { reason: 'A premium-rate number', remedy: ENROLL_OTHER, moveOn: false },
    21203: { reason: 'International calls are not allowed', remedy: CHECK_GEO },
    21210: { reason: 'The caller is not a number of the account', remedy: CHECK_SENDER },
    21214: { reason: 'The number cannot be reached by a call', remedy: TEXT_INSTEAD },
    21215: { reason: 'Calls to this country are not allowed', remedy: CHECK_GEO },
    21216: { reason: 'Twilio does not call this number', remedy: TEXT_INSTEAD },
    13227: { reason: 'Calls to this country are not allowed', remedy: CHECK_GEO },
    32205: { reason: 'Calls to this number are not allowed', remedy: CHECK_GEO },
    13521: { reason: 'The spoken text is too long', remedy: REPORT_BUG },
    32018: { reason: 'The spoken text is too long', remedy: REPORT_BUG },
  },
};

/**
 * The error codes of Twilio Verify and what they mean for the plan. Another provider of the same channel may still send
 * most of what Verify refuses. Source: Twilio's error dictionary.
 */

const CHECK_SERVICE = 'Look at the settings of the Verify service in the Twilio Console.';
const CHECK_WHATSAPP_OF_SERVICE =
  'Give the Verify service a WhatsApp sender of its own, and wait until its template is approved.';

export const VERIFY_ERRORS: ErrorTable = {
  'The service and the request': {
    60200: { reason: 'Verify does not accept a parameter', remedy: CHECK_SERVICE, cause: 'account' },
    60204: {
      reason: 'The Verify service does not allow custom codes',
      remedy: 'Turn on custom verification codes in the Verify service.',
      cause: 'account',
    },
    60223: { reason: 'The channel is switched off in Verify', remedy: CHECK_SERVICE },
    60227: { reason: 'Verify does not accept the template', remedy: CHECK_SERVICE },
    60228: { reason: 'Verify knows no such template', remedy: CHECK_SERVICE },
    60242: {
      reason: 'Verify has no approved WhatsApp template in this language',
      remedy: CHECK_WHATSAPP_OF_SERVICE,
    },
    68008: {
      reason: 'The Verify service has no WhatsApp sender',
      remedy: CHECK_WHATSAPP_OF_SERVICE,
    },
  },
  'The recipient': {
    60205: { reason: 'The number is a landline, which cannot receive text messages', remedy: ENROLL_MOBILE },
    60220: {
      reason: 'Verify may not send to China before the account is vetted',
      remedy: 'Ask Twilio to vet the account for China, or use another provider there.',
    },
    60605: { reason: 'Verify may not send to this country', remedy: CHECK_GEO },
  },
  'Limits of a service for one number, over all its channels': {
    60203: {
      reason: 'Verify sends this number no more codes until one is used',
      remedy: 'Set up the event hook, so that Verify learns which codes were used.',
      moveOn: 'other-provider',
    },
    60212: {
      reason: 'Too many requests to Verify for one number at once',
      remedy: 'Nothing: another provider follows, and Verify sends again after minutes.',
      moveOn: 'other-provider',
    },
    60245: { reason: 'More messages than Verify may send', remedy: ADD_CAPACITY },
    25109: { reason: 'Too many requests to Verify at once', remedy: ADD_CAPACITY, moveOn: 'other-provider' },
  },
  Fraud: {
    60238: { reason: 'Blocked by Twilio Verify', remedy: LET_THROUGH, cause: 'fraud' },
    60410: {
      reason: "Blocked by Verify's Fraud Guard",
      remedy: LET_THROUGH,
      cause: 'fraud',
    },
    60413: {
      reason: 'Blocked by Verify after a check of the device',
      remedy: LET_THROUGH,
      cause: 'fraud',
    },
  },
};
