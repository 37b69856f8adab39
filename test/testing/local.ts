import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';

/** What a test's own server was sent. */
export interface ReceivedRequest {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A test's own server: a hook, or the target of callbacks. */
export interface TestServer {
  readonly url: string;
  readonly received: readonly ReceivedRequest[];
  /** Resolves when so many requests have come. */
  waitFor(count: number): Promise<readonly ReceivedRequest[]>;
  close(): void;
}

/** Starts one on a free port; by default it answers 204. */
export async function startTestServer(
  answer: (response: ServerResponse, request: ReceivedRequest) => void = (response) => {
    response.writeHead(204).end();
  },
): Promise<TestServer> {
  const received: ReceivedRequest[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const entry = {
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      received.push(entry);
      answer(response, entry);
      for (const waiter of waiting) if (received.length >= waiter.count) waiter.resolve();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    received,
    waitFor: async (count) => {
      if (received.length < count) {
        await new Promise<void>((resolve) => waiting.push({ count, resolve }));
      }
      return received;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** An answer's JSON as an object. */
export async function jsonOf(response: Response): Promise<Record<string, unknown>> {
  const body: unknown = await response.json();
  if (typeof body !== 'object' || body === null) throw new Error('not an object');
  return { ...body };
}

/** Fails where a promise does not reject. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('It did not reject.');
}
