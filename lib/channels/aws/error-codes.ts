import { type DeliveryFailure, type Refusal, withEffect } from '../../core/channel.js';
import type { HttpAnswer } from '../../core/http.js';
import { asList, fieldOf } from '../../core/json.js';
import { readObject } from '../../http/request.js';
import { meaningsIn, REPORT_BUG, WRONG_NUMBER, type ErrorTable, type RefusalMeaning } from '../provider.js';

/**
 * AWS's errors and events, and what they mean for the plan. The texts are ours, because AWS's may quote the number. Sources:
 * SendTextMessage in the API reference of AWS End User Messaging SMS, its "Common Errors", and "Event types for SMS, MMS, and voice".
 */

const CHECK_KEYS =
  "Check awsSms's credentials and region, and the machine's clock, which may be five minutes off.";
const CHECK_POLICY = 'Allow sms-voice:SendTextMessage for the sender and the configuration set in IAM.';
const CHECK_ACCOUNT = 'Look at the account in the console of AWS End User Messaging, or ask AWS Support.';
const CHECK_SENDER =
  "Check awsSms's originationIdentity and configurationSet: both must be active in the region.";
const CHECK_COUNTRY =
  'In the AWS console, request a sender for the country, and register it if the country requires it.';
const ENABLE_COUNTRY =
  'Enable the country in the console of AWS End User Messaging, or use another provider.';
const LET_THROUGH = "If it is a real user, look at the protect configuration of awsSms's configuration set.";
const RAISE_QUOTA = 'Request a higher quota in the AWS console: Service Quotas, AWS End User Messaging SMS.';
const CHECK_TEXT = 'Check texts, and register the sender for one-time codes.';
const NOTHING = 'Nothing, if another channel sent the code. If none did, the user needs another one.';

const BAD_KEYS: RefusalMeaning = {
  reason: 'AWS does not accept the credentials',
  remedy: CHECK_KEYS,
  cause: 'account',
};
const ACCOUNT_CLOSED: RefusalMeaning = {
  reason: 'The AWS account may not send messages',
  remedy: CHECK_ACCOUNT,
  cause: 'account',
};
const BUSY: RefusalMeaning = {
  reason: 'Too many requests to AWS at once',
  remedy: RAISE_QUOTA,
  cause: 'busy',
};
const SPENT: RefusalMeaning = {
  reason: 'The monthly spending limit of the AWS account is reached',
  remedy: 'Raise the limit in the console of AWS End User Messaging.',
  cause: 'account',
};
const BAD_SENDER: RefusalMeaning = {
  reason: 'AWS does not accept the sender or the configuration set',
  remedy: CHECK_SENDER,
};
const BAD_REQUEST: RefusalMeaning = { reason: 'AWS does not accept the request', remedy: REPORT_BUG };
const NO_SENDER_FOR_COUNTRY: RefusalMeaning = {
  reason: "The sender may not send to the recipient's country",
  remedy: CHECK_COUNTRY,
};
const COUNTRY_OFF: RefusalMeaning = {
  reason: "The AWS account may not send to the recipient's country",
  remedy: ENABLE_COUNTRY,
};
const FRAUD: RefusalMeaning = {
  reason: "Blocked by AWS's protection against fraud",
  remedy: LET_THROUGH,
  cause: 'fraud',
};
const UNREACHABLE: RefusalMeaning = { reason: 'The phone could not be reached', remedy: NOTHING };
const CARRIER: RefusalMeaning = { reason: 'Blocked by the mobile network', remedy: CHECK_TEXT };

/** AWS names the field that is wrong; this code is ours. */
const WRONG_NUMBER_CODE = 'INVALID_DESTINATION_PHONE_NUMBER';

/** What a refusal says about the recipient. `check` passes with them: nobody gets its message. */
const OF_THE_RECIPIENT: Readonly<Record<string, RefusalMeaning>> = {
  [WRONG_NUMBER_CODE]: WRONG_NUMBER,
  DESTINATION_PHONE_NUMBER_OPTED_OUT: {
    reason: 'The recipient has opted out of messages from this sender',
    remedy: 'Remove the number from the opt-out list in the AWS console if the user wants messages again.',
    cause: 'opted-out',
  },
  DESTINATION_PHONE_NUMBER_NOT_VERIFIED: {
    reason: 'An account in the AWS sandbox sends to verified numbers only',
    remedy: 'Request production access for SMS in the AWS console, or verify the number there.',
    cause: 'account',
  },
  DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE: FRAUD,
  DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION: FRAUD,
  DESTINATION_COUNTRY_BLOCKED: COUNTRY_OFF,
  COUNTRY_NOT_ENABLED: COUNTRY_OFF,
  INTERNATIONAL_SENDING_NOT_SUPPORTED: NO_SENDER_FOR_COUNTRY,
  INVALID_IDENTITY_FOR_DESTINATION_COUNTRY: NO_SENDER_FOR_COUNTRY,
  NO_ORIGINATION_IDENTITIES_FOUND: NO_SENDER_FOR_COUNTRY,
  SENDER_ID_NOT_REGISTERED: NO_SENDER_FOR_COUNTRY,
  SENDER_ID_NOT_SUPPORTED: NO_SENDER_FOR_COUNTRY,
  SENDER_ID_REQUIRES_REGISTRATION: NO_SENDER_FOR_COUNTRY,
  PRICE_OVER_THRESHOLD: {
    reason: 'The message costs more than maxPrice',
    remedy: "Raise awsSms's maxPrice, or use another provider for this country.",
  },
};

