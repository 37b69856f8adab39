import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Environment } from '../options/options.js';
import type { OktaCredential } from '../options/credential-types.js';
import { hasServiceApp, readOktaCredential } from '../options/read-variables.js';
import { VariableReader } from '../options/variable-reader.js';
import { VARIABLES, type VariableName } from '../options/variables.js';
import { CommandError, systemCode } from './failure.js';
import type { Terminal } from './terminal.js';

/**
 * The environment variables of a command. A missing secret is requested at the terminal if there is one. The constructor
 * registers every secret with the terminal, so that no output shows it.
 */
export class Variables extends VariableReader {
  readonly #terminal: Terminal;
  /** The variables whose value differs from their line in the file; see `withFile`. `undefined` without a file. */
  readonly changed: readonly string[] | undefined;

  /** @param values - the environment, with the variables of a file; see `withFile`. */
  constructor(values: Environment, terminal: Terminal, changed?: readonly string[]) {
    super(values);
    this.changed = changed;
    this.#terminal = terminal;
    for (const [name, { secretsIn }] of Object.entries(VARIABLES)) {
      for (const secret of secretsIn?.(values[name] ?? '') ?? []) terminal.hide(secret);
    }
  }

  /**
   * Asks for a missing secret. Without a terminal it stays missing.
   * @param what - describes the secret in the question.
   */
  async ask(name: VariableName, what: string): Promise<void> {
    if (this.hasAny(name) || !this.#terminal.isInteractive) return;
    this.set(name, (await this.#terminal.askSecret(`${name} (${what})`)) ?? '');
  }

  /** Like `required`, but asks at a terminal first. */
  async secret(name: VariableName, what: string): Promise<string> {
    await this.ask(name, what);
    return this.required(name, what);
  }

  /** @throws CommandError that names every variable that was read and is missing or wrong. */
  require(): void {
    const problems = this.takeProblems();
    if (problems.length === 0) return;
    throw new CommandError(
      'BAD_ENVIRONMENT',
      problems.length === 1
        ? problems
        : ['The environment cannot work:', ...problems.map((problem) => `- ${problem}`)],
      'Set it in the environment, or in a file that --env names.',
    );
  }

  /** The credential for Okta's API: a service app, or an API token. Asks for a token if both are missing. */
  async okta(): Promise<OktaCredential> {
    if (!hasServiceApp(this)) {
      await this.ask(
        'OKTA_API_TOKEN',
        'an API token of an administrator; in its place OKTA_CLIENT_ID and OKTA_PRIVATE_KEY of a service app will do',
      );
    }
    return readOktaCredential(this);
  }
}

/**
 * Adds the variables of a file (lines of `NAME=value`) to the environment. The environment has priority.
 *
 * `changed` names the variables whose value differs from the text after `=`. Node removes quotes, spaces, carriage returns
 * and comments around a value; docker's `--env-file` keeps them.
 *
 * @throws CommandError if the file cannot be read, or has a wrong line.
 */
export function withFile(
  env: Environment,
  file: string | undefined,
): {
  readonly values: Environment;
  readonly changed?: readonly string[];
} {
  if (file === undefined) return { values: env };
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(
      'BAD_USE',
      `The file ${file} that --env names cannot be read (${systemCode(error)}).`,
    );
  }
  requireLines(text, file);
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const read = parseEnv(text);
  const lines = text.split('\n');
  const changed = Object.entries(read).flatMap(([name, value]) => {
    const line = lines.findLast((one) => one.startsWith(`${name}=`));
    // `parseEnv` takes a line within a PEM key for a variable.
    return line === `${name}=${value}` || !/^[A-Z][A-Z\d]*(_[A-Z\d]+)*$/.test(name) ? [] : [name];
  });
  return { values: { ...read, ...given }, changed };
}

/** A variable with a quoted value, which may have several lines. */
const QUOTED_VARIABLE = /^([^\n=#]*=[^\S\n]*)(["'`])[^]*?\2(.*)$/gm;
const OPEN_QUOTE = /^[^=#]*=[^\S\n]*["'`]/;
const LINE = /^(?:#.*|[ \t]*(?:export )?[A-Za-z_][\w.-]*[ \t]*=.*)?\r?$/;

/** @throws CommandError if a line is neither a variable, a comment nor empty, or has a quote that is not closed. */
function requireLines(text: string, file: string): void {
  const lines = text
    .replace(QUOTED_VARIABLE, (variable: string, start: string, _quote, rest: string) => {
      // With a text behind it, the quote at the end of several lines opens the value of another variable.
      const isOpen = variable.includes('\n') && /^\s*[^\s#]/.test(rest);
      return isOpen ? variable : start + variable.replaceAll(/.+/g, '');
    })
    .split('\n');
  const index = lines.findIndex((line) => !LINE.test(line) || OPEN_QUOTE.test(line));
  const wrong = lines[index];
  if (wrong === undefined) return;
  const problem = OPEN_QUOTE.test(wrong)
    ? 'opens a quote that is not closed'
    : 'is no NAME=value: Node would skip it, or take it for a part of the next variable';
  throw new CommandError(
    'BAD_ENVIRONMENT',
    `Line ${index + 1} of the file ${file} that --env names ${problem}.`,
    'Write NAME=value. A comment begins the line with #, an empty line has no spaces, and a value of several lines has a quote at both ends.',
  );
}
