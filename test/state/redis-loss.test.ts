import { expect } from 'chai';
import type { HookEvent, TelephonyHookError } from '#lib/index.js';
import type { Receipt } from '#lib/delivery/receipt.js';
import type { FinalReport } from '#lib/delivery/report.js';
import type { Claim, State, StateNews } from '#lib/delivery/state.js';
import { failureOf } from '#lib/state/redis-failure.js';
import { redisState } from '#lib/state/redis.js';
import { startGatewayBeside, type GatewayBeside } from '#harness/gateway-beside.js';
import { Closers } from '#harness/closers.js';
import { needRedis, startRedis, watchTraffic, type RedisServer } from '#harness/redis-server.js';
import { commandOf, startScene, type Scene } from '#harness/scene.js';
import { startTcpProxy, type TcpProxy } from '#harness/tcp-proxy.js';
import { until } from '#harness/until.js';
import { mustNotShow, witness } from '#harness/witness.js';

const FAILED: FinalReport = { status: 'failed', code: '63024', reason: 'No' };
const KEY = Buffer.alloc(32, 1).toString('base64');

/** What may become of a Redis, and how it is mended. */
interface Loss {
  readonly title: string;
  readonly reasons: RegExp;
  readonly begin: (redis: RedisServer, proxy: TcpProxy) => unknown;
  readonly end: (redis: RedisServer, proxy: TcpProxy) => unknown;
}
const LOSSES: readonly Loss[] = [
  {
    title: 'is stopped',
    reasons: /^TIMEOUT$/,
    begin: (redis) => {
      redis.stop();
    },
    end: (redis) => {
      redis.continue();
    },
  },
  {
    title: 'is killed',
    reasons: /^(CLOSED|ECONN\w+)$/,
    begin: (redis) => redis.kill(),
    end: (redis) => redis.restart(),
  },
  {
    title: 'has become a replica',
    reasons: /^READONLY$/,
    begin: (redis) => redis.admin.replicaof('127.0.0.1', 9),
    end: (redis) => redis.admin.replicaof('NO', 'ONE'),
  },
  {
    title: 'is full',
    reasons: /^OOM$/,
    begin: (redis) => redis.admin.config('SET', 'maxmemory', 1),
    end: (redis) => redis.admin.config('SET', 'maxmemory', 0),
  },
  {
    title: 'is slow',
    reasons: /^TIMEOUT$/,
    begin: (_redis, proxy) => (proxy.delayMs = 400),
    end: (_redis, proxy) => (proxy.delayMs = 0),
  },
  {
    title: 'swallows everything',
    reasons: /^TIMEOUT$/,
    begin: (_redis, proxy) => (proxy.isBlackHole = true),
    end: (_redis, proxy) => (proxy.isBlackHole = false),
  },
];

