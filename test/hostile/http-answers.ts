import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { RawAnswer } from './raw-vendor.js';

/** An answer on the wire, and its meaning in HTTP, which follows from how we made it and not from a parser. */
export interface HttpAnswer {
  readonly raw: RawAnswer;
  readonly status: number;
  /** `undefined` if parsers may differ on whether it is complete. */
  readonly isComplete: boolean | undefined;
  /** The body of a complete answer, without decoding. */
  readonly body: string;
}

/** Words that a vendor may write anywhere, and that the hook must not pass on. */
export const VENDOR_WORDS = 'vendors-own-words';

const MAX_ANSWER_BYTES = 256 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;

type Framing =
  | 'length'
  | 'chunked'
  | 'to-end'
  | 'cut'
  | 'cut-chunk'
  | 'bad-chunk'
  | 'reset'
  | 'too-short'
  | 'two-lengths'
  | 'head-only'
  | 'garbage'
  | 'nothing';

const framings: fc.Arbitrary<Framing> = fc.oneof(
  { weight: 8, arbitrary: fc.constant('length' as const) },
  { weight: 4, arbitrary: fc.constantFrom('chunked' as const, 'to-end' as const) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'cut' as const,
      'cut-chunk' as const,
      'bad-chunk' as const,
      'reset' as const,
      'too-short' as const,
      'two-lengths' as const,
      'head-only' as const,
      'garbage' as const,
      'nothing' as const,
    ),
  },
);

const anyStatus: fc.Arbitrary<number> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(200, 201, 202, 204) },
  { weight: 3, arbitrary: fc.constantFrom(300, 301, 302, 304, 307, 400, 401, 403, 404, 408, 409, 429, 451) },
  { weight: 2, arbitrary: fc.constantFrom(500, 501, 502, 503, 504, 507, 599) },
  fc.integer({ min: 200, max: 599 }),
  fc.integer({ min: 600, max: 999 }),
);

type Extra = { readonly text: string; readonly isAllowed: boolean };
const legal = (text: string): Extra => ({ text, isAllowed: true });

const extras: fc.Arbitrary<readonly Extra[]> = fc.array(
  fc.oneof(
    fc.constantFrom(
      legal('Content-Type: application/json'),
      legal('Content-Type: text/html'),
      legal('Content-Encoding: gzip'),
      legal('Retry-After: 999999999999'),
      legal('Retry-After: never'),
      legal('Set-Cookie: a=b'),
      legal('Set-Cookie: __proto__=c'),
      legal('Location: /elsewhere'),
      legal(`X-Note: ${VENDOR_WORDS}`),
      legal('__proto__: x'),
      legal('constructor: x'),
      legal('X-Empty:'),
      legal('X-Latin: \xfc\xff'),
      legal('Date: Thu, 01 Jan 1970 00:00:00 GMT'),
      legal('X-Rate-Limit-Limit: 600'),
      legal('X-Rate-Limit-Remaining: 0'),
      legal('X-Rate-Limit-Remaining: NaN'),
      legal('X-Rate-Limit-Reset: 99999999999999999999'),
      legal('DPoP-Nonce: n'),
      legal('WWW-Authenticate: DPoP error="use_dpop_nonce"'),
      { text: 'no colon', isAllowed: false },
      { text: 'X-Null: a\0b', isAllowed: false },
      { text: ': no name', isAllowed: false },
    ),
    fc.integer({ min: 1, max: 40_000 }).map((length) => legal(`X-Long: ${'h'.repeat(length)}`)),
    fc
      .integer({ min: 2, max: 300 })
      .map((count) => legal(Array<string>(count).fill('X-Many: 1').join('\r\n'))),
  ),
  { maxLength: 5 },
);

const INFORMATIONAL = [
  'HTTP/1.1 102 Processing\r\n\r\n',
  `HTTP/1.1 103 Early Hints\r\nLink: <${VENDOR_WORDS}>\r\n\r\n`,
];

