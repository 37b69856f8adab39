import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { fieldOf } from './api-answer.js';

/** A telephony hook call as Okta's own preview makes it, but for a real user with their own phone. */

/** The kinds of request, without `com.okta.user.telephony.`. */
export const SAMPLE_REQUEST_TYPES = [
  'mfa-verification',
  'pre-enrollment',
  'account-unlock',
  'password-reset',
] as const;
export type SampleRequestType = (typeof SAMPLE_REQUEST_TYPES)[number];

/** Whom it is about, as far as Okta tells. */
export interface SampleUser {
  readonly id: string;
  readonly login: string;
  readonly firstName: string | undefined;
  readonly lastName: string | undefined;
  /** Okta's word, e.g. `ACTIVE`. */
  readonly status: string | undefined;
  readonly locale: string | undefined;
  /** By what Okta asks for. */
  readonly enrolled: Readonly<Record<'sms' | 'voice', string | undefined>>;
  readonly mobilePhone: string | undefined;
}

/** A call of Okta's API: its path in, its JSON out. */
export type AskOkta = (path: string) => Promise<unknown>;

/** A code lives five minutes, as Okta's own do by default. */
const LIFE_MS = 5 * 60_000;
/** By this Okta marks what its preview made: nothing that is under way is overtaken by it. */
const PREVIEW_URL = '/api/internal/v1/inlineHooks/com.okta.telephony.provider/generatePreview';

/**
 * Reads a user by id or login, and the phones that they enrolled.
 * @throws OktaApiError, `OKTA_NOT_FOUND` among them.
 */
export async function readSampleUser(ask: AskOkta, idOrLogin: string): Promise<SampleUser> {
  const user = await ask(`/api/v1/users/${encodeURIComponent(idOrLogin)}`);
  const profile = fieldOf(user, 'profile');
  const id = textOf(user, 'id') ?? '';
  const factors = await ask(`/api/v1/users/${encodeURIComponent(id)}/factors`);
  return {
    id,
    login: textOf(profile, 'login') ?? idOrLogin,
    firstName: textOf(profile, 'firstName'),
    lastName: textOf(profile, 'lastName'),
    status: textOf(user, 'status'),
    locale: textOf(profile, 'preferredLanguage') ?? textOf(profile, 'locale'),
    enrolled: { sms: phoneOf(factors, 'sms'), voice: phoneOf(factors, 'call') },
    mobilePhone: textOf(profile, 'mobilePhone'),
  };
}

/** What Okta would send, and what to know of it before it is sent. */
export function makeSampleCall(
  user: SampleUser,
  options: {
    readonly requestType: SampleRequestType;
    readonly deliveryChannel: 'sms' | 'voice';
    /** In place of the user's own. */
    readonly phone?: string | undefined;
    readonly orgUrl: string;
    readonly nowMs: number;
    /** Okta's request id. Default: a random one. */
    readonly requestId?: string | undefined;
  },
): { readonly payload: Readonly<Record<string, unknown>>; readonly notes: readonly string[] } {
  const { requestType, deliveryChannel, orgUrl, nowMs } = options;
  const isText = deliveryChannel === 'sms';
  const other = isText ? user.enrolled.voice : user.enrolled.sms;
  const phoneNumber = options.phone ?? user.enrolled[deliveryChannel] ?? other ?? user.mobilePhone;
  // Never from 0: an editor that takes it for a number would lose that.
  const otpCode = String(randomInt(100_000, 1_000_000));
  const notes: string[] = [];
  if (phoneNumber === undefined) {
    notes.push(
      'The user has no phone, neither enrolled nor in the profile: put one in data.messageProfile.phoneNumber.',
    );
  } else if (options.phone === undefined && user.enrolled[deliveryChannel] === undefined) {
    notes.push(
      `The user has enrolled no phone for ${isText ? 'SMS' : 'voice calls'}: the number is ${other === undefined ? "the profile's mobilePhone" : 'that of the other factor'}.`,
    );
  }
  if (user.status !== undefined && user.status !== 'ACTIVE')
    notes.push(`The user is ${user.status} at Okta.`);
  return {
    notes,
    payload: {
      eventId: randomUUID(),
      eventTime: new Date(nowMs).toISOString(),
      eventType: 'com.okta.telephony.provider',
      eventTypeVersion: '1.0',
      contentType: 'application/json',
      cloudEventVersion: '0.1',
      source: `${orgUrl}/api/v1/inlineHooks`,
      requestType: `com.okta.user.telephony.${requestType}`,
      data: {
        context: {
          request: {
            id: options.requestId ?? `req${randomBytes(15).toString('base64url')}`,
            method: 'POST',
            url: { value: PREVIEW_URL },
            ipAddress: '127.0.0.1',
          },
        },
        userProfile: {
          userId: user.id,
          login: user.login,
          firstName: user.firstName ?? '',
          lastName: user.lastName ?? '',
        },
        messageProfile: {
          // Okta makes a text for messages only.
          ...(isText ? { msgTemplate: `Your code is ${otpCode}` } : {}),
          phoneNumber: phoneNumber ?? '',
          otpExpires: new Date(nowMs + LIFE_MS).toISOString(),
          deliveryChannel: isText ? 'SMS' : 'VOICE_CALL',
          otpCode,
          locale: (user.locale ?? 'en-US').replace('_', '-').toUpperCase(),
        },
      },
    },
  };
}

function phoneOf(factors: unknown, factorType: 'sms' | 'call'): string | undefined {
  const list: readonly unknown[] = Array.isArray(factors) ? factors : [];
  const factor = list.find(
    (one) => fieldOf(one, 'factorType') === factorType && fieldOf(one, 'status') === 'ACTIVE',
  );
  return textOf(fieldOf(factor, 'profile'), 'phoneNumber');
}

function textOf(value: unknown, name: string): string | undefined {
  const field = fieldOf(value, name);
  return typeof field === 'string' && field !== '' ? field : undefined;
}
