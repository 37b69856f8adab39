import { type DeliveryFailure, type Outcome, withEffect } from '../../core/channel.js';
import type { HttpAnswer } from '../../core/http.js';
import { fieldOf, isObject, type JsonObject } from '../../core/json.js';
import { readObject } from '../../http/request.js';
import { meaningsIn, OTHER_CHANNEL, type ErrorTable, type RefusalMeaning } from '../provider.js';

/**
 * Meta's errors and what they mean for the plan. They come in the answer to a send, by a webhook, or both. The number decides:
 * Meta advises against the HTTP status, the title and the subcode. The texts are ours, because Meta's may quote the number.
 * Sources: Meta's page "Error codes" of the Cloud API, and its OpenAPI description (v23.0).
 */

const CHECK_TOKEN = "Put a system user's token that does not expire into whatsAppCloud's accessToken.";
const CHECK_PERMISSION =
  'Give the system user whatsapp_business_messaging, whatsapp_business_management and the account.';
const CHECK_ACCOUNT =
  'Look at the state of the account, the number and the payment method in WhatsApp Manager.';
const CHECK_QUALITY = "Look at the number's quality rating in WhatsApp Manager.";
const ADD_CAPACITY = "Look at the number's limits in WhatsApp Manager, and ask Meta for more.";
const WAIT = 'The user must wait some minutes, or choose another method.';
const CHECK_STATUS = "Look at Meta's status page, metastatus.com.";
const CHECK_TEMPLATE =
  "Check whatsAppCloud's templates in WhatsApp Manager: the name, the languages and the state.";
const CHECK_CATEGORY =
  'Make a template of the category Authentication: look at this one in WhatsApp Manager.';
const CHECK_REQUEST = "Compare whatsAppCloud's phoneNumberId and templates with WhatsApp Manager.";
const ADD_RECIPIENT =
  "Add the number to the recipients in the app's API setup, or send from your own number.";
const OTHER_COUNTRY = 'Send codes to this country by another channel.';
const LOOK_UP = "Look up the code on Meta's page of error codes.";

const UNAUTHORIZED: RefusalMeaning = {
  reason: 'Meta does not accept the access token',
  remedy: CHECK_TOKEN,
  cause: 'account',
};
const FORBIDDEN: RefusalMeaning = {
  reason: 'The access token lacks a permission',
  remedy: CHECK_PERMISSION,
  cause: 'account',
};
const BLOCKED: RefusalMeaning = {
  reason: 'The WhatsApp account or its number is blocked or not ready',
  remedy: CHECK_ACCOUNT,
  cause: 'account',
};
const THROTTLED: RefusalMeaning = {
  reason: 'Too many requests to Meta at once',
  remedy: ADD_CAPACITY,
  cause: 'busy',
};
const UNAVAILABLE: RefusalMeaning = {
  reason: 'WhatsApp is not available',
  remedy: CHECK_STATUS,
  cause: 'busy',
};
const BAD_REQUEST: RefusalMeaning = { reason: 'Meta does not accept the request', remedy: CHECK_REQUEST };
const BAD_TEMPLATE: RefusalMeaning = { reason: 'Meta does not accept the template', remedy: CHECK_TEMPLATE };
const WRONG_CATEGORY: RefusalMeaning = {
  reason: 'Meta treats the message as marketing',
  remedy: CHECK_CATEGORY,
};
const FAULT: RefusalMeaning = { reason: 'A fault at Meta', remedy: CHECK_STATUS };

