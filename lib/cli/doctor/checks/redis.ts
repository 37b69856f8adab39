import { loadIoredis } from '../../../state/redis/clients.js';
import { REMEDIES, type RedisFailure } from '../../../state/redis/failure.js';
import { inspectRedis, type RedisInspection } from '../redis-inspection.js';
import type { RedisVariables } from '../../../options/read-variables.js';
import type { Section } from '../variables.js';
import { checksOf, fail, ok, once, warn, describeUnreached } from '../finding.js';
import type { CheckGroup, CheckTable, CheckTimes, Finding } from '../finding.js';

type Inspect = typeof inspectRedis;
type InspectionResult = Awaited<ReturnType<Inspect>>;

interface RedisParts {
  /** `undefined` without ioredis. */
  readonly inspect: Inspect | undefined;
  readonly inspection: () => Promise<InspectionResult>;
}

const inspected = (findingOf: (inspection: RedisInspection) => Finding): CheckTable<RedisParts>[string] => ({
  needs: 'reached',
  async run({ inspection }) {
    const result = await inspection();
    return 'info' in result ? findingOf(result) : reachedFinding(result);
  },
});

const CHECKS: CheckTable<RedisParts> = {
  libraries: { run: ({ inspect }) => libraryFinding(inspect) },
  reached: { run: async ({ inspection }) => reachedFinding(await inspection()) },
  writes: inspected(writesFinding),
  version: inspected(versionFinding),
  eviction: inspected(evictionFinding),
  memory: inspected(memoryFinding),
  persistence: inspected(persistenceFinding),
  keys: inspected(keysFinding),
};

/** The checks of the Redis in which the gateways share their state. */
export function examineRedis(
  { finding, value }: Section<RedisVariables>,
  {
    callMs,
    time,
    load = loadInspector,
  }: CheckTimes & {
    /** Loads the inspector; `undefined` without ioredis. Default: uses the installed ioredis. */
    readonly load?: () => Inspect | undefined;
  },
): CheckGroup {
  // ioredis is an optional peer dependency.
  const inspect = value && load();
  const parts = value && {
    inspect,
    inspection: once(() => {
      if (inspect === undefined) throw new Error('ioredis is not installed');
      return inspect(value, { timeoutMs: callMs, now: () => time.now() });
    }),
  };
  return { title: 'Redis', checks: checksOf('redis', finding, parts, CHECKS) };
}

function loadInspector(): Inspect | undefined {
  try {
    loadIoredis();
    return inspectRedis;
  } catch {
    return undefined;
  }
}

function libraryFinding(inspect: Inspect | undefined): Finding {
  if (inspect !== undefined) return ok('ioredis is installed.');
  return fail('ioredis is not installed where this runs.', 'npm install ioredis');
}

function reachedFinding(result: InspectionResult): Finding {
  return 'info' in result
    ? timeFinding(result)
    : fail(`Redis cannot be used: ${describeUnreached(result.reason).why}.`, remedyOf(result));
}

const PRIMARY = 'This server is a replica. Set REDIS_URL to the endpoint of the primary.';
const CLUSTER =
  'This server is part of a cluster. REDIS_URL cannot name one: the gateway needs an ioredis Cluster as the connection.';
const CORRECT_HOST = 'Correct the host in REDIS_URL, or check the DNS of this machine.';
/** In place of the remedies for a gateway, which connects again by itself, or whose connection REDIS_URL does not name. */
const OF_DOCTOR: Readonly<Partial<Record<string, string>>> = {
  ECONNREFUSED: 'Start Redis, or correct the host and the port in REDIS_URL.',
  ENOTFOUND: CORRECT_HOST,
  EAI_AGAIN: CORRECT_HOST,
  LOADING: 'Redis loads its data: run doctor again when it is done.',
  BUSY: 'A script blocks Redis. Find out what else uses this Redis, and run doctor again when the script has ended.',
  MASTERDOWN: PRIMARY,
  READONLY: PRIMARY,
  MOVED: CLUSTER,
  ASK: CLUSTER,
  TRYAGAIN: 'A slot of the cluster moves to another shard: run doctor again when that is done.',
};

function remedyOf({ reason }: RedisFailure): string {
  return OF_DOCTOR[reason] ?? REMEDIES[reason] ?? describeUnreached(reason).remedy;
}

/** A quarter of the time that a gateway waits for a command (150 ms), rounded up. */
const SLOW_MS = 40;

