/** Where a text stops being JSON, for people who edit it: what V8 says of that differs by version, and quotes the text. */

/** Lines and columns are counted from 1. */
export interface JsonProblem {
  readonly line: number;
  readonly column: number;
  /** In words, without anything of the text. */
  readonly problem: string;
}

/** The value of a text; a byte order mark before it is passed over. */
export function readJsonText(
  text: string,
): { readonly value: unknown; readonly problem?: undefined } | { readonly problem: JsonProblem } {
  const json = text.replace(/^\uFEFF/, '');
  try {
    return { value: JSON.parse(json) as unknown };
  } catch {
    return { problem: locate(json) };
  }
}

/** More than any payload has; the scan goes as deep as its own calls. */
const MAX_DEPTH = 200;

function locate(json: string): JsonProblem {
  const scan = new JsonScan(json);
  const problem = scan.firstProblem();
  const before = json.slice(0, scan.at).split(/\r\n|\n|\r/);
  return { line: before.length, column: Array.from(before.at(-1) ?? '').length + 1, problem };
}

/** Goes through a text by the grammar of RFC 8259, as far as it follows it. */
class JsonScan {
  readonly #json: string;
  /** Where it stands: at the end, where something is wrong. */
  at = 0;

  constructor(json: string) {
    this.#json = json;
  }

  firstProblem(): string {
    const problem = this.#value(0);
    if (problem !== undefined) return problem;
    return this.#isAtEnd() ? 'this is no JSON' : 'nothing may follow the end of the JSON';
  }

  /** What is wrong with the value here; `undefined` where nothing is, and it is behind. */
  #value(depth: number): string | undefined {
    if (depth > MAX_DEPTH) return 'it is nested too deeply';
    this.#space();
    switch (this.#json[this.at]) {
      case '{':
        return this.#list('}', () => this.#member(depth));
      case '[':
        return this.#list(']', () => this.#value(depth + 1));
      case '"':
        return this.#string();
      default:
        return this.#take(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y)
          ? undefined
          : this.#expected('a value');
    }
  }

  /** An object or an array, from its bracket to the other one. */
  #list(end: '}' | ']', entry: () => string | undefined): string | undefined {
    this.at += 1;
    this.#space();
    if (this.#take(end === '}' ? /\}/y : /\]/y)) return undefined;
    for (;;) {
      const problem = entry();
      if (problem !== undefined) return problem;
      this.#space();
      if (this.#take(end === '}' ? /\}/y : /\]/y)) return undefined;
      if (!this.#take(/,/y)) return this.#expected(`a comma, or ${end},`);
      this.#space();
      if (this.#json[this.at] === end) return `there is a comma too many before ${end}`;
    }
  }

  #member(depth: number): string | undefined {
    this.#space();
    if (this.#json[this.at] !== '"') return this.#expected('a name in double quotes');
    const problem = this.#string();
    if (problem !== undefined) return problem;
    this.#space();
    return this.#take(/:/y) ? this.#value(depth + 1) : this.#expected('a colon after the name');
  }

  #string(): string | undefined {
    const start = this.at;
    this.at += 1;
    for (;;) {
      // eslint-disable-next-line no-control-regex -- JSON allows none of them in a text.
      this.#take(/[^"\\\u0000-\u001f]*/y);
      if (this.#take(/"/y)) return undefined;
      if (this.#take(/\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y)) continue;
      if (this.#json[this.at] === '\\')
        return 'a backslash has to be followed by one of "\\/bfnrt or by u and four digits';
      // Where a quote is missing, the beginning of the text says more than the end of its line.
      this.at = start;
      return 'the text that begins here does not end on its line';
    }
  }

  #expected(what: string): string {
    return this.#isAtEnd()
      ? `it ends where ${what} should be`.replace(/,$/, '')
      : `${what} should be here`.replace(', should', ' should');
  }

  #isAtEnd(): boolean {
    this.#space();
    return this.at >= this.#json.length;
  }

  #space(): void {
    this.#take(/[ \t\n\r]*/y);
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#json);
    if (found === null) return false;
    this.at = pattern.lastIndex;
    return true;
  }
}
