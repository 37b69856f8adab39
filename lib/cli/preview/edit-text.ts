import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError } from '../command.js';

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
export async function editText(
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