export const ERRORS: ErrorTable = {
  'The account, its access token, Meta itself': {
    0: UNAUTHORIZED,
    1: FAULT,
    2: UNAVAILABLE,
    3: FORBIDDEN,
    4: THROTTLED,
    10: FORBIDDEN,
    190: UNAUTHORIZED,
    200: FORBIDDEN,
    368: BLOCKED,
    80007: THROTTLED,
    130429: THROTTLED,
    131000: FAULT,
    131005: FORBIDDEN,
    131016: UNAVAILABLE,
    131031: BLOCKED,
    131037: BLOCKED,
    131042: BLOCKED,
    131045: BLOCKED,
    131048: { reason: 'Meta restricts the number because of complaints', remedy: CHECK_QUALITY },
    131057: { reason: 'The number is in maintenance for some minutes', remedy: OTHER_CHANNEL, cause: 'busy' },
    131064: { reason: 'The messaging limit of the business is reached', remedy: ADD_CAPACITY, cause: 'busy' },
    133010: BLOCKED,
    135000: FAULT,
  },
  'The recipient': {
    130497: { reason: 'The business may not send to this country', remedy: OTHER_COUNTRY },
    131021: { reason: 'The recipient is the sender itself', remedy: OTHER_CHANNEL },
    131026: { reason: 'The recipient is not on WhatsApp', remedy: OTHER_CHANNEL, cause: 'not-reached' },
    131030: { reason: 'A test number sends to chosen numbers only', remedy: ADD_RECIPIENT },
    131056: { reason: 'Too many messages to this number', remedy: WAIT, cause: 'busy' },
    131062: { reason: 'Authentication templates need a phone number', remedy: OTHER_CHANNEL },
  },
  'The template and the content': {
    33: BAD_REQUEST,
    100: BAD_REQUEST,
    130472: WRONG_CATEGORY,
    131008: BAD_REQUEST,
    131009: BAD_REQUEST,
    131047: {
      reason: 'Free text outside the hours after the recipient last wrote',
      remedy: CHECK_TEMPLATE,
    },
    131049: WRONG_CATEGORY,
    131050: WRONG_CATEGORY,
    131063: WRONG_CATEGORY,
    132000: BAD_TEMPLATE,
    132001: BAD_TEMPLATE,
    132005: BAD_TEMPLATE,
    132007: BAD_TEMPLATE,
    132008: BAD_TEMPLATE,
    132012: BAD_TEMPLATE,
    132015: { reason: 'The template is paused because of complaints', remedy: CHECK_TEMPLATE },
    132016: { reason: 'The template is disabled', remedy: CHECK_TEMPLATE },
  },
};

const MEANINGS = meaningsIn(ERRORS);

const BY_STATUS: Readonly<Record<number, RefusalMeaning>> = {
  401: UNAUTHORIZED,
  403: FORBIDDEN,
  429: THROTTLED,
  503: UNAVAILABLE,
};

const REFUSED: RefusalMeaning = { reason: 'Refused by Meta', remedy: LOOK_UP };
const NOT_DELIVERED: RefusalMeaning = { reason: 'WhatsApp could not deliver the message', remedy: LOOK_UP };

/** Codes after which the message may have gone out: Meta itself does not know what went wrong. */
const UNCERTAIN: ReadonlySet<unknown> = new Set([1, 131000, 135000]);

/** Meta's permissions have a range of codes. */
const isPermission = (code: number): boolean => code >= 200 && code <= 299;

const meaningOf = (code: number | undefined): RefusalMeaning | undefined =>
  code === undefined
    ? undefined
    : (MEANINGS.get(String(code)) ?? (isPermission(code) ? FORBIDDEN : undefined));

/** A number of Meta's. A longer one could be somebody's. */
const readCode = (code: unknown): number | undefined =>
  typeof code === 'number' && Number.isInteger(code) && code >= 0 && code <= 999_999 ? code : undefined;

/** The error of an answer. A proxy's JSON may have an `error` as well, but not with the fields of Meta's Graph API. */
function errorIn(answer: HttpAnswer): JsonObject | undefined {
  const { error } = readObject(answer);
  if (!isObject(error)) return undefined;
  const { type, code, fbtrace_id: trace } = error;
  const isMetas = typeof trace === 'string' || (typeof type === 'string' && readCode(code) !== undefined);
  return isMetas ? error : undefined;
}

const TRACE = /^[\w.:-]{1,64}$/;

/** The outcome of an answer with an error of Meta's own; `undefined` if it has none. */
export function readRefusal(
  answer: HttpAnswer,
): Exclude<Outcome, { readonly status: 'accepted' }> | undefined {
  const error = errorIn(answer);
  if (error === undefined) return undefined;
  const { fbtrace_id: trace, is_transient: isTransient } = error;
  const code = readCode(error['code']);
  const request = typeof trace === 'string' && TRACE.test(trace) ? { providerRequestId: trace } : {};
  const isCertain = isTransient === false && answer.status < 500;
  if (UNCERTAIN.has(code) && !isCertain) {
    return {
      status: 'unknown',
      reason: `Meta does not know what went wrong (${code})`,
      remedy: CHECK_STATUS,
      ...request,
    };
  }
  const meaning = meaningOf(code) ?? BY_STATUS[answer.status] ?? REFUSED;
  return {
    status: 'refused',
    code: code === undefined ? `HTTP_${answer.status}` : String(code),
    ...withEffect(meaning),
    ...request,
  };
}

/** The failure of a message that Meta had accepted, by the first of its errors. */
export function describeFailure(errors: readonly unknown[]): DeliveryFailure {
  const code = readCode(fieldOf(errors[0], 'code'));
  return {
    status: 'failed',
    code: code === undefined ? 'FAILED' : String(code),
    ...withEffect(meaningOf(code) ?? NOT_DELIVERED),
  };
}
