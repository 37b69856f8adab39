import { randomUUID } from 'node:crypto';
import type { TelephonyRequest } from '../core/channel.js';
import { TESTER_PREFIX } from '../core/history.js';
import { fullRequestType, REQUEST_TYPES } from '../core/request-types.js';
import { readLocale } from '../texts/locale.js';
import { digestOf, isAbout } from '../core/masking.js';
import { toDialableNumber } from '../numbers/phone-number.js';
import { RequestError } from '../core/errors.js';
import { asObject, isObject, type JsonObject } from '../core/json.js';
import { REFUSALS, type Refusal } from './refusals.js';

/** The path of Okta's own preview page. By it Okta marks what the page made. */
export const PREVIEW_PATH = '/api/internal/v1/inlineHooks/com.okta.telephony.provider/generatePreview';

/** A code's life where Okta's own times cannot be read; Okta's default. */
const DEFAULT_LIFE_MS = 5 * 60_000;
const LONGEST_LIFE_MS = 15 * 60_000;
/** A code that ended longer ago than any clock should be off is not sent. */
const EXPIRED_AFTER_MS = 120_000;

/**
 * What must be there, each as one function reads it, `undefined` where it cannot. The rest is read where it can be: Okta
 * adds fields, its documents and its examples differ (numbers without quotes, `requestType` missing), and a code is worth
 * more than a tidy envelope.
 */
interface NeededFields {
  readonly phoneNumber: string;
  readonly otpCode: string;
  readonly deliveryChannel: 'sms' | 'voice';
}

const PHONE_NUMBER = /^.{1,64}$/s;
const OTP_CODE = /^[\p{L}\p{N}-]{1,32}$/u;

function phoneNumberOf(value: unknown): string | undefined {
  return matching(value, PHONE_NUMBER);
}

function otpCodeOf(value: unknown): string | undefined {
  return typeof value === 'number' && !isCount(value) ? undefined : matching(value, OTP_CODE);
}

