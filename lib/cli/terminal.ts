import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { text as textOfStream } from 'node:stream/consumers';
import { styleText } from 'node:util';

/** A stream that may be a terminal. */
type MaybeTerminal<Stream> = Stream & { readonly isTTY?: boolean | undefined };

/** Where the program reads and writes. */
export interface Streams {
  readonly stdin: MaybeTerminal<NodeJS.ReadableStream>;
  readonly stdout: MaybeTerminal<NodeJS.WritableStream>;
  readonly stderr: MaybeTerminal<NodeJS.WritableStream>;
}

type Style = Parameters<typeof styleText>[0];

/** Shorter ones stand inside other words by chance. */
const SURE_LENGTH = 8;
const SHORTEST_HIDDEN = 4;
/** Whoever wrote `redis` or `hook` for a secret would be given away by the gaps in ordinary sentences. */
const WORD = /^\p{L}+$/u;

/** What stands there is one of a few names of our own, by which programs tell one thing from another. */
const NAMES: ReadonlySet<string> = new Set(['check', 'command', 'result']);

/** One line, or several: a line break within one is not ours, and shows as `\x0a`. */
type Lines = string | readonly string[];

/**
 * What people and programs are told. With `--json` standard output is one JSON text, and everything for people
 * goes to standard error.
 *
 * No secret that it knows of is written: one of 8 characters and more wherever it stands, a shorter one where it stands
 * alone and is no mere word. Nothing that others have named can steer the terminal: control and format characters become
 * visible, so that the only escape sequences are those of our own colours.
 */
export class Terminal {
  readonly #streams: Streams;
  readonly #isJson: boolean;
  readonly #mayColour: boolean;
  /** By the secret, and as JSON has it; the longest first, so that no rest of one is left. */
  #hidden: readonly (readonly [secret: string, pattern: RegExp])[] = [];

  constructor(streams: Streams, settings: { readonly isJson: boolean; readonly mayColour: boolean }) {
    this.#streams = streams;
    this.#isJson = settings.isJson;
    this.#mayColour = settings.mayColour;
  }

  /** Whether somebody is there to be asked. */
  get isInteractive(): boolean {
    return this.#streams.stdin.isTTY === true;
  }

  get isJson(): boolean {
    return this.#isJson;
  }

  /** Whether the result is shown where symbols can be, and not read by a program. */
  get hasSymbols(): boolean {
    return (this.#isJson ? this.#streams.stderr : this.#streams.stdout).isTTY === true;
  }

  /** Keeps a secret out of all that is written from now on. */
  hide(secret: string): void {
    if (secret.length < SHORTEST_HIDDEN || (secret.length < SURE_LENGTH && WORD.test(secret))) return;
    const known = new Map(this.#hidden);
    for (const text of [secret, JSON.stringify(secret).slice(1, -1)]) {
      const escaped = text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
      const pattern =
        text.length < SURE_LENGTH ? `(?<![\\p{L}\\p{N}_])${escaped}(?![\\p{L}\\p{N}_])` : escaped;
      known.set(text, new RegExp(pattern, 'gu'));
    }
    this.#hidden = [...known].sort(([one], [other]) => other.length - one.length);
  }

  /** What belongs to the result, for people. */
  say(text: Lines, style?: Style): void {
    this.#write(this.#isJson ? this.#streams.stderr : this.#streams.stdout, this.#shown(text), style);
  }

  /** What stands beside the result: a wait, a warning, an error. */
  note(text: Lines, style?: Style): void {
    this.#write(this.#streams.stderr, this.#shown(text), style);
  }

  /** The result for programs; nothing without `--json`. */
  json(value: object): void {
    if (this.#isJson) this.sayJson(value);
  }

  /** A result that is JSON for people, too. */
  sayJson(value: object): void {
    // In the values, before it is JSON: its names and its marks have to stay what they are.
    const told = (name: string, entry: unknown): unknown =>
      typeof entry === 'string' && !NAMES.has(name) ? this.#withoutSecrets(entry) : entry;
    this.#write(this.#streams.stdout, withEscapes(JSON.stringify(value, told, 2)));
  }

  /** All of standard input. */
  async readInput(): Promise<string> {
    return textOfStream(this.#streams.stdin);
  }

  /** Whether somebody says yes; only a terminal is asked. */
  async confirm(question: string): Promise<boolean> {
    const answer = await this.#ask(`${this.#shown(question)} [y/N] `, this.#streams.stderr);
    return /^y(es)?$/i.test(answer.trim());
  }

  /** Something that does not show while it is typed. */
  async askSecret(name: string): Promise<string> {
    this.#streams.stderr.write(`${this.#shown(name)}: `);
    const unseen = new Writable({
      write: (_chunk, _encoding, done) => {
        done();
      },
    });
    const secret = (await this.#ask('', unseen)).trim();
    this.#streams.stderr.write('\n');
    this.hide(secret);
    return secret;
  }

  /** An input that ends instead of answering says no. */
  #ask(question: string, output: NodeJS.WritableStream): Promise<string> {
    const lines = createInterface({ input: this.#streams.stdin, output, terminal: this.isInteractive });
    return new Promise((resolve) => {
      lines.on('close', () => {
        resolve('');
      });
      lines.on('SIGINT', () => {
        lines.close();
      });
      lines.question(question, (answer) => {
        resolve(answer);
        lines.close();
      });
    });
  }

  #write(stream: MaybeTerminal<NodeJS.WritableStream>, text: string, style?: Style): void {
    const isStyled = style !== undefined && this.#mayColour && stream.isTTY === true;
    stream.write(`${isStyled ? styleText(style, text, { validateStream: false }) : text}\n`);
  }

  /** A secret is sought in each line as it came, and then over all of them: a key has several. */
  #shown(text: Lines): string {
    const lines = typeof text === 'string' ? [text] : text;
    return this.#withoutSecrets(lines.map((line) => visible(this.#withoutSecrets(line))).join('\n'));
  }

  #withoutSecrets(text: string): string {
    return this.#hidden.reduce((shown, [, pattern]) => shown.replace(pattern, '[secret]'), text);
  }
}

/** What a terminal obeys in place of showing it: control characters, what turns or hides text, and line separators. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** As JSON escapes them, but for those of one byte: `\x1b`, `\u202e`. */
function visible(text: string): string {
  return text.replace(UNSEEN, (character) => escaped(character).replace('\\u00', '\\x'));
}

/** JSON leaves many of them as they are; the line breaks between its lines are our own. */
function withEscapes(json: string): string {
  return json.replace(UNSEEN, (character) => (character === '\n' ? character : escaped(character)));
}

function escaped(character: string): string {
  const units = character.split('').map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'));
  return units.map((unit) => `\\u${unit}`).join('');
}
