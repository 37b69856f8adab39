import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { runProgram, type ProgramContext } from '#lib/cli/program.js';
import type { OktaEmulator } from '#lib/testing/index.js';
import { mustNotShow, witness } from '#harness/witness.js';

/** The result of one run of the program. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output, as JSON. */
  json(): Record<string, unknown>;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The input at a terminal, one answer per question. Without it there is no terminal. */
  readonly answers?: readonly (string | (() => unknown))[];
  readonly time?: ProgramContext['time'];
  /** The whole standard input, without a terminal. */
  readonly input?: string;
  /** Whether standard output shows secrets on purpose. */
  readonly isShownToOwner?: boolean;
}

export const HOOK_SECRET = 'hook-secret-5f1c9ab2';

/** A clock that moves only when the program sleeps. */
export function patientTime(): ProgramContext['time'] & { readonly waits: number[] } {
  let now = Date.parse('2026-11-25T12:00:00Z');
  const waits: number[] = [];
  return {
    waits,
    now: () => now,
    sleep: (ms) => {
      waits.push(ms);
      now += ms;
      return Promise.resolve();
    },
  };
}

/** Runs the program in this process. Its environment has only the org's variables and `options.env`. */
export async function run(okta: OktaEmulator, args: string, options: RunOptions = {}): Promise<Run> {
  mustNotShow(okta.apiToken, HOOK_SECRET);
  const { answers, time = patientTime() } = options;
  const isTTY = answers !== undefined;
  const stream = () => Object.assign(new PassThrough(), { isTTY });
  const [stdin, stdout, stderr] = [stream(), stream(), stream()];
  const written = { stdout: '', stderr: '' };
  const left = [...(answers ?? [])];
  stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  stderr.setEncoding('utf8').on('data', (text: string) => {
    written.stderr += text;
    if (!/(\[y\/N\] |\): )$/.test(text)) return;
    const answer = left.shift();
    void (async () => {
      const typed: unknown = typeof answer === 'function' ? await answer() : answer;
      if (typeof typed === 'string') stdin.write(`${typed}\n`);
      else stdin.end();
    })();
  });
  if (options.input !== undefined) stdin.end(options.input);
  const code = await runProgram({
    args: args.split(' '),
    env: { OKTA_ORG_URL: okta.orgUrl, OKTA_API_TOKEN: okta.apiToken, ...options.env },
    streams: { stdin, stdout, stderr },
    time,
    signals: new EventEmitter(),
  });
  stdin.destroy();
  witness(written.stderr);
  if (options.isShownToOwner !== true) witness(written.stdout);
  return {
    code,
    ...written,
    json: () => JSON.parse(written.stdout) as Record<string, unknown>,
  };
}

/** The requests that change something, also those that failed. */
export function writesTo(okta: OktaEmulator): string[] {
  return okta.requests
    .filter(({ method, path }) => method !== 'GET' && path.startsWith('/api/'))
    .map(({ method, path }) => `${method} ${path}`);
}

/** The steps of a run, in order. */
export function doneBy(made: Run): string[] {
  return (made.json()['done'] as { does: string }[]).map(({ does }) => does);
}
