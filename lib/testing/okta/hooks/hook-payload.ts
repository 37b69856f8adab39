import { fullRequestType, type RequestType } from '../../../core/request-types.js';
import type { EmulatedUser } from '../users/users.js';
import { randomAlphanumeric, randomDigits } from '../../server/random-ids.js';

/** Options of a hook call's payload. Everything has a default. */
export interface HookPayloadOptions {
  /**
   * Default: the user with `login`, else the org's first user. It need not exist. In an org without users the call is for Ana
   * Silva, ana@example.com, +14155550123, with a random id that the Users API does not know.
   */
  readonly userId?: string | undefined;
  readonly login?: string | undefined;
  /** Default: `mfa-verification`. A value with a dot is sent unchanged. */
  readonly requestType?: RequestType | (string & {}) | undefined;
  /** Default: `SMS`. */
  readonly deliveryChannel?: string | undefined;
  /** Default: the phone that the user enrolled, else `mobilePhone`, else a fictional one. */
  readonly phoneNumber?: string | number | undefined;
  /** Default: six random digits. */
  readonly otpCode?: string | number | undefined;
  /** Default: for SMS a sentence with the code in the language of `locale` (English, French, German or Spanish), for voice none. */
  readonly msgTemplate?: string | undefined;
  /** Default: `EN-US`. */
  readonly locale?: string | undefined;
  readonly eventId?: string | undefined;
  /** Whether it is the preview of Okta's Inline Hook page, with its URL, 127.0.0.1 and the code 11111. */
  readonly preview?: boolean | undefined;
  /** Default: now. */
  readonly eventTime?: Date | undefined;
  /** Default: five minutes after `eventTime`. */
  readonly otpExpires?: Date | undefined;
  /** The end user's address. */
  readonly ipAddress?: string | undefined;
}

const OTP_LIFE_MS = 5 * 60 * 1000;
const FALLBACK_PHONE = '+14155550123';
/** The org's SMS template in other languages, as an org has it when its administrators translate it. */
const TRANSLATIONS: Readonly<Record<string, string>> = {
  de: 'Ihr Code lautet',
  es: 'Su código es',
  fr: 'Votre code est',
};
const PREVIEW_URL = '/api/internal/v1/inlineHooks/com.okta.telephony.provider/generatePreview';

/** The payload of Okta's telephony inline hook. `user` is its user, if the org knows them. */
export function makeHookPayload(
  options: HookPayloadOptions,
  user: EmulatedUser | undefined,
  org: { readonly orgUrl: string; readonly now: number; readonly hookId?: string | undefined },
): Record<string, unknown> {
  const isPreview = options.preview === true;
  const deliveryChannel = options.deliveryChannel ?? 'SMS';
  const isText = deliveryChannel.trim().toLowerCase() === 'sms';
  const otpCode = options.otpCode ?? (isPreview ? '11111' : randomDigits(6));
  const msgTemplate =
    options.msgTemplate ?? (isText ? `${sentenceIn(options.locale)} ${otpCode}` : undefined);
  const eventTime = options.eventTime ?? new Date(org.now);
  const mobilePhone = user?.profile['mobilePhone'];
  const phone =
    enrolledPhone(user, isText) ?? (typeof mobilePhone === 'string' ? mobilePhone : FALLBACK_PHONE);
  const requestType = options.requestType ?? 'mfa-verification';
  return {
    eventId: options.eventId ?? randomAlphanumeric(23),
    eventTime: eventTime.toISOString(),
    eventType: 'com.okta.telephony.provider',
    eventTypeVersion: '1.0',
    contentType: 'application/json',
    cloudEventVersion: '0.1',
    source: `${org.orgUrl}/api/v1/inlineHooks/${org.hookId ?? 'cal1a2b3c4d5e6f7g8h9'}`,
    requestType: requestType.includes('.') ? requestType : fullRequestType(requestType),
    data: {
      context: {
        request: {
          id: `req${randomAlphanumeric(20)}`,
          method: 'POST',
          url: { value: isPreview ? PREVIEW_URL : '/idp/idx/challenge' },
          ipAddress: options.ipAddress ?? (isPreview ? '127.0.0.1' : '203.0.113.7'),
        },
      },
      userProfile: {
        firstName: user?.profile['firstName'] ?? 'Ana',
        lastName: user?.profile['lastName'] ?? 'Silva',
        login: options.login ?? user?.login ?? 'ana@example.com',
        userId: options.userId ?? user?.id ?? `00u${randomAlphanumeric(17)}`,
      },
      messageProfile: {
        ...(msgTemplate === undefined ? {} : { msgTemplate }),
        phoneNumber: options.phoneNumber ?? phone,
        otpExpires: (options.otpExpires ?? new Date(eventTime.getTime() + OTP_LIFE_MS)).toISOString(),
        deliveryChannel,
        otpCode,
        locale: options.locale ?? 'EN-US',
      },
    },
  };
}

function sentenceIn(locale = ''): string {
  const [language = ''] = locale.toLowerCase().split(/[-_]/);
  return TRANSLATIONS[language] ?? 'Your code is';
}

function enrolledPhone(user: EmulatedUser | undefined, isText: boolean): string | undefined {
  const wanted = isText ? 'sms' : 'call';
  return user?.phoneFactors.find(({ factorType }) => factorType === wanted)?.phoneNumber;
}
