import { expect } from 'chai';
import { Agent, Dispatcher } from 'undici';
import { ProviderError } from '#lib/core/errors.js';
import { createTwilioConnection, type TwilioClient } from '#lib/channels/twilio/client.js';
import { NO_MESSAGE_SID } from '#lib/channels/twilio/credentials-check.js';
import { contextOf } from '#harness/channels.js';
import {
  ACCOUNT_SID,
  KEY_SECRET,
  KEY_SID,
  OTP_CODE,
  PHONE_NUMBER,
  makeSettings,
  startScriptedApi,
  type Answer,
  type ScriptedApi,
} from './scripted-api.js';
import { stopTime } from '#harness/stopped-time.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';

const VERIFY_SERVICE_SID = `VA${'c3'.repeat(16)}`;
const MESSAGING_SERVICE_SID = `MG${'d4'.repeat(16)}`;
const CONTENT_SID = `HX${'e5'.repeat(16)}`;

const SENT = { status: 201, body: { sid: `SM${'0f'.repeat(16)}`, status: 'queued' } };

/** Records the URLs of calls, and sends none. */
class NotingDispatcher extends Dispatcher {
  readonly urls: string[] = [];
  override dispatch(options: Dispatcher.DispatchOptions): boolean {
    this.urls.push(`${String(options.origin)}${options.path}`);
    throw new Error('no network in tests');
  }
}

function sendMessage(client: TwilioClient): Promise<unknown> {
  return client.messages.create({ to: PHONE_NUMBER, from: '+15005550006', body: `Code & ${OTP_CODE} é` });
}

