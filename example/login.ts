import { randomBytes, timingSafeEqual } from 'node:crypto';
import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from 'express';
import { getIronSession, type IronSession } from 'iron-session';
import * as openid from 'openid-client';
import { Strategy, type AuthenticateOptions } from 'openid-client/passport';
import passport from 'passport';
import { accountPage, problemPage } from './pages.js';

/** The gateway as a web app of an Okta org, at which its users sign in. */
export interface LoginOptions {
  /** The authorization server: the org itself, e.g. `https://acme.okta.com`, or a custom one. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The sign-in redirect URI at Okta: the gateway's origin and `CALLBACK_PATH`. With https, cookies go over https alone. */
  readonly redirectUri: string;
  /** Members of this group at Okta may use the hook's console. Default: there is no console. */
  readonly adminGroup?: string | undefined;
  /** Encrypts the cookies: 32 characters or more, the same at every gateway. */
  readonly sessionSecret: string;
}

/** Who is signed in. */
export interface GatewayUser {
  /** The user's id at Okta. */
  readonly id: string;
  readonly name: string;
  readonly isAdministrator: boolean;
  /** What the forms of this session bring. */
  readonly csrfToken: string;
}

export const CALLBACK_PATH = '/login/callback';
export const SESSION_COOKIE = 'gateway-session';
const SESSION_SECONDS = 8 * 3600;
/** How long a user may take to sign in at Okta. */
const PENDING_SECONDS = 15 * 60;
/** The limit of one call of Okta. */
const OKTA_SECONDS = 5;

/** A sign-in that is under way. The strategy adds what it must remember. */
type Pending = IronSession<{ returnTo?: string | undefined }>;

/**
 * Sign-in at Okta by OpenID Connect. The session is in an encrypted cookie: gateways share it, and keep nothing of visitors. It
 * ends after eight hours. Until then, a change of the user's groups at Okta has no effect.
 */
export function createLogin(
  options: LoginOptions,
  pages: { readonly hasPreferences: boolean; readonly consolePath: string | undefined },
): Router {
  const isSecure = options.redirectUri.startsWith('https:');
  const cookie = (name: string, ttl: number): Parameters<typeof getIronSession>[2] => ({
    // By the prefix browsers take it from this host alone: no other host of the domain can plant a session.
    cookieName: isSecure ? `__Host-${name}` : name,
    password: options.sessionSecret,
    ttl,
    cookieOptions: { httpOnly: true, sameSite: 'lax', secure: isSecure, path: '/' },
  });
  const openSession = (req: Request, res: Response) =>
    getIronSession<{ user?: GatewayUser }>(req, res, cookie(SESSION_COOKIE, SESSION_SECONDS));
  const openPending: RequestHandler = async (req, res, next) => {
    Object.assign(req, { session: await getIronSession(req, res, cookie('gateway-login', PENDING_SECONDS)) });
    next();
  };
  const authenticator = new passport.Passport();
  let discovery: Promise<void> | undefined;
  /** Reads Okta's metadata at the first sign-in, so that the gateway starts without Okta. */
  const discover: RequestHandler = async (_req, _res, next) => {
    discovery ??= createStrategy(options).then((strategy) => void authenticator.use('okta', strategy));
    try {
      await discovery;
    } catch (error) {
      discovery = undefined;
      throw error;
    }
    next();
  };
  // By the strategy's name: an instance handed to authenticate() is shared by requests that overlap.
  const authenticate = asHandler(authenticator.authenticate('okta', { session: false, failWithError: true }));

  const router = express.Router();
  router.use(async (req, res, next) => {
    const { user } = await openSession(req, res);
    if (user !== undefined) req.user = user;
    next();
  });
  router.get(
    '/login',
    discover,
    openPending,
    (req, _res, next) => {
      pendingOf(req).returnTo = readOwnPath(req.query['to']);
      next();
    },
    authenticate,
  );
  router.get(CALLBACK_PATH, discover, openPending, authenticate, async (req, res) => {
    const { returnTo = '/account' } = pendingOf(req);
    pendingOf(req).destroy();
    const session = await openSession(req, res);
    session.user = userOf(req);
    await session.save();
    res.redirect(returnTo);
  });
  router.use('/login', answerFailure);
  router.get('/account', requireUser, (req, res) => {
    const user = userOf(req);
    const consolePath = user.isAdministrator ? pages.consolePath : undefined;
    res.send(accountPage({ user, hasPreferences: pages.hasPreferences, consolePath }));
  });
  router.post('/logout', requireUser, readForm, checkCsrfToken, async (req, res) => {
    (await openSession(req, res)).destroy();
    res.redirect('/');
  });
  return router;
}

