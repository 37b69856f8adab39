import type { ParseArgsConfig } from 'node:util';
import type { Time } from './admin/administration.js';
import { CommandError, type ExitCode } from './failure.js';
import type { Terminal } from './terminal.js';
import type { Variables } from './environment.js';

/** The values of a command's options by their long names: a text, or `true` for a flag. */
export type OptionValues = Readonly<Record<string, unknown>>;

/** One run of a command: what the user typed, and what the command may use. */
export interface CommandCall {
  readonly options: OptionValues;
  readonly terminal: Terminal;
  readonly variables: Variables;
  readonly time: Time;
  /** Emits SIGINT and SIGTERM. */
  readonly signals: NodeJS.EventEmitter;
  /** What the command has found so far. If the command fails, the program adds it to the JSON of the error. */
  readonly report: object;
}

export type CommandOptions = NonNullable<ParseArgsConfig['options']>;

/** One command of the program. `program.ts` finds it by its name and runs it. */
export interface Command {
  /** The words that a user types, such as `setup hook`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Describes the command, its own options, its variables, and examples. */
  readonly help: string;
  /** The command's own options. The common ones (`--json`, `--env`, `--help`) are added. */
  readonly options: CommandOptions;
  /** Whether the command reads variables, and so has `--env`. Default: true. */
  readonly hasVariables?: boolean;
  /** What each exit code means. Default: done, failed or declined, bad use. */
  readonly exitCodes?: string;
  /** @throws CommandError, TelephonyHookError */
  run(call: CommandCall): Promise<ExitCode>;
}

export const textOptions = (...names: readonly string[]): CommandOptions =>
  Object.fromEntries(names.map((name) => [name, { type: 'string' }]));

export const flagOptions = (...names: readonly string[]): CommandOptions =>
  Object.fromEntries(names.map((name) => [name, { type: 'boolean' }]));

/** The option of commands that ask before they change or send something. */
export const YES_OPTION: CommandOptions = { yes: { type: 'boolean', short: 'y' } };

export function textOption(options: OptionValues, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/**
 * The value of `--header`.
 * @throws CommandError if it is not the name of an HTTP header.
 */
export function headerOption(options: OptionValues): string | undefined {
  const name = textOption(options, 'header');
  if (name === undefined || /^[\w-]+$/.test(name)) return name;
  throw new CommandError('BAD_USE', '--header takes the name of an HTTP header, and nothing else.');
}

/**
 * Asks the user whether to go on.
 * @param nothing - what has not happened yet, for the error: `Nothing was sent`.
 * @throws CommandError without a terminal: a script must use `--yes`.
 */
export async function confirm(terminal: Terminal, question: string, nothing: string): Promise<boolean> {
  if (terminal.isInteractive) return terminal.confirm(question);
  throw new CommandError(
    'NOBODY_TO_ASK',
    `${nothing}: this is not a terminal, so the command cannot ask.`,
    'Use --yes to agree without a question.',
  );
}

/** A command of the program as a user pastes it into a shell, with the `--env` of this run. */
export function commandLine({ options }: Pick<CommandCall, 'options'>, words: string): string {
  const file = textOption(options, 'env');
  return `npx okta-telephony-hook ${words}${file === undefined ? '' : ` --env ${shellWord(file)}`}`;
}

export const shellWord = (text: string): string =>
  /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

export function printNextSteps(steps: readonly string[], terminal: Terminal): void {
  if (steps.length === 0) return;
  terminal.say(['', 'Next:', ...steps.map((step, index) => `  ${index + 1}. ${step}`)]);
}
