import { expect } from 'chai';
import sinon from 'sinon';
import type { HookEvent, TelephonyHookError } from '#lib/index.js';
import type { Claim, StatePort, StateEvent } from '#lib/delivery/state.js';
import { failureOf } from '#lib/state/redis/failure.js';
import { openRedisState } from '#lib/state/redis/state.js';
import type { HookCall } from '#lib/testing/index.js';
import { eventClaim } from '#harness/event-claim.js';
import { fakeClock } from '#harness/fake-clock.js';
import { startGatewayBeside, type GatewayBeside } from '#harness/gateway-beside.js';
import { Closers } from '#harness/closers.js';
import {
  accept,
  codeOf,
  keepCode,
  NOW as STEADY_NOW,
  receiptOf,
  report,
  suppress,
  suppressed,
  useCode,
} from '#harness/record-updates.js';
import { startRedis, type RedisServer, useRedis } from '#harness/redis-server.js';
import { bePatient, loseSoon, patientTimes } from '#harness/redis-times.js';
import { commandOf, startScene, type Scene } from '#harness/scene.js';
import { slowTime, type SlowTime } from '#harness/slow-time.js';
import { startTcpProxy, type TcpProxy } from '#harness/tcp-proxy.js';
import { reasonOf } from '#harness/state-news.js';
import { until } from '#harness/until.js';
import { mustNotShow, witness } from '#harness/witness.js';

const KEY = Buffer.alloc(32, 1).toString('base64');

/** How Redis fails, the reasons of the loss, and how the test repairs it. */
const LOSSES: readonly (readonly [
  what: string,
  reasons: RegExp,
  begin: (redis: RedisServer, proxy: TcpProxy) => unknown,
  end: (redis: RedisServer, proxy: TcpProxy) => unknown,
])[] = [
  ['is stopped', /^TIMEOUT$/, (redis) => void redis.stop(), (redis) => void redis.continue()],
  ['is killed', /^(CLOSED|ECONN\w+)$/, (redis) => redis.kill(), (redis) => redis.restart()],
  [
    'is a replica',
    /^READONLY$/,
    ({ admin }) => admin.replicaof('127.0.0.1', 9),
    ({ admin }) => admin.replicaof('NO', 'ONE'),
  ],
  [
    'is full',
    /^OOM$/,
    ({ admin }) => admin.config('SET', 'maxmemory', 1),
    ({ admin }) => admin.config('SET', 'maxmemory', 0),
  ],
  ['is slow', /^TIMEOUT$/, (_, proxy) => (proxy.delayMs = 1_000), (_, proxy) => (proxy.delayMs = 0)],
  [
    'answers nothing',
    /^TIMEOUT$/,
    (_, proxy) => (proxy.isBlackHole = true),
    (_, proxy) => (proxy.isBlackHole = false),
  ],
];

