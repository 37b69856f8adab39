import { expect } from 'chai';
import { examineRedis } from '#lib/cli/doctor/checks/redis.js';
import { REMEDIES, RedisFailure } from '#lib/state/redis/failure.js';
import type { RedisInspection } from '#lib/cli/doctor/redis-inspection.js';

type Load = NonNullable<Parameters<typeof examineRedis>[1]['load']>;
type Finding = readonly [check: string, status: string, message: string, remedy?: string];

/** The findings for a healthy Redis. */
const WELL: readonly Finding[] = [
  ['redis.variables', 'ok', 'Set.'],
  ['redis.libraries', 'ok', 'ioredis is installed.'],
  ['redis.reached', 'ok', 'Redis answers in 3 ms.'],
  [
    'redis.writes',
    'ok',
    "Redis accepts the writes for codes, for the console's history and for late failover.",
  ],
  ['redis.version', 'ok', 'Redis has version 7.2.4.'],
  ['redis.eviction', 'ok', 'maxmemory-policy is noeviction.'],
  ['redis.memory', 'ok', 'Redis may use all memory of its machine.'],
  ['redis.persistence', 'ok', 'Redis writes every change to its disk (AOF).'],
  ['redis.keys', 'ok', 'No gateway uses this Redis with another STATE_ENCRYPTION_KEY.'],
];

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
const time = { now: () => 0, sleep: () => Promise.resolve() };

async function look(load: Load): Promise<readonly Finding[]> {
  const finding = { status: 'ok', message: 'Set.', remedy: undefined } as const;
  const group = examineRedis({ finding, value: VALUE }, { callMs: 700, time, load });
  expect(group.title).to.equal('Redis');
  return Promise.all(
    group.checks.map(async (check): Promise<Finding> => {
      const { status, message, remedy } = await check.run();
      return remedy === undefined ? [check.name, status, message] : [check.name, status, message, remedy];
    }),
  );
}

const seeing =
  (seen: RedisInspection | RedisFailure): Load =>
  () =>
  () =>
    Promise.resolve(seen);

const UNSEEN = (check: string, what: string): Finding => [
  check,
  'warn',
  `${what} cannot be read: this user may not run INFO.`,
  'Check it as an administrator of the Redis.',
];
const NOPERM = new RedisFailure('NOPERM', false);
const NOPERM_REMEDY = 'If a gateway uses that, allow the user these commands.';

