import { readFileSync } from 'node:fs';
import { RequestError } from '../../core/errors.js';
import { isObject, type JsonObject } from '../../core/json.js';
import { readJsonText } from '../../core/json-text.js';
import { readHookCall, type HookCall } from '../../okta/inline-hook.js';
import { markAsPreview, renewSampleCall } from '../../okta/sample-call.js';
import { CommandError } from '../command.js';
import { editText } from './edit-text.js';
import type { Terminal } from '../terminal.js';

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
