import type { Client } from './clients.js';
import { SEPARATE_ARGUMENT, type StepName } from './step-scripts.js';

/**
 * Runs what codes need of Redis in as few commands as possible. Each command costs this process a write to
 * its socket and Redis a read, which is far more than the work itself.
 */

/** One call of a script. Plain data: it may also run later, or again. */
export interface Step {
  readonly name: StepName;
  readonly keys: readonly string[];
  readonly args: readonly (string | number | Buffer)[];
}

/** A step whose reply is awaited. */
interface QueuedStep extends Step {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Steps in one command, at most: a script blocks Redis. */
const MAX_STEPS = 50;

/**
 * Collects steps until the end of this turn of the event loop and runs them in one command, in their order.
 */
export class RedisSteps {
  readonly #send: (work: (client: Client) => Promise<unknown>) => Promise<unknown>;
  #queue: QueuedStep[] = [];
  #isDue = false;

  /** @param send - as `RedisConnection.execute`. */
  constructor(send: (work: (client: Client) => Promise<unknown>) => Promise<unknown>) {
    this.#send = send;
  }

  /** Runs a step in one command with all others of this turn. Resolves to its reply, texts as bytes. */
  run(step: Step): Promise<unknown> {
    const reply = new Promise((resolve, reject) => {
      this.#queue.push({ ...step, resolve, reject });
    });
    if (this.#queue.length >= MAX_STEPS) this.flush();
    if (!this.#isDue && this.#queue.length > 0) {
      this.#isDue = true;
      setImmediate(() => {
        this.#isDue = false;
        this.flush();
      });
    }
    return reply;
  }

  /** Sends the collected steps now, for callers that cannot wait for the end of the turn. */
  flush(): void {
    const queued = this.#queue;
    if (queued.length === 0) return;
    this.#queue = [];
    this.#send((client) => runSteps(client, queued)).catch((error: unknown) => {
      // Steps that were done have already resolved.
      for (const { reject } of queued) reject(error);
    });
  }
}

/**
 * Resolves each step that was done.
 *
 * @throws the error of the first step that Redis refused, once the others have resolved.
 */
async function runSteps(client: Client, queued: readonly QueuedStep[]): Promise<void> {
  const [first] = queued;
  if (first === undefined) return;
  if (queued.length === 1) {
    const { name, keys, args } = first;
    first.resolve(await client[`${name}Buffer`](keys.length, ...keys, ...args));
    return;
  }
  const keys: string[] = [];
  const args: (string | Buffer)[] = [];
  for (const step of queued) {
    keys.push(...step.keys);
    const lines: (string | number)[] = [step.name, step.keys.length];
    const at = args.push('');
    for (const arg of step.args) {
      const isLine =
        typeof arg === 'number' ||
        (typeof arg === 'string' && arg !== SEPARATE_ARGUMENT && !arg.includes('\n'));
      if (!isLine) args.push(arg);
      lines.push(isLine ? arg : SEPARATE_ARGUMENT);
    }
    args[at - 1] = `${lines.join('\n')}\n`;
  }
  const replies = (await client.runStepsBuffer(keys.length, ...keys, ...args)) as readonly unknown[];
  let failure: Error | undefined;
  for (const [at, { resolve }] of queued.entries()) {
    const [isDone, reply] = replies[at] as readonly [isDone: unknown, reply: unknown];
    if (isDone === 1) resolve(reply);
    // In the form in which ioredis throws the error of a single command.
    else failure ??= Object.assign(new Error(String(reply)), { name: 'ReplyError' });
  }
  if (failure !== undefined) throw failure;
}
