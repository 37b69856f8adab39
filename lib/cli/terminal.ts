import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { text as textOfStream } from 'node:stream/consumers';
import { styleText } from 'node:util';

type MaybeTerminal<Stream> = Stream & { readonly isTTY?: boolean | undefined };

export interface Streams {
  readonly stdin: MaybeTerminal<NodeJS.ReadableStream>;
  readonly stdout: MaybeTerminal<NodeJS.WritableStream>;
  readonly stderr: MaybeTerminal<NodeJS.WritableStream>;
}

type Style = Parameters<typeof styleText>[0];

/** A secret of this length is hidden anywhere in a text. A shorter one may be part of another word by chance. */
const MIN_LENGTH_ANYWHERE = 8;
const MIN_LENGTH_HIDDEN = 4;
/** A short secret that is a plain word, such as `redis`, is not hidden: the gaps in ordinary sentences would reveal it. */
const WORD = /^\p{L}+$/u;

/** Members of the JSON whose values are the program's own names. Hiding a secret must not change them. */
const NAMES: ReadonlySet<string> = new Set(['check', 'command', 'result']);

/** One line, or several. A line break within a line comes from a server, and shows as `\x0a`. */
type Lines = string | readonly string[];

/**
 * The output of the program, for people and for programs, and its questions. With `--json` standard output is one JSON
 * text, and everything for people goes to standard error.
 *
 * It writes no secret that `hide` has registered: one of 8 characters or more is hidden anywhere, a shorter one only as a
 * separate word. A name from a server cannot control the terminal: control and format characters become visible, so the
 * only escape sequences are the program's own colours.
 */
export class Terminal {
  readonly #streams: Streams;
  readonly isJson: boolean;
  readonly #mayColour: boolean;
  /** Each secret, also as JSON escapes it. The longest comes first: one secret may contain another. */
  #hidden: readonly (readonly [secret: string, pattern: RegExp])[] = [];

  constructor(streams: Streams, settings: { readonly isJson: boolean; readonly mayColour: boolean }) {
    this.#streams = streams;
    this.isJson = settings.isJson;
    this.#mayColour = settings.mayColour;
  }

  /** Whether a person can answer: standard input is a terminal. */
  get isInteractive(): boolean {
    return this.#streams.stdin.isTTY === true;
  }

  /** Whether the output for people goes to a terminal, which can show symbols. */
  get hasSymbols(): boolean {
    return (this.isJson ? this.#streams.stderr : this.#streams.stdout).isTTY === true;
  }

  /** Hides a secret in everything that is written from now on. */
  hide(secret: string): void {
    if (secret.length < MIN_LENGTH_HIDDEN || (secret.length < MIN_LENGTH_ANYWHERE && WORD.test(secret))) {
      return;
    }
    const known = new Map(this.#hidden);
    for (const text of [secret, JSON.stringify(secret).slice(1, -1)]) {
      const escaped = text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
      const pattern =
        text.length < MIN_LENGTH_ANYWHERE ? `(?<![\\p{L}\\p{N}_])${escaped}(?![\\p{L}\\p{N}_])` : escaped;
      known.set(text, new RegExp(pattern, 'gu'));
    }
    this.#hidden = [...known].sort(([one], [other]) => other.length - one.length);
  }

  /** Writes a part of the result, for people. */
  say(text: Lines, style?: Style): void {
    this.#write(this.isJson ? this.#streams.stderr : this.#streams.stdout, this.#shown(text), style);
  }

  sayTable(rows: readonly (readonly [name: string, text: string])[]): void {
    const width = Math.max(...rows.map(([name]) => name.length));
    for (const [name, text] of rows) this.say(`  ${name.padEnd(width)}  ${text}`);
  }

  /** Writes a wait, a warning or an error to standard error. */
  note(text: Lines, style?: Style): void {
    this.#write(this.#streams.stderr, this.#shown(text), style);
  }

  /** Writes the result for programs. Without `--json` it writes nothing. */
  json(value: object): void {
    if (this.isJson) this.sayJson(value);
  }

  /** Writes JSON to standard output, also without `--json`. */
  sayJson(value: object): void {
    // Secrets are hidden in the values, before serialization: a member's name or a brace must not change.
    const replacer = (name: string, entry: unknown): unknown =>
      typeof entry === 'string' && !NAMES.has(name) ? this.#withoutSecrets(entry) : entry;
    this.#write(this.#streams.stdout, withEscapes(JSON.stringify(value, replacer, 2)));
  }

  async readInput(): Promise<string> {
    return textOfStream(this.#streams.stdin);
  }

  /** Asks a question. Only `y` or `yes` agrees. Call it only if `isInteractive`. */
  async confirm(question: string): Promise<boolean> {
    const answer = await this.#ask(`${this.#shown(question)} [y/N] `, this.#streams.stderr);
    return /^y(es)?$/i.test(answer ?? '');
  }

  /**
   * Asks for a text. Empty if the user only presses Enter; `undefined` if the input ends, or after Ctrl-C. Call it only if
   * `isInteractive`.
   */
  askText(question: string): Promise<string | undefined> {
    return this.#ask(`${this.#shown(question)}: `, this.#streams.stderr);
  }

  /** Asks as `askText` does, but for a secret: does not show it while it is typed, and hides it from then on. */
  async askSecret(name: string): Promise<string | undefined> {
    this.#streams.stderr.write(`${this.#shown(name)}: `);
    const noEcho = new PassThrough().resume();
    const secret = await this.#ask('', noEcho);
    this.#streams.stderr.write('\n');
    this.hide(secret ?? '');
    return secret;
  }

  async #ask(question: string, output: NodeJS.WritableStream): Promise<string | undefined> {
    const lines = createInterface({ input: this.#streams.stdin, output, terminal: this.isInteractive });
    const answered = await new Promise<string | undefined>((resolve) => {
      lines.on('close', () => {
        resolve(undefined);
      });
      lines.on('SIGINT', () => {
        lines.close();
      });
      lines.question(question, (answer) => {
        resolve(answer.trim());
        lines.close();
      });
    });
    // After Ctrl-C, or at the end of the input, the cursor is still behind the question.
    if (answered === undefined) output.write('\n');
    return answered;
  }

  #write(stream: MaybeTerminal<NodeJS.WritableStream>, text: string, style?: Style): void {
    const isStyled = style !== undefined && this.#mayColour && stream.isTTY === true;
    stream.write(`${isStyled ? styleText(style, text, { validateStream: false }) : text}\n`);
  }

  /** Hides secrets in each line before it is escaped, and then in the whole: a PEM key has several lines. */
  #shown(text: Lines): string {
    const lines = typeof text === 'string' ? [text] : text;
    return this.#withoutSecrets(lines.map((line) => visible(this.#withoutSecrets(line))).join('\n'));
  }

  #withoutSecrets(text: string): string {
    return this.#hidden.reduce((shown, [, pattern]) => shown.replace(pattern, '[secret]'), text);
  }
}

/** Characters that a terminal does not show: control characters, those that reverse or hide text, and line separators. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Makes them visible: `\x1b` for one byte, `\u202e` for others. */
function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => escaped(character).replace('\\u00', '\\x'));
}

/** Escapes them in JSON, which leaves many as they are. The line breaks between its lines stay. */
function withEscapes(json: string): string {
  return json.replace(INVISIBLE, (character) => (character === '\n' ? character : escaped(character)));
}

function escaped(character: string): string {
  const units = character.split('').map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'));
  return units.map((unit) => `\\u${unit}`).join('');
}