describe('two gateways on one Redis', () => {
  let redis: RedisServer;
  let proxy: TcpProxy;
  let scene: Scene;
  let other: GatewayBeside;
  let time: SlowTime;
  let times: ReturnType<typeof patientTimes>;
  const closers = new Closers();
  useRedis((server) => {
    redis = server;
  });
  beforeEach(async () => {
    time = slowTime();
    times = patientTimes({ probeEveryMs: 20 });
    proxy = closers.add(await startTcpProxy(redis.port), (opened) => opened.close());
    const state = (): StatePort =>
      openRedisState({ connection: `redis://127.0.0.1:${proxy.port}`, encryptionKeys: [KEY] }, times);
    const guard = { perUser: false } as const;
    scene = closers.add(await startScene({ hook: { state: state(), guard } }), (opened) => opened.close());
    other = closers.add(await startGatewayBeside(scene, { state: state(), guard }), (beside) =>
      beside.close(),
    );
    expect((await scene.hook.ready()).state).to.equal('ok');
    expect((await other.hook.ready()).state).to.equal('ok');
  });
  afterEach(async () => {
    redis.continue();
    try {
      await closers.closeAll();
      // After a test that fails half-way, the next one still finds a healthy Redis.
      await redis.admin.replicaof('NO', 'ONE');
      await redis.admin.config('SET', 'maxmemory', 0);
    } finally {
      time.restore();
    }
  });
  const sent = (): number => scene.twilio.messages.length;
  const newsOf = (events: readonly HookEvent[]): readonly string[] =>
    events.map(({ type }) => type).filter((type) => type.startsWith('state.'));
  for (const [what, reasons, begin, end] of LOSSES) {
    it(`keep sending codes when Redis ${what}, report each loss once, and use Redis again after it`, async () => {
      const before = await scene.call({ eventId: 'before' });
      expect(before.okta.action).to.equal('sent');
      for (const round of [1, 2]) {
        // Only a time-out shows that commands get no answer.
        if (reasons.test('TIMEOUT')) loseSoon(times);
        await begin(redis, proxy);
        // Each event is of another user: a newer code of one user would supersede the older ones.
        const callDuring = (at: number): Promise<HookCall> =>
          scene.call({
            ...{ eventId: `during-${round}-${at}`, userId: `00uduringaloss00000${at}`, login: undefined },
            phoneNumber: `+1202555016${at}`,
          });
        const during = await Promise.all([0, 1, 2, 0, 1, 2].map(callDuring));
        for (const call of during) expect(commandOf(call)).to.include({ status: 'SUCCESSFUL' });
        expect(sent()).to.equal(4 * round);
        expect(scene.hook.status().state).to.equal('lost');
        // The process still knows its own claims from before and after the loss.
        expect((await scene.call({ eventId: 'before' })).body).to.deep.equal(before.body);
        expect((await callDuring(0)).body).to.deep.equal(during[0]?.body);
        expect(newsOf(scene.events)).to.have.length(2 * round - 1);
        const lines = scene.log.filter(({ level }) => level === 'error');
        expect(lines).to.have.length(round);
        const line = lines.at(-1);
        expect(line?.fields).to.include({ event: 'state.lost' });
        expect(line?.fields['reason']).to.match(reasons);
        expect(line?.fields['remedy']).to.match(/\w/);
        expect(line?.message).to.match(/cannot be reached\. Codes still go out/);

        bePatient(times);
        await end(redis, proxy);
        await until(() => scene.hook.status().state === 'ok' && other.hook.status().state === 'ok');
        const after = await scene.call({ eventId: `after-${round}` });
        const repeat = await scene.call({ url: other.url, eventId: `after-${round}` });
        expect(repeat.body).to.deep.equal(after.body);
        expect((await callDuring(0)).body).to.deep.equal(during[0]?.body);
        expect(sent()).to.equal(4 * round + 1);
      }
      const once = ['state.lost', 'state.recovered'];
      expect(newsOf(scene.events)).to.deep.equal([...once, ...once]);
    });
  }

  it('connect again and lose nothing when idle connections end', async () => {
    await scene.call({ eventId: 'one' });
    // Redis has answered everything: a connection that ends before is a loss.
    await scene.hook.ready();
    // A connection that ends as soon as it is made does not count as idle.
    time.tick(times.probeEveryMs);
    // Wait for the new connections: before, a code could use a connection that has ended.
    await proxy.endAll();
    await until(() => proxy.connections === 2);
    const first = await scene.call({ eventId: 'two' });
    expect((await scene.call({ url: other.url, eventId: 'two' })).body).to.deep.equal(first.body);
    expect(sent()).to.equal(2);
    expect(newsOf(scene.events)).to.be.empty;
  });
});

