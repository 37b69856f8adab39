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

/** Everything that can be asked for, and a few things that cannot. */
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

describe('who may use the console', () => {
  let served: ServedConsole | undefined;
  afterEach(async () => {
    await served?.close();
    served = undefined;
  });

  for (const [name, express] of EXPRESSES) {
    for (const [what, authorize, status, code] of [
      ['says no', () => false, 403, 'NOT_AUTHORIZED'],
      ['says no later', () => Promise.resolve(false), 403, 'NOT_AUTHORIZED'],
      ['knows nobody', () => undefined, 403, 'NOT_AUTHORIZED'],
      [
        'throws',
        () => {
          throw new Error(`${ANA.login} is nobody`);
        },
        503,
        'AUTHORIZATION_FAILED',
      ],
      ['rejects', () => Promise.reject(new Error('the session store is gone')), 503, 'AUTHORIZATION_FAILED'],
      ['gives an object', () => ({ isAdministrator: false }), 503, 'AUTHORIZATION_FAILED'],
      ['gives a user', () => ({ name: 'Eve', isAdministrator: false }), 503, 'AUTHORIZATION_FAILED'],
      ['gives only a name', () => ({ name: 'Eve' }), 503, 'AUTHORIZATION_FAILED'],
      ['gives more than a name', () => ({ administrator: 'Eve', id: 7 }), 503, 'AUTHORIZATION_FAILED'],
      ['gives a name that is none', () => ({ administrator: 7 }), 503, 'AUTHORIZATION_FAILED'],
      ['gives an empty name', () => ({ administrator: ' ' }), 503, 'AUTHORIZATION_FAILED'],
      [
        'inherits a name',
        () => Object.create({ administrator: 'Eve' }) as unknown,
        503,
        'AUTHORIZATION_FAILED',
      ],
      ['gives a word', () => 'false', 503, 'AUTHORIZATION_FAILED'],
    ] as const) {
      it(`lets nobody in where authorize ${what}, in ${name}`, async () => {
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
        const told = served.scene.log.filter(({ fields }) => fields['extension'] === 'authorize');
        expect(told).to.have.length(status === 503 ? 1 : 0);
        if (status === 503) {
          expect(told[0]?.message).to.match(/the console lets nobody in\.$/);
          expect(told[0]?.fields['remedy']).to.match(
            /^Mend the console's authorize: true, \{ administrator: name \} or false/,
          );
        }
      });
    }
  }

  it('waits for authorize 5 s, and then lets nobody in', async () => {
    let asked = 0;
    const authorize = (): Promise<boolean> => {
      asked += 1;
      return new Promise(() => undefined);
    };
    served = await serveConsole({ console: { authorize } });
    // What is loaded with the first request is loaded by the machine's own time.
    const { origin } = served;
    const time = stopTime();
    try {
      let isAnswered = false;
      const answering = askUrl(`${origin}${MOUNT}/api/about`).finally(() => {
        isAnswered = true;
      });
      await until(() => asked === 1);
      await time.tickAsync(4_999);
      // Long enough for an answer that was on its way: another request has had one meanwhile.
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

  it('hands authorize the request as the gateway made it, each time', async () => {
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

describe('what the console makes of other sites', () => {
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
      'a POST of a neighbour under the same domain',
      '/api/tester/payload',
      () => post({ 'content-type': json, 'sec-fetch-site': 'same-site', origin: served.origin }),
      403,
    ],
    [
      'a POST of nobody',
      '/api/tester/payload',
      () => post({ 'content-type': json, 'sec-fetch-site': 'none' }),
      403,
    ],
    [
      'a POST that says nothing of whose it is',
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
    ['a POST of no origin', '/api/tester/payload', () => post({ 'content-type': json, origin: 'null' }), 403],
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
    ['no type', '/api/tester/payload', () => post({ 'sec-fetch-site': 'same-origin' }), 415],
    [
      'a read of its own page',
      '/api/executions',
      () => ({ headers: { 'sec-fetch-site': 'same-origin' } }),
      200,
    ],
    ['an address that was typed', '/api/executions', () => ({ headers: { 'sec-fetch-site': 'none' } }), 200],
    ['a program', '/api/executions', () => ({}), 200],
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
      'a stream for no origin, in a browser without Sec-Fetch-Site',
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
    ['a read of a neighbour', '/api/executions', () => ({ headers: { 'sec-fetch-site': 'same-site' } }), 403],
    [
      'a stream for another site',
      '/api/stream',
      () => ({ headers: { 'sec-fetch-site': 'cross-site' } }),
      403,
    ],
    ['a link from elsewhere to the page', '/', () => ({ headers: { 'sec-fetch-site': 'cross-site' } }), 200],
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

  it('takes no form that a parser before it has read', async () => {
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

  it('take links to paths of the gateway and to URLs', () => {
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
    it(`take no link to ${JSON.stringify(href)}`, () => {
      expect(problemsOfLink(href)).to.have.lengthOf(1);
      expect(problemsOfLink(href)[0]).to.match(/^links\[0\]\.href must be a path of this gateway/);
    });
  }

  for (const [what, options, problem] of [
    ['none', undefined, /^The options must be an object with authorize$/],
    [
      'no authorize',
      {},
      /^authorize must be a function \(req\) => true or \{ administrator \} for administrators/,
    ],
    ['an authorize that is none', { authorize: true }, /^authorize must be a function/],
    [
      'a misspelt one',
      { authorise: () => true, authorize: () => true },
      /^authorise is not an option; did you mean authorize\?/,
    ],
    ['links that are no list', { authorize: () => true, links: {} }, /^links must be an array of objects/],
    [
      'a link that is a script',
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
