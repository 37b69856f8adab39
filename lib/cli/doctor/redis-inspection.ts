import { waitAtMost, TIMED_OUT } from '../../core/time.js';
import { openClient, type Client } from '../../state/redis/clients.js';
import { failureOf, RedisFailure, TIMEOUT } from '../../state/redis/failure.js';
import { readRedisOptions, type RedisStateOptions, DEFAULT_TIMES } from '../../state/redis/options.js';
import { probeBy, SCRIPTS, tryUse } from '../../state/redis/scripts.js';
import { keysMark } from '../../state/redis/rekeying.js';
import { createSealing } from '../../state/redis/sealing.js';

/**
 * Inspects a Redis for the `doctor` command: whether it works for codes, history and alarms. Leaves it
 * unchanged.
 */

export interface RedisInspection {
  /** Milliseconds that one command took. */
  readonly answersInMs: number;
  /** The fields of INFO by name; `undefined` if an ACL forbids it. */
  readonly info: Readonly<Record<string, string>> | undefined;
  /** Why Redis refuses what codes need; `undefined` if it does not. */
  readonly refusal: RedisFailure | undefined;
  /**
   * The same for the console's history and for the alarms of late failover. Not tried if codes are refused.
   */
  readonly historyRefusal: RedisFailure | undefined;
  readonly alarmsRefusal: RedisFailure | undefined;
  /** Whether another gateway uses only other encryption keys. */
  readonly hasOtherKeys: boolean;
}

/**
 * Connects once and disconnects before it resolves: to the findings, or to the failure to connect.
 *
 * @throws ConfigurationError
 */
export async function inspectRedis(
  options: RedisStateOptions,
  { timeoutMs, now }: { readonly timeoutMs: number; readonly now: () => number },
): Promise<RedisInspection | RedisFailure> {
  const { connection, keys, keyPrefix } = readRedisOptions(options);
  const sealings = keys.map((key) => createSealing(key, keyPrefix));
  const client = openClient(connection, DEFAULT_TIMES);
  let cause: unknown;
  client.on('error', (error: unknown) => {
    cause = error;
  });
  for (const [name, lua] of Object.entries(SCRIPTS)) client.defineCommand(name, { lua });
  const endsAt = performance.now() + timeoutMs;
  const withinTimeout = async <T>(work: Promise<T>): Promise<T> => {
    const answer = await waitAtMost(work, Math.max(0, endsAt - performance.now())).catch((error: unknown) => {
      throw failureOf(error);
    });
    if (answer === TIMED_OUT) throw new RedisFailure(TIMEOUT, false);
    return answer;
  };
  try {
    await withinTimeout(client.connect()).catch((error: unknown) => {
      throw failureOf(cause ?? error);
    });
    const mark = keysMark(keyPrefix, sealings);
    const beganAt = now();
    const known = await withinTimeout(client.get(mark.name));
    const answersInMs = now() - beganAt;
    const info = await withinTimeout(readInfo(client));
    const refusal =
      (await withinTimeout(refusalOf(probeBy(keyPrefix)(client)))) ??
      (await withinTimeout(refusalOf(tryUse(client, keyPrefix, 'codes'))));
    const tryBeside = async (use: 'history' | 'alarms'): Promise<RedisFailure | undefined> =>
      refusal === undefined ? withinTimeout(refusalOf(tryUse(client, keyPrefix, use))) : undefined;
    return {
      answersInMs,
      info,
      refusal,
      historyRefusal: await tryBeside('history'),
      alarmsRefusal: await tryBeside('alarms'),
      hasOtherKeys: (known ?? '')
        .split('\n')
        .some((line) => Number.parseInt(line, 10) > Date.now() && !mark.isShared(line)),
    };
  } catch (error) {
    return failureOf(error);
  } finally {
    client.disconnect();
  }
}

/** A strict ACL forbids INFO. */
async function readInfo(client: Client): Promise<Readonly<Record<string, string>> | undefined> {
  const text = await client.info().catch(() => undefined);
  if (text === undefined) return undefined;
  return Object.fromEntries(
    [...text.matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

const refusalOf = (probe: Promise<unknown>): Promise<RedisFailure | undefined> =>
  probe.then(() => undefined, failureOf);