/** Any answer around the given bodies. */
export function httpAnswer(bodies: fc.Arbitrary<string>, statuses = anyStatus): fc.Arbitrary<HttpAnswer> {
  return fc
    .record({
      status: statuses,
      body: bodies,
      framing: framings,
      extras: fc.oneof({ weight: 2, arbitrary: fc.constant<readonly Extra[]>([]) }, extras),
      isZipped: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
      reason: fc.constantFrom('OK', '', VENDOR_WORDS, '\xe9'),
      before: fc.oneof(
        { weight: 6, arbitrary: fc.constant<readonly string[]>([]) },
        fc.array(fc.constantFrom(...INFORMATIONAL), { maxLength: 3 }),
      ),
      junk: fc.uint8Array({ minLength: 1, maxLength: 300 }),
      cuts: fc.array(fc.nat(), { maxLength: 4 }),
    })
    .map((parts) => {
      const { status, framing, isZipped, before } = parts;
      const body = isZipped ? gzipSync(parts.body) : Buffer.from(parts.body);
      const headers = [
        ...parts.extras.map(({ text }) => text),
        ...(isZipped ? ['Content-Encoding: gzip'] : []),
      ];
      const { lines, bytes, seen, isWhole, then } = framed(framing, body);
      const head = [`HTTP/1.1 ${status} ${parts.reason}`, ...headers, ...lines, '', ''].join('\r\n');
      const junk = Buffer.from(parts.junk);
      const text =
        framing === 'garbage'
          ? junk
          : framing === 'nothing'
            ? Buffer.alloc(0)
            : framing === 'head-only'
              ? Buffer.from(head.slice(0, -4), 'latin1')
              : Buffer.concat([Buffer.from(before.join('') + head, 'latin1'), bytes]);
      // 204 and 304 have no body, even if the headers announce one.
      const hasNoBody = status === 204 || status === 304;
      const isTooLarge = seen.length > MAX_ANSWER_BYTES && !hasNoBody;
      const isAllowed = parts.extras.every((extra) => extra.isAllowed);
      // undici counts the size of the header in its own way: near the limit the result is open.
      const isNearBound = Math.abs(head.length - MAX_HEADER_BYTES) < 2048;
      const isHeadTooLarge = head.length > MAX_HEADER_BYTES;
      return {
        raw: { pieces: inPieces(text.toString('latin1'), parts.cuts), then },
        status,
        isComplete: isCompleteOf({
          isWhole,
          framing,
          hasNoBody,
          isBroken: !isAllowed || (isHeadTooLarge && !isNearBound) || isTooLarge,
          isNearBound,
          isBodyAnnounced: bytes.length > 0 || framing === 'cut' || framing === 'reset',
        }),
        body: hasNoBody ? '' : seen.toString('utf8'),
      };
    });
}

function isCompleteOf(facts: {
  readonly isWhole: boolean | undefined;
  readonly framing: Framing;
  readonly hasNoBody: boolean;
  readonly isBroken: boolean;
  readonly isNearBound: boolean;
  /** The head announces a body, or bytes follow it. After 204 or 304 undici takes that for a broken answer. */
  readonly isBodyAnnounced: boolean;
}): boolean | undefined {
  const { isWhole, framing, hasNoBody, isBroken, isNearBound, isBodyAnnounced } = facts;
  if (isBroken) return false;
  const endsWithHead = hasNoBody && !['head-only', 'garbage', 'nothing'].includes(framing);
  if (isWhole === false && !endsWithHead) return false;
  // A reset may arrive before earlier bytes.
  const isDisputed = isWhole === undefined || framing === 'reset' || (hasNoBody && isBodyAnnounced);
  return isDisputed || isNearBound ? undefined : true;
}

interface Framed {
  readonly lines: readonly string[];
  readonly bytes: Buffer;
  /** The part of the body that a caller gets. */
  readonly seen: Buffer;
  readonly isWhole: boolean | undefined;
  readonly then: RawAnswer['then'];
}

function framed(framing: Framing, body: Buffer): Framed {
  const half = body.subarray(0, body.length >> 1);
  const whole: Framed = { lines: [], bytes: body, seen: body, isWhole: true, then: 'keep' };
  switch (framing) {
    case 'length':
      return { ...whole, lines: [`Content-Length: ${body.length}`] };
    case 'chunked':
      return { ...whole, lines: ['Transfer-Encoding: chunked'], bytes: chunks(body, '0\r\n\r\n') };
    case 'to-end':
      return { ...whole, lines: ['Connection: close'], then: 'end' };
    case 'cut':
      return { ...whole, lines: [`Content-Length: ${body.length + 7}`], isWhole: false, then: 'end' };
    case 'cut-chunk':
      return {
        ...whole,
        lines: ['Transfer-Encoding: chunked'],
        bytes: chunks(body, ''),
        isWhole: false,
        then: 'end',
      };
    case 'bad-chunk':
      return {
        ...whole,
        lines: ['Transfer-Encoding: chunked'],
        bytes: chunks(body, 'zz\r\n'),
        isWhole: false,
        then: 'end',
      };
    case 'reset':
      return { ...whole, lines: [`Content-Length: ${body.length + 7}`], isWhole: false, then: 'reset' };
    case 'too-short':
      // The rest is in the place of the next answer.
      return {
        ...whole,
        lines: [`Content-Length: ${half.length}`],
        seen: half,
        isWhole: undefined,
        then: 'end',
      };
    case 'two-lengths':
      return {
        ...whole,
        lines: [`Content-Length: ${body.length}`, 'Content-Length: 1'],
        isWhole: undefined,
        then: 'end',
      };
    case 'head-only':
    case 'garbage':
    case 'nothing':
      return { ...whole, isWhole: false, then: 'end' };
  }
}

function chunks(body: Buffer, end: string): Buffer {
  const parts =
    body.length === 0 ? [] : [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')];
  return Buffer.concat([...parts, Buffer.from(end)]);
}

/** Cuts a text at these places. */
function inPieces(text: string, cuts: readonly number[]): string[] {
  if (text === '') return [];
  const places = [...new Set(cuts.map((cut) => cut % text.length))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => text.slice(from, places[index])).filter((piece) => piece !== '');
}
