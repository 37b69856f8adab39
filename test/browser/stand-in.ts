import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { About, Health, MadePayload, TestResult } from '../../lib/console/api.js';
import { CONSOLE_PAGE } from '../../lib/console/page.js';
import type { Execution, ExecutionSummary } from '../../lib/delivery/history.js';
import { PAGE_HEADERS, readAssets } from '../../lib/page/assets.js';
import { ABOUT, plantHealth } from './planted.js';

/** A console's server whose every answer is a test's to say: for what a gateway would take a day to come to. */
export interface StandIn {
  readonly url: string;
  /** Newest first. */
  executions: readonly Execution[];
  health: Health;
  /** What the tester answers. */
  made: MadePayload;
  tested: TestResult | undefined;
  /** Paths and queries, as they came. */
  readonly asked: string[];
  /** Tells open pages of these, which are in the history from now on. */
  tell(...changed: readonly Execution[]): void;
  tellHealth(health: Health): void;
  /** Ends all connections, and answers none any more. */
  stop(): Promise<void>;
  /** At the same port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function startStandIn(
  given: {
    readonly executions?: readonly Execution[];
    readonly about?: About;
    readonly health?: Health;
  } = {},
): Promise<StandIn> {
  const assets = readAssets(['page/browser', 'console/browser']);
  const streams = new Set<ServerResponse>();
  let server: Server;

  const standIn: StandIn = {
    url: '',
    executions: given.executions ?? [],
    health: given.health ?? plantHealth(Date.now()),
    made: { payload: {}, notes: [] },
    tested: undefined,
    asked: [],
    tell: (...changed) => {
      const ids = new Set(changed.map(({ id }) => id));
      standIn.executions = [...changed, ...standIn.executions.filter(({ id }) => !ids.has(id))];
      send('executions', changed.map(summaryOf));
    },
    tellHealth: (health) => {
      standIn.health = health;
      send('health', health);
    },
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
    restart: async () => {
      server = await listen(Number(new URL(standIn.url).port));
    },
    close: async () => {
      if (server.listening) await standIn.stop();
    },
  };
  const send = (event: string, data: unknown): void => {
    for (const res of streams) res.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const answer = (req: IncomingMessage, res: ServerResponse): void => {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://stand.in');
    if (pathname.startsWith('/assets/')) {
      if (!assets.serve(pathname.slice('/assets/'.length), req, res)) res.writeHead(404).end();
      return;
    }
    standIn.asked.push(req.url ?? '/');
    if (pathname === '/api/stream') {
      res.writeHead(200, { ...PAGE_HEADERS, 'Content-Type': 'text/event-stream' });
      res.write('retry: 100\n\n');
      streams.add(res);
      res.once('close', () => streams.delete(res));
      return;
    }
    const json = jsonFor(pathname, searchParams, standIn, given.about ?? ABOUT);
    if (json === undefined) {
      res.writeHead(200, { ...PAGE_HEADERS, 'Content-Type': 'text/html' }).end(CONSOLE_PAGE);
    } else {
      res.writeHead(200, { ...PAGE_HEADERS, 'Content-Type': 'application/json' }).end(JSON.stringify(json));
    }
  };
  const listen = async (port: number): Promise<Server> => {
    const made = createServer(answer).listen(port, '127.0.0.1');
    await once(made, 'listening');
    return made;
  };
  server = await listen(0);
  const { port } = server.address() as AddressInfo;
  return Object.assign(standIn, { url: `http://127.0.0.1:${port}/` });
}

function jsonFor(path: string, query: URLSearchParams, standIn: StandIn, about: About): unknown {
  const { executions, health, made, tested } = standIn;
  switch (path) {
    case '/api/about':
      return about;
    case '/api/health':
      return health;
    case '/api/tester/payload':
      return made;
    case '/api/tester/send':
      return tested;
    case '/api/executions':
      return findPage(executions, query);
    default:
      return path.startsWith('/api/executions/')
        ? executions.find(({ id }) => id === decodeURIComponent(path.slice('/api/executions/'.length)))
        : undefined;
  }
}

function findPage(executions: readonly Execution[], query: URLSearchParams): unknown {
  const search = query.get('search')?.toLowerCase() ?? '';
  const [channel, outcome] = [query.get('channel'), query.get('outcome')];
  const fitting = executions.filter(
    (execution) =>
      [execution.id, execution.oktaRequestId, execution.userId, execution.code].some((text) =>
        (text ?? '').toLowerCase().includes(search),
      ) &&
      (channel === null || execution.channel === channel) &&
      (outcome === null || execution.outcome === outcome),
  );
  const start = fitting.findIndex(({ id }) => id === query.get('before')) + 1;
  const page = fitting.slice(start, start + Number(query.get('limit')));
  const isLast = start + page.length >= fitting.length;
  return {
    executions: page.map(summaryOf),
    total: fitting.length,
    next: isLast ? undefined : page.at(-1)?.id,
  };
}

function summaryOf({ steps, ...summary }: Execution): ExecutionSummary {
  return summary;
}
