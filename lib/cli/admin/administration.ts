import { OktaApiError } from '../../core/errors.js';
import type { OktaApiClient, OktaApiRequest } from '../../okta/api-client.js';
import { pauseAfter } from '../../okta/rate-limit.js';

/** Calls Okta's API for administration: no code waits for it, so it waits and retries when Okta asks for that. */

/** A clock that can sleep, for tests. */
export interface Time {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** Reads and changes an org as an administrator. */
export interface Administration {
  /** @throws OktaApiError, whose `cause` has Okta's own sentences, if any. */
  get(path: string): Promise<object>;
  /** @throws OktaApiError as `get`. */
  post(path: string, body?: object): Promise<object>;
  /** @throws OktaApiError as `get`. */
  put(path: string, body: object): Promise<object>;
}

/** The limit of one call with its token. Administrative calls are slower than reading a user. */
const CALL_TIMEOUT_MS = 15_000;
/** How many times a call waits for the rate limit. */
const MAX_RATE_LIMITED = 5;
const MAX_READS = 3;
const READ_AGAIN_MS = 1_000;

/** Okta's words after an attribute of the same name was removed. terraform-provider-okta waits on these words, too. */
const CLEAN_UP = 'data clean up process';

/** @param parts.onWait - called before each wait, with its reason and time. */
export function createAdministration(parts: {
  readonly client: OktaApiClient;
  readonly time: Time;
  readonly onWait: (reason: string, ms: number) => void;
}): Administration {
  const { client, time, onWait } = parts;
  const wait = async (reason: string, ms: number): Promise<void> => {
    onWait(reason, ms);
    await time.sleep(ms);
  };

  const call = async (request: Pick<OktaApiRequest, 'method' | 'path' | 'body'>): Promise<object> => {
    let limited = 0;
    for (let attempt = 1; ;) {
      try {
        const { body } = await client.request({
          ...request,
          timeoutMs: CALL_TIMEOUT_MS,
          includeCauses: true,
        });
        return body;
      } catch (error) {
        if (!(error instanceof OktaApiError)) throw error;
        if (error.code === 'OKTA_RATE_LIMITED' && limited < MAX_RATE_LIMITED) {
          limited += 1;
          // A call that was refused for the rate limit has changed nothing, so a write may be repeated, too.
          const ms = pauseAfter(error.headers ?? {}, { isRefused: true, nowMs: time.now() }) ?? READ_AGAIN_MS;
          await wait("Okta's rate limit is used up", ms);
        } else if (request.method === 'GET' && isPassing(error) && attempt < MAX_READS) {
          attempt += 1;
          await wait('Okta did not answer as it should', READ_AGAIN_MS);
        } else throw error;
      }
    }
  };

  return {
    get: (path) => call({ method: 'GET', path }),
    post: (path, body) => call({ method: 'POST', path, body }),
    put: (path, body) => call({ method: 'PUT', path, body }),
  };
}

/**
 * Whether the same call may succeed a little later: Okta is busy with another change, or the outcome of this call is
 * unknown.
 */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof OktaApiError)) return false;
  const { code, status = 0, cause } = error;
  const isCleaningUp = cause instanceof Error && cause.message.includes(CLEAN_UP);
  return code === 'OKTA_NO_ANSWER' || status === 409 || status >= 500 || isCleaningUp;
}
