import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { request as callUpstream } from 'undici';
import { nameOperation, nameRequest, type Finding } from './findings.js';
import type { Operation, SeenAnswer, SeenRequest, VendorDocument } from './prism.js';

/** One request with its answer and its operation. */
export interface Exchange {
  readonly document: VendorDocument;
  readonly operation: Operation;
  readonly request: SeenRequest;
  readonly answer: SeenAnswer;
}

/** The checked traffic of a proxy. */
export interface Examined {
  readonly findings: readonly Finding[];
  /** The exchanges with an operation in a document. */
  readonly exchanges: readonly Exchange[];
}

/** A server on the loopback interface that records requests and answers. */
export interface Proxy {
  readonly origin: string;
  /** Checks all exchanges since the last call, and forgets them. */
  examine(): Promise<Examined>;
  close(): Promise<void>;
}

/** The source of the answers. The proxy answers `undefined` with 501. */
export type Upstream = (request: SeenRequest) => Promise<SeenAnswer | undefined>;

/**
 * Starts a proxy in front of an upstream.
 *
 * @param isOutside - whether no document has an operation for a request.
 */
export async function startProxy(
  documents: readonly VendorDocument[],
  upstream: Upstream,
  isOutside: (request: SeenRequest) => boolean = () => false,
): Promise<Proxy> {
  const seen: { readonly request: SeenRequest; readonly answer: SeenAnswer }[] = [];
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const request = await readRequest(incoming);
      const answer = (await upstream(request)) ?? { status: 501, headers: {}, body: '' };
      if (!isOutside(request)) seen.push({ request, answer });
      const { 'transfer-encoding': _chunked, ...headers } = answer.headers;
      outgoing.writeHead(answer.status, {
        ...headers,
        'content-length': String(Buffer.byteLength(answer.body)),
      });
      outgoing.end(answer.body);
    })().catch(() => incoming.socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async examine() {
      const findings: Finding[] = [];
      const exchanges: Exchange[] = [];
      for (const { request, answer } of seen.splice(0)) {
        const examined = await examineExchange(documents, request, answer);
        findings.push(...examined.findings);
        exchanges.push(...examined.exchanges);
      }
      return { findings, exchanges };
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Checks one exchange with the document that has its operation. */
async function examineExchange(
  documents: readonly VendorDocument[],
  request: SeenRequest,
  answer: SeenAnswer,
): Promise<Examined> {
  let reason = 'No document has such an operation';
  for (const document of documents) {
    const { operation, problems } = await document.examine(request, answer);
    if (operation === undefined) {
      if (documents.length === 1) reason = problems[0] ?? reason;
      continue;
    }
    const findings = problems.map((what) => ({
      document: document.name,
      operation: nameOperation(operation),
      what: `${what} (answered with ${answer.status})`,
    }));
    return { findings, exchanges: [{ document, operation, request, answer }] };
  }
  const document = documents.map(({ name }) => name).join(', ');
  return { findings: [{ document, operation: nameRequest(request), what: reason }], exchanges: [] };
}

/** An upstream that is another server, e.g. an emulator. */
export function forwardTo(origin: string): Upstream {
  return async ({ method, path, query, headers, body }) => {
    const { host: _host, connection: _connection, ...kept } = headers;
    const search =
      query.length === 0 ? '' : `?${new URLSearchParams(query.map(([...pair]) => pair)).toString()}`;
    const answer = await callUpstream(origin + path + search, {
      // undici knows all methods of the documents.
      method: method as 'GET',
      headers: kept,
      body: body === '' ? null : body,
    });
    return {
      status: answer.statusCode,
      headers: oneEach(answer.headers),
      body: await answer.body.text(),
    };
  };
}

async function readRequest(incoming: IncomingMessage): Promise<SeenRequest> {
  const chunks: Buffer[] = [];
  const stream: AsyncIterable<Buffer> = incoming;
  for await (const chunk of stream) chunks.push(chunk);
  const url = new URL(incoming.url ?? '/', 'http://127.0.0.1');
  return {
    method: incoming.method ?? 'GET',
    path: url.pathname,
    query: [...url.searchParams],
    headers: oneEach(incoming.headers),
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

function oneEach(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
