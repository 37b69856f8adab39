import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { Channel, HookEvent, OktaTelephonyHookOptions } from '#lib/index.js';
import type { StatePort } from '#lib/delivery/state.js';
import { openRedisState } from '#lib/state/redis/state.js';
import { signOwnCertificate } from '#harness/certificate.js';
import { Closers } from '#harness/closers.js';
import { startGatewayBeside, type GatewayBeside } from '#harness/gateway-beside.js';
import { startRawCall } from '#harness/raw-call.js';
import { needRedis, startRedis, type RedisServer } from '#harness/redis-server.js';
import { bePatient, loseSoon, patientTimes } from '#harness/redis-times.js';
import { ANA, commandOf, HOOK_SECRET, startScene, type Scene } from '#harness/scene.js';
import { slowTime, type SlowTime } from '#harness/slow-time.js';
import { startTcpProxy, type TcpProxy } from '#harness/tcp-proxy.js';
import { until } from '#harness/until.js';
import { mustNotShow } from '#harness/witness.js';

const KEY = Buffer.alloc(32, 9).toString('base64');
const PUBLIC_URL = 'https://id.example.com/okta/telephony';
const NEWER = '771204';

/** Two gateways, one of them behind a proxy that ends its connections while commands are under way. */
describe('while the connection of one of two gateways to Redis is cut', () => {
  let redis: RedisServer;
  let proxy: TcpProxy;
  let scene: Scene;
  let other: GatewayBeside;
  let time: SlowTime;
  let times: ReturnType<typeof patientTimes>;
  const servers = new Closers();
  const closers = new Closers();
  before(async function () {
    needRedis(this);
    redis = servers.add(await startRedis(), (server) => server.close());
  });
  after(() => servers.closeAll());
  beforeEach(async () => {
    await redis.admin.flushall();
    time = slowTime();
    times = patientTimes({ probeEveryMs: 20 });
    proxy = closers.add(await startTcpProxy(redis.port), (opened) => opened.close());
  });
  afterEach(async () => {
    try {
      await closers.closeAll();
    } finally {
      time.restore();
    }
  });

  const start = async (
    hook: Partial<OktaTelephonyHookOptions> = {},
    { connection = `redis://127.0.0.1:${proxy.port}` }: { readonly connection?: string | Redis } = {},
  ): Promise<void> => {
    const shared = { publicUrl: PUBLIC_URL, ...hook };
    const open = (way: string | Redis): StatePort =>
      openRedisState({ connection: way, encryptionKeys: [KEY] }, times);
    scene = closers.add(await startScene({ hook: { ...shared, state: open(connection) } }), (opened) =>
      opened.close(),
    );
    other = closers.add(
      await startGatewayBeside(scene, { guard: { perUser: false }, ...shared, state: open(redis.url) }),
      (beside) => beside.close(),
    );
  };
  /** Connects both. From then on the connection is old enough to be made again at once when it ends. */
  const connectBoth = async (): Promise<void> => {
    await Promise.all([scene.hook.ready(), other.hook.ready()]);
    time.tick(times.probeEveryMs);
  };
  /** Holds data back as soon as Redis has answered once. */
  const holdAfterAnswer = (direction: 'commands' | 'answers'): void => {
    proxy.onAnswer = () => {
      proxy.onAnswer = undefined;
      proxy.held = direction;
    };
  };
  /** Cuts the connection while data of this direction is under way. */
  const cutHeld = async (): Promise<void> => {
    await until(() => proxy.heldPieces > 0);
    const cut = proxy.endAll();
    proxy.held = undefined;
    await cut;
  };
  const write = async (url: string, body: string, digit: number): Promise<string> => {
    const params = {
      MessageSid: `SM${String(digit).repeat(32)}`,
      From: `whatsapp:${ANA.phone}`,
      To: 'whatsapp:+14155238886',
      Body: body,
    };
    const answer = await fetch(`${url}/twilio/inbound`, {
      method: 'POST',
      headers: { 'x-twilio-signature': scene.twilio.sign(`${PUBLIC_URL}/twilio/inbound`, params) },
      body: new URLSearchParams(params),
    });
    return answer.text();
  };
  const report = async (url: string, sid: string, status: string): Promise<void> => {
    const params = { MessageSid: sid, MessageStatus: status, To: `whatsapp:${ANA.phone}` };
    await fetch(`${url}/twilio/status`, {
      method: 'POST',
      headers: { 'x-twilio-signature': scene.twilio.sign(`${PUBLIC_URL}/twilio/status`, params) },
      body: new URLSearchParams(params),
    });
  };
  const isStopped = async (): Promise<boolean> => (await other.hook.suppressions(ANA.phone)).length > 0;
  const texts = (): number => scene.twilio.messages.filter(({ channel }) => channel === 'sms').length;
  const news = (events: readonly HookEvent[] = scene.events): readonly string[] =>
    events.map(({ type }) => type).filter((type) => type.startsWith('state.'));
  const endings = (): readonly unknown[] =>
    [...scene.events, ...other.events].flatMap((event) =>
      event.type === 'failover.ended' ? [event.code ?? event.outcome] : [],
    );

  for (const direction of ['commands', 'answers'] as const) {
    it(`an event is sent once, though the ${direction} of its claim are lost, and the loss is reported`, async () => {
      await start();
      await connectBoth();
      proxy.held = direction;
      const calling = scene.call({ eventId: 'event-1' });
      await cutHeld();
      const first = await calling;
      expect(first.okta.action).to.equal('sent');
      await until(() => news().length === 2);
      expect(news()).to.deep.equal(['state.lost', 'state.recovered']);
      expect((await scene.call({ eventId: 'event-1', url: other.url })).body).to.deep.equal(first.body);
      expect(scene.twilio.messages).to.have.length(1);
    });

    it(`a limit holds, though the ${direction} of a claim are lost`, async () => {
      await start({ guard: { perUser: { points: 1, seconds: 600 }, perNumber: false } });
      await connectBoth();
      await scene.call({ eventId: 'event-1', url: other.url });
      proxy.held = direction;
      const calling = scene.call({ eventId: 'event-2' });
      await cutHeld();
      expect(commandOf(await calling)?.['transactionMetadata']).to.include('blocked=LIMIT_PER_USER');
      expect(scene.twilio.messages).to.have.length(1);
    });

    it(`STOP reaches the other gateway, though the ${direction} of its change are lost`, async () => {
      await start();
      await connectBoth();
      // Only the change: the claim of the message has its answer before.
      holdAfterAnswer(direction);
      const writing = write(scene.url, 'STOP', 1);
      await cutHeld();
      await writing;
      await until(isStopped);
      await scene.hook.close();
      const answer = await scene.call({ url: other.url });
      expect(commandOf(answer)?.['transactionMetadata']).to.include('channel=sms');
    });
  }

  it('STOP reaches the other gateway, though its connection took longer than a command may', async () => {
    const { key, cert } = signOwnCertificate({
      name: '127.0.0.1',
      from: new Date(Date.now() - 60_000),
      to: new Date(Date.now() + 3_600_000),
    });
    const tls = createServer({ key, cert }, (near) => {
      const far = connect(redis.port, '127.0.0.1');
      near.pipe(far).pipe(near);
      near.on('error', () => far.destroy());
      far.on('error', () => near.destroy());
    });
    closers.add(tls.listen(0, '127.0.0.1'), () => tls.close());
    await once(tls, 'listening');
    const slow = closers.add(await startTcpProxy((tls.address() as AddressInfo).port), (opened) =>
      opened.close(),
    );
    slow.held = 'answers';
    times.commandMs = 20;
    const tlsClient = new Redis({ host: '127.0.0.1', port: slow.port, tls: { ca: cert }, lazyConnect: true });
    await start({}, { connection: tlsClient });
    const writing = write(scene.url, 'STOP', 1);
    await until(() => news().includes('state.lost'));
    // The reply does not wait longer for the shared state.
    time.tick(500);
    expect(await writing).to.contain('no more codes by WhatsApp');
    expect(await isStopped()).to.equal(false);
    bePatient(times);
    slow.held = undefined;
    await until(isStopped);
    expect(news()).to.deep.equal(['state.lost', 'state.recovered']);
  });

  it('an event that was released before its delayed claim arrives is not held by it', async () => {
    await start();
    await connectBoth();
    const asked = scene.okta.requests.length;
    scene.okta.fault({ fault: { kind: 'hang' }, times: 1 });
    proxy.held = 'commands';
    loseSoon(times);
    const calling = startRawCall(scene, { eventId: 'event-1' });
    // The call goes on without Redis. Its claim still waits in the network.
    await until(() => scene.okta.requests.length > asked);
    calling.destroy();
    proxy.letNewPass();
    bePatient(times);
    // The profile request and the next probe of Redis.
    time.tick(1_000);
    await until(() => scene.hook.status().inFlight === 0 && scene.hook.status().state === 'ok');
    // The commands of the new connection have their answers.
    await scene.hook.ready();
    proxy.held = undefined;
    await until(() => proxy.connections === 1);
    const repeat = await scene.call({ eventId: 'event-1', url: other.url });
    expect(repeat.okta.action).to.equal('sent');
    expect(scene.twilio.messages).to.have.length(1);
  });

  it('no older code follows a newer one whose commands were lost', async () => {
    mustNotShow(NEWER);
    await start();
    await connectBoth();
    const older = commandOf(await scene.call({ eventId: 'older', url: other.url }))?.['transactionId'] ?? '';
    // The claim has its answer. What follows it is lost.
    holdAfterAnswer('commands');
    const calling = scene.call({ eventId: 'newer', otpCode: NEWER });
    await cutHeld();
    expect((await calling).okta.action).to.equal('sent');
    await scene.hook.ready();
    await report(other.url, older, 'undelivered');
    await until(() => endings().length > 0);
    expect(endings()).to.deep.equal(['SUPERSEDED']);
    expect(texts()).to.equal(0);
  });

  it('a used code is reported, though Redis hands it out after more than two seconds', async () => {
    await start();
    await connectBoth();
    await scene.call({ url: other.url, eventId: 'event-1' });
    await other.hook.ready();
    // Whether the event came before is known. The code is not.
    holdAfterAnswer('answers');
    const posted = await fetch(`${scene.url}/events`, {
      method: 'POST',
      headers: { authorization: HOOK_SECRET, 'content-type': 'application/json' },
      body: JSON.stringify({ data: { events: [scene.okta.logEvent(ANA.id)] } }),
    });
    expect(posted.status).to.equal(204);
    await until(() => proxy.heldPieces > 0);
    time.tick(2_500);
    proxy.held = undefined;
    await until(() => scene.events.some(({ type }) => type === 'code.used'));
    await scene.hook.close();
    const used = scene.events.filter(({ type }) => type === 'code.used');
    expect(used.map((event) => 'eventId' in event && event.eventId)).to.deep.equal(['event-1']);
  });

  describe('with a message that fails', () => {
    const SID = `SM${'7'.repeat(32)}`;
    /** Called when the first gateway sends the message. */
    let onSend: () => void;
    /** A WhatsApp channel of its own: the test learns when its message is accepted. */
    const startWithChannel = async (): Promise<void> => {
      onSend = () => undefined;
      const whatsapp: Channel = {
        reports: 'deliveries',
        idNamespace: 'twilio',
        send: () => {
          onSend();
          return Promise.resolve({ status: 'accepted', transactionId: SID });
        },
      };
      await start({ channels: { whatsapp } });
      await connectBoth();
    };

    for (const direction of ['commands', 'answers'] as const) {
      it(`another channel follows once, though the ${direction} of its receipt are lost`, async () => {
        await startWithChannel();
        onSend = () => (proxy.held = direction);
        expect((await scene.call()).okta.action).to.equal('sent');
        await cutHeld();
        await scene.hook.ready();
        for (const { url } of [other, scene, other]) await report(url, SID, 'undelivered');
        await until(() => endings().length > 0);
        await Promise.all([scene.hook.close(), other.hook.close()]);
        expect(endings()).to.deep.equal(['accepted']);
        expect(texts()).to.equal(1);
      });

      it(`another channel follows, though the ${direction} of the question for its receipt are lost`, async () => {
        await startWithChannel();
        expect((await scene.call({ url: other.url })).okta.action).to.equal('sent');
        await other.hook.ready();
        proxy.held = direction;
        await report(scene.url, SID, 'undelivered');
        await cutHeld();
        await until(() => endings().length > 0);
        expect(endings()).to.deep.equal(['accepted']);
        expect(texts()).to.equal(1);
      });
    }

    it('its end is reported, though Redis hands its receipt out after more than two seconds', async () => {
      await startWithChannel();
      expect((await scene.call({ url: other.url })).okta.action).to.equal('sent');
      await other.hook.ready();
      proxy.held = 'answers';
      await report(scene.url, SID, 'undelivered');
      await until(() => proxy.heldPieces > 0);
      time.tick(2_500);
      proxy.held = undefined;
      await until(() => endings().length > 0);
      await Promise.all([scene.hook.close(), other.hook.close()]);
      expect(endings()).to.have.length(1);
    });

    it('no second message follows if the other gateway has taken the receipt before it is kept again', async () => {
      await startWithChannel();
      onSend = () => (proxy.held = 'answers');
      expect((await scene.call()).okta.action).to.equal('sent');
      await until(() => proxy.heldPieces > 0);
      await report(other.url, SID, 'undelivered');
      await until(() => endings().length > 0);
      // The other one forgets the report.
      for (const { name } of await redis.dump())
        if (name.includes(':report:') || name.endsWith(':taken')) await redis.admin.del(name);
      await cutHeld();
      await scene.hook.ready();
      await report(scene.url, SID, 'undelivered');
      await Promise.all([scene.hook.close(), other.hook.close()]);
      expect(endings()).to.deep.equal(['accepted']);
      expect(texts()).to.equal(1);
    });
  });
});
