import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Everything that a run starts. Nothing of it outlives the run, however that ends. */
const children = new Set<ChildProcess>();

/** To be called once, before anything is started. */
export function leaveNothingBehind(): void {
  process.once('exit', () => {
    // Also ends what is stopped.
    for (const child of children) child.kill('SIGKILL');
  });
  // The default would not come by `exit`.
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => process.exit(code));
  }
}

/** Starts a TypeScript file of this folder, which reads its argument by `readArgument` and talks by messages. */
export function startScript(file: string, argument: object): ChildProcess {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(argument)], {
    execArgv: ['--import', 'tsx'],
    // Nothing of this machine's own: proxies, tokens.
    env: { PATH: process.env['PATH'], NODE_ENV: 'test' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** In a script that `startScript` has started. It ends with the run. */
export function readArgument(): unknown {
  process.on('disconnect', () => process.exit());
  return JSON.parse(process.argv[2] ?? '{}');
}

/** The first message of a script: it is ready. */
export async function firstMessage<Message>(child: ChildProcess, who: string): Promise<Message> {
  return nextMessage(child, `${who}, before they were ready,`);
}

/** The next message of a script. Rejects when it ends: nobody expects that while this is waited for. */
export async function nextMessage<Message>(child: ChildProcess, who: string): Promise<Message> {
  const told = once(child, 'message');
  const [message] = (await Promise.race([told, endOf(child, who)])) as [Message];
  return message;
}

async function endOf(child: ChildProcess, who: string): Promise<never> {
  const wordOf = (code: number | null, signal: string | null): string => signal ?? String(code ?? 'nothing');
  const { exitCode, signalCode } = child;
  const [code, signal] =
    exitCode === null && signalCode === null
      ? ((await once(child, 'exit')) as [number | null, string | null])
      : [exitCode, signalCode];
  throw new Error(`${who} ended with ${wordOf(code, signal)}`);
}
