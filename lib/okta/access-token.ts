import { randomUUID, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose/jwt/sign';
import type { HttpAnswer, HttpDispatcher, HttpResult } from '../core/http.js';
import { callHttp, readJsonSuccess, USER_AGENT } from '../http/call.js';
import { OktaApiError } from '../core/errors.js';
import { fieldOf } from '../core/json.js';
import { apiErrorOf, REACH_OKTA } from './api-error.js';
import { createDpopProver, type DpopProof } from './dpop.js';
import { pauseAfter, readDate } from './rate-limit.js';
import { TIMED_OUT, waitAtMost } from '../core/time.js';

/**
 * The access token for calls of Okta's API by a service app: fetched with `private_key_jwt` (RFC 7523), bound to a key
 * by DPoP where the org requires it, kept and renewed for all calls.
 */

/** A service app of the org, which authenticates by `private_key_jwt`. */
export interface ServiceAppCredentials {
  readonly orgUrl: string;
  readonly clientId: string;
  readonly privateKey: KeyObject;
  /** RS256, RS384, RS512, ES256, ES384 or ES512. */
  readonly algorithm: string;
  readonly keyId: string | undefined;
}

/** A token that the org authorization server has issued. */
export interface AccessToken {
  /** `DPoP` if the token is bound to our key. */
  readonly scheme: 'Bearer' | 'DPoP';
  readonly value: string;
}

export type AccessTokens = ReturnType<typeof createAccessTokens>;

/** The limit of a fetch. It is independent of any call's deadline, because several calls may wait for it. */
const FETCH_TIMEOUT_MS = 3_000;
/** After a failure, calls fail at once during this pause. A 429 may lengthen it. */
const FAILURE_PAUSE_MS = 1_000;
const MAX_FAILURE_PAUSE_MS = 60_000;
/** A token is renewed this long before it expires, or a tenth of its life if that is less. */
const RENEW_AHEAD_MS = 5 * 60_000;
/** Okta does not refuse a request for a smaller difference between its clock and ours. */
const MAX_SKEW_MS = 60_000;
/** One attempt, and one more for each correction: a wrong clock, a missing proof, a missing nonce. */
const MAX_ATTEMPTS = 4;

/** The name of the endpoint in error messages. */
const ENDPOINT = "Okta's token endpoint";

interface HeldToken extends AccessToken {
  readonly renewAt: number;
  readonly expiresAt: number;
}

/** Keeps and renews one access token for all calls. Opens nothing before the first call. */
export function createAccessTokens(parts: {
  readonly credentials: ServiceAppCredentials;
  readonly scopes: readonly string[];
  readonly dispatcher: HttpDispatcher;
  readonly clock: () => number;
  readonly connectTimeoutMs: number;
}) {
  const { credentials, clock } = parts;
  const path = '/oauth2/v1/token';
  const url = credentials.orgUrl + path;
  /** Okta's clock minus ours, milliseconds; the second one is of the last fetch that succeeded. */
  let correctionMs = 0;
  let provenCorrectionMs = 0;
  const oktaTimeMs = (): number => clock() + correctionMs;
  const prover = createDpopProver(oktaTimeMs);

  let current: HeldToken | undefined;
  let fetching: Promise<HeldToken> | undefined;
  let failure: { readonly error: unknown; readonly at: number; readonly pauseMs: number } | undefined;
  let needsProof = false;

  const requestToken = async (proof: DpopProof | undefined, timeoutMs: number): Promise<HttpResult> =>
    callHttp(
      {
        method: 'POST',
        origin: credentials.orgUrl,
        path,
        headers: {
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded',
          'user-agent': USER_AGENT,
          ...(proof === undefined ? {} : { dpop: proof.jwt }),
        },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          scope: parts.scopes.join(' '),
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: await signAssertion(credentials, url, oktaTimeMs()),
        }).toString(),
      },
      { dispatcher: parts.dispatcher, timeoutMs, leaveWithinMs: parts.connectTimeoutMs },
    );

  /** Corrects our clock by the answer's `Date`. Returns false if the clocks agree. */
  const correctClock = (answer: HttpAnswer): boolean => {
    const dateMs = readDate(answer.headers['date']);
    if (dateMs === undefined || Math.abs(dateMs - oktaTimeMs()) <= MAX_SKEW_MS) return false;
    correctionMs = dateMs - clock();
    return true;
  };

  /** Corrects what a refusal complains about. Returns false if another attempt would be refused, too. */
  const correctFor = (answer: HttpAnswer, proof: DpopProof | undefined): boolean => {
    const error = answer.status < 400 ? undefined : fieldOf(answer.json, 'error');
    switch (error) {
      case 'use_dpop_nonce':
      case 'invalid_dpop_proof':
        if (proof === undefined) {
          // An org that requires DPoP answers this to a request without a proof (okta/okta-sdk-dotnet#697).
          needsProof = true;
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
      // Each attempt needs a new proof and a new assertion: Okta accepts neither of them twice.
      const proof = needsProof
        ? await prover.prove({ verifier: 'token-endpoint', method: 'POST', url })
        : undefined;
      const result = await requestToken(proof, Math.max(1, endsAt - performance.now()));
      if (result.kind === 'answered') {
        prover.keepNonce('token-endpoint', result.headers);
        if (attempt < MAX_ATTEMPTS && correctFor(result, proof)) continue;
      }
      const answer = readJsonSuccess(result);
      if (answer === undefined) throw apiErrorOf(result, ENDPOINT, { scopes: parts.scopes });
      return readToken(answer.body, proof !== undefined, clock());
    }
  };

  /** One fetch at a time; all calls wait for the same one. */
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
          // The correction did not help, so it must not change the proofs of the current token.
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

  /** Compares both ends: a clock that is set back must not lengthen the pause. */
  const isPaused = (): boolean =>
    failure !== undefined && clock() >= failure.at && clock() < failure.at + failure.pauseMs;

  return {
    /** Signs the proofs that a `DPoP` token needs. */
    prover,
    /**
     * The current token, or a new one.
     * @throws OktaApiError if Okta issues none within `timeoutMs`.
     */
    async get(timeoutMs: number): Promise<AccessToken> {
      const now = clock();
      if (current !== undefined && now < current.expiresAt) {
        // The current token is used until the new one arrives.
        if (now >= current.renewAt && !isPaused()) renew().catch(() => undefined);
        return current;
      }
      if (fetching === undefined && failure !== undefined && isPaused()) throw asRepeated(failure.error);
      const token = await waitAtMost(renew(), timeoutMs);
      if (token === TIMED_OUT) {
        throw new OktaApiError('OKTA_NO_ANSWER', `${ENDPOINT} did not answer in time`, {
          remedy: REACH_OKTA,
        });
      }
      return token;
    },
    /** Drops a token that Okta has refused. Does nothing if it is no longer the current one. */
    discard(token: AccessToken): void {
      if (current === token) current = undefined;
    },
  };
}

