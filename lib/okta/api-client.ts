import type { HttpAnswer, HttpDispatcher, HttpResult } from '../core/http.js';
import { callHttp, readJsonSuccess, USER_AGENT, type JsonAnswer } from '../http/call.js';
import { createAccessTokens, type AccessTokens, type ServiceAppCredentials } from './access-token.js';
import { apiErrorOf } from './api-error.js';

/** Calls the API of one Okta org, with an API token or as a service app. */

/** The credentials: an API token, or a service app. `orgUrl` is an origin. */
export type OktaCredentials = { readonly orgUrl: string; readonly apiToken: string } | ServiceAppCredentials;

/** One call of Okta's API. */
export interface OktaApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** The encoded path, with its query, if any. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default: `application/json` if there is a body. */
  readonly contentType?: string;
  /** The limit of the whole call, with its token and repetitions, milliseconds. */
  readonly timeoutMs: number;
  /**
   * Whether the error's `cause` has Okta's own sentences. They may quote the request, so only for requests without
   * personal data.
   */
  readonly includeCauses?: boolean;
}

/** Makes authorised calls of one org's API. */
export interface OktaApiClient {
  /**
   * Makes one call.
   * @throws OktaApiError for anything but a 2xx with readable JSON.
   */
  request(request: OktaApiRequest): Promise<JsonAnswer>;
}

interface Proof {
  readonly authorization: string;
  readonly dpop?: string;
}

/** If Okta refuses even a token that it has just issued, no new token is fetched for this time. */
const FUTILE_MS = 10_000;

/**
 * Opens nothing before the first call.
 *
 * @param parts.clock - milliseconds since 1970.
 * @param parts.scopes - the scopes of a service app's token. Default `['okta.users.read']`.
 */
export function createOktaApiClient(parts: {
  readonly credentials: OktaCredentials;
  readonly dispatcher: HttpDispatcher;
  readonly clock: () => number;
  readonly connectTimeoutMs: number;
  readonly scopes?: readonly string[];
}): OktaApiClient {
  const { credentials, clock, dispatcher, connectTimeoutMs, scopes = ['okta.users.read'] } = parts;
  let futileSince: number | undefined;

  const send = (
    { method, path, body, contentType = body === undefined ? undefined : 'application/json' }: OktaApiRequest,
    proof: Proof,
    timeoutMs: number,
  ): Promise<HttpResult> =>
    callHttp(
      {
        method,
        origin: credentials.orgUrl,
        path,
        headers: headersOf(contentType, proof),
        body: body === undefined ? undefined : JSON.stringify(body),
      },
      { dispatcher, timeoutMs, leaveWithinMs: connectTimeoutMs, isRead: method === 'GET' },
    );

  const sendWithToken = async (tokens: AccessTokens, request: OktaApiRequest): Promise<HttpResult> => {
    const { method, path } = request;
    const url = credentials.orgUrl + (path.split('?', 1)[0] ?? '');
    const endsAt = performance.now() + request.timeoutMs;
    const remainingMs = (): number => Math.max(1, endsAt - performance.now());
    let hasNewToken = false;
    let hasNewNonce = false;
    for (;;) {
      const token = await tokens.get(remainingMs());
      const proof =
        token.scheme === 'Bearer'
          ? undefined
          : await tokens.prover.prove({ verifier: 'api', method, url, accessToken: token.value });
      const authorization = `${token.scheme} ${token.value}`;
      const proven: Proof = proof === undefined ? { authorization } : { authorization, dpop: proof.jwt };
      const result = await send(request, proven, remainingMs());
      if (result.kind !== 'answered') return result;
      tokens.prover.keepNonce('api', result.headers);
      if (proof !== undefined && !hasNewNonce && isNonceChallenge(result)) {
        hasNewNonce = proof.nonce !== tokens.prover.nonceFor('api');
        if (hasNewNonce) continue;
      }
      if (!isTokenRefused(result)) {
        futileSince = undefined;
        return result;
      }
      const isFutile = futileSince !== undefined && Math.abs(clock() - futileSince) < FUTILE_MS;
      if (hasNewToken) futileSince = clock();
      if (hasNewToken || isFutile) return result;
      hasNewToken = true;
      tokens.discard(token);
    }
  };

  let authorize: (request: OktaApiRequest) => Promise<HttpResult>;
  if ('apiToken' in credentials) {
    const proof: Proof = { authorization: `SSWS ${credentials.apiToken}` };
    authorize = (request) => send(request, proof, request.timeoutMs);
  } else {
    const tokens = createAccessTokens({ credentials, scopes, dispatcher, clock, connectTimeoutMs });
    authorize = (request) => sendWithToken(tokens, request);
  }

  return {
    async request(request) {
      const result = await authorize(request);
      const answer = readJsonSuccess(result);
      if (answer === undefined) throw apiErrorOf(result, "Okta's API", request);
      return answer;
    },
  };
}

function headersOf(contentType: string | undefined, { authorization, dpop }: Proof): Record<string, string> {
  const headers: Record<string, string> = {
    accept: 'application/json',
    'user-agent': USER_AGENT,
    authorization,
  };
  if (contentType !== undefined) headers['content-type'] = contentType;
  if (dpop !== undefined) headers['dpop'] = dpop;
  return headers;
}

/** Okta's API answers 400 to an invalid proof (okta/terraform-provider-okta#2392), where RFC 9449 says 401. */
function isTokenRefused({ status, headers }: HttpAnswer): boolean {
  return (
    status === 401 ||
    (status === 400 && (headers['www-authenticate'] ?? '').includes('error="invalid_dpop_proof"'))
  );
}

/** Whether Okta asks for another nonce: RFC 9449, section 9. */
function isNonceChallenge({ status, headers }: HttpAnswer): boolean {
  if (headers['dpop-nonce'] === undefined || (status !== 401 && status !== 400)) return false;
  const challenge = headers['www-authenticate'] ?? '';
  // A challenge with a nonce and without an error can only ask for the nonce.
  return challenge.includes('use_dpop_nonce') || (status === 401 && !challenge.includes('error='));
}
