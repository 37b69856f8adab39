import type { Terminal } from './terminal.js';

/** 0: done. 1: a check failed, the user declined, or the command failed. 2: bad use. */
export type ExitCode = 0 | 1 | 2;

/** These codes stand for what the user must correct before the command can run. */
const BAD_USE_CODES = ['BAD_USE', 'BAD_ENVIRONMENT', 'BAD_PAYLOAD', 'FILE_EXISTS', 'NOBODY_TO_ASK'];

/** An expected failure of a command, with a remedy for the user. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: string;
  readonly remedy: string | undefined;
  readonly lines: readonly string[];

  /**
   * @param code - stable, for programs; docs/reference/codes.md lists all.
   * @param message - one line, or several.
   */
  constructor(code: string, message: string | readonly string[], remedy?: string) {
    const lines = [message].flat();
    super(lines.join('\n'));
    this.code = code;
    this.remedy = remedy;
    this.lines = lines;
  }

  get exitCode(): ExitCode {
    return BAD_USE_CODES.includes(this.code) ? 2 : 1;
  }
}

/** The system's code of an error, such as `ENOENT`. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

/** Options of a command that are wrong, or do not go together. */
export function badUse(command: string, message: string): CommandError {
  return new CommandError(
    'BAD_USE',
    `${command}: ${message}`,
    `okta-telephony-hook ${command} --help lists the options.`,
  );
}

/** Prints on standard error why a command failed, and returns the same for its JSON. */
export function reportFailure(
  error: unknown,
  terminal: Terminal,
): Pick<CommandError, 'exitCode' | 'code' | 'message' | 'remedy'> {
  const known =
    error instanceof CommandError ? error : new CommandError('INTERNAL_ERROR', linesOfUnexpected(error));
  const { exitCode, code, message, remedy, lines } = known;
  const [first = '', ...others] = lines;
  terminal.note([`✘ ${first}`, ...others], 'red');
  if (remedy !== undefined) terminal.note(`  ${remedy}`);
  return { exitCode, code, message, remedy };
}

/**
 * An unexpected error with its stack, which a bug report needs. The message stays one line: it may quote a server, and the
 * terminal escapes line breaks within a line.
 */
function linesOfUnexpected(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [String(error)];
  const { message, stack = '' } = error;
  const start = stack.indexOf(message);
  const [, ...frames] = start < 0 ? [] : stack.slice(start + message.length).split('\n');
  return [String(error), ...frames];
}
