import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import querystring from 'node:querystring';
import { RequestError } from '../core/request-error.js';
import { parseJson } from '../core/json.js';

/** Reads request bodies within limits and writes answers, for the hook's routes and the console. */

/** Default limit of a body; hook calls and callbacks have a few KB. */
const MAX_BODY_BYTES = 64 * 1024;

/** An unread body is drained for this long, so that the caller can read the answer ... */
const LINGER_MS = 250;
/** ... and up to this many bytes. */
const LINGER_BYTES = 256 * 1024;

/**
 * Reads the body: a promise of its bytes, or the value that a body parser has left on the request.
 *
 * @throws RequestError `UNSUPPORTED_MEDIA_TYPE`, `PAYLOAD_TOO_LARGE`, `REQUEST_TIMEOUT`, `BODY_ALREADY_READ`.
 */
export function readBody(
  req: IncomingMessage,
  limits: {
    /**
     * The required media type; `undefined` for any. Not checked for a body that a parser has already read.
     */
    readonly type: string | undefined;
    readonly waitMs: number;
    readonly maxBytes?: number | undefined;
  },
): unknown {
  const { maxBytes = MAX_BODY_BYTES } = limits;
  // Express 4's `json()` sets an empty `body` on requests that it does not read, so the stream decides.
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
  // Its events have passed.
  if (req.destroyed) throw callerLeft();
  return collect(req, limits.waitMs, maxBytes);
}

function collect(req: IncomingMessage, waitMs: number, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    // Once set, the listeners stay and do nothing.
    let isSettled = false;
    const settle = (error: RequestError | undefined): void => {
      isSettled = true;
      clearTimeout(timer);
      if (error !== undefined) {
        reject(error);
        return;
      }
      resolve(joinChunks(chunks));
    };
    const onLost = (): void => {
      if (!isSettled) settle(callerLeft());
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

/** Fast path: most bodies are one chunk. */
export function joinChunks(chunks: readonly Buffer[]): Buffer {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}

function isTooLong(headers: IncomingHttpHeaders, maxBytes: number): boolean {
  return Number(headers['content-length'] ?? 0) > maxBytes;
}

function callerLeft(): RequestError {
  return new RequestError('REQUEST_TIMEOUT', 'The caller went away.');
}

function tooLarge(): RequestError {
  return new RequestError('PAYLOAD_TOO_LARGE', 'The body is larger than allowed.');
}

/** The error for any other method than these. */
export function methodNotAllowed(...methods: readonly string[]): RequestError {
  return new RequestError('METHOD_NOT_ALLOWED', `Only ${methods.join(' and ')} is answered here.`, {
    headers: { Allow: methods.join(', ') },
  });
}

/** The media type of JSON answers. */
const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * Answers in JSON, or without a body; does nothing after the first answer. A caller that still sends its body
 * is cut off shortly after.
 */
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
 * Answers with a text, or without a body; does nothing after the first answer. Middleware of the gateway may
 * wrap the response: headers are set as Express sets them, so that all of it sees them, and nothing depends
 * on the callback of `write`, which most wrappers drop.
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
    /** The media type of `text`. */
    readonly type: string;
    readonly text: string | undefined;
    readonly headers?: Readonly<Record<string, string>> | undefined;
  },
): void {
  if (res.headersSent || isCallerGone(res)) return;
  res.statusCode = status;
  // Without `no-transform`, compression middleware would buffer a written answer until the end.
  res.setHeader('Cache-Control', 'no-store, no-transform');
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (text !== undefined) {
    res.setHeader('Content-Type', type);
    res.setHeader('Content-Length', Buffer.byteLength(text));
  }
  // Node would keep the connection open and let the caller go on sending.
  if (hasUnreadBody(req)) closeConnection(res);
  if (!closesConnection(res)) {
    res.end(text);
    return;
  }
  // The answer is complete for the caller but not ended: Node destroys a closing connection as soon as its
  // answer has ended.
  if (text !== undefined) res.write(text);
  // A response that is queued behind another one on its connection has no socket yet. The connection must not
  // be cut off then.
  if (res.socket !== null) endClosing(req, res);
  else {
    res.once('socket', () => {
      endClosing(req, res);
    });
  }
}

/**
 * Whether the connection of an answer is lost. Its socket counts, too, because Node emits no `close` for an answer that is queued
 * behind another one on its connection.
 */
export function isCallerGone(res: ServerResponse): boolean {
  return res.destroyed || requestOf(res)?.socket?.destroyed === true;
}

/** Lets an answer that has not begun end its connection. HTTP/2 has no such header, and Node warns of it. */
export function closeConnection(res: ServerResponse): void {
  const isHttp2 = (requestOf(res)?.httpVersionMajor ?? 1) >= 2;
  if (!res.headersSent && !isHttp2) res.setHeader('Connection', 'close');
}

/** Serverless adapters may have no request on the response, and no socket on the request. */
function requestOf(
  res: ServerResponse,
): Partial<Pick<IncomingMessage, 'socket' | 'httpVersionMajor'>> | undefined {
  return res.req;
}

/** Whether an answer ends its connection. */
export function closesConnection(res: ServerResponse): boolean {
  return /\bclose\b/i.test(String(res.getHeader('Connection') ?? ''));
}

function hasUnreadBody(req: IncomingMessage): boolean {
  if (req.readableEnded) return false;
  const { headers } = req;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * Drains a little more of the body, then ends an answer and its connection: an immediate reset could overtake the answer.
 *
 * The answer ends in a turn of the event loop of its own. While Node parses pipelined requests, the end of a closing answer would
 * give the connection to a later request than the next one. If the caller then resets it, Node 20 and 22 end the process with
 * `ERR_INTERNAL_ASSERTION`.
 */
function endClosing(req: IncomingMessage, res: ServerResponse): void {
  let size = 0;
  let isEnding = false;
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    clearTimeout(timer);
    req.pause();
    setImmediate(() => {
      if (isCallerGone(res)) return;
      // Node closes the connection once the answer is out, unless something delays its end.
      timer = setTimeout(() => res.destroy(), LINGER_MS);
      res.end();
    });
  };
  let timer = setTimeout(end, LINGER_MS);
  res.once('close', () => {
    clearTimeout(timer);
  });
  if (!hasUnreadBody(req)) {
    end();
    return;
  }
  req.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > LINGER_BYTES) end();
  });
  // After an error no more of the body comes, and its connection is lost.
  req.on('end', end).on('error', end);
  req.resume();
}

/**
 * Requires this media type, UTF-8 and no content encoding.
 *
 * @throws RequestError `UNSUPPORTED_MEDIA_TYPE`
 */
export function requireType(headers: IncomingHttpHeaders, type: string): void {
  const { 'content-type': contentType = '', 'content-encoding': contentEncoding = 'identity' } = headers;
  // Fast path: exactly the required header.
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
 * Parses a JSON body; a value that a body parser has left is returned as it is.
 *
 * @throws RequestError `INVALID_REQUEST` if the body is not JSON.
 */
export function parseJsonBody(body: unknown): unknown {
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) return body;
  const value = parseJson(body.toString().replace(/^\uFEFF/, ''));
  if (value !== undefined) return value;
  throw new RequestError('INVALID_REQUEST', 'The body is not JSON.', { fields: ['body'] });
}

/** Parses the fields of a form, or takes them from a body parser's object. */
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
