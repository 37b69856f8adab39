import { type DeliveryFailure, type Refusal, withEffect } from '../../core/channel.js';
import type { HttpAnswer } from '../../core/http.js';
import type { JsonObject } from '../../core/json.js';
import { readObject } from '../../http/request.js';
import {
  ENROLL_OTHER,
  meaningsIn,
  OTHER_CHANNEL,
  REPORT_BUG,
  WRONG_NUMBER,
  type ErrorTable,
  type RefusalMeaning,
} from '../provider.js';

/**
 * Vonage's errors and what they mean for the plan. The texts are ours, because Vonage's may quote the number. Most errors
 * arrive by status webhooks only. Sources: Vonage's pages "API Errors", "Messages API errors" and "Voice API webhooks reference".
 */

const CHECK_CREDENTIALS =
  "Check vonageChannel's credentials against the Vonage Dashboard, and that the application may use Messages; for vonageVoice, Voice.";
const CHECK_ACCOUNT = "Look at the account's state and balance in the Vonage Dashboard.";
const CHECK_SENDER =
  "Check vonageChannel's from: it must belong to the account, and the recipient's country must allow it.";
const CHECK_TEMPLATE =
  "Check vonageChannel's template in WhatsApp Manager: its name, languages, state and parameters.";
const LET_THROUGH = "If it is a real user, look at Fraud Defender's rules in the Vonage Dashboard.";
const ADD_CAPACITY = 'Ask Vonage for more throughput, or register the sender for it.';
const WAIT = 'The user must wait some minutes, or choose another method.';
const CHECK_STATUS = "Look at Vonage's status page.";
const LOOK_AT_LOG = 'Look at the message in the logs of the Vonage Dashboard.';
const LOOK_AT_CALL = 'Look at the call in the Voice Inspector of the Vonage Dashboard.';

const UNAUTHORIZED: RefusalMeaning = {
  reason: 'Vonage does not accept the credentials',
  remedy: CHECK_CREDENTIALS,
  cause: 'account',
};
const NO_CREDIT: RefusalMeaning = {
  reason: 'The Vonage account has no credit left',
  remedy: CHECK_ACCOUNT,
  cause: 'account',
};
const FORBIDDEN: RefusalMeaning = {
  reason: 'The Vonage account may not send this',
  remedy: CHECK_ACCOUNT,
  cause: 'account',
};
const THROTTLED: RefusalMeaning = {
  reason: 'Too many requests to Vonage at once',
  remedy: ADD_CAPACITY,
};
const BAD_REQUEST: RefusalMeaning = {
  reason: 'Vonage does not accept the request',
  remedy: REPORT_BUG,
};
const BAD_SENDER: RefusalMeaning = {
  reason: 'Vonage does not accept the sender',
  remedy: CHECK_SENDER,
};
const BAD_TEMPLATE: RefusalMeaning = {
  reason: 'Vonage does not accept the template',
  remedy: CHECK_TEMPLATE,
};
const UNROUTABLE: RefusalMeaning = { reason: 'Vonage has no route to this number', remedy: ENROLL_OTHER };
const UNREGISTERED: RefusalMeaning = {
  reason: "The recipient's country does not allow this sender or text",
  remedy: CHECK_SENDER,
};
const FRAUD: RefusalMeaning = {
  reason: "Blocked by Vonage's protection against fraud",
  remedy: LET_THROUGH,
  cause: 'fraud',
};

