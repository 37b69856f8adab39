import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import type sinon from 'sinon';
import express from 'express';
import { transform } from 'esbuild';
import type {
  CallbackAnswer,
  CallbackReceiver,
  CallbackRequest,
  Channel,
  ConnectedChannel,
  Outcome,
  SendContext,
} from '#lib/index.js';
import { fakeClock } from '#harness/fake-clock.js';
import { ANA, BOB, channelOf, scenes, wamid, type Scene, type SceneOptions } from '#harness/scene.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { eachWithTwoGateways } from '#harness/two-gateways.js';
import { held, until } from '#harness/until.js';
import { snippetIn } from '../docs/snippets.js';

const SECRET = 'acme-webhook-secret-4711';

/** The receiver of the guide. */
async function guideReceiver(): Promise<CallbackReceiver> {
  const code = snippetIn('docs/deliver/custom-channel.md', 'Reports that the provider sends');
  const { code: script } = await transform(code, { loader: 'ts' });
  const module = (await import(`data:text/javascript,${encodeURIComponent(script)}`)) as {
    acmeReports(secret: string): CallbackReceiver;
  };
  return module.acmeReports(SECRET);
}

/** A message as the provider has it. */
interface Sent {
  readonly id: string;
  readonly ref: string;
  readonly url: string | undefined;
}

