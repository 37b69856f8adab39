import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import type { FinalReport } from '#lib/delivery/messages/receipt.js';
import type { Receipt } from '#lib/delivery/records.js';
import { messageAfter, type MessageNews } from '#lib/delivery/messages/transitions.js';
import type { Channel, HookEvent, OktaTelephonyHookOptions, Outcome } from '#lib/index.js';
import type { StatePort } from '#lib/delivery/state.js';
import { createHistory } from '#lib/console/history/history.js';
import type { RedisStateOptions } from '#lib/state/redis/index.js';
import { openRedisState } from '#lib/state/redis/state.js';
import { DEFAULT_TIMES } from '#lib/state/redis/options.js';
import type { RecordedRequest } from '#lib/testing/server/request.js';
import { Closers } from '#harness/closers.js';
import { eventClaim } from '#harness/event-claim.js';
import { startCallbackRelay, type CallbackRelay } from '#harness/callback-relay.js';
import { startGatewayBeside, type GatewayBeside } from '#harness/gateway-beside.js';
import { startGatewayProcess, type GatewayProcess } from './gateway-process.js';
import { countAlarms, makeAlarmsDue } from '#harness/redis-alarms.js';
import { startRawCall } from '#harness/raw-call.js';
import { needRedis, startRedis, watchTraffic, type RedisServer } from '#harness/redis-server.js';
import { ANA, BOB, CODE, commandOf, sidOf, startScene, type Scene } from '#harness/scene.js';
import { slowTime, type SlowTime } from '#harness/slow-time.js';
import { defer, held, until } from '#harness/until.js';
import { mustNotShow, witness } from '#harness/witness.js';

const FAILED: FinalReport = { status: 'failed', code: '63024', reason: 'No' };
/** How long Twilio delays its answer: less than the deadline of a call. */
const HELD_MS = 400;
const KEY = Buffer.alloc(32, 7).toString('base64');

