import { randomAlphanumeric } from '../server/random-ids.js';
import type { OrgContext } from './api/context.js';
import { RateLimiter, type RateLimitBucket } from './api/rate-limit.js';
import type { Route } from './api/route.js';
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

/** An Okta org: its parts, and the routes of all of them. */
export class OktaOrg {
  readonly users: UserDirectory;
  readonly schema: UserSchema;
  readonly keys: HookKeys;
  readonly inlineHooks: InlineHooks;
  readonly eventHooks: EventHooks;
  readonly codes: AwaitedCodes;
  readonly calls: HookCalls;
  readonly resources: OrgResources;
  readonly orgTokens: OrgTokens;
  readonly hookTokens: HookTokens;
  /** The web apps, by client id. */
  readonly apps = new Map<string, OidcApp>();
  readonly limiters: Readonly<Record<RateLimitBucket, RateLimiter>>;
  readonly routes: readonly Route[];

  constructor(context: OrgContext, tokenOptions: OrgTokenOptions) {
    const { clock } = context;
    this.users = new UserDirectory(clock);
    this.schema = new UserSchema(context, (names) => this.users.forget(names));
    this.keys = new HookKeys(context);
    this.inlineHooks = new InlineHooks(context, this.keys);
    this.eventHooks = new EventHooks(context, this.users.tokenOwner.id);
    this.codes = new AwaitedCodes({ clock, users: this.users, eventHooks: this.eventHooks });
    const { users, keys, inlineHooks, codes } = this;
    this.calls = new HookCalls({ context, users, keys, inlineHooks, codes });
    this.resources = new OrgResources(context);
    this.orgTokens = new OrgTokens(context, tokenOptions);
    this.hookTokens = new HookTokens(context);
    const limiter = (): RateLimiter => new RateLimiter(clock);
    this.limiters = { user: limiter(), users: limiter(), token: limiter(), other: limiter() };
    this.routes = [
      ...usersRoutes(context, users, this.schema, this.orgTokens),
      ...this.schema.routes,
      ...inlineHooks.hooks.routes,
      ...keys.routes,
      ...this.eventHooks.hooks.routes,
      ...this.resources.routes,
      ...new SignInPages({ clock, users, calls: this.calls, codes }).routesWith(this.#makeProviders(context)),
    ];
  }

  /** The org authorization server, and the custom one. */
  #makeProviders({ orgUrl, issuer, clock, rsaKeys }: OrgContext): readonly OidcProvider[] {
    const { orgTokens, hookTokens, apps, users } = this;
    const shared = { orgUrl, clock, apps, users };
    let orgKey: Promise<SigningKey> | undefined;
    return [
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
  }
}