describe('the Twilio connection', () => {
  let api: ScriptedApi;
  before(async () => {
    api = await startScriptedApi();
  });
  after(() => api.close());

  it("sends the SDK's request: the account's path, Basic auth, a form", async () => {
    api.script(SENT);
    const result = await api.connect().call(sendMessage, contextOf());
    expect(result).to.include({ kind: 'answered', status: 201, body: JSON.stringify(SENT.body) });
    const [request] = api.requests;
    expect(request?.method).to.equal('POST');
    expect(request?.path).to.equal(`/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`);
    expect(request?.headers.authorization).to.equal(
      `Basic ${Buffer.from(`${KEY_SID}:${KEY_SECRET}`).toString('base64')}`,
    );
    expect(request?.headers['content-type']).to.equal('application/x-www-form-urlencoded');
    expect(Object.fromEntries(request?.form ?? [])).to.deep.equal({
      To: PHONE_NUMBER,
      From: '+15005550006',
      Body: `Code & ${OTP_CODE} é`,
    });
  });

  it('sends an array as a repeated name, and booleans and numbers as text', async () => {
    api.script(SENT);
    const statusCallbackEvent = ['ringing', 'completed'];
    await api.connect().call(
      (client) =>
        client.calls.create({
          to: PHONE_NUMBER,
          from: '+1',
          twiml: '<Response/>',
          timeout: 20,
          statusCallbackEvent,
        }),
      contextOf(),
    );
    expect([...(api.requests[0]?.form ?? [])]).to.have.deep.members([
      ['To', PHONE_NUMBER],
      ['From', '+1'],
      ['Twiml', '<Response/>'],
      ['Timeout', '20'],
      ['StatusCallbackEvent', 'ringing'],
      ['StatusCallbackEvent', 'completed'],
    ]);
  });

  it('leaves undefined values out of a form, and keeps empty, zero and false ones', async () => {
    api.script(SENT);
    await api.connect().call(
      (client) =>
        client.messages.create({
          to: PHONE_NUMBER,
          from: undefined,
          messagingServiceSid: MESSAGING_SERVICE_SID,
          body: '',
          contentSid: undefined,
          validityPeriod: 0,
          provideFeedback: false,
          statusCallback: undefined,
        } as object as Parameters<TwilioClient['messages']['create']>[0]),
      contextOf(),
    );
    expect([...(api.requests[0]?.form ?? [])]).to.have.deep.members([
      ['To', PHONE_NUMBER],
      ['MessagingServiceSid', MESSAGING_SERVICE_SID],
      ['Body', ''],
      ['ValidityPeriod', '0'],
      ['ProvideFeedback', 'false'],
    ]);
  });

  it('leaves undefined values out of a form and a URL even if the SDK passes them on', async () => {
    const fields = { To: PHONE_NUMBER, From: undefined };
    for (const request of [
      { method: 'post', uri: 'https://api.twilio.com/2010-04-01/x', data: fields },
      { method: 'get', uri: 'https://api.twilio.com/2010-04-01/x', params: fields },
    ]) {
      api.script(SENT);
      await api.connect().call((client) => {
        // The SDK's resources call request(). The type for channels does not have it.
        const sdk = client as unknown as { request(request: object): unknown };
        return sdk.request(request);
      }, contextOf());
      const sent = [
        api.requests[0]?.form ?? [],
        new URL(api.requests[0]?.path ?? '', api.origin).searchParams,
      ];
      expect(sent.flatMap((parameters) => [...parameters])).to.deep.equal([['To', PHONE_NUMBER]]);
    }
  });

  it("sends a page's parameters in its URL, without undefined ones, and no body", async () => {
    api.script({ status: 200, body: { messages: [], page_size: 1 } });
    await api.connect().call((client) => {
      // The SDK's client has more than its type for channels.
      const messages = client.messages as unknown as { page(filter: object): Promise<unknown> };
      return messages.page({ to: PHONE_NUMBER, from: undefined, pageSize: 20 });
    }, contextOf());
    const [request] = api.requests;
    expect(request?.method).to.equal('GET');
    expect([...new URL(request?.path ?? '', api.origin).searchParams]).to.have.deep.members([
      ['To', PHONE_NUMBER],
      ['PageSize', '20'],
    ]);
    expect([...(request?.form ?? [])]).to.deep.equal([]);
    expect(request?.headers).to.not.have.any.keys('content-type', 'transfer-encoding');
  });

  it('requests a page of another product with the parameters after its path', async () => {
    api.script({ status: 200, body: { phone_numbers: [], meta: { key: 'phone_numbers' } } });
    await api
      .connect()
      .call(
        (client) => client.messaging.v1.services(MESSAGING_SERVICE_SID).phoneNumbers.page({ pageSize: 50 }),
        contextOf(),
      );
    expect(api.requests[0]?.path).to.equal(`/v1/Services/${MESSAGING_SERVICE_SID}/PhoneNumbers?PageSize=50`);
  });

  it('sends one request per action, and returns its result', async () => {
    api.script(SENT, { status: 400, body: { code: 21211 } });
    const result = await api.connect().call((client) => {
      for (const to of [PHONE_NUMBER, '+1']) void client.messages.create({ to, from: '+1', body: 'twice' });
    }, contextOf());
    expect(result).to.include({ kind: 'answered', status: 201 });
    expect(api.requests).to.have.lengthOf(1);
  });

  it('sends nothing for a method that no channel needs', async () => {
    api.script({ status: 204, body: '' });
    const result = await api.connect().call((client) => {
      // As above.
      const message = client.messages(`SM${'0f'.repeat(16)}`) as unknown as { remove(): Promise<unknown> };
      return message.remove();
    }, contextOf());
    expect(result).to.deep.equal({ kind: 'not-sent', reason: 'SDK_ERROR' });
    expect(api.requests).to.have.lengthOf(0);
  });

  it("returns the provider's answer if the SDK throws", async () => {
    for (const answer of [
      { status: 400, body: { code: 21211, message: `${PHONE_NUMBER} is not valid`, status: 400 } },
      { status: 302, body: '', headers: { Location: '/elsewhere' } },
      { status: 502, body: '<html>Bad Gateway</html>' },
      { status: 201, body: 'not JSON' },
    ]) {
      api.script(answer);
      const result = await api.connect().call(sendMessage, contextOf());
      expect(result).to.include({ kind: 'answered', status: answer.status });
      expect(api.requests).to.have.lengthOf(1);
    }
  });

  it('returns no-answer for a reset and for a truncated answer', async () => {
    for (const answer of ['reset', 'cut'] as const) {
      api.script(answer);
      expect((await api.connect().call(sendMessage, contextOf())).kind, answer).to.equal('no-answer');
    }
  });

  it('repeats a read once, and never a message, if the connection ends before an answer', async () => {
    const action = (client: TwilioClient): unknown => client.messages(NO_MESSAGE_SID).fetch();
    api.script('reset', { status: 404, body: {} });
    expect(await api.connect().read(action, 5000)).to.include({ kind: 'answered', status: 404 });
    expect(api.requests).to.have.length(2);
    api.script('reset', SENT);
    expect((await api.connect().call(sendMessage, contextOf())).kind).to.equal('no-answer');
    expect(api.requests).to.have.length(1);
  });

  it('returns no-answer (TIMEOUT) for a request that hangs until timeoutMs', async () => {
    api.script('hang');
    const hanging = api.hanging();
    const clock = stopTime();
    try {
      const calling = api.connect().call(sendMessage, contextOf({ timeoutMs: 50 }));
      await hanging;
      clock.tick(50);
      expect(await calling).to.deep.equal({ kind: 'no-answer', reason: 'TIMEOUT' });
    } finally {
      clock.restore();
    }
  });

  it('ends a read without a connection after connectMs, and one without an answer after timeoutMs', async () => {
    api.script('hang');
    const unreachable = new Agent({ connect: () => undefined });
    const { read: readNothing } = createTwilioConnection({
      settings: makeSettings({ baseUrl: REFUSING_ORIGIN }),
      dispatcher: unreachable,
    });
    const hanging = api.hanging();
    const clock = stopTime();
    try {
      const action = (client: TwilioClient): unknown => client.messages(NO_MESSAGE_SID).fetch();
      const ends: unknown[] = [];
      const reads = [readNothing(action, 1000, 500), api.connect().read(action, 1000, 500)];
      for (const read of reads) void read.then(({ kind }) => ends.push(kind));
      await hanging;
      for (const [ms, ended] of [
        [499, []],
        [1, ['not-sent']],
        [499, ['not-sent']],
        [1, ['not-sent', 'no-answer']],
      ] as const) {
        await clock.tickAsync(ms);
        expect(ends).to.deep.equal(ended);
      }
      expect(await Promise.all(reads)).to.deep.equal([
        { kind: 'not-sent', reason: 'CONNECT_TIMEOUT' },
        { kind: 'no-answer', reason: 'TIMEOUT' },
      ]);
    } finally {
      clock.restore();
      await unreachable.destroy();
    }
  });

  it('sends nothing, and returns DEADLINE, if mayLeave() is false', async () => {
    api.script(SENT);
    const result = await api.connect().call(sendMessage, contextOf({ mayLeave: () => false }));
    expect(result).to.deep.equal({ kind: 'not-sent', reason: 'DEADLINE' });
    expect(api.requests).to.have.lengthOf(0);
  });

  it('lets a request that has left go on until timeoutMs when mayLeave() turns false', async () => {
    api.script('hang');
    const leave = new AbortController();
    const hanging = api.hanging();
    const sending = api.connect().call(
      sendMessage,
      contextOf({
        mayLeave: () => !leave.signal.aborted,
        timeoutMs: 1_500,
      }),
    );
    await hanging;
    leave.abort();
    expect(await sending).to.deep.equal({ kind: 'no-answer', reason: 'TIMEOUT' });
  });

  it('sends nothing for an action that calls the SDK asynchronously', async () => {
    api.script(SENT);
    const connection = api.connect();
    let failure: unknown;
    const late = connection.call(async (client) => {
      await Promise.resolve();
      await client.messages.create({ to: PHONE_NUMBER, from: '+1', body: 'late' }).catch((error: unknown) => {
        failure = error;
      });
    }, contextOf());
    // Another call at the same time must not be confused with it.
    const other = connection.call(sendMessage, contextOf());
    expect(await late).to.deep.equal({ kind: 'not-sent', reason: 'SDK_ERROR' });
    expect(await other).to.include({ kind: 'answered', status: 201 });
    expect(failure).to.equal(undefined);
    expect(api.requests).to.have.lengthOf(1);
  });

  it('returns not-sent if the connection is refused or the action rejects', async () => {
    const unreachable = api.connect({ baseUrl: REFUSING_ORIGIN });
    expect(await unreachable.call(sendMessage, contextOf())).to.deep.equal({
      kind: 'not-sent',
      reason: 'ECONNREFUSED',
    });
    api.script(SENT);
    const fails = await api.connect().call(() => Promise.reject(new Error(OTP_CODE)), contextOf());
    expect(fails).to.deep.equal({ kind: 'not-sent', reason: 'SDK_ERROR' });
    expect(api.requests).to.have.lengthOf(0);
  });

  it('gives each of two calls at once its own result', async () => {
    api.script({ status: 201, body: { sid: 'first' } }, { status: 400, body: { code: 1 } });
    const connection = api.connect();
    const results = await Promise.all([
      connection.call(sendMessage, contextOf()),
      connection.call(sendMessage, contextOf()),
    ]);
    const statuses = results.map((result) => (result.kind === 'answered' ? result.status : 0));
    expect(statuses.sort()).to.deep.equal([201, 400]);
  });

  describe('check', () => {
    for (const [status, body] of [
      [200, { sid: `SM${'0'.repeat(32)}`, status: 'delivered' }],
      [404, { code: 20404, status: 404 }],
    ] as const) {
      it(`accepts a ${status} of Twilio as proof that the credentials work`, async () => {
        api.script({ status, body });
        await api.connect().check(5_000);
        expect(api.requests[0]?.method).to.equal('GET');
        expect(api.requests[0]?.path).to.equal(
          `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages/SM${'0'.repeat(32)}.json`,
        );
      });
    }

    const html = '<html><body>Sign in to the network</body></html>';
    const failures: readonly (readonly [
      title: string,
      answer: Answer,
      code: string,
      message: string,
      remedy: RegExp,
    ])[] = [
      [
        '401',
        { status: 401, body: { code: 20003 } },
        'TWILIO_UNAUTHORIZED',
        'does not accept credentials.twilio (20003: Twilio does not accept the credentials).',
        /^Check credentials\.twilio.*errors\/20003$/,
      ],
      [
        '401 without a code',
        { status: 401, body: html },
        'TWILIO_UNAUTHORIZED',
        'does not accept credentials.twilio.',
        /^Check credentials\.twilio/,
      ],
      [
        '401 of an inactive account',
        { status: 401, body: { code: 20005 } },
        'TWILIO_UNAUTHORIZED',
        'does not accept credentials.twilio (20005: The Twilio account is not active).',
        /^Look at the account's state.*errors\/20005$/,
      ],
      [
        '403 with an unknown code',
        { status: 403, body: { code: 29998, message: KEY_SECRET } },
        'TWILIO_HTTP_ERROR',
        'answered with status 403 (29998).',
        /^Twilio's own words: .*errors\/29998$/,
      ],
      [
        '403 that is not from Twilio',
        { status: 403, body: html },
        'TWILIO_HTTP_ERROR',
        'answered with status 403.',
        /check proxies and firewalls/,
      ],
      ['300', { status: 300, body: {} }, 'TWILIO_HTTP_ERROR', 'answered with status 300.', /proxy/],
      ['407', { status: 407, body: html }, 'TWILIO_HTTP_ERROR', 'answered with status 407.', /dispatcher/],
      [
        '429',
        { status: 429, body: { code: 20429 } },
        'TWILIO_HTTP_ERROR',
        'answered with status 429 (20429: Too many requests to Twilio at once).',
        /^Add senders/,
      ],
      [
        '500',
        { status: 500, body: KEY_SECRET },
        'TWILIO_HTTP_ERROR',
        'answered with status 500.',
        /^Check status\.twilio\.com/,
      ],
      [
        '503 with a code',
        { status: 503, body: { code: 20503 } },
        'TWILIO_HTTP_ERROR',
        'answered with status 503 (20503: Twilio is not available).',
        /^Check status\.twilio\.com.*errors\/20503$/,
      ],
      [
        'a page with status 200',
        { status: 200, body: html },
        'TWILIO_UNREADABLE',
        "answered with status 200 and nothing of Twilio's.",
        /check proxies and firewalls/,
      ],
      [
        'a page with status 404',
        { status: 404, body: html },
        'TWILIO_UNREADABLE',
        "answered with status 404 and nothing of Twilio's.",
        /check proxies and firewalls/,
      ],
    ];
    for (const [title, answer, code, message, remedy] of failures) {
      it(`throws ${code} for ${title}, with a remedy`, async () => {
        api.script(answer);
        const error: unknown = await api
          .connect()
          .check(5_000)
          .catch((thrown: unknown) => thrown);
        expect(error).to.be.instanceOf(ProviderError).with.property('code', code);
        expect((error as ProviderError).message).to.equal(`${new URL(api.origin).host} ${message}`);
        expect((error as ProviderError).remedy).to.match(remedy);
        expect(`${String(error)} ${(error as ProviderError).remedy}`).to.not.contain(KEY_SECRET);
      });
    }

    it('throws TWILIO_UNREACHABLE if no answer comes, with a remedy', async () => {
      api.script('reset');
      const error: unknown = await api
        .connect()
        .check(5_000)
        .catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(ProviderError).with.property('code', 'TWILIO_UNREACHABLE');
      expect(String(error)).to.contain(new URL(api.origin).host);
      expect((error as ProviderError).remedy).to.match(/egress/);
    });

    it('waits no longer than its timeout', async () => {
      api.script('hang');
      const error: unknown = await api
        .connect()
        .check(20)
        .catch((thrown: unknown) => thrown);
      expect(error).to.have.property('code', 'TWILIO_UNREACHABLE');
    });
  });

  describe('sends to', () => {
    const misleading = {
      TWILIO_EDGE: 'sydney',
      TWILIO_REGION: 'au1',
      TWILIO_ACCOUNT_SID: 'AC0',
      TWILIO_AUTH_TOKEN: 'other',
      HTTP_PROXY: 'http://127.0.0.1:1',
    };
    let before: [string, string | undefined][] = [];
    beforeEach(() => {
      before = Object.keys(misleading).map((name) => [name, process.env[name]]);
      Object.assign(process.env, misleading);
    });
    afterEach(() => {
      for (const [name, value] of before) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
    });

    const products = [
      ['api', `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`, sendMessage],
      [
        'api',
        `/2010-04-01/Accounts/${ACCOUNT_SID}/Calls.json`,
        ({ calls }) => calls.create({ to: PHONE_NUMBER, from: '+1', twiml: '<Response/>' }),
      ],
      [
        'api',
        `/2010-04-01/Accounts/${ACCOUNT_SID}/Balance.json`,
        (client) => client.api.v2010.accounts(ACCOUNT_SID).balance.fetch(),
      ],
      [
        'verify',
        `/v2/Services/${VERIFY_SERVICE_SID}/Verifications`,
        ({ verify }) =>
          verify.v2
            .services(VERIFY_SERVICE_SID)
            .verifications.create({ to: PHONE_NUMBER, channel: 'sms', customCode: OTP_CODE }),
      ],
      [
        'content',
        `/v1/Content/${CONTENT_SID}/ApprovalRequests`,
        ({ content }) => content.v1.contents(CONTENT_SID).approvalFetch().fetch(),
      ],
      [
        'messaging',
        `/v1/Services/${MESSAGING_SERVICE_SID}`,
        ({ messaging }) => messaging.v1.services(MESSAGING_SERVICE_SID).fetch(),
      ],
    ] as const satisfies readonly (readonly [string, string, (client: TwilioClient) => unknown])[];
    const places = [
      [{}, ''],
      [{ region: 'ie1' }, 'ie1.'],
      [{ edge: 'dublin', region: 'ie1' }, 'dublin.ie1.'],
      [{ edge: 'dublin' }, 'dublin.us1.'],
    ] as const;
    for (const [settings, place] of places) {
      for (const [product, path, action] of products) {
        const url = `https://${product}.${place}twilio.com${path}`;
        it(`${url} for ${JSON.stringify(settings)}, despite TWILIO_* variables`, async () => {
          const dispatcher = new NotingDispatcher();
          const connection = createTwilioConnection({ settings: makeSettings(settings), dispatcher });
          // The second call uses the origin that the first one has found.
          for (let call = 0; call < 2; call += 1) await connection.call(action, contextOf({ dispatcher }));
          expect(dispatcher.urls).to.deep.equal([url, url]);
          expect(connection.host).to.equal(`api.${place}twilio.com`);
          expect(connection.verifyHost).to.equal(`verify.${place}twilio.com`);
        });
      }
    }

    it('the origin of baseUrl for every product, despite edge and region', async () => {
      const dispatcher = new NotingDispatcher();
      const settings = makeSettings({ baseUrl: 'http://localhost:9/', edge: 'dublin', region: 'ie1' });
      const connection = createTwilioConnection({ settings, dispatcher });
      for (const [, , action] of products) {
        await connection.call(action, contextOf({ dispatcher }));
      }
      expect(dispatcher.urls).to.deep.equal(products.map(([, path]) => `http://localhost:9${path}`));
      expect([connection.host, connection.verifyHost]).to.deep.equal(['localhost:9', 'localhost:9']);
    });

    it('Twilio itself, not to the HTTP_PROXY of the environment', async () => {
      api.script(SENT);
      expect(await api.connect().call(sendMessage, contextOf())).to.include({ status: 201 });
    });
  });
});
