import { Router, type RequestHandler } from 'express';
import { parseJson } from '../../core/json.js';
import { ifUndecodable, replyWith } from '../server/answer.js';
import type { Answer } from '../server/reply.js';
import { pathOf, queryOf, type RecordedRequest } from '../server/faults.js';
import { randomAlphanumeric } from '../server/random-ids.js';
import { methodNotSupported, oktaError, validationFailed } from './errors.js';
import { ISSUER_PATH } from './hook-tokens.js';
import type { OidcProvider } from './oidc.js';
import type { OktaOrg } from './org.js';
import type { RateLimitBucket } from './rate-limit.js';
import type { Route } from './route.js';
import { SIGN_IN_PATH, type SignInPages } from './sign-in.js';

const TOKEN_PATH = '/oauth2/v1/token';
const METADATA_PATH = '/.well-known/okta-organization';

/** Okta's API and its two authorization servers. */
export function oktaHandler(org: OktaOrg): RequestHandler {
  const { orgTokens: tokens, hookTokens, oidc, signIns, limiters, routes } = org;
  /** Counts a call against its rate limit, then answers it. */
  const counted = (bucket: RateLimitBucket, answer: Answer): RequestHandler =>
    replyWith(async (request, params) => {
      const { isAllowed, headers } = limiters[bucket].count();
      const reply = isAllowed
        ? await answer(request, params)
        : oktaError(429, 'E0000047', 'API call exceeded rate limit due to too many requests.');
      return {
        ...reply,
        headers: { 'x-okta-request-id': randomAlphanumeric(27), ...headers, ...reply.headers },
      };
    });
  const operation = ({ scope, roles, bucket = 'other', answer }: Route): RequestHandler =>
    counted(bucket, async (request, params) => {
      const refusal = scope === undefined ? undefined : await tokens.refuse(request, scope, roles);
      if (refusal !== undefined) return refusal;
      const body = request.body === '' ? undefined : parseJson(request.body);
      if (request.body !== '' && body === undefined) {
        return oktaError(400, 'E0000003', 'The request body was not well-formed.');
      }
      return answer({ request, params, query: queryOf(request), body });
    });
  /** A caller without permission gets 401 or 403 for every path. */
  const unsupported = (status: 404 | 405, bucket: RateLimitBucket = 'other'): RequestHandler =>
    counted(
      bucket,
      async (request) => (await tokens.refuse(request, undefined, undefined)) ?? methodNotSupported(status),
    );

  const router = Router({ caseSensitive: true, strict: true });
  router
    .route(TOKEN_PATH)
    .post(
      counted('token', (request) =>
        isForUser(request) ? oidc.org.answerToken(request) : tokens.answer(request),
      ),
    )
    .all(unsupported(405, 'token'));
  // One route of Express for each path: most of what an emulator's start takes is making them.
  for (const path of new Set(routes.map((route) => route.path))) {
    const resource = router.route(path);
    for (const route of routes) if (route.path === path) resource[route.method](operation(route));
    resource.all(unsupported(405));
  }
  router.use('/api/v1', unsupported(404));

  const uncounted: readonly PlainRoute[] = [
    ...providerRoutes('', '/oauth2', oidc.org, signIns),
    ...providerRoutes(ISSUER_PATH, ISSUER_PATH, oidc.custom, signIns),
    ['get', `${SIGN_IN_PATH}/:id`, (_request, params) => signIns.show(params)],
    ['post', `${SIGN_IN_PATH}/:id`, (request, params) => signIns.submit(request, params)],
    [
      'post',
      `${ISSUER_PATH}/v1/token`,
      (request) => (isForUser(request) ? oidc.custom.answerToken(request) : hookTokens.answerToken(request)),
    ],
    ['get', `${ISSUER_PATH}/.well-known/oauth-authorization-server`, () => hookTokens.answerMetadata()],
  ];
  for (const [method, path, answer] of uncounted) router[method](path, replyWith(answer));
  router.use(replyWith(() => methodNotSupported(404)));
  router.use(ifUndecodable(counted('other', () => validationFailed('id'))));
  return router;
}

type PlainRoute = readonly [method: 'get' | 'post', path: string, answer: Answer];

/** The routes of an authorization server, without its token endpoint. */
function providerRoutes(
  issuer: string,
  base: string,
  oidc: OidcProvider,
  signIns: SignInPages,
): readonly PlainRoute[] {
  return [
    ['get', `${issuer}/.well-known/openid-configuration`, () => oidc.answerMetadata()],
    ['get', `${base}/v1/keys`, () => oidc.answerKeys()],
    [
      'get',
      `${base}/v1/authorize`,
      (request) => oidc.answerAuthorize(request, (wanted) => signIns.begin(oidc, wanted)),
    ],
    ['get', `${base}/v1/userinfo`, (request) => oidc.answerUserInfo(request)],
    ['post', `${base}/v1/userinfo`, (request) => oidc.answerUserInfo(request)],
    ['post', `${base}/v1/revoke`, (request) => oidc.answerRevoke(request)],
    ['get', `${base}/v1/logout`, (request) => oidc.answerLogout(request)],
    ['post', `${base}/v1/logout`, (request) => oidc.answerLogout(request)],
  ];
}

/** Whether a request for tokens is one of a web app, for a user who has signed in. */
function isForUser({ form }: RecordedRequest): boolean {
  return form?.['grant_type'] === 'authorization_code';
}

/** Whether a request is one of the API, of its token endpoint or for the org's metadata. */
export function isApiCall(request: RecordedRequest): boolean {
  return request.path.startsWith('/api/v1/') || [TOKEN_PATH, METADATA_PATH].includes(pathOf(request));
}
