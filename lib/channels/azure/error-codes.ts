import { type DeliveryFailure, type Refusal, withEffect } from '../../core/channel.js';
import {
  ENROLL_OTHER,
  meaningsIn,
  REPORT_BUG,
  WRONG_NUMBER,
  type ErrorTable,
  type RefusalMeaning,
} from '../provider.js';

/**
 * Azure's refusals and what they mean for the plan. The texts are ours, because Azure's may quote the number. Sources: Azure
 * Communication Services, "Common error codes" and "Troubleshooting", section "SMS error codes".
 */

const CHECK_CREDENTIALS =
  "Compare azureSms's accessKey with Keys in the Azure portal, or the roles of its identity.";
const CHECK_ENDPOINT = "Compare azureSms's endpoint with Keys of the resource in the Azure portal.";
const CHECK_SENDER =
  "Check azureSms's from: it must belong to the resource, and the recipient's country must allow it.";
const VERIFY_NUMBER = 'Submit the toll-free verification in the Azure portal.';
const ADD_CAPACITY = 'Ask Azure for more throughput, or use a short code.';
const ASK_SUPPORT = 'If it is a real user, ask the support of Azure.';
const CHECK_STATUS = "Look at Azure's status page.";
const CHECK_REQUEST =
  "Check azureSms's from. If it is right, please report this as a fault of okta-telephony-hook.";

/** The code if Azure does not accept the credentials. */
export const BAD_CREDENTIALS = 'HTTP_401';

export const ERRORS: ErrorTable = {
  'The request': {
    HTTP_400: { reason: 'Azure does not accept the request', remedy: CHECK_REQUEST },
    HTTP_401: {
      reason: 'Azure does not accept the credentials',
      remedy: CHECK_CREDENTIALS,
      cause: 'account',
    },
    HTTP_403: { reason: 'The identity may not send SMS', remedy: CHECK_CREDENTIALS, cause: 'account' },
    HTTP_404: { reason: 'Azure does not know the resource', remedy: CHECK_ENDPOINT, cause: 'account' },
    HTTP_429: { reason: 'Too many requests to Azure at once', remedy: ADD_CAPACITY },
  },
  'The recipient, in a response with 202': {
    RECIPIENT_400: { reason: 'Azure does not accept the number or the text', remedy: ENROLL_OTHER },
    RECIPIENT_401: {
      reason: 'The resource may not send from this sender',
      remedy: CHECK_SENDER,
      cause: 'account',
    },
    RECIPIENT_404: { reason: 'Azure does not know the sender', remedy: CHECK_SENDER, cause: 'account' },
    RECIPIENT_429: { reason: 'Too many messages to Azure at once', remedy: ADD_CAPACITY },
  },
  'A delivery report': {
    4000: { reason: "Blocked by Azure's protection against fraud", remedy: ASK_SUPPORT, cause: 'fraud' },
    4001: { reason: 'Azure does not accept the sender', remedy: CHECK_SENDER },
    4002: WRONG_NUMBER,
    4003: { reason: 'Azure does not reach this country or network', remedy: CHECK_SENDER },
    4004: { reason: 'The number does not exist', remedy: ENROLL_OTHER, cause: 'wrong-number' },
    4005: { reason: 'Blocked by the carrier', remedy: CHECK_SENDER },
    4006: {
      reason: 'The phone cannot be reached',
      remedy: 'The user must switch it on, or choose another method.',
    },
    4007: {
      reason: 'The recipient has opted out of messages from this sender',
      remedy: 'They can end it by sending START to the sender.',
      cause: 'opted-out',
    },
    4008: { reason: 'The limit of messages is reached', remedy: ADD_CAPACITY },
    4009: { reason: 'Blocked by Microsoft because of suspected fraud', remedy: ASK_SUPPORT, cause: 'fraud' },
    4010: { reason: 'The toll-free number is not verified', remedy: VERIFY_NUMBER, cause: 'account' },
    4020: { reason: 'The carrier takes no more messages from this sender', remedy: ADD_CAPACITY },
    5000: { reason: 'A fault at Azure', remedy: ASK_SUPPORT },
    5001: { reason: 'A fault at Azure', remedy: CHECK_STATUS },
    5002: { reason: 'Not delivered in time', remedy: CHECK_STATUS },
    9999: { reason: 'Not delivered, for a reason that Azure does not know', remedy: CHECK_STATUS },
  },
};

const MEANINGS = meaningsIn(ERRORS);

const UNKNOWN: RefusalMeaning = { reason: 'Refused by Azure', remedy: REPORT_BUG };

/** The refusal with a code. */
export function describeRefusal(code: string): Refusal {
  return { status: 'refused', code, ...withEffect(MEANINGS.get(code) ?? UNKNOWN) };
}

/** The refusal with a code after which the message has certainly not gone out; `undefined` for any other code. */
export function readRefusal(code: string): Refusal | undefined {
  return MEANINGS.has(code) ? describeRefusal(code) : undefined;
}

const NOT_DELIVERED: RefusalMeaning = {
  reason: 'Not delivered, as Azure reports',
  remedy: 'Look at the SMS logs of the resource in the Azure portal.',
};

/**
 * The failure that a delivery report tells of.
 *
 * @param details - `deliveryStatusDetails`: it has the code, and may have more. Only a known code is shown.
 */
export function describeFailure(details: unknown): DeliveryFailure {
  const [code = ''] = (typeof details === 'string' && /\b[4-9]\d{3}\b/.exec(details)) || [];
  const known = MEANINGS.get(code);
  return {
    status: 'failed',
    code: known === undefined ? 'FAILED' : code,
    ...withEffect(known ?? NOT_DELIVERED),
  };
}
