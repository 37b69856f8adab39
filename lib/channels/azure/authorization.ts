import { createHash, createHmac } from 'node:crypto';
import type { SendContext } from '../../core/channel.js';
import { keptCredential } from '../kept-credential.js';
import type { AzureSettings, AzureToken } from './options.js';

/**
 * The headers that prove a request to Azure: signed with an access key, or with a token of Microsoft Entra.
 *
 * Sources: Azure Communication Services, "Authentication" and "Sign an HTTP request with HMAC".
 */

/** As the docs of `credential` say. */
const TOKEN_SPARE_MS = 2 * 60_000;
const TOKEN_WAIT_MS = 700;

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
  readonly authorize: (
    request: SignedRequest,
    context: Pick<SendContext, 'leaveSignal'>,
  ) => Promise<Headers | undefined>;
  /** Azure has refused the credentials: the next request gets a new token. */
  readonly forget: () => void;
}

export function authorizerOf(settings: AzureSettings, clock: () => number): Authorizer {
  const { accessKey, credential } = settings;
  if (credential !== undefined) {
    const tokens = keptCredential({
      fetch: credential,
      read: readToken,
      endOf: ({ expiresOnTimestamp: endMs }) => (Number.isFinite(endMs) ? endMs : undefined),
      spareMs: TOKEN_SPARE_MS,
      waitMs: TOKEN_WAIT_MS,
      clock,
    });
    return {
      authorize: async (_request, context) => {
        const found = await tokens.get(context);
        return found && { authorization: `Bearer ${found.token}` };
      },
      forget: () => tokens.forget(),
    };
  }
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

/** The token of a function that may be written without types. */
function readToken(given: unknown): AzureToken | undefined {
  const { token, expiresOnTimestamp } = Object(given) as Partial<Record<keyof AzureToken, unknown>>;
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) return undefined;
  return {
    token,
    expiresOnTimestamp: typeof expiresOnTimestamp === 'number' ? expiresOnTimestamp : NaN,
  };
}
