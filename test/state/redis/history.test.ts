import { deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import type { HookEvent } from '#lib/core/events.js';
import type { Execution } from '#lib/console/history/answers.js';
import type { HistoryLog } from '#lib/delivery/state.js';
import type { StatePort, StateEvent } from '#lib/delivery/state.js';
import { createHistory, type KeptHistory } from '#lib/console/history/history.js';
import { failureOf } from '#lib/state/redis/failure.js';
import type { RedisStateOptions } from '#lib/state/redis/options.js';
import { openRedisState } from '#lib/state/redis/state.js';
import { createSealing, plainName } from '#lib/state/redis/sealing.js';
import { Closers } from '#harness/closers.js';
import { startGatewayBeside } from '#harness/gateway-beside.js';
import { watchTraffic, type DumpedKey, type RedisServer, useRedis } from '#harness/redis-server.js';
import { bePatient, loseSoon, patientTimes } from '#harness/redis-times.js';
import { ANA, startScene, type Scene } from '#harness/scene.js';
import { reasonOf } from '#harness/state-news.js';
import { until } from '#harness/until.js';
import { witness } from '#harness/witness.js';
import { START, eventsOf } from '../../events/sample-events.js';

const KEY = Buffer.alloc(32, 4).toString('base64');
const NEW_KEY = Buffer.alloc(32, 5).toString('base64');
const DAY_MS = 86_400_000;
const NAME = plainName('okta-telephony-hook', 'history');

describe('history in Redis', () => {
  let redis: RedisServer;
  const closers = new Closers();
  useRedis((server) => {
    redis = server;
  });
  afterEach(() => {
    redis.continue();
    return closers.closeAll();
  });

  const openState = (over: Partial<RedisStateOptions> = {}, times = patientTimes()): StatePort =>
    closers.add(openRedisState({ connection: redis.url, encryptionKeys: [KEY], ...over }, times), (state) =>
      state.close(),
    );
  const logOf = ({ history }: StatePort): HistoryLog => {
    if (history === undefined) throw new Error('the state has no history');
    return history;
  };
  const openLog = (over: Partial<RedisStateOptions> = {}): HistoryLog => logOf(openState(over));
  const open = (state: StatePort = openState()): KeptHistory =>
    closers.add(createHistory({ log: state.history, clock: () => START + 60_000 }), (kept) => kept.close());
  const record = ({ listener }: KeptHistory, ...events: readonly HookEvent[]): void => {
    for (const event of events) void listener(event);
  };
  const kept = async (): Promise<readonly DumpedKey[]> =>
    (await redis.dump()).filter(({ name }) => name.endsWith(':history'));
  const readAll = async (log: HistoryLog): Promise<readonly string[]> =>
    (await log.read(undefined, 100)).batches;

  /** A call with an accepted message. */
  const of = eventsOf('event-1');
  const call = [
    of.received(),
    of.attempt(160, 'accepted', { transactionId: 'SM-of-ana' }),
    of.answered(170, 'SUCCESSFUL'),
  ];

  it('is the same at all gateways: a call of one, its callback at the other, and a gateway that starts later', async () => {
    const [one, two] = [open(), open()];
    record(one, ...call);
    record(two, of.status(900, 'SM-of-ana', 'delivered'));
    for (const { history } of [one, two, open()]) {
      expect(history.isShared).to.equal(true);
      await until(async () => (await history.open('event-1'))?.steps.length === 4);
      expect((await history.find({ limit: 10 })).executions).to.have.length(1);
      expect(await history.open('event-1')).to.include({ outcome: 'delivered', userId: '00u-event-1' });
    }
  });

  it('reports a call of one gateway to those who watch the history of the other', async () => {
    const [one, two] = [open(), open()];
    const changes: string[] = [];
    const end = two.history.watch((changed) => changes.push(...changed.map(({ id }) => id)));
    await two.history.find({ limit: 1 });
    record(one, ...call);
    await until(() => changes.includes('event-1'));
    end();
  });

  it('is read in pages, in order, from a cursor on', async () => {
    const log = openLog();
    expect(await log.read(undefined, 2)).to.deep.equal({ batches: [], cursor: undefined, hasMore: false });
    for (const batch of ['a', 'b', 'c']) await log.append(batch);
    const first = await log.read(undefined, 2);
    expect(first).to.deep.include({ batches: ['a', 'b'], hasMore: true });
    const second = await log.read(first.cursor, 2);
    expect(second).to.deep.include({ batches: ['c'], hasMore: false });
    expect(await log.read(second.cursor, 2)).to.deep.equal({
      batches: [],
      cursor: second.cursor,
      hasMore: false,
    });
    await log.append('d');
    expect((await log.read(second.cursor, 2)).batches).to.deep.equal(['d']);
  });

  it('is read from the beginning after a failover to a Redis whose clock is behind', async () => {
    const log = openLog();
    await log.append('before');
    const { cursor } = await log.read(undefined, 2);
    const [entry] = await redis.admin.xrangeBuffer(NAME, '-', '+');
    const sealed = entry?.[1][3] ?? '';
    await redis.admin.del(NAME);
    expect(await log.read(cursor, 2)).to.deep.equal({ batches: [], cursor, hasMore: false });
    const behind = `${Date.now() - 60_000}-0`;
    await redis.admin.xadd(NAME, behind, 'total', '1', 'batch', sealed);
    const page = await log.read(cursor, 2);
    expect(page).to.deep.equal({ batches: ['before'], cursor: behind, hasMore: false });
    expect((await log.read(page.cursor, 2)).batches).to.be.empty;
  });

  it('shows no user data to readers of Redis, and expires after a day', async () => {
    const traffic = await watchTraffic(redis);
    const gateway = open();
    // No shorter words: random bytes contain one of three letters by chance.
    record(gateway, ...call, of.status(900, 'SM-of-ana', 'delivered'));
    await gateway.close();
    const [stream, ...others] = await kept();
    expect(others).to.be.empty;
    expect(stream?.name).to.equal(NAME);
    expect(stream?.expiresInMs).to.be.within(DAY_MS - 60_000, DAY_MS);
    const word = /event-1|00u-event|SM-of-ana|"toEnding"|"sms"|delivered|TWILIO|received/;
    expect(stream?.value.toString('latin1')).to.not.match(word);
    await until(() => traffic.lines.some((line) => line.includes('XADD')));
    traffic.end();
    expect(traffic.lines.join('\n')).to.not.match(word);
  });

  it('has the same hash tag as all other keys, so a cluster keeps it on their shard', () => {
    expect(NAME).to.match(/^\{okta-telephony-hook\}:history$/);
  });

  it('skips entries of another key, of another prefix, and changed ones', async () => {
    const log = openLog();
    await log.append('ours');
    const entry = await redis.admin.xrangeBuffer(NAME, '-', '+');
    const sealed = entry[0]?.[1][3];
    if (sealed === undefined) throw new Error('there is no batch');
    const changed = Buffer.from(sealed);
    changed[30] = (changed[30] ?? 0) ^ 1;
    await redis.admin.xadd(NAME, '*', 'total', '1', 'batch', changed);
    await redis.admin.xadd(NAME, '*', 'total', '1', 'batch', 'x');
    await redis.admin.xadd(NAME, '*', 'something', 'else');
    await log.append('last');
    expect(await readAll(log)).to.deep.equal(['ours', 'last']);
    // The cursor passes entries that the log cannot read.
    const { cursor } = await log.read(undefined, 2);
    expect(await log.read(cursor, 2)).to.deep.include({ batches: [], hasMore: true });

    await redis.admin.xadd(plainName('other', 'history'), '*', 'total', '1', 'batch', sealed);
    expect(await readAll(openLog({ keyPrefix: 'other' }))).to.be.empty;
    expect(await readAll(openLog({ encryptionKeys: [NEW_KEY] }))).to.be.empty;
  });

  it('skips entries that decrypt but are no batch, or are longer than a batch can be', async () => {
    const log = openLog();
    const sealing = createSealing(Buffer.from(KEY, 'base64'), 'okta-telephony-hook');
    await log.append('first');
    for (const bytes of [Buffer.from('not deflated'), deflateRawSync('x'.repeat(4 * 1024 * 1024 + 1))]) {
      await redis.admin.xadd(NAME, '*', 'total', '1', 'batch', sealing.seal('history', NAME, bytes));
    }
    await log.append('last');
    expect(await readAll(log)).to.deep.equal(['first', 'last']);
  });

  it('continues during a key change: gateways with both keys read all entries, and every gateway reads theirs', async () => {
    const [old, both, fresh] = [
      openLog(),
      openLog({ encryptionKeys: [NEW_KEY, KEY] }),
      openLog({ encryptionKeys: [NEW_KEY] }),
    ];
    await old.append('by the old');
    await both.append('by both');
    await fresh.append('by the new');
    expect(await readAll(both)).to.deep.equal(['by the old', 'by both', 'by the new']);
    expect(await readAll(old)).to.deep.equal(['by the old', 'by both']);
    expect(await readAll(fresh)).to.deep.equal(['by both', 'by the new']);
  });

  it('deletes entries older than a day when a new one comes', async () => {
    const log = openLog();
    const ofYesterday = `${Date.now() - DAY_MS - 60_000}-0`;
    for (const place of [0, 1, 2]) {
      await redis.admin.xadd(
        NAME,
        `${ofYesterday.slice(0, -1)}${place}`,
        'total',
        String(place),
        'batch',
        'x',
      );
    }
    await redis.admin.xadd(NAME, `${Date.now() - DAY_MS + 60_000}-0`, 'total', '3', 'batch', 'x');
    await log.append('new');
    expect(await redis.admin.xlen(NAME)).to.equal(2);
  });

  it('keeps the newest eight megabytes', async () => {
    const log = openLog();
    const big = 'x'.repeat(4_000_000);
    await redis.admin.xadd(NAME, '*', 'total', '4000000', 'batch', big);
    await redis.admin.xadd(NAME, '*', 'total', '8000000', 'batch', big);
    await log.append('small');
    expect(await redis.admin.xlen(NAME)).to.equal(3);
    // As if eight more megabytes had come.
    await redis.admin.xadd(NAME, '*', 'total', '17000000', 'batch', 'y');
    await log.append('the last');
    expect(await redis.admin.xlen(NAME)).to.equal(2);
    expect(await readAll(log)).to.deep.equal(['the last']);
    expect(await redis.admin.memory('USAGE', NAME)).to.be.lessThan(1_000_000);
  });

  it("reaches Redis after a loss, and shows the process's own calls during it", async () => {
    const times = patientTimes();
    const state = openState({}, times);
    const [one, two] = [open(state), open()];
    await state.check();
    redis.stop();
    loseSoon(times);
    record(one, ...call);
    await until(() => state.health === 'lost');
    expect((await one.history.find({ limit: 1 })).total).to.equal(1);
    bePatient(times);
    redis.continue();
    await state.check();
    await until(async () => (await two.history.open('event-1'))?.steps.length === 3);
    expect((await one.history.open('event-1'))?.steps).to.have.length(3);
  });

  it('continues after Redis has lost all data', async () => {
    const [one, two] = [open(), open()];
    record(one, ...call);
    await until(async () => (await two.history.open('event-1')) !== undefined);
    await redis.admin.flushall();
    record(one, eventsOf('event-2').received());
    await until(async () => (await two.history.open('event-2')) !== undefined);
    expect((await two.history.find({ limit: 1 })).total).to.equal(2);
  });

  it('warns once, and does not lose Redis, if the user may not write it', async () => {
    const user = ['ACL', 'SETUSER', 'poor', 'on', '>acl-password', '~{okta-telephony-hook}:*'] as const;
    const commands = '+eval +evalsha +get +set +del +incr +decr +pexpire +pttl +time +select';
    await redis.admin.call(...user, ...commands.split(' '));
    const state = openState({ connection: `redis://poor:acl-password@127.0.0.1:${redis.port}/0` });
    const news: StateEvent[] = [];
    state.watch?.((one) => news.push(one));
    await state.check();
    const log = logOf(state);
    for (const ask of [() => log.append('a'), () => log.append('b'), () => log.read(undefined, 1)]) {
      const reason = await ask().then(String, (error: unknown) => failureOf(error).reason);
      expect(reason).to.equal('NOPERM');
    }
    expect(state.health).to.equal('ok');
    expect(news.map((one) => [one.type, reasonOf(one)])).to.deep.equal([['warned', 'HISTORY_NOPERM']]);
    await redis.admin.call('ACL', 'DELUSER', 'poor');
  });

  it('needs no other rights than the Redis guide lists', async () => {
    const commands =
      '+eval +evalsha +get +set +del +incr +decr +pexpire +pttl +time +select +xadd +xdel +xrange +xrevrange';
    const user = ['ACL', 'SETUSER', 'console', 'on', '>acl-password', '~{okta-telephony-hook}:*'] as const;
    await redis.admin.call(...user, ...commands.split(' '));
    const state = openState({ connection: `redis://console:acl-password@127.0.0.1:${redis.port}/0` });
    const log = logOf(state);
    await redis.admin.xadd(NAME, '1-0', 'total', '1', 'batch', 'x');
    await log.append('a');
    expect(await readAll(log)).to.deep.equal(['a']);
    expect(state.health).to.equal('ok');
    await redis.admin.call('ACL', 'DELUSER', 'console');
  });

  describe('of gateways that send codes', () => {
    let scene: Scene;
    const publicUrl = 'https://id.example.com/okta/telephony';
    const keeping = (state: StatePort): { readonly gateway: KeptHistory; readonly hook: object } => {
      const gateway = open(state);
      const onEvent = (event: HookEvent): void => {
        witness(event);
        gateway.listener(event);
      };
      return { gateway, hook: { publicUrl, state, onEvent } };
    };
    /** Sends the status callback of Twilio. */
    const report = async (url: string, sid: string, status: string, to: string): Promise<void> => {
      const code = status === 'undelivered' ? { ErrorCode: '63024' } : undefined;
      const params = { MessageSid: sid, MessageStatus: status, To: to, ...code };
      const headers = { 'x-twilio-signature': scene.twilio.sign(`${publicUrl}/twilio/status`, params) };
      const body = new URLSearchParams(params);
      await fetch(`${url}/twilio/status`, { method: 'POST', headers, body });
    };

    it('has all steps of a code: WhatsApp by one gateway, SMS after it by the other, delivered', async () => {
      const [one, two] = [keeping(openState()), keeping(openState())];
      scene = closers.add(await startScene({ hook: one.hook }), (started) => started.close());
      const beside = closers.add(await startGatewayBeside(scene, two.hook), (started) => started.close());
      await scene.call({ eventId: 'event-1' });
      const [byWhatsApp] = scene.twilio.messages;
      await report(beside.url, byWhatsApp?.sid ?? '', 'undelivered', `whatsapp:${ANA.phone}`);
      await until(() => scene.twilio.messages.length === 2);
      await report(scene.url, scene.twilio.messages[1]?.sid ?? '', 'delivered', ANA.phone);
      for (const { gateway } of [one, two]) {
        const opened = async (): Promise<Execution | undefined> => gateway.history.open('event-1');
        await until(async () => (await opened())?.outcome === 'delivered');
        await until(
          async () => (await opened())?.steps.some(({ type }) => type === 'failover.ended') === true,
        );
        expect(await opened()).to.include({
          userId: ANA.id,
          toEnding: '23',
          channel: 'sms',
          provider: 'TWILIO',
        });
        witness(await opened());
      }
    });

    it('is not written if the gateway keeps no history', async () => {
      const state = openState();
      scene = closers.add(await startScene({ hook: { state } }), (started) => started.close());
      await scene.call();
      await scene.hook.close();
      expect((await redis.dump()).length).to.be.greaterThan(0);
      expect(await kept()).to.be.empty;
    });
  });
});
