import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { createServer } from 'node:tls';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { Channel } from '#lib/index.js';
import { signOwnCertificate } from '#harness/certificate.js';
import { startRawCall } from '#harness/raw-call.js';
import { watchTraffic } from '#harness/redis-server.js';
import { bePatient, loseSoon } from '#harness/redis-times.js';
import { ANA, commandOf, HOOK_SECRET } from '#harness/scene.js';
import { startTcpProxy, type TcpProxy } from '#harness/tcp-proxy.js';
import { eachWithTwoGateways, type TwoGateways } from '#harness/two-gateways.js';
import { until } from '#harness/until.js';
import { mustNotShow } from '#harness/witness.js';

const NEWER = '771204';

describe('while the connection of one of two gateways to Redis is cut', () => {
  const gateways = eachWithTwoGateways();
  let both: TwoGateways;
  beforeEach(() => {
    both = gateways();
  });
  /** What the first gateway reports about Redis. */
  const news = (): readonly string[] =>
    both.scene.events.map(({ type }) => type).filter((type) => type.startsWith('state.'));

  /** Okta reports to the first gateway that Ana has used her code. */
  const postUse = async (uuid?: string): Promise<void> => {
    const { scene } = both;
    const posted = await fetch(`${scene.url}/events`, {
      method: 'POST',
      headers: { authorization: HOOK_SECRET, 'content-type': 'application/json' },
      body: JSON.stringify({ data: { events: [{ ...scene.okta.logEvent(ANA.id), uuid }] } }),
    });
    expect(posted.status).to.equal(204);
  };

  for (const direction of ['commands', 'answers'] as const) {
    it(`an event is sent once, though the ${direction} of its claim are lost, and the loss is reported`, async () => {
      await both.start();
      const { scene, other, proxy } = both;
      proxy.held = direction;
      const calling = scene.call({ eventId: 'event-1' });
      await both.cutHeld();
      const first = await calling;
      expect(first.okta.action).to.equal('sent');
      await until(() => news().length === 2);
      expect(news()).to.deep.equal(['state.lost', 'state.recovered']);
      expect((await scene.call({ eventId: 'event-1', url: other.url })).body).to.deep.equal(first.body);
      expect(scene.twilio.messages).to.have.length(1);
    });

    it(`a limit holds, though the ${direction} of a claim are lost`, async () => {
      await both.start({ guard: { perUser: { points: 1, seconds: 600 }, perNumber: false } });
      const { scene, other, proxy } = both;
      await scene.call({ eventId: 'event-1', url: other.url });
      proxy.held = direction;
      const calling = scene.call({ eventId: 'event-2' });
      await both.cutHeld();
      expect(commandOf(await calling)?.['transactionMetadata']).to.include('blocked=LIMIT_PER_USER');
      expect(scene.twilio.messages).to.have.length(1);
    });

    it(`STOP reaches the other gateway, though the ${direction} of its change are lost`, async () => {
      await both.start();
      const { scene, other } = both;
      // Only the change: the claim of the message has its answer before.
      both.holdAfterAnswer(direction);
      const writing = both.write(scene.url, 'STOP', 1);
      await both.cutHeld();
      await writing;
      await until(() => both.isStopped());
      await scene.hook.close();
      const answer = await scene.call({ url: other.url });
      expect(commandOf(answer)?.['transactionMetadata']).to.include('channel=sms');
    });
  }

  /** A proxy in front of Redis with TLS: a connection takes as long as the proxy holds its answers. */
  const startTls = async (): Promise<{ readonly slow: TcpProxy; readonly client: Redis }> => {
    const { closers, redis } = both;
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
    const client = new Redis({ host: '127.0.0.1', port: slow.port, tls: { ca: cert }, lazyConnect: true });
    return { slow, client };
  };

  it('STOP reaches the other gateway, though its connection took longer than a command may', async () => {
    const { times, time } = both;
    const { slow, client } = await startTls();
    times.commandMs = 20;
    await both.start({}, client);
    const writing = both.write(both.scene.url, 'STOP', 1);
    await until(() => news().includes('state.lost'));
    // The reply does not wait longer for the shared state.
    time.tick(500);
    expect((await writing).text).to.contain('no more codes by WhatsApp');
    expect(await both.isStopped()).to.equal(false);
    bePatient(times);
    slow.held = undefined;
    await until(() => both.isStopped());
    expect(news()).to.deep.equal(['state.lost', 'state.recovered']);
  });

  it('an event that was sent while Redis was lost is not sent again at the other gateway', async () => {
    const { times } = both;
    await both.start();
    const { scene, other, proxy } = both;
    // Redis does not answer, and no new connection is made either.
    loseSoon(times);
    proxy.isBlackHole = true;
    expect((await scene.call({ eventId: 'event-0' })).okta.action).to.equal('sent');
    expect(news()).to.deep.equal(['state.lost']);
    const alone = await scene.call({ eventId: 'event-1' });
    expect(alone.okta.action).to.equal('sent');
    bePatient(times);
    proxy.isBlackHole = false;
    await until(() => news().includes('state.recovered'));
    await until(async () => (await both.redis.admin.keys('*event*')).length === 2);
    const repeat = await scene.call({ eventId: 'event-1', url: other.url });
    expect(repeat.body).to.deep.equal(alone.body);
    expect(scene.twilio.messages).to.have.length(2);
  });

  it('a gateway that closes while it connects keeps no connection', async () => {
    const { times, time } = both;
    const { slow, client } = await startTls();
    times.commandMs = 20;
    await both.start({}, client);
    const connecting = both.scene.hook.ready();
    await until(() => slow.heldPieces > 0);
    const closing = both.scene.hook.close();
    // The last question to Redis has no answer in time.
    for (let turn = 0; turn < 20; turn += 1) {
      await setImmediate();
      time.tick(20);
    }
    bePatient(times);
    slow.held = undefined;
    await Promise.all([connecting, closing]);
    await until(() => slow.connections === 0);
  });

  it('at most 50 of the changes that have waited are written at once, and all of them in the end', async () => {
    const { proxy, times, time, redis } = both;
    await both.start({
      inbound: { replies: { stop: false } },
      onEvent: ({ type }) => {
        // From then on, nothing comes back.
        if (type === 'state.recovered') proxy.held = 'answers';
      },
    });
    const { scene } = both;
    const numbers = Array.from({ length: 60 }, (_, at) => `+4477009${String(at).padStart(5, '0')}`);
    mustNotShow(...numbers.map((number) => number.slice(1)));
    times.connectMs = 20;
    proxy.isBlackHole = true;
    await proxy.endAll();
    time.tick(100);
    await until(() => scene.hook.status().state === 'lost');
    let isWritten = false;
    const writing = Promise.all(
      numbers.map((number, at) => both.write(scene.url, 'STOP', 100 + at, number)),
    ).finally(() => (isWritten = true));
    await until(() => {
      time.tick(10);
      return isWritten;
    });
    await writing;
    bePatient(times);
    const traffic = await watchTraffic(redis);
    proxy.isBlackHole = false;
    const changes = (): number =>
      new Set(traffic.lines.flatMap((line) => /\{[^}]+\}:suppressions:\S+/.exec(line) ?? [])).size;
    await until(() => changes() > 0 && proxy.heldPieces > 0);
    await redis.admin.ping();
    expect(changes()).to.be.at.most(50);
    proxy.held = undefined;
    await until(() => changes() === numbers.length);
    traffic.end();
  });

  it('a blocked code whose caller hangs up before the answer to its claim gives no point back', async () => {
    await both.start({ guard: { perUser: { points: 1, seconds: 600 }, perNumber: false } });
    const { scene, proxy } = both;
    expect((await scene.call({ eventId: 'event-1' })).okta.action).to.equal('sent');
    await scene.hook.ready();
    proxy.held = 'answers';
    const blocked = startRawCall(scene, { eventId: 'event-2' });
    await until(() => proxy.heldPieces > 0);
    await blocked.hangUp();
    proxy.held = undefined;
    await until(() => both.events('guard.blocked').length === 1 && scene.hook.status().inFlight === 0);
    await scene.hook.ready();
    const answer = await scene.call({ eventId: 'event-3' });
    expect(commandOf(answer)?.['transactionMetadata']).to.include('blocked=LIMIT_PER_USER');
    expect(scene.twilio.messages).to.have.length(1);
  });

  it('an event that was released before its delayed claim arrives is not held by it', async () => {
    await both.start();
    const { scene, other, proxy, times, time } = both;
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
    await both.start({ resend: { nextRoute: false } });
    const { scene, other } = both;
    const older = commandOf(await scene.call({ eventId: 'older', url: other.url }))?.['transactionId'] ?? '';
    // The claim has its answer. What follows it is lost.
    both.holdAfterAnswer('commands');
    const calling = scene.call({ eventId: 'newer', otpCode: NEWER });
    await both.cutHeld();
    expect((await calling).okta.action).to.equal('sent');
    await scene.hook.ready();
    await both.report(other.url, older, 'undelivered');
    await until(() => both.endings.length > 0);
    expect(both.endings).to.deep.equal(['SUPERSEDED']);
    expect(both.texts).to.equal(0);
  });

  it('a used code is reported, though Redis hands it out after more than two seconds', async () => {
    await both.start();
    const { scene, other, proxy, time } = both;
    await scene.call({ url: other.url, eventId: 'event-1' });
    await other.hook.ready();
    // Whether the event came before is known. The code is not.
    both.holdAfterAnswer('answers');
    await postUse('use-1');
    await until(() => proxy.heldPieces > 0);
    time.tick(2_500);
    proxy.held = undefined;
    await until(() => both.events('code.used').length > 0);
    await scene.hook.close();
    expect(both.events('code.used').map(({ eventId }) => eventId)).to.deep.equal(['event-1']);
  });

  for (const direction of ['commands', 'answers'] as const) {
    it(`a used code is reported once, though the ${direction} that ask for it or hand it out are lost`, async () => {
      await both.start();
      const { scene, other } = both;
      await scene.call({ url: other.url, eventId: 'event-1' });
      await other.hook.ready();
      both.holdAfterAnswer(direction);
      await postUse('use-1');
      await both.cutHeld();
      await until(() => both.events('code.used').length > 0);
      await postUse('use-2');
      await scene.hook.close();
      expect(both.events('code.used')).to.have.length(1);
    });
  }

  it('a used code is reported, though Redis is lost while it is kept and asked for', async () => {
    await both.start();
    const { scene, proxy, times, time } = both;
    both.holdAfterAnswer('commands');
    await scene.call({ eventId: 'event-1' });
    await until(() => proxy.heldPieces > 0);
    // Without an id, nobody asks whether the event came before.
    await postUse();
    times.connectMs = 20;
    proxy.isBlackHole = true;
    await proxy.endAll();
    await until(() => {
      time.tick(10);
      return both.events('code.used').length > 0;
    });
  });

  it('a message of unknown outcome is recognised, though the answer that hands its receipt out is lost', async () => {
    await both.start();
    const { scene, other } = both;
    scene.twilio.faultCallbacks({ copies: 0 });
    scene.twilio.fault({ fault: { kind: 'reset', delivered: true }, times: 1 });
    expect((await scene.call({ url: other.url })).okta.action).to.equal('pending');
    await other.hook.ready();
    const [message] = scene.twilio.messages;
    const { search } = new URL(message?.statusCallback ?? '');
    // What the state knows of the message itself has its answer. The receipt of its attempt has not.
    both.holdAfterAnswer('answers');
    await both.report(scene.url, message?.sid ?? '', 'undelivered', undefined, search);
    await both.cutHeld();
    await until(() => both.endings.length > 0);
    expect(both.events('attempt.settled').map(({ outcome }) => outcome)).to.deep.equal(['accepted']);
    expect(both.endings).to.deep.equal(['accepted']);
    expect(both.texts).to.equal(1);
  });

  describe('with a message that fails', () => {
    const SID = `SM${'7'.repeat(32)}`;
    /** Called when a gateway sends the message. */
    let onSend: () => void;
    /** A WhatsApp channel of its own: the test learns when its message is accepted. */
    const start = async (): Promise<void> => {
      onSend = () => undefined;
      const whatsapp: Channel = {
        reports: 'deliveries',
        idNamespace: 'twilio',
        send: () => {
          onSend();
          return Promise.resolve({ status: 'accepted', transactionId: SID });
        },
      };
      await both.start({ channels: { whatsapp } });
    };
    const close = (): Promise<unknown> => Promise.all([both.scene.hook.close(), both.other.hook.close()]);

    for (const direction of ['commands', 'answers'] as const) {
      it(`another channel follows once, though the ${direction} of its receipt are lost`, async () => {
        await start();
        const { scene, other, proxy } = both;
        onSend = () => (proxy.held = direction);
        expect((await scene.call()).okta.action).to.equal('sent');
        await both.cutHeld();
        await scene.hook.ready();
        for (const { url } of [other, scene, other]) await both.report(url, SID, 'undelivered');
        await until(() => both.endings.length > 0);
        await close();
        expect(both.endings).to.deep.equal(['accepted']);
        expect(both.texts).to.equal(1);
      });

      it(`another channel follows, though the ${direction} of the question for its receipt are lost`, async () => {
        await start();
        const { scene, other, proxy } = both;
        expect((await scene.call({ url: other.url })).okta.action).to.equal('sent');
        await other.hook.ready();
        proxy.held = direction;
        await both.report(scene.url, SID, 'undelivered');
        await both.cutHeld();
        await until(() => both.endings.length > 0);
        expect(both.endings).to.deep.equal(['accepted']);
        expect(both.texts).to.equal(1);
      });
    }

    it('its end is reported, though Redis hands its receipt out after more than two seconds', async () => {
      await start();
      const { scene, other, proxy, time } = both;
      expect((await scene.call({ url: other.url })).okta.action).to.equal('sent');
      await other.hook.ready();
      proxy.held = 'answers';
      await both.report(scene.url, SID, 'undelivered');
      await until(() => proxy.heldPieces > 0);
      time.tick(2_500);
      proxy.held = undefined;
      await until(() => both.endings.length > 0);
      await close();
      expect(both.endings).to.have.length(1);
    });

    it('no second message follows if the other gateway has taken the receipt before it is kept again', async () => {
      await start();
      const { scene, other, proxy } = both;
      onSend = () => (proxy.held = 'answers');
      expect((await scene.call()).okta.action).to.equal('sent');
      await until(() => proxy.heldPieces > 0);
      await both.report(other.url, SID, 'undelivered');
      await until(() => both.endings.length > 0);
      await both.cutHeld();
      await scene.hook.ready();
      await both.report(scene.url, SID, 'undelivered');
      await close();
      expect(both.endings).to.deep.equal(['accepted']);
      expect(both.texts).to.equal(1);
    });
  });
});