/** A text, trimmed, or a number without quotes, as Okta's own examples have it. */
function matching(value: unknown, pattern: RegExp): string | undefined {
  const isNumber = typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
  const text = isNumber ? String(value) : typeof value === 'string' ? value.trim() : '';
  return pattern.test(text) ? text : undefined;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** What Okta sends, in every spelling that its documents and its users have shown. */
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

/** Okta's own are about nobody, even where a user is called User. */
const OKTA_TYPES: ReadonlySet<string> = new Set(REQUEST_TYPES.map(fullRequestType));

/** A request that was read. */
export interface HookCall {
  readonly request: TelephonyRequest;
  /** Why nothing can be sent, whatever the channel. */
  readonly refusal: Refusal | undefined;
  /** Made by Okta's own preview page, not by a sign-in. */
  readonly isPreview: boolean;
  /** Without an event id of Okta's nothing is a repeat. */
  readonly hasEventId: boolean;
  /** How long the code lives from its receipt, milliseconds, as Okta gave it. */
  readonly lifeMs: number;
  /** When Okta asked, by its own clock; by ours where it sent no time. */
  readonly askedAtMs: number;
  /** Our clock minus Okta's, `undefined` where Okta sent no time. */
  readonly skewMs: number | undefined;
}

/**
 * Reads what Okta sent.
 *
 * @throws RequestError `INVALID_REQUEST` and the names of the fields that are missing or wrong.
 */
export function readHookCall(
  body: unknown,
  { defaultCountry, nowMs }: { readonly defaultCountry: string | undefined; readonly nowMs: number },
): HookCall {
  const envelope = requireObject(body, 'body');
  const data = requireObject(envelope['data'], 'data');
  const message = requireObject(data['messageProfile'], 'data.messageProfile');
  const needed = readNeeded(message);
  const phoneNumber = toDialableNumber(needed.phoneNumber, defaultCountry);
  const user = asObject(data['userProfile']);
  const context = asObject(asObject(data['context'])['request']);
  const eventTimeMs = asTime(envelope['eventTime']);
  const otpExpiresMs = asTime(message['otpExpires']);
  const givenMs = eventTimeMs === undefined || otpExpiresMs === undefined ? 0 : otpExpiresMs - eventTimeMs;
  const lifeMs = givenMs > 0 ? Math.min(givenMs, LONGEST_LIFE_MS) : DEFAULT_LIFE_MS;
  const eventId = asEventId(envelope['eventId']);
  const login = asText(user['login']);
  const request: TelephonyRequest = {
    eventId: eventId ?? randomUUID(),
    requestType: asText(envelope['requestType']),
    deliveryChannel: needed.deliveryChannel,
    phoneNumber: phoneNumber ?? '',
    otpCode: needed.otpCode,
    // Counted from receipt by the life that Okta gave it: a clock that is off, here or there, loses nothing.
    expiresAt: new Date(nowMs + lifeMs),
    msgTemplate: asText(message['msgTemplate'], 4000),
    locale: readLocale(message['locale']),
    userId: asUserId(user['userId'], login, needed, phoneNumber),
    login,
    firstName: asText(user['firstName']),
    lastName: asText(user['lastName']),
    ipAddress: asText(context['ipAddress']),
    oktaRequestId: asText(context['id']),
    raw: body,
  };
  return {
    request: withTellableIds(request),
    refusal: refusalOf(phoneNumber, otpExpiresMs, nowMs),
    isPreview: isPreviewUrl(asObject(context['url'])['value']),
    hasEventId: eventId !== undefined,
    lifeMs,
    askedAtMs: eventTimeMs ?? nowMs,
    skewMs: eventTimeMs === undefined ? undefined : nowMs - eventTimeMs,
  };
}

/**
 * Whether Okta made a call for the URL of its preview page. The whole path must match: a query of a sign-in is written by
 * whoever signs in, and a preview has limits of its own.
 */
export function isPreviewUrl(value: unknown): boolean {
  return asText(value, 2048)?.split('?', 1)[0] === PREVIEW_PATH;
}

/**
 * Ids are told in answers and logs: one that holds the code, the number, the login or a name, which Okta's never do,
 * is told by its digest. The user id stays what it is, for the user is looked up by it.
 */
function withTellableIds(request: TelephonyRequest): TelephonyRequest {
  const { eventId, requestType, oktaRequestId } = request;
  const isOktas = requestType === undefined || OKTA_TYPES.has(requestType);
  // All at once first: hardly ever is there anything to do.
  const all = `${eventId} ${oktaRequestId ?? ''} ${isOktas ? '' : requestType}`;
  if (!isAbout(all, request, '')) return request;
  const tellable = <Id extends string | undefined>(id: Id): Id | string =>
    id !== undefined && isAbout(id, request, '') ? digestOf(id) : id;
  // A user of that name must not make a test look like a sign-in.
  const isTest = oktaRequestId?.startsWith(TESTER_PREFIX) === true;
  return {
    ...request,
    eventId: tellable(eventId),
    requestType: isOktas ? requestType : tellable(requestType),
    oktaRequestId: isTest
      ? TESTER_PREFIX + tellable(oktaRequestId.slice(TESTER_PREFIX.length))
      : tellable(oktaRequestId),
  };
}

/** The three that no code can do without: trimmed, the channel in our words. */
function readNeeded(message: JsonObject): NeededFields {
  const phoneNumber = phoneNumberOf(message['phoneNumber']);
  const otpCode = otpCodeOf(message['otpCode']);
  const deliveryChannel = deliveryChannelOf(message['deliveryChannel']);
  if (phoneNumber !== undefined && otpCode !== undefined && deliveryChannel !== undefined) {
    return { phoneNumber, otpCode, deliveryChannel };
  }
  const wrong = Object.entries({ phoneNumber, otpCode, deliveryChannel }).filter(
    ([, read]) => read === undefined,
  );
  throw notOfTheHook(wrong.map(([name]) => `data.messageProfile.${name}`));
}

function requireObject(value: unknown, path: string): JsonObject {
  if (!isObject(value)) throw notOfTheHook([path]);
  return value;
}

function notOfTheHook(fields: readonly string[]): RequestError {
  return new RequestError('INVALID_REQUEST', 'The request is not one of a telephony inline hook.', {
    fields,
  });
}

function refusalOf(
  phoneNumber: string | undefined,
  otpExpiresMs: number | undefined,
  nowMs: number,
): Refusal | undefined {
  if (otpExpiresMs !== undefined && nowMs - otpExpiresMs > EXPIRED_AFTER_MS) return REFUSALS.CODE_EXPIRED;
  if (phoneNumber === undefined) return REFUSALS.NO_DIALABLE_NUMBER;
  return undefined;
}

/** Unlike `textFieldOf`, trimmed; and a text that is longer than any of Okta's own is left out. */
function asText(value: unknown, maxLength = 256): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return text === '' || text.length > maxLength ? undefined : text;
}

/**
 * What is told of every call must be an id of Okta's. What is the login, the number or the code itself is none: it is left
 * out, and the user is looked up by the login. A name is no reason, for an id may hold one by chance.
 */
function asUserId(
  value: unknown,
  login: string | undefined,
  needed: NeededFields,
  /** As it is dialled. */
  phoneNumber: string | undefined,
): string | undefined {
  const userId = asText(value);
  if (userId === undefined) return undefined;
  const sought = userId.toLowerCase();
  if (sought === login?.toLowerCase() || sought === needed.otpCode.toLowerCase()) return undefined;
  const digits = dialledDigits(userId);
  if (digits === '') return userId;
  // What is dialled has a plus, and no zero after it.
  if (digits === phoneNumber?.slice(1)) return undefined;
  // As Okta wrote it, nearly always in the same way.
  const isWritten = needed.phoneNumber !== phoneNumber && digits === dialledDigits(needed.phoneNumber);
  return isWritten ? undefined : userId;
}

/** Without the zeros that stand before a number within a country, or before the country. */
function dialledDigits(text: string): string {
  return text.replace(/\D+/g, '').replace(/^0+/, '');
}

/** Okta's are texts of about 20 characters; whatever it is, the same one must be the same. */
function asEventId(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : asText(value, Infinity);
  return text === undefined || text.length <= 256 ? text : digestOf(text);
}

function asTime(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(time) ? undefined : time;
}
