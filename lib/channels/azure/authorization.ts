import { createHash, createHmac } from 'node:crypto';
import { TIMED_OUT, waitAtMost } from '../../core/time.js';
import type { AzureSettings, AzureToken } from './options.js';

/**
 * The headers that prove a request to Azure: signed with an access key, or with a token of Microsoft Entra.
 *
 * Sources: Azure Communication Services, "Authentication" and "Sign an HTTP request with HMAC".
 */

/** The rest of a token's life that a call needs. */
const TOKEN_SPARE_MS = 2 * 60_000;
/** How long a message may wait for its token, milliseconds. */
const TOKEN_MS = 700;
/** How long a fetch may take, milliseconds. After that, the next message begins another one. */
const FETCH_MS = 10_000;

/** What is signed of a request. */
export interface SignedRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  /** Empty for a GET. */
  readonly body: string;
}

type Headers = Readonly<Record<string, string>>;

/** Makes the headers of a request; `undefined` if there is no token. */
export interface Authorizer {
  readonly authorize: (request: SignedRequest) => Promise<Headers | undefined>;
  /** Azure has refused the credentials: the next request gets a new token. */
  readonly forget: () => void;
}

export function authorizerOf(settings: AzureSettings, clock: () => number): Authorizer {
  const { accessKey, credential } = settings;
  if (credential !== undefined) return byToken(credential, clock);
  const key = Buffer.from(accessKey, 'base64');
  return {
    authorize: (request) => Promise.resolve(signRequest(request, key, new Date(clock()).toUTCString())),
    forget: () => undefined,
  };
}

/** @param date - RFC 1123. */
export function signRequest({ method, url, body }: SignedRequest, key: Buffer, date: string): Headers {
  const hash = createHash('sha256').update(body).digest('base64');
  const signature = createHmac('sha256', key)
    .update(`${method}\n${url.pathname}${url.search}\n${date};${url.host};${hash}`)
    .digest('base64');
  return {
    'x-ms-date': date,
    'x-ms-content-sha256': hash,
    authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`,
  };
}

function byToken(credential: () => Promise<AzureToken | null>, clock: () => number): Authorizer {
  let current: AzureToken | undefined;
  let fetching: Promise<AzureToken | undefined> | undefined;
  const fetchToken = async (): Promise<AzureToken | undefined> => {
    // It may throw, or return no promise.
    const fetched = readToken(await waitAtMost(Promise.resolve().then(credential), FETCH_MS));
    if (fetched !== undefined) current = fetched;
    return fetched;
  };
  const tokenFor = async (): Promise<AzureToken | undefined> => {
    const restMs = (current?.expiresOnTimestamp ?? 0) - clock();
    if (restMs > TOKEN_SPARE_MS) return current;
    fetching ??= fetchToken()
      // Its error may hold a secret. An older token may still do.
      .catch(() => undefined)
      .finally(() => (fetching = undefined));
    const fetched = await waitAtMost(fetching, TOKEN_MS);
    if (fetched !== TIMED_OUT && fetched !== undefined) return fetched;
    return restMs > 0 ? current : undefined;
  };
  return {
    authorize: async () => {
      const token = await tokenFor();
      return token === undefined ? undefined : { authorization: `Bearer ${token.token}` };
    },
    forget: () => {
      current = undefined;
    },
  };
}

/** The token of a function that may be written without types. */
function readToken(given: unknown): AzureToken | undefined {
  const { token, expiresOnTimestamp } = Object(given) as Partial<Record<keyof AzureToken, unknown>>;
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) return undefined;
  return { token, expiresOnTimestamp: typeof expiresOnTimestamp === 'number' ? expiresOnTimestamp : 0 };
}