/** What differs from a healthy Redis, and the findings for it. */
const ROWS: readonly (readonly [
  what: string,
  seen: Partial<RedisInspection>,
  ...changed: readonly Finding[],
])[] = [
  ['a healthy Redis', {}],
  ['an answer within the limit', { answersInMs: 39.9 }, ['redis.reached', 'ok', 'Redis answers in 40 ms.']],
  [
    'a slow answer',
    { answersInMs: 40 },
    [
      'redis.reached',
      'warn',
      'Redis answers in 40 ms from here: after 150 ms a gateway treats it as lost.',
      'Run it near the gateways. Ignore this if doctor runs far away from both.',
    ],
  ],
  [
    'a replica',
    { info: { ...INFO, role: 'slave' } },
    [
      'redis.writes',
      'fail',
      'This server is a replica, and keeps no writes.',
      'Set REDIS_URL to the endpoint of the primary.',
    ],
  ],
  [
    'refused writes for codes',
    { refusal: NOPERM },
    ['redis.writes', 'fail', "Redis refuses the gateway's writes (NOPERM).", NOPERM.remedy],
  ],
  [
    "refused writes for the console's history",
    { historyRefusal: NOPERM },
    [
      'redis.writes',
      'warn',
      "Redis accepts the writes for codes, but refuses those for the console's history (NOPERM).",
      `${NOPERM_REMEDY} the console's history: +xadd +xdel +xrange +xrevrange.`,
    ],
  ],
  [
    "refused writes for the console's history and for late failover",
    { historyRefusal: NOPERM, alarmsRefusal: new RedisFailure('READONLY', false) },
    [
      'redis.writes',
      'warn',
      "Redis accepts the writes for codes, but refuses those for the console's history (NOPERM) and lateFailover.afterSeconds (READONLY).",
      `${NOPERM_REMEDY} the console's history: +xadd +xdel +xrange +xrevrange; lateFailover.afterSeconds: +zadd +zrangebyscore +zrem.`,
    ],
  ],
  [
    'the oldest supported version',
    { info: { ...INFO, redis_version: '6.0.0' } },
    ['redis.version', 'ok', 'Redis has version 6.0.0.'],
  ],
  [
    'a version that is too old',
    { info: { ...INFO, redis_version: '5.0.14' } },
    ['redis.version', 'fail', 'Redis has version 5.0.14.', 'Use version 6 or later.'],
  ],
  [
    'a Valkey that also reports an old Redis version',
    { info: { ...INFO, redis_version: '5.0.0', valkey_version: '8.1.0' } },
    ['redis.version', 'ok', 'Redis has version 8.1.0.'],
  ],
  [
    'a policy that evicts keys',
    { info: { ...INFO, maxmemory_policy: 'allkeys-lru' } },
    [
      'redis.eviction',
      'fail',
      'maxmemory-policy is allkeys-lru: Redis may forget what was sent, and a code goes out twice.',
      'Set maxmemory-policy to noeviction, on a Redis for the gateways only.',
    ],
  ],
  [
    'a memory of which less than 90 % are used',
    { info: { ...INFO, maxmemory: '1000', used_memory: '899' } },
    ['redis.memory', 'ok', 'Redis uses 90 % of its memory.'],
  ],
  [
    'a memory that is nearly full',
    { info: { ...INFO, maxmemory: '1000', used_memory: '900' } },
    [
      'redis.memory',
      'warn',
      'Redis uses 90 % of its memory. When that is full, it refuses writes.',
      'Give it more memory, and find out what fills it.',
    ],
  ],
  ...(['0', '1'] as const).map((aof_enabled) => {
    const info = { ...INFO, aof_enabled, aof_last_write_status: aof_enabled === '0' ? 'ok' : 'err' };
    return [
      aof_enabled === '0' ? 'no AOF' : 'an AOF that cannot be written',
      { info },
      [
        'redis.persistence',
        'warn',
        'Redis has neither AOF nor a replica: after a restart it does not know which codes were sent and which phones opted out.',
        'Set appendonly to yes, or give it a replica.',
      ],
    ] as const;
  }),
  [
    'a replica instead of AOF',
    { info: { ...INFO, aof_enabled: '0', connected_slaves: '1' } },
    ['redis.persistence', 'ok', 'Redis has 1 replica.'],
  ],
  [
    'replicas instead of AOF',
    { info: { ...INFO, aof_enabled: '0', connected_slaves: '2' } },
    ['redis.persistence', 'ok', 'Redis has 2 replicas.'],
  ],
  [
    'a user who may not run INFO',
    { info: undefined },
    UNSEEN('redis.version', 'The version'),
    UNSEEN('redis.eviction', 'The eviction policy'),
    UNSEEN('redis.memory', 'The memory'),
    UNSEEN('redis.persistence', 'The persistence'),
  ],
  [
    'a gateway with another encryption key',
    { hasOtherKeys: true },
    [
      'redis.keys',
      'fail',
      'A gateway uses this Redis with another STATE_ENCRYPTION_KEY: the gateways share no state.',
      'Give all gateways and this command the same list of keys.',
    ],
  ],
];

