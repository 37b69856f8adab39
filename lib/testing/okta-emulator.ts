import { Agent } from 'undici';
import { serveApi } from './emulated-api.js';
import type { Fault, FaultRule, RecordedRequest } from './faults.js';
import type { Reply } from './loopback-server.js';
import { callHook, type HookCall, type HookCallOptions } from './okta-hook-call.js';
import { HookTokens, type HookTokenOptions } from './okta-hook-tokens.js';
import { RateLimiter, type RateLimit } from './okta-rate-limit.js';
import { OrgTokens, type ServiceApp } from './okta-tokens.js';
import { oktaError, UserDirectory, type EmulatedUser, type NewUser } from './okta-users.js';
import { randomAlphanumeric } from './random-ids.js';

/** Options of `startOktaEmulator`. */
export interface OktaEmulatorOptions {
  /** Default: any free port. */
  readonly port?: number | undefined;
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** The API token that is accepted. Default: a random one. */
  readonly apiToken?: string | undefined;
  /** The life of access tokens for Okta's API. Default: 3600, as Okta's. */
  readonly tokenLifetimeSeconds?: number | undefined;
}

/** An Okta org on the loopback interface, as far as a telephony hook meets it. */
export interface OktaEmulator {
  /** E.g. `http://127.0.0.1:49152`. */
  readonly orgUrl: string;
  /** The API token that `Authorization: SSWS` is accepted with. */
  readonly apiToken: string;
  /** The custom authorization server, `{orgUrl}/oauth2/default`. */
  readonly issuer: string;
  /** The calls of the Users API and of the token endpoint, newest last. */
  readonly requests: RecordedRequest[];
  /** How often the keys of the custom authorization server were asked for. */
  readonly jwksHits: number;
  /** How many requests followed a `redirect` fault. */
  readonly redirectHits: number;
  /** Adds a user. Throws where the id or the login is taken. */
  addUser(user: NewUser): EmulatedUser;
  /** Merges attributes into a user's profile; `null` takes one away. Throws for nobody. */
  updateUser(idOrLogin: string, profile: Readonly<Record<string, unknown>>): void;
  /** Misbehaves, by default in the Users API only. Rules are used in the order in which they were added. */
  fault(rule: FaultRule | Fault): void;
  clearFaults(): void;
  /** Sets the rate limit of the Users API and where it stands; `undefined` lifts it. */
  setRateLimit(limit: RateLimit | undefined): void;
  /** Adds an API service app that may ask for tokens by private_key_jwt. */
  registerServiceApp(app: ServiceApp): void;
  /** Makes every access token that was issued until now invalid. */
  revokeTokens(): void;
  /** From now on DPoP proofs at the token endpoint need another nonce. */
  rotateDpopNonce(): void;
  /**
   * A token as Okta brings it to a hook with the OAuth 2.0 scheme. By default `iss` is `issuer`, `aud`
   * `api://default`, `cid` and `sub` `0oahookclient0001d7`, `scp` `['telephony']`, and it is good for an hour; `claims`
   * go before that, and one that is `undefined` is left out.
   */
  issueHookToken(claims?: Readonly<Record<string, unknown>>, options?: HookTokenOptions): Promise<string>;
  /** Signs hook tokens with a new key from now on; the key before it stays published until the next rotation. */
  rotateHookKeys(): Promise<void>;
  /** Misbehaves where the keys and the metadata of the custom authorization server are served. */
  faultKeys(fault: Fault | undefined): void;
  /** Calls a telephony hook as Okta does - POST, 3 s in all, no retry, 200 only - and says what Okta would do with the answer. */
  callHook(call: HookCallOptions): Promise<HookCall>;
  /** Ends at once: every connection and timer with it. */
  close(): Promise<void>;
}

const USERS = '/api/v1/users';
const TOKEN = '/oauth2/v1/token';

