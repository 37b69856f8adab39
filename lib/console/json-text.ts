/**
 * A JSON reader for text that a person writes: it says where a syntax error is and where each field starts.
 * The messages of JavaScript engines differ, may lack the position and may quote the text. The console's
 * page and the command line share it.
 */

export interface Position {
  /** From 1. */
  readonly line: number;
  /** In characters, from 1. */
  readonly column: number;
  /** In the text. */
  readonly index: number;
}

export type ReadText =
  | {
      readonly isJson: true;
      readonly value: unknown;
      /** @param path - such as `data.messageProfile.phoneNumber` or `list[0]`. */
      hasField(path: string): boolean;
      /** The position of a field, or of the nearest field around it; `undefined` if there is none. */
      positionOf(path: string): Position | undefined;
    }
  | {
      readonly isJson: false;
      /** A sentence without its period and without any part of the text. */
      readonly problem: string;
      readonly position: Position;
    };

class JsonSyntaxError extends Error {
  readonly index: number;
  constructor(problem: string, index: number) {
    super(problem);
    this.index = index;
  }
}

const WHITESPACE = /[ \t\n\r]*/y;
const NUMBER_OR_WORD = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
// eslint-disable-next-line no-control-regex -- JSON allows no control character in a text.
const PLAIN_CHARACTERS = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
/** Okta sends five levels. The reader is recursive, so it needs a limit. */
const MAX_DEPTH = 200;

/** Reads a text by RFC 8259. Skips a leading byte order mark. */
export function readJsonText(text: string): ReadText {
  const start = text.startsWith('\uFEFF') ? 1 : 0;
  const fields = new Map<string, number>();
  try {
    new Reader(text, start, fields).readAll();
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return { isJson: false, problem: error.message, position: positionIn(text, start, error.index) };
  }
  return {
    isJson: true,
    value: JSON.parse(text.slice(start)),
    hasField: (path) => fields.has(path),
    positionOf: (path) => {
      for (let rest = path; rest !== '';) {
        const index = fields.get(rest);
        if (index !== undefined) return positionIn(text, start, index);
        const around = rest.replace(/\[\d+\]$|(?:^|\.)[^.[\]]*$/, '');
        // A name that contains brackets.
        if (around === rest) break;
        rest = around;
      }
      return undefined;
    },
  };
}

function positionIn(text: string, start: number, index: number): Position {
  const before = text.slice(start, index).split(/\r\n|\n|\r/);
  return { line: before.length, column: Array.from(before.at(-1) ?? '').length + 1, index };
}

/** Scans a text once and records where each field starts; `JSON.parse` then reads the values. */
class Reader {
  readonly #text: string;
  readonly #fields: Map<string, number>;
  #index: number;

  constructor(text: string, start: number, fields: Map<string, number>) {
    this.#text = text;
    this.#index = start;
    this.#fields = fields;
  }

  readAll(): void {
    this.#readValue('', 0);
    if (this.#index < this.#text.length) this.#fail('Nothing may follow the end of the JSON');
  }

  #readValue(path: string, depth: number): void {
    this.#match(WHITESPACE);
    if (depth > MAX_DEPTH) this.#fail('This is nested too deeply');
    if (!this.#fields.has(path)) this.#fields.set(path, this.#index);
    const next = this.#text[this.#index];
    if (next === '{') this.#readObject(path, depth);
    else if (next === '[') this.#readArray(path, depth);
    else if (next === '"') this.#readText();
    else if (next === "'") this.#fail('Texts stand in double quotes, not in single ones');
    else if (this.#match(NUMBER_OR_WORD) === '') this.#failFor('a value');
    this.#match(WHITESPACE);
  }

  #readObject(path: string, depth: number): void {
    this.#readEntries('}', () => {
      const start = this.#index;
      if (this.#text[start] !== '"') this.#failFor('a name in double quotes');
      const name = this.#readText();
      const inside = path === '' ? name : `${path}.${name}`;
      // Of duplicate names the last one counts.
      this.#fields.set(inside, start);
      this.#match(WHITESPACE);
      if (!this.#take(':')) this.#failFor('a colon after the name');
      this.#readValue(inside, depth + 1);
    });
  }

  #readArray(path: string, depth: number): void {
    let length = 0;
    this.#readEntries(']', () => {
      this.#readValue(`${path}[${length}]`, depth + 1);
      length += 1;
    });
  }

  #readEntries(end: '}' | ']', readEntry: () => void): void {
    this.#index += 1;
    this.#match(WHITESPACE);
    if (this.#take(end)) return;
    for (;;) {
      readEntry();
      if (this.#take(end)) return;
      if (!this.#take(',')) this.#failFor(`a comma or ${end}`);
      this.#match(WHITESPACE);
      if (this.#text[this.#index] === end) this.#fail(`The comma before this ${end} does not belong there`);
    }
  }

  #readText(): string {
    const start = this.#index;
    this.#index += 1;
    do this.#match(PLAIN_CHARACTERS);
    while (this.#match(ESCAPE) !== '');
    if (this.#take('"')) return String(JSON.parse(this.#text.slice(start, this.#index)));
    const next = this.#text[this.#index];
    if (next === '\\')
      this.#fail('A backslash is followed by one of "\\/bfnrt, or by u and four hexadecimal digits');
    // If the closing quote is missing, the start of the text is the better position.
    if (next === undefined || next === '\n' || next === '\r') this.#index = start;
    return this.#fail(
      this.#index === start
        ? 'The text that begins here does not end on its line'
        : 'This character, such as a tab, must be written with a backslash',
    );
  }

  /** Consumes what a pattern matches here, which may be nothing. */
  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#index;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#index += found.length;
    return found;
  }

  #take(character: string): boolean {
    if (this.#text[this.#index] !== character) return false;
    this.#index += 1;
    return true;
  }

  #failFor(missing: string): never {
    if (this.#index >= this.#text.length) this.#fail(`The JSON ends here, and ${missing} is missing`);
    return this.#fail(`${missing.charAt(0).toUpperCase()}${missing.slice(1)} is expected here`);
  }

  #fail(problem: string): never {
    throw new JsonSyntaxError(problem, this.#index);
  }
}
