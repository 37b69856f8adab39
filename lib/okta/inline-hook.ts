import { hash, randomUUID } from 'node:crypto';
import Joi from 'joi';
import type { TelephonyRequest } from '../delivery/channel.js';
import { TESTER_PREFIX } from '../delivery/history.js';
import { readLocale } from '../delivery/locale.js';
import { isAbout } from '../delivery/masking.js';
import { toDialableNumber } from '../delivery/phone-number.js';
import { TIMED_OUT, waitAtMost } from '../delivery/wait-at-most.js';
import { RequestError } from '../errors.js';
import { REFUSALS, type Refusal } from './refusals.js';

/** A code's life where Okta's own times cannot be read; Okta's default. */
const DEFAULT_LIFE_MS = 5 * 60_000;
const LONGEST_LIFE_MS = 15 * 60_000;
/** A code that ended longer ago than any clock should be off is not sent. */
const EXPIRED_AFTER_MS = 120_000;

/**
 * What must be there. The rest is read where it can be: Okta adds fields, its documents and its examples
 * differ (numbers without quotes, `requestType` missing), and a code is worth more than a tidy envelope.
 */
const messageSchema = Joi.object<ReadMessage>({
  phoneNumber: readBy((value) => matching(value, /^.{1,64}$/s)),
  otpCode: readBy((value) =>
    typeof value === 'number' && !isCount(value) ? undefined : matching(value, /^[\p{L}\p{N}-]{1,32}$/u),
  ),
  deliveryChannel: readBy((value) => (typeof value === 'string' ? deliveryChannelOf(value) : undefined)),
}).prefs({ abortEarly: false });

/** What the schema makes of them. */
interface ReadMessage {
  readonly phoneNumber: string;
  readonly otpCode: string;
  readonly deliveryChannel: 'sms' | 'voice';
}