/** Starts an Okta org on 127.0.0.1. Close it at the end. */
export async function startOktaEmulator(options: OktaEmulatorOptions = {}): Promise<OktaEmulator> {
  const clock = options.clock ?? Date.now;
  const apiToken = options.apiToken ?? `00${randomAlphanumeric(40)}`;
  const tokenLifetimeSeconds = options.tokenLifetimeSeconds ?? 3600;
  const orgUrl = (): string => api.server.origin;
  const issuer = (): string => `${orgUrl()}/oauth2/default`;
  const users = new UserDirectory(orgUrl, clock);
  const limiter = new RateLimiter(clock);
  const orgTokens = new OrgTokens({ orgUrl, apiToken, tokenLifetimeSeconds, clock });
  const hookTokens = new HookTokens(issuer, clock);
  const agent = new Agent({ connections: null, keepAliveTimeout: 1000 });
  let keyFault: Fault | undefined;

  const answerUsers = async (request: RecordedRequest): Promise<Reply> => {
    const refusal = await orgTokens.refuse(request, 'okta.users.read');
    if (refusal !== undefined) return refusal;
    const segments = pathOf(request).slice(USERS.length).split('/').slice(1);
    const [segment] = segments;
    if (request.method !== 'GET') {
      return oktaError(405, 'E0000022', 'The endpoint does not support the provided HTTP method');
    }
    if (segment === undefined || segment === '' || segments.length > 1) return notFound();
    return users.answer(segment, request.headers['content-type'] ?? '');
  };
  const answer = async (request: RecordedRequest): Promise<Reply> => {
    if (isUsersCall(request)) {
      const { isAllowed, headers } = limiter.count();
      const reply = isAllowed
        ? await answerUsers(request)
        : oktaError(429, 'E0000047', 'API call exceeded rate limit due to too many requests.');
      return {
        ...reply,
        headers: { 'x-okta-request-id': randomAlphanumeric(27), ...headers, ...reply.headers },
      };
    }
    if (isTokenCall(request)) return orgTokens.answer(request);
    return (await hookTokens.answer(request)) ?? notFound();
  };
  const api = await serveApi({
    port: options.port ?? 0,
    clock,
    isFaultable: isUsersCall,
    isRecorded: (request) => isUsersCall(request) || isTokenCall(request),
    faultOf: (request) => (hookTokens.notice(request) ? keyFault : undefined),
    answer,
  });

  return {
    orgUrl: orgUrl(),
    issuer: issuer(),
    apiToken,
    requests: api.requests,
    get jwksHits() {
      return hookTokens.jwksHits;
    },
    get redirectHits() {
      return api.redirectHits();
    },
    addUser: (user) => users.add(user),
    updateUser: (idOrLogin, profile) => {
      users.update(idOrLogin, profile);
    },
    fault: api.fault,
    clearFaults: api.clearFaults,
    setRateLimit: (limit) => {
      limiter.set(limit);
    },
    registerServiceApp: (app) => {
      orgTokens.register(app);
    },
    revokeTokens: () => {
      orgTokens.revokeAll();
    },
    rotateDpopNonce: () => {
      orgTokens.rotateNonce();
    },
    issueHookToken: (claims = {}, tokenOptions = {}) => hookTokens.issue(claims, tokenOptions),
    rotateHookKeys: () => hookTokens.rotate(),
    faultKeys: (fault) => {
      keyFault = fault;
    },
    callHook: (call) => {
      const wanted = call.userId ?? call.login;
      const user = wanted === undefined ? users.first() : users.find(wanted);
      return callHook(call, user, { orgUrl: orgUrl(), now: clock(), dispatcher: agent });
    },
    close: async () => {
      await Promise.all([agent.destroy(), api.server.close()]);
    },
  };
}

function pathOf(request: RecordedRequest): string {
  return request.path.split('?')[0] ?? '';
}

function isUsersCall(request: RecordedRequest): boolean {
  const path = pathOf(request);
  return path === USERS || path.startsWith(`${USERS}/`);
}

function isTokenCall(request: RecordedRequest): boolean {
  return request.method === 'POST' && pathOf(request) === TOKEN;
}

function notFound(): Reply {
  return oktaError(404, 'E0000022', 'The endpoint does not support the provided HTTP method');
}
