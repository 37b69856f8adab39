import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type sinon from 'sinon';
import { azureSms, type AzureSmsOptions } from '#lib/channels/index.js';
import { signRequest } from '#lib/channels/azure/authorization.js';
import { ERRORS } from '#lib/channels/azure/error-codes.js';
import type { Channel } from '#lib/channels/channel.js';
import { effectOf, type Message, type Outcome } from '#lib/core/channel.js';
import { twilioMessages } from '#lib/index.js';
import type { AzureEmulator } from '#lib/testing/index.js';
import { connectChannel, contextOf, REFERENCE } from '#harness/channels.js';
import { ANA, CODE, commandOf, scenes, type HookOptions, type Scene } from '#harness/scene.js';
import { passTime, stopTime } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';
import { mustNotShow } from '#harness/witness.js';
import { problemsOf } from '../options.js';
import { REPORT_SECRET, startAzure } from './emulator.js';

const NOON = Date.parse('2026-12-01T12:00:00Z');
const MESSAGE = { to: ANA.phone, text: `Your code is ${CODE}` } as Message;

describe('Azure', () => {
  let azure: AzureEmulator;
  let scene: Scene;
  let now: number;
  let clock: sinon.SinonFakeTimers | undefined;
  beforeEach(async () => {
    now = NOON;
    azure = await startAzure({ clock: () => now, senders: ['ACME'] });
  });
  afterEach(() => {
    clock?.restore();
    clock = undefined;
    return azure.close();
  });
  const startScene = scenes();

  const options = (): AzureSmsOptions => ({ ...azure.credential, from: azure.number });
  /** A gateway that sends SMS by Azure, with Twilio behind it. */
  const start = async (channel: Channel = azureSms(options()), hook: HookOptions = {}): Promise<void> => {
    scene = await startScene({
      hook: {
        sandboxNumber: undefined,
        clock: () => now,
        channels: { sms: [channel, twilioMessages()] },
        ...hook,
      },
    });
  };
  const bodies = (): Record<string, unknown>[] =>
    azure.requests.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  const send = (channel = azureSms(options())): Promise<Outcome> =>
    connectChannel(channel, { channel: 'sms', clock: () => now }).send(MESSAGE, {
      ...contextOf(),
      reference: randomUUID(),
    });

  it('gets the text to one recipient, with the ids of a repeat and the reference as its tag', async () => {
    await start();
    const command = commandOf(await scene.call());
    const [message] = azure.messages;
    expect(command).to.include({
      status: 'SUCCESSFUL',
      provider: 'AZURE',
      transactionId: message?.messageId,
    });
    const { repeatabilityRequestId } =
      ((bodies()[0]?.['smsRecipients'] ?? []) as Record<string, string>[])[0] ?? {};
    expect(bodies()).to.deep.equal([
      {
        from: azure.number,
        smsRecipients: [
          { to: ANA.phone, repeatabilityRequestId, repeatabilityFirstSent: 'Tue, 01 Dec 2026 12:00:00 GMT' },
        ],
        message: `Your code is ${CODE}`,
        smsSendOptions: { enableDeliveryReport: true, tag: repeatabilityRequestId },
      },
    ]);
    expect(repeatabilityRequestId).to.match(/^[\da-f-]{36}$/);
    expect(azure.requests[0]).to.include({ path: '/sms?api-version=2026-01-23' });
    expect(azure.requests[0]?.headers['user-agent']).to.equal('okta-telephony-hook');
    expect(azure.inbox(ANA.phone).map(({ text }) => text)).to.deep.equal([`Your code is ${CODE}`]);
  });

  it('is signed as the vectors of the SDK for Python are', () => {
    // azure-sdk-for-python, azure-communication-identity, tests/test_hmac.py.
    const key = Buffer.from('pw==', 'base64');
    for (const [path, signature] of [
      ['/', '88MDmJhUR3m5QhFxb8ztShsSwlGrg7g/6XPnWf7QEO4='],
      ['/testPath', 'RoCrHjw7fb9fpHSbqvRUY2xa8RBS0YvI1cxI1x8AS38='],
      ['/testPath?testQuery=yes', 'il99+rd6V5O136roX/zVePCNle78HmvC4B7tu9zRH3I='],
    ] as const) {
      const url = new URL(`https://contoso.communicationservices.azure.com${path}`);
      const headers = signRequest({ method: 'GET', url, body: '' }, key, 'Wed, 13 Apr 2022 18:09:12 GMT');
      expect(headers['authorization']).to.equal(
        `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`,
      );
    }
  });

  it('can have a name as its sender, another version of the API, and another host', async () => {
    const channel = azureSms({
      ...options(),
      endpoint: 'https://acme.communication.azure.com',
      from: 'ACME',
      apiVersion: '2021-03-07',
      baseUrl: azure.baseUrl,
    });
    expect((await send(channel)).status).to.equal('accepted');
    expect(azure.messages[0]?.from).to.equal('ACME');
    expect(azure.requests[0]?.path).to.equal('/sms?api-version=2021-03-07');
  });

  describe('after an unknown outcome', () => {
    const ids = (): unknown[] =>
      bodies().map(({ smsRecipients, smsSendOptions }) => [smsRecipients, smsSendOptions]);

    it('is asked again once with the same ids', async () => {
      for (const fault of [
        { kind: 'html', status: 502 },
        { kind: 'reset' },
        { kind: 'truncated' },
        ...[302, 408, 409, 422, 500, 503].map(
          (status) => ({ kind: 'status', status, body: { error: { code: 'InternalServerError' } } }) as const,
        ),
      ] as const) {
        for (const delivered of [true, false]) {
          const [asked, sent] = [azure.requests.length, azure.messages.length];
          azure.fault({ fault: { ...fault, delivered }, times: 1 });
          const outcome = await send();
          const title = JSON.stringify({ ...fault, delivered });
          expect(azure.messages, title).to.have.length(sent + 1);
          const { messageId: transactionId } = azure.messages.at(-1) ?? {};
          expect(outcome, title).to.include({ status: 'accepted', transactionId });
          expect(azure.inbox(ANA.phone), title).to.have.length(sent + 1);
          const [first, again, ...others] = ids().slice(asked);
          expect(again, title).to.deep.equal(first);
          expect(others, title).to.be.empty;
        }
      }
    });

    it('is asked again after half of the send window', async () => {
      await start(undefined, { deadlineMs: 2200 });
      clock = stopTime();
      azure.fault({ fault: { kind: 'hang', delivered: true }, times: 1 });
      const calling = scene.call();
      await until(() => azure.requests.length === 1);
      await until(() => azure.messages.length === 1);
      clock.tick(1000);
      const command = commandOf(await calling);
      expect(command).to.include({ status: 'SUCCESSFUL', transactionId: azure.messages[0]?.messageId });
      expect(azure.requests).to.have.length(2);
      expect(azure.messages).to.have.length(1);
    });

    it('stays unknown if the repeat is not answered either, and is asked no third time', async () => {
      await start();
      azure.fault({ kind: 'html', status: 500 });
      expect(commandOf(await scene.call())).to.include({ status: 'PENDING', provider: 'AZURE' });
      expect(azure.requests).to.have.length(2);
      expect(scene.twilio.messages).to.be.empty;
    });

    it("stays unknown with the status of Azure's own error as the reason", async () => {
      azure.fault({ kind: 'status', status: 503, body: { error: { code: 'ServiceUnavailable' } } });
      expect(await send()).to.deep.equal({ status: 'unknown', reason: 'Azure answered with status 503' });
    });

    it('stays unknown if the repeat is refused as a request, which says nothing about the first one', async () => {
      for (const status of [401, 429, 503]) {
        azure.fault({ fault: { kind: 'reset', delivered: true }, times: 1 });
        azure.fault({ fault: { kind: 'status', status, body: { error: { code: 'Denied' } } }, times: 1 });
        expect((await send()).status, String(status)).to.equal('unknown');
        azure.clearFaults();
      }
    });

    it('stays unknown if the recipient of the repeat is refused for what may concern the repeat alone', async () => {
      for (const httpStatusCode of [401, 429, 500]) {
        const recipient = {
          ...{ to: ANA.phone, httpStatusCode },
          ...{ repeatabilityResult: 'accepted', successful: false },
        };
        azure.fault({ fault: { kind: 'reset', delivered: true }, times: 1 });
        azure.fault({ fault: { kind: 'status', status: 202, body: { value: [recipient] } }, times: 1 });
        expect((await send()).status, String(httpStatusCode)).to.equal('unknown');
        azure.clearFaults();
      }
    });

    it('is refused if Azure says that it had refused the first request', async () => {
      azure.refuseWith({ httpStatusCode: 400, times: 1 });
      azure.fault({ fault: { kind: 'reset', delivered: true }, times: 1 });
      expect(await send()).to.include({ status: 'refused', code: 'RECIPIENT_400' });
      expect(azure.messages).to.be.empty;
    });

    it('is refused if Azure writes the result of the ids in another case', async () => {
      const recipient = {
        ...{ to: ANA.phone, httpStatusCode: 404 },
        ...{ repeatabilityResult: 'Accepted', successful: false },
      };
      azure.fault({ fault: { kind: 'reset', delivered: true }, times: 1 });
      azure.fault({ fault: { kind: 'status', status: 202, body: { value: [recipient] } }, times: 1 });
      expect(await send()).to.include({ status: 'refused', code: 'RECIPIENT_404' });
    });

    it('stays unknown if Azure did not recognise the ids', async () => {
      const recipient = {
        to: ANA.phone,
        httpStatusCode: 400,
        repeatabilityResult: 'rejected',
        successful: false,
      };
      azure.fault({ fault: { kind: 'reset', delivered: true }, times: 1 });
      azure.fault({ fault: { kind: 'status', status: 202, body: { value: [recipient] } }, times: 1 });
      expect((await send()).status).to.equal('unknown');
    });
  });

  it('does not take a 202 for a success', async () => {
    const recipient = { to: ANA.phone, messageId: 'Outgoing_1', httpStatusCode: 202, successful: true };
    for (const value of [
      [],
      [{ ...recipient, successful: false }],
      [{ ...recipient, messageId: '' }],
      [{ ...recipient, messageId: `for ${ANA.phone}` }],
      [{ ...recipient, httpStatusCode: 500, successful: false }],
      [{ ...recipient, httpStatusCode: 403, successful: false }],
      [recipient, recipient],
      'none',
    ]) {
      azure.clearFaults();
      azure.fault({ kind: 'status', status: 202, body: { value } });
      expect((await send()).status, JSON.stringify(value)).to.equal('unknown');
    }
  });

  describe('refuses', () => {
    const [requests = {}, recipients = {}] = Object.values(ERRORS);
    it('a request, by its status', async () => {
      for (const [code, { cause, reason }] of Object.entries(requests)) {
        const status = Number(code.slice('HTTP_'.length));
        const body = { error: { code: 'Denied', message: ANA.phone } };
        azure.fault({ fault: { kind: 'status', status, body }, times: 1 });
        expect(await send()).to.deep.include({ status: 'refused', code, reason, ...effectOf(cause) });
      }
      expect(azure.requests).to.have.length(Object.keys(requests).length);
    });

    it('a recipient, by the status of its result', async () => {
      for (const [code, { reason, cause }] of Object.entries(recipients)) {
        azure.refuseWith({ httpStatusCode: Number(code.slice('RECIPIENT_'.length)), times: 1 });
        expect(await send()).to.deep.include({ status: 'refused', code, reason, ...effectOf(cause) });
      }
      expect(azure.requests).to.have.length(Object.keys(recipients).length);
    });

    it('a sender that it does not know, and the next provider follows', async () => {
      await start(azureSms({ ...options(), from: '+18335550199' }));
      const command = commandOf(await scene.call());
      expect(command).to.include({ status: 'SUCCESSFUL', provider: 'TWILIO' });
      expect(command?.['transactionMetadata']).to.match(/;refused=sms:RECIPIENT_404$/);
    });
  });

  it('is asked by ready() if it accepts the credentials, and sends nothing', async () => {
    await start();
    expect((await scene.hook.ready()).channels).to.include({ 'sms[0]': 'ok' });
    expect(azure.requests.map(({ method, path }) => `${method} ${path}`)).to.deep.equal([
      'GET /phoneNumbers?api-version=2022-12-01&top=1',
    ]);
    for (const [fault, code] of [
      [{ kind: 'status', status: 401 }, 'PROVIDER_REFUSED'],
      [{ kind: 'status', status: 422 }, 'PROVIDER_REFUSED'],
      [{ kind: 'html', status: 200 }, 'PROVIDER_UNREADABLE'],
      [{ kind: 'reset' }, 'PROVIDER_UNREACHABLE'],
    ] as const) {
      azure.fault(fault);
      expect((await scene.hook.ready()).channels['sms[0]'], code).to.include({ code });
      azure.clearFaults();
    }
    mustNotShow(azure.rotateKey());
    expect((await scene.hook.ready()).channels['sms[0]'])
      .to.include({ code: 'PROVIDER_REFUSED', providerCode: 'HTTP_401' })
      .and.to.have.property('remedy');
    expect(azure.messages).to.be.empty;
  });

  describe('with tokens of Microsoft Entra', () => {
    let fetched: number;
    let fetchToken: () => ReturnType<AzureEmulator['getToken']>;
    beforeEach(() => {
      fetched = 0;
      fetchToken = () => azure.getToken();
    });
    const byToken = (): Channel => {
      const { endpoint } = azure.credential;
      const credential = async () => {
        fetched += 1;
        const token = await fetchToken();
        mustNotShow(token.token);
        return token;
      };
      return azureSms({ endpoint, credential, from: azure.number });
    };
    const connected = () => connectChannel(byToken(), { channel: 'sms', clock: () => now });
    const sendBy = (channel: ReturnType<typeof connected>): Promise<Outcome> =>
      channel.send(MESSAGE, contextOf());
    // The emulator would take a second message with one reference for a repeat.
    const REFERENCES = { a: REFERENCE.replace(/^./, 'a'), b: REFERENCE.replace(/^./, 'b') };

    it('gets one for all messages of its life but the last two minutes', async () => {
      const channel = connected();
      await Promise.all([
        sendBy(channel),
        channel.send(MESSAGE, { ...contextOf(), reference: REFERENCES.a }),
      ]);
      expect(fetched).to.equal(1);
      expect(azure.messages).to.have.length(2);
      now += 58 * 60_000 - 1;
      await sendBy(channel);
      expect(fetched).to.equal(1);
      now += 1;
      await channel.send(MESSAGE, { ...contextOf(), reference: REFERENCES.b });
      expect(fetched).to.equal(2);
      expect(azure.messages).to.have.length(3);
      const [first, , , last] = azure.requests.map(({ headers }) => headers.authorization);
      expect(last).to.not.equal(first);
    });

    it('gets one for each message if the end of a token is missing or not a number', async () => {
      for (const end of [undefined, NaN, Infinity, 'noon']) {
        fetched = 0;
        fetchToken = async () => ({ ...(await azure.getToken()), expiresOnTimestamp: end as number });
        const channel = connected();
        expect((await sendBy(channel)).status, String(end)).to.equal('accepted');
        expect((await sendBy(channel)).status, String(end)).to.equal('accepted');
        expect(fetched, String(end)).to.equal(2);
        fetchToken = () => Promise.reject(new Error());
        expect(await sendBy(channel), String(end)).to.include({ status: 'refused', code: 'NO_TOKEN' });
      }
    });

    it('gets a new one after Azure has refused the old one', async () => {
      const channel = connected();
      await sendBy(channel);
      azure.revokeTokens();
      expect(await sendBy(channel)).to.include({ status: 'refused', code: 'HTTP_401' });
      expect((await sendBy(channel)).status).to.equal('accepted');
    });

    it('goes on with the old one while no new one comes', async () => {
      const channel = connected();
      await sendBy(channel);
      now += 59 * 60_000;
      fetchToken = () => Promise.reject(new Error(`secret for ${ANA.login}`));
      const second = { ...contextOf(), reference: REFERENCES.a };
      expect((await channel.send(MESSAGE, second)).status).to.equal('accepted');
      fetchToken = () => new Promise(() => undefined);
      clock = stopTime();
      const third = channel.send(MESSAGE, { ...contextOf(), reference: REFERENCES.b });
      await clock.tickAsync(699);
      expect(azure.requests).to.have.length(2);
      await clock.tickAsync(1);
      expect((await third).status).to.equal('accepted');
      now += 60_000;
      const late = sendBy(channel);
      await clock.tickAsync(700);
      expect(await late).to.include({ status: 'refused', code: 'NO_TOKEN', hasLeft: false });
    });

    for (const [title, fetch] of [
      ['rejects', () => Promise.reject(new Error(`secret for ${ANA.login}`))],
      [
        'throws',
        () => {
          throw new Error(`secret for ${ANA.login}`);
        },
      ],
      ['gives none', () => Promise.resolve(null)],
      ['gives a token with a line break', () => Promise.resolve({ token: 'a\nb', expiresOnTimestamp: NOON })],
    ] as const) {
      it(`sends nothing if the function ${title}, and the next provider follows`, async () => {
        fetchToken = fetch as typeof fetchToken;
        const { endpoint } = azure.credential;
        await start(azureSms({ endpoint, credential: async () => fetchToken(), from: azure.number }));
        const command = commandOf(await scene.call());
        expect(command?.['transactionMetadata']).to.match(/;refused=sms:NO_TOKEN$/);
        expect(command).to.include({ provider: 'TWILIO' });
        expect(azure.requests).to.be.empty;
        expect((await scene.hook.ready()).channels['sms[0]']).to.include({ code: 'PROVIDER_UNREACHABLE' });
      });
    }

    it('waits 700 ms for one, and calls the function again after ten seconds', async () => {
      await start(byToken(), { deadlineMs: 2200 });
      fetchToken = () => new Promise(() => undefined);
      clock = stopTime();
      const calling = scene.call();
      await until(() => fetched === 1);
      clock.tick(700);
      expect(commandOf(await calling)).to.include({ provider: 'TWILIO' });
      clock.tick(9_300);
      fetchToken = () => azure.getToken();
      expect(commandOf(await passTime(clock, scene.call(), 2200))).to.include({ provider: 'AZURE' });
      expect(fetched).to.equal(2);
    });

    it('calls the function again after it has thrown before its promise', async () => {
      const { endpoint } = azure.credential;
      const credential = () => {
        fetched += 1;
        if (fetched === 1) throw new Error(`secret for ${ANA.login}`);
        return azure.getToken();
      };
      const channel = connectChannel(azureSms({ endpoint, credential, from: azure.number }), {
        channel: 'sms',
        clock: () => now,
      });
      expect(await sendBy(channel)).to.include({ status: 'refused', code: 'NO_TOKEN', hasLeft: false });
      expect((await sendBy(channel)).status).to.equal('accepted');
    });
  });

  it('cannot be mounted as voice', () => {
    const made = (): unknown => connectChannel(azureSms(options()), { channel: 'voice' });
    expect(problemsOf(made)).to.deep.equal(['azureSms sends texts; mount it under another name than voice']);
  });
});

