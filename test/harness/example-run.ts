import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { buildSync } from 'esbuild';
import { buildIfStale, ROOT } from './consumer.js';

type Program = 'main' | 'minimal';

const compiled: Partial<Record<Program, string>> = {};

/**
 * The command that runs a program of the example on the built package. Compiles its files once into one script: tsx
 * takes twice the CPU for each run, because it loads the package from its sources.
 */
export function exampleCommand(program: Program = 'main'): readonly string[] {
  buildIfStale();
  compiled[program] ??= compile(program);
  return [process.execPath, '--input-type=module', '-e', compiled[program]];
}

function compile(program: Program): string {
  const { outputFiles } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: [`example/${program}.ts`],
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Without the paths of tsconfig.json, which lead to the sources of the package.
    tsconfigRaw: {},
    write: false,
  });
  return outputFiles.map(({ text }) => text).join('');
}

/** Runs the example gateway in its own process, with only the given environment. */
export class ExampleRun {
  readonly child: ChildProcess;
  readonly #exit: Promise<unknown[]>;
  readonly #waiting: (() => void)[] = [];
  stdout = '';
  stderr = '';

  constructor(
    env: Readonly<Record<string, string>>,
    command: readonly string[] = exampleCommand(),
    cwd = ROOT,
  ) {
    const [program = '', ...words] = command;
    const child = spawn(program, words, {
      cwd,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Its own process group, so that the test can also end the processes that it started.
      detached: true,
    });
    this.child = child;
    this.#exit = once(child, 'close');
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      for (const look of this.#waiting) look();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  /** Waits until the pattern matches stdout, and returns the match. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const found = new Promise<RegExpExecArray>((resolve) => {
      const look = (): void => {
        const match = pattern.exec(this.stdout);
        if (match !== null) resolve(match);
      };
      this.#waiting.push(look);
      look();
    });
    const ended = this.#exit.then(() => {
      throw new Error(`ended before it printed ${String(pattern)}: ${this.stderr}`);
    });
    return Promise.race([found, ended]);
  }

  /** Kills its processes that still run: they would keep the test run alive. */
  kill(): void {
    const { pid } = this.child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // They have already exited.
    }
  }

  async exitCode(): Promise<unknown> {
    const [code] = await this.#exit;
    return code;
  }
}
