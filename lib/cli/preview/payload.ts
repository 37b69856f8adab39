import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { RequestError } from '../../core/request-error.js';
import { isObject, type JsonObject } from '../../core/json.js';
import { readJsonText } from '../../console/json-text.js';
import { readHookCall, type HookCall } from '../../okta/inline-hook.js';
import { markAsPreview, renewSampleCall } from '../../console/sample-call.js';
import { CommandError } from '../failure.js';
import type { Terminal } from '../terminal.js';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Reads a payload from a file, or for `-` from standard input, and gives it a new event id, so that the hook does not take
 * it for a repeat.
 * @throws CommandError if it cannot be read, or is not a JSON object, with line and column.
 */
export async function readPayload(file: string, terminal: Terminal, nowMs: number): Promise<JsonObject> {
  return renewSampleCall(parsePayload(await readText(file, terminal)), nowMs);
}

async function readText(file: string, terminal: Terminal): Promise<string> {
  if (file === '-') return terminal.readInput();
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CommandError('BAD_USE', 'The file that --payload names cannot be read.');
  }
}

/**
 * Opens a payload in the user's editor, and offers another round if the result is not valid. `undefined` if the user empties
 * the file, which cancels, as with a commit message of git.
 */
export async function editPayload(
  payload: JsonObject,
  parts: { readonly terminal: Terminal; readonly editor: string | undefined; readonly nowMs: number },
): Promise<JsonObject | undefined> {
  const { terminal, editor, nowMs } = parts;
  let text = `${JSON.stringify(payload, null, 2)}\n`;
  for (;;) {
    terminal.note('… Edit the payload, then save it and close the editor', 'dim');
    text = await editText(text, terminal.isJson ? 2 : 1, editor);
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

/** @throws CommandError with line and column, but without the text. */
function parsePayload(text: string): JsonObject {
  const read = readJsonText(text);
  if (!read.isJson) {
    const { line, column } = read.position;
    throw new CommandError(
      'BAD_PAYLOAD',
      `The payload is not JSON: line ${line}, column ${column}: ${read.problem}.`,
    );
  }
  const { value } = read;
  if (!isObject(value)) throw new CommandError('BAD_PAYLOAD', 'The payload is not a JSON object.');
  return value;
}

/**
 * Reads a payload as the hook does.
 * @throws CommandError that names the fields because of which the hook would refuse it.
 */
export function checkPayload(payload: JsonObject, nowMs: number): HookCall {
  try {
    return readHookCall(payload, { defaultCountry: undefined, nowMs });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    throw new CommandError(
      'BAD_PAYLOAD',
      `The payload is not that of a telephony inline hook: ${error.fields.join(', ')} ${error.fields.length === 1 ? 'is' : 'are'} missing or not valid.`,
      'Start from a valid one: --user <login> --print. A user without a phone needs --phone.',
    );
  }
}

/** The editor if neither VISUAL nor EDITOR is set; the same as that of git. */
const DEFAULT_EDITOR = process.platform === 'win32' ? 'notepad' : 'vi';

const ENDING = ['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * Opens a text in the user's editor. The text is in a file that no other user may read, and that is deleted afterwards.
 *
 * @param output - the editor's output: 1, or 2 (standard error) if standard output is for a program.
 * @param editor - a command, which may have arguments: `code --wait`.
 * @throws CommandError if the editor cannot be started, or fails.
 */
async function editText(text: string, output: 1 | 2, editor = DEFAULT_EDITOR): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'okta-telephony-hook-'));
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  // A closed terminal or a kill must not leave the file behind. Ctrl-C belongs to the editor.
  const removeAndEnd = (signal: NodeJS.Signals): void => {
    remove();
    restoreSignals();
    process.kill(process.pid, signal);
  };
  const ignore = (): void => undefined;
  const restoreSignals = (): void => {
    process.off('SIGINT', ignore);
    for (const signal of ENDING) process.off(signal, removeAndEnd);
  };
  process.on('SIGINT', ignore);
  for (const signal of ENDING) process.on(signal, removeAndEnd);
  try {
    const file = join(folder, 'payload.json');
    writeFileSync(file, text, { mode: 0o600 });
    await runEditor(editor, file, output);
    // Deleting the file cancels, as emptying it does.
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  } finally {
    restoreSignals();
    remove();
  }
}

/** Runs the editor in a shell, as git does, because the command may have arguments and quotes. */
async function runEditor(editor: string, file: string, output: 1 | 2): Promise<void> {
  const stdio: [number, number, number] = [0, output, 2];
  const child =
    process.platform === 'win32'
      ? spawn(`${editor} "${file}"`, { shell: true, stdio })
      : spawn('/bin/sh', ['-c', `${editor} "$@"`, editor, file], { stdio });
  // It rejects if there is no shell.
  const [code] = (await once(child, 'close').catch(() => [null])) as [number | null];
  if (code === 0) return;
  throw new CommandError(
    'EDITOR_FAILED',
    code === 127 || code === null
      ? 'The editor could not be started. Nothing was sent.'
      : `The editor ended with ${code}. Nothing was sent.`,
    'Set VISUAL or EDITOR to the command of an editor that returns when the file is closed, such as "code --wait".',
  );
}
