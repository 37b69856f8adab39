import { createHash, randomUUID } from 'node:crypto';
import Joi from 'joi';
import type { TelephonyRequest } from '../delivery/channel.js';
import { readLocale } from '../delivery/locale.js';
import { isAbout } from '../delivery/masking.js';
import { toDialableNumber } from '../delivery/phone-number.js';
import { RequestError } from '../errors.js';

/** A code's life where Okta's own times cannot be read; Okta's default. */
const DEFAULT_LIFE_MS = 5 * 60_000;
const LONGEST_LIFE_MS = 15 * 60_000;
/** A code that ended longer ago than any clock should be off is not sent. */
const EXPIRED_AFTER_MS = 120_000;

/**
 * What must be there. The rest is read where it can be: Okta adds fields, its documents and its examples
 * differ (numbers without quotes, `requestType` missing), and a code is worth more than a tidy envelope.
 */
const hookSchema = Joi.object({
  data: Joi.object({
    messageProfile: Joi.object({
      phoneNumber: Joi.alternatives(Joi.string().trim().min(1).max(64), Joi.number().strict()).required(),
      otpCode: Joi.alternatives(
        Joi.string()
          .trim()
          .pattern(/^[\p{L}\p{N}-]{1,32}$/u),
        Joi.number().strict().integer().min(0),
      ).required(),
      deliveryChannel: Joi.string()
        .custom((value: string, helpers) => deliveryChannelOf(value) ?? helpers.error('any.invalid'))
        .required(),
    })
      .unknown()
      .required(),
  })
    .unknown()
    .required(),
})
  .unknown()
  .required();

/** What Okta sends, in every spelling that its documents and its users have shown. */
const DELIVERY_CHANNELS: ReadonlyMap<string, 'sms' | 'voice'> = new Map([
  ['sms', 'sms'],
  ['call', 'voice'],
  ['voice', 'voice'],
  ['voicecall', 'voice'],
  ['phonecall', 'voice'],
]);

function deliveryChannelOf(text: string): 'sms' | 'voice' | undefined {
  return DELIVERY_CHANNELS.get(
    text
      .trim()
      .toLowerCase()
      .replace(/[\s_-]+/g, ''),
  );
}

/** A request that was read. */
export interface HookCall {
  readonly request: TelephonyRequest;
  /** Why nothing can be sent, whatever the channel. */
  readonly refusal: Refusal | undefined;
  /** Made by Okta's own preview page, not by a sign-in. */
  readonly isPreview: boolean;
  /** Without an event id of Okta's nothing is a repeat. */
  readonly hasEventId: boolean;
  /** Our clock minus Okta's, `undefined` where Okta sent no time. */
  readonly skewMs: number | undefined;
}

/** One reason why nothing went out that is not a provider's. */
export interface Refusal {
  readonly code: 'NO_DIALABLE_NUMBER' | 'CODE_EXPIRED' | 'CHANNEL_NOT_CONFIGURED' | 'DEADLINE';
  readonly reason: string;
}

/**
 * Reads what Okta sent.
 * @throws RequestError `INVALID_REQUEST` with the names of the fields that are missing or wrong.
 */
export function readHookCall(
  body: unknown,
  parts: { readonly defaultCountry: string | undefined; readonly nowMs: number },
): HookCall {
  const { error } = hookSchema.validate(body, { convert: true, abortEarly: false });
  if (error !== undefined) {
    const fields = [...new Set(error.details.map(({ path }) => path.join('.') || 'body'))];
    throw new RequestError('INVALID_REQUEST', 'The request is not one of a telephony inline hook.', {
      fields,
    });
  }
  const envelope = asRecord(body);
  const data = asRecord(envelope['data']);
  const message = asRecord(data['messageProfile']);
  const user = asRecord(data['userProfile']);
  const context = asRecord(asRecord(data['context'])['request']);

  const eventTimeMs = asTime(envelope['eventTime']);
  const otpExpiresMs = asTime(message['otpExpires']);
  const lifeMs = eventTimeMs === undefined || otpExpiresMs === undefined ? 0 : otpExpiresMs - eventTimeMs;
  const eventId = asEventId(envelope['eventId']);
  const phoneNumber = toDialableNumber(String(message['phoneNumber']).trim(), parts.defaultCountry);
  const request: TelephonyRequest = {
    eventId: eventId ?? randomUUID(),
    requestType: asText(envelope['requestType']),
    deliveryChannel: deliveryChannelOf(String(message['deliveryChannel'])) ?? 'sms',
    phoneNumber: phoneNumber ?? '',
    otpCode: String(message['otpCode']).trim(),
    // Counted from receipt by the life that Okta gave it: a clock that is off, here or there, loses nothing.
    expiresAt: new Date(parts.nowMs + (lifeMs > 0 ? Math.min(lifeMs, LONGEST_LIFE_MS) : DEFAULT_LIFE_MS)),
    msgTemplate: asText(message['msgTemplate'], 4000),
    locale: readLocale(message['locale']),
    userId: asText(user['userId']),
    login: asText(user['login']),
    firstName: asText(user['firstName']),
    lastName: asText(user['lastName']),
    ipAddress: asText(context['ipAddress']),
    oktaRequestId: asText(context['id']),
    raw: body,
  };
  return {
    // The id is told in answers and logs: one that holds the code or the number is told by its digest.
    request: isAbout(request.eventId, request, '')
      ? { ...request, eventId: digestOf(request.eventId) }
      : request,
    refusal: refusalOf(phoneNumber, otpExpiresMs, parts.nowMs),
    isPreview: asText(asRecord(context['url'])['value'], 2048)?.includes('generatePreview') ?? false,
    hasEventId: eventId !== undefined,
    skewMs: eventTimeMs === undefined ? undefined : parts.nowMs - eventTimeMs,
  };
}

function refusalOf(
  phoneNumber: string | undefined,
  otpExpiresMs: number | undefined,
  nowMs: number,
): Refusal | undefined {
  if (otpExpiresMs !== undefined && nowMs - otpExpiresMs > EXPIRED_AFTER_MS) {
    return { code: 'CODE_EXPIRED', reason: 'The code had ended before the request came' };
  }
  if (phoneNumber === undefined) {
    return {
      code: 'NO_DIALABLE_NUMBER',
      reason: 'The number is not in E.164 form, and no default country makes it so',
    };
  }
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

/** Okta's are texts of about 20 characters; whatever it is, the same one must be the same. */
function asEventId(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : asText(value, Infinity);
  return text === undefined || text.length <= 256 ? text : digestOf(text);
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

function asTime(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(time) ? undefined : time;
}
