import { PassThrough } from 'node:stream';
import { Terminal } from '#lib/cli/terminal.js';

/** Escape sequences of `styleText`, by the number in them. */
const STYLES: Readonly<Record<string, string>> = {
  1: '<bold>',
  2: '<dim>',
  22: '</>',
  31: '<red>',
  32: '<green>',
  33: '<yellow>',
  39: '</>',
};

/** The same text with its styles in words. */
export function withStylesNamed(text: string): string {
  // eslint-disable-next-line no-control-regex -- The terminal gets these escapes.
  return text.replace(/\u001b\[(\d+)m/g, (all, code: string) => STYLES[code] ?? all);
}

/** A terminal with its output. */
export interface CapturedTerminal {
  readonly terminal: Terminal;
  /** The output until now, with its styles in words. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly stdin: PassThrough;
}

/** @param settings.isTTY - whether it is a terminal with colours. */
export function captureTerminal(
  settings: { readonly isJson?: boolean; readonly isTTY?: boolean } = {},
): CapturedTerminal {
  const { isJson = false, isTTY = false } = settings;
  const stream = () => Object.assign(new PassThrough(), { isTTY });
  const [stdin, stdout, stderr] = [stream(), stream(), stream()];
  const written = { stdout: '', stderr: '' };
  stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  return {
    terminal: new Terminal({ stdin, stdout, stderr }, { isJson, mayColour: isTTY }),
    stdout: () => withStylesNamed(written.stdout),
    stderr: () => withStylesNamed(written.stderr),
    stdin,
  };
}