/** The same as in Okta's own SDK. Okta accepts one hour at most. */
const ASSERTION_LIFE_SECONDS = 5 * 60;

/** Signs the client assertion of one attempt (RFC 7523). */
function signAssertion(credentials: ServiceAppCredentials, url: string, nowMs: number): Promise<string> {
  const { clientId, privateKey, algorithm, keyId } = credentials;
  const nowSeconds = Math.floor(nowMs / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: algorithm, ...(keyId === undefined ? {} : { kid: keyId }) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(url)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + ASSERTION_LIFE_SECONDS)
    .setJti(randomUUID())
    .sign(privateKey);
}

/** @throws OktaApiError for anything but a proper token: it would be kept, and sent with every call. */
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
  if (!isProper)
    throw new OktaApiError('OKTA_UNREADABLE', `${ENDPOINT} answered without a valid access token`);
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
  const pauseMs = pauseAfter(error.headers ?? {}, { isRefused: true, nowMs }) ?? FAILURE_PAUSE_MS;
  return Math.min(pauseMs, MAX_FAILURE_PAUSE_MS);
}

/** The kept failure, without its headers: their times were relative to the answer. */
function asRepeated(error: unknown): unknown {
  if (!(error instanceof OktaApiError)) return error;
  const { code, message, status, remedy, reason } = error;
  return new OktaApiError(code, `${message}, a moment ago`, { status, remedy, reason });
}