async function createStrategy(options: LoginOptions): Promise<OktaStrategy> {
  const { issuer, clientId, clientSecret, redirectUri, adminGroup } = options;
  const authentication = openid.ClientSecretBasic(clientSecret);
  const config = await openid.discovery(new URL(issuer), clientId, undefined, authentication, {
    timeout: OKTA_SECONDS,
    execute: [
      // Checks the signature of ID tokens by Okta's keys.
      openid.enableNonRepudiationChecks,
      // For the emulated Okta. `readEnvironment` takes http on this machine only.
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- deprecated to make it stand out
      ...(issuer.startsWith('http:') ? [openid.allowInsecureRequests] : []),
    ],
  });
  // A custom authorization server may have no scope for groups.
  const scope = adminGroup === undefined ? 'openid profile' : 'openid profile groups';
  const settings = { config, callbackURL: redirectUri, sessionKey: 'okta', scope };
  return new OktaStrategy(settings, (tokens, done) => {
    const claims = tokens.claims();
    if (claims === undefined) {
      done(new Error('Okta sent no ID token'));
      return;
    }
    const { sub: id, preferred_username: name, groups } = claims;
    const user: GatewayUser = {
      id,
      name: typeof name === 'string' ? name : id,
      isAdministrator: adminGroup !== undefined && Array.isArray(groups) && groups.includes(adminGroup),
      csrfToken: randomBytes(24).toString('base64url'),
    };
    done(null, user);
  });
}

class OktaStrategy extends Strategy {
  /** Okta requires `state` of every request. The nonce ties the ID token to this sign-in. */
  override authorizationRequestParams(): URLSearchParams {
    return new URLSearchParams({ state: openid.randomState(), nonce: openid.randomNonce() });
  }

  override authenticate(
    this: passport.StrategyCreated<Strategy, Strategy & passport.StrategyCreatedStatic>,
    req: Request,
    options: AuthenticateOptions,
  ): void {
    // What the strategy must remember is in the cookie before the browser leaves for Okta.
    const { redirect } = this;
    this.redirect = (url, status) => {
      pendingOf(req)
        .save()
        .then(() => {
          redirect(url, status);
        }, this.error);
    };
    Strategy.prototype.authenticate.call(this, req, options);
  }
}

/** `openPending` puts it where the strategy looks for it. */
function pendingOf(req: Request): Pending {
  return (req as Request & { readonly session: Pending }).session;
}

/** Where a user came from, if it is a page of the gateway: `//host`, `/\host` and their like lead to another site. */
function readOwnPath(to: unknown): string | undefined {
  const base = 'http://gateway.invalid';
  if (typeof to !== 'string' || !URL.canParse(to, base)) return undefined;
  const { origin, pathname, search } = new URL(to, base);
  return origin === base && !pathname.startsWith('//') ? pathname + search : undefined;
}

const answerFailure: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (res.headersSent) {
    next(error);
    return;
  }
  const { name, code, error: reason } = Object(error) as Readonly<Record<string, unknown>>;
  // The user cancelled, or came back too late. Of any other error the codes are logged: the rest may hold a token or a login.
  const isRefused = name === 'AuthenticationError';
  if (!isRefused) console.error('A sign-in failed:', name, code, reason);
  const sentence = 'The sign-in at Okta was not completed. Please try again.';
  res.status(isRefused ? 401 : 502).send(problemPage('You are not signed in', sentence));
};

/** Who is signed in; `undefined` for anybody else. */
export function findUser(req: Request): GatewayUser | undefined {
  // Only the session and the strategy above set it.
  return req.user as GatewayUser | undefined;
}

/** Who is signed in, behind `requireUser`. */
export function userOf(req: Request): GatewayUser {
  const user = findUser(req);
  if (user === undefined) throw new Error('requireUser must come before this handler');
  return user;
}

/** Leads everybody else to the login, and from there back. */
export const requireUser: RequestHandler = (req, res, next) => {
  if (findUser(req) !== undefined) next();
  else if (req.method !== 'GET') res.redirect(303, '/login');
  else res.redirect(303, `/login?to=${encodeURIComponent(req.originalUrl)}`);
};

export const readForm: RequestHandler = express.urlencoded({ extended: false, limit: '4kb' });

export function fieldsOf(req: Request): Readonly<Record<string, string | undefined>> {
  const body: unknown = req.body;
  if (typeof body !== 'object' || body === null) return {};
  // A field that is given twice is an array: then it counts as not given.
  return Object.fromEntries(Object.entries(body).filter(([, value]) => typeof value === 'string'));
}

/** Refuses a form that is not of a page of this session. Forms of other sites bring no cookie either: `SameSite`. */
export const checkCsrfToken: RequestHandler = (req, res, next) => {
  const expected = Buffer.from(findUser(req)?.csrfToken ?? '');
  const given = Buffer.from(fieldsOf(req)['csrfToken'] ?? '');
  const isSame = expected.length === given.length && timingSafeEqual(expected, given);
  if (isSame && given.length > 0) next();
  else res.status(403).send(problemPage('Form out of date', 'Please open the page again and repeat.'));
};

/** What passport makes is a request handler; its types say `any`. */
function asHandler(made: unknown): RequestHandler {
  return made as RequestHandler;
}
