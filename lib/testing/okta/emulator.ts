import { startEmulatedServer } from '../server/emulated-server.js';
import { requireFault } from '../server/answer.js';
import type { Fault, FaultRule } from '../server/faults.js';
import { pathOf, type RecordedRequest } from '../server/request.js';
import type { SchemaAttribute, UserSchemaView } from './users/attributes.js';
import type { OidcApp } from './sign-in/authorization-request.js';
import type { EnteredCode } from './hooks/codes.js';
import type { EmulatedEventHook, EventDelivery, FireOptions } from './hooks/event-hooks.js';
import type { HookCall, HookCallOptions } from './hooks/hook-calls.js';
import { channelWithSecret } from './hooks/hook-channel.js';
import type { EmulatedHookKey } from './hooks/hook-keys.js';
import { ISSUER_PATH } from './api/context.js';
import type { HookTokenOptions } from './authorization/hook-tokens.js';
import type { EmulatedInlineHook } from './hooks/inline-hooks.js';
import { makeLogEvent, type LogEvent, type LogEventOptions } from './hooks/log-events.js';
import type { AuthenticatorStatus, TelephonyProvider } from './org-resources.js';
import { createOrg, isApiCall } from './org.js';
import type { RateLimit, RateLimitBucket } from './api/rate-limit.js';
import { RsaKeys } from './authorization/rsa-keys.js';
import type { SchemaDelay } from './users/schema.js';
import type { HookClient } from './authorization/token-endpoint.js';
import type { ServiceApp } from './authorization/org-tokens.js';
import type { EmulatedUser, NewUser } from './users/users.js';
import { randomAlphanumeric } from '../server/random-ids.js';

/** Options of `startOktaEmulator`. */
export interface OktaEmulatorOptions {
  /** Default: any free port. */
  readonly port?: number | undefined;
  /** Milliseconds since 1970; the `Date` of answers follows it, too. Default: `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** The API token that is accepted. Default: a random one. */
  readonly apiToken?: string | undefined;
  /** The roles of the administrator who made the API token. Default: `['SUPER_ADMIN']`. */
  readonly apiTokenRoles?: readonly string[] | undefined;
  /** The life of access tokens for Okta's API. Default: 3600, as Okta's. */
  readonly tokenLifetimeSeconds?: number | undefined;
  /** How long Okta waits for the whole of a call of a hook. Default: 3000, as Okta does. */
  readonly hookTimeoutMs?: number | undefined;
  /**
   * Listens on every address. INSECURE: whoever reaches the port signs in as anybody and changes the org. For a container,
   * whose port is published only on 127.0.0.1. Default: `false`.
   */
  readonly insecureRemoteAccess?: boolean | undefined;
}

/** An Okta org on the loopback interface, with the APIs that a telephony hook and its setup use. */
export interface OktaEmulator {
  /** E.g. `http://127.0.0.1:49152`. */
  readonly orgUrl: string;
  /** An API token for `Authorization: SSWS`. `addApiToken` makes others. */
  readonly apiToken: string;
  /** `orgUrl` and `apiToken`, for the hook's `credentials.okta`. */
  readonly credential: { readonly orgUrl: string; readonly apiToken: string };
  /** What `connectHook` gives Okta to prove itself with, for the hook's `credentials.hook`. The secret is random. */
  readonly hookCredential: { readonly scheme: 'header'; readonly secrets: readonly [string] };
  /** The custom authorization server, `{orgUrl}/oauth2/default`. */
  readonly issuer: string;
  /** The calls of the API and of the token endpoint, newest last. */
  readonly requests: RecordedRequest[];
  /** How often the keys of the custom authorization server were requested. */
  readonly jwksHits: number;
  /** How many requests followed a `redirect` fault. */
  readonly redirectHits: number;
  /** The users, oldest first. */
  readonly users: readonly EmulatedUser[];
  /** The current attributes of the user profile. */
  readonly userSchema: UserSchemaView;
  /** The inline hooks of every type, with their secrets, oldest first. */
  readonly inlineHooks: readonly EmulatedInlineHook[];
  /** The event hooks, with their secrets, oldest first. */
  readonly eventHooks: readonly EmulatedEventHook[];
  /** The keys with which Okta requests tokens for hooks. */
  readonly hookKeys: readonly EmulatedHookKey[];
  /** The deliveries to event hooks with their results, oldest first. */
  readonly eventDeliveries: readonly EventDelivery[];

  /** Adds a user. Throws if the id or the login is taken. */
  addUser(user: NewUser): EmulatedUser;
  /** Merges attributes into a user's profile without a check of the schema; `null` removes one. Throws for an unknown user. */
  updateUser(idOrLogin: string, profile: Readonly<Record<string, unknown>>): void;
  /**
   * Sets a custom attribute of the user profile at once, changes one of the base, or removes a custom one with `null`.
   * The rules of the Schema API do not apply.
   */
  setAttribute(name: string, attribute: SchemaAttribute | null): void;
  /** Sets how long changes of the schema take that are made by the API. */
  setSchemaDelay(delay: SchemaDelay): void;
  /** Turns the phone authenticator on or off. Default: on. */
  setPhoneAuthenticator(status: AuthenticatorStatus): void;
  /** Sets the org's telephony providers. Default: none. */
  setTelephonyProviders(providers: readonly TelephonyProvider[]): void;