describe('examineRedis', () => {
  for (const [what, seen, ...changed] of ROWS) {
    it(`reports ${what}`, async () => {
      const expected = WELL.map((line) => changed.find(([check]) => check === line[0]) ?? line);
      expect(await look(seeing({ ...SEEN, ...seen }))).to.deep.equal(expected);
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

  const notChecked = (cause: string, from: number): readonly Finding[] =>
    WELL.slice(from).map(([check]) => [
      check,
      'warn',
      `Not checked, because ${cause} failed.`,
      `See ${cause}.`,
    ]);

  it('skips the other checks if Redis is not reachable', async () => {
    const failure = new RedisFailure('ECONNREFUSED', true);
    expect(await look(seeing(failure))).to.deep.equal([
      ...WELL.slice(0, 2),
      [
        'redis.reached',
        'fail',
        'Redis cannot be used: nothing listens there (ECONNREFUSED).',
        'Start Redis, or correct the host and the port in REDIS_URL.',
      ],
      ...notChecked('redis.reached', 3),
    ]);
  });

  const HOST = 'Correct the host in REDIS_URL, or check the DNS of this machine.';
  for (const [reason, remedy] of [
    ['ENOTFOUND', HOST],
    ['EAI_AGAIN', HOST],
    [
      'TIMEOUT',
      'Check that this machine may reach it (egress, a firewall, a proxy), and that it is not overloaded.',
    ],
    ['CLOSED', 'Check that it runs, and that this machine may reach it: egress, DNS, TLS, a proxy.'],
    ['WRONGPASS', 'Check the user and the password of the connection.'],
    ['LOADING', 'Redis loads its data: run doctor again when it is done.'],
    [
      'BUSY',
      'A script blocks Redis. Find out what else uses this Redis, and run doctor again when the script has ended.',
    ],
    ['MASTERDOWN', 'This server is a replica. Set REDIS_URL to the endpoint of the primary.'],
    ['READONLY', 'This server is a replica. Set REDIS_URL to the endpoint of the primary.'],
    [
      'MOVED',
      'This server is part of a cluster. REDIS_URL cannot name one: the gateway needs an ioredis Cluster as the connection.',
    ],
    ['TRYAGAIN', 'A slot of the cluster moves to another shard: run doctor again when that is done.'],
  ] as const) {
    it(`has a remedy for doctor, which does not try again, after ${reason}`, async () => {
      const failure = new RedisFailure(reason, true);
      const lines = await look(seeing(failure));
      expect(lines.find(([check]) => check === 'redis.reached')?.[3]).to.equal(remedy);
      const writes = (await look(seeing({ ...SEEN, refusal: failure })))[3];
      expect(writes?.[3]).to.equal(remedy);
    });
  }

  it('has no remedy of a gateway, which tries again', async () => {
    for (const reason of [
      ...Object.keys(REMEDIES),
      'CLOSED',
      'REFUSED',
      'TIMEOUT',
      'ECONNRESET',
      'CERT_HAS_EXPIRED',
      'ERR_SSL_WRONG_VERSION_NUMBER',
    ]) {
      const [, , [, , , remedy] = []] = await look(seeing(new RedisFailure(reason, true)));
      expect(remedy, reason)
        .to.be.a('string')
        .and.not.match(/every second|give a client|used again/);
    }
  });

  it('skips the other checks if ioredis is not installed', async () => {
    expect(await look(() => undefined)).to.deep.equal([
      ...WELL.slice(0, 1),
      ['redis.libraries', 'fail', 'ioredis is not installed where this runs.', 'npm install ioredis'],
      ...notChecked('redis.libraries', 2),
    ]);
  });

  it('checks only the variables if no Redis is configured', async () => {
    const finding = { status: 'ok', message: 'Not set.', remedy: undefined } as const;
    const { title, checks } = examineRedis({ finding, value: undefined }, { callMs: 1, time });
    expect(title).to.equal('Redis');
    expect(await Promise.all(checks.map(async ({ name, run: see }) => [name, await see()]))).to.deep.equal([
      ['redis.variables', finding],
    ]);
  });
});
