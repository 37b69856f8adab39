import { waitAtMost, TIMED_OUT } from '../../core/wait-at-most.js';
import { openClient, type Client } from './clients.js';
import { failureOf, RedisFailure, TIMEOUT } from './failure.js';
import { readRedisOptions, type RedisStateOptions } from './options.js';
import { probeBy, tryUse } from './probe.js';
import { keysMark } from './rekeying.js';
import { SCRIPTS } from './scripts.js';
import { USUAL_TIMES } from './times.js';
import { createSealing } from './sealing.js';

/** A Redis looked at from outside, for whoever wants to know whether it will do: it is left as it was. */

/** What a Redis says of itself. */
export interface RedisInspection {
  /** One command and its answer, milliseconds. */
  readonly answersInMs: number;
  /** The fields of INFO by name; `undefined` where that is forbidden. */
  readonly info: Readonly<Record<string, string>> | undefined;
  /** Why what codes need could not be done; `undefined` where it could. */
  readonly refusal: RedisFailure | undefined;
  /** The same of the console's history, and of what late failover waits for; not tried where codes are refused. */
  readonly historyRefusal: RedisFailure | undefined;
  readonly alarmsRefusal: RedisFailure | undefined;
  /** Whether another gateway has none of these encryption keys. */
  readonly hasOtherKeys: boolean;
}

/**
 * Connects once, and ends the connection before it resolves: to what it has seen, or why it was not reached.
 * @throws ConfigurationError
 */
export async function inspectRedis(
  options: RedisStateOptions,
  { timeoutMs, now }: { readonly timeoutMs: number; readonly now: () => number },
): Promise<RedisInspection | RedisFailure> {
  const { connection, keys, keyPrefix } = readRedisOptions(options);
  const sealings = keys.map((key) => createSealing(key, keyPrefix));
  const client = openClient(connection, USUAL_TIMES);
  let cause: unknown;
  client.on('error', (error: unknown) => {
    cause = error;
  });
  for (const [name, lua] of Object.entries(SCRIPTS)) client.defineCommand(name, { lua });
  const endsAt = performance.now() + timeoutMs;
  const ask = async <T>(work: Promise<T>): Promise<T> => {
    const answer = await waitAtMost(work, Math.max(0, endsAt - performance.now())).catch((error: unknown) => {
      throw failureOf(error);
    });
    if (answer === TIMED_OUT) throw new RedisFailure(TIMEOUT, false);
    return answer;
  };
  try {
    await ask(client.connect()).catch((error: unknown) => {
      throw failureOf(cause ?? error);
    });
    const mark = keysMark(keyPrefix, sealings);
    const beganAt = now();
    const known = await ask(client.get(mark.name));
    const answersInMs = now() - beganAt;
    const info = await ask(readInfo(client));
    const refusal =
      (await ask(refusalOf(probeBy(keyPrefix)(client)))) ??
      (await ask(refusalOf(tryUse(client, keyPrefix, 'codes'))));
    const tryBeside = async (use: 'history' | 'alarms'): Promise<RedisFailure | undefined> =>
      refusal === undefined ? ask(refusalOf(tryUse(client, keyPrefix, use))) : undefined;
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

/** A careful ACL forbids it. */
async function readInfo(client: Client): Promise<Readonly<Record<string, string>> | undefined> {
  const text = await client.info().catch(() => undefined);
  if (text === undefined) return undefined;
  return Object.fromEntries(
    [...text.matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

async function refusalOf(probe: Promise<unknown>): Promise<RedisFailure | undefined> {
  try {
    await probe;
    return undefined;
  } catch (error) {
    return failureOf(error);
  }
}
