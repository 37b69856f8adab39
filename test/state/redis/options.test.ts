import { expect } from 'chai';
import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5';
import { ConfigurationError } from '#lib/index.js';
import { openClient } from '#lib/state/redis/clients.js';
import { redisState, type RedisStateOptions } from '#lib/state/redis/index.js';
import { DEFAULT_TIMES } from '#lib/state/redis/options.js';
import { mustNotShow, witness } from '#harness/witness.js';

const KEY = Buffer.alloc(32, 1).toString('base64');
const URL = 'rediss://user:redis-password-1f@redis.example:6380/2';

describe('options of redisState', () => {
  const problemsOf = (options: unknown): readonly string[] => {
    try {
      redisState(options as RedisStateOptions);
    } catch (error) {
      witness(error);
      expect(error).to.be.instanceOf(ConfigurationError);
      const { problems, message } = error as ConfigurationError;
      expect(message).to.match(/^The options of redisState cannot work:\n- /);
      return problems;
    }
    return [];
  };
  const withOption = (name: keyof RedisStateOptions, value: unknown): object => ({
    connection: URL,
    encryptionKeys: [KEY],
    [name]: value,
  });
  beforeEach(() => {
    mustNotShow('redis-password-1f', KEY);
  });

  it('are accepted without opening a connection', () => {
    const clients = [new Redis({ lazyConnect: true }), new Redis5({ lazyConnect: true })];
    const cluster = new Cluster([{ host: '127.0.0.1', port: 9 }], { lazyConnect: true });
    for (const connection of [
      URL,
      'redis://localhost',
      'redis://[::1]:6379',
      'redis://:a%25b@host',
      ...clients,
      cluster,
    ]) {
      expect(problemsOf(withOption('connection', connection))).to.deep.equal([]);
    }
    for (const { status } of [...clients, cluster]) expect(status).to.equal('wait');
    const urlSafe = Buffer.alloc(32, 0xfb).toString('base64url');
    expect(problemsOf(withOption('encryptionKeys', [urlSafe, KEY]))).to.deep.equal([]);
    expect(problemsOf(withOption('keyPrefix', 'acme.prod:eu_1-a'))).to.deep.equal([]);
    expect(problemsOf({ ...withOption('keyPrefix', undefined), other: undefined })).to.deep.equal([]);
    clients.forEach((client) => {
      client.disconnect();
    });
    cluster.disconnect();
  });

  for (const [version, NodeCluster] of [
    ['6', Cluster],
    ['5', Cluster5],
  ] as const) {
    it(`keep the password of cluster nodes and use our time-outs, in ioredis ${version}`, () => {
      const redisOptions = { password: 'redis-password-1f', connectTimeout: 60_000 };
      const cluster = new NodeCluster([{ host: '127.0.0.1', port: 9 }], { lazyConnect: true, redisOptions });
      const opened = openClient(cluster, DEFAULT_TIMES) as Cluster;
      expect(opened.options.redisOptions).to.include({
        password: 'redis-password-1f',
        connectTimeout: DEFAULT_TIMES.connectMs,
        // A command that Redis may have run is not sent again.
        autoResendUnfulfilledCommands: false,
        maxRetriesPerRequest: 0,
      });
      expect(cluster.options.redisOptions).to.include(redisOptions);
      cluster.disconnect();
      opened.disconnect();
    });
  }

  const bad: readonly (readonly [name: keyof RedisStateOptions, remedy: RegExp, ...values: unknown[]])[] = [
    [
      'connection',
      /^connection must be a URL such as rediss:.*or an ioredis client or cluster(\. It is undefined: .*)?$/,
      undefined,
      null,
      '',
      'http://user:redis-password-1f@host',
      'redis://',
      ' redis://user:redis-password-1f@host',
      'redis://host?commandTimeout=9999',
      'redis://host#redis-password-1f',
      'localhost:6379',
      { host: 'localhost', password: 'redis-password-1f' },
      { duplicate: () => undefined },
      { duplicate: () => undefined, isCluster: 'no' },
    ],
    [
      'connection',
      /^connection has a % .* percent-encode both \(a % is %25\)$/,
      'redis://:redis-password-1f%@host',
      'redis://:redis-password-1f%zz@host',
      'rediss://a%b:redis-password-1f@host',
      'redis://:redis-password-1f%e4@host',
    ],
    [
      'encryptionKeys',
      /^encryptionKeys must be an array.*openssl rand -base64 32(\. It is undefined: .*)?$/,
      undefined,
      null,
      [],
      KEY,
      { 0: KEY },
    ],
    [
      'encryptionKeys',
      /^encryptionKeys\[1\] must be 32 bytes in base64: openssl rand -base64 32(\. It is undefined: .*)?$/,
      ...[
        '',
        'kept-for-me',
        Buffer.alloc(31).toString('base64'),
        Buffer.alloc(33).toString('base64'),
        `${KEY} `,
        7,
        undefined,
      ].map((key) => [KEY, key]),
    ],
    [
      'encryptionKeys',
      /^encryptionKeys\[1\] is there before; remove it$/,
      [KEY, KEY],
      [KEY, KEY.slice(0, -1)],
      ['base64', 'base64url'].map((way) => Buffer.alloc(32, 0xfb).toString(way as BufferEncoding)),
    ],
    ['keyPrefix', /^keyPrefix must be 1 to 64 letters/, '', 'a{b}', 'a b', 'a'.repeat(65), null, 7],
  ];
  for (const [name, remedy, ...values] of bad) {
    it(`report a bad ${name} as ${String(remedy)}`, () => {
      for (const value of values) {
        const problems = problemsOf(withOption(name, value));
        expect(problems, String(value)).to.have.length(1);
        expect(problems[0]).to.match(remedy);
      }
    });
  }

  it('report all problems together, and an unknown option too', () => {
    const problems = problemsOf({ conection: URL, encryptionKeys: ['redis-password-1f'], keyPrefix: ' ' });
    expect(problems.map((problem) => problem.split(' ')[0])).to.deep.equal([
      'conection',
      'connection',
      'encryptionKeys[0]',
      'keyPrefix',
    ]);
    for (const options of [undefined, null, URL]) {
      expect(problemsOf(options)).to.deep.equal(['The options must be an object']);
    }
  });
});
