import type { HttpResult } from '../core/http.js';
import { ANSWER_TOO_LARGE } from '../http/call.js';
import { OktaApiError, type OktaApiErrorCode } from '../core/errors.js';
import { asList, fieldOf, textFieldOf } from '../core/json.js';
import { rateLimitHeaders } from './rate-limit.js';

/** Makes errors, with a remedy, of the answers of Okta's API and of its token endpoint. A call that goes well does not come here. */

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

/** What a refusal means. Without a code it is `OKTA_HTTP_ERROR`. */
interface Meaning {
  readonly code?: OktaApiErrorCode;
  readonly remedy?: string;
}

const BY_STATUS: Readonly<Record<number, Meaning>> = {
  401: { code: 'OKTA_UNAUTHORIZED', remedy: RENEW_CREDENTIALS },
  403: { code: 'OKTA_FORBIDDEN', remedy: LET_READ_USERS },
  429: { code: 'OKTA_RATE_LIMITED', remedy: WAIT_FOR_WINDOW },
};

/** By Okta's own code or OAuth error, before the status. */
const BY_REASON: Readonly<Record<string, Meaning>> = {
  E0000006: { remedy: LET_READ_USERS },
  // A 404 of a proxy, or of an unknown path, says nothing about a user.
  E0000007: { code: 'OKTA_NOT_FOUND' },
  E0000011: { remedy: RENEW_CREDENTIALS },
  invalid_client: {
    remedy:
      'Compare credentials.okta.clientId with the service app in Okta, which must be active, and register the public half of privateKey with it (under keyId, where that is set).',
  },
  unauthorized_client: {
    remedy: 'Use a service app (an API Services integration) as credentials.okta.clientId.',
  },
};

function meaningOf(reason: string | undefined, status: number, scopes: readonly string[]) {
  const { code = BY_STATUS[status]?.code ?? 'OKTA_HTTP_ERROR', remedy = remedyOfStatus(status) } =
    BY_REASON[reason ?? ''] ?? {};
  if (reason === undefined && status === 404) return { code, remedy: CHECK_PROXY };
  if (reason !== 'invalid_scope') return { code, remedy };
  const granted = `the scope${scopes.length === 1 ? '' : 's'} ${scopes.join(', ')}`;
  return { code, remedy: `Grant ${granted} to the service app: its tab Okta API Scopes.` };
}

function remedyOfStatus(status: number): string | undefined {
  if (status >= 500) return LOOK_AT_STATUS;
  // Okta's API never redirects.
  if (status < 400 || status === 407) return CHECK_PROXY;
  return BY_STATUS[status]?.remedy;
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
  if (result.kind !== 'answered') {
    const [code, what] = describeSilence(result);
    return new OktaApiError(code, `${endpoint} ${what}`, { remedy: REACH_OKTA });
  }
  const { status, json: body } = result;
  const headers = rateLimitHeaders(result.headers);
  if (status >= 200 && status <= 299) {
    const message = `${endpoint} answered ${status} without a JSON object`;
    return new OktaApiError('OKTA_UNREADABLE', message, { status, headers, remedy: REACH_OKTA });
  }
  const reason = reasonOf(body);
  const { code, remedy } = meaningOf(reason, status, scopes);
  const message = `${endpoint} answered ${status}${reason === undefined ? '' : ` (${reason})`}`;
  const cause = includeCauses ? causeOf(body) : undefined;
  return new OktaApiError(code, message, { status, headers, reason, remedy, cause });
}

function describeSilence({
  kind,
  reason,
}: Exclude<HttpResult, { kind: 'answered' }>): readonly [OktaApiErrorCode, string] {
  if (kind === 'not-sent') return ['OKTA_UNREACHABLE', `could not be reached (${reason})`];
  return reason === ANSWER_TOO_LARGE
    ? ['OKTA_UNREADABLE', 'gave an answer that is too large to be read']
    : ['OKTA_NO_ANSWER', `gave no complete answer (${reason})`];
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