describe('a channel that receives', () => {
  let scene: Scene;
  let receive: CallbackReceiver;
  /** What the provider got. */
  let sent: Sent[];
  /** What the provider answers to a send. */
  let answer: (message: Sent) => Outcome | Promise<Outcome>;
  let clock: sinon.SinonFakeTimers | undefined;
  before(async () => {
    await warmUp();
    receive = await guideReceiver();
  });
  beforeEach(() => {
    sent = [];
    answer = ({ id }) => ({ status: 'accepted', transactionId: id });
  });
  afterEach(() => {
    clock?.restore();
    clock = undefined;
  });
  const startScene = scenes();
  const acme = (parts: Partial<ConnectedChannel> = {}): Channel => ({
    provider: 'ACME',
    receive,
    send: (_message, { reference, callbackUrl }: SendContext) => {
      const message = { id: `acme-${sent.length + 1}`, ref: reference, url: callbackUrl };
      sent.push(message);
      return Promise.resolve(answer(message));
    },
    ...parts,
  });
  /** A gateway that sends WhatsApp by the provider, and SMS by Twilio. */
  const start = async (hook: SceneOptions['hook'] = {}, options: SceneOptions = {}): Promise<void> => {
    scene = await startScene({
      hasCallbacks: true,
      hook: {
        sandboxNumber: undefined,
        channels: { whatsapp: acme() },
        resend: { nextRoute: false },
        ...hook,
      },
      ...options,
    });
  };
  const post = async (
    body: string,
    {
      url = `${scene.url}/callbacks/whatsapp`,
      secret = SECRET,
      ...init
    }: { url?: string; secret?: string } & RequestInit = {},
  ): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: {
        'acme-signature': createHmac('sha256', secret).update(body).digest('hex'),
        'content-type': 'application/json',
      },
      body,
      ...init,
    });
  const report = async (
    ...reports: { id?: string | undefined; ref?: string | undefined; state: string }[]
  ): Promise<number> => (await post(JSON.stringify(reports))).status;
  const sms = (): number => scene.twilio.messages.length;
  const statuses = (): unknown[] =>
    scene
      .of('message.reported')
      .filter(({ channel }) => channel === 'whatsapp')
      .map(({ status }) => status);
  const failedOver = (): boolean => scene.of('failover.ended').length === 1;
  const settled = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
  };

  it('starts late failover by a failure, and tells whose message it was', async () => {
    await start();
    const call = await scene.call({ eventId: 'event-1' });
    expect(channelOf(call)).to.equal('whatsapp');
    const [message] = sent;
    expect(message?.url).to.equal(`${scene.url}/callbacks/whatsapp`);
    expect(await report({ id: message?.id, state: 'sent' }, { id: message?.id, state: 'lost' })).to.equal(
      204,
    );
    await until(failedOver);
    expect(sms()).to.equal(1);
    expect(statuses()).to.deep.equal(['sent', 'lost']);
    expect(scene.of('message.reported')[1]).to.deep.include({
      eventId: 'event-1',
      userId: ANA.id,
      toEnding: '23',
      transactionId: message?.id,
      report: 'failed',
      code: 'LOST',
      reason: 'Acme could not deliver it',
    });
    expect(scene.of('failover.ended')[0]).to.deep.nested.include({
      fromChannel: 'whatsapp',
      'cause.code': 'LOST',
      outcome: 'accepted',
      channel: 'sms',
    });
  });

  describe('with afterSeconds', () => {
    const lateFailover = { afterSeconds: { whatsapp: 20 } };
    const sendSilently = async (eventId: string): Promise<void> => {
      await scene.call({ eventId, otpCode: eventId === 'event-1' ? '204981' : '771203' });
      clock?.tick(20_000);
      await settled();
    };
    beforeEach(() => {
      clock = stopTime();
    });

    it('takes its silence for a loss only after its first report: its URL or its secret may be wrong', async () => {
      await start({ channels: { whatsapp: acme({ reports: 'deliveries' }) }, lateFailover });
      const warned = scene.of('configuration.warned').map(({ option }) => option);
      expect(warned).not.to.include('lateFailover.afterSeconds');
      const forged = JSON.stringify([{ id: 'acme-1', state: 'sent' }]);
      expect((await post(forged, { secret: 'another-secret' })).status).to.equal(401);
      expect(await report()).to.equal(204);
      await sendSilently('event-1');
      expect(sms()).to.equal(0);
      expect(await report({ id: 'acme-1', state: 'sent' })).to.equal(204);
      // One without reports, such as a challenge, takes nothing back.
      expect(await report()).to.equal(204);
      await sendSilently('event-2');
      await until(failedOver);
      expect(scene.of('failover.ended')[0]).to.deep.nested.include({
        eventId: 'event-2',
        'cause.code': 'NOT_DELIVERED_IN_TIME',
      });
      expect(sms()).to.equal(1);
    });

    it('takes its silence for a loss at once if the hook can ask', async () => {
      const lookUp = () => Promise.resolve({ status: 'pending' } as const);
      await start({ channels: { whatsapp: acme({ reports: 'deliveries', lookUp }) }, lateFailover });
      await scene.call();
      for (let second = 0; second < 20; second += 1) {
        // It asks several times, each after the answer to the one before.
        clock?.tick(1000);
        await settled();
      }
      await until(failedOver);
      expect(sms()).to.equal(1);
    });
  });

  for (const [how, first, then] of [
    ['twice', 'lost', 'lost'],
    ['after a delivery', 'arrived', 'lost'],
    ['before a delivery', 'lost', 'arrived'],
  ] as const) {
    it(`changes nothing if a failure comes ${how}`, async () => {
      await start();
      await scene.call();
      const [message] = sent;
      for (const state of [first, then, first, then]) await report({ id: message?.id, state });
      if (first === 'lost') await until(failedOver);
      await settled();
      expect(sms()).to.equal(first === 'lost' ? 1 : 0);
      expect(statuses()).to.deep.equal([...new Set([first, then])]);
    });
  }

  describe('with reports that name the attempt alone', () => {
    it('knows the message', async () => {
      await start();
      await scene.call({ eventId: 'event-1' });
      const [message] = sent;
      await report({ ref: message?.ref, state: 'lost' });
      await until(failedOver);
      expect(sms()).to.equal(1);
      expect(scene.of('message.reported')[0]).to.include({ eventId: 'event-1', transactionId: message?.id });
      // With the id, it is the same message.
      await report({ id: message?.id, state: 'lost' }, { id: message?.id, ref: message?.ref, state: 'lost' });
      await settled();
      expect(sms()).to.equal(1);
      expect(scene.of('callback.unmatched')).to.be.empty;
    });

    it('knows the message if the report comes before the answer to the send', async () => {
      await start();
      answer = async (message) => {
        await report({ ref: message.ref, state: 'lost' });
        return { status: 'accepted', transactionId: message.id };
      };
      await scene.call({ eventId: 'event-1' });
      await until(failedOver);
      expect(sms()).to.equal(1);
      expect(scene.of('message.reported')[0]).to.include({ eventId: 'event-1', toEnding: '23' });
      await report({ ref: sent[0]?.ref, state: 'lost' });
      await settled();
      expect(sms()).to.equal(1);
    });

    it('knows a message of unknown outcome', async () => {
      await start();
      answer = () => ({ status: 'unknown', reason: 'The answer was lost' });
      const call = await scene.call();
      expect(call.okta.action).to.equal('pending');
      const [message] = sent;
      await report({ ref: message?.ref, state: 'lost' });
      await until(failedOver);
      expect(sms()).to.equal(1);
      expect(scene.of('attempt.settled')[0]).to.include({ outcome: 'accepted', transactionId: message?.ref });
    });
  });

  it('resolves an unknown outcome by a report with both, after a failure with the id alone', async () => {
    await start();
    answer = () => ({ status: 'unknown', reason: 'The answer was lost' });
    await scene.call();
    const [message] = sent;
    await report({ id: message?.id, state: 'lost' });
    await report({ id: message?.id, ref: message?.ref, state: 'lost' });
    await until(failedOver);
    expect(scene.of('attempt.settled')[0]).to.include({ outcome: 'accepted', transactionId: message?.id });
    expect(sms()).to.equal(1);
  });

  for (const [how, outcome, named] of [
    ['the id alone', 'accepted', false],
    ['both', 'accepted', true],
    ['both, of unknown outcome', 'unknown', true],
  ] as const) {
    it(`follows a failure that comes with ${how}, after a report on the attempt before the answer`, async () => {
      await start();
      answer = async ({ id, ref }) => {
        await report({ ref, state: 'sent' });
        return outcome === 'accepted'
          ? { status: outcome, transactionId: id }
          : { status: outcome, reason: 'Lost' };
      };
      await scene.call();
      const [message] = sent;
      await report({ id: message?.id, ref: named ? message?.ref : undefined, state: 'lost' });
      await until(failedOver);
      expect(sms()).to.equal(1);
    });
  }

  it('tells of a report before the answer to the send under the id that the attempt has', async () => {
    await start();
    answer = async (message) => {
      await report({ id: message.id, ref: message.ref, state: 'arrived' });
      return { status: 'accepted', transactionId: message.id };
    };
    await scene.call({ eventId: 'event-1' });
    const of = { eventId: 'event-1', transactionId: sent[0]?.id };
    expect(scene.of('attempt.ended')[0]).to.include(of);
    expect(scene.of('message.reported')).to.have.length(1);
    expect(scene.of('message.reported')[0]).to.include({ ...of, status: 'arrived' });
  });

  it('resolves an unknown outcome by a report with the reference and the id', async () => {
    await start();
    answer = () => ({ status: 'unknown', reason: 'The answer was lost' });
    await scene.call({ eventId: 'event-1' });
    const [message] = sent;
    await report({ id: message?.id, ref: message?.ref, state: 'sent' });
    const of = { eventId: 'event-1', transactionId: message?.id };
    expect(scene.of('message.reported')[0]).to.include({ ...of, status: 'sent' });
    expect(scene.of('attempt.settled')[0]).to.include({ outcome: 'accepted', transactionId: message?.id });
    await report({ id: message?.id, state: 'arrived' });
    await settled();
    expect(statuses()).to.deep.equal(['sent', 'arrived']);
    expect(sms()).to.equal(0);
  });

  it('shows an id that hides the number as a digest, the same in each event', async () => {
    await start();
    const id = wamid(ANA.phone.slice(1));
    answer = () => ({ status: 'accepted', transactionId: id });
    await scene.call();
    await report({ id, state: 'arrived' }, { id: wamid(BOB.phone.slice(1)), state: 'arrived' });
    const [attempt] = scene.of('attempt.ended');
    expect(attempt?.transactionId).to.match(/^[\w-]{43}$/);
    expect(scene.of('message.reported')[0]?.transactionId).to.equal(attempt?.transactionId);
    // Nobody knows this one.
    expect(scene.of('message.reported')[1]?.transactionId).to.match(/^[\w-]{43}$/);
  });

  it('takes no report of another channel, though it has the reference of the attempt', async () => {
    await start({ channels: { whatsapp: acme({ receive: undefined }), other: acme() } });
    answer = () => ({ status: 'unknown', reason: 'The answer was lost' });
    await scene.call();
    const body = JSON.stringify([{ ref: sent[0]?.ref, state: 'lost' }]);
    expect((await post(body, { url: `${scene.url}/callbacks/other` })).status).to.equal(204);
    await settled();
    expect(scene.of('attempt.settled')).to.be.empty;
    expect(sms()).to.equal(0);
  });

  it('masks what a report says, and shows no number as a status or a code', async () => {
    await start();
    await scene.call();
    const [message] = sent;
    const { handle } = receive;
    receive.handle = () => ({
      status: 200,
      reports: [
        {
          transactionId: message?.id,
          status: 'failed',
          providerStatus: ANA.phone,
          code: ANA.phone.slice(1),
          reason: `No ${ANA.phone}`,
          remedy: `Ask ${ANA.phone}`,
        },
      ],
    });
    expect((await post('')).status).to.equal(200);
    receive.handle = handle;
    const [reported] = scene.of('message.reported');
    expect(reported).to.include({ status: 'failed', code: 'FAILED' });
    expect(reported?.reason).to.match(/^No /);
    expect(reported?.remedy).to.match(/^Ask /);
  });

  it('refuses a sender that is not proven, and reports it once a minute', async () => {
    await start();
    await scene.call();
    const body = JSON.stringify([{ id: sent[0]?.id, state: 'lost' }]);
    for (let request = 0; request < 3; request += 1)
      expect((await post(body, { secret: 'wrong' })).status).to.equal(401);
    await settled();
    expect(statuses()).to.be.empty;
    expect(sms()).to.equal(0);
    const rejected = scene.of('request.rejected');
    expect(rejected).to.have.length(1);
    expect(rejected[0]).to.include({ status: 401, code: 'BAD_SIGNATURE', channel: 'whatsapp' });
    expect(scene.log.at(-1)?.message).to.include('A callback to the channel whatsapp was rejected');
  });

  describe('gets', () => {
    const requests: CallbackRequest[] = [];
    let given: unknown;
    const receiver: CallbackReceiver = {
      methods: ['GET', 'POST'],
      handle: (request) => {
        requests.push(request);
        if (given instanceof Error) throw given;
        return given as CallbackAnswer;
      },
    };
    beforeEach(() => {
      requests.length = 0;
      given = { status: 200, body: '{"ok":1}', contentType: 'application/json' };
    });
    const startWith = (): Promise<void> =>
      start({ channels: { whatsapp: [acme(), acme({ receive: receiver })] } });
    const url = (): string => `${scene.url}/callbacks/whatsapp/1`;

    it('the request as the provider made it, and its answer goes out as it is', async () => {
      await startWith();
      const answered = await fetch(`${url()}?hub.mode=a&hub.mode=b&x=%20`, { headers: { 'x-one': 'two' } });
      expect([answered.status, answered.headers.get('content-type'), await answered.text()]).to.deep.equal([
        200,
        'application/json',
        '{"ok":1}',
      ]);
      const [get] = requests;
      expect(get).to.include({ method: 'GET', url: `${url()}?hub.mode=a&hub.mode=b&x=%20` });
      expect({ ...get?.query }).to.deep.equal({ 'hub.mode': 'a', x: ' ' });
      expect(get?.headers['x-one']).to.equal('two');
      expect(get?.rawBody).to.have.length(0);
      const bytes = Buffer.alloc(3 * 1024 * 1024, 0xff);
      expect((await fetch(url(), { method: 'POST', body: bytes })).status).to.equal(200);
      expect(requests[1]?.rawBody.equals(bytes)).to.equal(true);
    });

    it('nothing of another method, or of a body that is too large or already parsed', async () => {
      await start(
        { channels: { whatsapp: acme({ receive: receiver }) } },
        {
          mount: (app, hook) => {
            app.use('/parsed', express.json(), hook);
            app.use(hook);
          },
        },
      );
      const at = `${scene.url}/callbacks/whatsapp`;
      const put = await fetch(at, { method: 'PUT' });
      expect([put.status, put.headers.get('allow')]).to.deep.equal([405, 'GET, POST']);
      const large = await fetch(at, { method: 'POST', body: Buffer.alloc(3 * 1024 * 1024 + 1) });
      expect(large.status).to.equal(413);
      const parsed = at.replace('/okta', '/parsed/okta');
      const { status, body } = await post('{}', { url: parsed }).then(async (read) => ({
        status: read.status,
        body: await read.text(),
      }));
      expect(status).to.equal(400);
      expect(body).to.include('mount the hook ahead of what reads bodies');
      expect(requests).to.be.empty;
    });

    it('a callback again after a throw, or an answer that cannot be used', async () => {
      await startWith();
      const mistakes = (): string[] =>
        scene.of('extension.failed').map(({ extension, reason }) => `${extension} ${reason}`);
      for (const [wrong, status, reason] of [
        [new TypeError('Ana 204981'), 500, 'receive whatsapp[1]: its receive threw TypeError'],
        [{ status: 99 }, 500, 'its receive gave no status'],
        [{ status: 404, reports: [{ transactionId: 'T1', status: 'failed' }], inbound: [{}] }, 404, ''],
        [{ status: 200, reports: [{ status: 'delivered' }] }, 200, 'its report names no message'],
        [{ status: 200, reports: [{ transactionId: 'T1', status: 'gone' }] }, 200, 'none of the statuses'],
        [
          { status: 200, inbound: [{ messageId: 'M1', text: 'STOP', from: '0123' }] },
          200,
          'its inbound message',
        ],
        // A number is no id: events would show it.
        [
          { status: 200, inbound: [{ messageId: 'M1', text: 'STOP', externalUserId: ANA.phone }] },
          200,
          'its inbound message',
        ],
      ] as const) {
        await start({ channels: { whatsapp: [acme(), acme({ receive: receiver })] } });
        given = wrong;
        expect((await fetch(url())).status).to.equal(status);
        expect(mistakes().join()).to.include(reason);
        if (reason === '') expect([...mistakes(), ...scene.of('message.reported')]).to.be.empty;
      }
    });

    /** A body of unknown length, which counts as 3 MiB. It ends when the function that is added is called. */
    const bodyOf = (held: (() => void)[]): ReadableStream =>
      new ReadableStream({
        start(controller) {
          controller.enqueue(new Uint8Array(1));
          held.push(() => {
            controller.close();
          });
        },
      });

    it('as much as 64 MiB at once', async () => {
      await startWith();
      const held: (() => void)[] = [];
      const sending = Array.from({ length: 22 }, () => {
        const sent = { method: 'POST', body: bodyOf(held), duplex: 'half' } as RequestInit;
        return fetch(url(), sent).then(({ status }) => {
          if (status === 503) for (const go of held) go();
          return status;
        });
      });
      const statuses = await Promise.all(sending);
      expect(statuses.filter((status) => status === 503)).to.have.length(1);
      expect(statuses.filter((status) => status === 200)).to.have.length(21);
      const next = fetch(url(), { method: 'POST', body: bodyOf(held), duplex: 'half' } as RequestInit);
      held.at(-1)?.();
      expect((await next).status).to.equal(200);
    });

    it('500 for the provider if the channel does not answer within 10 s', async () => {
      await startWith();
      clock = fakeClock(['setTimeout', 'clearTimeout']);
      given = new Promise(() => undefined);
      const answering = fetch(url());
      await until(() => requests.length === 1);
      await clock.tickAsync(10_000);
      expect((await answering).status).to.equal(500);
      expect(scene.of('extension.failed')[0]?.reason).to.include('no answer within 10 s');
    });

    it('nothing without publicUrl, which is warned of', async () => {
      const hook = {
        channels: { whatsapp: acme({ reports: 'deliveries' }) },
        // Without reports, the silence of the channel means nothing.
        lateFailover: { afterSeconds: { whatsapp: 20 } },
      } as const;
      await start(hook, { hasCallbacks: false });
      const warned = scene.of('configuration.warned').map(({ option, where }) => [option, where]);
      expect(warned).to.deep.include(['channels.receive', ['channels.whatsapp']]);
      expect(warned).to.deep.include(['lateFailover.afterSeconds', ['lateFailover.afterSeconds.whatsapp']]);
      await scene.call();
      expect(sent[0]?.url).to.equal(undefined);
      expect((await post('[]')).status).to.equal(404);
    });
  });

  describe('messages of users', () => {
    const inbox = (message: object): CallbackReceiver => ({
      handle: () => ({ status: 200, inbound: [message as never] }),
    });
    const write = async (message: object, status = 200): Promise<void> => {
      receive.handle = inbox(message).handle;
      expect((await post('')).status).to.equal(status);
    };
    let handle: CallbackReceiver['handle'];
    before(() => ({ handle } = receive));
    after(() => {
      receive.handle = handle;
    });

    it('turns the channel off by STOP and on by START, once for each message', async () => {
      await start();
      await write({ messageId: 'M1', text: 'Stop', from: ANA.phone });
      expect(channelOf(await scene.call())).to.equal('sms');
      const [suppression] = await scene.hook.suppressions(ANA.phone);
      expect(suppression).to.include({ channel: 'whatsapp', reason: 'stopped' });
      await write({ messageId: 'M2', text: 'START', from: ANA.phone });
      expect(channelOf(await scene.call())).to.equal('whatsapp');
      // A replay of the first one.
      await write({ messageId: 'M1', text: 'Stop', from: ANA.phone });
      expect(channelOf(await scene.call())).to.equal('whatsapp');
      expect(
        scene
          .of('inbound.received')
          .map(({ channel, keyword, fromEnding }) => [channel, keyword, fromEnding]),
      ).to.deep.equal([
        ['whatsapp', 'stop', '23'],
        ['whatsapp', 'start', '23'],
      ]);
    });

    it('obeys the newest word, also if an older one comes late', async () => {
      await start();
      const at = (secondsAgo: number): Date => new Date(Date.now() - secondsAgo * 1000);
      await write({ messageId: 'M2', text: 'START', from: ANA.phone, sentAt: at(60) });
      await write({ messageId: 'M1', text: 'STOP', from: ANA.phone, sentAt: at(3_600) });
      expect(channelOf(await scene.call())).to.equal('whatsapp');
      await write({ messageId: 'M3', text: 'STOP', from: ANA.phone, sentAt: at(-3_600) });
      expect(channelOf(await scene.call())).to.equal('sms');
    });

    it('gives other texts to onMessage', async () => {
      const got: unknown[] = [];
      await start({
        inbound: {
          onMessage: (message) => {
            got.push(message);
            return { text: 'Hello', isStart: true };
          },
        },
      });
      await write({ messageId: 'M1', text: 'STOP', externalUserId: 'id-1', from: ANA.phone });
      await write({ messageId: 'M2', text: 'again please', externalUserId: 'id-1' });
      expect(got).to.deep.equal([
        {
          messageId: 'M2',
          channel: 'whatsapp',
          from: ANA.phone,
          externalUserId: 'id-1',
          text: 'again please',
          isHandled: false,
        },
      ]);
      expect(channelOf(await scene.call())).to.equal('whatsapp');
    });

    it('gets them at another gateway once this one is closing, and reports once it has closed', async () => {
      const sending = held<Outcome>();
      answer = sending.run;
      await start();
      const call = scene.call();
      await sending.called;
      const closing = scene.hook.close();
      await write({ messageId: 'M1', text: 'STOP', from: ANA.phone }, 503);
      receive.handle = () => ({ status: 204 });
      expect((await post('')).status).to.equal(204);
      sending.resolve({ status: 'accepted', transactionId: 'acme-1' });
      await Promise.all([call, closing]);
      expect((await post('')).status).to.equal(503);
    });
  });
});

