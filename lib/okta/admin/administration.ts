import { OktaApiError } from '../../core/errors.js';
import type { OktaApiClient, OktaApiRequest } from '../api-client.js';
import { pauseAfter } from '../rate-limit.js';

/** How time passes for whoever can wait. */
export interface Time {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** An org, as an administrator changes it by Okta's API: nobody waits for a code, so it waits where Okta asks for that. */
export interface Administration {
  /** @throws OktaApiError, whose `cause` has Okta's own sentences where there are any. */
  get(path: string): Promise<object>;
  /** @throws OktaApiError as `get`. */
  post(path: string, body?: object): Promise<object>;
  /** @throws OktaApiError as `get`. */
  put(path: string, body: object): Promise<object>;
}

/** One call with its token; an administrator's are slower than reading a user. */
const CALL_TIMEOUT_MS = 15_000;
/** So many windows of a rate limit are waited for. */
const MAX_RATE_LIMITED = 5;
/** A read is asked again so many times. */
const MAX_READS = 3;
const READ_AGAIN_MS = 1_000;

/** Where an attribute of the same name was taken away a moment ago; terraform-provider-okta waits on these words. */
const CLEAN_UP = 'data clean up process';

/** @param parts.onWait - told of each wait before it begins, with its reason in words. */
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

  const ask = async (request: Pick<OktaApiRequest, 'method' | 'path' | 'body'>): Promise<object> => {
    let limited = 0;
    for (let attempt = 1; ;) {
      try {
        const { body } = await client.request({ ...request, timeoutMs: CALL_TIMEOUT_MS, tellsCauses: true });
        return Object(body) as object;
      } catch (error) {
        if (!(error instanceof OktaApiError)) throw error;
        if (error.code === 'OKTA_RATE_LIMITED' && limited < MAX_RATE_LIMITED) {
          limited += 1;
          // A call that was refused for the limit has done nothing: a write, too, is sent again.
          const ms =
            pauseAfter({ headers: error.headers ?? {}, isRefused: true }, time.now()) ?? READ_AGAIN_MS;
          await wait("Okta's rate limit is used up", ms);
        } else if (request.method === 'GET' && isPassing(error) && attempt < MAX_READS) {
          attempt += 1;
          await wait('Okta did not answer as it should', READ_AGAIN_MS);
        } else throw error;
      }
    }
  };

  return {
    get: (path) => ask({ method: 'GET', path }),
    post: (path, body) => ask({ method: 'POST', path, body }),
    put: (path, body) => ask({ method: 'PUT', path, body }),
  };
}

/**
 * Whether a call may work a little later, as it is: Okta is busy with another change, or nobody knows what became of
 * this one.
 */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof OktaApiError)) return false;
  const { code, status = 0, cause } = error;
  const isCleaningUp = cause instanceof Error && cause.message.includes(CLEAN_UP);
  return code === 'OKTA_NO_ANSWER' || status === 409 || status >= 500 || isCleaningUp;
}
