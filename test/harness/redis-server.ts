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

/** What this process leaves behind of none, also where a test fails half-way. */
const atExit = new Set<() => void>();
process.once('exit', () => {
  for (const clean of atExit) clean();
});

/** Whether this machine has one to start. */
export function isRedisInstalled(): boolean {
  isThere ??= spawnSync(PROGRAM, ['--version']).status === 0;
  return isThere;
}

export const REDIS_IS_MISSING = `there is no ${PROGRAM} on this machine (Debian: apt-get install redis-server)`;

/** Skips a suite, and says why, where there is no redis-server; fails there instead with REQUIRE_REDIS=1. */
export function needRedis(context: Mocha.Context): void {
  if (isRedisInstalled()) return;
  const reason = REDIS_IS_MISSING;
  if (process.env['REQUIRE_REDIS'] === '1') throw new Error(reason);
  process.stdout.write(`      skipped: ${reason}\n`);
  context.skip();
}

/** One key as whoever reads the whole Redis finds it. */
export interface DumpedKey {
  readonly name: string;
  readonly value: Buffer;
  /** Milliseconds; negative where it stays for ever. */
  readonly expiresInMs: number;
}

/** A Redis of this test's own, in a process of its own. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** The test's own connection to it. */
  readonly admin: Redis;
  /** `SIGSTOP`: connections stay, and nothing is answered. */
  stop(): void;
  continue(): void;
  kill(): Promise<void>;
  /** Starts it again after `kill()`, empty, at the same port. */
  restart(): Promise<void>;
  dump(): Promise<readonly DumpedKey[]>;
  close(): Promise<void>;
}

/** How all of a key is read, by its type. */
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

/** What is at work meanwhile may take a key away, and make it anew as one of another type. */
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
    // Of what monitors it, too: nothing goes on looking for a server that is gone for good.
    retryStrategy: () => (isClosed ? null : 20),
    maxRetriesPerRequest: null,
  });
  // A killed server is what some tests are about.
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
      if (started === undefined) throw new Error(`port ${port} was taken meanwhile`);
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
  // It must not be kept by one either.
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

/** All that clients send to a Redis, as MONITOR shows it, from now on. */
export async function watchTraffic(redis: RedisServer): Promise<{ lines: string[]; end(): void }> {
  const lines: string[] = [];
  const monitor = await redis.admin.monitor();
  monitor.on('monitor', (_time: string, words: readonly string[], source: string) => {
    // What a script does is told as by `lua`.
    lines.push(source === 'lua' ? `lua: ${words.join(' ')}` : words.join(' '));
  });
  return {
    lines,
    end: () => {
      monitor.disconnect();
    },
  };
}