describe('the options of azureSms', () => {
  const KEY = Buffer.from('an access key of the resource').toString('base64');
  const good = { endpoint: 'https://acme.communication.azure.com', accessKey: KEY, from: '+18335550100' };
  beforeEach(() => {
    mustNotShow(KEY);
  });
  const endpointProblem =
    "endpoint must be the resource's endpoint, such as https://acme.communication.azure.com; https, or http on loopback";
  const keyProblem =
    "accessKey must be an access key of the resource: base64, without 'endpoint=' and 'accesskey='";
  const secretProblem =
    "reportSecret must be a secret of at least 16 letters, digits, '.', '_', '~' and '-', or a list of one or two, or be left out";
  const rows: readonly (readonly [problems: readonly string[], ...options: unknown[]])[] = [
    [
      [],
      good,
      { ...good, from: 'ACME' },
      { ...good, from: '12345' },
      {
        ...good,
        reportSecret: REPORT_SECRET,
        apiVersion: '2025-08-01-preview',
        baseUrl: 'http://localhost:8080',
      },
      { ...good, reportSecret: [REPORT_SECRET, `${REPORT_SECRET}2`] },
      { ...good, accessKey: undefined, credential: () => Promise.resolve(null) },
    ],
    [['The options must be an object'], undefined, null, KEY],
    [
      [
        'give accessKey or credential: one of the two. accessKey is undefined: is the variable that it comes from set?',
      ],
      { ...good, accessKey: undefined },
    ],
    [['give accessKey or credential: one of the two'], { ...good, credential: () => Promise.resolve(null) }],
    [
      [endpointProblem],
      ...['http://acme.example', 'https://acme.example/sms', 1].map((endpoint) => ({ ...good, endpoint })),
    ],
    [
      [keyProblem],
      ...[`endpoint=https://a.example/;accesskey=${KEY}`, `${KEY} `, '', 1].map((accessKey) => ({
        ...good,
        accessKey,
      })),
    ],
    [
      ['credential must be a function () => a promise of { token, expiresOnTimestamp }'],
      { ...good, accessKey: undefined, credential: { getToken: () => undefined } },
    ],
    [
      [
        'from must be a phone number in E.164 form, a short code, or a name of 1 to 11 letters, digits and spaces with a letter',
      ],
      ...['Twelve Letters', undefined].slice(0, 1).map((from) => ({ ...good, from })),
    ],
    [
      [secretProblem],
      ...['short', [], [1], Array(3).fill(REPORT_SECRET), 'with a space in the middle'].map(
        (reportSecret) => ({ ...good, reportSecret }),
      ),
    ],
    [
      ["apiVersion must be a version of Azure's API such as '2026-01-23', or be left out"],
      { ...good, apiVersion: 'v1' },
    ],
    [
      [
        'baseUrl must be an origin without a path, such as https://acme.communication.azure.com; https, or http on loopback, or be left out',
      ],
      { ...good, baseUrl: 'http://acme.example' },
    ],
  ];
  it('are accepted if valid, otherwise refused with every problem, its remedy and no value', () => {
    for (const [expected, ...given] of rows) {
      for (const [index, options] of given.entries()) {
        const problems = problemsOf(() => azureSms(options as AzureSmsOptions));
        expect(problems, `${expected.join()} ${index}`).to.deep.equal(expected);
      }
    }
  });
});
