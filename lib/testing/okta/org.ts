import { AwaitedCodes, type EnteredCode } from './codes.js';
import type { OrgContext } from './context.js';
import { EventHooks } from './event-hooks.js';
import {
  callHook,
  HOOK_CALL_KEYS,
  makeHookRequest,
  preparePayload,
  type HookCall,
  type HookCallOptions,
  type HookRequest,
  type HookTarget,
} from './hook-call.js';
import { proveToHook, readChannel, type HookChannel } from './hook-channel.js';
import { HookKeys } from './hook-keys.js';
import { HookTokens } from './hook-tokens.js';
import { InlineHooks } from './inline-hooks.js';
import { makeLogEvent, type LogEvent, type LogEventOptions } from './log-events.js';
import type { OidcApp } from './authorization-request.js';
import { OidcProvider } from './oidc.js';
import { OrgResources } from './org-resources.js';
import { randomAlphanumeric } from '../server/random-ids.js';
import { RateLimiter, type RateLimitBucket } from './rate-limit.js';
import { requireKeys } from '../server/faults.js';
import type { Route } from './route.js';
import type { SigningKey } from './rsa-keys.js';
import { UserSchema } from './schema.js';
import { SignInPages } from './sign-in.js';
import { OrgTokens } from './tokens.js';
import { rolesRoute, usersRoutes } from './users-api.js';
import { UserDirectory } from './users.js';

type HookCallListener = (payload: unknown) => (made: HookCall) => void;

/** An Okta org: its parts, and the calls that it makes. */
export class OktaOrg {
  readonly context: OrgContext;
  readonly #codes = new AwaitedCodes();
  readonly users: UserDirectory;
  readonly schema: UserSchema;
  readonly keys: HookKeys;
  readonly inlineHooks: InlineHooks;
  readonly eventHooks: EventHooks;
  readonly resources: OrgResources;
  readonly orgTokens: OrgTokens;
  readonly hookTokens: HookTokens;
  /** The web apps, by client id. */
  readonly apps = new Map<string, OidcApp>();
  /** The org authorization server, and the custom one. */
  readonly oidc: Readonly<Record<'org' | 'custom', OidcProvider>>;
  readonly signIns = new SignInPages(this);
  readonly limiters: Readonly<Record<RateLimitBucket, RateLimiter>>;
  readonly routes: readonly Route[];
  /** What each call sent, for `repeat`. */
  readonly #requests = new WeakMap<HookCall, HookRequest>();
  readonly #hookCallListeners: HookCallListener[] = [];
  readonly #codeListeners: ((userId: string, entered: EnteredCode) => void)[] = [];

  constructor(context: OrgContext) {
    this.context = context;
    const { clock } = context;
    this.users = new UserDirectory(clock);
    this.schema = new UserSchema(context, (names) => this.users.forget(names));
    this.keys = new HookKeys(context);
    this.inlineHooks = new InlineHooks(context, this.keys);
    this.eventHooks = new EventHooks(context, this.users.tokenOwner.id);
    this.resources = new OrgResources(context);
    this.orgTokens = new OrgTokens(context);
    this.hookTokens = new HookTokens(context);
    this.oidc = this.#makeProviders();
    const limiter = (): RateLimiter => new RateLimiter(clock);
    this.limiters = { user: limiter(), users: limiter(), token: limiter(), other: limiter() };
    this.routes = [
      ...usersRoutes(context, this.users, this.schema),
      rolesRoute(context, this.users, this.orgTokens),
      ...this.schema.routes,
      ...this.inlineHooks.hooks.routes(),
      ...this.keys.routes,
      ...this.eventHooks.hooks.routes(),
      ...this.resources.routes,
    ];
  }

  /** Creates the active telephony hook, and an event hook below it if the gateway serves one. */
  async connectHook(url: string, secret: string): Promise<void> {
    this.inlineHooks.connect(channelWithSecret(url, secret));
    await this.eventHooks.connect(channelWithSecret(`${url}/events`, secret));
  }

  /** Calls a telephony hook to deliver a code, which `enterCode` then accepts. */
  async callHook(call: HookCallOptions): Promise<HookCall> {
    requireKeys('callHook()', call, HOOK_CALL_KEYS);
    const wanted = call.userId ?? call.login;
    const user = wanted === undefined ? this.users.all[0] : this.users.find(wanted);
    const target = await this.#targetOf(call);
    const prepared = preparePayload(call, user, target, this.context);
    const ends = this.#hookCallListeners.map((listen) => listen(prepared.payload));
    // Once the listeners have changed the payload.
    const made = await this.#send(makeHookRequest(prepared, target));
    this.#codes.expect(made);
    for (const end of ends) end(made);
    return made;
  }

