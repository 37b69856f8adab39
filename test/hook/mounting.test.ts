import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import express5, { type Express, type NextFunction, type Request, type Response } from 'express';
// @ts-expect-error -- the alias of Express 4 brings no types
import untypedExpress4 from 'express4';
import session from 'express-session';
import passport from 'passport';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import { oktaTelephonyHook, type HookEvent, type TelephonyHook } from '#lib/index.js';
import {
  ANA,
  BOB,
  CODE,
  commandOf,
  HOOK_SECRET,
  startScene,
  usualCredentials,
  type Scene,
} from '#harness/scene.js';
import { until } from '#harness/until.js';
import { mustNotShow, witness } from '#harness/witness.js';

// The tests use only what is the same in both versions.
const express4 = untypedExpress4 as typeof express5;

type Http2Handler = (req: Http2ServerRequest, res: Http2ServerResponse, next: () => void) => void;

const PATH = '/okta/telephony';
const OTHER_SECRET = 'hook-secret-of-the-other-hook';

describe('mounting', () => {
  let scene: Scene;
  const closers: (() => Promise<void> | void)[] = [];
  beforeEach(async () => {
    scene = await startScene();
    mustNotShow(OTHER_SECRET);
  });
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
    await scene.close();
  });

  it('works if a library has replaced the global Promise, as zone.js does', async () => {
    const native = globalThis.Promise;
    globalThis.Promise = class Foreign<T> extends native<T> {};
    try {
      expect((await scene.call()).okta.action).to.equal('sent');
    } finally {
      globalThis.Promise = native;
    }
  });

  /** Serves a gateway. Resolves to its origin. */
  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Another hook with the same Okta and Twilio. */
  function makeHook(options: Partial<Parameters<typeof oktaTelephonyHook>[0]> = {}): TelephonyHook {
    const hook = oktaTelephonyHook({
      credentials: usualCredentials(scene.okta, scene.twilio),
      senders: { sms: scene.twilio.smsNumber },
      logger: { info: witness, warn: witness, error: witness },
      ...options,
    });
    closers.push(() => hook.close());
    return hook;
  }

  async function expectServed(url: string): Promise<void> {
    const sent = scene.twilio.messages.length;
    const call = await scene.call({ url });
    expect(call.okta.action).to.equal('sent');
    expect(scene.twilio.messages).to.have.length(sent + 1);
  }

  async function ask(url: string, init?: RequestInit): Promise<{ status: number; text: string }> {
    const answer = await fetch(url, init);
    const text = await answer.text();
    witness(text);
    return { status: answer.status, text };
  }

  it('serves requests without raw headers, as adapters make them', async () => {
    const origin = await serve((req, res) => {
      Object.defineProperty(req, 'rawHeaders', { value: undefined });
      scene.hook(req, res, () => res.end());
    });
    await expectServed(origin + PATH);
    expect((await ask(origin + PATH, { method: 'POST', body: '{}' })).status).to.equal(401);
  });

  it('answers over HTTP/2 without a warning of Node', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    const server = createHttp2Server((req, res) => {
      // Has the members of a request of HTTP/1 that the hook reads.
      (scene.hook as unknown as Http2Handler)(req, res, () => res.end());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const post = async (headers: Readonly<Record<string, string>>, body: string): Promise<number> => {
      const stream = session.request({ ':method': 'POST', ':path': PATH, ...headers });
      stream.end(body);
      const [answered] = (await once(stream, 'response')) as [{ readonly ':status': number }];
      witness(await text(stream));
      return answered[':status'];
    };
    try {
      const unread = { 'content-type': 'application/json', 'content-length': '2' };
      expect(await post(unread, '{}')).to.equal(401);
      scene.hook.drain();
      expect(await post({ ...unread, authorization: HOOK_SECRET }, '{}')).to.equal(400);
      // Node emits warnings in a later turn.
      await new Promise(setImmediate);
      expect(warnings).to.deep.equal([]);
    } finally {
      process.off('warning', onWarning);
      session.destroy();
      server.close();
    }
  });

  for (const [name, express] of [
    ['Express 5', express5],
    ['Express 4', express4],
  ] as const) {
    describe(`in ${name}`, () => {
      let app: Express;
      beforeEach(() => {
        app = express();
      });

      it('runs the Express version of its title', () => {
        // Only Express 4 makes the router of an application on its first use.
        expect('_router' in app || 'lazyrouter' in app).to.equal(name === 'Express 4');
      });

      it('serves at the root, beside routes before and after it', async () => {
        app.get('/before', (_req, res) => res.send('before'));
        app.use(scene.hook);
        app.get('/after', (_req, res) => res.send('after'));
        const origin = await serve(app);
        await expectServed(origin + PATH);
        expect((await ask(`${origin}/before`)).text).to.equal('before');
        expect((await ask(`${origin}/after`)).text).to.equal('after');
      });

      it('serves behind express.json(), and leaves the body to it when mounted before', async () => {
        const echo = (req: Request, res: Response): unknown => res.json(req.body);
        app.use(express.json());
        app.use(scene.hook);
        app.post('/echo', echo);
        const behind = await serve(app);
        const ahead = express();
        ahead.use(scene.hook);
        ahead.use(express.json());
        ahead.post('/echo', echo);
        const before = await serve(ahead);
        for (const origin of [behind, before]) {
          await expectServed(origin + PATH);
          const sent = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":[1]}' };
          expect((await ask(`${origin}/echo`, sent)).text).to.equal('{"a":[1]}');
        }
      });

      /** Ways to mount a hook at its public path, all of which Express's guides show. */
      const mounts: readonly {
        readonly what: string;
        readonly mount: (app: Express, hook: TelephonyHook) => void;
        readonly at?: string;
        readonly path?: string;
      }[] = [
        { what: 'at its path', mount: (on, hook) => on.use(PATH, hook) },
        { what: 'at its path with a slash', mount: (on, hook) => on.use(`${PATH}/`, hook) },
        { what: 'at a part of its path', mount: (on, hook) => on.use('/okta', hook) },
        { what: 'under a prefix', mount: (on, hook) => on.use('/id', hook), at: `/id${PATH}` },
        {
          what: 'in a router under a prefix',
          mount: (on, hook) => on.use('/okta', express.Router().use(hook)),
          path: '/telephony',
          at: PATH,
        },
        {
          what: 'at its path in a router',
          mount: (on, hook) => on.use(express.Router().use(PATH, hook)),
        },
        {
          what: 'at the end of its path in a router at the beginning',
          mount: (on, hook) => on.use('/okta', express.Router().use('/telephony', hook)),
        },
        {
          what: 'at its path in a router under a prefix',
          mount: (on, hook) => on.use('/id', express.Router().use(PATH, hook)),
          at: `/id${PATH}`,
        },
        {
          what: 'at a path like that of its event hook',
          mount: (on, hook) => on.use('/Events', hook),
          path: '/events',
        },
        {
          what: 'at a path, with / as its own',
          mount: (on, hook) => on.use(PATH, hook),
          path: '/',
          at: PATH,
        },
      ];
      for (const { what, mount, path = PATH, at = path } of mounts) {
        it(`serves all its routes ${what}`, async () => {
          const publicUrl = `https://id.example.com${at}`;
          const hook = makeHook({ path, publicUrl });
          app.use(`${at}/console`, hook.console({ authorize: () => true }));
          mount(app, hook);
          app.use((_req, res) => res.status(418).end());
          const origin = await serve(app);
          const form = { AccountSid: scene.twilio.accountSid, From: ANA.phone, Body: 'Hello' };
          const postSigned = async (route: string, query = ''): Promise<number> => {
            const signedUrl = publicUrl + route.replace(/\/$/, '') + query;
            const answer = await ask(origin + at + route + query, {
              method: 'POST',
              headers: {
                'X-Twilio-Signature': getExpectedTwilioSignature(scene.twilio.authToken, signedUrl, form),
              },
              body: new URLSearchParams(form),
            });
            return answer.status;
          };
          for (const end of ['', '/?a=1']) await expectServed(origin + at.toUpperCase() + end);
          expect((await ask(origin + at)).status).to.equal(405);
          const challenge = { headers: { 'x-okta-verification-challenge': 'challenge-1' } };
          expect((await ask(`${origin}${at}/events/`, challenge)).status).to.equal(200);
          expect(await postSigned('/twilio/status/')).to.equal(204);
          expect(await postSigned('/twilio/inbound', '?x=%20')).to.equal(200);
          expect((await ask(`${origin}${at}/console/`)).text).to.include('<html');
          for (const other of [`${at}/other`, `${at}2`, '/', `${at}/twilio`]) {
            expect((await ask(origin + other)).status, other).to.equal(418);
          }
        });
      }

      it('reports a request for its public path once, if it passes it on', async () => {
        const warnings: HookEvent[] = [];
        const hookAt = (path: string): TelephonyHook =>
          makeHook({
            path,
            publicUrl: 'https://id.example.com/hooks/Codes',
            onEvent: (event) => {
              if (event.type === 'configuration.warned' && event.option === 'path') warnings.push(event);
            },
          });
        app.use(hookAt('/okta/telephony'));
        app.use('/hooks', hookAt('/hooks/codes'));
        const origin = await serve(app);
        for (const path of ['/', '/hooks', '/hooks/codes/other', `${PATH}/other`]) await ask(origin + path);
        expect(warnings).to.be.empty;
        for (let count = 0; count < 2; count += 1) {
          await expectServed(`${origin}/hooks/codes`);
          await ask(`${origin}/hooks/codes?code=204981`);
        }
        expect(warnings.map(({ at: _at, ...warning }) => warning)).to.deep.equal([
          {
            type: 'configuration.warned',
            option: 'path',
            where: ['path'],
            remedy: 'Set path to /hooks/Codes, the path of publicUrl.',
          },
        ]);
      });

      it('reports a middleware that changes the URL of its requests', async () => {
        app.use((req, _res, next) => {
          req.url = '/elsewhere';
          next();
        });
        app.use(scene.hook);
        expect((await ask((await serve(app)) + PATH, { method: 'POST' })).status).to.equal(404);
        expect(scene.log.at(-1)).to.deep.include({ level: 'warn' });
        expect(scene.log.at(-1)?.fields).to.deep.include({
          event: 'configuration.warned',
          remedy: 'Mount the hook before the middleware that changes req.url.',
        });
      });

      it('says what to write if the factory is mounted in place of its hook', async () => {
        app.use(oktaTelephonyHook as unknown as express5.RequestHandler);
        // Express takes what has four parameters for an error handler.
        // eslint-disable-next-line @typescript-eslint/no-unused-vars
        app.use((error: Error, _req: Request, res: Response, _next: NextFunction) => {
          res.send(error.message);
        });
        expect((await ask(await serve(app))).text).to.equal(
          'The options of oktaTelephonyHook cannot work:\n- The options are a request. Call oktaTelephonyHook with your options, and mount what it returns: app.use(oktaTelephonyHook({ … }))',
        );
      });

      it('serves two hooks, each to its own secret', async () => {
        const { hook: _hook, ...others } = usualCredentials(scene.okta, scene.twilio);
        const hook = { scheme: 'header', secrets: [OTHER_SECRET] } as const;
        app.use(scene.hook);
        app.use(makeHook({ path: '/other', credentials: { ...others, hook } }));
        const origin = await serve(app);
        const statuses = await Promise.all(
          [PATH, '/other'].flatMap((path) =>
            [HOOK_SECRET, OTHER_SECRET].map(async (Authorization) => {
              const call = await scene.call({ url: origin + path, headers: { Authorization } });
              return call.httpStatus;
            }),
          ),
        );
        expect(statuses).to.deep.equal([200, 401, 401, 200]);
        expect(scene.twilio.messages).to.have.length(2);
      });

      it('passes requests for other paths on unchanged', async () => {
        const look = (req: Request): Record<string, unknown> => ({
          method: req.method,
          url: req.url,
          originalUrl: req.originalUrl,
          baseUrl: req.baseUrl,
          path: req.path,
          params: { ...req.params },
          query: { ...req.query },
          body: req.body as unknown,
          user: req.user,
          properties: Object.keys(req).sort(),
          listeners: req.eventNames().map((event) => [String(event), req.listenerCount(event)]),
          isRead: req.readableDidRead,
        });
        const seen: Record<string, unknown>[] = [];
        const note = (req: Request, res: Response, next: NextFunction): void => {
          const answer = {
            status: res.statusCode,
            headers: res.getHeaderNames(),
            listeners: res.eventNames(),
          };
          seen.push({ ...look(req), answer });
          next();
        };
        app.use((req, _res, next) => {
          req.user = { id: 'whoever the gateway says' };
          next();
        });
        const mounted = express.Router();
        mounted.use(note, scene.hook, note, (_req, res) => res.end());
        app.use('/id', mounted);
        const origin = await serve(app);
        const eventsBefore = scene.events.length;
        for (const [method, path] of [
          ['GET', '/id/'],
          ['POST', '/id/okta?a=1&b=%20'],
          ['OPTIONS', '/id/okta/telephony2'],
          ['DELETE', `/id${PATH}/other`],
          ['PUT', `/id/x${PATH}`],
          ['GET', '/id/%E0%A4%A'],
        ] as const) {
          seen.length = 0;
          expect((await ask(origin + path, { method })).status).to.equal(200);
          expect(seen).to.have.length(2);
          expect(seen[1], `${method} ${path}`).to.deep.equal(seen[0]);
        }
        expect(scene.events).to.have.length(eventsBefore);
      });

      it("leaves the errors of other routes to the gateway's own handler", async () => {
        app.get('/before', () => {
          throw new Error('before the hook');
        });
        app.use(scene.hook);
        app.get('/after', (_req, _res, next) => {
          next(new Error('after the hook'));
        });
        // Express takes what has four parameters for an error handler.
        // eslint-disable-next-line @typescript-eslint/no-unused-vars
        app.use((error: Error, _req: Request, res: Response, _next: NextFunction) => {
          res.status(599).send(error.message);
        });
        const origin = await serve(app);
        expect(await ask(`${origin}/before`)).to.deep.equal({ status: 599, text: 'before the hook' });
        expect(await ask(`${origin}/after`)).to.deep.equal({ status: 599, text: 'after the hook' });
        // The hook answers its own errors itself.
        const call = await scene.call({ url: origin + PATH, change: () => '{' });
        expect(call.httpStatus).to.equal(400);
      });

      it('sends nothing after the gateway has answered in its place, but sends for the retry', async () => {
        const events: HookEvent[] = [];
        const own = makeHook({ onEvent: (event) => void events.push(event) });
        let answerOfGateway: Response | undefined;
        app.use((_req: Request, res: Response, next: NextFunction) => {
          answerOfGateway = res;
          next();
        });
        app.use(own);
        const origin = await serve(app);
        scene.okta.fault({ fault: { kind: 'hang' }, times: 1 });
        const calling = scene.call({ url: `${origin}${PATH}`, eventId: 'event-1' });
        await until(() => scene.okta.requests.length === 1);
        answerOfGateway?.status(504).end();
        expect((await calling).httpStatus).to.equal(504);
        await until(() => events.some(({ type }) => type === 'request.answered'));
        expect(events.find(({ type }) => type === 'request.answered')).to.include({ hasHungUp: true });
        expect(scene.twilio.requests).to.be.empty;
        // Okta's retry counts as a first call.
        expect((await scene.call({ url: `${origin}${PATH}`, eventId: 'event-1' })).okta.action).to.equal(
          'sent',
        );
      });

      it("shares nothing with the gateway's own passport and sessions", async () => {
        // An instance like passport's global one, so that no other test meets its strategy.
        const login = new passport.Passport();
        login.serializeUser((user, done) => {
          done(null, user);
        });
        login.deserializeUser((user: Express.User, done) => {
          done(null, user);
        });
        login.use('anybody', new Anybody());
        const before = Object.keys(strategiesOf(passport));
        app.set('trust proxy', 1);
        app.use(
          session({ secret: 'session-secret', resave: false, saveUninitialized: false, name: 'gateway' }),
        );
        app.use(login.session() as express5.RequestHandler);
        const usersAtTheEnd: unknown[] = [];
        app.use((req, res, next) => {
          res.once('finish', () => usersAtTheEnd.push(req.user));
          next();
        });
        app.use(scene.hook);
        app.post('/login', login.authenticate('anybody') as express5.RequestHandler, (_req, res) =>
          res.send('in'),
        );
        app.get('/me', (req, res) => res.json(req.user ?? 'nobody'));
        const origin = await serve(app);

        const signedIn = await fetch(`${origin}/login`, { method: 'POST' });
        const [cookie = ''] = signedIn.headers.getSetCookie().map((value) => value.split(';')[0] ?? '');
        expect(cookie).to.match(/^gateway=/);
        // A login is no proof of being Okta ...
        const stranger = await scene.call({ url: origin + PATH, headers: { Cookie: cookie } });
        expect(stranger.httpStatus).to.equal(401);
        // ... and being Okta is no login.
        const okta = await scene.call({ url: origin + PATH });
        expect(okta.okta.action).to.equal('sent');
        expect(okta.headers['set-cookie']).to.equal(undefined);
        usersAtTheEnd.length = 0;
        for (const Authorization of [HOOK_SECRET, 'wrong-secret']) {
          const both = await scene.call({ url: origin + PATH, headers: { Authorization, Cookie: cookie } });
          expect(both.headers['set-cookie']).to.equal(undefined);
        }
        await until(() => usersAtTheEnd.length === 2);
        expect(usersAtTheEnd).to.deep.equal([{ id: 'anybody' }, { id: 'anybody' }]);
        expect((await ask(`${origin}/me`, { headers: { Cookie: cookie } })).text).to.equal(
          '{"id":"anybody"}',
        );
        expect((await ask(`${origin}/me`)).text).to.equal('"nobody"');
        expect(Object.keys(strategiesOf(passport))).to.deep.equal(before);
        expect(Object.keys(strategiesOf(login))).to.have.members(['session', 'anybody']);
      });

      it('checks signatures by publicUrl behind a proxy, never by the host of the request', async () => {
        const publicUrl = `https://id.example.com/id${PATH}`;
        const hook = makeHook({ publicUrl, senders: { sms: scene.twilio.smsNumber } });
        app.set('trust proxy', true);
        app.use('/id', hook);
        const origin = await serve(app);
        const form = { MessageSid: `SM${'0'.repeat(32)}`, MessageStatus: 'delivered' };
        const post = async (signedUrl: string): Promise<number> => {
          const answer = await ask(`${origin}/id${PATH}/twilio/status`, {
            method: 'POST',
            headers: {
              'X-Twilio-Signature': getExpectedTwilioSignature(scene.twilio.authToken, signedUrl, form),
              'X-Forwarded-Host': 'evil.example.com',
              'X-Forwarded-Proto': 'https',
              'X-Forwarded-For': '198.51.100.9',
            },
            body: new URLSearchParams(form),
          });
          return answer.status;
        };
        expect(await post(`${publicUrl}/twilio/status`)).to.equal(204);
        expect(await post(`https://evil.example.com/id${PATH}/twilio/status`)).to.equal(403);
        expect(await post(`${origin}/id${PATH}/twilio/status`)).to.equal(403);
        await scene.call({
          url: `${origin}/id${PATH}`,
          headers: { Authorization: HOOK_SECRET, 'X-Forwarded-Host': 'evil.example.com' },
        });
        const [callbackUrl] = scene.twilio.messages[0]?.statusCallback?.split('?') ?? [];
        expect(callbackUrl).to.equal(`${publicUrl}/twilio/status`);
      });

      it('serves hooks that share one options object and nothing else', async () => {
        const options = deepFreeze({
          credentials: usualCredentials(scene.okta, scene.twilio),
          senders: { sms: scene.twilio.smsNumber },
          logger: { info: witness, warn: witness, error: witness },
        });
        const hooks = ['/a', '/b', '/c'].map((prefix) => {
          const hook = oktaTelephonyHook(options);
          closers.push(() => hook.close());
          app.use(prefix, hook);
          return hook;
        });
        const origin = await serve(app);
        const people = [
          { userId: ANA.id, login: ANA.login, phoneNumber: ANA.phone },
          { userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone },
        ];
        const calls = await Promise.all(
          ['/a', '/b', '/c'].flatMap((prefix) =>
            people.map((person) =>
              scene.call({ url: origin + prefix + PATH, eventId: `event-${person.userId}`, ...person }),
            ),
          ),
        );
        // Each hook has a state of its own: the same event at three hooks is three events.
        expect(new Set(calls.map((call) => commandOf(call)?.['transactionId']))).to.have.property('size', 6);
        expect(scene.twilio.messages.map(({ to, body }) => `${to} ${body ?? ''}`).sort()).to.deep.equal(
          people
            .flatMap(({ phoneNumber }) => Array<string>(3).fill(`${phoneNumber} Your code is ${CODE}`))
            .sort(),
        );
        await hooks[0]?.close();
        expect((await scene.call({ url: `${origin}/a${PATH}` })).httpStatus).to.equal(503);
        await expectServed(`${origin}/b${PATH}`);
        expect(hooks.map((hook) => hook.status().closing)).to.deep.equal([true, false, false]);
      });
    });
  }
});

/** Lets everybody in. */
class Anybody extends passport.Strategy {
  override authenticate(): void {
    this.success({ id: 'anybody' });
  }
}

/** passport has no public list of its strategies. */
function strategiesOf(authenticator: object): object {
  return (authenticator as { readonly _strategies: object })._strategies;
}

function deepFreeze<T extends object>(value: T): T {
  for (const entry of Object.values(value) as unknown[]) {
    if (typeof entry === 'object' && entry !== null) deepFreeze(entry);
  }
  return Object.freeze(value);
}
