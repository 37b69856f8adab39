import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { connect, Socket, type AddressInfo } from 'node:net';
import { constants, createGzip, gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { RequestHandler } from 'express';
import session from 'express-session';
import type sinon from 'sinon';
import { answer } from '#lib/http/exchange.js';
import { rawRequest } from '#harness/raw-http.js';
import { HOOK_SECRET, startScene, type Scene } from '#harness/scene.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';
import { witness } from '#harness/witness.js';

/** Middleware of the gateway before the hook that wraps every response. It loses the callbacks of `write` and `end`. */

type Chunk = string | Buffer | undefined;

/** Calls back as the head is written, as the package `on-headers` does. */
function onHead(res: ServerResponse, change: () => void): void {
  const writeHead = res.writeHead.bind(res);
  let isChanged = false;
  res.writeHead = (status: number, ...rest: unknown[]) => {
    const headers = rest.find((value) => typeof value === 'object') as Record<string, string> | undefined;
    for (const [name, value] of Object.entries(headers ?? {})) res.setHeader(name, value);
    if (!isChanged) change();
    isChanged = true;
    return writeHead(status);
  };
}

/** As the package `compression` with `threshold: 0`. */
const compresses =
  (isObedient: boolean): RequestHandler =>
  (_req, res, next) => {
    const write = res.write.bind(res) as (chunk: Chunk) => boolean;
    const end = res.end.bind(res) as (chunk?: Chunk) => unknown;
    let gzip: ReturnType<typeof createGzip> | undefined;
    const begin = (): void => {
      if (!res.headersSent) res.writeHead(res.statusCode);
    };
    onHead(res, () => {
      if (isObedient && String(res.getHeader('Cache-Control')).includes('no-transform')) return;
      res.setHeader('Content-Encoding', 'gzip');
      res.removeHeader('Content-Length');
      gzip = createGzip({ flush: constants.Z_NO_FLUSH });
      gzip.on('data', (chunk: Buffer) => {
        if (!write(chunk)) gzip?.pause();
      });
      gzip.on('end', () => end());
      on('drain', () => gzip?.resume());
    });
    const on = res.on.bind(res) as (event: string, listener: () => void) => unknown;
    res.on = ((event: string, listener: () => void) => {
      if (gzip !== undefined && event === 'drain') gzip.on(event, listener);
      else on(event, listener);
      return res;
    }) as typeof res.on;
    res.write = (chunk: Chunk) => {
      begin();
      return gzip === undefined ? write(chunk) : gzip.write(chunk);
    };
    res.end = ((chunk?: Chunk) => {
      begin();
      if (gzip === undefined) end(chunk);
      else gzip.end(chunk);
      return res;
    }) as typeof res.end;
    next();
  };

/** Writes the whole body at its end, as middleware that computes a digest does. */
const buffers: RequestHandler = (_req, res, next) => {
  const chunks: Buffer[] = [];
  const end = res.end.bind(res) as (chunk?: Chunk) => unknown;
  const keep = (chunk: Chunk): void => {
    if (chunk !== undefined) chunks.push(Buffer.from(chunk));
  };
  res.write = (chunk: Chunk) => {
    keep(chunk);
    return true;
  };
  res.end = ((chunk?: Chunk) => {
    keep(chunk);
    setImmediate(() => end(Buffer.concat(chunks)));
    return res;
  }) as typeof res.end;
  next();
};

/** Holds back only the end: for a moment, as a session store does, or for ever if the store hangs. */
const holdsEnd =
  (isForEver: boolean): RequestHandler =>
  (_req, res, next) => {
    const write = res.write.bind(res) as (chunk: Chunk) => boolean;
    const end = res.end.bind(res) as () => unknown;
    res.write = (chunk: Chunk) => write(chunk);
    res.end = ((chunk?: Chunk) => {
      if (chunk !== undefined) write(chunk);
      if (!isForEver) setImmediate(end);
      return res;
    }) as typeof res.end;
    next();
  };

const WRAPPERS: Readonly<Record<string, RequestHandler>> = {
  'compresses answers': compresses(true),
  'compresses all answers, also those that must not be transformed': compresses(false),
  'holds a body back until its end': buffers,
  'holds the end back for a moment': holdsEnd(false),
  'holds the end back for ever': holdsEnd(true),
  'saves a session first': session({
    secret: 'a-secret-of-sessions',
    resave: true,
    saveUninitialized: true,
  }),
};

const HOOK = '/okta/telephony';
const CONSOLE = '/admin/telephony';
const PROOF = ['Authorization', HOOK_SECRET] as const;
const JSON_TYPE = ['Content-Type', 'application/json'] as const;

/** Requests that the hook answers before it reads their body. */
const REFUSED: readonly (readonly [
  status: number,
  path: string,
  ...headers: (readonly [string, string])[],
])[] = [
  [401, HOOK, JSON_TYPE],
  [415, HOOK, PROOF, ['Content-Type', 'text/plain']],
  [405, CONSOLE + '/api/about'],
  [403, `${CONSOLE}/api/tester/send`, JSON_TYPE],
  [403, `${HOOK}/twilio/status`, ['Content-Type', 'application/x-www-form-urlencoded']],
  [403, `${HOOK}/twilio/inbound`, ['Content-Type', 'application/x-www-form-urlencoded']],
  [401, `${HOOK}/events`, JSON_TYPE],
];
const LENGTH = ['Content-Length', '60000'] as const;
const TOO_LONG = ['Content-Length', '100000'] as const;
const CHUNKED = ['Transfer-Encoding', 'chunked'] as const;

/** A connection, with the one answer that it gets. */
interface Caller {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  /** What has come, as text. */
  readonly text: () => string;
  /** The answer, once the connection is closed. */
  answer(): { readonly status: number; readonly head: string; readonly body: string };
}

describe('answers in a gateway', () => {
  let scene: Scene;
  let clock: sinon.SinonFakeTimers | undefined;
  let sockets: Socket[] = [];
  before(warmUp);
  afterEach(async () => {
    clock?.restore();
    clock = undefined;
    for (const socket of sockets) socket.destroy();
    sockets = [];
    await scene.close();
  });

  const start = async (wrapper: RequestHandler): Promise<void> => {
    scene = await startScene({
      hook: ({ origin }) => ({ publicUrl: origin + HOOK }),
      mount: (app, hook) => {
        app.get('/settled', (_req, res) => {
          res.end();
        });
        app.use(wrapper, hook);
        app.use(CONSOLE, hook.console({ authorize: () => true }));
      },
    });
    clock = stopTime();
  };

  const call = async (text: string): Promise<Caller> => {
    const socket = connect((scene.server.address() as AddressInfo).port, '127.0.0.1');
    sockets.push(socket);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await once(socket, 'connect');
    socket.write(text);
    const all = (): string => Buffer.concat(chunks).toString('latin1');
    return { socket, closed, text: all, answer: () => readAnswer(all()) };
  };

  /** Makes a whole exchange, after which the gateway has done all that was due before. */
  const settled = async (): Promise<void> => {
    const { text } = await call(rawRequest('/settled', [], '', 'GET'));
    await until(() => text().includes('\r\n\r\n'));
  };

  const expectEnd = async (status: number, caller: Caller, what: string): Promise<void> => {
    await settled();
    clock?.tick(250);
    await settled();
    // If middleware holds the end back, the hook cuts the connection off after this time.
    if (!caller.socket.closed && caller.text().endsWith('}')) clock?.tick(250);
    await caller.closed;
    const { body, ...given } = caller.answer();
    witness(body);
    expect(given.status, what).to.equal(status);
    expect(given.head.toLowerCase(), what)
      .to.include('cache-control: no-store, no-transform')
      .and.include('connection: close');
    expect(JSON.parse(body), what).to.have.property('error');
  };

  for (const [what, wrapper] of Object.entries(WRAPPERS)) {
    for (const version of ['1.1', '1.0']) {
      it(`end, and so does the connection, if middleware ${what}, by HTTP/${version}`, async () => {
        await start(wrapper);
        const ask = async (path: string, headers: Parameters<typeof rawRequest>[1]): Promise<Caller> =>
          call(rawRequest(path, headers, '{"a":1').replace('HTTP/1.1', `HTTP/${version}`));
        // The version decides nothing but how an answer ends.
        const refused = version === '1.1' ? REFUSED : REFUSED.slice(0, 1);
        for (const [status, path, ...headers] of refused) {
          await expectEnd(status, await ask(path, [...headers, LENGTH]), `${status} ${path}`);
        }
        await expectEnd(413, await ask(HOOK, [PROOF, JSON_TYPE, TOO_LONG]), '413');
        await scene.hook.close();
        await expectEnd(503, await ask(`${HOOK}/events`, [PROOF, JSON_TYPE, LENGTH]), '503');
      });
    }

    it(`end as soon as the body ends if middleware ${what}`, async () => {
      await start(wrapper);
      for (const [lengths, body] of [
        [['Content-Length', '2'], '{}'],
        [CHUNKED, '2\r\n{}\r\n0\r\n\r\n'],
      ] as const) {
        const caller = await call(rawRequest(HOOK, [JSON_TYPE, lengths]));
        await settled();
        caller.socket.write(body);
        await settled();
        if (wrapper === WRAPPERS['holds the end back for ever']) clock?.tick(250);
        await caller.closed;
        expect(caller.answer().status).to.equal(401);
      }
    });

    it(`end while an unverified caller writes without end if middleware ${what}`, async () => {
      await start(wrapper);
      const caller = await call(rawRequest(HOOK, [JSON_TYPE, ['Content-Length', '1000000000']]));
      const { socket } = caller;
      let written = 0;
      while (socket.writable) {
        const chunk = Buffer.alloc(16 * 1024, 'a');
        const isTaken = socket.write(chunk);
        written += chunk.length;
        await new Promise((resolve) => setImmediate(resolve));
        if (isTaken) continue;
        // The hook reads no more. If middleware holds the end back, the hook cuts the connection off.
        await settled();
        if (written > 2 * 1024 * 1024) clock?.tick(250);
      }
      await caller.closed;
      // Some of it only reached the buffers of both sides.
      expect(written).to.be.below(16 * 1024 * 1024);
    });
  }

  it('are complete if the request has no connection, as in adapters of serverless platforms', async () => {
    await start((_req, _res, next) => {
      next();
    });
    const written: string[] = [];
    const wire = Object.assign(new Socket(), {
      write: (chunk: unknown) => {
        written.push(String(chunk));
        return true;
      },
    });
    // The socket of this request is a plain object, which the hook must not use.
    const req = new IncomingMessage({} as Socket);
    Object.assign(req, { method: 'POST', url: HOOK, headers: { 'content-length': '2' } });
    req.push('{}');
    req.push(null);
    const res = new ServerResponse(req);
    res.assignSocket(wire);
    answer(req, res, 401, { error: {} });
    await until(() => res.writableEnded);
    expect(written.join('')).to.match(/\r\n\r\n\{"error":\{\}\}$/);
  });
});

function readAnswer(text: string): ReturnType<Caller['answer']> {
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end);
  let body = Buffer.from(text.slice(end + 4), 'latin1');
  if (/^transfer-encoding: chunked/im.test(head)) body = fromChunks(body);
  if (/^content-encoding: gzip/im.test(head)) body = gunzipSync(body);
  return { status: Number(head.split(' ')[1]), head, body: body.toString() };
}

/** The last chunk must be there: it marks the answer as complete. */
function fromChunks(body: Buffer): Buffer<ArrayBuffer> {
  const parts: Buffer[] = [];
  let rest = body;
  for (;;) {
    const line = rest.indexOf('\r\n');
    const length = parseInt(rest.subarray(0, line).toString(), 16);
    if (!(length >= 0)) throw new Error('an answer in chunks did not end');
    if (length === 0) return Buffer.concat(parts);
    parts.push(rest.subarray(line + 2, line + 2 + length));
    rest = rest.subarray(line + 4 + length);
  }
}
