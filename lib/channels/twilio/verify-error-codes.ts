import type { RefusalMeaning } from '../provider.js';
import { ADD_CAPACITY, CHECK_GEO, ENROLL_MOBILE, LET_THROUGH } from './error-codes.js';

/**
 * The error codes of Twilio Verify and what they mean for the plan. Another provider of the same channel may still send
 * most of what Verify refuses. Source: Twilio's error dictionary.
 */

const CHECK_SERVICE = 'Look at the settings of the Verify service in the Twilio Console.';
const CHECK_WHATSAPP_OF_SERVICE =
  'Give the Verify service a WhatsApp sender of its own, and wait until its template is approved.';

/** The codes by subject, in the order of docs/reference/provider-codes.md. */
export const VERIFY_ERRORS: Readonly<Record<string, Readonly<Record<number, RefusalMeaning>>>> = {
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
