import { expect } from 'chai';
import type { ExecutionPage, Health, MadePayload, TestResult } from '#lib/console/api.js';
import type { Execution } from '#lib/console/history/answers.js';
import type { Channel, HookEvent } from '#lib/index.js';
import { ANA, BOB } from '#harness/scene.js';
import { until } from '#harness/until.js';
import { mustNotShow } from '#harness/witness.js';
import { EXPRESSES, MOUNT, OWN_PAGE, serveConsole, type ServedConsole } from './served-console.js';

interface Payload {
  readonly eventId: string;
  readonly data: {
    readonly context: { readonly request: { readonly id: string } };
    readonly messageProfile: {
      readonly otpCode: string;
      readonly phoneNumber: string;
      readonly locale: string;
    };
  };
}

const QUESTION = { user: ANA.login, requestType: 'mfa-verification', deliveryChannel: 'sms' } as const;

describe("the console's tester", () => {
  let served: ServedConsole;
  beforeEach(async () => {
    served = await serveConsole();
  });
  afterEach(() => served.close());

  const serveWith = async (options: Parameters<typeof serveConsole>[0]): Promise<void> => {
    await served.close();
    served = await serveConsole(options);
  };

  /** Makes a payload. Only the phone may get its code. */
  async function generate(over: object = {}): Promise<Payload> {
    const answer = await served.post('/api/tester/payload', { ...QUESTION, ...over }, { isPersonal: true });
    expect(answer.status).to.equal(200);
    const { payload } = answer.json as MadePayload & { readonly payload: Payload };
    // The id of Okta's request: in logs it marks a test even before the send.
    expect(payload.data.context.request.id).to.match(/^tester-[a-z]{20}$/);
    mustNotShow(payload.data.messageProfile.otpCode);
    return payload;
  }

  async function send(payload: unknown): Promise<TestResult> {
    const answer = await served.post('/api/tester/send', { payload });
    expect(answer.status).to.equal(200);
    return answer.json as TestResult;
  }

  const open = async ({ executionId = '' }: TestResult): Promise<Execution> =>
    (await served.ask(`/api/executions/${executionId}`)).json as Execution;

  const changed = (payload: Payload, message: object): unknown => ({
    ...payload,
    data: { ...payload.data, messageProfile: { ...payload.data.messageProfile, ...message } },
  });

  const messagesOf = (phone: string): readonly string[] =>
    served.scene.twilio.inbox(phone).map((item) => JSON.stringify(item));

  for (const [name, express] of EXPRESSES) {
    it(`sends to the user's phone, and reports Okta's reaction, in ${name}`, async () => {
      await serveWith({ express });
      const payload = await generate();
      expect(payload.data.messageProfile.phoneNumber).to.equal(ANA.phone);
      const startedAt = performance.now();
      const result = await send(payload);
      const durationMs = performance.now() - startedAt;
      expect(result).to.deep.include({ httpStatus: 200, deadlineMs: 2200 });
      expect(result.reaction.action).to.equal('sent');
      expect(result.durationMs).to.be.within(0, Math.ceil(durationMs));
      expect(result.body).to.have.nested.property('commands[0].value[0].status', 'SUCCESSFUL');
      await until(() => messagesOf(ANA.phone).length === 1);
      expect(messagesOf(ANA.phone)[0]).to.include(payload.data.messageProfile.otpCode);

      const opened = await open(result);
      expect(opened).to.include({ isTest: true, isPreview: true, channel: 'whatsapp', userId: ANA.id });
      expect(opened.oktaRequestId).to.match(/^tester-[a-z]{20}$/);
    });
  }

  it('sends another message with a new event id each time', async () => {
    const payload = await generate();
    const results = [
      await send(payload),
      await send(payload),
      ...(await Promise.all([send(payload), send(payload)])),
    ];
    const ids = results.map(({ executionId }) => executionId);
    expect(new Set([...ids, payload.eventId])).to.have.length(5);
    await until(() => messagesOf(ANA.phone).length === 4);
    const { executions, total } = (await served.ask('/api/executions')).json as ExecutionPage;
    expect(total).to.equal(4);
    expect(new Set(executions.map(({ oktaRequestId }) => oktaRequestId))).to.have.length(4);
    expect(executions.map(({ repeats }) => repeats)).to.deep.equal([0, 0, 0, 0]);
  });

  it('marks the execution as a test even if the payload has lost its marks', async () => {
    const payload = await generate();
    const { data, ...envelope } = payload;
    for (const edited of [
      { data: { ...data, context: undefined } },
      {
        ...envelope,
        data: { ...data, context: { request: { id: 'reqOfOkta', url: { value: '/oauth2' } } } },
      },
      { ...envelope, data: { ...data, context: { request: 'none' } } },
    ]) {
      expect(await open(await send(edited))).to.include({ isTest: true, isPreview: true });
    }
  });

  it('marks the execution as a test even if the user has the first name Tester', async () => {
    const tester = {
      id: '00u1tester0000000001',
      login: 'tester@example.com',
      firstName: 'Tester',
      phone: '+447700900456',
    };
    mustNotShow(tester.login, tester.phone.slice(1));
    served.scene.okta.addUser({ ...tester, profile: { mobilePhone: tester.phone } });
    expect((await open(await send(await generate({ user: tester.login })))).isTest).to.equal(true);
  });

  it('names the administrator in the events, the log and the history', async () => {
    const sent = async (name: string) => {
      await serveWith({ console: { authorize: () => ({ administrator: name }) } });
      const opened = await open(await send(await generate()));
      const { events, log } = served.scene;
      const named = events.map((event) => ('testedBy' in event ? [event.type, event.testedBy] : []));
      const line = log.find(({ fields }) => fields['event'] === 'request.answered');
      return {
        events: named.filter(([type]) => type !== undefined),
        history: opened.testedBy,
        log: line?.fields['testedBy'],
      };
    };
    expect(await sent(' Grace\nHopper\u202e ')).to.deep.equal({
      events: [
        ['request.received', 'Grace Hopper'],
        ['request.answered', 'Grace Hopper'],
      ],
      history: 'Grace Hopper',
      log: 'Grace Hopper',
    });
    expect((await sent('G'.repeat(300))).history).to.equal('G'.repeat(100));
  });

  it('makes a voice call if the channel is voice', async () => {
    const result = await send(
      await generate({ user: BOB.id, deliveryChannel: 'voice', requestType: 'account-unlock' }),
    );
    expect(result.reaction.action).to.equal('sent');
    expect(served.scene.twilio.calls.map(({ to }) => to)).to.deep.equal([BOB.phone]);
  });

  it('returns the words of the message without the code: of an SMS, a call and a template', async () => {
    const bySms = await send(await generate({ user: BOB.id }));
    expect(bySms.message).to.deep.include({ channel: 'sms' });
    expect(bySms.message?.parts?.join('CODE')).to.match(/code.*CODE/i);
    const byCall = await send(await generate({ user: BOB.id, deliveryChannel: 'voice', locale: 'de' }));
    expect(byCall.message).to.deep.equal({
      channel: 'voice',
      locale: 'de',
      parts: ['Guten Tag. Ihr Bestätigungscode lautet: ', ''],
    });

    // Such a code has left when its words are read: the answer must not fail then.
    const odd = await send(changed(await generate({ user: BOB.id }), { otpCode: '482-1é0' }));
    expect(odd.reaction.action).to.equal('sent');
    expect(odd.message?.parts).to.have.length(2);

    const texts = {
      sms: { default: '{code} for {firstName}. Again: {code}' },
      voice: { default: 'Your digits: {code}' },
    };
    await serveWith({ hook: { texts } });
    const spoken = await send(await generate({ user: BOB.id, deliveryChannel: 'voice' }));
    expect(spoken.message?.parts).to.deep.equal(['Your digits: ', '']);
    const worded = await send(await generate({ user: BOB.id }));
    // The name is masked, as in every answer.
    expect(worded.message?.parts).to.deep.equal(['', ' for …. Again: ', '']);

    await serveWith({
      hook: ({ twilio }) => ({
        sandboxNumber: { number: twilio.sandboxNumber, contentSid: twilio.sandboxContentSid },
      }),
    });
    const byTemplate = await send(await generate());
    expect(byTemplate.message).to.deep.include({ channel: 'whatsapp' });
    expect(byTemplate.message?.parts).to.equal(undefined);

    served.scene.twilio.refuseWith({ status: 400, code: 21_211, message: 'Invalid number' });
    expect((await send(await generate())).message).to.equal(undefined);
  });

  it('makes the payload in the chosen language, else in that of the user, and refuses what is no tag', async () => {
    const localeOf = async (over: object): Promise<unknown> =>
      (await generate(over)).data.messageProfile.locale;
    expect(await localeOf({})).to.equal('EN-GB');
    expect(await localeOf({ locale: 'pt-BR' })).to.equal('PT-BR');
    for (const locale of ['French, please', 'x'.repeat(40), 7]) {
      const { status, failure } = await served.post('/api/tester/payload', { ...QUESTION, locale });
      expect([status, failure?.fields]).to.deep.equal([400, ['locale']]);
    }
  });

  it("reports a refused message and a number without a country like those of Okta's calls", async () => {
    served.scene.twilio.refuseWith({ code: 21211 });
    const payload = await generate({ user: BOB.login });
    const result = await send(payload);
    expect(result.httpStatus).to.equal(200);
    expect(result.reaction.action).to.equal('error');
    expect(result.reaction.shown).to.be.a('string');
    const opened = await open(result);
    expect(opened).to.include({ outcome: 'failed', code: '21211' });
    const placeholder = await send(changed(payload, { phoneNumber: '9876543210' }));
    expect(placeholder.reaction.action).to.equal('error');
    expect(JSON.stringify(placeholder.body)).to.include('NO_DIALABLE_NUMBER');
  });

  it("reports a defect like that of one of Okta's calls, each time", async () => {
    const sms: Channel = {
      get usesText(): boolean {
        throw new Error('a defect');
      },
      send: () => Promise.resolve({ status: 'accepted', transactionId: 'never' }),
    };
    await serveWith({ hook: { channels: { sms } } });
    const payload = await generate({ user: BOB.login });
    const result = await send(payload);
    expect([result.httpStatus, result.reaction.action]).to.deep.equal([500, 'failover']);
    expect(result.executionId).to.be.a('string');
    // The hook reports each one, because an administrator has caused it.
    await send(payload);
    const rejected = served.scene.events.filter(({ type }) => type === 'request.rejected');
    expect(rejected).to.have.lengthOf(2);
  });

  it('sends an expired code as a new one', async () => {
    const past = { eventTime: '2020-01-01T00:00:00.000Z' };
    const payload = await generate();
    const old = changed(payload, { otpExpires: '2020-01-01T00:05:00.000Z' }) as object;
    expect((await send({ ...old, ...past })).reaction.action).to.equal('sent');
  });

  it("obeys the guard's limits, without using up those of Okta's calls", async () => {
    await serveWith({ hook: { guard: { perUser: { points: 2, seconds: 600 } } } });
    const payload = await generate();
    const results = [await send(payload), await send(payload), await send(payload)];
    expect(results.map(({ reaction }) => reaction.action)).to.deep.equal(['sent', 'sent', 'pending']);
    await until(() => messagesOf(ANA.phone).length === 2);
    const opened = (await served.ask(`/api/executions/${results[2]?.executionId ?? ''}`)).json as Execution;
    expect(opened).to.include({ outcome: 'blocked', code: 'LIMIT_PER_USER', isTest: true });
    // Tests do not count against the user's own sign-in.
    expect((await served.scene.call()).okta.action).to.equal('sent');
  });

  it('answers 400 to an invalid payload, names its fields, and sends nothing', async () => {
    const payload = await generate();
    const asked = served.scene.okta.requests.length;
    for (const [broken, fields] of [
      [null, ['body']],
      ['{', ['body']],
      [[], ['body']],
      [{}, ['data']],
      [{ data: {} }, ['data.messageProfile']],
      [{ data: { messageProfile: [] } }, ['data.messageProfile']],
      [
        changed(payload, { otpCode: '', deliveryChannel: 'pigeon' }),
        ['data.messageProfile.otpCode', 'data.messageProfile.deliveryChannel'],
      ],
      [changed(payload, { phoneNumber: undefined }), ['data.messageProfile.phoneNumber']],
    ] as const) {
      const answer = await served.post('/api/tester/send', { payload: broken });
      expect(answer.status).to.equal(400);
      expect(answer.failure).to.deep.include({ code: 'INVALID_REQUEST', fields: [...fields] });
    }
    expect(served.scene.twilio.requests).to.be.empty;
    expect(served.scene.okta.requests).to.have.length(asked);
    // The administrator has seen each error, so health, log and metrics do not report it.
    const health = (await served.ask('/api/health')).json as Health;
    expect(health.rejectedCalls).to.deep.equal([]);
    expect(served.scene.events.filter(({ type }) => type === 'request.rejected')).to.be.empty;
  });

  it('answers 400 or 413 to an invalid request, and names its fields', async () => {
    for (const [path, question, fields] of [
      ['/api/tester/payload', {}, ['user', 'requestType', 'deliveryChannel']],
      [
        '/api/tester/payload',
        { user: ' ', requestType: 'mfa', deliveryChannel: 'SMS' },
        ['user', 'requestType', 'deliveryChannel'],
      ],
      [
        '/api/tester/payload',
        { user: ANA.id, requestType: 'mfa-verification', deliveryChannel: 'sms', code: '1' },
        ['code'],
      ],
      ['/api/tester/payload', [], ['body']],
      ['/api/tester/send', {}, ['payload']],
      ['/api/tester/send', { payload: {}, secret: '1' }, ['secret']],
    ] as const) {
      const answer = await served.post(path, question);
      expect(answer.status).to.equal(400);
      expect(answer.failure).to.deep.include({ code: 'INVALID_REQUEST', fields: [...fields] });
    }
    for (const [body, status, code] of [
      ['{"payload":', 400, 'INVALID_REQUEST'],
      [`{"payload":${'['.repeat(9_000)}${']'.repeat(9_000)}}`, 400, 'INVALID_REQUEST'],
      [JSON.stringify({ payload: 'x'.repeat(70_000) }), 413, 'PAYLOAD_TOO_LARGE'],
    ] as const) {
      const answer = await served.ask('/api/tester/send', { method: 'POST', headers: OWN_PAGE, body });
      expect(answer.status).to.equal(status);
      expect(answer.failure?.code).to.equal(code);
    }
  });

  for (const [what, status, code, arrange] of [
    ['does not exist', 404, 'OKTA_NOT_FOUND', () => undefined],
    [
      'is forbidden to read',
      502,
      'OKTA_FORBIDDEN',
      (okta) => okta.fault({ fault: { kind: 'status', status: 403 } }),
    ],
    [
      'cannot be read',
      502,
      'OKTA_HTTP_ERROR',
      (okta) => okta.fault({ fault: { kind: 'status', status: 500 } }),
    ],
    [
      'is over the rate limit',
      503,
      'OKTA_RATE_LIMITED',
      (okta) => okta.setRateLimit({ limit: 10, remaining: 0, resetInSeconds: 30 }),
    ],
  ] as const satisfies readonly (readonly [
    string,
    number,
    string,
    (okta: ServedConsole['scene']['okta']) => unknown,
  ])[]) {
    it(`answers ${status} with a remedy if the user ${what}`, async () => {
      arrange(served.scene.okta);
      const user = code === 'OKTA_NOT_FOUND' ? 'nobody@example.com' : ANA.login;
      const answer = await served.post('/api/tester/payload', { ...QUESTION, user });
      expect(answer.status).to.equal(status);
      expect(answer.failure).to.include({ code }).and.have.a.property('remedy').that.is.a('string');
      expect(answer.text).to.not.include(user);
    });
  }

  it('answers 429 without a request to Okta during a pause for the rate limit, and names its end', async () => {
    let now = Date.now();
    await serveWith({ hook: { clock: () => now } });
    const { scene } = served;
    // By Okta's clock the limit ends 30 s after its answer. The pause is a second longer.
    const oktasS = Math.floor(now / 1000);
    const headers = {
      'x-rate-limit-limit': '100',
      'x-rate-limit-remaining': '1',
      'x-rate-limit-reset': String(oktasS + 30),
      date: new Date(oktasS * 1000).toUTCString(),
    };
    const body = { id: ANA.id, status: 'ACTIVE', profile: { login: ANA.login, whatsAppOptIn: true } };
    scene.okta.fault({
      fault: { kind: 'status', status: 200, body, headers },
      match: ({ path }) => path.startsWith('/api/v1/users/'),
      times: 1,
    });
    await scene.call();
    const untilMs = now + 31_000;
    const paused = scene.events.filter((event) => event.type === 'okta.paused');
    expect(paused.map((event) => event.untilMs)).to.deep.equal([untilMs]);
    const asked = scene.okta.requests.length;
    const answer = await served.post('/api/tester/payload', QUESTION);
    expect(answer.status).to.equal(429);
    expect(answer.headers['retry-after']).to.equal('31');
    expect(answer.failure?.code).to.equal('OKTA_RATE_LIMITED');
    expect(answer.failure?.message).to.include(new Date(untilMs).toISOString());
    expect(answer.failure?.remedy).to.be.a('string');
    expect(scene.okta.requests).to.have.length(asked);
    now = untilMs;
    await generate();
  });

  it('requests no resource of Okta other than a user', async () => {
    for (const user of ['..', 'me', '.', 'a/../../apps', '%2e%2e']) {
      const { status } = await served.post('/api/tester/payload', { ...QUESTION, user });
      expect(status, user).to.equal(404);
    }
    expect(served.scene.okta.requests.map(({ path }) => path)).to.deep.equal(['/api/v1/users/%252e%252e']);
  });

  it('reads a user and the factors, and logs nothing about them', async () => {
    const { events, log } = served.scene;
    const before = [events.length, log.length];
    await generate();
    expect(served.scene.okta.requests.map(({ path }) => path)).to.deep.equal([
      `/api/v1/users/${encodeURIComponent(ANA.login)}`,
      `/api/v1/users/${ANA.id}/factors`,
    ]);
    expect([events.length, log.length]).to.deep.equal(before);
  });

  it('answers 503 and sends nothing after the hook is closed', async () => {
    const payload = await generate();
    await served.scene.hook.close();
    for (const [path, question] of [
      ['/api/tester/send', { payload }],
      ['/api/tester/payload', QUESTION],
    ] as const) {
      const answer = await served.post(path, question);
      expect(answer.status).to.equal(503);
      expect(answer.failure?.code).to.equal('CLOSING');
    }
    expect(served.scene.twilio.requests).to.be.empty;
  });

  it('gives no other caller access by the marks of a test: the hook still requires its secret', async () => {
    const payload = await generate();
    for (const headers of [{}, { Authorization: '' }, OWN_PAGE]) {
      const call = await served.scene.call({
        headers: { ...headers },
        change: () => payload,
      });
      expect(call.httpStatus).to.equal(401);
    }
    for (const path of ['/okta/telephony', '/', MOUNT, `${MOUNT}/`]) {
      const answer = await fetch(`${new URL(served.scene.url).origin}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(payload),
      });
      expect([401, 404], path).to.include(answer.status);
    }
    expect(served.scene.twilio.requests).to.be.empty;
  });

  it('delays close() of the hook until its running call has ended', async () => {
    const payload = await generate();
    const ended: HookEvent[] = [];
    const sending = served.post('/api/tester/send', { payload });
    await until(() => served.scene.hook.status().inFlight === 1 || served.scene.twilio.requests.length > 0);
    await served.scene.hook.close();
    ended.push(...served.scene.events.filter(({ type }) => type === 'request.answered'));
    expect(ended).to.have.length(1);
    expect((await sending).status).to.equal(200);
  });
});
