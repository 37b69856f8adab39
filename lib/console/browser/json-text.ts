/**
 * JSON as it is being written: where it breaks, by line and column, and on which line a field stands. Browsers tell the
 * first in different words or not at all, and the second never.
 */

/** Both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export type ReadText =
  | {
      readonly isJson: true;
      readonly value: unknown;
      /** By its path, such as `data.messageProfile.phoneNumber` or `list[0]`. */
      readonly places: ReadonlyMap<string, Place>;
    }
  | { readonly isJson: false; readonly problem: string; readonly place: Place };

class Broken extends Error {
  readonly at: number;
  constructor(problem: string, at: number) {
    super(problem);
    this.at = at;
  }
}

const BLANK = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const TEXT = /"(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
/** Deeper is nothing that Okta sends. */
const MAX_DEPTH = 200;

export function readJsonText(text: string): ReadText {
  const starts = new Map<string, number>();
  try {
    new Reader(text, starts).readAll();
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return { isJson: false, problem: error.message, place: placeIn(text, error.at) };
  }
  const places = new Map([...starts].map(([path, at]) => [path, placeIn(text, at)]));
  return { isJson: true, value: JSON.parse(text), places };
}

/** The line of a field, or of the nearest one around it that is there. */
export function findPlace(places: ReadonlyMap<string, Place>, path: string): Place | undefined {
  for (let rest = path; rest !== '';) {
    const place = places.get(rest);
    if (place !== undefined) return place;
    const around = rest.replace(/\[\d+\]$|(?:^|\.)[^.[\]]*$/, '');
    // A name with brackets of its own.
    if (around === rest) break;
    rest = around;
  }
  return undefined;
}

function placeIn(text: string, at: number): Place {
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** Goes through a text once; what it is worth is `JSON.parse`'s to say. */
class Reader {
  readonly #text: string;
  readonly #starts: Map<string, number>;
  #at = 0;

  constructor(text: string, starts: Map<string, number>) {
    this.#text = text;
    this.#starts = starts;
  }

  readAll(): void {
    this.#readValue('', 0);
    if (this.#at < this.#text.length) this.#break('There is something after the end of the JSON');
  }

  #readValue(path: string, depth: number): void {
    this.#skipBlank();
    if (depth > MAX_DEPTH) this.#break('This is nested too deeply');
    if (!this.#starts.has(path)) this.#starts.set(path, this.#at);
    if (this.#take('{')) this.#readObject(path, depth);
    else if (this.#take('[')) this.#readArray(path, depth);
    else if (this.#text[this.#at] === '"') this.#readText();
    else if (this.#match(NUMBER) === undefined && this.#match(WORD) === undefined) this.#breakAtValue();
    this.#skipBlank();
  }

  #readObject(path: string, depth: number): void {
    this.#skipBlank();
    if (this.#take('}')) return;
    do {
      this.#skipBlank();
      const start = this.#at;
      if (this.#text[start] === '}') this.#break('There is a comma before this } that does not belong there');
      if (this.#text[start] !== '"') this.#break('A name in double quotes is expected here');
      const name = this.#readText();
      const inside = path === '' ? name : `${path}.${name}`;
      // The last of two is the one that counts.
      this.#starts.set(inside, start);
      this.#skipBlank();
      if (!this.#take(':')) this.#break(`A colon is expected after "${name}"`);
      this.#readValue(inside, depth + 1);
    } while (this.#take(','));
    if (!this.#take('}')) this.#break('A comma or } is expected here');
  }

  #readArray(path: string, depth: number): void {
    this.#skipBlank();
    if (this.#take(']')) return;
    let index = 0;
    do {
      this.#skipBlank();
      if (this.#text[this.#at] === ']') {
        this.#break('There is a comma before this ] that does not belong there');
      }
      this.#readValue(`${path}[${index}]`, depth + 1);
      index += 1;
    } while (this.#take(','));
    if (!this.#take(']')) this.#break('A comma or ] is expected here');
  }

  #readText(): string {
    const raw = this.#match(TEXT);
    if (raw !== undefined) return String(JSON.parse(raw));
    return this.#break('This text has no end on its line, or a character in it that must be written with \\');
  }

  #breakAtValue(): never {
    const next = this.#text[this.#at];
    if (next === undefined) return this.#break('The JSON ends here, and a value is missing');
    return this.#break(
      next === "'" ? 'Texts stand in double quotes, not in single ones' : 'A value is expected here',
    );
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #skipBlank(): void {
    this.#match(BLANK);
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #break(problem: string): never {
    throw new Broken(problem, this.#at);
  }
}