describe('a Redis that', () => {
  let redis: RedisServer;
  let proxy: TcpProxy;
  let scene: Scene;
  let other: GatewayBeside;
  const closers = new Closers();
  before(function () {
    needRedis(this);
  });
  beforeEach(async () => {
    redis = closers.add(await startRedis(), (server) => server.close());
    proxy = closers.add(await startTcpProxy(redis.port), (opened) => opened.close());
    const state = (): State =>
      redisState({ connection: `redis://127.0.0.1:${proxy.port}`, encryptionKeys: [KEY] });
    const guard = { perUser: false } as const;
    scene = closers.add(await startScene({ hook: { state: state(), guard } }), (opened) => opened.close());
    other = closers.add(await startGatewayBeside(scene, { state: state(), guard }), (beside) =>
      beside.close(),
    );
    expect((await scene.hook.ready()).state).to.equal('ok');
    expect((await other.hook.ready()).state).to.equal('ok');
  });
  afterEach(() => closers.closeAll());
  const sent = (): number => scene.twilio.messages.length;
  const newsOf = (events: readonly HookEvent[]): readonly string[] =>
    events.map(({ type }) => type).filter((type) => type.startsWith('state.'));

  for (const { title, reasons, begin, end } of LOSSES) {
    it(`${title} holds up no code; the loss is told once, and it is used again by itself`, async () => {
      const before = await scene.call({ eventId: 'before' });
      expect(before.okta.action).to.equal('sent');
      await begin(redis, proxy);
      const during = await Promise.all(
        Array.from({ length: 12 }, (_, at) => scene.call({ eventId: `during-${at % 6}` })),
      );
      for (const call of during) expect(commandOf(call)).to.include({ status: 'SUCCESSFUL' });
      expect(sent()).to.equal(7);
      expect(scene.hook.status().state).to.equal('lost');
      // What this process has claimed, it still knows, from before and from after the loss.
      expect((await scene.call({ eventId: 'before' })).body).to.deep.equal(before.body);
      expect((await scene.call({ eventId: 'during-0' })).body).to.deep.equal(during[0]?.body);
      expect(newsOf(scene.events)).to.deep.equal(['state.lost']);
      const [line] = scene.log.filter(({ level }) => level === 'error');
      expect(line?.fields).to.include({ event: 'state.lost' });
      expect(line?.fields['reason']).to.match(reasons);
      expect(line?.fields['remedy']).to.match(/\w/);
      expect(line?.message).to.match(/is lost; codes go out/);

      await end(redis, proxy);
      await until(() => scene.hook.status().state === 'ok' && other.hook.status().state === 'ok');
      expect(newsOf(scene.events)).to.deep.equal(['state.lost', 'state.recovered']);
      const after = await scene.call({ eventId: 'after' });
      expect((await scene.call({ url: other.url, eventId: 'after' })).body).to.deep.equal(after.body);
      expect((await scene.call({ eventId: 'during-0' })).body).to.deep.equal(during[0]?.body);
      expect(sent()).to.equal(8);
      expect(newsOf(scene.events)).to.have.length(2);
    });
  }

  for (const { title, begin } of LOSSES.slice(0, 2)) {
    it(`${title} lets no event out twice: 40 requests at once get one answer`, async () => {
      await begin(redis, proxy);
      const calls = await Promise.all(Array.from({ length: 40 }, () => scene.call({ eventId: 'one-event' })));
      expect(sent()).to.equal(1);
      expect(commandOf(calls[0]!)).to.include({ status: 'SUCCESSFUL' });
      for (const call of calls) expect(call.body).to.deep.equal(calls[0]?.body);
    });
  }

  it('is asked once for an event, however often it comes', async () => {
    const traffic = await watchTraffic(redis);
    await Promise.all(Array.from({ length: 40 }, () => scene.call({ eventId: 'one-event' })));
    await scene.call({ url: other.url, eventId: 'one-event' });
    await redis.admin.set('all-of-it', 'came');
    await until(() => traffic.lines.some((line) => line.includes('all-of-it')));
    const asking = traffic.lines.filter((line) => /^eval/i.test(line) && line.includes(':event:'));
    traffic.end();
    // The claim and the answer of the one, the claim of the other.
    expect(asking).to.have.length(3);
    expect(sent()).to.equal(1);
  });

  it('ends an idle connection is connected to again, and nothing is lost', async () => {
    await scene.call({ eventId: 'one' });
    // A connection that ends as soon as it is made is no idle one.
    await new Promise((resolve) => setTimeout(resolve, 1050));
    proxy.endAll();
    await until(() => proxy.connections === 2);
    const first = await scene.call({ eventId: 'two' });
    expect((await scene.call({ url: other.url, eventId: 'two' })).body).to.deep.equal(first.body);
    expect(sent()).to.equal(2);
    expect(newsOf(scene.events)).to.be.empty;
  });
});

