import { randomUUID } from 'node:crypto';
import type { TelephonyRequest } from '../core/channel.js';
import { fullRequestType, REQUEST_TYPES } from '../core/request-types.js';
import { asObject, isObject, type JsonObject } from '../core/json.js';
import { fixedDate } from '../core/freeze.js';
import { readLocale } from '../texts/locale.js';
import { digestOf, isAbout, isPersonal, type PersonalData } from '../core/masking.js';
import { personalDataOf } from '../numbers/personal-data.js';
import { isInternational, toDialableNumber } from '../numbers/phone-number.js';
import { RequestError } from '../core/request-error.js';
import { NO_INTERNATIONAL_NUMBER, REFUSALS, type HookRefusal } from './hook-answer.js';

/**
 * Reads the request of Okta's telephony inline hook. It requires only the three fields without which no code can be sent,
 * and reads the others if it can.
 */

/** The start of Okta's request id in a call of the console's tester. */
export const TESTER_PREFIX = 'tester-';

/** The path of Okta's own preview page, which marks the calls that the page makes. */
export const PREVIEW_PATH = '/api/internal/v1/inlineHooks/com.okta.telephony.provider/generatePreview';

/** A code's life if Okta's times cannot be read. It is Okta's default. */
const DEFAULT_LIFE_MS = 5 * 60_000;
const LONGEST_LIFE_MS = 15 * 60_000;
/** A code that expired longer ago is not sent. A shorter time may be a difference of the clocks. */
const EXPIRED_AFTER_MS = 120_000;

/** The path of `source`, the URL of Okta's inline hook. */
const SOURCE = /\/api\/v1\/inlineHooks\/([A-Za-z0-9]{1,64})$/;

/** The result of reading a request. */
export interface HookCall {
  readonly request: TelephonyRequest;
  /** Why no channel can send the code; `undefined` if one may. */
  readonly refusal: HookRefusal | undefined;
  /** Okta's own preview page made the call, not a sign-in. */
  readonly isPreview: boolean;
  /** Without an event id of Okta's, a repeat cannot be recognised. */
  readonly hasEventId: boolean;
  /** Okta's id of the inline hook that it called. */
  readonly inlineHookId: string | undefined;
  /** The code's life from its receipt, by Okta's times, milliseconds. */
  readonly lifeMs: number;
  /** When Okta made the request, by its clock; by ours if it sent no time. Milliseconds since 1970. */
  readonly requestedAtMs: number;
  /** Our clock minus Okta's, milliseconds; `undefined` if Okta sent no time. */
  readonly skewMs: number | undefined;
}

/**
 * Reads the request's body.
 *
 * @throws RequestError `INVALID_REQUEST` with the names of the fields that are missing or wrong.
 */
export function readHookCall(
  body: unknown,
  { defaultCountry, nowMs }: { readonly defaultCountry: string | undefined; readonly nowMs: number },
): HookCall {
  const envelope = requireObject(body, 'body');
  const data = requireObject(envelope['data'], 'data');
  const message = requireObject(data['messageProfile'], 'data.messageProfile');
  const required = readRequired(message);
  const phoneNumber = toDialableNumber(required.phoneNumber, defaultCountry);
  const user = asObject(data['userProfile']);
  const context = asObject(asObject(data['context'])['request']);
  const eventTimeMs = asTime(envelope['eventTime']);
  const otpExpiresMs = asTime(message['otpExpires']);
  const givenMs = eventTimeMs === undefined || otpExpiresMs === undefined ? 0 : otpExpiresMs - eventTimeMs;
  const lifeMs = givenMs > 0 ? Math.min(givenMs, LONGEST_LIFE_MS) : DEFAULT_LIFE_MS;
  const isExpired = otpExpiresMs !== undefined && nowMs - otpExpiresMs > EXPIRED_AFTER_MS;
  const eventId = asEventId(envelope['eventId']);
  const login = asText(user['login']);
  const firstName = asText(user['firstName']);
  const lastName = asText(user['lastName']);
  // With the number as Okta sent it, which may be one that cannot be dialled.
  const { otpCode, phoneNumber: given } = required;
  const personal = personalDataOf(
    { otpCode, phoneNumber: given, login, firstName, lastName },
    undefined,
    phoneNumber,
  );
  const request: TelephonyRequest = {
    eventId: eventId ?? randomUUID(),
    requestType: readRequestType(envelope['requestType']),
    deliveryChannel: required.deliveryChannel,
    phoneNumber: phoneNumber ?? '',
    otpCode: required.otpCode,
    // From the receipt, by the code's life: a difference between the clocks must not shorten it.
    expiresAt: fixedDate(nowMs + lifeMs),
    msgTemplate: asText(message['msgTemplate'], 4000),
    locale: readLocale(message['locale']),
    userId: asUserId(user['userId'], personal),
    login,
    firstName,
    lastName,
    ipAddress: asText(context['ipAddress']),
    oktaRequestId: asText(context['id']),
    raw: body,
  };
  return {
    request: withSafeIds(request, personal),
    refusal: isExpired ? REFUSALS.CODE_EXPIRED : refusalOf(phoneNumber, required.phoneNumber),
    isPreview: isPreviewUrl(asObject(context['url'])['value']),
    hasEventId: eventId !== undefined,
    inlineHookId: SOURCE.exec(asText(envelope['source'], 2048) ?? '')?.[1],
    lifeMs,
    requestedAtMs: eventTimeMs ?? nowMs,
    skewMs: eventTimeMs === undefined ? undefined : nowMs - eventTimeMs,
  };
}

function requireObject(value: unknown, path: string): JsonObject {
  if (!isObject(value)) throw invalidRequest([path]);
  return value;
}

