import { readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { RequestError } from '../../core/errors.js';
import { isObject, type JsonObject } from '../../core/json.js';
import { readJsonText } from '../../core/json-text.js';
import { readHookCall, type HookCall } from '../../okta/inline-hook.js';
import { markAsPreview, renewSampleCall } from '../../okta/sample-call.js';
import { CommandError } from '../failure.js';
import type { Terminal } from '../terminal.js';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A payload that somebody makes, changes or brings along, until it is one that a hook can read. */

export type Payload = JsonObject;

/**
 * A payload of a file, or of standard input where it is `-`: the same call as another event.
 * @throws CommandError for what cannot be read or is no JSON object, with its line and column.
 */
export async function readPayload(file: string, terminal: Terminal, nowMs: number): Promise<Payload> {
  return renewSampleCall(parsePayload(await readText(file, terminal)), nowMs);
}

async function readText(file: string, terminal: Terminal): Promise<string> {
  if (file === '-') return terminal.readInput();
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CommandError(2, 'BAD_USE', 'The file that --payload names cannot be read.');
  }
}

/**
 * Lets somebody edit a payload, again where it is no JSON afterwards and they want to; `undefined` where they leave
 * nothing of it, as with a commit message of git.
 */
export async function editPayload(
  payload: Payload,
  parts: { readonly terminal: Terminal; readonly editor: string | undefined; readonly nowMs: number },
): Promise<Payload | undefined> {
  const { terminal, editor, nowMs } = parts;
  let text = `${JSON.stringify(payload, null, 2)}\n`;
  for (;;) {
    terminal.note('… Edit the payload, then save it and close the editor', 'dim');
    text = await editText(text, { name: 'payload.json', editor, isOutputTaken: terminal.isJson });
    if (text.trim() === '') return undefined;
    try {
      const edited = parsePayload(text);
      checkPayload(edited, nowMs);
      return markAsPreview(edited);
    } catch (error) {
      if (!(error instanceof CommandError) || !terminal.isInteractive) throw error;
      terminal.note(`! ${error.message}`, 'yellow');
      if (!(await terminal.confirm('Edit it again?'))) throw error;
    }
  }
}

/** @throws CommandError with line and column, and nothing of the text. */
function parsePayload(text: string): Payload {
  const read = readJsonText(text);
  if (!read.isJson) {
    const { line, column } = read.position;
    throw new CommandError(
      2,
      'BAD_PAYLOAD',
      `The payload is no JSON: line ${line}, column ${column}: ${read.problem}.`,
    );
  }
  const { value } = read;
  if (!isObject(value)) throw new CommandError(2, 'BAD_PAYLOAD', 'The payload is no JSON object.');
  return value;
}

/**
 * Reads a payload as the hook does.
 * @throws CommandError that names the fields which the hook would refuse.
 */
export function checkPayload(payload: Payload, nowMs: number): HookCall {
  try {
    return readHookCall(payload, { defaultCountry: undefined, nowMs });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    throw new CommandError(
      2,
      'BAD_PAYLOAD',
      `The payload is not one of a telephony inline hook: ${error.fields.join(', ')} ${error.fields.length === 1 ? 'is' : 'are'} missing or not valid.`,
      'Start from one that is: --user <login> --print. A user without a phone needs --phone.',
    );
  }
}

/** Where neither VISUAL nor EDITOR is set; git falls back to the same one. */
const USUAL_EDITOR = process.platform === 'win32' ? 'notepad' : 'vi';

/** What ends a program that does not listen. */
const ENDING = ['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * Lets somebody edit a text in their editor, by a file that nobody else may read and that is gone afterwards.
 *
 * @param parts.editor - a command, which may have words of its own: `code --wait`.
 * @param parts.isOutputTaken - whether standard output belongs to a program, so that the editor gets the other one.
 * @throws CommandError where the editor cannot be started or says that it failed.
 */
async function editText(
  text: string,
  parts: { readonly name: string; readonly editor: string | undefined; readonly isOutputTaken: boolean },
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'okta-telephony-hook-'));
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  // A terminal that is closed, or a kill, must not leave the file behind; Ctrl-C is the editor's.
  const removeAndEnd = (signal: NodeJS.Signals): void => {
    remove();
    letSignalsPass();
    process.kill(process.pid, signal);
  };
  const ignore = (): void => undefined;
  const letSignalsPass = (): void => {
    process.off('SIGINT', ignore);
    for (const signal of ENDING) process.off(signal, removeAndEnd);
  };
  process.on('SIGINT', ignore);
  for (const signal of ENDING) process.on(signal, removeAndEnd);
  try {
    const file = join(folder, parts.name);
    writeFileSync(file, text, { mode: 0o600 });
    await runEditor(parts.editor ?? USUAL_EDITOR, file, parts.isOutputTaken ? 2 : 1);
    return readBack(file);
  } finally {
    letSignalsPass();
    remove();
  }
}

/** An editor, or somebody in it, that takes the file away leaves nothing of the text. */
function readBack(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

/** By a shell, as git does, for the command may have words and quotes of its own. */
async function runEditor(editor: string, file: string, output: 1 | 2): Promise<void> {
  const stdio: [number, number, number] = [0, output, 2];
  const child =
    process.platform === 'win32'
      ? spawn(`${editor} "${file}"`, { shell: true, stdio })
      : spawn('/bin/sh', ['-c', `${editor} "$@"`, editor, file], { stdio });
  const code = await new Promise<number | null>((resolve) => {
    child.on('error', () => {
      resolve(null);
    });
    child.on('close', resolve);
  });
  if (code === 0) return;
  throw new CommandError(
    1,
    'EDITOR_FAILED',
    code === 127 || code === null
      ? 'The editor could not be started. Nothing was sent.'
      : `The editor ended with ${code}. Nothing was sent.`,
    'Set VISUAL or EDITOR to the command of an editor that returns when the file is closed, such as "code --wait".',
  );
}
