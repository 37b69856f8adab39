import { pathOf, type RecordedRequest } from '../server/faults.js';
import type { Reply } from '../server/loopback-server.js';
import { methodNotSupported, oktaError } from './errors.js';
import { parseJson } from '../../core/json.js';
import { makeRateLimiters, type RateLimit, type RateLimitBucket } from './rate-limit.js';
import type { OrgTokens } from './tokens.js';
import { randomAlphanumeric } from '../server/random-ids.js';

/** A call of the API that is allowed. */
export interface ApiCall {
  readonly request: RecordedRequest;
  /** What stands in the path where the route has `{}`, decoded. */
  readonly ids: readonly string[];
  readonly query: URLSearchParams;
  /** The body's JSON; `undefined` where there is none. */
  readonly body: unknown;
}

/** An operation of Okta's API. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** E.g. `/api/v1/users/{}`. */
  readonly path: string;
  /** The scope that its OpenAPI document asks for. Without one, anybody may call. */
  readonly scope?: string | undefined;
  /** Which administrators may call, beside super administrators. Default: all. */
  readonly roles?: readonly string[] | undefined;
  /** Default: `other`. */
  readonly bucket?: RateLimitBucket | undefined;
  readonly answer: (call: ApiCall) => Reply | Promise<Reply>;
}

/** The token endpoint of the org authorization server. */
const TOKEN_PATH = '/oauth2/v1/token';

/** Okta's API: finds the operation, counts it, asks for its scope and answers. */
export class OktaApi {
  readonly #tokens: OrgTokens;
  readonly #routes: readonly (Route & { readonly pattern: RegExp })[];
  readonly #limiters: ReturnType<typeof makeRateLimiters>;

  constructor(tokens: OrgTokens, routes: readonly Route[], clock: () => number) {
    this.#tokens = tokens;
    this.#routes = routes.map((route) => ({ ...route, pattern: patternOf(route.path) }));
    this.#limiters = makeRateLimiters(clock);
  }

  /** Sets the limit of a bucket; `undefined` lifts it. */
  setRateLimit(limit: RateLimit | undefined, bucket: RateLimitBucket): void {
    this.#limiters[bucket].set(limit);
  }

  /** Answers a call of the API or of the token endpoint; `undefined` for any other path. */
  async answer(request: RecordedRequest): Promise<Reply | undefined> {
    if (!isApiCall(request)) return undefined;
    const path = pathOf(request);
    const known = this.#routes.filter(({ pattern }) => pattern.test(path));
    const route = known.find(({ method }) => method === request.method);
    const bucket = path === TOKEN_PATH ? 'token' : (route?.bucket ?? 'other');
    const { isAllowed, headers } = this.#limiters[bucket].count();
    const reply = isAllowed
      ? await this.#answerCounted(request, route, known.length > 0)
      : oktaError(429, 'E0000047', 'API call exceeded rate limit due to too many requests.');
    return {
      ...reply,
      headers: { 'x-okta-request-id': randomAlphanumeric(27), ...headers, ...reply.headers },
    };
  }

  async #answerCounted(
    request: RecordedRequest,
    route: (Route & { readonly pattern: RegExp }) | undefined,
    isKnown: boolean,
  ): Promise<Reply> {
    const path = pathOf(request);
    if (path === TOKEN_PATH && request.method === 'POST') return this.#tokens.answer(request);
    if (route?.scope !== undefined || route === undefined) {
      const refusal = await this.#tokens.refuse(request, route?.scope, route?.roles);
      if (refusal !== undefined) return refusal;
    }
    if (route === undefined) return methodNotSupported(isKnown || path === TOKEN_PATH ? 405 : 404);
    const ids = decodeAll(route.pattern.exec(path)?.slice(1) ?? []);
    if (ids === undefined) return oktaError(400, 'E0000001', 'Api validation failed: id');
    const body = request.body === '' ? undefined : parseJson(request.body);
    if (request.body !== '' && body === undefined) {
      return oktaError(400, 'E0000003', 'The request body was not well-formed.');
    }
    const query = new URLSearchParams(request.path.split('?')[1] ?? '');
    return route.answer({ request, ids, query, body });
  }
}

/** Whether a request is one of the API, of the token endpoint or for the org's metadata. */
export function isApiCall(request: RecordedRequest): boolean {
  const path = pathOf(request);
  return path.startsWith('/api/v1/') || path === TOKEN_PATH || path === '/.well-known/okta-organization';
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll('{}', '([^/]+)')}$`);
}

function decodeAll(segments: readonly string[]): string[] | undefined {
  try {
    return segments.map((segment) => decodeURIComponent(segment));
  } catch {
    return undefined;
  }
}
