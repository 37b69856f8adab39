import { expect } from 'chai';
import { examineRedis } from '#lib/cli/doctor/checks/redis.js';
import { REMEDIES, RedisFailure } from '#lib/state/redis/failure.js';
import type { RedisInspection } from '#lib/cli/doctor/redis-inspection.js';
import { keptParts } from '../../kept-output.js';

type Load = NonNullable<Parameters<typeof examineRedis>[1]['load']>;

const INFO: Readonly<Record<string, string>> = {
  role: 'master',
  redis_version: '7.2.4',
  maxmemory_policy: 'noeviction',
  maxmemory: '0',
  used_memory: '1000',
  aof_enabled: '1',
  aof_last_write_status: 'ok',
  connected_slaves: '0',
};
const SEEN: RedisInspection = {
  answersInMs: 2.1,
  info: INFO,
  refusal: undefined,
  historyRefusal: undefined,
  alarmsRefusal: undefined,
  hasOtherKeys: false,
};
const VALUE = { connection: 'redis://redis.example:6379', encryptionKeys: ['key-1', 'key-2'] };
const FINDING = { status: 'ok', message: 'Set.', remedy: undefined } as const;
const time = { now: () => 0, sleep: () => Promise.resolve() };

/** A line for each finding, and one for its remedy. */
async function look(load: Load): Promise<readonly string[]> {
  const group = examineRedis({ finding: FINDING, value: VALUE }, { callMs: 700, time, load });
  expect(group.title).to.equal('Redis');
  const lines = await Promise.all(
    group.checks.map(async (check) => {
      const { status, message, remedy } = await check.run();
      return [`${status} ${check.name}: ${message}`, ...(remedy === undefined ? [] : [`     ${remedy}`])];
    }),
  );
  return lines.flat();
}

const seeing =
  (seen: RedisInspection | RedisFailure): Load =>
  () =>
  () =>
    Promise.resolve(seen);
const withInfo = (changed: Readonly<Record<string, string>>): Partial<RedisInspection> => ({
  info: { ...INFO, ...changed },
});
const NOPERM = new RedisFailure('NOPERM', false);

/** What differs from a healthy Redis. */
const ROWS: Readonly<Record<string, Partial<RedisInspection>>> = {
  'an answer within the limit': { answersInMs: 39.9 },
  'a slow answer': { answersInMs: 40 },
  'a replica': withInfo({ role: 'slave' }),
  'refused writes for codes': { refusal: NOPERM },
  "refused writes for the console's history": { historyRefusal: NOPERM },
  "refused writes for the console's history and for late failover": {
    historyRefusal: NOPERM,
    alarmsRefusal: new RedisFailure('READONLY', false),
  },
  'the oldest supported version': withInfo({ redis_version: '6.0.0' }),
  'a version that is too old': withInfo({ redis_version: '5.0.14' }),
  'a Valkey that also reports an old Redis version': withInfo({
    redis_version: '5.0.0',
    valkey_version: '8.1.0',
  }),
  'a policy that evicts keys': withInfo({ maxmemory_policy: 'allkeys-lru' }),
  'a memory of which less than 90 % are used': withInfo({ maxmemory: '1000', used_memory: '899' }),
  'a memory that is nearly full': withInfo({ maxmemory: '1000', used_memory: '900' }),
  'no AOF': withInfo({ aof_enabled: '0' }),
  'an AOF that cannot be written': withInfo({ aof_last_write_status: 'err' }),
  'a replica instead of AOF': withInfo({ aof_enabled: '0', connected_slaves: '1' }),
  'replicas instead of AOF': withInfo({ aof_enabled: '0', connected_slaves: '2' }),
  'a user who may not run INFO': { info: undefined },
  'a gateway with another encryption key': { hasOtherKeys: true },
};
/** Failures of an inspection, for which doctor has other remedies than the gateway, which tries again. */
const REASONS = [
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'TIMEOUT', 'CLOSED', 'WRONGPASS', 'LOADING', 'BUSY'],
  ...['MASTERDOWN', 'READONLY', 'MOVED', 'TRYAGAIN'],
];

/** The texts are in a file of `test/cli/outputs/`. */
describe('examineRedis', () => {
  const expectTexts = keptParts('doctor-redis');
  let well: readonly string[];
  before(async () => {
    well = await look(seeing(SEEN));
  });

  it('reports a healthy Redis', () => {
    for (const line of well) expect(line).to.match(/^ok redis\./);
    expectTexts('a healthy Redis', well.join('\n'));
  });

  for (const [what, seen] of Object.entries(ROWS)) {
    it(`reports ${what}, and nothing else`, async () => {
      const lines = await look(seeing({ ...SEEN, ...seen }));
      expectTexts(what, lines.filter((line) => !well.includes(line)).join('\n'));
    });
  }

  for (const reason of REASONS) {
    it(`skips the other checks after ${reason}, and has a remedy for it`, async () => {
      const failure = new RedisFailure(reason, true);
      const [, , reached = '', remedy = '', ...others] = await look(seeing(failure));
      expect(reached).to.match(/^fail redis\.reached/);
      expect(others.filter((_, index) => index % 2 === 0)).to.have.length(6);
      for (const line of others)
        expect(line).to.match(/Not checked, because redis\.reached|^ +See redis\.reached/);
      expectTexts(reason, `${reached}\n${remedy}`);
      expect(await look(seeing({ ...SEEN, refusal: failure }))).to.include(remedy);
    });
  }

  it('inspects Redis once, with its variables and the time limit of a call', async () => {
    const asked: unknown[] = [];
    const load: Load =
      () =>
      (options, { timeoutMs, now }) => {
        asked.push(options, timeoutMs, now());
        return Promise.resolve(SEEN);
      };
    await look(load);
    expect(asked).to.deep.equal([VALUE, 700, 0]);
  });

  it('has no remedy of a gateway, which tries again', async () => {
    const others = ['CLOSED', 'REFUSED', 'TIMEOUT', 'ECONNRESET', 'CERT_HAS_EXPIRED'];
    for (const reason of [...Object.keys(REMEDIES), ...others, 'ERR_SSL_WRONG_VERSION_NUMBER']) {
      const [, , , remedy] = await look(seeing(new RedisFailure(reason, true)));
      expect(remedy, reason)
        .to.match(/^ {5}\S/)
        .and.not.match(/every second|give a client|used again/);
    }
  });

  it('skips the other checks if ioredis is not installed', async () => {
    expectTexts('no ioredis', (await look(() => undefined)).join('\n'));
  });

  it('checks only the variables if no Redis is configured', async () => {
    const { checks } = examineRedis({ finding: FINDING, value: undefined }, { callMs: 1, time });
    expect(checks.map(({ name }) => name)).to.deep.equal(['redis.variables']);
    expect(await checks[0]?.run()).to.deep.equal(FINDING);
  });
});
