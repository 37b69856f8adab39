import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import querystring from 'node:querystring';
import { RequestError } from '../core/errors.js';
import { parseJson } from '../core/json.js';

/**
 * One HTTP exchange with a caller: its body read within bounds, its answer given, its connection let go.
 *
 * Express gives each request and answer another prototype, after which V8 knows the shape of none of them: a look at one
 * costs as much as a digest, and is not taken twice.
 */

/** The largest body that is read where nothing else is said; a hook call and a callback are a few KB. */
const MAX_BODY_BYTES = 64 * 1024;

/** An unread body is taken for so long, so that the caller gets to see the answer ... */
const LINGER_MS = 250;
/** ... and at most so much of it, bytes. */
const LINGER_BYTES = 256 * 1024;

/**
 * The body's bytes, or a promise of them; or what another handler made of them.
 * @throws RequestError `UNSUPPORTED_MEDIA_TYPE`, `PAYLOAD_TOO_LARGE`, `REQUEST_TIMEOUT`, `BODY_ALREADY_READ`.
 */
export function readBody(
  req: IncomingMessage,
  limits: {
    /** The media type that it must have; `undefined` for any. A body that others have read is taken as it is. */
    readonly type: string | undefined;
    readonly waitMs: number;
    readonly maxBytes?: number | undefined;
  },
): unknown {
  const { maxBytes = MAX_BODY_BYTES } = limits;
  // Express 4's json() leaves an empty body beside a stream that it did not read: the stream decides.
  const isRead = req.readableDidRead || req.readableEnded;
  if (isRead) {
    const { body } = req as { body?: unknown };
    if (body !== undefined) {
      if (isTooLong(req.headers, maxBytes)) throw tooLarge();
      return body;
    }
    throw new RequestError(
      'BODY_ALREADY_READ',
      'The body was read before the hook: mount the hook ahead of what reads bodies.',
    );
  }
  const { headers } = req;
  if (limits.type !== undefined) requireType(headers, limits.type);
  if (isTooLong(headers, maxBytes)) throw tooLarge();
  return collect(req, limits.waitMs, maxBytes);
}

function collect(req: IncomingMessage, waitMs: number, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    // The listeners stay and do nothing any more once this is set: taking each off again costs more.
    let isSettled = false;
    const settle = (error: RequestError | undefined): void => {
      isSettled = true;
      clearTimeout(timer);
      if (error !== undefined) {
        reject(error);
        return;
      }
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
    };
    const onLost = (): void => {
      if (!isSettled) settle(new RequestError('REQUEST_TIMEOUT', 'The caller went away.'));
    };
    const timer = setTimeout(() => {
      settle(new RequestError('REQUEST_TIMEOUT', 'The body did not arrive in time.'));
    }, waitMs);
    req
      .on('data', (chunk: Buffer) => {
        if (isSettled) return;
        size += chunk.length;
        if (size > maxBytes) settle(tooLarge());
        else chunks.push(chunk);
      })
      .on('end', () => {
        if (!isSettled) settle(undefined);
      })
      .on('error', onLost)
      .on('close', onLost);
  });
}

function isTooLong(headers: IncomingHttpHeaders, maxBytes: number): boolean {
  return Number(headers['content-length'] ?? 0) > maxBytes;
}

function tooLarge(): RequestError {
  return new RequestError('PAYLOAD_TOO_LARGE', 'The body is larger than allowed.');
}

/**
 * A route by its work: what calls it waits for no promise, and takes no error for success.
 *
 * @param what - what failed, where that gives no error.
 */
