import type { CodeUse } from '../delivery/late/code-uses.js';
import { RequestError } from '../core/errors.js';
import { asList, fieldOf, textFieldOf } from '../core/json.js';

/** Okta's event hook: its one-time verification, and what it tells of codes that were used. */

/** Brings what is to be given back, once, when the hook is verified. */
export const CHALLENGE_HEADER = 'x-okta-verification-challenge';
/** Okta's own has 42 characters. */
const MAX_CHALLENGE_LENGTH = 256;

/** No id of Okta's is longer. */
const MAX_ID_LENGTH = 256;

/** The sign-in by a code. */
export const SIGN_IN = 'user.authentication.auth_via_mfa';
/** The enrolment of a phone by a code. */
export const ENROLMENT = 'user.mfa.factor.activate';

/** WhatsApp, too, is a text to Okta. */
const DELIVERY_CHANNELS: ReadonlyMap<unknown, 'sms' | 'voice'> = new Map([
  ['SMS_FACTOR', 'sms'],
  ['CALL_FACTOR', 'voice'],
]);

/**
 * What Okta is answered when it verifies the hook.
 *
 * @param challenge - the header's value, if it came once.
 * @throws RequestError `INVALID_REQUEST` where there is none, or one that is not Okta's.
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
 * @throws RequestError `INVALID_REQUEST` where it is no delivery of an event hook.
 */
export function eventsOf(body: unknown): readonly unknown[] {
  const events: unknown = fieldOf(body, 'data', 'events');
  if (Array.isArray(events)) return events;
  throw new RequestError('INVALID_REQUEST', 'The request is not one of an event hook.', {
    fields: ['data.events'],
  });
}

/** Reads one event after the other, when it is asked for. */
export function* readCodeUses(events: readonly unknown[]): Generator<CodeUse | undefined> {
  for (const event of events) yield readCodeUse(event);
}

/** What an event of the System Log says of a code; `undefined` where no code was used. */
export function readCodeUse(event: unknown): CodeUse | undefined {
  const eventType = fieldOf(event, 'eventType');
  if (eventType !== SIGN_IN && eventType !== ENROLMENT) return undefined;
  if (fieldOf(event, 'outcome', 'result') !== 'SUCCESS') return undefined;
  const factor =
    fieldOf(event, 'debugContext', 'debugData', 'factor') ??
    (eventType === ENROLMENT ? factorIn(textFieldOf(event, 'outcome', 'reason')) : undefined);
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

/** Whom it is about: the user whom it is done to, where somebody else does it, such as an administrator. */
function userOf(event: unknown): string | undefined {
  const user = asList(fieldOf(event, 'target')).find((target) => fieldOf(target, 'type') === 'User');
  return idOf(user, 'id') ?? idOf(event, 'actor', 'id');
}

/** An enrolment tells its factor in a sentence: `User set up SMS_FACTOR factor`. */
function factorIn(reason: string | undefined): string | undefined {
  return /\b(?:SMS|CALL)_FACTOR\b/.exec(reason ?? '')?.[0];
}

function idOf(value: unknown, ...path: readonly string[]): string | undefined {
  const id = textFieldOf(value, ...path);
  return id !== undefined && id.length <= MAX_ID_LENGTH ? id : undefined;
}
