import type { ParseArgsConfig } from 'node:util';
import type { Time } from '../okta/admin/administration.js';
import type { Terminal } from './terminal.js';
import type { Variables } from './environment.js';
import type { ExitCode } from './failure.js';

/** The part of `process` that delivers SIGINT and SIGTERM. */
export interface Signals {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

/** What every command is given. */
export interface CommandCall {
  /** The options that were given, by their long names. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly terminal: Terminal;
  readonly variables: Variables;
  readonly time: Time;
  readonly signals: Signals;
}

/** One command of the program, in a file of its own. */
export interface Command {
  /** The words that it is called by, e.g. `setup hook`. */
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What it does, its own options, its variables and examples. */
  readonly help: string;
  /** Its own options, beside those that all have. */
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** @throws CommandError, TelephonyHookError */
  run(call: CommandCall): Promise<ExitCode>;
}

/** What comes after a command, for people. */
export function sayNext(next: readonly string[], terminal: Terminal): void {
  if (next.length === 0) return;
  terminal.say(['', 'Next:', ...next.map((step, index) => `  ${index + 1}. ${step}`)]);
}
