import fc from 'fast-check';

/** The framing of a request's body on the wire: correct, or in a way that servers treat differently. */

export type Header = readonly [name: string, value: string];

export type Framing =
  | 'length'
  | 'chunked'
  | 'expect'
  | 'none'
  | 'short-length'
  | 'long-length'
  | 'bad-length'
  | 'two-lengths'
  | 'both'
  | 'cut-chunk'
  | 'bad-chunk';
export const framings: fc.Arbitrary<Framing> = fc.oneof(
  { weight: 6, arbitrary: fc.constant('length' as const) },
  { weight: 4, arbitrary: fc.constant('chunked' as const) },
  fc.constantFrom(
    'expect',
    'none',
    'short-length',
    'long-length',
    'bad-length',
    'two-lengths',
    'both',
    'cut-chunk',
    'bad-chunk',
  ),
);

export interface Framed {
  readonly headers: readonly Header[];
  readonly bytes: Buffer;
  /** The length of the body that the hook sees. */
  readonly length: number;
  readonly isWhole: boolean;
  readonly isWellFormed: boolean | undefined;
  readonly endsEarly: boolean;
}

export function frame(framing: Framing, body: Buffer): Framed {
  const { length } = body;
  const usual = { bytes: body, length, isWhole: true, isWellFormed: true, endsEarly: false };
  const length1 = (value: number | string): Header => ['Content-Length', String(value)];
  const chunked: Header = ['Transfer-Encoding', 'chunked'];
  switch (framing) {
    case 'length':
      return { ...usual, headers: [length1(length)] };
    case 'expect':
      return { ...usual, headers: [length1(length), ['Expect', '100-continue']] };
    case 'chunked':
      return { ...usual, headers: [chunked], bytes: chunksOf(body, '0\r\nX-Trailer: x\r\n\r\n') };
    case 'none':
      return { ...usual, headers: [], bytes: Buffer.alloc(0), length: 0, isWhole: false };
    case 'short-length':
      // The remaining bytes would be the next request; the connection ends before it.
      return { ...usual, headers: [length1(20)], length: 20, isWhole: false, isWellFormed: undefined };
    case 'long-length':
      return {
        ...usual,
        headers: [length1(length + 10)],
        length: length + 10,
        isWhole: false,
        endsEarly: true,
      };
    case 'bad-length':
      return { ...usual, headers: [length1('0x20')], isWellFormed: false };
    case 'two-lengths':
      return { ...usual, headers: [length1(length), length1(1)], isWellFormed: false };
    case 'both':
      return { ...usual, headers: [length1(length), chunked], isWellFormed: false };
    case 'cut-chunk':
      return { ...usual, headers: [chunked], bytes: chunksOf(body, ''), isWhole: false, endsEarly: true };
    case 'bad-chunk':
      return {
        ...usual,
        headers: [chunked],
        bytes: chunksOf(body, 'xyz\r\n'),
        isWhole: false,
        isWellFormed: undefined,
      };
  }
}

function chunksOf(body: Buffer, end: string): Buffer {
  const size = Math.max(1, Math.ceil(body.length / 5));
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const chunk = body.subarray(at, at + size);
    parts.push(Buffer.from(`${chunk.length.toString(16)};ext="x"\r\n`), chunk, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from(end)]);
}
