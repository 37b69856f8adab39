import { callHttp, type HttpAnswer, type HttpDispatcher, type HttpResult } from '../http/call.js';
import { OktaApiError } from '../core/errors.js';
import { fieldOf, parseJson } from '../core/json.js';
import { REACH_OKTA, readOktaAnswer } from './api-answer.js';
import { createDpopProver, type DpopProof, type DpopProver } from './dpop.js';
import { signAssertion, type ServiceAppCredentials } from './client-assertion.js';
import { pauseAfter, readDate } from './rate-limit.js';
import { TIMED_OUT, waitAtMost } from '../core/wait-at-most.js';

/** A token that the org authorization server has issued. */
export interface AccessToken {
  /** `DPoP` where it is bound to our key. */
  readonly scheme: 'Bearer' | 'DPoP';
  readonly value: string;
}

/** One access token for every call, kept and renewed. */
export interface AccessTokens {
  /**
   * The current token, or a new one.
   * @throws OktaApiError if none can be had in time.
   */
  get(timeoutMs: number): Promise<AccessToken>;
  /** Forgets a token that Okta has refused; does nothing if another has taken its place already. */
  discard(token: AccessToken): void;
  /** Signs the proofs that a `DPoP` token needs. */
  readonly prover: DpopProver;
}

/** A fetch belongs to nobody's request: others wait for it too, and it serves the next ones. */
const FETCH_TIMEOUT_MS = 3_000;
/** After a failure everybody is told at once for so long, instead of asking again. */
const FAILURE_PAUSE_MS = 1_000;
const MAX_FAILURE_PAUSE_MS = 60_000;
/** Renewed so long before its end, or a tenth of its life where that is less. */
const RENEW_AHEAD_MS = 5 * 60_000;
/** Smaller differences between Okta's clock and ours are no reason to refuse us. */
const MAX_SKEW_MS = 60_000;
/** A wrong clock, no proof, no nonce: each is told by a refusal, and then nothing is left to correct. */
const MAX_ATTEMPTS = 4;

const WHO = "Okta's token endpoint";

interface HeldToken extends AccessToken {
  readonly renewAt: number;
  readonly expiresAt: number;
}