  /**
   * Adds a fault, by default for the Users API. A rule's `match` names other requests, e.g. `({path}) =>
   * path.startsWith('/api/v1/inlineHooks')`. Rules apply in the order in which they were added. A fault that
   * takes the effect from a request leaves hooks, users and schema unchanged.
   */
  fault(rule: FaultRule | Fault): void;
  /** Removes every fault. */
  clearFaults(): void;
  /** Sets a rate limit with its remaining calls, by default for reading one user; `undefined` removes it. */
  setRateLimit(limit: RateLimit | undefined, bucket?: RateLimitBucket): void;

  /**
   * Makes another API token, of an administrator with these roles, by default `['SUPER_ADMIN']`. A custom role is
   * given by its permissions, such as `okta.inlinehooks.manage`. The token of a call is in the `authorization` header of its entry in `requests`.
   */
  addApiToken(roles?: readonly string[]): string;
  /** Adds an API service app, which may request tokens by private_key_jwt. */
  registerServiceApp(app: ServiceApp): void;
  /**
   * Adds a web app, at which users sign in by OpenID Connect: its issuer is `orgUrl` or `issuer`. The sign-in page takes plain
   * form posts: `username`, then `by` (`sms` or `call`), which calls the telephony hook, then `code`.
   */
  registerApp(app: OidcApp): void;
  /** Revokes every access token. */
  revokeTokens(): void;
  /** DPoP proofs at the token endpoint need another nonce from now on. */
  rotateDpopNonce(): void;

  /**
   * Issues a token as Okta sends it to a hook with the OAuth 2.0 scheme. By default `iss` is `issuer`, `aud`
   * `api://default`, `cid` and `sub` `0oahookclient0001d7`, `scp` `['telephony']`, and it expires after an hour. `claims`
   * replace these, and a claim that is `undefined` is left out.
   */
  issueHookToken(claims?: Readonly<Record<string, unknown>>, options?: HookTokenOptions): Promise<string>;
  /** Adds a client of the custom authorization server: its token endpoint is `{issuer}/v1/token`. */
  registerHookClient(client: HookClient): void;
  /** Signs hook tokens with a new key from now on. The key before it stays published until the next rotation. */
  rotateHookKeys(): Promise<void>;
  /** Sets a fault for the keys and the metadata of the custom authorization server; `undefined` removes it. */
  faultKeys(fault: Fault | undefined): void;

  /**
   * Connects a telephony hook, with the secret of `hookCredential`: creates the org's active telephony hook, in place of the
   * one before, and verifies an event hook at `url` + `/events`. The gateway must be listening. If it answers 404 there,
   * no event hook is created. Rejects if `url` is no URL that Okta can call, or if the event hook cannot be verified.
   */
  connectHook(url: string): Promise<void>;
  /**
   * Calls a telephony hook as Okta does (POST, 3 s in all, no retry, only 200) and resolves to what Okta does with the
   * answer. Without `url` it is the org's active hook. Rejects if there is none. Without a user it is for the first one; see
   * `userId` for an org that has none. Rejects with a `TypeError` if an option is unknown.
   */
  callHook(call?: HookCallOptions): Promise<HookCall>;
  /**
   * Sends the request of a call again, byte for byte, as Okta does if an answer is lost: the same event id and code, to the
   * same URL, with the same headers. Okta's codes stay as they are. Rejects with a `TypeError` if `call` is not a result of
   * this emulator's `callHook` or `repeat`, but a copy of it.
   */
  repeat(call: HookCall): Promise<HookCall>;
  /**
   * Calls the listener before each call of a telephony hook with its payload, which the listener may change. The function that
   * the listener returns is called with the result. A repeat does not call the listener.
   */
  onHookCall(listener: (payload: unknown) => (made: HookCall) => void): void;
  /** Calls the listener after each code that a user entered. */
  onCodeEntered(listener: (userId: string, entered: EnteredCode) => void): void;
  /** The user enters a code. Okta checks it and delivers its event to the event hooks. */
  enterCode(idOrLogin: string, code: string): Promise<EnteredCode>;
  /** An event of the System Log about a user, by default a sign-in by SMS. Throws for an unknown user. */
  logEvent(idOrLogin: string, options?: LogEventOptions): LogEvent;
  /**
   * Delivers to every active and verified event hook the events that it subscribes to, in one delivery, and again once after
   * no answer or a 5xx.
   */
  fireEvents(events: readonly LogEvent[], options?: FireOptions): Promise<readonly EventDelivery[]>;
  /** Delivers one event of a user's sign-in, or what `options` say: `fireEvents` with one `logEvent`. */
  userSignedIn(idOrLogin: string, options?: LogEventOptions): Promise<readonly EventDelivery[]>;
  /** Ends the emulator at once, with every connection and timer. */
  close(): Promise<void>;
}

