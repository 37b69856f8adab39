import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { About, Health, MadePayload, StreamEvent, TestResult } from '#lib/console/api.js';
import type { LearnOverview } from '#lib/guard/learning-guard.js';
import { OktaApiError } from '#lib/core/errors.js';
import { createConsoleServer } from '#lib/console/server.js';
import type {
  Execution,
  ExecutionFilter,
  ExecutionQuery,
  ExecutionSummary,
  History,
} from '#lib/console/history/answers.js';
import { flowPointOf, sumFlow } from '#lib/console/history/flow.js';
import { bucketsOf, pointOf } from '#lib/console/history/timeline.js';
import { ABOUT, plantHealth, plantLearning } from './planted.js';
import { freePort } from '#harness/free-port.js';

/** A console server whose answers the test sets, for states that a gateway would take a day to reach. */
export interface StandIn {
  readonly url: string;
  /** Newest first. */
  executions: readonly Execution[];
  health: Health;
  learning: LearnOverview;
  /** Since when the timeline is complete. */
  historyBeganAt: number;
  /** The answers of the tester. */
  made: MadePayload;
  tested: TestResult | undefined;
  /** The ids of the users at Okta, by login. */
  readonly users: Record<string, string>;
  /** Whether the server accepts callers as administrators. */
  isLoggedIn: boolean;
  /** A finished list waits for this before the server sends it. Default: no wait. */
  answerLists: Promise<void>;
  /** Whether lists fail. */
  isListBroken: boolean;
  /** The same for the health. */
  answerHealth: Promise<void>;
  /** Paths with queries, in the order of the requests. */
  readonly requests: string[];
  /** Adds these to the history, and sends them to open pages. */
  pushExecutions(...changed: readonly Execution[]): void;
  pushHealth(health: Health): void;
  /** The number of open streams. */
  listeners(): number;
  /** Ends the streams, as the server does once a minute. */
  endStreams(): void;
  /** Sends open pages the logout, and ends their streams. */
  endLoggedOut(): void;
  /** Closes the server and all connections. */
  stop(): Promise<void>;
  /** Listens at the same port again. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

interface Given {
  readonly executions?: readonly Execution[];
  readonly about?: About;
  readonly health?: Health;
}

export async function startStandIn(given: Given = {}): Promise<StandIn> {
  const streams = new Set<ServerResponse>();
  const failures: unknown[] = [];
  let server: Server;

  const send = ({ event, data }: StreamEvent): void => {
    for (const res of streams) res.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const standIn: StandIn = {
    url: '',
    executions: given.executions ?? [],
    health: given.health ?? plantHealth(Date.now()),
    learning: plantLearning(Date.now()),
    historyBeganAt: 0,
    made: { payload: {}, notes: [] },
    tested: undefined,
    users: {},
    isLoggedIn: true,
    answerLists: Promise.resolve(),
    isListBroken: false,
    answerHealth: Promise.resolve(),
    requests: [],
    pushExecutions: (...changed) => {
      const ids = new Set(changed.map(({ id }) => id));
      standIn.executions = [...changed, ...standIn.executions.filter(({ id }) => !ids.has(id))].sort(
        (one, other) => other.startedAt - one.startedAt,
      );
      send({ event: 'executions', data: changed.map(summaryOf) });
    },
    pushHealth: (health) => {
      standIn.health = health;
      send({ event: 'health', data: health });
    },
    listeners: () => streams.size,
    endStreams: () => {
      for (const res of streams) res.end();
    },
    endLoggedOut: () => {
      standIn.isLoggedIn = false;
      send({ event: 'ended', data: null });
      standIn.endStreams();
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
      if (failures.length > 0) throw new Error('the console failed', { cause: failures[0] });
    },
  };
  const serve = createConsoleServer({
    authorize: () => standIn.isLoggedIn,
    history: historyOf(standIn),
    streams: {
      open: (res) => {
        res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('retry: 50\n\n');
        streams.add(res);
        res.once('close', () => streams.delete(res));
      },
      end: () => undefined,
      close: () => undefined,
    },
    about: () => given.about ?? ABOUT,
    health: async () => {
      const made = standIn.health;
      await standIn.answerHealth;
      return made;
    },
    learning: () => Promise.resolve(standIn.learning),
    lift: ({ country }) => {
      standIn.learning = {
        ...standIn.learning,
        countries: standIn.learning.countries.map((each) =>
          each.country === country ? { ...each, liftedUntilMs: Date.now() + 3_600_000 } : each,
        ),
      };
      return Promise.resolve(standIn.learning);
    },
    makePayload: () => Promise.resolve(standIn.made),
    sendPayload: () =>
      standIn.tested === undefined
        ? Promise.reject(new Error('the test said nothing'))
        : Promise.resolve(standIn.tested),
    findUser: ({ user }) =>
      user in standIn.users
        ? Promise.resolve({ id: standIn.users[user] ?? '' })
        : Promise.reject(new OktaApiError('OKTA_NOT_FOUND', 'No such user')),
    onAuthorizeFailed: (error) => failures.push(error),
    onFailed: (error) => {
      if (!standIn.isListBroken) failures.push(error);
    },
  });
  const listen = async (port: number): Promise<Server> => {
    const made = createServer((req, res) => {
      standIn.requests.push(req.url ?? '/');
      void serve(req, res);
    }).listen(port, '127.0.0.1');
    await once(made, 'listening');
    return made;
  };
  // restart() needs the same port.
  server = await listen(await freePort());
  const { port } = server.address() as AddressInfo;
  return Object.assign(standIn, { url: `http://127.0.0.1:${port}/` });
}

function historyOf(standIn: StandIn): History {
  return {
    isShared: false,
    find: async (query) => {
      const made = findPage(standIn, query);
      await standIn.answerLists;
      if (standIn.isListBroken) throw new Error('the list said nothing');
      return made;
    },
    open: (id) => Promise.resolve(standIn.executions.find((execution) => execution.id === id)),
    tally: () => Promise.resolve(standIn.health.deliveries),
    timeline: (spans, query = {}) => {
      const points = standIn.executions
        .filter((each) => fits(each, query))
        .map((each) => pointOf(each.steps, each));
      return Promise.resolve({
        completeSince: standIn.historyBeganAt,
        spans: spans.map((span) => ({
          bucketMs: span.bucketMs,
          buckets: bucketsOf(points, span, Date.now()),
        })),
      });
    },
    flow: (query) => {
      const nowMs = Date.now();
      const fitting = standIn.executions.filter(({ startedAt }) => startedAt >= (query.from ?? -Infinity));
      const points = fitting.map((each) => flowPointOf(each.steps, each));
      return Promise.resolve({
        ...sumFlow(points, query),
        completeSince: Math.min(standIn.historyBeganAt, nowMs),
      });
    },
    watch: () => () => undefined,
  };
}

function findPage(
  { executions, historyBeganAt: completeSince }: StandIn,
  query: ExecutionQuery,
): Awaited<ReturnType<History['find']>> {
  const { before, limit } = query;
  const fitting = executions.filter((execution) => fits(execution, query));
  const start = fitting.findIndex(({ id }) => id === before) + 1;
  const page = fitting.slice(start, start + limit);
  const isLast = start + page.length >= fitting.length;
  return {
    executions: page.map(summaryOf),
    total: fitting.length,
    next: isLast ? undefined : page.at(-1)?.id,
    completeSince,
  };
}

function fits(execution: Execution, query: ExecutionFilter): boolean {
  const { search = '', channel, outcome, failover, from = -Infinity, to = Infinity } = query;
  const wanted = search.toLowerCase();
  return (
    (wanted === '' ||
      (/^\d{2}$/.test(wanted)
        ? execution.toEnding === wanted
        : [execution.id, execution.oktaRequestId, execution.userId, execution.code].some((text) =>
            text?.toLowerCase().includes(wanted),
          ))) &&
    execution.startedAt >= from &&
    execution.startedAt <= to &&
    (channel === undefined || execution.channel === channel) &&
    (outcome === undefined || execution.outcome === outcome) &&
    (failover === undefined ||
      (failover === 'any' ? execution.failover !== undefined : execution.failover === failover))
  );
}

function summaryOf({ steps, omittedSteps, ...summary }: Execution): ExecutionSummary {
  return summary;
}
