import fc from 'fast-check';
import { HOOK_SECRET } from '#harness/scene.js';
import { frame, framings, type Header } from './wire-framing.js';
import { inPieces } from './wire.js';
import { freshEventId, goodBody, type GoodBody } from './hook-bodies.js';

/** A request on the wire, and its expected result. */
export interface WireRequest {
  /** Bytes as latin1 text. */
  readonly pieces: readonly string[];
  /** The caller hangs up before the end of the announced body. */
  readonly endsEarly: boolean;
  readonly method: string;
  /** The path is the hook's, in any spelling. */
  readonly isForHook: boolean;
  /** Whether Node accepts it as a request; `undefined` if we do not define that. */
  readonly isWellFormed: boolean | undefined;
  /** The status of the hook's answer, if the request reaches the hook. */
  readonly status: number;
  readonly eventId: string;
  readonly good: GoodBody;
}

const MAX_BODY_BYTES = 64 * 1024;

const methods = fc.oneof(
  { weight: 8, arbitrary: fc.constant('POST') },
  fc.constantFrom(
    'GET',
    'HEAD',
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'PROPFIND',
    'SEARCH',
    'QUERY',
    'post',
    'P0ST',
  ),
);

const paths: fc.Arbitrary<readonly [path: string, isForHook: boolean]> = fc.oneof(
  { weight: 8, arbitrary: fc.constant(['/okta/telephony', true] as const) },
  fc.constantFrom(
    ['/okta/telephony/', true] as const,
    ['/OKTA/Telephony', true] as const,
    ['/okta/telephony?a=%00&__proto__[x]=1', true] as const,
    ['http://other.test/okta/telephony', true] as const,
    ['/okta/%74elephony', false] as const,
    ['/okta/telephony/../telephony', false] as const,
    ['/okta/telephony//', false] as const,
    ['/okta/telephony/%ff', false] as const,
    ['/okta/telephony/events/more', false] as const,
    ['/okta/telephony%00', false] as const,
    ['/', false] as const,
    ['*', false] as const,
  ),
);

/** Only a single header with the exact value verifies the caller. */
const proofs: fc.Arbitrary<readonly [headers: readonly Header[], isProven: boolean]> = fc.oneof(
  { weight: 8, arbitrary: fc.constant([[['Authorization', HOOK_SECRET]], true] as const) },
  fc.constantFrom(
    [[], false] as const,
    [[['aUTHORIZATION', `  ${HOOK_SECRET}\t`]], true] as const,
    [[['Authorization', HOOK_SECRET.toUpperCase()]], false] as const,
    [[['Authorization', HOOK_SECRET.slice(0, -1)]], false] as const,
    [[['Authorization', `${HOOK_SECRET} x`]], false] as const,
    [[['Authorization', `Bearer ${HOOK_SECRET}`]], false] as const,
    [[['Authorization', '']], false] as const,
    [[['X-Authorization', HOOK_SECRET]], false] as const,
    [
      [
        ['Authorization', HOOK_SECRET],
        ['Authorization', HOOK_SECRET],
      ],
      false,
    ] as const,
    [
      [
        ['Authorization', 'x'],
        ['authorization', HOOK_SECRET],
      ],
      false,
    ] as const,
    [
      [
        ['Authorization', HOOK_SECRET],
        ['Authorization', ''],
      ],
      false,
    ] as const,
  ),
  fc
    .string({ unit: 'binary-ascii', maxLength: 40 })
    .map((text) => [[['Authorization', text.replace(/[^\x20-\x7e]/g, '~')]], false] as const),
  fc
    .integer({ min: 2, max: 60 })
    .map((count) => [Array<Header>(count).fill(['Authorization', HOOK_SECRET]), false] as const),
);

const types: fc.Arbitrary<readonly [headers: readonly Header[], isJson: boolean]> = fc.oneof(
  { weight: 8, arbitrary: fc.constant([[['Content-Type', 'application/json']], true] as const) },
  fc.constantFrom(
    [[['content-type', 'Application/JSON ; charset=UTF-8']], true] as const,
    [[['content-type', 'application/json; charset="utf8"; x=y']], true] as const,
    [
      [
        ['content-type', 'application/json'],
        ['content-encoding', 'identity'],
      ],
      true,
    ] as const,
    [[], false] as const,
    [[['content-type', 'application/json; charset=latin1']], false] as const,
    [[['content-type', 'application/jsonp']], false] as const,
    [[['content-type', 'text/json, application/json']], false] as const,
    [[['content-type', 'application/x-www-form-urlencoded']], false] as const,
    [[['content-type', ';;;=']], false] as const,
    ...['gzip', 'br', 'deflate, identity', 'identity, gzip', ''].map(
      (encoding) =>
        [
          [
            ['content-type', 'application/json'],
            ['content-encoding', encoding],
          ],
          false,
        ] as const,
    ),
  ),
);

const extraHeaders: fc.Arbitrary<readonly Header[]> = fc.array(
  fc.oneof(
    fc.constantFrom<Header>(
      ['Host', 'other.test'],
      ['X-Forwarded-For', '127.0.0.1'],
      ['X-HTTP-Method-Override', 'GET'],
      ['__proto__', 'x'],
      ['constructor', 'x'],
      ['Cookie', 'a=b; __proto__=c'],
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
      ['Accept', 'text/html'],
      ['Accept-Encoding', 'gzip'],
      ['If-None-Match', '*'],
      ['Range', 'bytes=0-1'],
      ['Origin', 'null'],
    ),
    fc.tuple(fc.stringMatching(/^x-[a-z]{1,10}$/), fc.stringMatching(/^[ -~\x80-\xff]{0,80}$/)),
  ),
  { maxLength: 8 },
);

export const wireRequest: fc.Arbitrary<WireRequest> = fc
  .record({
    method: methods,
    path: paths,
    proof: proofs,
    type: types,
    extras: extraHeaders,
    framing: framings,
    good: goodBody,
    padTo: fc.oneof(
      { weight: 8, arbitrary: fc.constant(0) },
      fc.integer({ min: -2, max: 2 }).map((over) => MAX_BODY_BYTES + over),
      fc.constant(200_000),
    ),
    cuts: fc.array(fc.nat(), { maxLength: 6 }),
  })
  .map(({ method, path: [path, isForHook], proof, type, extras, framing, good, padTo, cuts }) => {
    const eventId = freshEventId();
    const json = Buffer.from(JSON.stringify({ ...good.body, eventId }));
    const body = Buffer.concat([json, Buffer.alloc(Math.max(0, padTo - json.length), ' ')]);
    const framed = frame(framing, body);
    const headers: readonly Header[] = [
      ['Host', 'gateway.test'],
      ...proof[0],
      ...type[0],
      ...extras,
      ...framed.headers,
      ['Connection', 'close'],
    ];
    const head = `${method} ${path} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
    const bytes = Buffer.concat([Buffer.from(head, 'latin1'), framed.bytes]);
    return {
      pieces: inPieces(bytes.toString('latin1'), cuts),
      endsEarly: framed.endsEarly,
      method,
      isForHook,
      isWellFormed: framed.isWellFormed,
      status: statusOf(method, proof[1], type[1], framed.length, framed.isWhole),
      eventId,
      good,
    };
  });

function statusOf(
  method: string,
  isProven: boolean,
  isJson: boolean,
  length: number,
  isWhole: boolean,
): number {
  if (method !== 'POST') return 405;
  if (!isProven) return 401;
  if (!isJson) return 415;
  if (length > MAX_BODY_BYTES) return 413;
  return isWhole ? 200 : 400;
}
