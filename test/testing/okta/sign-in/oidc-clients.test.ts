import { once } from 'node:events';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import express, { type RequestHandler } from 'express';
import session from 'express-session';
import passport from 'passport';
// @ts-expect-error It has no types.
import openidconnect from 'passport-openidconnect';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { ROOT } from '#harness/consumer.js';
import { onlyInGate } from '#harness/only-gate.js';
import { installToolsOnce } from '#harness/own-tools.js';
import { startTestServer, type TestServer } from '../../local.js';
import { callApi, telephonyHook } from '../client.js';

const CLIENT = { clientId: '0oawebapp0000000001', clientSecret: 'a-secret-with-enough-characters-for-all' };

interface Page {
  readonly url: string;
  readonly status: number;
  readonly text: string;
}

/** A browser without scripts, for one person: keeps cookies, follows redirects, and posts forms. */
class Browser {
  readonly #cookies = new Map<string, string>();

  async open(url: string, fields?: Readonly<Record<string, string>>): Promise<Page> {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { accept: 'text/html', cookie: [...this.#cookies.values()].join('; ') },
      ...(fields === undefined ? {} : { method: 'POST', body: new URLSearchParams(fields) }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      this.#cookies.set(pair.split('=')[0] ?? '', pair);
    }
    const location = response.headers.get('location');
    if (location !== null) return this.open(new URL(location, url).href);
    const text = await response.text();
    // A page that posts itself: response_mode=form_post.
    const [, action] = /<form method="post" action="([^"]+)"[^]*<script>/.exec(text) ?? [];
    if (action === undefined) return { url, status: response.status, text };
    const inputs = text.matchAll(/name="([^"]+)" value="([^"]*)"/g);
    return this.open(
      action,
      Object.fromEntries([...inputs].map(([, name = '', value = '']) => [name, value])),
    );
  }
}

