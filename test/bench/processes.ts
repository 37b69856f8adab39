import { fork, type ChildProcess } from 'node:child_process';
import { openSync } from 'node:fs';
import { devNull } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The repository's root, from which the child processes resolve packages. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A child process that reports where it listens, and answers questions about itself. */
export interface Process<Started> {
  readonly started: Started;
  readonly pid: number;
  ask<Answer>(question: string): Promise<Answer>;
  stop(): Promise<void>;
}

/**
 * Starts a file of this folder.
 *
 * @param parts.execArgv - Node's options. The process inherits none: else it would run the loader of this process.
 * @throws if it exits before its first message.
 */
export async function startProcess<Started>(
  file: string,
  parts: { readonly argument?: object; readonly execArgv?: readonly string[] } = {},
): Promise<Process<Started>> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(parts.argument ?? {})], {
    cwd: ROOT,
    execArgv: [...(parts.execArgv ?? [])],
    // Without this machine's environment, from which the vendors' SDKs read proxies and tokens.
    env: { NODE_ENV: 'production' },
    // A server writes its log to the null device: it pays for the writes only.
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
          // The form of our own messages.
          const reply = message as { id: number; answer: Answer };
          if (reply.id !== id) return;
          child.off('message', onMessage);
          child.off('exit', onExit);
          resolve(reply.answer);
        };
        const onExit = (): void => {
          reject(new Error(`${file} ended before it answered ${question}`));
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
