import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a proxy answers itself. */
export interface ProxyPage {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** An HTTP proxy before one server, like the sidecar of a service mesh. */
export interface AnsweringProxy {
  readonly origin: string;
  /**
   * Its own answer to each request: `before` it reads the body and asks the server, or `after` the server has answered. Default:
   * the server's answer.
   */
  page: { readonly when: 'before' | 'after'; readonly page: ProxyPage } | undefined;
  close(): void;
}

export async function startAnsweringProxy(target: () => string): Promise<AnsweringProxy> {
  const send = (res: ServerResponse, { status, type, body, headers }: ProxyPage): void => {
    const length = { 'content-length': String(Buffer.byteLength(body)) };
    res.writeHead(status, { ...headers, 'content-type': type, ...length }).end(body);
  };
  const forward = (req: IncomingMessage, res: ServerResponse): void => {
    const { host: _host, ...headers } = req.headers;
    const asked = request(new URL(req.url ?? '/', target()), { method: req.method, headers }, (answer) => {
      const { page } = proxy;
      if (page === undefined) {
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(res);
      } else {
        answer.resume().once('end', () => {
          send(res, page.page);
        });
      }
    });
    asked.on('error', () => res.destroy());
    req.pipe(asked);
  };
  const server = createServer((req, res) => {
    if (proxy.page?.when === 'before') send(res, proxy.page.page);
    else forward(req, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: AnsweringProxy = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    page: undefined,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return proxy;
}