describe('startOktaEmulator: the usual libraries of web apps', () => {
  let okta: OktaEmulator;
  let hook: TestServer;
  let server: Server;
  let base: string;
  let app: express.Express;

  beforeEach(async () => {
    okta = await startOktaEmulator();
    const answer = { commands: [{ type: 'com.okta.telephony.action', value: [{ status: 'SUCCESSFUL' }] }] };
    hook = await startTestServer((response) => response.writeHead(200).end(JSON.stringify(answer)));
    await callApi(okta, 'POST', '/api/v1/inlineHooks', telephonyHook(hook.url));
    okta.addUser({
      id: '00uana0silveira00001',
      login: 'ana@example.com',
      firstName: 'Ana',
      lastName: 'Silveira',
      profile: { mobilePhone: '+447700900123' },
    });
    app = express();
    server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    app.get('/', (_req, res) => {
      res.send('the start page');
    });
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    hook.close();
    await okta.close();
  });

  const withSession = (): RequestHandler =>
    session({ secret: 'of this test', resave: false, saveUninitialized: false });
  /** Opens a page that needs a sign-in, and signs in as Ana. */
  const signIn = async (browser: Browser, path: string): Promise<Page> => {
    const { url } = await browser.open(base + path);
    expect(url).to.match(/\/signin\/\w+$/);
    await browser.open(url, { username: 'ana@example.com' });
    await browser.open(url, { by: 'sms' });
    const [, code = ''] = /"otpCode":"(\d{6})"/.exec(hook.received.at(-1)?.body ?? '') ?? [];
    return browser.open(url, { code });
  };

  for (const server of ['org', 'custom'] as const) {
    it(`let users sign in by passport-openidconnect: ${server} authorization server`, async () => {
      okta.registerApp({ ...CLIENT, redirectUri: `${base}/callback` });
      const issuer = server === 'org' ? okta.orgUrl : okta.issuer;
      const endpoints = server === 'org' ? `${issuer}/oauth2/v1` : `${issuer}/v1`;
      const { Strategy } = openidconnect as {
        Strategy: new (options: object, verify: (...args: never) => void) => passport.Strategy;
      };
      const logins = new passport.Passport();
      logins.serializeUser((user, done) => {
        done(null, user);
      });
      logins.deserializeUser((user: Express.User, done) => {
        done(null, user);
      });
      type Done = (error: null, user: object) => void;
      logins.use(
        new Strategy(
          {
            issuer,
            authorizationURL: `${endpoints}/authorize`,
            tokenURL: `${endpoints}/token`,
            userInfoURL: `${endpoints}/userinfo`,
            clientID: CLIENT.clientId,
            clientSecret: CLIENT.clientSecret,
            callbackURL: `${base}/callback`,
            scope: ['profile', 'email'],
            skipUserProfile: false,
          },
          (_issuer: string, profile: object, done: Done) => {
            done(null, profile);
          },
        ),
      );
      app.use(withSession(), logins.initialize(), logins.session());
      app.get('/login', logins.authenticate('openidconnect') as RequestHandler);
      app.get('/callback', logins.authenticate('openidconnect') as RequestHandler, (req, res) => {
        res.json(req.user);
      });
      const { status, text } = await signIn(new Browser(), '/login');
      expect(status, text).to.equal(200);
      expect(JSON.parse(text)).to.deep.include({
        id: '00uana0silveira00001',
        displayName: 'Ana Silveira',
        username: 'ana@example.com',
        name: { familyName: 'Silveira', givenName: 'Ana' },
      });
    });
  }

  describe('in the gate', () => {
    let load: NodeJS.Require;
    before(function () {
      onlyInGate(this, 'it installs two libraries with many dependencies');
      installToolsOnce('oidc-clients');
      load = createRequire(join(ROOT, 'test/oidc-clients/package.json'));
    });

    for (const server of ['org', 'custom'] as const) {
      it(`let users sign in and out by @okta/oidc-middleware: ${server} authorization server`, async () => {
        const { ExpressOIDC } = load('@okta/oidc-middleware') as {
          ExpressOIDC: new (options: object) => {
            readonly router: RequestHandler;
            ensureAuthenticated(): RequestHandler;
            on(event: 'ready', listener: () => void): void;
          };
        };
        const redirectUri = `${base}/authorization-code/callback`;
        okta.registerApp({ ...CLIENT, redirectUri, postLogoutRedirectUri: `${base}/` });
        const oidc = new ExpressOIDC({
          issuer: server === 'org' ? okta.orgUrl : okta.issuer,
          client_id: CLIENT.clientId,
          client_secret: CLIENT.clientSecret,
          appBaseUrl: base,
          scope: 'openid profile',
          testing: { disableHttpsCheck: true },
        });
        await new Promise<void>((resolve) => {
          oidc.on('ready', resolve);
        });
        app.use(withSession(), oidc.router);
        app.get('/secret', oidc.ensureAuthenticated(), (req, res) => {
          res.json((req as unknown as { userContext: object }).userContext);
        });
        const browser = new Browser();
        const { status, text } = await signIn(browser, '/secret');
        expect(status, text).to.equal(200);
        const { userinfo, tokens } = JSON.parse(text) as {
          userinfo: object;
          tokens: Record<string, string>;
        };
        expect(userinfo).to.include({ sub: '00uana0silveira00001', name: 'Ana Silveira' });
        const userInfoUrl =
          server === 'org' ? `${okta.orgUrl}/oauth2/v1/userinfo` : `${okta.issuer}/v1/userinfo`;
        const ask = async (): Promise<number> =>
          (await fetch(userInfoUrl, { headers: { authorization: `Bearer ${tokens['access_token'] ?? ''}` } }))
            .status;
        expect(await ask()).to.equal(200);
        // It revokes the tokens, and signs out at Okta.
        expect((await browser.open(`${base}/logout`, {})).text).to.equal('the start page');
        expect(await ask()).to.equal(401);
        expect((await browser.open(`${base}/secret`)).url).to.match(/\/signin\/\w+$/);
      });
    }

    it('let users sign in and out by express-openid-connect, with its default settings', async () => {
      interface Oidc {
        readonly user: object;
      }
      const { auth } = load('express-openid-connect') as { auth: (options: object) => RequestHandler };
      okta.registerApp({ clientId: CLIENT.clientId, redirectUri: `${base}/callback` });
      app.use(
        auth({
          issuerBaseURL: okta.orgUrl,
          baseURL: base,
          clientID: CLIENT.clientId,
          secret: CLIENT.clientSecret,
          idpLogout: true,
        }),
      );
      app.get('/secret', (req, res) => {
        res.json((req as unknown as { oidc: Oidc }).oidc.user);
      });
      const browser = new Browser();
      const { status, text } = await signIn(browser, '/secret');
      expect(status, text).to.equal(200);
      expect(JSON.parse(text)).to.include({ sub: '00uana0silveira00001', email: 'ana@example.com' });
      expect((await browser.open(`${base}/logout`)).text).to.equal('the start page');
      expect((await browser.open(`${base}/secret`)).url).to.match(/\/signin\/\w+$/);
    });

    it('let users sign in by express-openid-connect with codes', async () => {
      const { auth } = load('express-openid-connect') as { auth: (options: object) => RequestHandler };
      okta.registerApp({ ...CLIENT, redirectUri: `${base}/callback` });
      app.use(
        auth({
          issuerBaseURL: okta.issuer,
          baseURL: base,
          clientID: CLIENT.clientId,
          clientSecret: CLIENT.clientSecret,
          secret: CLIENT.clientSecret,
          authorizationParams: { response_type: 'code' },
        }),
      );
      app.get('/secret', (req, res) => {
        res.json(
          Object.keys((req as unknown as { oidc: { accessToken: object } }).oidc.accessToken).includes(
            'access_token',
          ),
        );
      });
      expect((await signIn(new Browser(), '/secret')).text).to.equal('true');
    });
  });
});
