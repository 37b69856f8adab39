import type { Time } from '../../../okta/admin/administration.js';
import { loadIoredis } from '../../../state/redis/clients.js';
import { inspectRedis, type RedisInspection } from '../../../state/redis/inspection.js';
import type { RedisVariables } from '../../../options/variables.js';
import type { Section } from '../variables.js';
import { after, fail, known, ok, once, warn, type Check, type CheckGroup, type Finding } from '../finding.js';
import { describeUnreached } from './unreached.js';

type Inspect = typeof inspectRedis;
type Seen = Awaited<ReturnType<Inspect>>;

/** The Redis in which gateways remember together what was sent. */
export function examineRedis(
  section: Section<RedisVariables>,
  {
    callMs,
    time,
    load = loadInspector,
  }: {
    readonly callMs: number;
    readonly time: Time;
    /** Default: by the ioredis that is installed. */
    readonly load?: () => Promise<Inspect | undefined>;
  },
): CheckGroup {
  const title = 'Redis';
  const variables = known('redis.variables', section.finding);
  const { value } = section;
  if (value === undefined) return { title, checks: [variables] };
  // ioredis is a peer that only those install who have a Redis.
  const inspector = once(load);
  const library = { name: 'redis.libraries', look: once(async () => libraryFinding(await inspector())) };
  const inspection = once(async () => {
    const inspect = await inspector();
    if (inspect === undefined) throw new Error('it is not there');
    return inspect(
      { connection: value.url, encryptionKeys: value.encryptionKeys },
      { timeoutMs: callMs, now: () => time.now() },
    );
  });
  const reachable = {
    name: 'redis.reached',
    look: once(after(library, async () => reachedFinding(await inspection()))),
  };
  const later = (name: string, look: (seen: RedisInspection) => Finding): Check => ({
    name,
    look: after(reachable, async () => {
      const seen = await inspection();
      return 'info' in seen ? look(seen) : reachedFinding(seen);
    }),
  });
  return {
    title,
    checks: [
      variables,
      library,
      reachable,
      later('redis.writes', writesFinding),
      later('redis.version', versionFinding),
      later('redis.eviction', evictionFinding),
      later('redis.memory', memoryFinding),
      later('redis.persistence', persistenceFinding),
      later('redis.keys', keysFinding),
    ],
  };
}

function loadInspector(): Promise<Inspect | undefined> {
  try {
    loadIoredis();
    return Promise.resolve(inspectRedis);
  } catch {
    return Promise.resolve(undefined);
  }
}

function libraryFinding(inspect: Inspect | undefined): Finding {
  if (inspect !== undefined) return ok('ioredis is installed.');
  return fail('ioredis is not installed where this runs.', 'npm install ioredis');
}

function reachedFinding(seen: Seen): Finding {
  return 'info' in seen
    ? timeFinding(seen)
    : fail(`It cannot be used: ${describeUnreached(seen.reason).why}.`, seen.remedy);
}

/** What the state gives a command, milliseconds; here a quarter of it. */
const SLOW_MS = 40;

function timeFinding({ answersInMs }: RedisInspection): Finding {
  const told = `It answers in ${Math.ceil(answersInMs)} ms`;
  if (answersInMs < SLOW_MS) return ok(`${told}.`);
  return warn(
    `${told} from here: after 150 ms the gateway takes it for lost.`,
    'Put it near the gateways; from a machine that is far from both that says nothing.',
  );
}

/** What only some gateways do, and what it needs of an ACL. */
const BESIDE = [
  ['historyRefusal', "the console's history", '+xadd +xdel +xrange +xrevrange'],
  ['alarmsRefusal', 'lateFailover.afterSeconds', '+zadd +zrangebyscore +zrem'],
] as const;

function writesFinding(seen: RedisInspection): Finding {
  const { refusal, info } = seen;
  if (info?.['role'] === 'slave') {
    return fail(
      'This server is a replica, and takes no writes that stay.',
      'Lead REDIS_URL to the primary, by its endpoint.',
    );
  }
  if (refusal !== undefined) {
    return fail(`It does not take what the gateway writes (${refusal.reason}).`, refusal.remedy);
  }
  const missing = BESIDE.flatMap(([field, what, rights]) => {
    const { reason } = seen[field] ?? {};
    return reason === undefined ? [] : [{ what: `${what} (${reason})`, rights: `${what}: ${rights}` }];
  });
  if (missing.length === 0) {
    return ok("It takes what is written for codes, for the console's history and for late failover.");
  }
  return warn(
    `It takes what is written for codes, but not what is for ${missing.map(({ what }) => what).join(' and ')}.`,
    `Where gateways have it, allow the user these commands. ${missing.map(({ rights }) => rights).join('; ')}.`,
  );
}

const UNSEEN = (what: string): Finding =>
  warn(
    `${what} cannot be seen: INFO is forbidden to this user.`,
    'Look at it as an administrator of the Redis.',
  );

/** The first with everything that the scripts use. */
const OLDEST = 6;

function versionFinding({ info }: RedisInspection): Finding {
  const version = info?.['valkey_version'] ?? info?.['redis_version'];
  if (version === undefined) return UNSEEN('Its version');
  return Number.parseInt(version, 10) < OLDEST
    ? fail(`It is version ${version}.`, `Take ${OLDEST} or later.`)
    : ok(`It is version ${version}.`);
}

function evictionFinding({ info }: RedisInspection): Finding {
  const policy = info?.['maxmemory_policy'];
  if (policy === undefined) return UNSEEN('Its eviction policy');
  if (policy === 'noeviction') return ok('maxmemory-policy is noeviction.');
  return fail(
    `maxmemory-policy is ${policy}: Redis may forget what was sent, and a code goes out twice.`,
    'Set maxmemory-policy to noeviction, on a Redis of its own.',
  );
}

const FULL = 0.9;

function memoryFinding({ info }: RedisInspection): Finding {
  if (info === undefined) return UNSEEN('Its memory');
  const max = Number(info['maxmemory']);
  const used = Number(info['used_memory']);
  if (!(max > 0)) return ok('Its memory has no bound but that of its machine.');
  const told = `${Math.round((used / max) * 100)} % of its memory is used`;
  if (used < max * FULL) return ok(`${told}.`);
  return warn(
    `${told}: once it is full, it takes no more writes.`,
    'Give it more memory, and see what fills it.',
  );
}

function persistenceFinding({ info }: RedisInspection): Finding {
  if (info === undefined) return UNSEEN('Its persistence');
  if (info['aof_enabled'] === '1' && info['aof_last_write_status'] !== 'err') {
    return ok('It writes what changes to its disk (AOF).');
  }
  const replicas = Number(info['connected_slaves']);
  if (replicas > 0) return ok(`It has ${replicas} replica${replicas === 1 ? '' : 's'}.`);
  return warn(
    'It has neither AOF nor a replica: a restart forgets which codes were sent and which phones want none.',
    'Set appendonly to yes, or give it a replica.',
  );
}

function keysFinding({ hasOtherKeys }: RedisInspection): Finding {
  if (!hasOtherKeys) return ok('No gateway has written there with another STATE_ENCRYPTION_KEY.');
  return fail(
    'A gateway has written there with another STATE_ENCRYPTION_KEY: they share nothing.',
    'Give all gateways, and this command, one list of keys.',
  );
}
