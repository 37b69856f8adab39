import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { startRedis, type RedisServer } from '#harness/redis-server.js';
import { commandOf, Frames, wordsOf } from '../resp.js';
import type { Activity } from './time.js';

/**
 * A real Redis in simulated time. All gateways share one connection to it, so that commands run in the order in which
 * they are sent. Its scripts read the simulated clock, and its keys grow old by it.
 */

/** Here the scripts find the simulated time and the time at which it was set, milliseconds. */
const CLOCK = 'simulated clock';

const READ_CLOCK = `
local function simulated_time()
  local ms = tonumber(string.match(redis.call('GET', '${CLOCK}'), '^%d+'))
  return {string.format('%.0f', math.floor(ms / 1000)), string.format('%.0f', ms % 1000 * 1000)}
end
`;

/** Sets the clock, and takes from the life of each key what it has not lost in real time. */
const SET_CLOCK = `
local now, time = tonumber(ARGV[1]), redis.call('TIME')
local real = time[1] * 1000 + math.floor(time[2] / 1000)
local known, set = string.match(redis.call('GET', '${CLOCK}') or '', '^(%d+) (%d+)$')
if known then
  local ms = now - tonumber(known) - (real - tonumber(set))
  for _, key in ipairs(redis.call('KEYS', '*')) do
    local left = redis.call('PTTL', key)
    if left >= 0 and left <= ms then redis.call('DEL', key) elseif left >= 0 then redis.call('PEXPIRE', key, left - ms) end
  end
end
redis.call('SET', '${CLOCK}', string.format('%.0f %.0f', now, real))
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
  readonly #server: RedisServer;
  readonly #socket: Socket;
  readonly #replies: ((reply: Buffer) => void)[] = [];
  /** The scripts with the simulated time, by the digest of the gateway's own. */
  readonly #scripts = new Map<string, { readonly lua: string; readonly sha: string }>();
  #setMs = 0;
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
    });
  }

  static async start(): Promise<SimulatedRedis> {
    const server = await startRedis('--maxmemory-policy', 'noeviction');
    const socket = connect(server.port, '127.0.0.1');
    socket.setNoDelay(true);
    await new Promise((resolve) => socket.once('connect', resolve));
    await server.admin.script('LOAD', SET_CLOCK);
    return new SimulatedRedis(server, socket);
  }

  get isWaiting(): boolean {
    return this.#replies.length > 0;
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
    this.#setMs = 0;
    await flushing;
  }

  async evict(share: number, seed: number): Promise<void> {
    await this.#send(commandOf(['EVAL', EVICT, '0', String(share), String(seed)]));
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    await this.#server.close();
  }

  #send(command: Buffer): Promise<Buffer> {
    const now = Date.now();
    if (now !== this.#setMs) {
      this.#setMs = now;
      this.#write(commandOf(['EVALSHA', shaOfClock, '0', String(now)]));
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

  /** The command with a script that reads the simulated clock. */
  #translated(command: Buffer): Buffer {
    const [name, script, ...args] = wordsOf(command);
    if (name === undefined || script === undefined) return command;
    switch (name.toString().toLowerCase()) {
      case 'eval':
        return commandOf([name, this.#translatedScript(script.toString()).lua, ...args]);
      case 'evalsha':
        return commandOf([name, this.#scripts.get(script.toString())?.sha ?? script, ...args]);
      default:
        return command;
    }
  }

  #translatedScript(lua: string): { readonly lua: string; readonly sha: string } {
    const sha = digestOf(lua);
    let script = this.#scripts.get(sha);
    if (script === undefined) {
      const translated = lua.includes("redis.call('TIME')")
        ? READ_CLOCK + lua.replaceAll("redis.call('TIME')", 'simulated_time()')
        : lua;
      script = { lua: translated, sha: digestOf(translated) };
      this.#scripts.set(sha, script);
    }
    return script;
  }
}

const shaOfClock = digestOf(SET_CLOCK);

function digestOf(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

function throwIfError(reply: Buffer): void {
  if (reply.toString('latin1', 0, 1) === '-') throw new Error(`the clock of Redis: ${reply.toString()}`);
}