describe('while Redis is lost', () => {
  let redis: RedisServer;
  const closers = new Closers();
  const news: StateNews[] = [];
  before(function () {
    needRedis(this);
  });
  beforeEach(async () => {
    redis = closers.add(await startRedis(), (server) => server.close());
    news.length = 0;
  });
  afterEach(() => closers.closeAll());
  const open = (connection = redis.url): State => {
    const state = redisState({ connection, encryptionKeys: [KEY] });
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
    buckets: points.map((most, at) => ({ key: `limit-${at}`, points: most, seconds: 60 })),
  });
  const exceededOf = (claim: Claim): readonly string[] => {
    if (!claim.isFirst) throw new Error('it is a repeat');
    return claim.exceeded;
  };
  const receipt = { eventKey: 'e', expiresAtMs: NOW + 60_000 } as Receipt;
  const keep = (state: State, id: string): unknown =>
    state.keepReceipt(id, receipt, { nowMs: NOW, untilMs: NOW + 60_000 });
  const overtake = (state: State, eventKey: string): unknown =>
    state.overtake('person', { eventKey, isPreview: false, nowMs: NOW, untilMs: NOW + 60_000 });
  let losses = 0;
  const lose = async (state: State): Promise<void> => {
    redis.stop();
    losses += 1;
    await state.claim(`the one that notices ${losses}`, life());
    expect(state.health).to.equal('lost');
  };
  const recover = async (...lost: State[]): Promise<void> => {
    redis.continue();
    await until(() => lost.every(({ health }) => health === 'ok'));
  };

  it('limits count within the process, from zero', async () => {
    const state = open();
    for (const event of ['1', '2']) exceededOf(await state.claim(event, life(2)));
    await lose(state);
    const counted: (readonly string[])[] = [];
    for (const event of ['3', '4', '5']) counted.push(exceededOf(await state.claim(event, life(2))));
    expect(counted).to.deep.equal([[], [], ['limit-0']]);
    await recover(state);
    expect(exceededOf(await state.claim('6', life(2)))).to.deep.equal(['limit-0']);
  });

  it('what became of a claim is told when it is back: its answer, or that nothing was sent', async () => {
    const [one, two] = [open(), open()];
    await Promise.all([one.check(), two.check()]);
    const [sent, unsent] = [await one.claim('sent', life()), await one.claim('unsent', life())];
    if (!sent.isFirst || !unsent.isFirst) throw new Error('they are repeats');
    await lose(one);
    sent.settle({ status: 'SUCCESSFUL' });
    unsent.release();
    await recover(one);
    const repeat = await two.claim('sent', life());
    expect(repeat.isFirst ? 'first' : await repeat.answer).to.deep.equal({ status: 'SUCCESSFUL' });
    // Its holder lets go, and says so to those who wait.
    const next = await two.claim('unsent', life());
    expect(next.isFirst || (await next.answer) === undefined).to.equal(true);
  });

  it('a report waits a moment for it to be back, since it comes but once', async () => {
    const state = open();
    await state.check();
    await state.keepReceipt('SM1', receipt, { nowMs: NOW, untilMs: NOW + 60_000 });
    await lose(state);
    const taken = state.takeReceipt('SM1', NOW, FAILED);
    redis.continue();
    expect(await taken).to.deep.equal(receipt);
  });

  it('who keeps a receipt is told that it was taken meanwhile, and waits no more', async () => {
    const state = open();
    await state.check();
    await lose(state);
    const keeping = state.keepReceipt('SM1', receipt, { nowMs: NOW, untilMs: NOW + 60_000 });
    expect(await state.takeReceipt('SM1', NOW, FAILED)).to.deep.equal(receipt);
    await recover(state);
    expect(await keeping).to.equal(undefined);
  });

  it('a newer event that was on its way when it was lost is the newest when it is back', async () => {
    const state = open();
    await state.check();
    overtake(state, 'older');
    expect(await state.isNewest('person', 'older', NOW)).to.equal(true);
    redis.stop();
    overtake(state, 'newer');
    await until(() => state.health === 'lost');
    await recover(state);
    await until(async () => (await state.isNewest('person', 'newer', NOW)) === true);
    expect(await state.isNewest('person', 'older', NOW)).to.equal(false);
  });

  it('a claim whose answer never came gives its points back here where nothing was sent', async () => {
    const state = open();
    await state.check();
    redis.stop();
    const claim = await state.claim('event', life(1));
    if (!claim.isFirst) throw new Error('it is a repeat');
    expect(claim.exceeded).to.be.empty;
    claim.release();
    expect(exceededOf(await state.claim('next', life(1)))).to.be.empty;
    expect(exceededOf(await state.claim('last', life(1)))).to.deep.equal(['limit-0']);
    await recover(state);
  });

  it('an event that came after it was back is not taken for an older one when it is lost again', async () => {
    const state = open();
    await state.check();
    await lose(state);
    overtake(state, 'during');
    await recover(state);
    overtake(state, 'after');
    await until(async () => (await state.isNewest('person', 'after', NOW)) === true);
    await lose(state);
    expect(await state.isNewest('person', 'after', NOW)).to.equal('unknown');
    await recover(state);
    expect(await state.isNewest('person', 'after', NOW)).to.equal(true);
  });

  it('receipts are kept here, taken once, and are for every gateway when it is back', async () => {
    const [one, two] = [open(), open()];
    await Promise.all([one.check(), two.check()]);
    await lose(one);
    keep(one, 'SM1');
    keep(one, 'SM2');
    expect(await one.takeReceipt('SM1', NOW, FAILED)).to.include({ eventKey: 'e' });
    expect(await one.takeReceipt('SM1', NOW, FAILED)).to.equal(undefined);
    await recover(one);
    while (!(await redis.dump()).some(({ name }) => name.includes(':receipt:'))) await one.check();
    expect(await two.takeReceipt('SM2', NOW, FAILED)).to.deep.equal(receipt);
    expect(await one.takeReceipt('SM2', NOW, FAILED)).to.equal(undefined);
  });

  it('what was reported to others of a message is given to the one that sent it when it is back', async () => {
    const [one, two] = [open(), open()];
    await Promise.all([one.check(), two.check()]);
    await lose(one);
    const reported = keep(one, 'SM1');
    redis.continue();
    await until(() => two.health === 'ok');
    expect(await two.takeReceipt('SM1', NOW, FAILED)).to.equal(undefined);
    expect(await reported).to.deep.equal(FAILED);
    expect(await one.takeReceipt('SM1', NOW, FAILED)).to.equal(undefined);
  });

  it('what is reported here before the receipt is kept is given in its place', async () => {
    const state = open();
    await state.check();
    await lose(state);
    expect(await state.takeReceipt('SM1', NOW, FAILED)).to.equal(undefined);
    expect(await keep(state, 'SM1')).to.deep.equal(FAILED);
    expect(await state.takeReceipt('SM1', NOW, { status: 'delivered' })).to.equal(undefined);
    expect(await state.isDelivered(['SM1'], NOW)).to.equal(true);
  });

  it('the newest event is known here, and to every gateway when it is back, unless a newer one came', async () => {
    const [one, two] = [open(), open()];
    await Promise.all([one.check(), two.check()]);
    overtake(one, 'before');
    expect(await one.isNewest('person', 'before', NOW)).to.equal(true);
    await lose(one);
    // Nobody knows what others have seen since.
    expect(await one.isNewest('person', 'before', NOW)).to.equal('unknown');
    overtake(one, 'during');
    expect(await one.isNewest('person', 'during', NOW)).to.equal(true);
    expect(await one.isNewest('person', 'before', NOW)).to.equal('unknown');
    await recover(one);
    expect(await one.isNewest('person', 'before', NOW)).to.equal(false);
    expect(await two.isNewest('person', 'during', NOW)).to.equal(true);

    await lose(one);
    overtake(one, 'again');
    // Older by more than a command takes: how old it is, is told with it.
    await new Promise((resolve) => setTimeout(resolve, 200));
    redis.continue();
    // The other one is not lost, and is first with a newer event.
    await until(() => two.health === 'ok');
    overtake(two, 'newest');
    expect(await two.isNewest('person', 'newest', NOW)).to.equal(true);
    await until(() => one.health === 'ok');
    expect(await one.isNewest('person', 'again', NOW)).to.equal(false);
    expect(await one.isNewest('person', 'newest', NOW)).to.equal(true);
  });

  it('the last 20,000 events at most are kept for when it is back, the older half dropped first', async () => {
    const [one, two] = [open(), open()];
    await Promise.all([one.check(), two.check()]);
    await lose(one);
    const life = { isPreview: false, nowMs: NOW, untilMs: NOW + 60_000 };
    for (let at = 0; at <= 20_000; at += 1) one.overtake(`person-${at}`, { eventKey: 'e', ...life });
    await recover(one);
    let isTold = false;
    while (!isTold) isTold = (await two.isNewest('person-20000', 'e', NOW)) === true;
    expect(await two.isNewest('person-10000', 'e', NOW)).to.equal(true);
    expect(await two.isNewest('person-9999', 'e', NOW)).to.equal('unknown');
    expect(one.health).to.equal('ok');
  });

  it('check() says so with its remedy, and finds out when it is back, without waiting for the next look', async () => {
    mustNotShow('redis-password-2e');
    const state = open(`redis://user:redis-password-2e@127.0.0.1:${redis.port}`);
    const failure: unknown = await state.check().catch((error: unknown) => error);
    witness(failure);
    expect(failure).to.include({ code: 'STATE_LOST' });
    expect((failure as TelephonyHookError).message).to.include('WRONGPASS');
    expect((failure as TelephonyHookError).remedy).to.include('Look at the user and the password');
    expect(news).to.have.length(1);
    await redis.admin.call('ACL', 'SETUSER', 'user', 'on', '>redis-password-2e', 'allkeys', 'allcommands');
    await state.check();
    expect(news.map(({ type }) => type)).to.deep.equal(['lost', 'recovered']);
  });

  it('a password that is missing, a right that is missing and a cluster are told as what they are', async () => {
    const reasonOf = async (connection: string, port = redis.port): Promise<string | undefined> => {
      const state = open(`redis://${connection}127.0.0.1:${port}`);
      await state.check().catch(() => undefined);
      return news.pop()?.reason;
    };
    await redis.admin.call('ACL', 'SETUSER', 'reader', 'on', '>pw-reader', 'allkeys', '+@read');
    expect(await reasonOf('reader:pw-reader@')).to.equal('NOPERM');
    await redis.admin.config('SET', 'requirepass', 'pw-of-default');
    expect(await reasonOf('')).to.equal('NOAUTH');
    const node = closers.add(await startRedis('--cluster-enabled', 'yes'), (server) => server.close());
    expect(await reasonOf('', node.port)).to.equal('CLUSTERDOWN');
    expect(await reasonOf('', 9)).to.equal('ECONNREFUSED');
  });
});

