import { PassThrough } from 'node:stream';
import { runProgram } from '../../lib/cli/program.js';
import type { OktaEmulator } from '../../lib/testing/index.js';
import { callApi } from '../testing/okta/client.js';

/** Runs a command of the program, and returns its JSON. */
export async function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<unknown> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  let text = '';
  stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  stderr.resume();
  const time = { now: Date.now, sleep: () => Promise.resolve() };
  await runProgram({
    args: [...args, '--json'],
    env,
    streams: { stdin, stdout, stderr },
    time,
    signals: process,
  });
  return JSON.parse(text) as unknown;
}

/** Posts to the emulator directly, without a proxy. Returns the id in the answer. */
export async function send(okta: OktaEmulator, path: string, body?: object): Promise<string> {
  const answer = await callApi(okta, 'POST', path, body);
  if (answer.status !== 200) throw new Error(`The emulator answered ${answer.status} to ${path}`);
  return String(answer.body['id']);
}
