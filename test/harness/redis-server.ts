import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';
import { witness } from './witness.js';

export const PROGRAM = 'redis-server';
let isThere: boolean | undefined;

/** All servers of this process. It kills them at its exit, even if a test fails. */
const atExit = new Set<() => void>();
process.once('exit', () => {
  for (const clean of atExit) clean();
});

/** Whether this machine has a redis-server. */
export function isRedisInstalled(): boolean {
  isThere ??= spawnSync(PROGRAM, ['--version']).status === 0;
  return isThere;
}

export const REDIS_IS_MISSING = `there is no ${PROGRAM} on this machine (Debian: apt-get install redis-server)`;

/** Skips a suite without a redis-server, and says why. With REQUIRE_REDIS=1 the suite fails instead. */
export function needRedis(context: Mocha.Context): void {
  if (isRedisInstalled()) return;
  const reason = REDIS_IS_MISSING;
  if (process.env['REQUIRE_REDIS'] === '1') throw new Error(reason);
  process.stdout.write(`      skipped: ${reason}\n`);
  context.skip();
}

/** Starts a Redis for the tests of a suite, empties it before each of them, and ends it after the last one. */
export function useRedis(onStarted: (redis: RedisServer) => void): void {
  let redis: RedisServer | undefined;
  before(async function () {
    needRedis(this);
    redis = await startRedis();
    onStarted(redis);
  });
  beforeEach(() => redis?.admin.flushall());
  after(() => redis?.close());
}

/** One key of a Redis, with its whole value. */
export interface DumpedKey {
  readonly name: string;
  readonly value: Buffer;
  /** Milliseconds; negative without an expiry. */
  readonly expiresInMs: number;
}

/** A Redis for one test, in its own process. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** The test's connection. */
  readonly admin: Redis;
  /** `SIGSTOP`: connections stay open, without answers. */
  stop(): void;
  continue(): void;
  kill(): Promise<void>;
  /** Starts it again after `kill()`, empty, at the same port. */
  restart(): Promise<void>;
  dump(): Promise<readonly DumpedKey[]>;
  close(): Promise<void>;
}

/** The command that reads a whole key, by its type. */
const READERS: Readonly<Record<string, readonly [command: string, ...words: string[]]>> = {
  hash: ['HGETALL'],
  list: ['LRANGE', '0', '-1'],
  set: ['SMEMBERS'],
  stream: ['XRANGE', '-', '+'],
  zset: ['ZRANGE', '0', '-1', 'WITHSCORES'],
};

function asBuffer(value: unknown): Buffer {
  if (Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return Buffer.concat(value.map(asBuffer));
  return Buffer.from(typeof value === 'number' || typeof value === 'string' ? String(value) : '');
}

/** A running hook may delete a key during the read, and create it with another type. */
async function dumpKey(admin: Redis, name: string): Promise<readonly DumpedKey[]> {
  for (;;) {
    const [type, expiresInMs] = await Promise.all([admin.type(name), admin.pttl(name)]);
    if (type === 'none') return [];
    const [command, ...words] = READERS[type] ?? ['GET'];
    try {
      const value: unknown = await admin.callBuffer(command, name, ...words);
      return [{ name, value: asBuffer(value), expiresInMs }];
    } catch (error) {
      if (!String(error).includes('WRONGTYPE')) throw error;
    }
  }
}

export async function startRedis(...options: readonly string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'okta-telephony-hook-redis-'));
  const removeFolder = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  atExit.add(removeFolder);
  let { port, child } = await startSomewhere(folder, options);
  let isClosed = false;
  const admin = new Redis({
    port,
    host: '127.0.0.1',
    // Monitor clients, too, must not reconnect to a server that is gone.
    retryStrategy: () => (isClosed ? null : 20),
    maxRetriesPerRequest: null,
  });
  // Some tests kill the server.
  admin.on('error', () => undefined);
  await admin.ping();
  const kill = async (): Promise<void> => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'close') : undefined;
    child.kill('SIGKILL');
    await ended;
  };
  return {
    get port() {
      return port;
    },
    get url() {
      return `redis://127.0.0.1:${port}`;
    },
    admin,
    stop: () => void child.kill('SIGSTOP'),
    continue: () => void child.kill('SIGCONT'),
    kill,
    restart: async () => {
      const started = await start(port, folder, options);
      if (started === undefined) throw new Error(`another process uses port ${port}`);
      ({ port, child } = started);
      await admin.ping();
    },
    dump: async () => {
      const names = await admin.keys('*');
      return (await Promise.all(names.map((name) => dumpKey(admin, name)))).flat();
    },
    close: async () => {
      isClosed = true;
      admin.disconnect();
      child.kill('SIGCONT');
      await kill();
      atExit.delete(removeFolder);
      removeFolder();
    },
  };
}

interface Started {
  readonly port: number;
  readonly child: ChildProcess;
}

async function startSomewhere(folder: string, options: readonly string[]): Promise<Started> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const started = await start(await freePort(), folder, options);
    if (started !== undefined) return started;
  }
  throw new Error(`${PROGRAM} found no port`);
}

async function start(port: number, folder: string, options: readonly string[]): Promise<Started | undefined> {
  const usual = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const child = spawn(PROGRAM, [...usual, '--save', '', '--appendonly', 'no', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // The server must not outlive this process.
  const end = (): void => void child.kill('SIGKILL');
  atExit.add(end);
  child.once('close', () => atExit.delete(end));
  let log = '';
  const isReady = await new Promise<boolean>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes('Ready to accept connections')) resolve(true);
    });
    child.once('close', () => {
      resolve(false);
    });
    child.once('error', (error) => {
      log += error.message;
      resolve(false);
    });
  });
  child.unref();
  for (const stream of [child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref();
  witness(log);
  if (!isReady && !log.includes('in use')) throw new Error(`${PROGRAM} ended: ${log}`);
  return isReady ? { port, child } : undefined;
}

/** Collects all commands to a Redis from now on, as MONITOR shows them. */
export async function watchTraffic(redis: RedisServer): Promise<{ lines: string[]; end(): void }> {
  const lines: string[] = [];
  const monitor = await redis.admin.monitor();
  monitor.on('monitor', (_time: string, words: readonly string[], source: string) => {
    // MONITOR shows commands of scripts with the client `lua`.
    lines.push(source === 'lua' ? `lua: ${words.join(' ')}` : words.join(' '));
  });
  return {
    lines,
    end: () => {
      monitor.disconnect();
    },
  };
}