export function routeOf(
  work: (req: IncomingMessage, res: ServerResponse) => Promise<void>,
  what: string,
): (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void {
  return (req, res, next) => {
    work(req, res).catch((error: unknown) => {
      next(error ?? new Error(`${what} failed without an error`));
    });
  };
}

/** The answer to every method but those of a route. */
export function onlyMethods(...methods: readonly string[]): RequestError {
  return new RequestError('METHOD_NOT_ALLOWED', `Only ${methods.join(' and ')} is answered here.`, {
    headers: { Allow: methods.join(', ') },
  });
}

/** The media type of an answer in JSON. */
export const JSON_TYPE = 'application/json; charset=utf-8';

/** Answers once, in JSON where there is a body; a caller that still writes is cut off shortly after. */
export function answer(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = body === undefined ? undefined : JSON.stringify(body);
  answerText(req, res, { status, type: JSON_TYPE, text, headers });
}

/**
 * Answers once with a text, where there is one. Middleware of the gateway may wrap the response: the head is set as Express
 * sets it, so that all of them see it, and nothing here depends on the callback of `write`, which most of them drop.
 */
export function answerText(
  req: IncomingMessage,
  res: ServerResponse,
  {
    status,
    type,
    text,
    headers = {},
  }: {
    readonly status: number;
    /** The media type. */
    readonly type: string;
    readonly text: string | undefined;
    readonly headers?: Readonly<Record<string, string>> | undefined;
  },
): void {
  if (res.headersSent || res.destroyed) return;
  res.statusCode = status;
  // Middleware that compresses answers keeps what is written until the end, unless it must not transform them.
  res.setHeader('Cache-Control', 'no-store, no-transform');
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (text !== undefined) {
    res.setHeader('Content-Type', type);
    res.setHeader('Content-Length', Buffer.byteLength(text));
  }
  // Node would keep the connection and let the caller go on writing.
  const isCutOff = hasUnreadBody(req);
  if (isCutOff) res.setHeader('Connection', 'close');
  if (!isCutOff || text === undefined) {
    res.end(text);
    return;
  }
  // Whole for the caller, but not ended: Node destroys a closing connection as soon as its answer has ended.
  res.write(text);
  // Behind another answer of the same connection it has no socket yet, and nothing may be cut off.
  if (res.socket !== null) linger(req, res);
  else {
    res.once('socket', () => {
      linger(req, res);
    });
  }
}

function hasUnreadBody(req: IncomingMessage): boolean {
  if (req.readableEnded) return false;
  const { headers } = req;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Takes a little more of the body, then closes: an instant reset could overtake the answer. */
function linger(req: IncomingMessage, res: ServerResponse): void {
  let size = 0;
  let isEnding = false;
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    clearTimeout(timer);
    req.pause();
    // Node closes the connection once the answer is out, unless something holds back its end.
    timer = setTimeout(() => res.destroy(), LINGER_MS);
    res.end();
  };
  let timer = setTimeout(end, LINGER_MS);
  res.once('close', () => {
    clearTimeout(timer);
  });
  req.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > LINGER_BYTES) end();
  });
  req.on('end', end).on('error', end);
  req.resume();
}

/**
 * No other type, no other charset than UTF-8, no encoding.
 * @throws RequestError `UNSUPPORTED_MEDIA_TYPE`
 */
export function requireType(headers: IncomingHttpHeaders, type: string): void {
  const { 'content-type': contentType = '', 'content-encoding': contentEncoding = 'identity' } = headers;
  // As nearly every caller has it.
  if (contentType === type && contentEncoding === 'identity') return;
  const [mediaType = '', ...parameters] = contentType.toLowerCase().split(';');
  const charset = parameters
    .map((parameter) => parameter.trim())
    .find((parameter) => parameter.startsWith('charset='));
  const isUtf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  const encoding = contentEncoding.trim().toLowerCase();
  if (mediaType.trim() !== type || !isUtf8 || encoding !== 'identity') {
    throw new RequestError('UNSUPPORTED_MEDIA_TYPE', `The body must be ${type} in UTF-8, not encoded.`);
  }
}

/**
 * What a JSON body says; one that another handler has parsed is taken as it is.
 * @throws RequestError `INVALID_REQUEST` if it is not JSON.
 */
export function parseJsonBody(body: unknown): unknown {
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) return body;
  const value = parseJson(body.toString().replace(/^\uFEFF/, ''));
  if (value !== undefined) return value;
  throw new RequestError('INVALID_REQUEST', 'The body is not JSON.', { fields: ['body'] });
}

/** The fields of a form; one that another handler has parsed is taken as it is. */
export function parseForm(body: unknown): Record<string, string | string[]> {
  const form: unknown =
    Buffer.isBuffer(body) || typeof body === 'string' ? querystring.parse(body.toString()) : body;
  const params: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(typeof form === 'object' && form !== null ? form : {})) {
    if (typeof value === 'string') params[name] = value;
    else if (Array.isArray(value)) params[name] = value.filter((item) => typeof item === 'string');
  }
  return params;
}