describe('what Redis or its client throws', () => {
  const replied = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });
  for (const [error, reason, mayBeDone] of [
    [replied("READONLY You can't write against a read only replica."), 'READONLY', false],
    [replied('ERR Error running script: @user_script:3: -OOM command not allowed'), 'OOM', false],
    [replied('LOADING Redis is loading the dataset in memory'), 'LOADING', false],
    [replied('MOVED 1234 10.0.0.1:6379'), 'MOVED', false],
    [replied('ERR unknown command 204981'), 'REFUSED', false],
    [Object.assign(new Error('connect 10.0.0.1'), { code: 'EHOSTUNREACH' }), 'EHOSTUNREACH', true],
    [
      Object.assign(new Error('no'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      true,
    ],
    [new Error('Connection is closed.'), 'CLOSED', true],
    [new Error("Stream isn't writeable and enableOfflineQueue options is false"), 'CLOSED', false],
    [Object.assign(new Error('all failed'), { lastNodeError: replied('NOAUTH needed') }), 'NOAUTH', false],
    [Object.assign(new Error('no'), { code: 204_981 }), 'FAILED', true],
    ['204981', 'FAILED', true],
    [undefined, 'FAILED', true],
  ] as const) {
    it(`is told as ${reason} of ours, with a remedy and without its words`, () => {
      mustNotShow('204981', '10.0.0.1');
      const failure = failureOf(error);
      witness(failure);
      expect(failure).to.include({ code: 'STATE_LOST', reason, mayBeDone });
      expect(failure.remedy).to.match(/\w/);
      expect(failureOf(failure)).to.equal(failure);
    });
  }
});
