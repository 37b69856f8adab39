import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** All processes of a run. They end with the run, even if it fails. */
const children = new Set<ChildProcess>();

/** Call it once, before the first start. */
export function leaveNothingBehind(): void {
  process.once('exit', () => {
    // SIGKILL also ends stopped processes.
    for (const child of children) child.kill('SIGKILL');
  });
  // By default, a signal would end the process without `exit`.
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => process.exit(code));
  }
}

/**
 * Starts a TypeScript file of this folder, which reads its argument by `readArgument` and talks by messages.
 *
 * @param node - another version of Node.js than this one.
 */
export function startScript(file: string, argument: object, node = process.execPath): ChildProcess {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(argument)], {
    execPath: node,
    // A gateway measures its memory without garbage.
    execArgv: ['--expose-gc', '--import', 'tsx'],
    // Without this machine's proxies and tokens.
    env: { PATH: process.env['PATH'], NODE_ENV: 'test' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** For a script that `startScript` has started. The script ends with the run. */
export function readArgument(): unknown {
  process.on('disconnect', () => process.exit());
  return JSON.parse(process.argv[2] ?? '{}');
}

/** The first message of a script: it is ready. */
export async function firstMessage<Message>(child: ChildProcess, who: string): Promise<Message> {
  return nextMessage(child, `${who}, before they were ready,`);
}

/** The next message of a script, or the next of a kind. Rejects if the script ends first. */
export async function nextMessage<Message>(
  child: ChildProcess,
  who: string,
  isWanted: (message: object) => boolean = () => true,
): Promise<Message> {
  const received = new Promise<Message>((resolve) => {
    const look = (message: object): void => {
      if (!isWanted(message)) return;
      child.off('message', look);
      resolve(message as Message);
    };
    child.on('message', look);
  });
  return Promise.race([received, endOf(child, who)]);
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
