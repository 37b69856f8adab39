import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { whatsAppCloud, type WhatsAppCloudOptions } from '#lib/channels/index.js';
import { metaWebhook } from '#lib/channels/meta/callbacks.js';
import { startMetaEmulator, type MetaEmulator } from '#lib/testing/index.js';
import { contextOf } from '#harness/channels.js';
import { ANA, BOB, channelOf, commandOf, scenes, type Scene, type SceneOptions } from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';
import { until } from '#harness/until.js';

describe("Meta's webhook", () => {
  let meta: MetaEmulator;
  let scene: Scene;
  const startScene = scenes();
  beforeEach(async () => {
    meta = await startMetaEmulator();
    const { accessToken, appSecret, verifyToken } = meta.credential;
    mustNotShow(accessToken, appSecret, verifyToken);
  });
  afterEach(() => meta.close());

  /** A gateway that sends WhatsApp by Meta, and SMS by Twilio. Meta knows its webhook. */
  const start = async (
    options: Partial<WhatsAppCloudOptions> = {},
    hook: SceneOptions['hook'] = {},
  ): Promise<void> => {
    const whatsapp = whatsAppCloud({ ...meta.credential, ...options });
    scene = await startScene({
      hasCallbacks: true,
      hook: { sandboxNumber: undefined, channels: { whatsapp }, resend: { nextRoute: false }, ...hook },
    });
    await meta.setWebhook(url());
  };
  const url = (): string => `${scene.url}/callbacks/whatsapp`;
  const sms = (): number => scene.twilio.messages.length;
  const statuses = (): unknown[] =>
    scene
      .of('message.reported')
      .filter(({ channel }) => channel === 'whatsapp')
      .map(({ status }) => status);
  const failedOver = (): boolean => scene.of('failover.ended').length > 0;

  /** A payload as Meta posts it, and its change for one number. */
  const change = (value: object, phoneNumberId = meta.phoneNumberId, field = 'messages'): object => ({
    field,
    value: { messaging_product: 'whatsapp', metadata: { phone_number_id: phoneNumberId }, ...value },
  });
  const payload = (...changes: readonly object[]): object => ({
    object: 'whatsapp_business_account',
    entry: changes.map((one) => ({ id: meta.accountId, changes: [one] })),
  });
  const status = (word: string, fields: object = {}): object => ({
    id: meta.messages.at(-1)?.id,
    status: word,
    timestamp: '1764600000',
    recipient_id: ANA.phone.slice(1),
    ...fields,
  });
  const failed = (code: number, fields: object = {}): object =>
    status('failed', { errors: [{ code, title: 'No', message: `to ${ANA.phone}` }], ...fields });
  const post = async (
    body: object | string,
    { secret, signature }: { secret?: string; signature?: string } = {},
  ): Promise<number> => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const digest = createHmac('sha256', secret ?? meta.credential.appSecret)
      .update(text)
      .digest('hex');
    const headers = { 'x-hub-signature-256': signature ?? `sha256=${digest}` };
    const answered = await fetch(url(), { method: 'POST', headers, body: text });
    expect(await answered.text()).to.equal('');
    return answered.status;
  };
  const report = (...given: readonly object[]): Promise<number> => post(payload(change({ statuses: given })));
  /** Sends a code. Meta itself reports nothing. */
  const send = async (): Promise<void> => {
    meta.faultCallbacks({ copies: 0 });
    await scene.call();
  };

  describe('is verified', () => {
    const verify = async (
      query: Readonly<Record<string, string>>,
    ): Promise<[number, string, string | null]> => {
      const answered = await fetch(`${url()}?${new URLSearchParams(query)}`);
      return [answered.status, await answered.text(), answered.headers.get('content-type')];
    };

    it('by its token: the answer is the challenge, as text', async () => {
      await start();
      const fine = {
        'hub.mode': 'subscribe',
        'hub.challenge': '<b>1158201444</b>',
        'hub.verify_token': meta.credential.verifyToken,
      };
      expect(await verify(fine)).to.deep.equal([200, '<b>1158201444</b>', 'text/plain; charset=utf-8']);
      for (const wrong of [
        { ...fine, 'hub.verify_token': 'another' },
        { ...fine, 'hub.verify_token': '' },
        { ...fine, 'hub.mode': 'unsubscribe' },
        {},
      ]) {
        const [code, body] = await verify(wrong);
        expect([code, body]).to.deep.equal([403, '']);
      }
      expect(scene.of('request.rejected')).to.have.length(1);
      expect(scene.of('request.rejected')[0]).to.include({ status: 403, code: 'BAD_SIGNATURE' });
    });

    it('by Meta when its URL is entered, not with another token', async () => {
      const refusal = await start({ verifyToken: 'another-token' }).catch((error: unknown) => error);
      expect(refusal)
        .to.have.property('message')
        .that.matches(/status 403/);
    });
  });

  it('gets each status of a message, and tells it', async () => {
    await start();
    await scene.call({ eventId: 'event-1' });
    await until(() => statuses().length === 2);
    expect(
      scene.of('message.reported').map(({ status: word, report: meaning }) => [word, meaning]),
    ).to.deep.equal([
      ['sent', 'pending'],
      ['delivered', 'delivered'],
    ]);
    const [attempt] = scene.of('attempt.ended');
    expect(scene.of('message.reported')[0]).to.include({
      eventId: 'event-1',
      userId: ANA.id,
      channel: 'whatsapp',
      transactionId: attempt?.transactionId,
    });
    meta.markRead(meta.messages[0]?.id ?? '');
    await until(() => statuses().length === 3);
    expect(scene.of('message.reported')[2]).to.include({ status: 'read', report: 'delivered' });
    await until(() => meta.callbacks.every(({ httpStatus }) => httpStatus === 200));
    expect(meta.callbacks).to.have.length(3);
    expect(sms()).to.equal(0);
  });

  it('starts late failover after a failure, with its code and our words', async () => {
    await start();
    meta.failLater({ code: 131026 });
    await scene.call();
    await until(failedOver);
    expect(sms()).to.equal(1);
    expect(scene.of('message.reported')[0]).to.include({
      status: 'failed',
      report: 'failed',
      code: '131026',
      reason: 'The recipient is not on WhatsApp',
    });
    expect(scene.of('failover.ended')[0]).to.deep.nested.include({
      fromChannel: 'whatsapp',
      'cause.code': '131026',
      outcome: 'accepted',
      channel: 'sms',
    });
    // The next code skips WhatsApp.
    expect(channelOf(await scene.call({ otpCode: '771203' }))).to.equal('sms');
  });

  for (const [code, shown] of [
    [131000, '131000'],
    [999, '999'],
    [undefined, 'FAILED'],
  ] as const) {
    it(`starts late failover after a failure with the code ${code}`, async () => {
      await start();
      await send();
      await report(status('failed', code === undefined ? {} : { errors: [{ code }] }));
      await until(failedOver);
      expect(scene.of('failover.ended')[0]).to.deep.nested.include({ 'cause.code': shown });
      expect(sms()).to.equal(1);
    });
  }

  it('gets several entries, changes and statuses in a post, and skips other numbers and fields', async () => {
    await start();
    await send();
    const ours = meta.messages[0]?.id;
    await scene.call({ otpCode: '771203', userId: ANA.id });
    const others = '999999999999999';
    await post({
      object: 'whatsapp_business_account',
      entry: [
        {
          id: meta.accountId,
          changes: [
            change({ statuses: [status('sent', { id: ours }), status('sent')] }),
            change({ statuses: [failed(131026, { id: ours })] }, others),
            change({ statuses: [failed(131026, { id: ours })] }, meta.phoneNumberId, 'account_update'),
          ],
        },
        { id: meta.accountId, changes: [change({ statuses: [status('delivered')] })] },
      ],
    });
    expect(statuses()).to.deep.equal(['sent', 'sent', 'delivered']);
    expect(sms()).to.equal(0);
  });

  it('answers 200 for what it cannot use, so that Meta does not send it again', async () => {
    await start();
    await send();
    for (const body of [
      '',
      'no json',
      '[]',
      'null',
      '{"object":"page","entry":[]}',
      payload(change({ statuses: 'none' })),
      payload(change({ statuses: [null, {}, { status: 'sent' }, { id: 'wamid.x' }] })),
      payload(change({ errors: [{ code: 131000 }] })),
      { object: 'whatsapp_business_account', entry: [{ changes: [{ field: 'messages' }] }] },
    ]) {
      expect(await post(body), JSON.stringify(body)).to.equal(200);
    }
    expect(scene.of('message.reported')).to.be.empty;
    expect(scene.of('extension.failed')).to.be.empty;
  });

  describe('refuses', () => {
    const sha1 = 'sha1=0000000000000000000000000000000000000000';
    it('a post without its signature, and reports it', async () => {
      await start();
      await send();
      for (const proof of [
        { secret: 'another-secret' },
        { signature: '' },
        { signature: sha1 },
        { signature: `sha256=${'0'.repeat(63)}` },
      ]) {
        expect(await post(payload(change({ statuses: [failed(131026)] })), proof)).to.equal(401);
      }
      expect(scene.of('message.reported')).to.be.empty;
      expect(sms()).to.equal(0);
      const [rejected] = scene.of('request.rejected');
      expect(rejected).to.include({ status: 401, code: 'BAD_SIGNATURE', channel: 'whatsapp' });
    });

    it('a post whose bytes differ from the signed ones', async () => {
      await start();
      const text = JSON.stringify(payload());
      const signature = meta.sign(text);
      expect(await post(text, { signature })).to.equal(200);
      expect(await post(`${text} `, { signature })).to.equal(401);
    });
  });

  it('checks the signature as in the published example of X-Hub-Signature-256', () => {
    // GitHub's page "Validating webhook deliveries": the same header and algorithm as Meta's.
    const receiver = metaWebhook({
      phoneNumberId: '1',
      appSecret: "It's a Secret to Everybody",
      verifyToken: 'token',
    });
    const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    const handle = (body: string): unknown =>
      receiver.handle(
        {
          method: 'POST',
          url: 'https://id.acme.com/okta/telephony/callbacks/whatsapp',
          query: {},
          headers: { 'x-hub-signature-256': signature },
          rawBody: Buffer.from(body),
        },
        contextOf(),
      );
    expect(handle('Hello, World!')).to.have.property('status', 200);
    expect(handle('Hello, World')).to.deep.equal({ status: 401 });
  });

  it('accepts the current and the next secret while it is rotated', async () => {
    mustNotShow('the-next-secret');
    await start({ appSecret: [meta.credential.appSecret, 'the-next-secret'] });
    for (const [secret, expected] of [
      [meta.credential.appSecret, 200],
      ['the-next-secret', 200],
      ['the-secret-before', 401],
    ] as const) {
      expect(await post(payload(), { secret }), String(expected)).to.equal(expected);
    }
  });

  describe('resolves an unknown outcome', () => {
    const sendUnknown = async (): Promise<void> => {
      meta.fault({ fault: { kind: 'reset', delivered: true }, times: 1 });
      expect((await scene.call()).okta.action).to.equal('pending');
    };

    it('by the first status of Meta', async () => {
      await start();
      await sendUnknown();
      await until(() => statuses().length === 2);
      const [settled] = scene.of('attempt.settled');
      expect(settled).to.include({ outcome: 'accepted', provider: 'META' });
      expect(sms()).to.equal(0);
    });
  });

  describe('gets messages of users', () => {
    const inbound = (): unknown[] =>
      scene.of('inbound.received').map(({ channel, keyword, fromEnding }) => [channel, keyword, fromEnding]);
    const stopped = async (): Promise<string | undefined> => channelOf(await scene.call());

    it('and turns WhatsApp off by STOP and on by START, once for each message', async () => {
      await start();
      expect(await meta.receive({ from: ANA.phone, text: 'Stop' })).to.equal(200);
      expect(await stopped()).to.equal('sms');
      await meta.receive({ from: ANA.phone, text: 'START' });
      expect(await stopped()).to.equal('whatsapp');
      expect(inbound()).to.deep.equal([
        ['whatsapp', 'stop', '23'],
        ['whatsapp', 'start', '23'],
      ]);
    });

    it('and takes the words of a button', async () => {
      await start();
      await meta.receive({ from: ANA.phone, text: 'STOP', type: 'button' });
      expect(await stopped()).to.equal('sms');
    });

    it('and does not undo a newer word by an older one that comes later', async () => {
      await start();
      const from = ANA.phone.slice(1);
      const said = (id: string, body: string, secondsAgo: number): object => {
        const timestamp = String(Math.floor(Date.now() / 1000) - secondsAgo);
        return payload(change({ messages: [{ id, from, timestamp, type: 'text', text: { body } }] }));
      };
      await post(said('wamid.B', 'START', 10));
      await post(said('wamid.A', 'STOP', 60));
      expect(await stopped()).to.equal('whatsapp');
      await post(said('wamid.C', 'STOP', 5));
      expect(await stopped()).to.equal('sms');
    });

    it('and knows a user who hides their number by the id of an earlier message', async () => {
      await start();
      const externalUserId = 'GB.13491208655302741918';
      await meta.receive({ from: ANA.phone, text: 'hello', externalUserId });
      await meta.receive({ from: ANA.phone, text: 'STOP', externalUserId, isNumberHidden: true });
      expect(await stopped()).to.equal('sms');
    });

    it('and gives other texts to onMessage, but no pictures', async () => {
      const got: unknown[] = [];
      await start(
        {},
        {
          inbound: {
            onMessage: (message) => {
              got.push(message);
              return undefined;
            },
          },
        },
      );
      const from = BOB.phone.slice(1);
      const said = [
        { id: 'wamid.A', from, type: 'image', image: { id: '1' } },
        { id: 'wamid.B', from, type: 'interactive', interactive: { button_reply: { title: 'Maybe' } } },
        { id: 'wamid.C', from, type: 'button', button: { payload: 'more' } },
        { id: 'wamid.D', type: 'text', text: { body: 'nobody' } },
      ];
      await post(payload(change({ messages: said })));
      expect(got).to.deep.equal([
        {
          messageId: 'wamid.B',
          channel: 'whatsapp',
          from: BOB.phone,
          externalUserId: undefined,
          text: 'Maybe',
          isHandled: false,
        },
        {
          messageId: 'wamid.C',
          channel: 'whatsapp',
          from: BOB.phone,
          externalUserId: undefined,
          text: 'more',
          isHandled: false,
        },
      ]);
    });
  });

  it('may be silent: nothing warns of afterSeconds while statuses may still come', async () => {
    await start({}, { lateFailover: { afterSeconds: { whatsapp: 20 } } });
    const warned = scene.of('configuration.warned').map(({ option }) => option);
    expect(warned).not.to.include('lateFailover.afterSeconds');
  });

  it('is not there without publicUrl, and silence then means nothing', async () => {
    const whatsapp = whatsAppCloud(meta.credential);
    scene = await startScene({
      hook: {
        sandboxNumber: undefined,
        channels: { whatsapp },
        lateFailover: { afterSeconds: { whatsapp: 20 } },
      },
    });
    expect(commandOf(await scene.call())).to.include({ provider: 'META' });
    expect((await fetch(url())).status).to.equal(404);
    const warned = scene.of('configuration.warned').map(({ option }) => option);
    expect(warned).to.include('lateFailover.afterSeconds');
  });
});
