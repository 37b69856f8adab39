import type { IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { ConfigurationError, type ConsoleOptions } from '#lib/index.js';
import { consoleProblems } from '#lib/console/option-rules.js';
import { until } from '#harness/until.js';
import { stopTime } from '#harness/stopped-time.js';
import { ANA, startScene } from '#harness/scene.js';
import {
  askUrl,
  EXPRESSES,
  MOUNT,
  OWN_PAGE,
  serveConsole,
  type Asking,
  type ServedConsole,
} from './served-console.js';

const SEND = JSON.stringify({ payload: {} });
const QUESTION = { user: ANA.login, requestType: 'mfa-verification', deliveryChannel: 'sms' };

/** Every path of the console, and a few others. */
const ALL: readonly (readonly [path: string, asking?: Asking])[] = [
  [''],
  ['/'],
  ['/assets/main.js'],
  ['/assets/nothing.js'],
  ['/api/about'],
  ['/api/executions'],
  ['/api/executions/one'],
  ['/api/health'],
  ['/api/timeline'],
  ['/api/stream'],
  ['/api/user', { method: 'POST', headers: OWN_PAGE, body: JSON.stringify({ user: ANA.login }) }],
  ['/api/tester/payload', { method: 'POST', headers: OWN_PAGE, body: JSON.stringify(QUESTION) }],
  ['/api/tester/send', { method: 'POST', headers: OWN_PAGE, body: SEND }],
  ['/api/nothing'],
  ['/nothing'],
  ['/', { method: 'DELETE' }],
];

const CODES = { 403: 'NOT_AUTHORIZED', 503: 'AUTHORIZATION_FAILED' } as const;

describe('the authorization of the console', () => {
  let served: ServedConsole | undefined;
  afterEach(async () => {
    await served?.close();
    served = undefined;
  });

  for (const [name, express] of EXPRESSES) {
    for (const [what, status, authorize] of [
      ['returns false', 403, () => false],
      ['throws', 503, () => raise(new Error(`${ANA.login} is nobody`))],
    ] as const) {
      it(`answers ${status} to every request if authorize ${what}, in ${name}`, async () => {
        let asked = 0;
        const counting = (): boolean => {
          asked += 1;
          return authorize();
        };
        served = await serveConsole({ express, console: { authorize: counting } });
        for (const [path, asking] of ALL) {
          const answer = await served.ask(path, asking);
          expect(answer.status, path).to.equal(status);
          expect(answer.headers['cache-control'], path).to.equal('no-store, no-transform');
          expect(answer.headers['content-security-policy'], path).to.include("default-src 'none'");
          if (path.startsWith('/api/'))
            expect(answer.failure, path).to.include({ code: CODES[status] }).and.have.a.property('remedy');
          else expect(answer.headers['content-type'], path).to.equal('text/html; charset=utf-8');
        }
        expect(asked).to.equal(ALL.length);
        expect([...served.scene.okta.requests, ...served.scene.twilio.requests]).to.be.empty;
        const lines = served.scene.log.filter(({ fields }) => fields['extension'] === 'authorize');
        expect(lines).to.have.length(status === 503 ? 1 : 0);
        if (status === 403) return;
        expect(lines[0]?.message).to.match(/the console lets nobody in\.$/);
        expect(lines[0]?.fields['remedy']).to.match(
          /^Fix the console's authorize: true, \{ administrator: name \} or false/,
        );
      });
    }
  }

  it('lets nobody in by any other result of authorize', async () => {
    let authorize: () => unknown = () => true;
    served = await serveConsole({
      console: { authorize: (() => authorize()) as ConsoleOptions['authorize'] },
    });
    expect((await served.ask('/api/about')).status).to.equal(200);
    for (const [what, status, result] of [
      ['resolves to false', 403, () => Promise.resolve(false)],
      ['returns nothing', 403, () => undefined],
      ['rejects', 503, () => Promise.reject(new Error('the session store is gone'))],
      ['returns a user object', 503, () => ({ name: 'Eve', isAdministrator: false })],
      ['returns more than a name', 503, () => ({ administrator: 'Eve', id: 7 })],
      ['returns a number as the name', 503, () => ({ administrator: 7 })],
      ['returns an empty name', 503, () => ({ administrator: ' ' })],
      ['returns an inherited name', 503, () => Object.create({ administrator: 'Eve' }) as unknown],
      ['returns a text', 503, () => 'false'],
    ] as const satisfies readonly (readonly [string, number, () => unknown])[]) {
      authorize = result;
      const answer = await served.ask('/api/about');
      expect(answer.status, what).to.equal(status);
      expect(answer.failure?.code, what).to.equal(CODES[status]);
    }
  });

  it('waits 5 s for authorize, and then answers 503', async () => {
    let asked = 0;
    const authorize = (): Promise<boolean> => {
      asked += 1;
      return new Promise(() => undefined);
    };
    served = await serveConsole({ console: { authorize } });
    // Files that load with the first request do not depend on the stopped time.
    const { origin } = served;
    const time = stopTime();
    try {
      let isAnswered = false;
      const answering = askUrl(`${origin}${MOUNT}/api/about`).finally(() => {
        isAnswered = true;
      });
      await until(() => asked === 1);
      await time.tickAsync(4_999);
      // An answer would be here by now: another request has got its answer in the meantime.
      await askUrl(`${origin}/nothing-is-mounted-here`);
      expect(isAnswered).to.equal(false);
      await time.tickAsync(1);
      const answer = await answering;
      expect(answer.status).to.equal(503);
      expect(answer.failure?.code).to.equal('AUTHORIZATION_FAILED');
    } finally {
      time.restore();
    }
  });

  it("calls authorize for each request, with the gateway's own changes of the request", async () => {
    const seen: (string | undefined)[] = [];
    served = await serveConsole({
      console: {
        authorize: (req: IncomingMessage & { readonly user?: string }) => {
          seen.push(`${req.method ?? ''} ${req.user ?? ''}`);
          return req.user === 'admin';
        },
      },
      mount: (app, handler) => {
        app.use((req, _res, next) => {
          Object.assign(req, { user: req.headers['x-user'] });
          next();
        });
        app.use(MOUNT, handler);
      },
    });
    expect((await served.ask('/api/about', { headers: { 'x-user': 'admin' } })).status).to.equal(200);
    expect((await served.ask('/api/about', { headers: { 'x-user': 'bob' } })).status).to.equal(403);
    expect((await served.ask('/api/about')).status).to.equal(403);
    expect(seen).to.deep.equal(['GET admin', 'GET bob', 'GET ']);
  });
});

describe('the protection of the console from other sites', () => {
  let served: ServedConsole;
  before(async () => {
    served = await serveConsole();
  });
  after(() => served.close());

  const ORIGIN = 'the own origin';
  const json = { 'content-type': 'application/json' };
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const site = (name: string): object => ({ 'sec-fetch-site': name });
  const origin = (name: string): object => ({ origin: name });

  for (const [what, path, status, ...headers] of [
    ['a POST of its own page', '/api/tester/payload', 200, json, site('same-origin')],
    ['a POST of its own page, without Sec-Fetch-Site', '/api/tester/payload', 200, json, origin(ORIGIN)],
    ['a POST of another site', '/api/tester/payload', 403, json, site('cross-site'), origin(ORIGIN)],
    ['a POST of the same domain', '/api/tester/payload', 403, json, site('same-site'), origin(ORIGIN)],
    ['a POST with Sec-Fetch-Site: none', '/api/tester/payload', 403, json, site('none')],
    ['a POST without Sec-Fetch-Site and Origin', '/api/tester/payload', 403, json],
    ['a POST of another origin', '/api/tester/payload', 403, json, origin('https://evil.example')],
    ['a POST of another port', '/api/tester/payload', 403, json, origin('http://127.0.0.1:9')],
    ['a POST of the origin null', '/api/tester/payload', 403, json, origin('null')],
    ['a form of its own page', '/api/tester/payload', 415, form, site('same-origin')],
    [
      'plain text of its own page',
      '/api/tester/payload',
      415,
      { 'content-type': 'text/plain' },
      site('same-origin'),
    ],
    ['a POST without a content type', '/api/tester/payload', 415, site('same-origin')],
    ['a read of its own page', '/api/executions', 200, site('same-origin')],
    ['a URL that the user has typed', '/api/executions', 200, site('none')],
    ['a read of a program', '/api/executions', 200],
    ['a read of another site', '/api/executions', 403, site('cross-site')],
    ['a read of the same domain', '/api/executions', 403, site('same-site')],
    [
      'a read of another origin, without Sec-Fetch-Site',
      '/api/executions',
      403,
      origin('https://evil.example'),
    ],
    ['a read of its own origin, without Sec-Fetch-Site', '/api/executions', 200, origin(ORIGIN)],
    ['a stream of the origin null, without Sec-Fetch-Site', '/api/stream', 403, origin('null')],
    ['a stream of another site', '/api/stream', 403, site('cross-site')],
    ['a link from another site to the page', '/', 200, site('cross-site')],
  ] as const) {
    it(`answers ${what} with ${status}`, async () => {
      const before = served.scene.okta.requests.length;
      const given: Record<string, string> = Object.assign({}, ...headers);
      if (given['origin'] === ORIGIN) given['origin'] = served.origin;
      const isPost = path === '/api/tester/payload';
      const post = { method: 'POST', body: JSON.stringify(QUESTION), isPersonal: true };
      const answer = await served.ask(path, { headers: given, ...(isPost ? post : {}) });
      expect(answer.status).to.equal(status);
      if (status === 200) return;
      expect(answer.failure?.code).to.equal(status === 403 ? 'CROSS_SITE' : 'UNSUPPORTED_MEDIA_TYPE');
      expect(served.scene.okta.requests).to.have.length(before);
    });
  }

  it('answers 415 to a form that a body parser of the gateway has read', async () => {
    for (const [, express] of EXPRESSES) {
      const behind = await serveConsole({
        express,
        mount: (app, handler) => {
          app.use(express.json(), express.urlencoded({ extended: true }), express.text());
          app.use(MOUNT, handler);
        },
      });
      try {
        const form = new URLSearchParams(QUESTION).toString();
        for (const [type, body] of [
          ['application/x-www-form-urlencoded', form],
          ['text/plain', JSON.stringify(QUESTION)],
        ] as const) {
          const asking = { method: 'POST', headers: { ...OWN_PAGE, 'content-type': type }, body };
          expect((await behind.ask('/api/tester/payload', asking)).status, type).to.equal(415);
        }
        expect(behind.scene.okta.requests).to.be.empty;
        const answer = await behind.post('/api/tester/payload', QUESTION, { isPersonal: true });
        expect(answer.status).to.equal(200);
      } finally {
        await behind.close();
      }
    }
  });
});

const OTHER_PLACES: readonly string[] = [
  '//evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  '/\n\\evil.example',
  ' //evil.example',
  'https:evil.example',
  'http:\\evil.example',
  'https:///evil.example',
  'http://',
  'evil.example',
  'data:text/html,x',
  'javascript:alert(1)',
  '',
];

describe("the console's options", () => {
  const authorize = (): boolean => true;
  const problemsOfLink = (href: string): readonly string[] =>
    consoleProblems({ authorize, links: [{ title: 'x', href }] });

  it('accept links to paths of the gateway and to URLs', () => {
    for (const href of [
      '/',
      '/phones?of=ana#x',
      '/a//b',
      'https://status.example',
      'HTTP://status.example/x',
    ])
      expect(problemsOfLink(href), href).to.deep.equal([]);
  });

  it('refuse links to other places', () => {
    for (const href of OTHER_PLACES) {
      const [problem, ...others] = problemsOfLink(href);
      expect(problem, href).to.match(/^links\[0\]\.href must be a path of this gateway/);
      expect(others).to.be.empty;
    }
  });

  it('are refused together, by name', async () => {
    const scene = await startScene();
    try {
      for (const [options, problem] of [
        [undefined, /^The options must be an object with authorize$/],
        [{}, /^authorize must be a function \(req\) => true or \{ administrator \} for administrators/],
        [{ authorize: true }, /^authorize must be a function/],
        [{ authorise: authorize, authorize }, /^authorise is not an option; did you mean authorize\?/],
        [{ authorize, links: {} }, /^links must be an array of objects/],
        [{ authorize, links: [{ href: '/phones' }] }, /^links\[0\]\.title must be a text/],
      ] as const) {
        expect(() => scene.hook.console(options as unknown as ConsoleOptions))
          .to.throw(ConfigurationError, 'The options of hook.console cannot work')
          .with.property('problems')
          .that.satisfies(
            (problems: readonly string[]) => problems.length === 1 && problem.test(problems[0] ?? ''),
            String(problem),
          );
      }
    } finally {
      await scene.close();
    }
  });
});

function raise(error: Error): never {
  throw error;
}
