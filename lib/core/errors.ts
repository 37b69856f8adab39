/** The fields that `TelephonyHookError` and its subclasses are made from. */
interface ErrorDetails {
  readonly cause?: unknown;
  /** A sentence that an end user may read: Okta shows it. */
  readonly publicMessage?: string | undefined;
  /** What an operator can do about it. */
  readonly remedy?: string | undefined;
}

/** The sentence for end users. It fits any failure. */
export const CODE_NOT_SENT = 'Your code could not be sent. Please try again or choose another method.';

/**
 * Every failure that this package throws or answers with. `code` is stable and made for programs;
 * `message`, `remedy` and `cause` are for the log; `publicMessage` is for the caller. None of them ever holds a
 * one-time code, a phone number, a login or a secret.
 */
export class TelephonyHookError extends Error {
  override readonly name: string = 'TelephonyHookError';
  readonly code: string;
  readonly publicMessage: string;
  /** What an operator can do about it, in a sentence, where that is known. */
  readonly remedy: string | undefined;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.publicMessage = details.publicMessage ?? CODE_NOT_SENT;
    this.remedy = details.remedy;
  }
}

/** Thrown by `oktaTelephonyHook` and `redisState`: every option that cannot work, each with its remedy. */
export class ConfigurationError extends TelephonyHookError {
  override readonly name = 'ConfigurationError';
  /** One sentence per problem: the option's name, what is wrong with it, and what to do. Never its value. */
  readonly problems: readonly string[];

  constructor(
    problems: readonly string[],
    /** `of`: the function whose options they are. `subject`: what they are if they are no options. */
    details: {
      readonly cause?: unknown;
      readonly of?: string | undefined;
      readonly subject?: string | undefined;
    } = {},
  ) {
    const { of = 'oktaTelephonyHook', subject = `The options of ${of}` } = details;
    super('CONFIGURATION', `${subject} cannot work:\n- ${problems.join('\n- ')}`, details);
    this.problems = problems;
  }
}

/** Why a request was answered with a status other than 200. */
export type RequestErrorCode =
  | 'CALLER_NOT_PROVEN'
  | 'PROOF_UNAVAILABLE'
  | 'METHOD_NOT_ALLOWED'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'PAYLOAD_TOO_LARGE'
  | 'REQUEST_TIMEOUT'
  | 'BODY_ALREADY_READ'
  | 'INVALID_REQUEST'
  | 'BAD_SIGNATURE'
  | 'CLOSING';

const STATUS_OF: Readonly<Record<RequestErrorCode, number>> = {
  INVALID_REQUEST: 400,
  BODY_ALREADY_READ: 400,
  CALLER_NOT_PROVEN: 401,
  BAD_SIGNATURE: 403,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  PROOF_UNAVAILABLE: 503,
  CLOSING: 503,
};

export const REQUEST_ERROR_CODES: readonly string[] = Object.keys(STATUS_OF);

/** A request that is answered before anything is done for it. */
export class RequestError extends TelephonyHookError {
  override readonly name = 'RequestError';
  declare readonly code: RequestErrorCode;
  /** The HTTP status of the answer. */
  readonly status: number;
  /** The names of the fields that are missing or wrong; never their values. */
  readonly fields: readonly string[];
  /** Headers that the answer needs beside the usual ones. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: RequestErrorCode,
    publicMessage: string,
    details: {
      cause?: unknown;
      fields?: readonly string[] | undefined;
      headers?: Readonly<Record<string, string>> | undefined;
      remedy?: string | undefined;
    } = {},
  ) {
    super(code, publicMessage, { cause: details.cause, publicMessage, remedy: details.remedy });
    this.status = STATUS_OF[code];
    this.fields = details.fields ?? [];
    this.headers = details.headers ?? {};
  }
}

/** Why Okta's API gave nothing that could be used. */
export type OktaApiErrorCode =
  | 'OKTA_UNREACHABLE'
  | 'OKTA_NO_ANSWER'
  | 'OKTA_UNREADABLE'
  | 'OKTA_RATE_LIMITED'
  | 'OKTA_UNAUTHORIZED'
  | 'OKTA_FORBIDDEN'
  | 'OKTA_NOT_FOUND'
  | 'OKTA_HTTP_ERROR'
  | 'OKTA_WRONG_USER';

/** A call to Okta's API that failed. It never stops a code from being sent. */
export class OktaApiError extends TelephonyHookError {
  override readonly name = 'OktaApiError';
  declare readonly code: OktaApiErrorCode;
  /** Okta's HTTP status, where there was one. */
  readonly status: number | undefined;
  /** What the answer said of Okta's rate limit, and its `Date`; lower-case names, no other header. */
  readonly headers: Readonly<Record<string, string>> | undefined;
  /** Okta's own code, such as `E0000006`, or an OAuth error such as `invalid_scope`, if the answer had one. */
  readonly reason: string | undefined;

  constructor(
    code: OktaApiErrorCode,
    message: string,
    details: {
      cause?: unknown;
      status?: number | undefined;
      headers?: Readonly<Record<string, string>> | undefined;
      remedy?: string | undefined;
      reason?: string | undefined;
    } = {},
  ) {
    super(code, message, { cause: details.cause, remedy: details.remedy });
    this.status = details.status;
    this.headers = details.headers;
    this.reason = details.reason;
  }
}

/** A provider's API that did not answer a check of `ready()` as it should. */
export class ProviderError extends TelephonyHookError {
  override readonly name = 'ProviderError';
}
