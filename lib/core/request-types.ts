/** What Okta asks for a code for, without its prefix. Okta may have others by now: a request may be of any type. */
export const REQUEST_TYPES = [
  'mfa-verification',
  'pre-enrollment',
  'account-unlock',
  'password-reset',
] as const;
/** A kind of request of Okta's telephony hook, without `com.okta.user.telephony.`. */
export type RequestType = (typeof REQUEST_TYPES)[number];

export function isRequestType(value: unknown): value is RequestType {
  return REQUEST_TYPES.some((type) => type === value);
}

/** `com.okta.user.telephony.mfa-verification`, as Okta sends it. */
export function fullRequestType(type: string): string {
  return `com.okta.user.telephony.${type}`;
}

/** `mfa-verification`: the last part, in lower case. */
export function shortRequestType(requestType: string): string {
  return requestType.slice(requestType.lastIndexOf('.') + 1).toLowerCase();
}