  /** Sends the request of a call again. Its code stays as it is: used, replaced by a newer one, or valid. */
  async repeat(call: HookCall): Promise<HookCall> {
    const request = this.#requests.get(call);
    if (request === undefined)
      throw new TypeError('repeat() takes a result of callHook() or repeat() of this emulator.');
    return this.#send(request);
  }

  onHookCall(listener: HookCallListener): void {
    this.#hookCallListeners.push(listener);
  }

  onCodeEntered(listener: (userId: string, entered: EnteredCode) => void): void {
    this.#codeListeners.push(listener);
  }

  logEvent(idOrLogin: string, options: LogEventOptions): LogEvent {
    const user = this.users.find(idOrLogin);
    if (user === undefined) throw new Error('There is no such user.');
    const { firstName, lastName } = user.profile;
    const displayName = `${String(firstName)} ${String(lastName)}`;
    const party = { id: user.id, type: 'User', alternateId: user.login, displayName };
    return makeLogEvent(party, options, this.context.clock());
  }

  /** Checks a code that a user entered, and delivers its event to the event hooks. */
  async enterCode(idOrLogin: string, typed: string): Promise<EnteredCode> {
    const userId = this.users.find(idOrLogin)?.id ?? idOrLogin;
    const { problem, event } = this.#codes.check(userId, typed, this.context.clock());
    const deliveries =
      event === undefined ? [] : await this.eventHooks.deliver([this.logEvent(userId, event)]);
    const entered = { isRight: problem === undefined, problem, deliveries };
    for (const listen of this.#codeListeners) listen(userId, entered);
    return entered;
  }

  async #send(request: HookRequest): Promise<HookCall> {
    const made = await callHook(request, this.context.outbound);
    this.#requests.set(made, request);
    return made;
  }

  #makeProviders(): OktaOrg['oidc'] {
    const { orgUrl, issuer, clock, rsaKeys } = this.context;
    const shared = { clock, apps: this.apps, findUser: (id: string) => this.users.find(id) };
    let orgKey: Promise<SigningKey> | undefined;
    return {
      org: new OidcProvider(shared, {
        issuer: orgUrl,
        baseUrl: `${orgUrl}/oauth2/v1`,
        keys: async () => [await (orgKey ??= rsaKeys.makeSigningKey())],
        // Only Okta reads the access tokens of its org authorization server.
        makeAccessToken: () => randomAlphanumeric(43),
      }),
      custom: new OidcProvider(shared, {
        issuer,
        baseUrl: `${issuer}/v1`,
        keys: () => this.hookTokens.signingKeys(),
        makeAccessToken: ({ clientId, scopes }, { id, login }) =>
          this.hookTokens.issue({ cid: clientId, uid: id, sub: login, scp: scopes }, {}),
      }),
    };
  }

  async #targetOf({ url, headers = {} }: HookCallOptions): Promise<HookTarget> {
    const hook = this.inlineHooks.activeTelephonyHook;
    // A credential goes to the hook's own URL only.
    if (url !== undefined) return { url, headers };
    if (hook === undefined)
      throw new Error('There is no active telephony hook: give a url, or create a hook.');
    const proof = await proveToHook(hook.channel, this.keys, this.context);
    const target = { url: hook.channel.uri, hookId: hook.id };
    if (typeof proof === 'string') return { ...target, headers, problem: proof };
    return { ...target, headers: { ...inLowerCase(proof), ...inLowerCase(headers) } };
  }
}

/** Names of headers in one spelling, so that a header replaces the one with the same name. */
function inLowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** @throws TypeError if Okta cannot call the URL. */
function channelWithSecret(uri: string, value: string): HookChannel {
  const authScheme = { type: 'HEADER', key: 'Authorization', value };
  const problems: string[] = [];
  const channel = readChannel({ type: 'HTTP', version: '1.0.0', config: { uri, authScheme } }, problems);
  if (channel !== undefined && problems.length === 0) return channel;
  throw new TypeError(`Okta cannot call the hook: ${problems.join(' ')}`);
}
