import { expect } from 'chai';
import type sinon from 'sinon';
import type { Dispatcher } from 'undici';
import { Budget } from '#lib/core/budget.js';
import type { RefusalCause, SendContext } from '#lib/core/channel.js';
import type { OfCall } from '#lib/core/events.js';
import type { HttpResult } from '#lib/core/http.js';
import { AttemptScope, questionContext, readOutcome, readReport } from '#lib/delivery/channel-contract.js';
import { makeMessage } from '../channels/twilio/scripted-api.js';
import { fakeClock } from '#harness/fake-clock.js';

const REQUEST = makeMessage().request;
const CALL = { eventId: REQUEST.eventId, oktaRequestId: REQUEST.oktaRequestId, userId: REQUEST.userId };
const URL_OF_ACME = { url: 'https://api.acme.example/messages', json: {} };

describe('the HTTP client of a channel', () => {
  let clock: sinon.SinonFakeTimers;
  let dispatched: { readonly options: Dispatcher.DispatchOptions; readonly leave: () => void }[];
  let mistakes: [mistake: string, call: OfCall | undefined][];
  const client = {
    dispatcher: {
      dispatch: (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => {
        const controller = { abort: () => undefined } as unknown as Dispatcher.DispatchController;
        dispatched.push({ options, leave: () => handler.onRequestStart?.(controller, undefined) });
        return true;
      },
    },
    onMistake: (mistake: string, call?: OfCall) => {
      mistakes.push([mistake, call]);
    },
    callbackUrl: undefined,
  };
  beforeEach(() => {
    clock = fakeClock(['setTimeout', 'clearTimeout', 'performance']);
    dispatched = [];
    mistakes = [];
  });
  afterEach(() => {
    clock.restore();
  });
  const contextIn = (budget: Budget): SendContext =>
    new AttemptScope(budget, client, REQUEST, () => undefined).context;
  const leave = (): void => {
    dispatched.at(-1)?.leave();
  };
  /** When the request ends, in milliseconds from now, and its result. */
  const endOf = async (
    calling: Promise<HttpResult>,
    ms = 20_000,
  ): Promise<readonly [atMs: number, result: HttpResult]> => {
    const startedAt = performance.now();
    const timed = calling.then((result) => [performance.now() - startedAt, result] as const);
    await clock.tickAsync(ms);
    return timed;
  };

  it('gives a connection at most 700 ms, and at most two fifths of the time left', async () => {
    for (const [deadlineMs, waitedMs] of [
      [2200, 700],
      [1000, 360],
    ] as const) {
      expect(await endOf(contextIn(new Budget(deadlineMs)).http(URL_OF_ACME), 800)).to.deep.equal([
        waitedMs,
        { kind: 'not-sent', reason: 'CONNECT_TIMEOUT' },
      ]);
    }
  });

  it('gives the connection of a second request its part of the time that is left then', async () => {
    const { http } = contextIn(new Budget(1000));
    await clock.tickAsync(400);
    expect((await endOf(http(URL_OF_ACME), 400))[0]).to.equal(200);
  });

  it('lets a request that has left go on for 10 s after the deadline', async () => {
    const calling = contextIn(new Budget(1000)).http(URL_OF_ACME);
    leave();
    expect(await endOf(calling)).to.deep.equal([10_900, { kind: 'no-answer', reason: 'TIMEOUT' }]);
  });

  it('ends a request after its share of the send window, so that a repeat has the rest', async () => {
    const { http } = contextIn(new Budget(1000));
    const first = http({ ...URL_OF_ACME, windowShare: 0.5 });
    leave();
    expect(await endOf(first, 450)).to.deep.equal([450, { kind: 'no-answer', reason: 'TIMEOUT' }]);
    const second = http(URL_OF_ACME);
    leave();
    expect((await endOf(second))[0]).to.equal(10_450);
    const question = questionContext(client, 8000, 1000).http({ ...URL_OF_ACME, windowShare: 0.25 });
    leave();
    expect((await endOf(question))[0]).to.equal(2000);
  });

  it('lets no request leave after the deadline or after Okta has hung up', async () => {
    const late = contextIn(new Budget(1000));
    await clock.tickAsync(900);
    const calling = late.http(URL_OF_ACME);
    leave();
    expect(await calling).to.deep.equal({ kind: 'not-sent', reason: 'DEADLINE' });

    const budget = new Budget(1000);
    const hungUp = contextIn(budget).http(URL_OF_ACME);
    budget.hangUp();
    leave();
    expect(await hungUp).to.deep.equal({ kind: 'not-sent', reason: 'DEADLINE' });
    budget.close();
  });

  it('works if a channel passes it on alone, in a copy, or in a proxy', async () => {
    const context = contextIn(new Budget(1000));
    const { signal, ...rest } = context;
    const handedOn = [
      { ...context },
      { signal, ...rest },
      Object.create(context) as SendContext,
      new Proxy(context, {}),
    ];
    const calls = handedOn.map(({ http, leaveSignal }) => {
      expect(leaveSignal.aborted).to.equal(false);
      const calling = http(URL_OF_ACME);
      leave();
      return calling;
    });
    await clock.tickAsync(11_000);
    for (const result of await Promise.all(calls)) expect(result.kind).to.equal('no-answer');
    expect(Object.keys(context)).to.have.members([
      'http',
      'callbackUrl',
      'signal',
      'leaveSignal',
      'reference',
    ]);
  });

  it('posts JSON, a form or a string, with the headers of the channel', async () => {
    const { http } = contextIn(new Budget(1000));
    const json = 'application/json';
    const form = 'application/x-www-form-urlencoded';
    for (const [request, expected] of [
      [
        { json: { to: 'é' }, headers: { Authorization: 'Basic 1', 'x-none': undefined } },
        ['POST', '{"to":"é"}', { accept: json, 'content-type': json, authorization: 'Basic 1' }],
      ],
      [
        { form: { 'a b': 'c&d', list: ['1', 2], no: undefined, is: true }, method: 'PUT' },
        ['PUT', 'a%20b=c%26d&list=1&list=2&is=true', { accept: json, 'content-type': form }],
      ],
      [
        { body: '<sms/>', headers: { 'Content-Type': 'text/xml', Accept: '*/*' } },
        ['POST', '<sms/>', { accept: '*/*', 'content-type': 'text/xml' }],
      ],
      [{ method: 'GET' }, ['GET', null, { accept: json }]],
    ] as const) {
      void http({ ...request, url: 'http://127.0.0.1:9/a b?c=é#d' });
      const { method, body, headers, origin, path } = dispatched.at(-1)?.options ?? {};
      expect([method, body, headers]).to.deep.equal(expected);
      expect([origin, path]).to.deep.equal(['http://127.0.0.1:9', '/a%20b?c=%C3%A9']);
    }
    await clock.tickAsync(1000);
  });

  for (const [what, problem, request] of [
    ['a URL of ftp', /^url must be/, { url: 'ftp://api.acme.example' }],
    ['a path', /^url must be/, { url: '/messages' }],
    ['no URL', /^url must be/, {}],
    ['a password in the URL', /^url must not hold/, { url: 'https://user:secret@api.acme.example' }],
    ['only a password in the URL', /^url must not hold/, { url: 'https://:secret@api.acme.example' }],
    ['a method in lower case', /^method must be one of/, { ...URL_OF_ACME, method: 'post' }],
    ['two bodies', /one body/, { ...URL_OF_ACME, form: {} }],
    ['a body of GET', /^GET has no body/, { ...URL_OF_ACME, method: 'GET' }],
    ['JSON that cannot be serialized', /^json must be/, { ...URL_OF_ACME, json: 1n }],
    ['no share of the window', /^windowShare must be/, { ...URL_OF_ACME, windowShare: 0 }],
    ['a share above the window', /^windowShare must be/, { ...URL_OF_ACME, windowShare: 2 }],
    ['a share as text', /^windowShare must be/, { ...URL_OF_ACME, windowShare: 'half' }],
    ['a body of bytes', /^body must be/, { url: URL_OF_ACME.url, body: Buffer.from('x') }],
    [
      'a line break in a header',
      /^headers must be/,
      { ...URL_OF_ACME, headers: { authorization: 'Bearer a\r\nx: y' } },
    ],
    ['a space in the name of a header', /^headers must be/, { ...URL_OF_ACME, headers: { 'a b': 'c' } }],
    ['a form as text', /^form must be/, { url: URL_OF_ACME.url, form: 'to=1' }],
    [
      'a form that throws when it is read',
      /^its fields cannot be read/,
      { url: URL_OF_ACME.url, form: { to: Object.create(null) as string } },
    ],
    ['nothing', /^it must be an object/, undefined],
  ] as const) {
    it(`does not send an invalid request, and reports it: ${what}`, async () => {
      const result = await contextIn(new Budget(1000)).http(request as unknown as { url: string });
      expect(result).to.include({ kind: 'not-sent', reason: 'WRONG_REQUEST' });
      expect(result).to.have.property('problem').that.matches(problem).and.not.includes('secret');
      expect(dispatched).to.be.empty;
      expect(mistakes.map(([, of]) => of)).to.deep.equal([CALL]);
      expect(mistakes[0]?.[0]).to.match(/^its request by context\.http is wrong: /);
    });
  }

  it('has the timeouts of a question: one in all, and one for the connection', async () => {
    const { http } = questionContext(client, 3_000, 1_000);
    expect(await endOf(http(URL_OF_ACME), 1_500)).to.deep.equal([
      1_000,
      { kind: 'not-sent', reason: 'CONNECT_TIMEOUT' },
    ]);
    const second = http(URL_OF_ACME);
    leave();
    expect((await endOf(second))[0]).to.equal(1_500);
    await http({ url: 'x' });
    expect(mistakes).to.deep.include([mistakes[0]?.[0], undefined]);
  });
});

const FAILED = { code: 'C1', reason: 'No' };

describe('the cause of a refusal', () => {
  const plain = { moveOn: true, isFraudBlock: false, isNotReached: false };
  const causes: Readonly<Record<RefusalCause, object>> = {
    'wrong-number': { moveOn: false },
    'opted-out': { moveOn: 'other-channel' },
    'not-reached': { moveOn: 'other-channel', isNotReached: true },
    fraud: { moveOn: false, isFraudBlock: true },
    account: { moveOn: 'other-provider' },
    busy: {},
    'never-left': {},
  };
  for (const [cause, effect] of Object.entries(causes)) {
    it(`${cause} sets moveOn and the flags, of a refusal and of a later failure`, () => {
      const mistakes: string[] = [];
      const outcome = readOutcome({ status: 'refused', ...FAILED, cause }, (mistake) =>
        mistakes.push(mistake),
      );
      const expected = { ...FAILED, ...plain, ...effect, remedy: undefined };
      expect(outcome).to.deep.equal({ status: 'refused', ...expected, hasLeft: cause !== 'never-left' });
      expect(readReport({ status: 'failed', ...FAILED, cause })).to.deep.equal({
        status: 'failed',
        ...expected,
      });
      expect(mistakes).to.be.empty;
    });
  }

  it('does not override the fields that the refusal sets itself', () => {
    const refusal = {
      status: 'refused',
      ...FAILED,
      cause: 'fraud',
      moveOn: 'other-provider',
      isFraudBlock: false,
      isNotReached: true,
      hasLeft: false,
    };
    expect(readOutcome(refusal, () => undefined)).to.include({
      moveOn: 'other-provider',
      isFraudBlock: false,
      isNotReached: true,
      hasLeft: false,
    });
  });

  for (const cause of ['constructor', 7, null, '']) {
    it(`is reported as a mistake, and another channel may follow, if it is ${JSON.stringify(cause)}`, () => {
      const mistakes: string[] = [];
      const refusal = { status: 'refused', ...FAILED, cause };
      expect(readOutcome(refusal, (mistake) => mistakes.push(mistake))).to.include({
        ...plain,
        hasLeft: true,
      });
      expect(mistakes).to.have.length(1);
    });
  }
});