function timeFinding({ answersInMs }: RedisInspection): Finding {
  const answered = `Redis answers in ${Math.ceil(answersInMs)} ms`;
  if (answersInMs < SLOW_MS) return ok(`${answered}.`);
  return warn(
    `${answered} from here: after 150 ms a gateway treats it as lost.`,
    'Run it near the gateways. Ignore this if doctor runs far away from both.',
  );
}

/** Features that only some gateways use, with the ACL rights that they need. */
const OPTIONAL_FEATURES = [
  ['historyRefusal', "the console's history", '+xadd +xdel +xrange +xrevrange'],
  ['alarmsRefusal', 'lateFailover.afterSeconds', '+zadd +zrangebyscore +zrem'],
] as const;

function writesFinding(inspection: RedisInspection): Finding {
  const { refusal, info } = inspection;
  if (info?.['role'] === 'slave') {
    return fail(
      'This server is a replica, and keeps no writes.',
      'Set REDIS_URL to the endpoint of the primary.',
    );
  }
  if (refusal !== undefined) {
    return fail(`Redis refuses the gateway's writes (${refusal.reason}).`, remedyOf(refusal));
  }
  const missing = OPTIONAL_FEATURES.flatMap(([field, what, rights]) => {
    const { reason } = inspection[field] ?? {};
    return reason === undefined ? [] : [{ what: `${what} (${reason})`, rights: `${what}: ${rights}` }];
  });
  if (missing.length === 0) {
    return ok("Redis accepts the writes for codes, for the console's history and for late failover.");
  }
  return warn(
    `Redis accepts the writes for codes, but refuses those for ${missing.map(({ what }) => what).join(' and ')}.`,
    `If a gateway uses that, allow the user these commands. ${missing.map(({ rights }) => rights).join('; ')}.`,
  );
}

const infoForbidden = (what: string): Finding =>
  warn(`${what} cannot be read: this user may not run INFO.`, 'Check it as an administrator of the Redis.');

/** The oldest version with every command that the scripts use. */
const OLDEST = 6;

function versionFinding({ info }: RedisInspection): Finding {
  const version = info?.['valkey_version'] ?? info?.['redis_version'];
  if (version === undefined) return infoForbidden('The version');
  return Number.parseInt(version, 10) < OLDEST
    ? fail(`Redis has version ${version}.`, `Use version ${OLDEST} or later.`)
    : ok(`Redis has version ${version}.`);
}

function evictionFinding({ info }: RedisInspection): Finding {
  const policy = info?.['maxmemory_policy'];
  if (policy === undefined) return infoForbidden('The eviction policy');
  if (policy === 'noeviction') return ok('maxmemory-policy is noeviction.');
  return fail(
    `maxmemory-policy is ${policy}: Redis may forget what was sent, and a code goes out twice.`,
    'Set maxmemory-policy to noeviction, on a Redis for the gateways only.',
  );
}

const FULL = 0.9;

function memoryFinding({ info }: RedisInspection): Finding {
  if (info === undefined) return infoForbidden('The memory');
  const max = Number(info['maxmemory']);
  const used = Number(info['used_memory']);
  if (!(max > 0)) return ok('Redis may use all memory of its machine.');
  const usage = `Redis uses ${Math.round((used / max) * 100)} % of its memory`;
  if (used < max * FULL) return ok(`${usage}.`);
  return warn(
    `${usage}. When that is full, it refuses writes.`,
    'Give it more memory, and find out what fills it.',
  );
}

function persistenceFinding({ info }: RedisInspection): Finding {
  if (info === undefined) return infoForbidden('The persistence');
  if (info['aof_enabled'] === '1' && info['aof_last_write_status'] !== 'err') {
    return ok('Redis writes every change to its disk (AOF).');
  }
  const replicas = Number(info['connected_slaves']);
  if (replicas > 0) return ok(`Redis has ${replicas} replica${replicas === 1 ? '' : 's'}.`);
  return warn(
    'Redis has neither AOF nor a replica: after a restart it does not know which codes were sent and which phones opted out.',
    'Set appendonly to yes, or give it a replica.',
  );
}

function keysFinding({ hasOtherKeys }: RedisInspection): Finding {
  if (!hasOtherKeys) return ok('No gateway uses this Redis with another STATE_ENCRYPTION_KEY.');
  return fail(
    'A gateway uses this Redis with another STATE_ENCRYPTION_KEY: the gateways share no state.',
    'Give all gateways and this command the same list of keys.',
  );
}
