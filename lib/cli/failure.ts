import type { Terminal } from './terminal.js';

/** How a command ends. */

/** 0: done; 1: a check failed, or it could not be done; 2: bad use. */
export type ExitCode = 0 | 1 | 2;

/** Why a command ends without having done what it is for. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: Exclude<ExitCode, 0>;
  readonly code: string;
  readonly remedy: string | undefined;
  /** Its message, as people are told it. */
  readonly lines: readonly string[];

  /** @param message - one line, or several. */
  constructor(
    exitCode: Exclude<ExitCode, 0>,
    code: string,
    message: string | readonly string[],
    remedy?: string,
  ) {
    const lines = typeof message === 'string' ? [message] : message;
    super(lines.join('\n'));
    this.exitCode = exitCode;
    this.code = code;
    this.remedy = remedy;
    this.lines = lines;
  }
}

/** Tells people why a command has ended, and gives it as programs are told it. */
export function tellFailure(
  error: unknown,
  terminal: Terminal,
): {
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly message: string;
  readonly remedy: string | undefined;
} {
  const known = error instanceof CommandError ? error : undefined;
  const lines = known?.lines ?? unforeseenLines(error);
  const message = lines.join('\n');
  const [first = '', ...others] = lines;
  terminal.note([`✘ ${first}`, ...others], 'red');
  if (known?.remedy !== undefined) terminal.note(`  ${known.remedy}`);
  const { exitCode = 1, code = 'INTERNAL_ERROR', remedy } = known ?? {};
  return { exitCode, code, message, remedy };
}

/** Of what nobody foresaw the stack is all there is to go by. Its message may be of others: line breaks in it are not ours. */
function unforeseenLines(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [String(error)];
  const { message, stack = '' } = error;
  const start = stack.indexOf(message);
  const frames =
    start < 0
      ? []
      : stack
          .slice(start + message.length)
          .split('\n')
          .slice(1);
  return [String(error), ...frames];
}