/** What an event says about a message that AWS has accepted. */
const EVENTS: Readonly<Record<string, RefusalMeaning>> = {
  TEXT_BLOCKED: { reason: 'The phone blocks messages', remedy: NOTHING },
  TEXT_CARRIER_BLOCKED: CARRIER,
  TEXT_CARRIER_UNREACHABLE: UNREACHABLE,
  TEXT_INVALID: WRONG_NUMBER,
  TEXT_INVALID_MESSAGE: { reason: 'The mobile network does not accept the text', remedy: CHECK_TEXT },
  TEXT_PROTECT_BLOCKED: FRAUD,
  TEXT_SPAM: CARRIER,
  TEXT_TTL_EXPIRED: { reason: 'The code expired before it could be delivered', remedy: NOTHING },
  TEXT_UNREACHABLE: UNREACHABLE,
};

/** A code is AWS's reason, else the name of its exception. */
export const ERRORS: ErrorTable = {
  'The account, its credentials, AWS itself': {
    ExpiredTokenException: BAD_KEYS,
    IncompleteSignature: BAD_KEYS,
    InvalidClientTokenId: BAD_KEYS,
    InvalidSignatureException: BAD_KEYS,
    MissingAuthenticationToken: BAD_KEYS,
    MissingAuthenticationTokenException: BAD_KEYS,
    RequestExpired: BAD_KEYS,
    UnrecognizedClientException: BAD_KEYS,
    AccessDeniedException: {
      reason: 'The credentials may not send this message',
      remedy: CHECK_POLICY,
      cause: 'account',
    },
    ACCOUNT_DISABLED: ACCOUNT_CLOSED,
    INSUFFICIENT_ACCOUNT_REPUTATION: ACCOUNT_CLOSED,
    MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT: SPENT,
    MONTHLY_SPEND_LIMIT_REACHED_FOR_RCS: SPENT,
    ServiceQuotaExceededException: {
      reason: 'A quota of the AWS account is used up',
      remedy: RAISE_QUOTA,
      cause: 'account',
    },
    ThrottlingException: BUSY,
  },
  'The recipient and their country': OF_THE_RECIPIENT,
  'The sender and the content': {
    CHANNEL_NOT_ENABLED: BAD_SENDER,
    ConflictException: BAD_SENDER,
    MESSAGE_TYPE_MISMATCH: {
      reason: 'The sender is for promotional messages',
      remedy: "Set the message type of awsSms's originationIdentity to transactional.",
    },
    NUMBER_CAPABILITIES_MISMATCH: BAD_SENDER,
    RESOURCE_NOT_ACCESSIBLE: BAD_SENDER,
    RESOURCE_NOT_ACTIVE: BAD_SENDER,
    ResourceNotFoundException: BAD_SENDER,
    INVALID_PARAMETER: BAD_REQUEST,
    MISSING_PARAMETER: BAD_REQUEST,
    ValidationException: BAD_REQUEST,
  },
  'Reported later, by an event': EVENTS,
};

const MEANINGS = meaningsIn(ERRORS);

const UNKNOWN: RefusalMeaning = {
  reason: 'Refused by AWS',
  remedy: 'Look up the request id (providerRequestId in the log) in AWS CloudTrail.',
};

/** Each answer of AWS has it. */
export const REQUEST_ID_HEADER = 'x-amzn-requestid';

/**
 * Whether AWS has refused a request: the answer names the request and an exception that is in the table. After any other
 * exception, such as a time-out, the message may have gone out.
 */
export function isRefusal(answer: HttpAnswer): boolean {
  const { headers, status } = answer;
  const type = typeOf(answer) ?? '';
  // AWS's reasons are in capitals.
  const isException = MEANINGS.has(type) && /[a-z]/.test(type);
  return isException && headers[REQUEST_ID_HEADER] !== undefined && status >= 400 && status < 500;
}

/** Whether AWS does not accept the keys, so that others may help. */
export const isAboutKeys = (answer: HttpAnswer): boolean => MEANINGS.get(typeOf(answer) ?? '') === BAD_KEYS;

/** Whether a refusal is about the recipient and their country alone. */
export const isAboutRecipient = (answer: HttpAnswer): boolean =>
  Object.hasOwn(OF_THE_RECIPIENT, knownCodeOf(answer) ?? '');

/** A refusal by AWS's reason or exception. `check` also describes answers that have neither. */
export function describeRefusal(answer: HttpAnswer): Refusal {
  const code = knownCodeOf(answer);
  const meaning = MEANINGS.get(code ?? '') ?? UNKNOWN;
  return { status: 'refused', code: code ?? `HTTP_${answer.status}`, ...withEffect(meaning) };
}

/** The failure that an event means; `undefined` for an event that means none. */
export function failureOf(eventType: string): DeliveryFailure | undefined {
  const meaning = Object.hasOwn(EVENTS, eventType) ? EVENTS[eventType] : undefined;
  return meaning && { status: 'failed', code: eventType, ...withEffect(meaning) };
}

/** AWS's name of an exception may have a namespace before it, and a URL behind it. */
function typeOf(answer: HttpAnswer): string | undefined {
  const { __type: type } = readObject(answer);
  return typeof type === 'string' && type !== '' ? /[^#]*$/.exec(type)?.[0].split(':')[0] : undefined;
}

/** The most exact code that is in the table. Another word may contain anything, so it is not logged. */
function knownCodeOf(answer: HttpAnswer): string | undefined {
  const { Reason: reason, Fields: fields } = readObject(answer);
  const known = [reason, typeOf(answer)].find((code) => isKnown(code));
  const isNumber = asList(fields).some((field) => fieldOf(field, 'Name') === 'DestinationPhoneNumber');
  return isNumber && known !== undefined && MEANINGS.get(known) === BAD_REQUEST ? WRONG_NUMBER_CODE : known;
}

const isKnown = (code: unknown): code is string =>
  typeof code === 'string' && MEANINGS.has(code) && !Object.hasOwn(EVENTS, code);
