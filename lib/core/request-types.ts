/**
 * The request types of Okta's telephony inline hook, without their prefix. Okta may add others: a request may
 * have any type.
 */
export const REQUEST_TYPES = [
  'mfa-verification',
  'pre-enrollment',
  'account-unlock',
  'password-reset',
] as const;
/** One of these request types. */
export type RequestType = (typeof REQUEST_TYPES)[number];

export function isRequestType(value: unknown): value is RequestType {
  return REQUEST_TYPES.some((type) => type === value);
}

/** What the types begin with as Okta sends them. */
export const REQUEST_TYPE_PREFIX = 'com.okta.user.telephony.';

/** The type as Okta sends it: `com.okta.user.telephony.mfa-verification`. */
export function fullRequestType(type: string): string {
  return REQUEST_TYPE_PREFIX + type;
}

/** Whether Okta's event hook reports the use of such a code. */
export function hasReportedUse(requestType: string): boolean {
  return ['mfa-verification', 'pre-enrollment'].includes(shortRequestType(requestType));
}

/** The last part of a type, in lower case: `mfa-verification`. */
export function shortRequestType(requestType: string): string {
  return requestType.slice(requestType.lastIndexOf('.') + 1).toLowerCase();
}
