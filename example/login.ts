import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import session from 'express-session';
import passport from 'passport';
import { accountPage, loginPage, problemPage } from './pages.js';

/** Who may log in to the gateway's own pages. */
export interface Account {
  readonly username: string;
  /** Whose account it is at Okta; without it there is nothing to prefer. A login by OpenID Connect has it as `sub`. */
  readonly oktaUserId?: string | undefined;
  /** May use the hook's console: it shows who asked for codes, and sends some. Default: no. */
  readonly isAdministrator?: boolean | undefined;
  /** Long and made at random; see `isSameText`. */
  readonly password: string;
}

declare module 'express-session' {
  interface SessionData {
    csrfToken: string;
  }
}

/** How long a login lasts, and how often those that are over are forgotten, milliseconds. */
const SESSION_MS = 8 * 3600 * 1000;
const SWEEP_MS = 3600 * 1000;

/** The gateway's session, and the routes of logging in and out. */
export function createLogin(parts: {
  readonly accounts: readonly Account[];
  readonly sessionSecret: string;
  /** Whether browsers come by https, through a proxy that ends it. */
  readonly hasSecureCookies: boolean;
  /** Whether there is a preference page to lead to. */
  readonly hasPreferences: boolean;
  /** Where administrators find the hook's console; `undefined` where there is none. */
  readonly consolePath: string | undefined;
}): Router {
  // An Authenticator of its own, as the hook has one: two logins in one process share nothing.
  const authenticator = new passport.Passport();
  authenticator.use('password', new PasswordStrategy(parts.accounts));
  authenticator.serializeUser((user, done) => {
    done(null, usernameOf(user));
  });
  authenticator.deserializeUser((username, done) => {
    // An account that was taken away meanwhile is not logged in any more.
    done(null, parts.accounts.find((account) => account.username === username) ?? false);
  });

  const router = express.Router();
  // Sessions live in this process, of which express-session warns at each start in production: for many users, or several
  // gateways, put a store of your own here. Those that have expired go when they are listed, and never by themselves.
  const store = new session.MemoryStore();
  setInterval(() => {
    store.all(() => undefined);
  }, SWEEP_MS).unref();
  router.use(
    session({
      store,
      name: 'gateway.sid',
      secret: parts.sessionSecret,
      resave: false,
      saveUninitialized: false,
      cookie: { httpOnly: true, sameSite: 'lax', secure: parts.hasSecureCookies, maxAge: SESSION_MS },
    }),
    asHandler(authenticator.session()),
  );

  const loginToken = createLoginToken(parts.hasSecureCookies);
  router.get('/login', (req, res) => {
    if (loggedInAs(req) !== undefined) res.redirect('/account');
    else res.send(loginPage({ csrfToken: loginToken.of(req, res), hasFailed: 'failed' in req.query }));
  });
  // By the strategy's name: an instance handed to authenticate() is shared by requests that overlap.
  const authenticate = asHandler(
    authenticator.authenticate('password', { successRedirect: '/account', failureRedirect: '/login?failed' }),
  );
  router.post('/login', readForm, loginToken.check, authenticate);

  router.get('/account', (req, res) => {
    const username = loggedInAs(req);
    if (username === undefined) res.redirect('/login');
    else {
      const { hasPreferences } = parts;
      const consolePath = isAdministrator(req) ? parts.consolePath : undefined;
      res.send(accountPage({ username, csrfToken: csrfTokenOf(req), hasPreferences, consolePath }));
    }
  });
  router.post('/logout', readForm, checkCsrfToken, (req, res, next) => {
    req.logout((error: unknown) => {
      if (error === undefined || error === null) res.redirect('/');
      else next(error);
    });
  });
  return router;
}

/** The name of whoever is logged in. */
export function loggedInAs(req: Request): string | undefined {
  return req.user === undefined ? undefined : usernameOf(req.user);
}

