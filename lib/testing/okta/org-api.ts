import { parseJson } from '../../core/json.js';
import { randomAlphanumeric } from '../server/random-ids.js';
import type { Answer, Api } from '../server/reply.js';
import { pathOf, queryOf, type RecordedRequest } from '../server/request.js';
import { methodNotSupported, oktaError, validationFailed } from './api/errors.js';
import type { RateLimitBucket } from './api/rate-limit.js';
import type { Access, Operation } from './api/route.js';
import type { OktaOrg } from './org.js';

const TOKEN_PATH = '/oauth2/v1/token';
const METADATA_PATH = '/.well-known/okta-organization';

/** Okta's API and its two authorization servers. */
export function orgApi({ orgTokens, limiters, routes }: OktaOrg): Api {
  /** Counts a call against its rate limit, then answers it. */
  const counted =
    (bucket: RateLimitBucket, answer: Answer): Answer =>
    async (request, params) => {
      const { isAllowed, headers } = limiters[bucket].count();
      const reply = isAllowed
        ? await answer(request, params)
        : oktaError(429, 'E0000047', 'API call exceeded rate limit due to too many requests.');
      return {
        ...reply,
        headers: { 'x-okta-request-id': randomAlphanumeric(27), ...headers, ...reply.headers },
      };
    };
  const answerOf = ({ scope, roles, bucket }: Access, operation: Operation): Answer => {
    const open: Answer = (request, params) =>
      operation({ request, params, query: queryOf(request), body: undefined });
    if (scope === undefined) return bucket === undefined ? open : counted(bucket, open);
    return counted(bucket ?? 'other', async (request, params) => {
      const refusal = await orgTokens.refuse(request, scope, roles);
      if (refusal !== undefined) return refusal;
      const body = request.body === '' ? undefined : parseJson(request.body);
      if (request.body !== '' && body === undefined) {
        return oktaError(400, 'E0000003', 'The request body was not well-formed.');
      }
      return operation({ request, params, query: queryOf(request), body });
    });
  };
  /** A caller of the API without permission gets 401 or 403 for every path. */
  const unsupported =
    (status: 404 | 405): Answer =>
    (request, params) => {
      if (!isApiCall(request)) return methodNotSupported(status);
      const bucket = pathOf(request) === TOKEN_PATH ? 'token' : 'other';
      const refuse: Answer = async () =>
        (await orgTokens.refuse(request, undefined, undefined)) ?? methodNotSupported(status);
      return counted(bucket, refuse)(request, params);
    };
  return {
    routes: routes.map(([method, path, access, operation]) => [method, path, answerOf(access, operation)]),
    notFound: unsupported(404),
    notAllowed: unsupported(405),
    undecodable: counted('other', () => validationFailed('id')),
  };
}

/** Whether a request is one of the API, of its token endpoint or for the org's metadata. */
export function isApiCall(request: RecordedRequest): boolean {
  return request.path.startsWith('/api/v1/') || [TOKEN_PATH, METADATA_PATH].includes(pathOf(request));
}
