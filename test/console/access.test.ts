import type { IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { ConfigurationError, type ConsoleOptions } from '#lib/index.js';
import { consoleProblems } from '#lib/options/schema.js';
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

describe('the authorization of the console', () => {
  let served: ServedConsole | undefined;
  afterEach(async () => {
    await served?.close();
    served = undefined;
  });

  for (const [name, express] of EXPRESSES) {
    for (const [what, authorize, status, code] of [
      ['returns false', () => false, 403, 'NOT_AUTHORIZED'],
      ['resolves to false', () => Promise.resolve(false), 403, 'NOT_AUTHORIZED'],
      ['returns nothing', () => undefined, 403, 'NOT_AUTHORIZED'],
      [
        'throws',
        () => {
          throw new Error(`${ANA.login} is nobody`);
        },
        503,
        'AUTHORIZATION_FAILED',
      ],
      ['rejects', () => Promise.reject(new Error('the session store is gone')), 503, 'AUTHORIZATION_FAILED'],
      ['returns an object without a name', () => ({ isAdministrator: false }), 503, 'AUTHORIZATION_FAILED'],
      ['returns a user object', () => ({ name: 'Eve', isAdministrator: false }), 503, 'AUTHORIZATION_FAILED'],
      [
        'returns an object with "name" instead of "administrator"',
        () => ({ name: 'Eve' }),
        503,
        'AUTHORIZATION_FAILED',
      ],
      ['returns more than a name', () => ({ administrator: 'Eve', id: 7 }), 503, 'AUTHORIZATION_FAILED'],
      ['returns a number as the name', () => ({ administrator: 7 }), 503, 'AUTHORIZATION_FAILED'],
      ['returns an empty name', () => ({ administrator: ' ' }), 503, 'AUTHORIZATION_FAILED'],
      [
        'returns an inherited name',
        () => Object.create({ administrator: 'Eve' }) as unknown,
        503,
        'AUTHORIZATION_FAILED',
      ],
      ['returns a text', () => 'false', 503, 'AUTHORIZATION_FAILED'],
    ] as const) {
      it(`answers ${status} to every request if authorize ${what}, in ${name}`, async () => {
        let asked = 0;
        const counting = (): unknown => {
          asked += 1;
          return authorize();
        };
        served = await serveConsole({
          express,
          console: { authorize: counting as ConsoleOptions['authorize'] },
        });
        for (const [path, asking] of ALL) {
          const answer = await served.ask(path, asking);
          expect(answer.status, path).to.equal(status);
          expect(answer.headers['cache-control'], path).to.equal('no-store, no-transform');
          expect(answer.headers['content-security-policy'], path).to.include("default-src 'none'");
          if (path.startsWith('/api/')) expect(answer.failure, path).to.include({ code });
          else expect(answer.headers['content-type'], path).to.equal('text/html; charset=utf-8');
          if (path.startsWith('/api/')) expect(answer.failure?.remedy).to.be.a('string');
        }
        expect(asked).to.equal(ALL.length);
        expect(served.scene.okta.requests).to.be.empty;
        expect(served.scene.twilio.requests).to.be.empty;
        const lines = served.scene.log.filter(({ fields }) => fields['extension'] === 'authorize');
        expect(lines).to.have.length(status === 503 ? 1 : 0);
        if (status === 503) {
          expect(lines[0]?.message).to.match(/the console lets nobody in\.$/);
          expect(lines[0]?.fields['remedy']).to.match(
            /^Mend the console's authorize: true, \{ administrator: name \} or false/,
          );
        }
      });
    }
  }

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

  const json = 'application/json';
  const post = (headers: Readonly<Record<string, string>>): Asking => ({
    method: 'POST',
    headers,
    body: JSON.stringify(QUESTION),
    isPersonal: true,
  });

  for (const [what, path, make, status] of [
    [
      'a POST of its own page',
      '/api/tester/payload',
      () => post({ 'content-type': json, 'sec-fetch-site': 'same-origin' }),
      200,
    ],
    [
      'a POST of its own page, in a browser without Sec-Fetch-Site',
      '/api/tester/payload',
      () => post({ 'content-type': json, origin: served.origin }),
      200,
    ],
    [
      'a POST of another site',
      '/api/tester/payload',
      () => post({ 'content-type': json, 'sec-fetch-site': 'cross-site', origin: served.origin }),
      403,
    ],
    [
      'a POST of another site in the same domain',
      '/api/tester/payload',
      () => post({ 'content-type': json, 'sec-fetch-site': 'same-site', origin: served.origin }),
      403,
    ],
    [
      'a POST with Sec-Fetch-Site: none',
      '/api/tester/payload',
      () => post({ 'content-type': json, 'sec-fetch-site': 'none' }),
      403,
    ],
    [
      'a POST without Sec-Fetch-Site and Origin',
      '/api/tester/payload',
      () => post({ 'content-type': json }),
      403,
    ],
    [
      'a POST of another origin',
      '/api/tester/payload',
      () => post({ 'content-type': json, origin: 'https://evil.example' }),
      403,
    ],
    [
      'a POST of another port',
      '/api/tester/payload',
      () => post({ 'content-type': json, origin: 'http://127.0.0.1:9' }),
      403,
    ],
    [
      'a POST of the origin null',
      '/api/tester/payload',
      () => post({ 'content-type': json, origin: 'null' }),
      403,
    ],
    [
      'a form of its own page',
      '/api/tester/payload',
      () => post({ 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }),
      415,
    ],
    [
      'plain text of its own page',
      '/api/tester/payload',
      () => post({ 'content-type': 'text/plain', 'sec-fetch-site': 'same-origin' }),
      415,
    ],
    [
      'a POST without a content type',
      '/api/tester/payload',
      () => post({ 'sec-fetch-site': 'same-origin' }),
      415,
    ],
    [
      'a read of its own page',
      '/api/executions',
      () => ({ headers: { 'sec-fetch-site': 'same-origin' } }),
      200,
    ],
    [
      'a URL that the user has typed',
      '/api/executions',
      () => ({ headers: { 'sec-fetch-site': 'none' } }),
      200,
    ],
    ['a read of a program', '/api/executions', () => ({}), 200],
    [
      'a read of another site',
      '/api/executions',
      () => ({ headers: { 'sec-fetch-site': 'cross-site' } }),
      403,
    ],
    [
      'a read of another origin, in a browser without Sec-Fetch-Site',
      '/api/executions',
      () => ({ headers: { origin: 'https://evil.example' } }),
      403,
    ],
    [
      'a stream of the origin null, in a browser without Sec-Fetch-Site',
      '/api/stream',
      () => ({ headers: { origin: 'null' } }),
      403,
    ],
    [
      'a read of its own origin, in a browser without Sec-Fetch-Site',
      '/api/executions',
      () => ({ headers: { origin: served.origin } }),
      200,
    ],
    [
      'a read of another site in the same domain',
      '/api/executions',
      () => ({ headers: { 'sec-fetch-site': 'same-site' } }),
      403,
    ],
    ['a stream of another site', '/api/stream', () => ({ headers: { 'sec-fetch-site': 'cross-site' } }), 403],
    [
      'a link from another site to the page',
      '/',
      () => ({ headers: { 'sec-fetch-site': 'cross-site' } }),
      200,
    ],
  ] as const) {
    it(`answers ${what} with ${status}`, async () => {
      const before = served.scene.okta.requests.length;
      const answer = await served.ask(path, make());
      expect(answer.status).to.equal(status);
      if (status !== 200) {
        expect(answer.failure?.code).to.equal(status === 403 ? 'CROSS_SITE' : 'UNSUPPORTED_MEDIA_TYPE');
        expect(served.scene.okta.requests).to.have.length(before);
      }
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

describe("the console's options", () => {
  const problemsOfLink = (href: string): readonly string[] =>
    consoleProblems({ authorize: () => true, links: [{ title: 'x', href }] });

  it('accept links to paths of the gateway and to URLs', () => {
    for (const href of [
      '/',
      '/phones?of=ana#x',
      '/a//b',
      'https://status.example',
      'HTTP://status.example/x',
    ]) {
      expect(problemsOfLink(href), href).to.deep.equal([]);
    }
  });

  for (const href of [
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
    '',
  ]) {
    it(`refuse a link to ${JSON.stringify(href)}`, () => {
      expect(problemsOfLink(href)).to.have.lengthOf(1);
      expect(problemsOfLink(href)[0]).to.match(/^links\[0\]\.href must be a path of this gateway/);
    });
  }

  for (const [what, options, problem] of [
    ['missing options', undefined, /^The options must be an object with authorize$/],
    [
      'no authorize',
      {},
      /^authorize must be a function \(req\) => true or \{ administrator \} for administrators/,
    ],
    ['an authorize that is not a function', { authorize: true }, /^authorize must be a function/],
    [
      'a misspelt option',
      { authorise: () => true, authorize: () => true },
      /^authorise is not an option; did you mean authorize\?/,
    ],
    ['links that are not a list', { authorize: () => true, links: {} }, /^links must be an array of objects/],
    [
      'a link with a javascript: URL',
      { authorize: () => true, links: [{ title: 'x', href: 'javascript:alert(1)' }] },
      /^links\[0\]\.href must be a path/,
    ],
    [
      'a link without a title',
      { authorize: () => true, links: [{ href: '/phones' }] },
      /^links\[0\]\.title must be a text/,
    ],
  ] as const) {
    it(`are refused by name: ${what}`, async () => {
      const scene = await startScene();
      try {
        expect(() => scene.hook.console(options as unknown as ConsoleOptions))
          .to.throw(ConfigurationError, 'The options of hook.console cannot work')
          .with.property('problems')
          .that.satisfies(
            (problems: readonly string[]) => problems.length === 1 && problem.test(problems[0] ?? ''),
            String(problem),
          );
      } finally {
        await scene.close();
      }
    });
  }
});