/** Whether whoever is logged in may use the hook's console. */
export function isAdministrator(req: Request): boolean {
  const user: Express.User = req.user ?? {};
  return 'isAdministrator' in user && user.isAdministrator === true;
}

/** The Okta user whose account it is. */
export function oktaUserIdOf(req: Request): string | undefined {
  const user: Express.User = req.user ?? {};
  return 'oktaUserId' in user && typeof user.oktaUserId === 'string' ? user.oktaUserId : undefined;
}

function usernameOf(user: Express.User): string | undefined {
  return 'username' in user && typeof user.username === 'string' ? user.username : undefined;
}

/** The form's name and password against the accounts. */
class PasswordStrategy extends passport.Strategy {
  // Not #accounts: passport authenticates by an object that only inherits from this one.
  private readonly accounts: readonly Account[];

  constructor(accounts: readonly Account[]) {
    super();
    this.accounts = accounts;
  }

  override authenticate(req: Request): void {
    const { username, password } = fieldsOf(req);
    // Every account is compared whole, whatever the name: time tells neither who exists nor how near a guess was.
    let found: Account | undefined;
    for (const account of this.accounts) {
      const isName = isSameText(account.username, username);
      const isPassword = isSameText(account.password, password);
      if (isName && isPassword) found = account;
    }
    if (found === undefined) this.fail(undefined, 401);
    else this.success(found);
  }
}

/**
 * In constant time. A fast digest is enough for passwords made at random; those that people choose want scrypt, and
 * a limit on attempts, since it would share its threads with the name look-ups of the hook's calls.
 */
function isSameText(expected: string, given: string | undefined): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(expected), digest(given ?? ''));
}

export const readForm: RequestHandler = express.urlencoded({ extended: false, limit: '4kb' });

export function fieldsOf(req: Request): Readonly<Record<string, string | undefined>> {
  const body: unknown = req.body;
  if (typeof body !== 'object' || body === null) return {};
  // A field that is given twice is an array: then it counts as not given.
  return Object.fromEntries(Object.entries(body).filter(([, value]) => typeof value === 'string'));
}

export function csrfTokenOf(req: Request): string {
  req.session.csrfToken ??= makeToken();
  return req.session.csrfToken;
}

/** Refuses a form that is not of a page of this session; another site's brings no cookie either, which is `SameSite`. */
export const checkCsrfToken = refuseUnless((req) => req.session.csrfToken);

/**
 * The CSRF token of the login form is in a cookie of its own (double submit). Anybody may open the form: a session for
 * each who does would fill the memory. A new session begins when a login succeeds; passport's `req.login` makes it.
 */
function createLoginToken(hasSecureCookies: boolean): {
  readonly of: (req: Request, res: Response) => string;
  readonly check: RequestHandler;
} {
  // By the prefix browsers take it from this host alone: another one of the domain cannot plant a token that it knows.
  const name = hasSecureCookies ? '__Host-gateway-login' : 'gateway-login';
  const pattern = new RegExp(`(?:^|; ?)${name}=([\\w-]{32})(?:;|$)`);
  const read = (req: Request): string | undefined => pattern.exec(req.headers.cookie ?? '')?.[1];
  return {
    of: (req, res) => {
      // A form that is open in another tab stays good.
      const token = read(req) ?? makeToken();
      res.cookie(name, token, { httpOnly: true, sameSite: 'lax', secure: hasSecureCookies });
      return token;
    },
    check: refuseUnless(read),
  };
}

function refuseUnless(expectedOf: (req: Request) => string | undefined): RequestHandler {
  return (req, res, next) => {
    const expected = expectedOf(req);
    if (expected !== undefined && isSameText(expected, fieldsOf(req)['csrfToken'])) next();
    else res.status(403).send(problemPage('Form out of date', 'Please open the page again and repeat.'));
  };
}

const makeToken = (): string => randomBytes(24).toString('base64url');

/** What passport makes is a request handler; its types say `any`. */
function asHandler(made: unknown): RequestHandler {
  return made as RequestHandler;
}
