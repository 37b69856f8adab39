import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { openRedisState } from '#lib/state/redis/state.js';
import { needRedis, startRedis, type RedisServer } from '#harness/redis-server.js';
import { mustNotShow } from '#harness/witness.js';
import { lineOf, openWard, WITHOUT, type Line, type Ward } from './scene.js';

const KEY = randomBytes(32).toString('base64');
const OTHER_KEY = randomBytes(32).toString('base64');

describe('doctor checks Redis', function () {
  let ward: Ward;
  let redis: RedisServer | undefined;
  before(async function () {
    needRedis(this);
    ward = await openWard({ setups: [] });
  });
  after(async () => {
    await (ward as Ward | undefined)?.close();
  });
  afterEach(async () => {
    await redis?.close();
    redis = undefined;
  });

  const start = async (...options: string[]): Promise<RedisServer> =>
    (redis = await startRedis('--appendonly', 'yes', ...options));
  const look = (url: string, words = ''): Promise<readonly Line[]> => {
    mustNotShow(KEY, OTHER_KEY);
    const others = { ...WITHOUT.okta, ...WITHOUT.twilio };
    return ward.lines({ ...others, REDIS_URL: url, STATE_ENCRYPTION_KEY: KEY }, words);
  };

  it('and reports each check as ok if all is well, and leaves no key behind', async () => {
    const server = await start();
    const { url, admin } = server;
    const lines = (await look(url)).filter(({ check }) => check.startsWith('redis.'));
    const plain = lines.map(({ check, status, message, remedy }) => ({
      check,
      status,
      message: message.replace(/\d+(\.\d+)*/, 'N'),
      remedy,
    }));
    expect(plain).to.deep.equal(
      [
        ['redis.variables', 'Set.'],
        ['redis.libraries', 'ioredis is installed.'],
        ['redis.reached', 'Redis answers in N ms.'],
        [
          'redis.writes',
          "Redis accepts the writes for codes, for the console's history and for late failover.",
        ],
        ['redis.version', 'Redis has version N.'],
        ['redis.eviction', 'maxmemory-policy is noeviction.'],
        ['redis.memory', 'Redis may use all memory of its machine.'],
        ['redis.persistence', 'Redis writes every change to its disk (AOF).'],
        ['redis.keys', 'No gateway uses this Redis with another STATE_ENCRYPTION_KEY.'],
      ].map(([check, message]) => ({ check, status: 'ok', message, remedy: null })),
    );
    await admin.flushall();
    await look(url);
    // Only the probe of a claim may be left: it expires within a second.
    const left = await server.dump();
    expect(left.filter(({ expiresInMs }) => expiresInMs < 0 || expiresInMs > 1_000)).to.deep.equal([]);
  });

  it('and finds a policy that evicts keys, a memory that is nearly full, and no persistence', async () => {
    const { url, admin } = await start('--maxmemory-policy', 'allkeys-lru', '--appendonly', 'no');
    const used = Number(/^used_memory:(\d+)/m.exec(await admin.info('memory'))?.[1]);
    await admin.config('SET', 'maxmemory', String(Math.ceil(used * 1.02)));
    const lines = await look(url);
    const expectFound = (check: string, status: string, names: RegExp, remedy: RegExp): void => {
      const line = lineOf(lines, check);
      expect(line.status, check).to.equal(status);
      expect(line.message).to.match(names);
      expect(line.remedy).to.match(remedy);
    };
    expectFound('redis.eviction', 'fail', /allkeys-lru/, /noeviction/);
    expectFound('redis.memory', 'warn', /9\d %|1\d\d %/, /more memory/);
    expectFound('redis.persistence', 'warn', /neither/, /appendonly/);
  });

  it('and finds a replica', async () => {
    const { url } = await start('--replicaof', '127.0.0.1 1');
    const line = lineOf(await look(url), 'redis.writes');
    expect(line).to.include({ status: 'fail' });
    expect(line.message).to.include('replica');
    expect(line.remedy).to.include('primary');
  });

  it('and finds a missing password', async () => {
    const { url, admin } = await start();
    await admin.config('SET', 'requirepass', 'planted-password');
    const line = lineOf(await look(url), 'redis.reached');
    expect(line).to.include({ status: 'fail' });
    expect(line.message).to.include('NOAUTH');
    expect(line.remedy).to.include('password');
  });

  for (const [what, rights, status, names, remedy] of [
    [
      'only the commands for codes',
      '',
      'warn',
      /refuses those for the console.*afterSeconds/,
      /\+xrevrange.*\+zadd \+zrangebyscore \+zrem/,
    ],
    [
      'the commands for codes and the history',
      '+xadd +xdel +xrange +xrevrange',
      'warn',
      /refuses those for lateFailover/,
      /\+zadd \+zrangebyscore \+zrem/,
    ],
    [
      'all commands of the Redis guide',
      '+xadd +xdel +xrange +xrevrange +zadd +zrangebyscore +zrem',
      'ok',
      /codes.*history.*late failover/,
      /^nothing to do$/,
    ],
    ['fewer commands than codes need', '-decr', 'fail', /NOPERM/, / that the guide Several gateways lists/],
  ] as const) {
    it(`and finds the rights of a user with ${what}`, async () => {
      const server = await start();
      const basic = '+eval +evalsha +get +set +del +incr +decr +pexpire +pttl +time +select +info';
      mustNotShow('planted-password');
      const rules = `on >planted-password ~{okta-telephony-hook}:* ${basic} ${rights}`.trim().split(' ');
      await server.admin.call('ACL', 'SETUSER', 'gateway', ...rules);
      const line = lineOf(
        await look(server.url.replace('redis://', 'redis://gateway:planted-password@')),
        'redis.writes',
      );
      expect(line.status, line.message).to.equal(status);
      expect(line.message).to.match(names);
      expect(line.remedy ?? 'nothing to do').to.match(remedy);
      const left = await server.dump();
      expect(left.filter(({ expiresInMs }) => expiresInMs < 0 || expiresInMs > 1_000)).to.deep.equal([]);
    });
  }

  it('and finds gateways with another encryption key', async () => {
    const { url, admin } = await start();
    const state = openRedisState({ connection: url, encryptionKeys: [OTHER_KEY] });
    await state.check();
    await state.close();
    const line = lineOf(await look(url), 'redis.keys');
    expect(line).to.include({ status: 'fail' });
    expect(line.remedy).to.include('the same list');
    // The same, but long ago.
    const mark = '{okta-telephony-hook}:keys';
    const known = (await admin.get(mark)) ?? '';
    await admin.set(mark, known.replace(/^\d+/, String(Date.now() - 1_000)), 'KEEPTTL');
    expect(lineOf(await look(url), 'redis.keys')).to.include({ status: 'ok' });
  });

  it('and finds a server that hangs, and one that is not reachable', async () => {
    const server = await start();
    const { url } = server;
    server.stop();
    const hanging = await look(url, '--timeout 2');
    expect(lineOf(hanging, 'redis.reached')).to.include({ status: 'fail' });
    expect(lineOf(hanging, 'redis.eviction').message).to.include('redis.reached');
    expect(lineOf(hanging, 'hook.answers')).to.include({ status: 'ok' });
    await server.kill();
    expect(lineOf(await look(url), 'redis.reached').message).to.include('ECONNREFUSED');
  });
});
