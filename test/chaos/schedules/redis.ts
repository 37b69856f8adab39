import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { startRedis, type RedisServer } from '#harness/redis-server.js';
import { commandOf, Frames, wordsOf } from '../resp.js';
import type { Activity } from './time.js';

/**
 * A real Redis in simulated time. All gateways share one connection to it, so that commands run in the order in which
 * they are sent. Its scripts read the simulated clock, and its keys expire by it.
 */

/** Here the scripts find the simulated time, milliseconds, and how Redis refuses writes. */
const CLOCK = 'simulated clock';

/**
 * Stands before each script: its `redis.call` lives by the simulated time. An expiry is stored as so many milliseconds
 * after the simulated year 0, so far ahead that the real Redis never acts on it.
 */
const SIMULATED_CALL = `
local real, ahead = redis.call, 10000000000000
local now, refusal = string.match(redis.call('GET', '${CLOCK}'), '^(%d+)(.*)$')
now = tonumber(now)
local refused = {}
if refusal ~= '' then refused = {SET = 1, INCR = 1, DECR = 1, XADD = 1, ZADD = 1} end
if string.find(refusal, '^READONLY') then
  for _, command in ipairs({'DEL', 'PEXPIRE', 'ZREM', 'XDEL'}) do refused[command] = 1 end
end
local function ends(ms) return string.format('%.0f', ahead + now + ms) end
local redis = {call = function(command, key, ...)
  if command == 'TIME' then return {string.format('%.0f', math.floor(now / 1000)), string.format('%.0f', now % 1000 * 1000)} end
  if refused[command] then error({err = refusal}) end
  local endsAt, words = real('PEXPIRETIME', key), {...}
  local leftMs = endsAt - ahead - now
  if endsAt >= 0 and leftMs <= 0 then
    real('DEL', key)
    endsAt = -2
  end
  if command == 'PTTL' then return endsAt < 0 and endsAt or leftMs end
  if command == 'PEXPIRE' then return real('PEXPIREAT', key, ends(words[1])) end
  if command == 'SET' and words[2] == 'PX' then words[2], words[3] = 'PXAT', ends(words[3]) end
  if string.find(command, 'EXPIRE') or string.find(command, 'ETEX') or words[2] == 'EX' then error('the simulated time does not know ' .. command) end
  return real(command, key, unpack(words))
end}
`;

/** Commands on a key that are no script. */
const PLAIN_COMMAND = 'return redis.call(KEYS[1], unpack(ARGV))';
const HAS_KEY = /^(?:get|set|exists)$/i;

/** Copies all keys to the replica, which is another database of the same Redis. */
const COPY_TO_REPLICA = `
redis.call('SELECT', 1)
redis.call('FLUSHDB')
redis.call('SELECT', 0)
for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', 1) end
`;

/** Deletes a share of the keys, as a full Redis does that may evict any key. */
const EVICT = `
math.randomseed(tonumber(ARGV[2]))
local keys = redis.call('KEYS', '*')
table.sort(keys)
for _, key in ipairs(keys) do
  if key ~= '${CLOCK}' and math.random() < tonumber(ARGV[1]) then redis.call('DEL', key) end
end
`;

export class SimulatedRedis implements Activity {
  steps = 0;
  /** How far its clock is ahead, milliseconds. */
  aheadMs = 0;
  /** What it says to writes, also to those of scripts, while it is full or a replica. */
  refusal = '';
  readonly #server: RedisServer;
  readonly #socket: Socket;
  readonly #replies: ((reply: Buffer) => void)[] = [];
  /** The scripts with the simulated time, by the digest of the gateway's own. */
  readonly #scripts = new Map<string, { readonly lua: string; readonly sha: string }>();
  /** What was set last. */
  #clock = '';
  #onAnswered: () => void = () => undefined;
  /** Commands that a frozen Redis has not read yet. */
  #unread: (() => void)[] | undefined;