/** A value that must be there, as one function reads it; `undefined` where it cannot. */
function readBy(read: (value: unknown) => string | undefined): Joi.Schema {
  return Joi.any()
    .required()
    .custom((value: unknown, helpers) => read(value) ?? helpers.error('any.invalid'));
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

function deliveryChannelOf(text: string): 'sms' | 'voice' | undefined {
  return DELIVERY_CHANNELS.get(text.toLowerCase().replace(/[\s_-]+/g, ''));
}

/** Okta's own are about nobody, even where a user is called User. */
const REQUEST_TYPES: ReadonlySet<string> = new Set(
  ['pre-enrollment', 'mfa-verification', 'account-unlock', 'password-reset'].map(
    (kind) => `com.okta.user.telephony.${kind}`,
  ),
);

/** A request that was read. */
export interface HookCall {
  readonly request: TelephonyRequest;
  /** Why nothing can be sent, whatever the channel. */
  readonly refusal: Refusal | undefined;
  /** Made by Okta's own preview page, not by a sign-in. */
  readonly isPreview: boolean;
  /** Without an event id of Okta's nothing is a repeat. */
  readonly hasEventId: boolean;
  /** When Okta asked, by its own clock; by ours where it sent no time. */
  readonly askedAtMs: number;
  /** Our clock minus Okta's, `undefined` where Okta sent no time. */
  readonly skewMs: number | undefined;
}

/**
 * Reads what Okta sent. A number that is not read within `waitMs` cannot be dialled.
 * Rejects with RequestError `INVALID_REQUEST` and the names of the fields that are missing or wrong.
 */
export async function readHookCall(
  body: unknown,
  parts: { readonly defaultCountry: string | undefined; readonly nowMs: number; readonly waitMs: number },
): Promise<HookCall> {
  const envelope = requireObject(body, 'body');
  const data = requireObject(envelope['data'], 'data');
  const message = requireObject(data['messageProfile'], 'data.messageProfile');
  const needed = readMessage(message);
  const user = asRecord(data['userProfile']);
  const context = asRecord(asRecord(data['context'])['request']);

  const eventTimeMs = asTime(envelope['eventTime']);
  const otpExpiresMs = asTime(message['otpExpires']);
  const lifeMs = eventTimeMs === undefined || otpExpiresMs === undefined ? 0 : otpExpiresMs - eventTimeMs;
  const eventId = asEventId(envelope['eventId']);
  const dialable = toDialableNumber(needed.phoneNumber, parts.defaultCountry);
  const read = dialable instanceof Promise ? await waitAtMost(dialable, parts.waitMs) : dialable;
  const phoneNumber = read === TIMED_OUT ? undefined : read;
  const login = asText(user['login']);
  const request: TelephonyRequest = {
    eventId: eventId ?? randomUUID(),
    requestType: asText(envelope['requestType']),
    deliveryChannel: needed.deliveryChannel,
    phoneNumber: phoneNumber ?? '',
    otpCode: needed.otpCode,
    // Counted from receipt by the life that Okta gave it: a clock that is off, here or there, loses nothing.
    expiresAt: new Date(parts.nowMs + (lifeMs > 0 ? Math.min(lifeMs, LONGEST_LIFE_MS) : DEFAULT_LIFE_MS)),
    msgTemplate: asText(message['msgTemplate'], 4000),
    locale: readLocale(message['locale']),
    userId: asUserId(user['userId'], {
      otpCode: needed.otpCode,
      login,
      phoneNumbers: [needed.phoneNumber, phoneNumber],
    }),
    login,
    firstName: asText(user['firstName']),
    lastName: asText(user['lastName']),
    ipAddress: asText(context['ipAddress']),
    oktaRequestId: asText(context['id']),
    raw: body,
  };
  return {
    request: withTellableIds(request),
    refusal: refusalOf(phoneNumber, otpExpiresMs, parts.nowMs),
    isPreview: asText(asRecord(context['url'])['value'], 2048)?.includes('generatePreview') ?? false,
    hasEventId: eventId !== undefined,
    askedAtMs: eventTimeMs ?? parts.nowMs,
    skewMs: eventTimeMs === undefined ? undefined : parts.nowMs - eventTimeMs,
  };
}

/**
 * Ids are told in answers and logs: one that holds the code, the number, the login or a name, which Okta's never do,
 * is told by its digest. The user id stays what it is, for the user is looked up by it.
 */
function withTellableIds(request: TelephonyRequest): TelephonyRequest {
  const { eventId, requestType, oktaRequestId } = request;
  const isOktas = requestType === undefined || REQUEST_TYPES.has(requestType);
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

/** The three that no code can do without, by joi: trimmed, the channel in our words. */
function readMessage(message: Readonly<Record<string, unknown>>): ReadMessage {
  const needed = {
    phoneNumber: message['phoneNumber'],
    otpCode: message['otpCode'],
    deliveryChannel: message['deliveryChannel'],
  };
  const result = messageSchema.validate(needed);
  if (result.error === undefined) return result.value;
  const paths = result.error.details.map(({ path }) => `data.messageProfile.${path.join('.')}`);
  throw notOfTheHook([...new Set(paths)]);
}

function requireObject(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notOfTheHook([path]);
  return value as Readonly<Record<string, unknown>>;
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

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** A text of Okta's that is not empty; longer than any of Okta's own, it is left out. */
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
  of: {
    readonly otpCode: string;
    readonly login: string | undefined;
    /** As Okta wrote it, and as it is dialled. */
    readonly phoneNumbers: readonly (string | undefined)[];
  },
): string | undefined {
  const userId = asText(value);
  if (userId === undefined) return undefined;
  const isSame = (text: string | undefined): boolean => text?.toLowerCase() === userId.toLowerCase();
  const digits = dialledDigits(userId);
  const isNumber = digits !== '' && of.phoneNumbers.some((number) => dialledDigits(number ?? '') === digits);
  return isNumber || isSame(of.login) || isSame(of.otpCode) ? undefined : userId;
}

/** Without the zeros that stand before a number within a country, or before the country. */
function dialledDigits(text: string): string {
  return text.replace(/\D/g, '').replace(/^0+/, '');
}

/** Okta's are texts of about 20 characters; whatever it is, the same one must be the same. */
function asEventId(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : asText(value, Infinity);
  return text === undefined || text.length <= 256 ? text : digestOf(text);
}

const digestOf = (text: string): string => hash('sha256', text, 'base64url');

function asTime(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(time) ? undefined : time;
}