describe('gateways on one Redis', () => {
  let redis: RedisServer;
  let scene: Scene;
  let time: SlowTime;
  const servers = new Closers();
  const closers = new Closers();
  before(async function () {
    needRedis(this);
    redis = servers.add(await startRedis(), (server) => server.close());
  });
  after(() => servers.closeAll());
  beforeEach(async () => {
    await redis.admin.flushall();
    // In slow time, Redis, Twilio and the other gateway answer before any deadline on any machine.
    time = slowTime();
  });
  afterEach(async () => {
    try {
      await closers.closeAll();
    } finally {
      time.restore();
    }
  });
  const shared = (): RedisStateOptions => ({ connection: redis.url, encryptionKeys: [KEY] });
  /** Looks for due alarms every 5 ms, so that no test waits for that. */
  const open = (): StatePort => openRedisState(shared(), { ...DEFAULT_TIMES, alarmEveryMs: 5 });
  const start = async (hook: Partial<OktaTelephonyHookOptions> = {}): Promise<void> => {
    const hookOfScene = { ...hook, state: open() };
    scene = closers.add(await startScene({ hook: hookOfScene }), (opened) => opened.close());
    await scene.hook.ready();
  };
  const beside = async (hook: Partial<OktaTelephonyHookOptions> = {}): Promise<GatewayBeside> => {
    const gateway = await startGatewayBeside(scene, { ...hook, state: open() });
    closers.add(gateway, () => gateway.close());
    await gateway.hook.ready();
    return gateway;
  };
  const inProcess = async (hook: Partial<OktaTelephonyHookOptions> = {}): Promise<GatewayProcess> => {
    const gateway = await startGatewayProcess(scene, shared(), hook);
    closers.add(gateway, () => gateway.kill());
    return gateway;
  };
  /**
   * Lets time pass in steps that are shorter than any time-out. Redis runs one command after the other, so its PONG
   * follows its answers to all earlier commands of the gateways, on a busy machine, too.
   */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) {
      await redis.admin.ping();
      await setImmediate();
      time.tick(50);
    }
  };
  const sent = (): number => scene.twilio.messages.length + scene.twilio.calls.length;
  /** Posts a callback to one gateway, signed for the address that Twilio knows. */
  const report = async (url: string, publicUrl: string, sid: string, status: string): Promise<void> => {
    const params = { MessageSid: sid, MessageStatus: status, To: `whatsapp:${ANA.phone}` };
    await fetch(`${url}/twilio/status`, {
      method: 'POST',
      headers: { 'x-twilio-signature': scene.twilio.sign(`${publicUrl}/twilio/status`, params) },
      body: new URLSearchParams(params),
    });
  };
  const answered = (callbacks: number): Promise<void> =>
    until(
      () => scene.twilio.callbacks.filter(({ httpStatus }) => httpStatus !== undefined).length >= callbacks,
    );
  const texts = (): number => scene.twilio.messages.filter(({ channel }) => channel === 'sms').length;

  it('send an event once for twelve requests at two of them, and answer PENDING if the sender has died', async () => {
    await start({ deadlineMs: 700 });
    const dying = await inProcess();
    scene.twilio.fault({ kind: 'slow', delayMs: 15 });
    const calls = await Promise.all(
      Array.from({ length: 12 }, (_, at) =>
        scene.call({ eventId: 'event-1', ...(at % 2 === 0 ? { url: dying.url } : {}) }),
      ),
    );
    expect(sent()).to.equal(1);
    for (const call of calls) {
      expect(call.okta.action).to.equal('sent');
      expect(call.body).to.deep.equal(calls[0]?.body);
    }

    scene.twilio.clearFaults();
    scene.twilio.fault({ kind: 'hang' });
    const already = scene.twilio.requests.length;
    const lost = scene.call({ eventId: 'event-2', url: dying.url }).catch(() => undefined);
    await until(() => scene.twilio.requests.length > already);
    await dying.kill();
    await lost;
    scene.twilio.clearFaults();
    const traffic = await watchTraffic(redis);
    const repeating = scene.call({ eventId: 'event-2' });
    // The gateway knows that the event is claimed, and reads Redis for the answer.
    await until(() => traffic.lines.some((line) => /^get \S+:event:/i.test(line)));
    traffic.end();
    await pass(700);
    expect(commandOf(await repeating)).to.include({ status: 'PENDING', transactionId: 'event-2' });
    expect(scene.twilio.requests).to.have.length(already + 1);
  });

  it('each send the code of one event if Redis does not answer in time, and report the loss', async () => {
    await start();
    const other = await beside();
    redis.stop();
    try {
      const calling = [
        scene.call({ eventId: 'event-1' }),
        scene.call({ eventId: 'event-1', url: other.url }),
      ];
      await until(() => scene.hook.status().inFlight + other.hook.status().inFlight === 2);
      // The time-out of a command, which is shorter than the share of the deadline.
      time.tick(150);
      for (const call of await Promise.all(calling)) expect(call.okta.action).to.equal('sent');
    } finally {
      redis.continue();
    }
    // Until the gateways have reconnected and written what they kept for Redis.
    await pass(1_000);
    expect(sent()).to.equal(2);
    for (const { events } of [scene, other]) {
      const losses = events.flatMap((event) => (event.type === 'state.lost' ? [event.reason] : []));
      expect(losses).to.deep.equal(['TIMEOUT']);
    }
  });

  it('store a call that ends during close() in the shared history', async () => {
    const sending = held<Outcome>();
    await start({ chooseChannels: () => ['line'], channels: { line: { send: sending.run } } });
    scene.hook.console({ authorize: () => true });
    const calling = scene.call({ eventId: 'event-1' });
    await sending.called;
    const closing = scene.hook.close();
    sending.resolve({ status: 'accepted', transactionId: 'L1' });
    expect((await calling).okta.action).to.equal('sent');
    await closing;
    const state = closers.add(openRedisState(shared()), (opened) => opened.close());
    const kept = closers.add(createHistory({ log: state.history, clock: Date.now }), (opened) =>
      opened.close(),
    );
    expect((await kept.history.open('event-1'))?.steps.map(({ type }) => type)).to.include.members([
      'request.received',
      'attempt.ended',
      'request.answered',
    ]);
  });

  it('give a repeat during close() the answer of the other one, and release the claims of new events', async () => {
    const outcomes = new Map<string, ReturnType<typeof defer<Outcome>>>();
    const line: Channel = {
      send: ({ request: { eventId } }) => {
        const outcome = defer<Outcome>();
        outcomes.set(eventId, outcome);
        return outcome.promise;
      },
    };
    const hook = {
      chooseChannels: () => ['line'],
      channels: { line },
      guard: { perUser: { points: 3, seconds: 60 } },
    };
    const accept = async (eventId: string): Promise<void> => {
      await until(() => outcomes.has(eventId));
      outcomes.get(eventId)?.resolve({ status: 'accepted', transactionId: `of ${eventId}` });
    };
    await start(hook);
    const { url } = await beside(hook);
    const held = scene.call({ eventId: 'held' });
    await until(() => outcomes.has('held'));
    const answering = scene.call({ eventId: 'answered', url });
    await accept('answered');
    const answered = await answering;
    const running = scene.call({ eventId: 'running', url });
    await until(() => outcomes.has('running'));

    const closing = scene.hook.close();
    expect((await scene.call({ eventId: 'answered' })).body).to.deep.equal(answered.body);
    const repeat = scene.call({ eventId: 'running' });
    await until(() => scene.hook.status().inFlight === 2);
    const { id, login, phone } = BOB;
    const ofBob = (eventId: string) => ({ eventId, userId: id, login, phoneNumber: phone });
    for (const eventId of ['new-1', 'new-2', 'new-3'])
      expect((await scene.call(ofBob(eventId))).httpStatus).to.equal(503);
    await Promise.all([accept('running'), accept('held')]);
    expect((await repeat).body).to.deep.equal((await running).body);
    expect((await held).okta.action).to.equal('sent');
    await closing;
    // Okta calls the other gateway then. No claims and no counted codes are left.
    for (const eventId of ['new-1', 'new-2', 'new-3']) {
      const calling = scene.call({ ...ofBob(eventId), url });
      await accept(eventId);
      expect((await calling).okta.action).to.equal('sent');
    }
    expect([...outcomes.keys()]).to.deep.equal(['held', 'answered', 'running', 'new-1', 'new-2', 'new-3']);
  });

  it('send an older code by another channel, though another gateway had a newer one, if Redis has lost that', async () => {
    mustNotShow('771204');
    const first = held<Outcome>();
    await start({ chooseChannels: () => ['line'], channels: { line: { send: first.run } } });
    const other = await beside();
    const older = scene.call({ eventId: 'older' });
    await first.called;
    await scene.call({ eventId: 'newer', otpCode: '771204', url: other.url });
    // Redis has the answer: it also says which code is the newest.
    await other.hook.ready();
    await redis.admin.flushall();
    first.resolve({ status: 'refused', code: 'GONE', reason: 'gone' });
    expect((await older).okta.action).to.equal('sent');
    expect(texts()).to.equal(1);
  });

  it('share the rate limits: a limit of 5 allows 5 codes at all of them together', async () => {
    // Each call has a user of its own, because a newer code supersedes an older one of the same user.
    const guard = { perUser: false, perNumber: { points: 5, seconds: 600 } } as const;
    await start({ guard });
    const { url } = await beside({ guard });
    const calls = await Promise.all(
      Array.from({ length: 14 }, (_, at) =>
        scene.call({ eventId: `e${at}`, userId: `00ulimit${at}`, ...(at % 2 === 0 ? { url } : {}) }),
      ),
    );
    expect(sent()).to.equal(5);
    const blocked = calls.filter((call) => commandOf(call)?.['provider'] === 'GUARD');
    expect(blocked).to.have.length(9);
    // A repeat counts against no limit and sends nothing.
    await Promise.all(calls.map((_, at) => scene.call({ eventId: `e${at}`, userId: `00ulimit${at}` })));
    expect(sent()).to.equal(5);
  });

  it('give no point back to a window of a limit that began after the released call', async () => {
    const guard = { perUser: false, perNumber: { points: 2, seconds: 600 } } as const;
    await start({ guard });
    const { url } = await beside({ guard });
    scene.okta.fault({ fault: { kind: 'hang' }, times: 1 });
    const asked = scene.okta.requests.length;
    const released = startRawCall(scene, { eventId: 'released' });
    await until(() => scene.okta.requests.length > asked);
    // The window ends.
    for (const { name } of await redis.dump()) if (name.includes(':limit:')) await redis.admin.del(name);
    const call = (at: number): ReturnType<Scene['call']> =>
      scene.call({ eventId: `event-${at}`, userId: `00uwindow${at}`, login: undefined, url });
    expect((await call(1)).okta.action).to.equal('sent');
    released.destroy();
    // The time-out of the profile request.
    await pass(1_000);
    await until(() => scene.hook.status().inFlight === 0);
    // Redis has the release.
    await scene.hook.ready();
    expect((await call(2)).okta.action).to.equal('sent');
    expect(commandOf(await call(3))).to.include({ provider: 'GUARD' });
    expect(sent()).to.equal(2);
  });

  it('run two Redis scripts for a call: claim with limits and newest code, then all that is stored', async () => {
    await start({ guard: { perUser: { points: 10, seconds: 600 } } });
    await scene.call({ eventId: 'warm' });
    const traffic = await watchTraffic(redis);
    await scene.call({ eventId: 'event-1' });
    /** The kinds of keys in the commands of the gateways, without those that scripts run in Redis. */
    const asked = (): readonly string[] =>
      traffic.lines
        .filter((line) => !line.startsWith('lua:') && /:(event|limit):/.test(line))
        .map((line) => [...line.matchAll(/:(event|limit):/g)].map(([, kind]) => kind).join('+'));
    await until(() => asked().length > 1);
    expect(asked()).to.deep.equal(['event+limit+limit', 'event']);
    expect(traffic.lines.filter((line) => /^eval/i.test(line))).to.have.length(2);
    traffic.end();
  });

  describe('with callbacks at the other one', () => {
    let relay: CallbackRelay;
    let other: GatewayBeside;
    const toWhatsApp = ({ form }: RecordedRequest): boolean => String(form?.['To']).startsWith('whatsapp:');
    const endings = (): unknown[] =>
      [...scene.events, ...other.events].flatMap((event) =>
        event.type === 'failover.ended' ? [event.code ?? event.outcome] : [],
      );
    const countOf = (
      { events }: { readonly events: readonly HookEvent[] },
      type: HookEvent['type'],
    ): number => events.filter((event) => event.type === type).length;
    const begin = async (hook: Partial<OktaTelephonyHookOptions> = {}): Promise<void> => {
      relay = closers.add(await startCallbackRelay(), (opened) => {
        opened.close();
      });
      const { url: publicUrl } = relay;
      await start({ publicUrl, ...hook });
      other = await beside({ publicUrl, guard: { perUser: false }, ...hook });
      relay.to = [other.url];
      scene.twilio.fault({ fault: { kind: 'slow', delayMs: HELD_MS }, match: toWhatsApp });
    };
    /** Makes a call that Twilio answers after that many callbacks. */
    const callBehind = async (callbacks: number): ReturnType<Scene['call']> => {
      const calling = scene.call({ eventId: 'event-1' });
      await answered(callbacks);
      expect(countOf(scene, 'request.answered')).to.equal(0);
      await pass(HELD_MS);
      return calling;
    };
    const fail = (copies = 1): void => {
      scene.twilio.failLater({ code: 63024, status: 'undelivered', match: toWhatsApp });
      scene.twilio.faultCallbacks({ copies, match: ({ channel }) => channel === 'whatsapp' });
    };
    const settled = async (callbacks: number): Promise<void> => {
      await answered(callbacks);
      // close() waits for late sends.
      await Promise.all([scene.hook.close(), other.hook.close()]);
    };

    it('report the user of the message if it fails after the answer of Twilio', async () => {
      await begin();
      scene.twilio.clearFaults();
      fail();
      await scene.call({ eventId: 'event-1' });
      await until(() => endings().length === 1);
      await settled(1);
      const [reported] = other.events.filter(({ type }) => type === 'message.reported');
      expect(reported).to.include({
        eventId: 'event-1',
        userId: ANA.id,
        toEnding: '23',
        status: 'undelivered',
      });
    });

    for (const when of ['before', 'after']) {
      it(`send the code once for eight callbacks at both ${when} the answer of Twilio`, async () => {
        await begin();
        if (when === 'after') scene.twilio.clearFaults();
        relay.to = [other.url, scene.url];
        fail(8);
        const answer = await (when === 'before' ? callBehind(8) : scene.call({ eventId: 'event-1' }));
        expect(answer.okta.action).to.equal('sent');
        await until(() => endings().length === 1);
        await settled(8);
        expect(texts()).to.equal(1);
        expect(endings()).to.deep.equal(['accepted']);
        expect(countOf(other, 'callback.unmatched') + countOf(scene, 'callback.unmatched')).to.equal(0);
      });
    }

    it('send nothing if the other one learns of the delivery before the alarm of the sender', async () => {
      await begin({ lateFailover: { afterSeconds: { whatsapp: 1 } } });
      await callBehind(1);
      expect(countOf(other, 'message.reported')).to.be.greaterThan(0);
      await pass(1_200);
      await settled(1);
      expect(texts()).to.equal(0);
      expect(endings()).to.be.empty;
    });

    it('send nothing if one learns of the delivery while the other composes the text', async () => {
      const text = held<string>();
      await begin({
        composeText: (_request, _profile, channel) =>
          channel === 'sms' ? text.run() : `Your code is ${CODE}`,
      });
      fail();
      const sid = commandOf(await callBehind(1))?.['transactionId'] ?? '';
      await text.called;
      await report(other.url, relay.url, sid, 'delivered');
      const state = closers.add(openRedisState(shared()), (opened) => opened.close());
      const names = [{ kind: 'message', key: `twilio ${sid}` }] as const;
      const isDelivered = (): Promise<boolean | undefined> =>
        state.read(names, ([known]) => known?.value.status === 'delivered');
      await until(async () => (await isDelivered()) === true);
      text.resolve(`Your code is ${CODE}`);
      await until(() => endings().length === 1);
      expect(texts()).to.equal(0);
      expect(endings()).to.deep.equal(['DELIVERED']);
    });
  });

  describe('with an unknown outcome', () => {
    const isText = ({ form }: RecordedRequest): boolean => !String(form?.['To']).startsWith('whatsapp:');
    let other: GatewayBeside;
    let relay: CallbackRelay;
    const begin = async (): Promise<void> => {
      relay = closers.add(await startCallbackRelay(), (opened) => {
        opened.close();
      });
      const hook = { publicUrl: relay.url, chooseChannels: () => ['sms', 'whatsapp'] } as const;
      await start(hook);
      other = await beside({ ...hook, guard: { perUser: false } });
      relay.to = [other.url];
    };
    const of = (type: HookEvent['type'], at: { readonly events: readonly HookEvent[] }): HookEvent[] =>
      at.events.filter((event) => event.type === type);
    const both = (type: HookEvent['type']): HookEvent[] => [...of(type, scene), ...of(type, other)];
    const close = (): Promise<unknown> => Promise.all([scene.hook.close(), other.hook.close()]);

    it('settle the attempt once, as accepted, at the other one', async () => {
      await begin();
      scene.twilio.fault({ fault: { kind: 'reset', delivered: true }, match: isText, times: 1 });
      expect((await scene.call({ eventId: 'event-1' })).okta.action).to.equal('pending');
      await until(() => of('attempt.settled', other).length === 1);
      await answered(2);
      await close();
      expect(of('attempt.settled', other)[0]).to.include({
        eventId: 'event-1',
        outcome: 'accepted',
        transactionId: scene.twilio.messages[0]?.sid,
      });
      expect(both('attempt.settled')).to.have.length(1);
      expect([both('callback.unmatched').length, both('failover.ended').length, sent()]).to.deep.equal([
        0, 0, 1,
      ]);
    });

    it('send by the next channel if the failure callback comes before the attempt ends', async () => {
      await begin();
      scene.twilio.fault({ fault: { kind: 'hang', delivered: true }, match: isText, times: 1 });
      scene.twilio.failLater({ code: 30003, status: 'undelivered', match: isText });
      const calling = scene.call({ eventId: 'event-1' });
      await until(() =>
        of('message.reported', other).some((event) => 'report' in event && event.report === 'failed'),
      );
      await pass(2_200);
      expect((await calling).okta.action).to.equal('pending');
      expect(both('attempt.settled')).to.be.empty;
      await pass(10_000);
      await until(() => both('failover.ended').length === 1);
      await close();
      expect(scene.twilio.messages.map(({ channel }) => channel)).to.deep.equal(['sms', 'whatsapp']);
      const settled = both('attempt.settled').map((event) => 'outcome' in event && event.outcome);
      expect(settled).to.deep.equal(['unknown', 'accepted']);
      expect(both('callback.unmatched')).to.be.empty;
    });
  });

  it('know the answers of one that dies, and send once what its alarms ask for, but no code that is delivered or superseded', async () => {
    // Longer than any test. The test makes the alarms due.
    const lateFailover = { afterSeconds: { whatsapp: 60 } };
    const publicUrl = 'https://id.example.com/okta/telephony';
    const unknownSid = 'SM00000000000000000000000000000000';
    await start({ lateFailover, publicUrl });
    // After a callback, the living gateways do not poll Twilio.
    await report(scene.url, publicUrl, unknownSid, 'sent');
    const dying = await inProcess({ lateFailover, publicUrl });
    const people = ['lost', 'arrived', 'superseded'] as const;
    const sids = new Map<string, string>();
    for (const [at, eventId] of people.entries()) {
      const user = {
        id: `00u1waiting00000000${at}`,
        login: `${eventId}@example.com`,
        phone: `+44770090013${at}`,
      };
      scene.okta.addUser({ ...ANA, ...user, profile: { whatsAppOptIn: true } });
      scene.twilio.joinSandbox(user.phone);
      mustNotShow(user.login, user.phone.slice(1));
      const whose = { userId: user.id, login: user.login, phoneNumber: user.phone };
      const isLast = eventId === people.at(-1);
      await scene.call({ ...whose, eventId, url: isLast ? dying.lastUrl : dying.url }).catch(() => undefined);
      if (isLast) await dying.ended;
      // Okta repeats its request at another gateway.
      const answer = await scene.call({ ...whose, eventId });
      expect(commandOf(answer)).to.include({ status: 'SUCCESSFUL' });
      sids.set(eventId, sidOf(answer));
      if (eventId === 'superseded')
        await scene.call({ ...whose, eventId: 'newer', deliveryChannel: 'VOICE' });
    }
    expect(scene.twilio.messages).to.have.length(people.length);
    expect(await countAlarms(redis)).to.equal(people.length);
    await report(scene.url, publicUrl, sids.get('arrived') ?? '', 'delivered');
    const other = await beside({ lateFailover, publicUrl });
    await report(other.url, publicUrl, unknownSid, 'sent');
    await makeAlarmsDue(redis);
    const endings = (): readonly string[] =>
      [...scene.events, ...other.events].flatMap((event) =>
        event.type === 'failover.ended' ? [`${event.cause.code} ${event.code ?? event.outcome}`] : [],
      );
    await until(() => endings().length >= 2);
    expect(await countAlarms(redis)).to.equal(0);
    await Promise.all([scene.hook.close(), other.hook.close()]);
    expect(texts()).to.equal(1);
    expect(endings()).to.have.members(['NOT_DELIVERED_IN_TIME accepted', 'NOT_DELIVERED_IN_TIME SUPERSEDED']);
  });

  it('send Redis no code, number, user or message id in plain text, and every key expires', async () => {
    const address = '203.0.113.77';
    const guard = {
      perNumber: { points: 50, seconds: 60 },
      perIp: { points: 50, seconds: 60 },
    };
    await start({ guard });
    const { url } = await beside({ guard });
    const traffic = await watchTraffic(redis);
    const calls = [
      await scene.call({ eventId: 'event-of-ana', ipAddress: address }),
      await scene.call({ eventId: 'event-of-ana', ipAddress: address, url }),
      await scene.call({
        eventId: 'event-of-bob',
        userId: BOB.id,
        login: BOB.login,
        phoneNumber: BOB.phone,
        url,
      }),
    ];
    const state = closers.add(openRedisState(shared()), (opened) => opened.close());
    const nowMs = Date.now();
    const raw = scene.okta.requests.map(({ path }) => path);
    const request = { userId: ANA.id, login: ANA.login, phoneNumber: ANA.phone, otpCode: CODE, raw };
    const untilMs = nowMs + 60_000;
    const receipt = {
      request,
      expiresAtMs: untilMs,
      person: ANA.id,
      eventKey: 'event-of-ana',
      profile: { ...ANA },
    } as unknown;
    const hear = (key: string, news: MessageNews): Promise<unknown> =>
      state.update([{ kind: 'message', key }], ([known]) => {
        const { next, reply } = messageAfter(known, news, nowMs);
        return { next: [next], result: reply.follow };
      });
    void hear('SM-of-ana', { token: 'sent', accepted: receipt as Receipt });
    const claim = await state.claim(eventClaim(ANA.phone, { person: ANA.id }));
    expect(claim).to.include({ isFirst: true, isCurrent: true });

    await hear('SM-of-bob', { token: 'bob', report: { ...FAILED, code: BOB.phone, reason: CODE } });

    const keys = await redis.dump();
    expect(await hear('SM-of-ana', { token: 'ana', report: FAILED })).to.not.equal(undefined);
    await until(() => traffic.lines.some((line) => line.includes(':message:')));
    traffic.end();
    const kinds = keys.map(({ name }) => name.split(':')[1]);
    expect([...new Set(kinds)]).to.include.members(['event', 'limit', 'message', 'person']);
    for (const { expiresInMs } of keys) expect(expiresInMs).to.be.greaterThan(0);

    const seen = [...traffic.lines, ...keys.flatMap(({ name, value }) => [name, value.toString('latin1')])];
    const transactionIds = calls.map((call) => commandOf(call)?.['transactionId'] ?? '');
    const secrets = [
      ANA.id,
      BOB.id,
      address,
      'event-of',
      'SM-of-ana',
      'SM-of-bob',
      'whatsapp',
      ...transactionIds,
    ];
    for (const word of secrets) {
      expect(word).to.match(/.{6}/);
      expect(
        seen.some((text) => text.includes(word)),
        word,
      ).to.equal(false);
    }
    mustNotShow(KEY);
    witness(seen);
  });
});
