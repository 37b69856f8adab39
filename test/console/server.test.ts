import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import session from 'express-session';
import type { About, ExecutionPage, Health } from '#lib/console/api.js';
import type { Execution, Flow, Timeline } from '#lib/console/history/answers.js';
import { ANA, BOB, CODE, startScene } from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';
import { askUrl, EXPRESSES, MOUNT, OWN_PAGE, serveConsole, type ServedConsole } from './served-console.js';

const authorize = (): boolean => true;

describe('the mounted console', () => {
  let served: ServedConsole | undefined;
  afterEach(async () => {
    await served?.close();
    served = undefined;
  });

  for (const [name, express] of EXPRESSES) {
    for (const [how, mount, at] of [
      ['at a path', (app, handler) => app.use(MOUNT, handler), MOUNT],
      ['at a path with a slash', (app, handler) => app.use(`${MOUNT}/`, handler), MOUNT],
      ['under a router', (app, handler) => app.use('/a', express.Router().use('/b', handler)), '/a/b'],
      [
        'behind parsers and a session',
        (app, handler) => {
          app.use(express.json(), express.urlencoded({ extended: false }));
          app.use(session({ secret: 'of-the-test', resave: false, saveUninitialized: false }));
          app.use(MOUNT, handler);
        },
        MOUNT,
      ],
    ] as const satisfies readonly (readonly [
      string,
      NonNullable<NonNullable<Parameters<typeof serveConsole>[0]>['mount']>,
      string,
    ])[]) {
      it(`serves ${how}, in ${name}`, async () => {
        served = await serveConsole({ express, mount });
        const url = served.origin + at;
        const bare = await askUrl(`${url}?a=b`);
        expect(bare.status).to.equal(308);
        // The location as a browser resolves it, also behind a proxy.
        expect(new URL(bare.headers.location ?? '', url).href).to.equal(`${url}/?a=b`);
        const page = await askUrl(`${url}/`);
        expect(page.status).to.equal(200);
        const files = [...page.text.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)];
        expect(files).to.have.length(2);
        for (const [, file = ''] of files) {
          expect((await askUrl(new URL(file, `${url}/`).href)).status, file).to.equal(200);
        }
        expect((await askUrl(`${url}/api/about`)).status).to.equal(200);
        const question = { user: BOB.login, requestType: 'password-reset', deliveryChannel: 'voice' };
        const made = await askUrl(`${url}/api/tester/payload`, {
          method: 'POST',
          headers: OWN_PAGE,
          body: JSON.stringify(question),
          isPersonal: true,
        });
        expect(made.status).to.equal(200);
      });
    }
  }

  it('serves at the root, and with node:http without Express', async () => {
    const scene = await startScene();
    const handler = scene.hook.console({ authorize });
    const server = createServer((req, res) => {
      handler(req, res, () => res.writeHead(599).end());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      expect((await askUrl(`${origin}/`)).text).to.include('<div id="page"');
      expect((await askUrl(`${origin}/api/about`)).status).to.equal(200);
      expect((await askUrl(`${origin}/nothing`)).status).to.equal(404);
    } finally {
      server.closeAllConnections();
      server.close();
      await scene.close();
    }
  });

  it('sends its own security headers in place of those that the gateway has set', async () => {
    served = await serveConsole({
      mount: (app, handler) => {
        app.use((_req, res, next) => {
          res.set({
            'Content-Security-Policy': "default-src 'self' 'unsafe-inline'",
            'Cache-Control': 'public',
          });
          next();
        });
        app.use(MOUNT, handler);
      },
    });
    for (const path of ['/', '/api/about', '/nothing', '/assets/main.css']) {
      const { headers } = await served.ask(path);
      expect(headers['content-security-policy'], path).to.match(/^default-src 'none'; script-src 'self';/);
      expect(headers['content-security-policy'], path).to.not.include('unsafe');
      expect(headers['x-content-type-options'], path).to.equal('nosniff');
      expect(headers['cache-control'], path).to.equal(
        path.includes('assets') ? 'no-cache' : 'no-store, no-transform',
      );
    }
  });

  it('shows the same history as another console of the hook, with its own links', async () => {
    served = await serveConsole({ console: { authorize, links: [{ title: 'Phones', href: '/phones' }] } });
    const { scene } = served;
    const handler = scene.hook.console({ authorize });
    const other = createServer((req, res) => {
      handler(req, res, () => undefined);
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    try {
      await scene.call({ eventId: 'event-of-both' });
      for (const path of [`${served.origin}${MOUNT}/api/executions`, `${url}/api/executions`]) {
        const { executions } = (await askUrl(path)).json as ExecutionPage;
        expect(executions.map(({ id }) => id)).to.deep.equal(['event-of-both']);
      }
      expect(((await served.ask('/api/about')).json as About).links).to.deep.equal([
        { title: 'Phones', href: '/phones' },
      ]);
      expect(((await askUrl(`${url}/api/about`)).json as About).links).to.deep.equal([]);
    } finally {
      other.closeAllConnections();
      other.close();
    }
  });
});

describe("the console's routes", () => {
  let served: ServedConsole;
  beforeEach(async () => {
    served = await serveConsole();
  });
  afterEach(() => served.close());

  it('answer 405 to other methods, and name the allowed ones', async () => {
    for (const [path, methods] of [
      ['/', 'GET, HEAD'],
      ['/assets/main.js', 'GET, HEAD'],
      ['/api/about', 'GET, HEAD'],
      ['/api/executions', 'GET, HEAD'],
      ['/api/executions/one', 'GET, HEAD'],
      ['/api/health', 'GET, HEAD'],
      ['/api/learning', 'GET, HEAD'],
      ['/api/learning/lift', 'POST'],
      ['/api/timeline', 'GET, HEAD'],
      ['/api/histogram', 'GET, HEAD'],
      ['/api/flow', 'GET, HEAD'],
      ['/api/stream', 'GET, HEAD'],
      ['/api/user', 'POST'],
      ['/api/tester/payload', 'POST'],
      ['/api/tester/send', 'POST'],
    ] as const) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'].filter(
        (one) => !methods.includes(one),
      )) {
        const { status, headers } = await served.ask(path, { method, headers: OWN_PAGE });
        expect(status, `${method} ${path}`).to.equal(405);
        expect(headers.allow).to.equal(methods);
      }
      if (methods === 'POST') continue;
      const head = await served.ask(path, { method: 'HEAD' });
      expect(head.status, path).to.equal(path.endsWith('one') || path.endsWith('learning') ? 404 : 200);
      expect(head.text).to.equal('');
    }
  });

  it('answer 404 to any other path', async () => {
    for (const path of [
      '/api',
      '/api/',
      '/api/about/',
      '/api/constructor',
      '/api/__proto__',
      '/index.html',
      '/assets/',
      '/assets/server.js',
      '/assets/browser/../server.js',
      '/assets/..%2f..%2fpackage.json',
      '/assets/tsconfig.json',
      '/%E0%A4%A',
      '/api/executions/%E0%A4%A',
    ]) {
      expect((await served.ask(path)).status, path).to.equal(404);
    }
  });

  it('describe the hook without secrets', async () => {
    const about = (await served.ask('/api/about')).json as About;
    expect(about).to.deep.equal({
      version: '0.1.0',
      org: new URL(served.scene.okta.orgUrl).host,
      hook: '/okta/telephony',
      deadlineMs: 2200,
      channels: ['whatsapp', 'sms', 'voice'],
      isShared: false,
      isLearning: false,
      links: [],
    });
  });

  it('filter the history by word, channel, outcome and time, page through it, and ignore empty parameters', async () => {
    await served.scene.call({ eventId: 'by-whatsapp' });
    await served.scene.call({ eventId: 'by-sms', userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone });
    await served.scene.call({ eventId: 'nowhere', phoneNumber: '5550100' });
    const idsOf = async (query: string): Promise<readonly string[]> =>
      ((await served.ask(`/api/executions?${query}`)).json as ExecutionPage).executions.map(({ id }) => id);
    expect(await idsOf(`search=${BOB.id.toUpperCase()}`)).to.deep.equal(['by-sms']);
    expect(await idsOf('channel=whatsapp')).to.deep.equal(['by-whatsapp']);
    expect(await idsOf('outcome=failed')).to.deep.equal(['nowhere']);
    expect(await idsOf('search=NO_DIALABLE')).to.deep.equal(['nowhere']);
    expect(await idsOf('search=&channel=&outcome=&before=&limit=')).to.have.length(3);
    expect(await idsOf('search=nothing-of-the-kind')).to.be.empty;
    expect(await idsOf(`search=${ANA.phone.slice(-2)}`)).to.deep.equal(['by-whatsapp']);
    expect(await idsOf('from=2000-01-01T00:00:00Z&to=2099-01-01T00:00:00.000Z')).to.have.length(3);
    expect(await idsOf('to=2000-01-01T00:00:00Z')).to.be.empty;
    expect(await idsOf('limit=2')).to.deep.equal(['nowhere', 'by-sms']);
    expect(await idsOf('limit=2&before=by-sms')).to.deep.equal(['by-whatsapp']);
  });

  it('count codes by quarters of an hour and by their way from channel to channel, with filters', async () => {
    const { scene } = served;
    await scene.call({ eventId: 'by-whatsapp' });
    scene.twilio.refuseWith({ code: 63_007 });
    // Of another type: it does not ask for the first one again.
    await scene.call({ eventId: 'by-sms', requestType: 'mfa-enrollment' });
    const sumOf = async (query: string): Promise<number> => {
      const { spans } = (await served.ask(`/api/histogram?${query}`)).json as Timeline;
      expect(spans.map(({ bucketMs, buckets }) => [bucketMs, buckets.length])).to.deep.equal([[900_000, 96]]);
      const counts = spans[0]?.buckets.flatMap(({ codes }) => Object.values(codes)) ?? [];
      return counts.reduce((sum, count) => sum + count, 0);
    };
    expect(await sumOf('')).to.equal(2);
    // The time is chosen with it, so it does not filter.
    expect(await sumOf('to=2000-01-01T00:00:00Z&failover=any')).to.equal(1);
    expect(await sumOf('search=by-whatsapp&failover=any')).to.equal(0);

    const { ways, ...flow } = (await served.ask('/api/flow')).json as Flow;
    expect(flow).to.deep.include({ asked: 2, countries: ['GB'], providers: ['TWILIO'] });
    const counts = { count: 1, delivered: 0, used: 0 };
    expect(ways).to.have.deep.members([
      { first: 'whatsapp', ...counts },
      { first: 'whatsapp', failover: 'early', last: 'sms', ...counts },
    ]);
    for (const query of ['from=2099-01-01T00:00:00Z', 'country=DE', 'provider=META']) {
      expect((await served.ask(`/api/flow?${query}`)).json, query).to.include({ asked: 0 });
    }
    for (const field of ['to', 'from']) {
      const refused = await served.ask(`/api/flow?${field}=08:13`);
      expect(refused.failure?.fields).to.deep.equal([field]);
    }
  });

  it('find a user in Okta by login, short login and id, without an event or a log line', async () => {
    const { events, log } = served.scene;
    const before = [events.length, log.length];
    for (const user of [ANA.login, ANA.login.toUpperCase(), ANA.login.split('@')[0], ANA.id]) {
      const { status, json } = await served.post('/api/user', { user });
      expect([status, json]).to.deep.equal([200, { id: ANA.id }]);
    }
    const nobody = await served.post('/api/user', { user: 'nobody@example.com' });
    expect(nobody.status).to.equal(404);
    expect(nobody.failure).to.include({ code: 'OKTA_NOT_FOUND' });
    expect((await served.post('/api/user', {})).failure?.fields).to.deep.equal(['user']);
    expect([events.length, log.length]).to.deep.equal(before);
  });

  it('name the wrong parameters of a query', async () => {
    for (const [query, fields] of [
      ['outcome=lost', ['outcome']],
      ['limit=0&outcome=lost', ['outcome', 'limit']],
      ['failover=later', ['failover']],
      ['limit=201', ['limit']],
      ['limit=ten', ['limit']],
      ['page=2', ['page']],
      ['from=yesterday&to=08:13', ['from', 'to']],
      ['channel=a&channel=b', ['channel']],
      [`search=${'x'.repeat(300)}`, ['search']],
    ] as const) {
      const answer = await served.ask(`/api/executions?${query}`);
      expect(answer.status, query).to.equal(400);
      expect(answer.failure?.code).to.equal('INVALID_REQUEST');
      expect(answer.failure?.fields, query).to.have.members(fields);
    }
  });

  it('return an execution with all its steps, also for an id with special characters', async () => {
    await served.scene.call({ eventId: 'an id/with ?#% signs' });
    const opened = (await served.ask(`/api/executions/${encodeURIComponent('an id/with ?#% signs')}`))
      .json as Execution;
    expect(opened).to.include({ outcome: 'sent', channel: 'whatsapp', userId: ANA.id, isTest: false });
    expect(opened.steps.map(({ type }) => type)).to.deep.equal([
      'request.received',
      'profile.read',
      'channels.planned',
      'attempt.ended',
      'request.answered',
    ]);
    const none = await served.ask('/api/executions/nothing');
    expect(none.status).to.equal(404);
    expect(none.failure).to.include({ code: 'NOT_FOUND' });
  });

  it('report the health of the hook: limits, channels, pauses and blocked calls', async () => {
    await served.close();
    served = await serveConsole({
      hook: {
        guard: { perUser: { points: 1, seconds: 60 }, perNumber: false, countries: { deny: ['FR', 'DE'] } },
        rollout: { whatsapp: 25 },
      },
    });
    const { scene } = served;
    scene.okta.setRateLimit({ limit: 10, remaining: 0, resetInSeconds: 30 });
    await scene.call({ userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone });
    await scene.call({ userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone });
    const health = (await served.ask('/api/health')).json as Health;
    expect(health).to.include({ inFlight: 0, detached: 0, closing: false, state: 'ok', windowSeconds: 3600 });
    expect(health.breakers).to.deep.equal([
      { host: new URL(scene.okta.orgUrl).host, state: 'closed', channels: [] },
      {
        host: new URL(scene.twilio.baseUrl).host,
        state: 'closed',
        channels: ['whatsapp', 'sms', 'voice'],
      },
    ]);
    expect(health.limits).to.deep.equal({
      mode: 'enforce',
      rules: [{ rule: 'perUser', points: 1, seconds: 60 }],
      countries: 'all but DE, FR',
      blocked: 1,
    });
    expect(
      health.channels.map(({ channel, providers, rollout }) => [channel, providers, rollout]),
    ).to.deep.equal([
      ['whatsapp', ['TWILIO'], 25],
      ['sms', ['TWILIO'], undefined],
      ['voice', ['TWILIO'], undefined],
    ]);
    expect(health.channels.find(({ channel }) => channel === 'sms')?.lastSuccess).to.be.a('number');
    expect(health.oktaPause?.reason).to.equal('RATE_LIMITED');
    expect(health.oktaPause?.untilMs).to.be.greaterThan(health.at);
    expect(health.rejectedCalls).to.deep.equal([]);
    expect(health.deliveries.find(({ channel }) => channel === 'sms')).to.include({ accepted: 1 });
  });

  it('report a defect as an event, and hide its details in the answer', async () => {
    await served.close();
    const links: { title: string; href: string }[] = [];
    served = await serveConsole({ console: { authorize, links } });
    // This link comes after the check of the options, and makes the route fail.
    links.push(undefined as never);
    const answer = await served.ask('/api/about');
    expect(answer.status).to.equal(500);
    expect(answer.failure?.code).to.equal('INTERNAL_ERROR');
    expect(answer.text).to.not.include('destructure');
    const rejected = served.scene.events.filter((event) => event.type === 'request.rejected');
    expect(
      rejected.map(({ status, code, fields, count }) => ({ status, code, fields, count })),
    ).to.deep.equal([{ status: 500, code: 'INTERNAL_ERROR', fields: [], count: 1 }]);
    expect(rejected[0]?.reason).to.include('Cannot destructure');
  });

  it('count unverified callers and invalid calls in the health', async () => {
    await served.scene.call({ headers: { Authorization: 'of somebody else' } });
    await served.scene.call({ change: () => 'no JSON' });
    const health = (await served.ask('/api/health')).json as Health;
    expect(health.rejectedCalls).to.deep.equal([
      { code: 'CALLER_NOT_PROVEN', count: 1, tone: 'warn' },
      { code: 'INVALID_REQUEST', count: 1, tone: 'bad' },
    ]);
  });

  it('return texts of callers as escaped JSON, and no personal data', async () => {
    const script = '<script>alert(1)</script>';
    mustNotShow('Mallory');
    await served.scene.call({
      eventId: script,
      userId: `00u"${script}`,
      change: (payload) => {
        const data = payload['data'] as { userProfile: object };
        data.userProfile = { ...data.userProfile, firstName: 'Mallory' };
        return { ...payload, requestType: script };
      },
    });
    for (const path of [
      `/api/executions?search=${encodeURIComponent(script)}`,
      `/api/executions/${encodeURIComponent(script)}`,
    ]) {
      const { status, headers, text } = await served.ask(path);
      expect(status).to.equal(200);
      expect(headers['content-type']).to.equal('application/json; charset=utf-8');
      expect(headers['x-content-type-options']).to.equal('nosniff');
      expect(text).to.include(JSON.stringify(script).slice(1, -1));
      for (const personal of [CODE, ANA.phone.slice(1), ANA.login, 'Mallory'])
        expect(text).to.not.include(personal);
    }
    const missing = await served.ask(`/${script}`);
    expect(missing.status).to.equal(404);
    expect(missing.text).to.not.include('alert');
  });
});
