import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RecordedRequest } from './faults.js';

/** The largest request body that an emulator reads. */
const MAX_BODY_BYTES = 1024 * 1024;

/** An answer that is ready to be written. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body: string;
  /** What the request brings about; not called where a fault says that it had no effect. */
  readonly commit?: (() => void) | undefined;
}

/** A request with its way back. */
export interface Exchange {
  /** The request; its body is empty until `readBody` was called. */
  readonly head: RecordedRequest;
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** Reads the body. Resolves to `undefined` when the caller went away or sent too much. */
  readBody(): Promise<RecordedRequest | undefined>;
}

/** An HTTP server on the loopback interface that ends at once, with everything that hangs on it. */
export interface LoopbackServer {
  /** E.g. `http://127.0.0.1:49152`. */
  readonly origin: string;
  /** Runs something later, unless the server is closed by then. Returns what cancels it. */
  later(delayMs: number, run: () => void): () => void;
  /** Destroys every connection and timer, and frees the port. */
  close(): Promise<void>;
}

/** Starts a server; `serve` must not throw. */
export async function startLoopbackServer(
  port: number,
  clock: () => number,
  serve: (exchange: Exchange) => void | Promise<void>,
): Promise<LoopbackServer> {
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    // A caller that hangs up is nothing to complain about.
    response.on('error', () => undefined);
    response.setHeader('date', new Date(clock()).toUTCString());
    void serve(exchangeOf(request, response, clock));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server listens on no port.');

  let closing: Promise<void> | undefined;
  return {
    origin: `http://127.0.0.1:${address.port}`,
    later(delayMs, run) {
      if (closing !== undefined) return () => undefined;
      const timer = setTimeout(() => {
        timers.delete(timer);
        run();
      }, delayMs);
      timers.add(timer);
      return () => {
        clearTimeout(timer);
        timers.delete(timer);
      };
    },
    close() {
      closing ??= new Promise((resolve) => {
        for (const timer of timers) clearTimeout(timer);
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      });
      return closing;
    },
  };
}

/** Writes a whole answer. */
export function sendReply(response: ServerResponse, reply: Reply): void {
  if (response.destroyed) return;
  const body = Buffer.from(reply.body);
  response.writeHead(reply.status, {
    'content-type': 'application/json;charset=utf-8',
    ...reply.headers,
    'content-length': String(body.length),
  });
  response.end(body);
}

/** An answer in JSON. */
export function jsonReply(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return { status, headers, body: JSON.stringify(body) };
}

function exchangeOf(request: IncomingMessage, response: ServerResponse, clock: () => number): Exchange {
  const head: RecordedRequest = {
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers: request.headers,
    body: '',
    at: clock(),
  };
  return {
    head,
    response,
    socket: request.socket,
    readBody: async () => {
      const body = await readText(request);
      if (body === undefined) return undefined;
      const isForm = /^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '');
      return isForm ? { ...head, body, form: readForm(body) } : { ...head, body };
    },
  };
}

async function readText(request: IncomingMessage): Promise<string | undefined> {
  const stream: AsyncIterable<Buffer> = request;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) {
        request.destroy();
        return undefined;
      }
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readForm(body: string): Record<string, string | string[]> {
  const fields = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(body)) {
    const known = fields.get(name);
    if (known === undefined) fields.set(name, value);
    else fields.set(name, [...(typeof known === 'string' ? [known] : known), value]);
  }
  return Object.fromEntries(fields);
}