export const ERRORS: ErrorTable = {
  'The account, its credentials, Vonage itself': {
    UNAUTHORIZED,
    JWT_EXPIRED: UNAUTHORIZED,
    JWT_REVOKED: UNAUTHORIZED,
    LOW_BALANCE: NO_CREDIT,
    FORBIDDEN,
    UNPROVISIONED: FORBIDDEN,
    ACCOUNT_SUSPENDED: FORBIDDEN,
    THROTTLED,
    1000: THROTTLED,
    1030: { reason: 'A fault at Vonage', remedy: CHECK_STATUS },
    1060: FORBIDDEN,
    1070: NO_CREDIT,
    1080: FORBIDDEN,
    1140: { reason: 'The Vonage account may not use this channel', remedy: CHECK_ACCOUNT },
    1160: {
      reason: 'A trial account sends to approved numbers only',
      remedy: 'Top up the account, or add the number in the Vonage Dashboard.',
      cause: 'account',
    },
    1331: { reason: 'A fault at the network that Vonage uses', remedy: CHECK_STATUS },
    1460: { reason: "The sender's daily limit is used up", remedy: ADD_CAPACITY },
  },
  'The recipient': {
    1040: UNROUTABLE,
    1050: { reason: 'Vonage sends nothing to this number', remedy: ENROLL_OTHER },
    1170: WRONG_NUMBER,
    1240: {
      reason: 'The recipient has opted out of messages from this sender',
      remedy: 'They can end it by sending START to the sender.',
      cause: 'opted-out',
    },
    1241: { reason: 'Too many messages to this number', remedy: WAIT },
    1250: UNROUTABLE,
    1251: UNROUTABLE,
    1260: UNROUTABLE,
    1300: { reason: 'The recipient is not on this channel', remedy: OTHER_CHANNEL },
    1430: { reason: 'The number cannot be reached by this channel', remedy: OTHER_CHANNEL },
    1470: FRAUD,
    1472: FRAUD,
    1473: FRAUD,
  },
  'The sender and the content': {
    1010: BAD_REQUEST,
    1020: BAD_REQUEST,
    1022: BAD_TEMPLATE,
    1120: BAD_SENDER,
    1130: BAD_REQUEST,
    1150: BAD_REQUEST,
    1210: { reason: 'Blocked as spam', remedy: 'Check texts, and register the sender.' },
    1340: {
      reason: 'Free text outside the hours after the recipient last wrote',
      remedy: "Set vonageChannel's template.",
    },
    1400: BAD_REQUEST,
    1410: BAD_REQUEST,
    1420: BAD_SENDER,
    1440: BAD_REQUEST,
    1450: BAD_REQUEST,
    1480: UNREGISTERED,
    1481: UNREGISTERED,
    1482: UNREGISTERED,
    1483: UNREGISTERED,
    1484: UNREGISTERED,
  },
};

const MEANINGS = meaningsIn(ERRORS);

/** Failures of accepted messages whose status webhook has no error of the table above. */
export const MESSAGE_FAILURES = {
  REJECTED: {
    reason: 'Vonage or the carrier rejected the message, or its time to live has ended',
    remedy: LOOK_AT_LOG,
  },
  UNDELIVERABLE: { reason: 'Vonage could not hand the message to its carrier', remedy: LOOK_AT_LOG },
} as const satisfies Readonly<Record<string, RefusalMeaning>>;

/** Failures of calls, by the detail of an event, or by its status. */
export const CALL_FAILURES = {
  FAILED: { reason: 'The call could not be made', remedy: LOOK_AT_CALL },
  REJECTED: { reason: 'The call was rejected before the phone rang', remedy: LOOK_AT_CALL },
  INVALID_NUMBER: WRONG_NUMBER,
  NUMBER_OUT_OF_SERVICE: { reason: 'The number is out of service', remedy: ENROLL_OTHER },
  CANNOT_ROUTE: UNROUTABLE,
  RESTRICTED: { reason: 'The carrier rejected the call', remedy: LOOK_AT_CALL },
  INTERNAL_ERROR: { reason: 'A fault at Vonage', remedy: CHECK_STATUS },
  CARRIER_TIMEOUT: { reason: 'The carrier did not answer Vonage in time', remedy: CHECK_STATUS },
  UNAVAILABLE: { reason: 'The phone cannot be reached at the moment', remedy: WAIT },
} as const satisfies Readonly<Record<string, RefusalMeaning>>;

