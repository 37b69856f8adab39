/**
 * JSON that a person writes: where it stops being JSON, and where each field stands. Engines say the first in different words or not at
 * all, and some quote the text. The console's page and the command line share this.
 */

export interface Place {
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
      /** Where a field is, or the nearest one around it; `undefined` if there is none. */
      placeOf(path: string): Place | undefined;
    }
  | {
      readonly isJson: false;
      /** A sentence without its period, and without anything of the text. */
      readonly problem: string;
      readonly place: Place;
    };

class Broken extends Error {
  readonly index: number;
  constructor(problem: string, index: number) {
    super(problem);
    this.index = index;
  }
}

const BLANK = /[ \t\n\r]*/y;
const NUMBER_OR_WORD = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
// eslint-disable-next-line no-control-regex -- JSON allows no control character in a text.
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
/** Okta sends five levels. The reader calls itself for each one, so it needs a limit. */
const MAX_DEPTH = 200;

/** Reads a text by RFC 8259. A byte order mark before it is skipped. */
export function readJsonText(text: string): ReadText {
  const start = text.startsWith('\uFEFF') ? 1 : 0;
  const fields = new Map<string, number>();
  try {
    new Reader(text, start, fields).readAll();
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return { isJson: false, problem: error.message, place: placeIn(text, start, error.index) };
  }
  return {
    isJson: true,
    value: JSON.parse(text.slice(start)),
    hasField: (path) => fields.has(path),
    placeOf: (path) => {
      for (let rest = path; rest !== '';) {
        const index = fields.get(rest);
        if (index !== undefined) return placeIn(text, start, index);
        const around = rest.replace(/\[\d+\]$|(?:^|\.)[^.[\]]*$/, '');
        // A name with brackets of its own.
        if (around === rest) break;
        rest = around;
      }
      return undefined;
    },
  };
}

function placeIn(text: string, start: number, index: number): Place {
  const before = text.slice(start, index).split(/\r\n|\n|\r/);
  return { line: before.length, column: Array.from(before.at(-1) ?? '').length + 1, index };
}

/** Goes through a text once and notes where each field begins; `JSON.parse` then reads the values. */
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
    if (this.#index < this.#text.length) this.#break('Nothing may follow the end of the JSON');
  }

  #readValue(path: string, depth: number): void {
    this.#match(BLANK);
    if (depth > MAX_DEPTH) this.#break('This is nested too deeply');
    if (!this.#fields.has(path)) this.#fields.set(path, this.#index);
    const next = this.#text[this.#index];
    if (next === '{') this.#readObject(path, depth);
    else if (next === '[') this.#readArray(path, depth);
    else if (next === '"') this.#readText();
    else if (next === "'") this.#break('Texts stand in double quotes, not in single ones');
    else if (this.#match(NUMBER_OR_WORD) === '') this.#breakFor('a value');
    this.#match(BLANK);
  }

  #readObject(path: string, depth: number): void {
    this.#readEntries('}', () => {
      const start = this.#index;
      if (this.#text[start] !== '"') this.#breakFor('a name in double quotes');
      const name = this.#readText();
      const inside = path === '' ? name : `${path}.${name}`;
      // The last of two is the one that counts.
      this.#fields.set(inside, start);
      this.#match(BLANK);
      if (!this.#take(':')) this.#breakFor('a colon after the name');
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

  /** From one bracket to the other. */
  #readEntries(end: '}' | ']', readEntry: () => void): void {
    this.#index += 1;
    this.#match(BLANK);
    if (this.#take(end)) return;
    for (;;) {
      readEntry();
      if (this.#take(end)) return;
      if (!this.#take(',')) this.#breakFor(`a comma or ${end}`);
      this.#match(BLANK);
      if (this.#text[this.#index] === end) this.#break(`The comma before this ${end} does not belong there`);
    }
  }

  #readText(): string {
    const start = this.#index;
    this.#index += 1;
    do this.#match(PLAIN);
    while (this.#match(ESCAPE) !== '');
    if (this.#take('"')) return String(JSON.parse(this.#text.slice(start, this.#index)));
    const next = this.#text[this.#index];
    if (next === '\\')
      this.#break('A backslash is followed by one of "\\/bfnrt, or by u and four hexadecimal digits');
    // If a quote is missing, the beginning of the text says more than the end of its line.
    if (next === undefined || next === '\n' || next === '\r') this.#index = start;
    return this.#break(
      this.#index === start
        ? 'The text that begins here does not end on its line'
        : 'This character, such as a tab, must be written with a backslash',
    );
  }

  /** What a pattern finds here, which may be nothing. */
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

  #breakFor(missing: string): never {
    if (this.#index >= this.#text.length) this.#break(`The JSON ends here, and ${missing} is missing`);
    return this.#break(`${missing.charAt(0).toUpperCase()}${missing.slice(1)} is expected here`);
  }

  #break(problem: string): never {
    throw new Broken(problem, this.#index);
  }
}