/** Opens nothing before the first call. */
export function createAccessTokens(parts: {
  readonly credentials: ServiceAppCredentials;
  readonly scopes: readonly string[];
  readonly dispatcher: HttpDispatcher;
  readonly clock: () => number;
  readonly connectTimeoutMs: number;
}): AccessTokens {
  const { credentials, clock } = parts;
  const path = '/oauth2/v1/token';
  const url = credentials.orgUrl + path;
  /** What must be added to our clock to have Okta's. */
  let correctionMs = 0;
  let provenCorrectionMs = 0;
  const oktaTimeMs = (): number => clock() + correctionMs;
  const prover = createDpopProver(oktaTimeMs);

  let current: HeldToken | undefined;
  let fetching: Promise<HeldToken> | undefined;
  let failure: { readonly error: unknown; readonly at: number; readonly pauseMs: number } | undefined;
  let wantsProof = false;

  const askForToken = async (proof: DpopProof | undefined, timeoutMs: number): Promise<HttpResult> =>
    callHttp({
      dispatcher: parts.dispatcher,
      method: 'POST',
      origin: credentials.orgUrl,
      path,
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        'user-agent': 'okta-telephony-hook',
        ...(proof === undefined ? {} : { dpop: proof.jwt }),
      },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        scope: parts.scopes.join(' '),
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await signAssertion(credentials, url, oktaTimeMs()),
      }).toString(),
      timeoutMs,
      leaveWithinMs: parts.connectTimeoutMs,
    });

  /** Whether Okta refused us because our clock is off; then it is corrected from here on. */
  const correctClock = (answer: HttpAnswer): boolean => {
    const dateMs = readDate(answer.headers['date']);
    if (dateMs === undefined || Math.abs(dateMs - oktaTimeMs()) <= MAX_SKEW_MS) return false;
    correctionMs = dateMs - clock();
    return true;
  };

  /** Whether a refusal names what the next attempt can do better. */
  const isPutRight = (answer: HttpAnswer, proof: DpopProof | undefined): boolean => {
    const error = answer.status < 400 ? undefined : fieldOf(parseJson(answer.body), 'error');
    switch (error) {
      case 'use_dpop_nonce':
      case 'invalid_dpop_proof':
        if (proof === undefined) {
          // This is how an org that binds tokens to keys makes itself known (okta/okta-sdk-dotnet#697).
          wantsProof = true;
          return true;
        }
        return error === 'use_dpop_nonce'
          ? proof.nonce !== prover.nonceFor('token-endpoint')
          : correctClock(answer);
      case 'invalid_client':
        return correctClock(answer);
      default:
        return false;
    }
  };

  const fetchToken = async (): Promise<HeldToken> => {
    const endsAt = performance.now() + FETCH_TIMEOUT_MS;
    for (let attempt = 1; ; attempt += 1) {
      // A proof and an assertion of its own for each attempt: Okta takes neither of them twice.
      const proof = wantsProof
        ? await prover.prove({ verifier: 'token-endpoint', method: 'POST', url })
        : undefined;
      const result = await askForToken(proof, Math.max(1, endsAt - performance.now()));
      if (result.kind === 'answered') {
        prover.keepNonce('token-endpoint', result.headers);
        if (attempt < MAX_ATTEMPTS && isPutRight(result, proof)) continue;
      }
      return readToken(
        readOktaAnswer(result, WHO, { scopes: parts.scopes }).body,
        proof !== undefined,
        clock(),
      );
    }
  };

  /** One fetch at a time, whoever waits for it. */
  const renew = (): Promise<HeldToken> => {
    fetching ??= fetchToken()
      .then(
        (token) => {
          failure = undefined;
          provenCorrectionMs = correctionMs;
          current = token;
          return token;
        },
        (error: unknown) => {
          // A correction that did not help was none: it would be wrong for the proofs of the token in use.
          correctionMs = provenCorrectionMs;
          failure = { error, at: clock(), pauseMs: pauseAfterFailure(error, clock()) };
          throw error;
        },
      )
      .finally(() => {
        fetching = undefined;
      });
    return fetching;
  };

  /** Both ends are compared, so that a clock that is set back ends no pause hours later. */
  const isPaused = (): boolean =>
    failure !== undefined && clock() >= failure.at && clock() < failure.at + failure.pauseMs;

  return {
    prover,
    async get(timeoutMs) {
      const now = clock();
      if (current !== undefined && now < current.expiresAt) {
        // The old one is good until the new one is there.
        if (now >= current.renewAt && !isPaused()) renew().catch(() => undefined);
        return current;
      }
      if (fetching === undefined && failure !== undefined && isPaused()) throw repeatFailure(failure.error);
      const token = await waitAtMost(renew(), timeoutMs);
      if (token === TIMED_OUT) {
        throw new OktaApiError('OKTA_NO_ANSWER', `${WHO} did not answer in time`, { remedy: REACH_OKTA });
      }
      return token;
    },
    discard(token) {
      if (current === token) current = undefined;
    },
  };
}

/** Anything but a proper token must not be kept: it would be sent for an hour. */
function readToken(body: object, isBound: boolean, nowMs: number): HeldToken {
  const value = fieldOf(body, 'access_token');
  const type = fieldOf(body, 'token_type');
  const seconds = fieldOf(body, 'expires_in');
  const scheme = typeof type === 'string' ? SCHEMES[type.toLowerCase()] : undefined;
  const isProper =
    typeof value === 'string' &&
    /^[\x21-\x7e]+$/.test(value) &&
    typeof seconds === 'number' &&
    seconds > 0 &&
    (scheme === 'Bearer' || (scheme === 'DPoP' && isBound));
  if (!isProper) throw new OktaApiError('OKTA_UNREADABLE', `${WHO} answered with what is no access token`);
  const lifeMs = seconds * 1000;
  return {
    scheme,
    value,
    expiresAt: nowMs + lifeMs,
    renewAt: nowMs + lifeMs - Math.min(RENEW_AHEAD_MS, lifeMs / 10),
  };
}

const SCHEMES: Readonly<Record<string, AccessToken['scheme']>> = { bearer: 'Bearer', dpop: 'DPoP' };

function pauseAfterFailure(error: unknown, nowMs: number): number {
  if (!(error instanceof OktaApiError) || error.code !== 'OKTA_RATE_LIMITED') return FAILURE_PAUSE_MS;
  const pauseMs = pauseAfter({ headers: error.headers ?? {}, isRefused: true }, nowMs) ?? FAILURE_PAUSE_MS;
  return Math.min(pauseMs, MAX_FAILURE_PAUSE_MS);
}

/** The headers are left out: they told how long to wait when they came, not now. */
function repeatFailure(error: unknown): unknown {
  if (!(error instanceof OktaApiError)) return error;
  const { code, message, status, remedy, reason } = error;
  return new OktaApiError(code, `${message}, a moment ago`, { status, remedy, reason });
}
