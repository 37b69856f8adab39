/** A request that the hook or a console refuses. Nothing in it holds a one-time code, a phone number, a login or a secret. */

/** The sentence for end users. It fits any failure. */
export const CODE_NOT_SENT = 'Your code could not be sent. Please try again or choose another method.';

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
  | 'BUSY'
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
  BUSY: 503,
  CLOSING: 503,
};

export const REQUEST_ERROR_CODES: readonly string[] = Object.keys(STATUS_OF);

/** A request that is answered before anything is done for it. Internal: the hook itself answers it. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: RequestErrorCode;
  /** The HTTP status of the answer. */
  readonly status: number;
  /** The names of the fields that are missing or wrong; never their values. */
  readonly fields: readonly string[];
  /** Headers that the answer needs beside the usual ones. */
  readonly headers: Readonly<Record<string, string>>;
  /** What an operator can do about it, if that is known. */
  readonly remedy: string | undefined;

  /** @param message - a sentence that the caller, and an end user, may read. The `cause` is for the log. */
  constructor(
    code: RequestErrorCode,
    message: string,
    details: {
      cause?: unknown;
      fields?: readonly string[] | undefined;
      headers?: Readonly<Record<string, string>> | undefined;
      remedy?: string | undefined;
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = STATUS_OF[code];
    this.fields = details.fields ?? [];
    this.headers = details.headers ?? {};
    this.remedy = details.remedy;
  }
}

/** The refusal of a hook that is closed or about to be: another gateway must get the request. */
export function shuttingDown(): RequestError {
  return new RequestError('CLOSING', 'This gateway is shutting down.');
}