describe('while Redis is lost', () => {
  let redis: RedisServer;
  let times: ReturnType<typeof patientTimes>;
  const closers = new Closers();
  const news: StateEvent[] = [];
  useRedis((server) => {
    redis = server;
  });
  beforeEach(async () => {
    times = patientTimes();
    news.length = 0;
  });
  afterEach(async () => {
    redis.continue();
    await closers.closeAll();
    await redis.admin.call('ACL', 'DELUSER', 'user', 'reader', 'prober');
    sinon.restore();
  });
  const open = (connection = redis.url): StatePort => {
    const state = openRedisState({ connection, encryptionKeys: [KEY] }, times);
    closers.add(state, () => state.close());
    state.watch?.((one) => {
      news.push(one);
      witness(one);
    });
    return state;
  };
  const NOW = Date.now();
  const life = (...points: number[]) => ({
    nowMs: NOW,
    rememberMs: 60_000,
    limits: points.map((most, at) => ({ key: `limit-${at}`, points: most, seconds: 60 })),
  });
  const firstOf = (claim: Claim): Extract<Claim, { isFirst: true }> => {
    if (!claim.isFirst) throw new Error('it is a repeat');
    return claim;
  };
  const exceededOf = (claim: Claim): readonly string[] => firstOf(claim).exceeded;
  /** Claims the event of a code, and keeps its answer. */
  const request = async (state: StatePort, eventKey: string, person = 'person'): Promise<void> => {
    const claim = await state.claim(eventClaim(eventKey, { ...life(), person }));
    if (!claim.isFirst) throw new Error('it is a repeat');
    claim.settle({});
  };
  const look = async (state: StatePort, eventKey: string, person = 'person'): Promise<boolean | 'unknown'> =>
    state.isCurrent(person, { eventKey });
  let losses = 0;
  const lose = async (state: StatePort): Promise<void> => {
    redis.stop();
    loseSoon(times);
    losses += 1;
    await state.claim(eventClaim(`the one that notices ${losses}`, { ...life(), passes: 'never' }));
    expect(state.health).to.equal('lost');
  };
  const answerAgain = (): void => {
    bePatient(times);
    redis.continue();
  };
  const recover = async (...lost: StatePort[]): Promise<void> => {
    answerAgain();
    await Promise.all(lost.map((state) => state.check()));
  };
  /** From now on the test sets the age of what the process remembers. Timers run on. */
  const stopAging = (): sinon.SinonFakeTimers => {
    const clock = fakeClock(['performance'], Date.now());
    // The clock would begin at 0.
    clock.tick(1_000_000);
    return clock;
  };

  it('limits count within the process, from zero', async () => {
    const state = open();
    for (const event of ['1', '2']) exceededOf(await state.claim(eventClaim(event, life(2))));
    await lose(state);
    const counted: (readonly string[])[] = [];
    for (const event of ['3', '4', '5', '6']) {
      const claim = await state.claim(eventClaim(event, life(2)));
      counted.push(exceededOf(claim));
      // A claim that took no point returns none.
      if (claim.isFirst && claim.exceeded.length > 0) claim.release();
    }
    expect(counted).to.deep.equal([[], [], ['limit-0'], ['limit-0']]);
    await recover(state);
    expect(exceededOf(await state.claim(eventClaim('7', life(2))))).to.deep.equal(['limit-0']);
  });

  it('the release of a claim without an answer from Redis returns its points in the process', async () => {
    const state = open();
    await state.check();
    redis.stop();
    loseSoon(times);
    const claim = await state.claim(eventClaim('event', life(1)));
    if (!claim.isFirst) throw new Error('it is a repeat');
    expect(claim.exceeded).to.be.empty;
    claim.release();
    expect(exceededOf(await state.claim(eventClaim('next', life(1))))).to.be.empty;
    expect(exceededOf(await state.claim(eventClaim('last', life(1))))).to.deep.equal(['limit-0']);
    await recover(state);
  });

  for (const [held, title] of [
    ['commands', 'gets its command late'],
    ['answers', 'answers late'],
  ] as const) {
    it(`a claim decides alone when its caller waits no longer, and what becomes of it counts if Redis ${title}`, async () => {
      const proxy = closers.add(await startTcpProxy(redis.port), (opened) => opened.close());
      const [one, two] = [open(`redis://127.0.0.1:${proxy.port}`), open()];
      await Promise.all([one.check(), two.check()]);
      proxy.held = held;
      const soon = { ...life(1), person: 'person', waitMs: 20 };
      const unsent = await one.claim(eventClaim('unsent', soon));
      if (!unsent.isFirst) throw new Error('it is a repeat');
      unsent.release();
      const sent = await one.claim(eventClaim('sent', { ...soon, limits: [] }));
      if (!sent.isFirst) throw new Error('it is a repeat');
      for (const claim of [unsent, sent])
        expect(claim).to.deep.include({ place: undefined, isCurrent: 'unknown', exceeded: [] });
      sent.settle({ status: 'SUCCESSFUL' });
      // A slow Redis is not lost before its command has timed out.
      expect(one.health).to.equal('ok');
      proxy.held = undefined;
      await suppressed(one, '+447700900123');
      const repeat = await two.claim(eventClaim('sent', life()));
      expect(repeat.isFirst ? 'first' : await repeat.answer).to.deep.equal({ status: 'SUCCESSFUL' });
      expect(await look(two, 'sent')).to.equal(true);
      // Its point was given back.
      const again = await two.claim(eventClaim('unsent', { ...life(1), person: 'person' }));
      expect(again).to.deep.include({ isFirst: true, exceeded: [], isCurrent: false });
      expect(news).to.be.empty;
    });
  }

  it('after codes from before and during the loss, nobody knows the newest until the next one', async () => {
    const [one, two] = [open(), open()];
    await Promise.all([one.check(), two.check()]);
    await request(one, 'oldest');
    await request(one, 'before');
    await lose(one);
    // Other gateways may have newer events by now.
    expect(await look(one, 'before')).to.equal('unknown');
    await request(one, 'during');
    await recover(one);
    for (const state of [one, two]) {
      expect(await look(state, 'before')).to.equal('unknown');
      expect(await look(state, 'during')).to.equal('unknown');
    }
    const again = await two.claim(eventClaim('during', { ...life(), person: 'person' }));
    expect(again).to.include({ isFirst: false });
    await request(two, 'after');
    expect(await look(one, 'before')).to.equal(false);
    expect(await look(one, 'after')).to.equal(true);
  });

  it('a code is no longer the newest as soon as Redis is back, though many other writes wait for it', async () => {
    const state = open();
    await state.check();
    await request(state, 'before');
    await lose(state);
    const waiting = Array.from({ length: 60 }, (_, at) => accept(state, `SM${at}`));
    await request(state, 'during');
    let answer: Promise<boolean | 'unknown'> | undefined;
    state.watch?.(({ type }) => {
      if (type === 'recovered') queueMicrotask(() => (answer = look(state, 'before')));
    });
    await recover(state);
    expect(await answer).to.equal('unknown');
    await Promise.all(waiting);
  });

  it('an answer from during the loss that Redis gets twice makes no newer code unknown', async () => {
    const proxy = closers.add(await startTcpProxy(redis.port), (opened) => opened.close());
    const [one, two] = [open(`redis://127.0.0.1:${proxy.port}`), open()];
    await Promise.all([one.check(), two.check()]);
    await request(two, 'before');
    await two.check();
    await lose(one);
    await request(one, 'during');
    const stopWatching = one.watch?.(({ type }) => {
      if (type === 'recovered') proxy.held = 'answers';
    });
    answerAgain();
    const checking = one.check().catch(() => undefined);
    await until(async () => (await look(two, 'before')) === 'unknown');
    await request(two, 'after');
    stopWatching?.();
    await proxy.endAll();
    proxy.held = undefined;
    await checking;
    await one.check();
    expect(await look(one, 'after')).to.equal(true);
  });

  it('a call that runs on is claimed for all gateways as soon as Redis is back, and keeps that place', async () => {
    const [one, two] = [open(), open()];
    await Promise.all([one.check(), two.check()]);
    await lose(one);
    const running = firstOf(await one.claim(eventClaim('running', { ...life(5), person: 'person' })));
    await recover(one);
    expect((await two.claim(eventClaim('running', { ...life(5), person: 'person' }))).isFirst).to.equal(
      false,
    );
    expect(await two.claim(eventClaim('newer', { ...life(5), person: 'person' }))).to.include({
      isFirst: true,
      isCurrent: true,
    });
    expect(await look(one, 'running')).to.equal(false);
    running.release();
    await one.check();
    const again = await two.claim(eventClaim('running', { ...life(5), person: 'person' }));
    expect(again).to.deep.include({ isFirst: true, isCurrent: false, exceeded: [] });
    expect(await look(two, 'newer')).to.equal(true);
  });

  it('a place from after the loss says nothing about an older place of another code', async () => {
    const [one, two] = [open(), open()];
    await Promise.all([one.check(), two.check()]);
    await two.claim(eventClaim('before', { ...life(), person: 'person' }));
    await lose(one);
    const during = firstOf(await one.claim(eventClaim('during', { ...life(), person: 'person' })));
    during.release();
    await recover(one);
    expect(await look(two, 'before')).to.equal(true);
    expect(await two.claim(eventClaim('during', { ...life(), person: 'person' }))).to.include({
      isFirst: true,
      isCurrent: 'unknown',
    });
    expect(await look(two, 'before')).to.equal('unknown');
    expect(await two.claim(eventClaim('after', { ...life(), person: 'person' }))).to.include({
      isFirst: true,
      isCurrent: true,
    });
    for (const older of ['before', 'during']) expect(await look(two, older)).to.equal(false);
  });

  it('a code that Redis has forgotten ends none that came after that', async () => {
    const state = open();
    const come = async (eventKey: string): Promise<Extract<Claim, { isFirst: true }>> =>
      firstOf(await state.claim(eventClaim(eventKey, { ...life(), person: 'person' })));
    const one = await come('one');
    await come('two');
    const three = await come('three');
    await redis.admin.flushall();
    one.settle({});
    await state.check();
    expect(await come('newer')).to.include({ isCurrent: true });
    three.settle({});
    await state.check();
    expect(await look(state, 'newer')).to.equal('unknown');
    expect(await look(state, 'one')).to.equal(false);
    expect(await come('newest')).to.include({ isCurrent: true });
    for (const older of ['three', 'newer']) expect(await look(state, older)).to.equal(false);
  });

  it('a code without an event id leaves no older one current when Redis is back', async () => {
    const state = open();
    await state.check();
    await request(state, 'before');
    await lose(state);
    const claim = await state.claim(eventClaim(undefined, { ...life(), person: 'person' }));
    if (claim.isFirst) claim.settle({});
    await recover(state);
    expect(await look(state, 'before')).to.equal('unknown');
  });

  it('a blocked code or a preview from during the loss changes nothing', async () => {
    const state = open();
    await state.check();
    await request(state, 'before');
    await lose(state);
    for (const given of [{ passes: 'never' }, { isPreview: true }] as const) {
      const key = JSON.stringify(given);
      const claim = await state.claim(eventClaim(key, { ...life(), person: 'person', ...given }));
      if (claim.isFirst) claim.settle({});
    }
    await recover(state);
    expect(await look(state, 'before')).to.equal(true);
  });

  it('the use of a code reaches Redis when it is back, and not a code that was requested after it', async () => {
    const state = open();
    await state.check();
    const comes = async (eventKey: string, requestedAtMs: number): Promise<void> => {
      const claim = await state.claim(eventClaim(eventKey, { ...life(), person: eventKey, requestedAtMs }));
      expect(claim).to.include({ isFirst: true, isCurrent: true });
    };
    await comes('used', NOW);
    await comes('after', NOW + 2);
    await lose(state);
    for (const person of ['used', 'after']) state.useCode(person, NOW + 1);
    await recover(state);
    expect(await look(state, 'used', 'used')).to.equal(false);
    expect(await look(state, 'after', 'after')).to.equal(true);
  });

  it('check() rejects with a remedy, and reports the recovery without waiting for the next probe', async () => {
    mustNotShow('redis-password-2e');
    const state = open(`redis://user:redis-password-2e@127.0.0.1:${redis.port}`);
    const failure: unknown = await state.check().catch((error: unknown) => error);
    witness(failure);
    expect(failure).to.include({ code: 'STATE_LOST' });
    expect((failure as TelephonyHookError).message).to.include('WRONGPASS');
    expect((failure as TelephonyHookError).remedy).to.include('Check the user and the password');
    expect(news).to.have.length(1);
    await redis.admin.call('ACL', 'SETUSER', 'user', 'on', '>redis-password-2e', 'allkeys', 'allcommands');
    await state.check();
    expect(news.map(({ type }) => type)).to.deep.equal(['lost', 'recovered']);
  });

  it('the data of each of two losses reaches every gateway when Redis is back, with its true age', async () => {
    const [one, two] = [open(), open()];
    await Promise.all([one.check(), two.check()]);
    const clock = stopAging();
    for (const round of ['first', 'second']) {
      const claim = await one.claim(eventClaim(`event-${round}`, life()));
      if (!claim.isFirst) throw new Error('it is a repeat');
      await lose(one);
      claim.settle({ status: round });
      await request(one, `code-${round}`, `person-${round}`);
      const receipt = receiptOf(round, { expiresAtMs: STEADY_NOW + 60_000 });
      const writing = [
        accept(one, `SM-${round}`, receipt),
        keepCode(one, `person-${round}`, codeOf(round)),
        suppress(one, `+44770090012${round.length}`),
      ];
      clock.tick(20_000);
      await recover(one);
      await Promise.all(writing);
      const repeat = await two.claim(eventClaim(`event-${round}`, life()));
      expect(repeat.isFirst ? 'first' : await repeat.answer).to.deep.equal({ status: round });
      expect(await look(two, `code-${round}`, `person-${round}`)).to.equal(true);
      const kept = (await redis.dump()).filter(({ name }) => /:(person|message):/.test(name));
      for (const { name, expiresInMs } of kept) expect(expiresInMs, name).to.be.within(30_000, 40_000);
      expect(kept).to.have.length(2);
      expect((await report(two, `SM-${round}`))?.follow?.receipt.eventKey).to.equal(round);
      expect((await useCode(two, `person-${round}`))?.eventId).to.equal(round);
      expect(await suppressed(two, `+44770090012${round.length}`)).to.deep.equal(['whatsapp:STOPPED']);
      await redis.admin.flushall();
    }
    expect(news.map(({ type }) => type)).to.deep.equal(['lost', 'recovered', 'lost', 'recovered']);
  });

  it('data that expires during the loss is not sent to Redis later', async () => {
    const state = open();
    await state.check();
    const clock = stopAging();
    await lose(state);
    await request(state, 'over');
    const receipt = receiptOf('SM1', { expiresAtMs: STEADY_NOW + 60_000 });
    const keeping = accept(state, 'SM1', receipt);
    clock.tick(60_000);
    await recover(state);
    expect(await keeping).to.deep.equal({ before: undefined });
    const left = (await redis.dump()).filter(({ name }) => /:(person|message):/.test(name));
    expect(left).to.be.empty;
    expect(news.map(({ type }) => type)).to.deep.equal(['lost', 'recovered']);
  });

  it('an update that Redis refuses twice waits until Redis takes it', async () => {
    mustNotShow('pw-prober');
    /** Lets the user `prober` write the keys of the probe, and those of these kinds. */
    const allow = (...kinds: readonly string[]): Promise<unknown> => {
      const keys = ['probe', ...kinds].map((kind) => `~{okta-telephony-hook}:${kind}:*`);
      const user = ['prober', 'reset', 'on', '>pw-prober', '+@all', '~{okta-telephony-hook}:keys'];
      return redis.admin.call('ACL', 'SETUSER', ...user, ...keys);
    };
    await allow();
    const [one, two] = [open(`redis://prober:pw-prober@127.0.0.1:${redis.port}`), open()];
    await one.check();
    const keeping = accept(one, 'SM1');
    await until(() => one.health === 'lost');
    // Redis takes the probe, and refuses the update after it.
    await one.check();
    await until(() => one.health === 'lost');
    await allow('message');
    await one.check();
    expect(await keeping).to.deep.equal({ before: undefined });
    expect((await report(two, 'SM1'))?.follow?.receipt.eventKey).to.equal('SM1');
    const losses = news.filter(({ type }) => type === 'lost');
    expect(new Set(losses.map(reasonOf))).to.deep.equal(new Set(['NOPERM']));
  });

  it('the state sends Redis nothing until check() finds it again', async () => {
    const state = open();
    await state.check();
    await lose(state);
    answerAgain();
    expect(await suppressed(state, '+447700900123')).to.equal(undefined);
    expect(state.health).to.equal('lost');
    await state.check();
    expect(await suppressed(state, '+447700900123')).to.deep.equal([]);
  });

  it('close() reports STATE_CLOSED to all listeners, and nothing connects to Redis after it', async () => {
    const state = open();
    await state.check();
    expect(state.health).to.equal('ok');
    await state.close();
    await state.close();
    const connections = async (): Promise<unknown> =>
      /total_connections_received:(\d+)/.exec(await redis.admin.info('stats'))?.[1];
    const before = await connections();
    expect(await state.check().catch(failureOf)).to.include({ reason: 'STATE_CLOSED' });
    // Listeners learn it, also those that come later.
    const later: StateEvent[] = [];
    state.watch?.((one) => later.push(one));
    for (const reports of [news, later]) {
      expect(reports.map((one) => `${one.type} ${reasonOf(one)}`)).to.deep.equal(['lost STATE_CLOSED']);
    }
    expect(news[0])
      .to.have.property('remedy')
      .that.matches(/a new state/);
    expect(state.health).to.equal('lost');
    expect(await suppressed(state, '+447700900123')).to.equal(undefined);
    expect(await connections()).to.equal(before);
  });

  it('close() reports STATE_CLOSED during a loss too, to current listeners only', async () => {
    const state = open();
    const others: StateEvent[] = [];
    state.watch?.((one) => others.push(one))?.();
    await state.check();
    await lose(state);
    await state.close();
    const reports = news.map((one) => `${one.type} ${reasonOf(one)}`);
    expect(reports).to.deep.equal(['lost TIMEOUT', 'lost STATE_CLOSED']);
    expect(await state.check().catch(failureOf)).to.include({ reason: 'STATE_CLOSED' });
    expect(news).to.have.length(2);
    expect(others).to.be.empty;
  });

  it('a connection that ends soon after it was made is a loss', async () => {
    const proxy = closers.add(await startTcpProxy(redis.port), (opened) => opened.close());
    await open(`redis://127.0.0.1:${proxy.port}`).check();
    await proxy.endAll();
    await until(() => news.length > 0 || proxy.connections > 0);
    expect(news.map(reasonOf)).to.deep.equal(['CLOSED']);
  });

  it('check() rejects if Redis has become a replica since the state connected', async () => {
    const state = open();
    await state.check();
    await redis.admin.replicaof('127.0.0.1', 9);
    try {
      expect(await state.check().catch(failureOf)).to.include({ reason: 'READONLY' });
    } finally {
      await redis.admin.replicaof('NO', 'ONE');
    }
  });

  for (const [question, ask] of [
    ['isCurrent()', (state) => look(state, 'e')],
    ['update()', (state) => void accept(state, 'SM1')],
    ['read()', (state) => suppressed(state, '+447700900123')],
    ['check()', (state) => state.check().catch(failureOf)],
  ] as const satisfies readonly (readonly [string, (state: StatePort) => unknown])[]) {
    it(`the state reports the loss as soon as Redis does not answer ${question}`, async () => {
      const state = open();
      await state.check();
      redis.stop();
      loseSoon(times);
      await ask(state);
      await until(() => state.health === 'lost');
      expect(news.map((one) => [one.type, reasonOf(one)])).to.deep.equal([['lost', 'TIMEOUT']]);
    });
  }

  it('a connection attempt without an answer is a loss with the reason TIMEOUT', async () => {
    const proxy = closers.add(await startTcpProxy(redis.port), (opened) => opened.close());
    proxy.isBlackHole = true;
    times.connectMs = 20;
    // The client waits for the TLS handshake.
    const state = open(`rediss://127.0.0.1:${proxy.port}`);
    expect(await state.check().catch(failureOf)).to.include({ reason: 'TIMEOUT' });
    expect(news.map(reasonOf)).to.deep.equal(['TIMEOUT']);
  });

  it('an idle connection that ends with Redis is one loss, and causes no unhandled rejection', async () => {
    const clock = stopAging();
    const state = open();
    await state.check();
    clock.tick(times.probeEveryMs);
    await redis.kill();
    await until(() => state.health === 'lost');
    expect(news).to.have.length(1);
    // A server that ends may still have accepted the new connection.
    expect(news.map(reasonOf)[0]).to.be.oneOf(['ECONNREFUSED', 'ECONNRESET']);
    await redis.restart();
    await state.check();
    expect(news.map(({ type }) => type)).to.deep.equal(['lost', 'recovered']);
  });

  it('the reason of a loss names a missing password, a missing right, a cluster or a closed port', async () => {
    const lossOf = async (connection: string, port = redis.port): Promise<string | undefined> => {
      const state = open(`redis://${connection}127.0.0.1:${port}`);
      await state.check().catch(() => undefined);
      return news.splice(-1).map(reasonOf)[0];
    };
    await redis.admin.call('ACL', 'SETUSER', 'reader', 'on', '>pw-reader', 'allkeys', '+@read');
    expect(await lossOf('reader:pw-reader@')).to.equal('NOPERM');
    await redis.admin.config('SET', 'requirepass', 'pw-of-default');
    expect(await lossOf('')).to.equal('NOAUTH');
    const node = closers.add(await startRedis('--cluster-enabled', 'yes'), (server) => server.close());
    expect(await lossOf('', node.port)).to.equal('CLUSTERDOWN');
    expect(await lossOf('', 9)).to.equal('ECONNREFUSED');
    await redis.admin.config('SET', 'requirepass', '');
  });
});
