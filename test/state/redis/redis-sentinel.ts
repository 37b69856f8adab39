import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Closers } from '#harness/closers.js';
import { freePort } from '#harness/free-port.js';
import { PROGRAM, startRedis, type RedisServer } from '#harness/redis-server.js';
import { until } from '#harness/until.js';

/** A primary, its replica, and a Sentinel that can promote the replica. */
export interface SentinelPair {
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  readonly sentinel: Redis;
  /** A client that connects on first use. */
  readonly connection: Redis;
}

export async function startSentinelPair(closers: Closers): Promise<SentinelPair> {
  const primary = closers.add(await startRedis(), (server) => server.close());
  const replica = closers.add(await startRedis('--replicaof', `127.0.0.1 ${primary.port}`), (server) =>
    server.close(),
  );
  await until(async () => (await replica.admin.info('replication')).includes('master_link_status:up'));
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'okta-telephony-hook-sentinel-'));
  const config = join(folder, 'sentinel.conf');
  writeFileSync(
    config,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor main 127.0.0.1 ${primary.port} 1`,
      'sentinel down-after-milliseconds main 1000',
      'sentinel failover-timeout main 3000',
    ].join('\n'),
  );
  const child = spawn(PROGRAM, [config, '--sentinel'], { stdio: 'ignore' });
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  closers.add(child, () => {
    process.off('exit', end);
    end();
    rmSync(folder, { recursive: true, force: true });
  });
  child.unref();
  const sentinel = closers.add(new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20 }), (client) => {
    client.disconnect();
  });
  sentinel.on('error', () => undefined);
  await until(async () => {
    const replicas = (await sentinel.call('SENTINEL', 'REPLICAS', 'main').catch(() => [])) as unknown[];
    return replicas.length === 1;
  });
  const connection = closers.add(
    new Redis({ sentinels: [{ host: '127.0.0.1', port }], name: 'main', lazyConnect: true }),
    (client) => {
      client.disconnect();
    },
  );
  return { primary, replica, sentinel, connection };
}
