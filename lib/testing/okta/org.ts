import { parseJson } from '../../core/json.js';
import { randomAlphanumeric } from '../server/random-ids.js';
import type { Answer, Api } from '../server/reply.js';
import { pathOf, queryOf, type RecordedRequest } from '../server/request.js';
import type { OrgContext } from './api/context.js';
import { methodNotSupported, oktaError, validationFailed } from './api/errors.js';
import { RateLimiter, type RateLimitBucket } from './api/rate-limit.js';
import type { Access, Operation, Route } from './api/route.js';
import { HookTokens } from './authorization/hook-tokens.js';
import { OrgTokens, type OrgTokenOptions } from './authorization/org-tokens.js';
import type { SigningKey } from './authorization/rsa-keys.js';
import { AwaitedCodes } from './hooks/codes.js';
import { EventHooks } from './hooks/event-hooks.js';
import { HookCalls } from './hooks/hook-calls.js';
import { HookKeys } from './hooks/hook-keys.js';
import { InlineHooks } from './hooks/inline-hooks.js';
import { OrgResources } from './org-resources.js';
import type { OidcApp } from './sign-in/authorization-request.js';
import { OidcProvider } from './sign-in/oidc.js';
import { SignInPages } from './sign-in/sign-in-pages.js';
import { UserSchema } from './users/schema.js';
import { usersRoutes } from './users/users-api.js';
import { UserDirectory } from './users/users.js';

/** The parts of an Okta org, and the API of all of them. */
export function createOrg(context: OrgContext, tokenOptions: OrgTokenOptions) {
  const { orgUrl, issuer, clock, rsaKeys } = context;
  const users = new UserDirectory(clock);
  const schema = new UserSchema(context, (names) => users.forget(names));
  const keys = new HookKeys(context);
  const inlineHooks = new InlineHooks(context, keys);
  const eventHooks = new EventHooks(context, users.tokenOwner.id);
  const codes = new AwaitedCodes({ clock, users, eventHooks });
  const calls = new HookCalls({ context, users, keys, inlineHooks, codes, eventHooks });
  const resources = new OrgResources(context);
  const orgTokens = new OrgTokens(context, tokenOptions);
  const hookTokens = new HookTokens(context);
  const limiter = (): RateLimiter => new RateLimiter(clock);
  const limiters = { user: limiter(), users: limiter(), token: limiter(), other: limiter() };
  /** The web apps, by client id. */
  const apps = new Map<string, OidcApp>();

  const shared = { orgUrl, clock, apps, users };
  let orgKey: Promise<SigningKey> | undefined;
  /** The org authorization server, and the custom one. */
  const providers = [
    new OidcProvider(shared, {
      issuer: orgUrl,
      baseUrl: `${orgUrl}/oauth2/v1`,
      keys: async () => [await (orgKey ??= rsaKeys.makeSigningKey())],
      // Only Okta reads the access tokens of its org authorization server.
      makeAccessToken: () => randomAlphanumeric(43),
      answerClient: (request) => orgTokens.answer(request),
      tokenBucket: 'token',
    }),
    new OidcProvider(shared, {
      issuer,
      baseUrl: `${issuer}/v1`,
      keys: () => hookTokens.signingKeys(),
      makeAccessToken: ({ clientId, scopes }, { id, login }) =>
        hookTokens.issue({ cid: clientId, uid: id, sub: login, scp: scopes }, {}),
      answerClient: (request) => hookTokens.answerToken(request),
    }),
  ];
  const routes = [
    ...usersRoutes(context, users, schema, orgTokens),
    ...schema.routes,
    ...inlineHooks.hooks.routes,
    ...keys.routes,
    ...eventHooks.hooks.routes,
    ...resources.routes,
    ...new SignInPages({ clock, users, calls, codes }).routesWith(providers),
  ];
  return {
    users,
    schema,
    keys,
    inlineHooks,
    eventHooks,
    codes,
    calls,
    resources,
    orgTokens,
    hookTokens,
    limiters,
    apps,
    api: apiOf(routes, orgTokens, limiters),
  };
}

const TOKEN_PATH = '/oauth2/v1/token';
const METADATA_PATH = '/.well-known/okta-organization';

/** Okta's API and its two authorization servers. */
function apiOf(
  routes: readonly Route[],
  orgTokens: OrgTokens,
  limiters: Readonly<Record<RateLimitBucket, RateLimiter>>,
): Api {
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