const BY_STATUS: Readonly<Record<number, RefusalMeaning>> = {
  401: UNAUTHORIZED,
  402: NO_CREDIT,
  403: FORBIDDEN,
  422: BAD_REQUEST,
  429: THROTTLED,
  503: { reason: 'Vonage is not available', remedy: CHECK_STATUS },
};

const UNKNOWN: RefusalMeaning = { reason: 'Refused by Vonage', remedy: LOOK_AT_LOG };

/** The type of Vonage's problems (RFC 7807) is a page of its documentation. */
const PROBLEM_TYPE = /^https?:\/\/([\w-]+\.)*(vonage|nexmo)\.com\//;

/** Whether an answer has an error of Vonage's own. Without its type, a word such as `forbidden` may be a gateway's. */
export function isVonageError(answer: HttpAnswer): boolean {
  const error = readObject(answer);
  const { type } = error;
  const code = codeOf(error);
  const isNumber = MEANINGS.has(code) && /^\d/.test(code);
  return isNumber || (typeof type === 'string' && PROBLEM_TYPE.test(type));
}

/** The same for the Voice API, whose older errors have another form: `{ type: 'UNAUTHORIZED', error_title: '…' }`. */
export function isVoiceError(answer: HttpAnswer): boolean {
  const { type, error_title: title } = readObject(answer);
  const isOld = typeof type === 'string' && /^[A-Z]+(_[A-Z]+)*$/.test(type) && typeof title === 'string';
  return isOld || isVonageError(answer);
}

/** A refusal by Vonage's error. Without an error, or with one that is not in the table, the HTTP status decides. */
export function describeRefusal(answer: HttpAnswer): Refusal {
  const code = codeOf(readObject(answer));
  const meaning = MEANINGS.get(code) ?? BY_STATUS[answer.status] ?? UNKNOWN;
  return { status: 'refused', code: safeCode(code) ?? `HTTP_${answer.status}`, ...withEffect(meaning) };
}

/** The failure in a status webhook. @param error - a problem as in refusals; empty if there is none. */
export function describeFailure(status: FailedStatus, error: JsonObject): DeliveryFailure {
  const code = codeOf(error);
  const word = status === 'rejected' ? 'REJECTED' : 'UNDELIVERABLE';
  const meaning: RefusalMeaning = MEANINGS.get(code) ?? MESSAGE_FAILURES[word];
  return { status: 'failed', code: safeCode(code) ?? word, ...withEffect(meaning) };
}

/** The status of a message that will not arrive. A message whose time to live has ended is `rejected`. */
export type FailedStatus = 'rejected' | 'undeliverable';

/** The failure in the event of a call. */
export function describeCallFailure(status: 'failed' | 'rejected', detail: unknown): DeliveryFailure {
  const word = typeof detail === 'string' ? detail.toUpperCase() : '';
  const code = isCallFailure(word) ? word : status === 'failed' ? 'FAILED' : 'REJECTED';
  return { status: 'failed', code, ...withEffect<RefusalMeaning>(CALL_FAILURES[code]) };
}

const isCallFailure = (word: string): word is keyof typeof CALL_FAILURES =>
  Object.hasOwn(CALL_FAILURES, word);

/** An unknown word may contain anything, so it is not logged. A number of four digits is no personal data. */
function safeCode(code: string): string | undefined {
  return MEANINGS.has(code) || /^\d/.test(code) ? code : undefined;
}

/** The error of a Vonage problem (RFC 7807): after the `#` of its type, or in its title; empty if it has none. */
function codeOf({ type, title }: JsonObject): string {
  for (const text of [typeof type === 'string' ? type.slice(type.lastIndexOf('#') + 1) : '', String(title)]) {
    if (/^1\d{3}$/.test(text)) return text;
    if (/^[a-z]+(-[a-z]+)*$/.test(text)) return text.toUpperCase().replaceAll('-', '_');
  }
  return '';
}
