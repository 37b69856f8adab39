import type { HttpResult } from '../core/http.js';
import { ANSWER_TOO_LARGE } from '../http/call.js';
import { OktaApiError, type OktaApiErrorCode } from '../core/errors.js';
import { asList, fieldOf, textFieldOf } from '../core/json.js';
import { rateLimitHeaders } from './rate-limit.js';

/** Makes errors, with a remedy, of the answers of Okta's API and of its token endpoint. A call that goes well does not come here. */

const CODE_OF_STATUS: Readonly<Record<number, OktaApiErrorCode>> = {
  401: 'OKTA_UNAUTHORIZED',
  403: 'OKTA_FORBIDDEN',
  429: 'OKTA_RATE_LIMITED',
};

/** By Okta's own code. A 404 of a proxy, or of an unknown path, says nothing about a user. */
const CODE_OF_REASON: Readonly<Record<string, OktaApiErrorCode>> = { E0000007: 'OKTA_NOT_FOUND' };

/** Okta's error codes. No other text of a body is logged, because it may hold a login or a token. */
const ERROR_CODE = /^E\d{7}$/;
/** The errors of a token endpoint, by RFC 6749, section 5.2, and RFC 9449. */
const OAUTH_ERRORS: ReadonlySet<unknown> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'invalid_scope',
  'unauthorized_client',
  'unsupported_grant_type',
  'access_denied',
  'invalid_dpop_proof',
  'use_dpop_nonce',
]);

/** The remedy if no answer came, or none of Okta's. */
export const REACH_OKTA =
  "Check that credentials.okta.orgUrl is the org's own address, and that the gateway can reach it (egress, DNS, TLS).";
const LET_READ_USERS =
  "Give the service app, or the API token's owner, an administrator role that may read users: Read-Only Administrator, or a custom role with okta.users.read.";
const RENEW_CREDENTIALS =
  'Compare credentials.okta with the org. An API token ends with its owner, and after 30 days without use: then create a new one.';
/** The remedy if the org's rate limit is used up. */
export const WAIT_FOR_WINDOW =
  "The limit starts again, usually within a minute. Codes go out meanwhile. Okta's Reports > Rate Limits shows what uses it.";
const CHECK_PROXY =
  "Something else answered in Okta's place: check proxies on the way, and that credentials.okta.orgUrl is the org's own address. If a proxy is required, set it as dispatcher.";
const LOOK_AT_STATUS =
  'Check status.okta.com, and proxies on the way. It may end by itself, and codes go out meanwhile.';

/** Remedies by Okta's error code or OAuth error. */
const REMEDIES: Readonly<Record<string, string>> = {
  E0000006: LET_READ_USERS,
  E0000011: RENEW_CREDENTIALS,
  invalid_client:
    'Compare credentials.okta.clientId with the service app in Okta, which must be active, and register the public half of privateKey with it (under keyId, where that is set).',
  unauthorized_client: 'Use a service app (an API Services integration) as credentials.okta.clientId.',
};
const REMEDY_OF_STATUS: Readonly<Record<number, string>> = {
  401: RENEW_CREDENTIALS,
  403: LET_READ_USERS,
  429: WAIT_FOR_WINDOW,
};

function codeOf(reason: string | undefined, status: number): OktaApiErrorCode {
  return CODE_OF_REASON[reason ?? ''] ?? CODE_OF_STATUS[status] ?? 'OKTA_HTTP_ERROR';
}

function remedyOf(reason: string | undefined, status: number, scopes: readonly string[]): string | undefined {
  if (reason === undefined && status === 404) return CHECK_PROXY;
  if (reason !== 'invalid_scope') return REMEDIES[reason ?? ''] ?? remedyOfStatus(status);
  const granted = `the scope${scopes.length === 1 ? '' : 's'} ${scopes.join(', ')}`;
  return `Grant ${granted} to the service app: its tab Okta API Scopes.`;
}

function remedyOfStatus(status: number): string | undefined {
  if (status >= 500) return LOOK_AT_STATUS;
  // Okta's API never redirects.
  if (status < 400 || status === 407) return CHECK_PROXY;
  return REMEDY_OF_STATUS[status];
}

/** Facts of a call that its error may need. */
interface CallFacts {
  /** The token's scopes. Default `['okta.users.read']`. */
  readonly scopes?: readonly string[] | undefined;
  /** As in `OktaApiRequest`. */
  readonly includeCauses?: boolean | undefined;
}

/**
 * The error for anything but a 2xx with readable JSON.
 *
 * @param endpoint - the name of the called endpoint for messages, e.g. `Okta's API`.
 */
export function apiErrorOf(
  result: HttpResult,
  endpoint: string,
  { scopes = ['okta.users.read'], includeCauses = false }: CallFacts = {},
): OktaApiError {
  if (result.kind === 'not-sent') {
    return new OktaApiError('OKTA_UNREACHABLE', `${endpoint} could not be reached (${result.reason})`, {
      remedy: REACH_OKTA,
    });
  }
  if (result.kind === 'no-answer' && result.reason === ANSWER_TOO_LARGE) {
    return new OktaApiError('OKTA_UNREADABLE', `${endpoint} gave an answer that is too large to be read`, {
      remedy: REACH_OKTA,
    });
  }
  if (result.kind === 'no-answer') {
    return new OktaApiError('OKTA_NO_ANSWER', `${endpoint} gave no complete answer (${result.reason})`, {
      remedy: REACH_OKTA,
    });
  }
  const { status } = result;
  const headers = rateLimitHeaders(result.headers);
  if (status >= 200 && status <= 299) {
    return new OktaApiError('OKTA_UNREADABLE', `${endpoint} answered ${status} without a JSON object`, {
      status,
      headers,
      remedy: REACH_OKTA,
    });
  }
  const { json: body } = result;
  const reason = reasonOf(body);
  return new OktaApiError(
    codeOf(reason, status),
    `${endpoint} answered ${status}${reason === undefined ? '' : ` (${reason})`}`,
    {
      status,
      headers,
      reason,
      remedy: remedyOf(reason, status, scopes),
      cause: includeCauses ? causeOf(body) : undefined,
    },
  );
}

const MAX_CAUSE_LENGTH = 500;

/** Okta's own sentences, on one line. */
function causeOf(body: unknown): Error | undefined {
  const sentences = [body, ...asList(fieldOf(body, 'errorCauses'))].flatMap(
    (cause) => textFieldOf(cause, 'errorSummary') ?? [],
  );
  if (sentences.length === 0) return undefined;
  return new Error(
    sentences
      .join('; ')
      .replace(/[\p{Cc}\s]+/gu, ' ')
      .slice(0, MAX_CAUSE_LENGTH),
  );
}

function reasonOf(body: unknown): string | undefined {
  const errorCode = textFieldOf(body, 'errorCode');
  if (errorCode !== undefined && ERROR_CODE.test(errorCode)) return errorCode;
  const error = textFieldOf(body, 'error');
  return OAUTH_ERRORS.has(error) ? error : undefined;
}
