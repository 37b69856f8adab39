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

/** Shorter ones are words by chance. */
const SHORTEST_HIDDEN = 4;

/**
 * What people and programs are told. With `--json` standard output is one JSON text, and everything for people
 * goes to standard error. No secret that it knows of is ever written.
 */
export class Terminal {
  readonly #streams: Streams;
  readonly #isJson: boolean;
  readonly #mayColour: boolean;
  readonly #hidden = new Set<string>();

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
    if (secret.length < SHORTEST_HIDDEN) return;
    this.#hidden.add(secret);
    this.#hidden.add(JSON.stringify(secret).slice(1, -1));
  }

  /** A line of the result, for people. */
  say(text: string, style?: Style): void {
    this.#write(this.#isJson ? this.#streams.stderr : this.#streams.stdout, text, style);
  }

  /** A line beside the result: a wait, a warning, an error. */
  note(text: string, style?: Style): void {
    this.#write(this.#streams.stderr, text, style);
  }

  /** The result for programs; nothing without `--json`. */
  json(value: object): void {
    if (this.#isJson) this.#write(this.#streams.stdout, JSON.stringify(value, null, 2));
  }

  /** All of standard input. */
  async readInput(): Promise<string> {
    return textOfStream(this.#streams.stdin);
  }

  /** Whether somebody says yes; only a terminal is asked. */
  async confirm(question: string): Promise<boolean> {
    const answer = await this.#ask(`${question} [y/N] `, this.#streams.stderr);
    return /^y(es)?$/i.test(answer.trim());
  }

  /** Something that does not show while it is typed. */
  async askSecret(name: string): Promise<string> {
    this.#streams.stderr.write(`${name}: `);
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
    let shown = text;
    for (const secret of this.#hidden) shown = shown.replaceAll(secret, '[secret]');
    const isStyled = style !== undefined && this.#mayColour && stream.isTTY === true;
    stream.write(`${isStyled ? styleText(style, shown, { validateStream: false }) : shown}\n`);
  }
}
