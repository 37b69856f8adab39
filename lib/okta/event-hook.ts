import type { CodeUse } from '../delivery/late/code-uses.js';
import { RequestError } from '../core/errors.js';

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
  const events: unknown = at(at(body, 'data'), 'events');
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
  const eventType = at(event, 'eventType');
  if (eventType !== SIGN_IN && eventType !== ENROLMENT) return undefined;
  const outcome = at(event, 'outcome');
  if (at(outcome, 'result') !== 'SUCCESS') return undefined;
  const factor =
    at(at(at(event, 'debugContext'), 'debugData'), 'factor') ??
    (eventType === ENROLMENT ? factorIn(at(outcome, 'reason')) : undefined);
  const deliveryChannel = DELIVERY_CHANNELS.get(factor);
  const userId = userOf(event);
  if (deliveryChannel === undefined || userId === undefined) return undefined;
  const published = at(event, 'published');
  const atMs = typeof published === 'string' ? Date.parse(published) : NaN;
  return {
    id: asId(at(event, 'uuid')),
    userId,
    deliveryChannel,
    atMs: Number.isNaN(atMs) ? undefined : atMs,
  };
}

/** Whom it is about: the user whom it is done to, where somebody else does it, such as an administrator. */
function userOf(event: unknown): string | undefined {
  const targets = at(event, 'target');
  const list: readonly unknown[] = Array.isArray(targets) ? targets : [];
  const user = list.find((target) => at(target, 'type') === 'User');
  return asId(at(user, 'id')) ?? asId(at(at(event, 'actor'), 'id'));
}

/** An enrolment tells its factor in a sentence: `User set up SMS_FACTOR factor`. */
function factorIn(reason: unknown): string | undefined {
  return typeof reason === 'string' ? /\b(?:SMS|CALL)_FACTOR\b/.exec(reason)?.[0] : undefined;
}

function asId(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ID_LENGTH ? value : undefined;
}

/** An own property, whatever the value is. */
function at(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}