const USERS = '/api/v1/users';

/** Starts an Okta org on 127.0.0.1. Close it at the end. */
export async function startOktaEmulator(options: OktaEmulatorOptions = {}): Promise<OktaEmulator> {
  const { clock = Date.now, apiToken = `00${randomAlphanumeric(40)}` } = options;
  const hookSecret = randomAlphanumeric(32);
  const rsaKeys = new RsaKeys();
  let keyFault: Fault | undefined;
  let jwksHits = 0;
  const server = await startEmulatedServer({
    port: options.port,
    isOpenToOthers: options.insecureRemoteAccess,
    clock,
    callTimeoutMs: options.hookTimeoutMs ?? 3000,
    isFaultable: isUsersCall,
    isRecorded: isApiCall,
    faultOf: (head) => {
      const path = pathOf(head);
      const isForKeys = path === `${ISSUER_PATH}/v1/keys`;
      if (isForKeys) jwksHits += 1;
      return isForKeys || path.startsWith(`${ISSUER_PATH}/.well-known/`) ? keyFault : undefined;
    },
  });
  const { origin: orgUrl, outbound } = server;
  const issuer = orgUrl + ISSUER_PATH;
  const context = { orgUrl, issuer, clock, outbound, rsaKeys };
  const org = createOrg(context, {
    apiToken,
    apiTokenRoles: options.apiTokenRoles ?? ['SUPER_ADMIN'],
    tokenLifetimeSeconds: options.tokenLifetimeSeconds ?? 3600,
  });
  server.serve(org.api);
  const logEvent: OktaEmulator['logEvent'] = (idOrLogin, eventOptions = {}) =>
    makeLogEvent(org.users.require(idOrLogin), eventOptions, clock());

  return {
    orgUrl,
    issuer,
    apiToken,
    credential: { orgUrl, apiToken },
    hookCredential: { scheme: 'header', secrets: [hookSecret] },
    requests: server.requests,
    get jwksHits() {
      return jwksHits;
    },
    get redirectHits() {
      return server.redirectHits;
    },
    get users() {
      return [...org.users.all];
    },
    get userSchema() {
      return org.schema.view;
    },
    get inlineHooks() {
      return org.inlineHooks.hooks.all;
    },
    get eventHooks() {
      return org.eventHooks.hooks.all;
    },
    get hookKeys() {
      return org.keys.all;
    },
    eventDeliveries: org.eventHooks.deliveries,
    addUser: (user) => org.users.add(user),
    updateUser: (idOrLogin, profile) => org.users.update(idOrLogin, profile),
    setAttribute: (name, attribute) => org.schema.set(name, attribute),
    setSchemaDelay: (delay) => org.schema.setDelay(delay),
    setPhoneAuthenticator: (status) => org.resources.setPhoneAuthenticator(status),
    setTelephonyProviders: (providers) => org.resources.setTelephonyProviders(providers),
    fault: server.fault,
    clearFaults: server.clearFaults,
    setRateLimit: (limit, bucket = 'user') => org.limiters[bucket].set(limit),
    addApiToken: (roles = ['SUPER_ADMIN']) => org.orgTokens.addApiToken(roles),
    registerServiceApp: (app) => org.orgTokens.register(app),
    registerApp: (app) => {
      org.apps.set(app.clientId, app);
    },
    revokeTokens: () => org.orgTokens.revokeAll(),
    rotateDpopNonce: () => org.orgTokens.rotateNonce(),
    issueHookToken: (claims = {}, tokenOptions = {}) => org.hookTokens.issue(claims, tokenOptions),
    registerHookClient: (client) => org.hookTokens.clients.register(client),
    rotateHookKeys: () => org.hookTokens.rotate(),
    faultKeys: (fault) => {
      keyFault = fault === undefined ? undefined : requireFault(fault);
    },
    connectHook: async (url) => {
      org.inlineHooks.connect(channelWithSecret(url, hookSecret));
      await org.eventHooks.connect(channelWithSecret(`${url}/events`, hookSecret));
    },
    callHook: (call = {}) => org.calls.call(call),
    repeat: (call) => org.calls.repeat(call),
    onHookCall: (listener) => org.calls.onCall(listener),
    onCodeEntered: (listener) => org.codes.onEntered(listener),
    enterCode: (idOrLogin, code) => org.codes.enter(idOrLogin, code),
    logEvent,
    fireEvents: (events, fireOptions) => org.eventHooks.deliver(events, fireOptions),
    userSignedIn: (idOrLogin, eventOptions) => org.eventHooks.deliver([logEvent(idOrLogin, eventOptions)]),
    close: async () => {
      await server.close();
      rsaKeys.giveBack();
    },
  };
}

function isUsersCall(request: RecordedRequest): boolean {
  const path = pathOf(request);
  return path === USERS || path.startsWith(`${USERS}/`);
}
