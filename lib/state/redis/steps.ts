import type { Client } from './clients.js';
import { SEPARATE_ARGUMENT, type StepName } from './step-scripts.js';

/**
 * What codes need of Redis, in as few commands as can be: each costs this process a write to its socket and Redis a read
 * from it, far more than the work that is queued for.
 */

/** One thing to do, as a script takes it. Plain data: it may be done later as well, or again. */
export interface Step {
  readonly name: StepName;
  readonly keys: readonly string[];
  readonly args: readonly (string | number | Buffer)[];
}

/** A step that somebody is told the reply of. */
interface QueuedStep extends Step {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** No script keeps Redis from others for longer than so many steps take. */
const MAX_STEPS = 50;

/** Gathers steps until this turn of the event loop ends, and has them done by one command, in the order in which they came. */
export class RedisSteps {
  readonly #send: (work: (client: Client) => Promise<unknown>) => Promise<unknown>;
  #queue: QueuedStep[] = [];
  #isDue = false;

  /** @param send - as `RedisConnection.ask`. */
  constructor(send: (work: (client: Client) => Promise<unknown>) => Promise<unknown>) {
    this.#send = send;
  }

  /** Has steps done, by one command. Resolves to their replies, texts in bytes. */
  run(steps: readonly Step[]): Promise<readonly unknown[]> {
    const replies = steps.map(
      (step) =>
        new Promise((resolve, reject) => {
          this.#queue.push({ ...step, resolve, reject });
        }),
    );
    if (this.#queue.length >= MAX_STEPS) this.flush();
    if (!this.#isDue && this.#queue.length > 0) {
      this.#isDue = true;
      setImmediate(() => {
        this.#isDue = false;
        this.flush();
      });
    }
    return Promise.all(replies);
  }

  /** Sends what has come until now, where the end of the turn is too late. */
  flush(): void {
    const queued = this.#queue;
    if (queued.length === 0) return;
    this.#queue = [];
    this.#send((client) => runSteps(client, queued)).catch((error: unknown) => {
      // Those that were done have been told so.
      for (const { reject } of queued) reject(error);
    });
  }
}

/** @throws what Redis says of the first step that it did not do, once the others know of theirs. */
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
    let lines = `${step.name}\n${step.keys.length}\n`;
    const apart: (string | Buffer)[] = [];
    for (const arg of step.args) {
      const isLine =
        typeof arg === 'number' ||
        (typeof arg === 'string' && arg !== SEPARATE_ARGUMENT && !arg.includes('\n'));
      if (!isLine) apart.push(arg);
      lines += `${isLine ? arg : SEPARATE_ARGUMENT}\n`;
    }
    args.push(lines, ...apart);
  }
  const replies = (await client.runStepsBuffer(keys.length, ...keys, ...args)) as readonly unknown[];
  let failure: Error | undefined;
  for (const [at, { resolve }] of queued.entries()) {
    const [isDone, reply] = replies[at] as readonly [isDone: unknown, reply: unknown];
    if (isDone === 1) resolve(reply);
    // As its client throws what Redis says of one command.
    else failure ??= Object.assign(new Error(String(reply)), { name: 'ReplyError' });
  }
  if (failure !== undefined) throw failure;
}
