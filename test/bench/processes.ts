import { fork, type ChildProcess } from 'node:child_process';
import { openSync } from 'node:fs';
import { devNull } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The repository's root: what the child processes resolve packages from. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A process of its own that says where it listens, and answers questions about itself. */
export interface Process<Started> {
  readonly started: Started;
  readonly pid: number;
  ask<Answer>(question: string): Promise<Answer>;
  stop(): Promise<void>;
}

/**
 * Starts a file of this folder.
 *
 * @param parts.execArgv - Node's own options; none is inherited, or the loader of this process would be measured too.
 * @throws when it ends before it has started.
 */
export async function startProcess<Started>(
  file: string,
  parts: { readonly argument?: object; readonly execArgv?: readonly string[] } = {},
): Promise<Process<Started>> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(parts.argument ?? {})], {
    cwd: ROOT,
    execArgv: [...(parts.execArgv ?? [])],
    // Nothing of this machine's own: the vendors' SDKs read proxies and tokens from it.
    env: { NODE_ENV: 'production' },
    // What a server logs goes nowhere, at the price of writing it.
    stdio: ['ignore', openSync(devNull, 'w'), 'inherit', 'ipc'],
  });
  const started = await firstMessage<Started>(child, file);
  let lastId = 0;
  return {
    started,
    // A process that has sent a message has an id.
    pid: child.pid ?? 0,
    ask: <Answer>(question: string) =>
      new Promise<Answer>((resolve, reject) => {
        lastId += 1;
        const id = lastId;
        const onMessage = (message: unknown): void => {
          // What our own files send.
          const reply = message as { id: number; answer: Answer };
          if (reply.id !== id) return;
          child.off('message', onMessage);
          child.off('exit', onExit);
          resolve(reply.answer);
        };
        const onExit = (): void => {
          reject(new Error(`${file} ended while it was asked ${question}`));
        };
        child.on('message', onMessage);
        child.once('exit', onExit);
        child.send({ id, question });
      }),
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => {
          resolve();
        });
        child.kill();
      }),
  };
}

function firstMessage<Started>(child: ChildProcess, file: string): Promise<Started> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => {
      resolve(message as Started);
    });
    child.once('exit', (code) => {
      reject(new Error(`${file} ended with ${code ?? 'a signal'} before it served`));
    });
  });
}
