/** Redis's protocol, as far as a proxy needs it: where a command or an answer ends, and the words of a command. */

const CRLF = '\r\n';

/** Collects bytes, and cuts them into whole commands or answers. */
export class Frames {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): readonly Buffer[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Buffer[] = [];
    for (let end = endOf(this.#rest, 0); end !== undefined; end = endOf(this.#rest, 0)) {
      frames.push(this.#rest.subarray(0, end));
      this.#rest = this.#rest.subarray(end);
    }
    return frames;
  }
}

/** Where the value that begins at `from` ends; `undefined` if its end has not come yet. */
function endOf(bytes: Buffer, from: number): number | undefined {
  const lineEnd = bytes.indexOf(CRLF, from);
  if (lineEnd < 0) return undefined;
  const type = String.fromCharCode(bytes[from] ?? 0);
  const next = lineEnd + CRLF.length;
  if (!'$=!*~>%'.includes(type)) return next;
  const size = Number(bytes.toString('latin1', from + 1, lineEnd));
  if (size < 0) return next;
  if ('$=!'.includes(type)) {
    const end = next + size + CRLF.length;
    return end <= bytes.length ? end : undefined;
  }
  let end: number | undefined = next;
  for (let left = type === '%' ? size * 2 : size; left > 0 && end !== undefined; left -= 1)
    end = endOf(bytes, end);
  return end;
}

/** The words of a whole command. */
export function wordsOf(command: Buffer): readonly Buffer[] {
  const words: Buffer[] = [];
  for (let at = command.indexOf(CRLF) + CRLF.length; at < command.length;) {
    const lineEnd = command.indexOf(CRLF, at);
    const size = Number(command.toString('latin1', at + 1, lineEnd));
    const from = lineEnd + CRLF.length;
    words.push(command.subarray(from, from + size));
    at = from + size + CRLF.length;
  }
  return words;
}

export function commandOf(words: readonly (string | Buffer)[]): Buffer {
  const parts = words.flatMap((word) => [
    Buffer.from(`$${Buffer.byteLength(word)}${CRLF}`),
    Buffer.from(word),
    Buffer.from(CRLF),
  ]);
  return Buffer.concat([Buffer.from(`*${words.length}${CRLF}`), ...parts]);
}
