import { randomUUID } from 'node:crypto';
import Joi from 'joi';
import type { TelephonyRequest } from '../delivery/channel.js';
import type { RememberedAnswer } from '../delivery/duplicates.js';
import type { Delivery } from '../delivery/dispatch.js';
import type { AttemptReport } from '../delivery/events.js';
import { readLocale } from '../delivery/locale.js';
import { toToken } from '../delivery/masking.js';
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
  ['voice call', 'voice'],
  ['phone call', 'voice'],
]);

function deliveryChannelOf(text: string): 'sms' | 'voice' | undefined {
  return DELIVERY_CHANNELS.get(
    text
      .trim()
      .toLowerCase()
      .replace(/[\s_-]+/g, ' '),
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
  const eventId = asText(envelope['eventId']);
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
    request,
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

/** The body of an answer with status 200: what Okta does next is decided by it. */
export type HookAnswer = RememberedAnswer;

/** Named as the provider where a guard, not a channel, decided. */
const GUARD_PROVIDER = 'GUARD';

/** The answer for what a call came to; see section "Answers" of the README. */
export function answerFor(
  request: TelephonyRequest,
  result: {
    readonly delivery: Delivery | undefined;
    /** Why nothing was even tried. */
    readonly refusal: Refusal | undefined;
    readonly durationMs: number;
  },
): HookAnswer {
  const { delivery, refusal, durationMs } = result;
  const decidedBy = delivery?.decidedBy;
  if (refusal !== undefined || delivery === undefined || decidedBy === undefined) {
    const { code, reason } = refusal ?? { code: 'NOT_TRIED', reason: 'Nothing was tried' };
    return failureAnswer(request, [
      { summary: 'Nothing was sent', reason: `${code}: ${reason}`, domain: 'okta-telephony-hook' },
    ]);
  }
  const metadata = (refused: readonly AttemptReport[]): string =>
    transactionMetadata({ channel: decidedBy.channel, request, durationMs, refused });
  if (delivery.status === 'accepted') {
    return commandAnswer({
      status: 'SUCCESSFUL',
      provider: decidedBy.provider,
      transactionId: decidedBy.transactionId ?? request.eventId,
      transactionMetadata: metadata(delivery.attempts.slice(0, -1)),
    });
  }
  if (delivery.status === 'unknown') {
    return commandAnswer({
      status: 'PENDING',
      provider: decidedBy.provider,
      transactionId: request.eventId,
      transactionMetadata: metadata(delivery.attempts.slice(0, -1)),
    });
  }
  if (delivery.isFraudBlock) {
    // An error would let Okta's own failover send what a fraud filter has just held back.
    return commandAnswer({
      status: 'PENDING',
      provider: GUARD_PROVIDER,
      transactionId: request.eventId,
      transactionMetadata: metadata(delivery.attempts),
    });
  }
  return failureAnswer(
    request,
    delivery.attempts.map(({ channel, provider, code, reason }) => ({
      summary: `Refused by ${toToken(channel)}`,
      reason: `${code ?? 'REFUSED'}: ${reason ?? 'Refused by the channel'}`,
      domain: toToken(provider),
    })),
  );
}

/** For a repeat whose first call has no answer yet: it may well have sent the code. */
export function pendingAnswer(request: TelephonyRequest): HookAnswer {
  return commandAnswer({
    status: 'PENDING',
    provider: 'UNKNOWN',
    transactionId: request.eventId,
    transactionMetadata: transactionMetadata({ channel: 'unknown', request, durationMs: 0, refused: [] }),
  });
}

/** Okta takes the code as sent (`SUCCESSFUL`), or as perhaps sent (`PENDING`); either way it sends none itself. */
function commandAnswer(command: {
  readonly status: 'SUCCESSFUL' | 'PENDING';
  readonly provider: string;
  readonly transactionId: string;
  readonly transactionMetadata: string;
}): HookAnswer {
  return { commands: [{ type: 'com.okta.telephony.action', value: [command] }] };
}

/** `key=value` pairs joined by `;`, as they appear in Okta's System Log. */
function transactionMetadata(parts: {
  readonly channel: string;
  readonly request: TelephonyRequest;
  readonly durationMs: number;
  /** The attempts that were refused before. */
  readonly refused: readonly AttemptReport[];
}): string {
  const { request } = parts;
  const pairs = [
    `channel=${toToken(parts.channel)}`,
    `requestType=${toToken(request.requestType ?? 'unknown', 100)}`,
    `Duration=${Math.round(parts.durationMs)}ms`,
    `id=${toToken(request.eventId, 100)}`,
  ];
  const refused = parts.refused.map(
    ({ channel, code }) => `${toToken(channel)}:${toToken(code ?? 'REFUSED')}`,
  );
  if (refused.length > 0) pairs.push(`refused=${refused.join(',')}`);
  return pairs.join(';');
}

/** Nothing went out: Okta may show the summary to the end user, logs the causes, and sends the code itself. */
function failureAnswer(
  request: TelephonyRequest,
  causes: readonly { readonly summary: string; readonly reason: string; readonly domain: string }[],
): HookAnswer {
  return {
    error: {
      errorSummary: 'Your code could not be sent. Please try again or choose another method.',
      errorCauses: causes.map(({ summary, reason, domain }) => ({
        errorSummary: summary,
        reason,
        locationType: 'userId',
        location: toToken(request.userId ?? 'unknown'),
        domain,
      })),
    },
  };
}

/** The body of an answer with another status: Okta skips the hook and sends the code itself. */
export function rejectionAnswer({ code, publicMessage, fields }: RequestError): HookAnswer {
  if (code === 'CALLER_NOT_PROVEN') return { error: { errorSummary: publicMessage } };
  const locations = fields.length === 0 ? [''] : fields;
  return {
    error: {
      errorSummary: publicMessage,
      errorCauses: locations.map((location) => ({
        errorSummary: location === '' ? publicMessage : `${location} is missing or not valid`,
        reason: code,
        locationType: location === '' ? 'request' : 'body',
        location,
        domain: 'okta-telephony-hook',
      })),
    },
  };
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

function asTime(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(time) ? undefined : time;
}