function invalidRequest(fields: readonly string[]): RequestError {
  return new RequestError('INVALID_REQUEST', 'The request is not one of a telephony inline hook.', {
    fields,
  });
}

/**
 * The required fields, the channel in our terms. All others are optional, because Okta adds fields, and its documents and examples
 * differ (numbers without quotes, no `requestType`). A code matters more than a tidy envelope.
 */
function readRequired(message: JsonObject) {
  const phoneNumber = matching(message['phoneNumber'], PHONE_NUMBER);
  const otpCode = otpCodeOf(message['otpCode']);
  const deliveryChannel = deliveryChannelOf(message['deliveryChannel']);
  if (phoneNumber !== undefined && otpCode !== undefined && deliveryChannel !== undefined) {
    return { phoneNumber, otpCode, deliveryChannel };
  }
  const wrong = Object.entries({ phoneNumber, otpCode, deliveryChannel }).filter(
    ([, read]) => read === undefined,
  );
  throw invalidRequest(wrong.map(([name]) => `data.messageProfile.${name}`));
}

const PHONE_NUMBER = /^.{1,64}$/s;
const OTP_CODE = /^[\p{L}\p{N}-]{1,32}$/u;

function otpCodeOf(value: unknown): string | undefined {
  const isNoCode = typeof value === 'number' && !(Number.isSafeInteger(value) && value >= 0);
  return isNoCode ? undefined : matching(value, OTP_CODE);
}

/** The trimmed text if it matches. A number without quotes, as in Okta's examples, counts as text. */
function matching(value: unknown, pattern: RegExp): string | undefined {
  const isNumber = typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
  const text = isNumber ? String(value) : typeof value === 'string' ? value.trim() : '';
  return pattern.test(text) ? text : undefined;
}

/** Okta's delivery channels, in every spelling that its documents and users have shown. */
const DELIVERY_CHANNELS: ReadonlyMap<string, 'sms' | 'voice'> = new Map([
  ['sms', 'sms'],
  ['call', 'voice'],
  ['voice', 'voice'],
  ['voicecall', 'voice'],
  ['phonecall', 'voice'],
]);

function deliveryChannelOf(value: unknown): 'sms' | 'voice' | undefined {
  if (typeof value !== 'string') return undefined;
  return DELIVERY_CHANNELS.get(value.toLowerCase().replace(/[\s_-]+/g, ''));
}

/** @param given - the number as Okta sent it. */
function refusalOf(phoneNumber: string | undefined, given: string): HookRefusal | undefined {
  if (phoneNumber !== undefined) return undefined;
  return isInternational(given) ? NO_INTERNATIONAL_NUMBER : REFUSALS.NO_DIALABLE_NUMBER;
}

/**
 * Whether a URL is that of Okta's preview page. The whole path must match, because a preview has its own limits and anyone who
 * signs in can write the query of a sign-in's URL.
 */
export function isPreviewUrl(value: unknown): boolean {
  return asText(value, 2048)?.split('?', 1)[0] === PREVIEW_PATH;
}

/** Okta's request types hold no personal data, even if a user's name is `User`. */
const OKTA_TYPES: ReadonlyMap<string, string> = new Map(
  REQUEST_TYPES.map(fullRequestType).map((type) => [type, type]),
);

function readRequestType(value: unknown): string | undefined {
  const text = asText(value);
  // Thousands of requests are remembered: they share these strings.
  return text === undefined ? undefined : (OKTA_TYPES.get(text) ?? text);
}

/**
 * Ids appear in answers and logs. Okta's ids never hold the code, the number, the login or a name; an id that does is replaced
 * by its digest. The user id stays, because the user is looked up by it.
 */
function withSafeIds(request: TelephonyRequest, personal: PersonalData): TelephonyRequest {
  const { eventId, requestType, oktaRequestId } = request;
  const isOktaType = requestType === undefined || OKTA_TYPES.has(requestType);
  // Fast path: one check of all ids together.
  const all = `${eventId} ${oktaRequestId ?? ''} ${isOktaType ? '' : requestType}`;
  if (!isAbout(all, personal)) return request;
  const toSafe = <Id extends string | undefined>(id: Id): Id | string =>
    id !== undefined && isAbout(id, personal) ? digestOf(id) : id;
  // The tester's prefix stays even if a user has that name: a test must not look like a sign-in.
  const isTest = oktaRequestId?.startsWith(TESTER_PREFIX) === true;
  return {
    ...request,
    eventId: toSafe(eventId),
    requestType: isOktaType ? requestType : toSafe(requestType),
    oktaRequestId: isTest
      ? TESTER_PREFIX + toSafe(oktaRequestId.slice(TESTER_PREFIX.length))
      : toSafe(oktaRequestId),
  };
}

/** A trimmed text; `undefined` if it is longer than any of Okta's. */
function asText(value: unknown, maxLength = 256): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return text === '' || text.length > maxLength ? undefined : text;
}

/**
 * The user id, which every log line carries. A value that is the login, the number or the code is dropped, and the user is
 * looked up by the login. A name in it is accepted, because an id may contain one by chance.
 */
function asUserId(value: unknown, personal: PersonalData): string | undefined {
  const userId = asText(value);
  // Fast path: an id in the form of Okta's.
  if (userId === undefined || OKTA_USER_ID.test(userId)) return userId;
  return isPersonal(userId, personal) ? undefined : userId;
}

const OKTA_USER_ID = /^00u[A-Za-z0-9]{17}$/;

/** Okta's ids have about 20 characters. A longer one is replaced by its digest, so that a repeat has the same id. */
function asEventId(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : asText(value, Infinity);
  return text === undefined || text.length <= 256 ? text : digestOf(text);
}

function asTime(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(time) ? undefined : time;
}
