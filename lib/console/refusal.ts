import { OktaApiError, type OktaApiErrorCode } from '../core/errors.js';
import { RequestError } from '../core/request-error.js';
import type { ConsoleFailure } from './api.js';

/** Why the console refuses a request, by code and HTTP status. */

const STATUS_OF = {
  INVALID_REQUEST: 400,
  NOT_AUTHORIZED: 403,
  CROSS_SITE: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  OKTA_RATE_LIMITED: 429,
  AUTHORIZATION_FAILED: 503,
  STATE_UNREACHABLE: 503,
  TOO_MANY_STREAMS: 503,
  CLOSING: 503,
} as const;

type RefusalCode = keyof typeof STATUS_OF;

/** A request that is refused before anything is done for it. */
export class ConsoleRefusal extends Error {
  override readonly name = 'ConsoleRefusal';
  readonly code: RefusalCode;
  readonly remedy: string | undefined;
  readonly status: number;
  readonly fields: readonly string[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: RefusalCode,
    message: string,
    details: {
      readonly remedy?: string | undefined;
      readonly fields?: readonly string[] | undefined;
      readonly headers?: Readonly<Record<string, string>> | undefined;
    } = {},
  ) {
    super(message);
    this.code = code;
    this.remedy = details.remedy;
    this.status = STATUS_OF[code];
    this.fields = details.fields;
    this.headers = details.headers ?? {};
  }
}

/** Errors of Okta's API. Never 401 and 403: the page would take them for a logout. */
const OKTA_STATUS: Partial<Readonly<Record<OktaApiErrorCode, number>>> = {
  OKTA_NOT_FOUND: 404,
  OKTA_RATE_LIMITED: 503,
  OKTA_NO_ANSWER: 504,
};

/** The console asks Okta for users only. */
const NO_SUCH_USER = {
  message: 'Okta has no such user.',
  remedy: "Give the user's whole login or their id (00u…), as Okta shows it under Directory > People.",
} as const;

/** The answer to the page. `isKnown` is `false` for a defect. */
export function failureOf(error: unknown): {
  readonly status: number;
  readonly body: ConsoleFailure;
  readonly headers: Readonly<Record<string, string>>;
  readonly isKnown: boolean;
} {
  if (error instanceof ConsoleRefusal || error instanceof RequestError) {
    const { status, code, message, remedy, headers } = error;
    const fields = error.fields?.length === 0 ? undefined : error.fields;
    return { status, body: { error: { code, message, remedy, fields } }, headers, isKnown: true };
  }
  if (error instanceof OktaApiError) {
    const { code } = error;
    const { message, remedy } = code === 'OKTA_NOT_FOUND' ? NO_SUCH_USER : error;
    const status = OKTA_STATUS[code] ?? 502;
    return { status, body: { error: { code, message, remedy } }, headers: {}, isKnown: true };
  }
  const message = 'The console failed.';
  const remedy = "The gateway's log has the reason.";
  return {
    status: 500,
    body: { error: { code: 'INTERNAL_ERROR', message, remedy } },
    headers: {},
    isKnown: false,
  };
}