describe('reports on the attempt alone, at another gateway than the sender', () => {
  const gateways = eachWithTwoGateways();

  for (const [when, isEarly] of [
    ['after the answer to the send', false],
    ['before the answer to the send', true],
  ] as const) {
    it(`start late failover once if they come ${when}`, async () => {
      const both = gateways();
      const receive = await guideReceiver();
      let attempt = '';
      const report = async (url: string): Promise<void> => {
        const body = JSON.stringify([{ ref: attempt, state: 'lost' }]);
        const signature = createHmac('sha256', SECRET).update(body).digest('hex');
        const headers = { 'acme-signature': signature };
        const { status } = await fetch(`${url}/callbacks/whatsapp`, { method: 'POST', headers, body });
        expect(status).to.equal(204);
      };
      const whatsapp: Channel = {
        receive,
        send: async (_message, { reference }) => {
          attempt = reference;
          if (isEarly) await report(both.other.url);
          return { status: 'accepted', transactionId: 'acme-1' };
        },
      };
      await both.start({ channels: { whatsapp } });
      const { scene, other } = both;
      await scene.call();
      await scene.hook.ready();
      for (const { url } of [other, scene, other]) await report(url);
      await until(() => both.endings.length > 0);
      await Promise.all([scene.hook.close(), other.hook.close()]);
      expect(both.endings).to.deep.equal(['accepted']);
      expect(both.texts).to.equal(1);
    });
  }
});
