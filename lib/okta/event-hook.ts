import type { CodeUse, GivenUpCall, OktaNews } from '../delivery/messages/code-uses.js';
import type { OktaFallback } from '../core/events.js';
import { asList, asObject, fieldOf, textFieldOf } from '../core/json.js';
import { maskText } from '../core/masking.js';
import { RequestError } from '../core/request-error.js';

/** Reads Okta's event hook: its one-time verification, and its events about codes that were used and calls that failed. */

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
/** The event of an inline hook that did not answer as it should, of any type. */
export const HOOK_FAILED = 'inline_hook.executed';

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

/**
 * Reads the events lazily, one at a time.
 *
 * @param hookIds - the ids of the inline hooks that have called this gateway.
 */
export function* readNews(
  events: readonly unknown[],
  hookIds: ReadonlySet<string>,
): Generator<OktaNews | undefined> {
  for (const event of events) yield readCodeUse(event) ?? readGivenUpCall(event, hookIds);
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

/** Reads a call that Okta gave up on; `undefined` if it is not a call of this gateway's hook. */
export function readGivenUpCall(event: unknown, hookIds: ReadonlySet<string>): GivenUpCall | undefined {
  if (fieldOf(event, 'eventType') !== HOOK_FAILED || fieldOf(event, 'outcome', 'result') === 'SUCCESS')
    return undefined;
  const owner = ownerOf(event, hookIds);
  if (owner === 'other') return undefined;
  const reason = textFieldOf(event, 'outcome', 'reason') ?? '';
  return {
    id: idOf(event, 'uuid'),
    oktaRequestId: idOf(event, 'transaction', 'id') ?? idOf(event, 'debugContext', 'debugData', 'requestId'),
    // Okta itself may be the actor.
    userId: fieldOf(event, 'actor', 'type') === 'User' ? userOf(event) : targetUserOf(event),
    code: WORDS.find(([, words]) => words.test(reason))?.[0] ?? 'OTHER',
    reason: maskText(reason, undefined) || undefined,
    isHookUnknown: owner === 'unknown',
  };
}

/** Okta publishes no list of its reasons. The words are those of its documents on hooks and of its errors E0000134 to E0000137. */
const WORDS: readonly (readonly [OktaFallback, RegExp])[] = [
  // Before a time-out, because a status may have that name.
  ['HTTP_STATUS', /\bstatus(?: code)?\W{0,3}(?!200)\d{3}\b|\bHTTP\W?(?!200)\d{3}\b/i],
  ['TIMEOUT', /tim(?:e|ed)[ _-]?out|within \d|did(?: not|n't) receive a response|no response/i],
  [
    'UNREACHABLE',
    /connect|communicat|unreachable|resolve|unknown host|\bE(?:CONN|HOST|NET|PIPE|AI_)|\b(?:SSL|TLS|DNS)\b|certificate/i,
  ],
  ['BAD_RESPONSE', /deseriali[sz]e|pars|json|malformed|invalid|response|body|command|error/i],
];

/** The id of an inline hook, also inside a URL. */
const HOOK_ID = /\bcal[A-Za-z0-9]{17}\b/g;
/** The type of an inline hook, such as `com.okta.oauth2.tokens.transform`. */
const HOOK_TYPE = /\bcom\.okta\.[a-z0-9.-]+/;

/**
 * Whose hook failed. Okta publishes no sample of this event, so an id or a type of a hook counts wherever the event has it: in a
 * target, or in the debug data.
 */
function ownerOf(event: unknown, hookIds: ReadonlySet<string>): 'ours' | 'other' | 'unknown' {
  const parts = [...asList(fieldOf(event, 'target')), fieldOf(event, 'debugContext', 'debugData')];
  const texts = parts
    .flatMap((part) => Object.values(asObject(part)))
    .filter((value) => typeof value === 'string')
    .map((text) => text.slice(0, MAX_ID_LENGTH));
  const types = texts.flatMap((text) => HOOK_TYPE.exec(text)?.[0] ?? []);
  if (types.some((type) => type.includes('telephony'))) return 'ours';
  if (types.length > 0) return 'other';
  const ids = texts.flatMap((text) => text.match(HOOK_ID) ?? []);
  if (ids.some((id) => hookIds.has(id))) return 'ours';
  return ids.length > 0 && hookIds.size > 0 ? 'other' : 'unknown';
}

/** The event's user: its target, else its actor. An administrator may act for a user. */
function userOf(event: unknown): string | undefined {
  return targetUserOf(event) ?? idOf(event, 'actor', 'id');
}

function targetUserOf(event: unknown): string | undefined {
  const user = asList(fieldOf(event, 'target')).find((target) => fieldOf(target, 'type') === 'User');
  return idOf(user, 'id');
}

/** An enrollment names its factor in a sentence: `User set up SMS_FACTOR factor`. */
function factorIn(reason: string | undefined): string | undefined {
  return /\b(?:SMS|CALL)_FACTOR\b/.exec(reason ?? '')?.[0];
}

function idOf(value: unknown, ...path: readonly string[]): string | undefined {
  const id = textFieldOf(value, ...path);
  return id !== undefined && id.length <= MAX_ID_LENGTH ? id : undefined;
}