  private constructor(server: RedisServer, socket: Socket) {
    this.#server = server;
    this.#socket = socket;
    const frames = new Frames();
    socket.on('data', (chunk: Buffer) => {
      for (const frame of frames.push(chunk)) {
        this.steps += 1;
        this.#replies.shift()?.(frame);
      }
      // What follows from an answer goes first.
      setImmediate(() => {
        this.#onAnswered();
      });
    });
  }

  static async start(): Promise<SimulatedRedis> {
    const server = await startRedis('--maxmemory-policy', 'noeviction');
    const socket = connect(server.port, '127.0.0.1');
    socket.setNoDelay(true);
    await new Promise((resolve) => socket.once('connect', resolve));
    return new SimulatedRedis(server, socket);
  }

  get isWaiting(): boolean {
    return this.#replies.length > 0;
  }

  answered(): Promise<void> {
    return new Promise((resolve) => {
      this.#onAnswered = resolve;
    });
  }

  /** Runs a command of a gateway. A frozen Redis runs it later, also if the gateway does not wait any more. */
  run(command: Buffer): Promise<Buffer> {
    if (this.#unread === undefined) return this.#send(this.#translated(command));
    return new Promise((resolve) => {
      this.#unread?.push(() => void this.#send(this.#translated(command)).then(resolve));
    });
  }

  freeze(): void {
    this.#unread ??= [];
  }

  thaw(): void {
    const unread = this.#unread ?? [];
    this.#unread = undefined;
    for (const run of unread) run();
  }

  async flush(): Promise<void> {
    const flushing = this.#send(commandOf(['FLUSHALL']));
    // The next command sets the clock again.
    this.#clock = '';
    await flushing;
  }

  /** From now on, the replica gets nothing more. */
  async leaveReplicaBehind(): Promise<void> {
    await this.#send(commandOf(['EVAL', COPY_TO_REPLICA, '0']));
  }

  async failOverToReplica(): Promise<void> {
    const swapping = this.#send(commandOf(['SWAPDB', '0', '1']));
    // The replica has run no scripts.
    void this.#send(commandOf(['SCRIPT', 'FLUSH']));
    this.#clock = '';
    await swapping;
  }

  async evict(share: number, seed: number): Promise<void> {
    await this.#send(commandOf(['EVAL', EVICT, '0', String(share), String(seed)]));
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    await this.#server.close();
  }

  #send(command: Buffer): Promise<Buffer> {
    const clock = String(Date.now() + this.aheadMs) + this.refusal;
    if (clock !== this.#clock) {
      this.#clock = clock;
      this.#write(commandOf(['SET', CLOCK, clock]));
      this.#replies.push(throwIfError);
    }
    this.steps += 1;
    this.#write(command);
    return new Promise((resolve) => this.#replies.push(resolve));
  }

  /** Writes all commands of a turn at once. */
  #write(command: Buffer): void {
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      setImmediate(() => this.#socket.uncork());
    }
    this.#socket.write(command);
  }

  /** The command as a script that lives by the simulated time. */
  #translated(command: Buffer): Buffer {
    const [name, script, ...args] = wordsOf(command);
    if (name === undefined || script === undefined) return command;
    switch (name.toString().toLowerCase()) {
      case 'eval':
        return commandOf([name, this.#translatedScript(script.toString()).lua, ...args]);
      case 'evalsha':
        // The word is a part of the command, and both digests have one length.
        script.write(this.#scripts.get(script.toString())?.sha ?? script.toString());
        return command;
      default:
        return HAS_KEY.test(name.toString())
          ? commandOf(['EVAL', SIMULATED_CALL + PLAIN_COMMAND, '1', name, script, ...args])
          : command;
    }
  }

  #translatedScript(lua: string): { readonly lua: string; readonly sha: string } {
    const sha = digestOf(lua);
    const known = this.#scripts.get(sha);
    if (known !== undefined) return known;
    const translated = SIMULATED_CALL + lua;
    const script = { lua: translated, sha: digestOf(translated) };
    this.#scripts.set(sha, script);
    return script;
  }
}

function digestOf(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

function throwIfError(reply: Buffer): void {
  if (reply.toString('latin1', 0, 1) === '-') throw new Error(`the clock of Redis: ${reply.toString()}`);
}
