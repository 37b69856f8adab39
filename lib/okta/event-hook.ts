import type { CodeUse } from '../delivery/messages/code-uses.js';
import { RequestError } from '../core/request-error.js';
import { asList, fieldOf, textFieldOf } from '../core/json.js';

/** Reads Okta's event hook: its one-time verification, and its events about codes that were used. */

/** The header with the challenge of the one-time verification. */
export const CHALLENGE_HEADER = 'x-okta-verification-challenge';
/** Okta's challenge has 42 characters. */
const MAX_CHALLENGE_LENGTH = 256;

/** Okta's ids are shorter. */
const MAX_ID_LENGTH = 256;

/** The event of a sign-in with a code. */
export const SIGN_IN = 'user.authentication.auth_via_mfa';
/** The event of a phone's enrollment with a code. */
export const ENROLLMENT = 'user.mfa.factor.activate';

/** The delivery channel by Okta's factor. A code by WhatsApp is an SMS factor, too. */
const DELIVERY_CHANNELS: ReadonlyMap<unknown, 'sms' | 'voice'> = new Map([
  ['SMS_FACTOR', 'sms'],
  ['CALL_FACTOR', 'voice'],
]);

/**
 * The answer to Okta's verification of the hook.
 *
 * @param challenge - the header's value, if the header came exactly once.
 * @throws RequestError `INVALID_REQUEST` without a challenge, or if it is longer than Okta's.
 */
export function answerChallenge(challenge: string | undefined): { readonly verification: string } {
  if (challenge === undefined || challenge === '' || challenge.length > MAX_CHALLENGE_LENGTH) {
    throw new RequestError('INVALID_REQUEST', 'The request is not the verification of an event hook.');
  }
  return { verification: challenge };
}

/**
 * The events of one delivery.
 *
 * @throws RequestError `INVALID_REQUEST` if the body is not a delivery of an event hook.
 */
export function eventsOf(body: unknown): readonly unknown[] {
  const events: unknown = fieldOf(body, 'data', 'events');
  if (Array.isArray(events)) return events;
  throw new RequestError('INVALID_REQUEST', 'The request is not one of an event hook.', {
    fields: ['data.events'],
  });
}

/** Reads the events lazily, one at a time. */
export function* readCodeUses(events: readonly unknown[]): Generator<CodeUse | undefined> {
  for (const event of events) yield readCodeUse(event);
}

/** Reads the use of a code from an event of the System Log; `undefined` if no code was used. */
export function readCodeUse(event: unknown): CodeUse | undefined {
  const eventType = fieldOf(event, 'eventType');
  if (eventType !== SIGN_IN && eventType !== ENROLLMENT) return undefined;
  if (fieldOf(event, 'outcome', 'result') !== 'SUCCESS') return undefined;
  const factor =
    fieldOf(event, 'debugContext', 'debugData', 'factor') ??
    (eventType === ENROLLMENT ? factorIn(textFieldOf(event, 'outcome', 'reason')) : undefined);
  const deliveryChannel = DELIVERY_CHANNELS.get(factor);
  const userId = userOf(event);
  if (deliveryChannel === undefined || userId === undefined) return undefined;
  const atMs = Date.parse(textFieldOf(event, 'published') ?? '');
  return {
    id: idOf(event, 'uuid'),
    userId,
    deliveryChannel,
    atMs: Number.isNaN(atMs) ? undefined : atMs,
  };
}

/** The event's user: its target, else its actor. An administrator may act for a user. */
function userOf(event: unknown): string | undefined {
  const user = asList(fieldOf(event, 'target')).find((target) => fieldOf(target, 'type') === 'User');
  return idOf(user, 'id') ?? idOf(event, 'actor', 'id');
}

/** An enrollment names its factor in a sentence: `User set up SMS_FACTOR factor`. */
function factorIn(reason: string | undefined): string | undefined {
  return /\b(?:SMS|CALL)_FACTOR\b/.exec(reason ?? '')?.[0];
}

function idOf(value: unknown, ...path: readonly string[]): string | undefined {
  const id = textFieldOf(value, ...path);
  return id !== undefined && id.length <= MAX_ID_LENGTH ? id : undefined;
}
