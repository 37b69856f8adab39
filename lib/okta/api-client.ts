import { callHttp, type HttpAnswer, type HttpDispatcher, type HttpResult } from '../http/call.js';
import { createAccessTokens, type AccessTokens, type ServiceAppCredentials } from './access-token.js';
import { readOktaAnswer, type OktaApiAnswer } from './api-answer.js';

/** How Okta's API is called: with an API token, or as a service app. `orgUrl` is an origin. */
export type OktaCredentials = { readonly orgUrl: string; readonly apiToken: string } | ServiceAppCredentials;

/** One call of Okta's API. */
export interface OktaApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** From `/`, with its query if it has one; already encoded. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default: JSON's, where there is a body. */
  readonly contentType?: string;
  /** The whole time, a token and every repetition with it, milliseconds. */
  readonly timeoutMs: number;
  /**
   * Whether Okta's own sentences about a refusal come with the error, as its `cause`: they may quote what was sent, so
   * only where that is about nobody.
   */
  readonly tellsCauses?: boolean;
}

/** Makes authorised calls to one org. */
export interface OktaApiClient {
  /**
   * Makes one call. `headers` have names in lower case, `body` is parsed JSON.
   * @throws OktaApiError for anything but a 2xx with readable JSON.
   */
  request(request: OktaApiRequest): Promise<OktaApiAnswer>;
}

/** What proves who calls. */
interface Proof {
  readonly authorization: string;
  readonly dpop?: string;
}

/** When Okta refuses even a token that it has just issued, new ones are of no use for so long. */
const FUTILE_MS = 10_000;

/**
 * Opens nothing before the first call.
 *
 * @param parts.clock - milliseconds since 1970.
 * @param parts.scopes - what a service app's token is asked for. Default `['okta.users.read']`.
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
    callHttp({
      dispatcher,
      method,
      origin: credentials.orgUrl,
      path,
      headers: headersOf(contentType, proof),
      body: body === undefined ? undefined : JSON.stringify(body),
      timeoutMs,
      leaveWithinMs: connectTimeoutMs,
    });

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

  const authorize = makeAuthorize();
  function makeAuthorize(): (request: OktaApiRequest) => Promise<HttpResult> {
    if ('apiToken' in credentials) {
      const authorization = { authorization: `SSWS ${credentials.apiToken}` };
      return (request) => send(request, authorization, request.timeoutMs);
    }
    const tokens = createAccessTokens({ credentials, scopes, dispatcher, clock, connectTimeoutMs });
    return (request) => sendWithToken(tokens, request);
  }

  return {
    async request(request) {
      return readOktaAnswer(await authorize(request), "Okta's API", request);
    },
  };
}

function headersOf(contentType: string | undefined, { authorization, dpop }: Proof): Record<string, string> {
  const headers: Record<string, string> = {
    accept: 'application/json',
    'user-agent': 'okta-telephony-hook',
    authorization,
  };
  if (contentType !== undefined) headers['content-type'] = contentType;
  if (dpop !== undefined) headers['dpop'] = dpop;
  return headers;
}

/** Okta's API says 400 where a proof does not hold (okta/terraform-provider-okta#2392), RFC 9449 would have 401. */
function isTokenRefused({ status, headers }: HttpAnswer): boolean {
  return (
    status === 401 ||
    (status === 400 && (headers['www-authenticate'] ?? '').includes('error="invalid_dpop_proof"'))
  );
}

/** RFC 9449, section 9. */
function isNonceChallenge({ status, headers }: HttpAnswer): boolean {
  if (headers['dpop-nonce'] === undefined || (status !== 401 && status !== 400)) return false;
  const challenge = headers['www-authenticate'] ?? '';
  // A challenge that names no error but brings a nonce can mean nothing else.
  return challenge.includes('use_dpop_nonce') || (status === 401 && !challenge.includes('error='));
}
