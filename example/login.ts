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
import { accountPage, loginPathFor, problemPage } from './pages.js';

/** The gateway as a web app of an Okta org, at which its users sign in. */
export interface LoginOptions {
  /** The authorization server: the org itself, e.g. `https://acme.okta.com`, or a custom one. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The sign-in redirect URI at Okta: the gateway's origin and `CALLBACK_PATH`. With https, cookies are for https only. */
  readonly redirectUri: string;
  /** Members of this group at Okta may use the hook's console. Default: there is no console. */
  readonly adminGroup?: string | undefined;
  /** Encrypts the cookies: 32 characters or more, the same at every gateway. */
  readonly sessionSecret: string;
}

/** The user who is signed in. */
export interface GatewayUser {
  /** The user's id at Okta. */
  readonly id: string;
  readonly name: string;
  readonly isAdministrator: boolean;
  /** The token of this session's forms. */
  readonly csrfToken: string;
}

export const CALLBACK_PATH = '/login/callback';
export const SESSION_COOKIE = 'gateway-session';
const SESSION_SECONDS = 8 * 3600;
/** How long a user may take to sign in at Okta. */
const PENDING_SECONDS = 15 * 60;
/** The limit of one call to Okta. */
const OKTA_SECONDS = 5;

/** A sign-in that is under way. The strategy adds its state, nonce and PKCE verifier. */
type Pending = IronSession<{ returnTo?: string | undefined }>;

/**
 * Sign-in at Okta by OpenID Connect. The session is in an encrypted cookie, so that all gateways can read it. It ends after eight
 * hours. Until then, a change of the user's groups at Okta has no effect.
 */
export function createLogin(
  options: LoginOptions,
  pages: { readonly hasPreferences: boolean; readonly consolePath: string | undefined },
): Router {
  const isSecure = options.redirectUri.startsWith('https:');
  const cookie = (name: string, ttl: number): Parameters<typeof getIronSession>[2] => ({
    // Browsers accept a cookie with this prefix from this host only: no other host of the domain can plant a session.
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
  // By the strategy's name: overlapping requests would share an instance that is given here. Its result has the type `any`.
  const authenticate = authenticator.authenticate('okta', {
    session: false,
    failWithError: true,
  }) as RequestHandler;

  const router = express.Router();
  router.use(async (req, res, next) => {
    const { user } = await openSession(req, res);
    if (user !== undefined) req.user = user;
    next();
  });
  router.use('/login', openPending);
  const rememberPage: RequestHandler = (req, _res, next) => {
    pendingOf(req).returnTo = readOwnPath(req.query['to']);
    next();
  };
  router.get('/login', rememberPage, discover, authenticate);
  router.get(CALLBACK_PATH, discover, authenticate, async (req, res) => {
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
      // Checks the signature of ID tokens.
      openid.enableNonRepudiationChecks,
      // For the emulated Okta. `readEnvironment` accepts http on this machine only.
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
  /** Okta requires `state`. The nonce ties the ID token to this sign-in. */
  override authorizationRequestParams(): URLSearchParams {
    return new URLSearchParams({ state: openid.randomState(), nonce: openid.randomNonce() });
  }

  /** Writes the cookie before the browser leaves for Okta. */
  override authenticate(
    this: passport.StrategyCreated<Strategy, Strategy & passport.StrategyCreatedStatic>,
    req: Request,
    options: AuthenticateOptions,
  ): void {
    const { redirect } = this;
    this.redirect = (url, status) => {
      pendingOf(req)
        .save()
        .then(() => redirect(url, status), this.error);
    };
    Strategy.prototype.authenticate.call(this, req, options);
  }
}

/** `openPending` stores it where the strategy expects a session. */
function pendingOf(req: Request): Pending {
  return (req as Request & { readonly session: Pending }).session;
}

/** The page that a user wanted, if it is a page of the gateway: `//host`, `/\host` and the like lead to another site. */
function readOwnPath(to: unknown): string | undefined {
  const base = 'http://gateway.invalid';
  if (typeof to !== 'string' || !URL.canParse(to, base)) return undefined;
  const { origin, pathname, search, hash } = new URL(to, base);
  return origin === base && !pathname.startsWith('//') ? pathname + search + hash : undefined;
}

const answerFailure: ErrorRequestHandler = (error: unknown, req, res, next) => {
  if (res.headersSent) {
    next(error);
    return;
  }
  const { name, code, error: reason } = Object(error) as Readonly<Record<string, unknown>>;
  // passport's own error: the user cancelled, or came back too late.
  const isRefused = name === 'AuthenticationError';
  // Only the codes are logged: the rest may contain a token or a login.
  if (!isRefused) console.error('A sign-in failed:', name, code, reason);
  const sentence = 'The sign-in at Okta was not completed.';
  const tryAgain = { title: 'Please try again', path: loginPathFor(pendingOf(req).returnTo ?? '/account') };
  res.status(isRefused ? 401 : 502).send(problemPage('You are not signed in', sentence, tryAgain));
};

/** The user who is signed in, if there is one. */
export function findUser(req: Request): GatewayUser | undefined {
  // Only the session and the strategy above set it.
  return req.user as GatewayUser | undefined;
}

/** The user who is signed in, behind `requireUser`. */
export function userOf(req: Request): GatewayUser {
  const user = findUser(req);
  if (user === undefined) throw new Error('requireUser must come before this handler');
  return user;
}

/** Sends visitors to the login, and from there back to this page. */
export const requireUser: RequestHandler = (req, res, next) => {
  if (findUser(req) !== undefined) next();
  else res.redirect(303, req.method === 'GET' ? loginPathFor(req.originalUrl) : '/login');
};

export const readForm: RequestHandler = express.urlencoded({ extended: false, limit: '4kb' });

/** The fields of a form that are there once. */
export function fieldsOf(req: Request): Readonly<Record<string, string | undefined>> {
  const body: unknown = req.body;
  if (typeof body !== 'object' || body === null) return {};
  return Object.fromEntries(Object.entries(body).filter(([, value]) => typeof value === 'string'));
}

/** Refuses a form that does not come from a page of this session. */
export const checkCsrfToken: RequestHandler = (req, res, next) => {
  const expected = Buffer.from(userOf(req).csrfToken);
  const given = Buffer.from(fieldsOf(req)['csrfToken'] ?? '');
  if (expected.length === given.length && timingSafeEqual(expected, given)) next();
  else res.status(403).send(problemPage('Form out of date', 'Please open the page again and repeat.'));
};
