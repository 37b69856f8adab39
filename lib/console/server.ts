import type { IncomingMessage, ServerResponse } from 'node:http';
import type { History, TimelineSpan } from './history/answers.js';
import type { LearnOverview } from '../guard/learning-guard.js';
import { answer, answerText, parseJsonBody, readBody, requireType } from '../http/exchange.js';
import { createAssets, PAGE_HEADERS } from '../http/page/assets.js';
import { slashRedirect } from '../http/page/html.js';
import type {
  About,
  FoundUser,
  Health,
  LiftQuestion,
  MadePayload,
  PayloadQuestion,
  TestResult,
  UserQuestion,
} from './api.js';
import { refuseOtherSites, requireAuthorized } from './access.js';
import { CONSOLE_PAGE, REFUSAL_HEADERS, refusalPage } from './page.js';
import {
  readExecutionQuery,
  readFlowQuery,
  readLiftQuestion,
  readPayloadQuestion,
  readSendQuestion,
  readUserQuestion,
} from './questions.js';
import { ConsoleRefusal, failureOf } from './refusal.js';
import type { Streams } from './stream.js';

/** The routes of the console, wherever a gateway mounts them. */

/** What the console needs of the hook. */
export interface ConsoleParts {
  /** Called for every request. */
  readonly authorize: (req: IncomingMessage) => unknown;
  readonly history: History;
  readonly streams: Streams;
  readonly about: () => About;
  readonly health: () => Promise<Health>;
  /** @throws ConsoleRefusal `NOT_FOUND` without `guard.learn`, `STATE_UNREACHABLE`. */
  readonly learning: () => Promise<LearnOverview>;
  /**
   * @param sender - the administrator's name.
   * @throws ConsoleRefusal as `learning`.
   */
  readonly lift: (question: LiftQuestion, sender: string | undefined) => Promise<LearnOverview>;
  /** @throws OktaApiError if the user cannot be read, ConsoleRefusal `OKTA_RATE_LIMITED` while the hook does not call Okta. */
  readonly makePayload: (question: PayloadQuestion) => Promise<MadePayload>;
  /**
   * @param sender - the administrator's name.
   * @throws RequestError if the payload is invalid, or the hook is closing.
   */
  readonly sendPayload: (payload: unknown, sender: string | undefined) => Promise<TestResult>;
  /** @throws as `makePayload` */
  readonly findUser: (question: UserQuestion) => Promise<FoundUser>;
  readonly onAuthorizeFailed: (error: unknown) => void;
  /** The console itself failed. */
  readonly onFailed: (error: unknown) => void;
}

const MAX_BODY_BYTES = 64 * 1024;
const BODY_WAIT_MS = 10_000;

interface ConsoleRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** The path below the mount, with its slash. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Returns the JSON to answer with; `undefined` if it has answered itself. `sender` is the administrator's name. */
type Route = (request: ConsoleRequest, sender: string | undefined) => unknown;

/** Routes by path and method. HEAD counts as GET. */
type Routes = Readonly<Record<string, { readonly GET?: Route; readonly POST?: Route }>>;

/** What the plots show: the last hour by 5 minutes, and the last day by hours. */
const PLOTTED: readonly TimelineSpan[] = [
  { bucketMs: 300_000, count: 12 },
  { bucketMs: 3_600_000, count: 24 },
];

/** The day above the list of executions, by quarters of an hour. */
const COUNTED: TimelineSpan = { bucketMs: 900_000, count: 96 };

const EXECUTION_PATH = '/api/executions/';
const ASSETS_PATH = '/assets/';

/** The request handler. It answers every request itself, and never calls `next`. */
export function createConsoleServer(
  parts: ConsoleParts,
): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const { history, streams } = parts;
  const assets = createAssets(() => import('./page-files.js'));

  const readJson = async (req: IncomingMessage): Promise<unknown> =>
    parseJsonBody(
      await readBody(req, { type: 'application/json', waitMs: BODY_WAIT_MS, maxBytes: MAX_BODY_BYTES }),
    );

  const routes: Routes = {
    '/': {
      GET: ({ req, res }) => {
        answerText(req, res, {
          status: 200,
          type: 'text/html; charset=utf-8',
          text: CONSOLE_PAGE,
          headers: PAGE_HEADERS,
        });
      },
    },
    '/api/about': { GET: () => parts.about() },
    '/api/health': { GET: () => parts.health() },
    '/api/learning': { GET: () => parts.learning() },
    '/api/learning/lift': {
      POST: async ({ req }, sender) => parts.lift(readLiftQuestion(await readJson(req)), sender),
    },
    '/api/timeline': { GET: () => history.timeline(PLOTTED) },
    '/api/histogram': {
      // The time is what people choose with it.
      GET: ({ query }) => {
        const { search, channel, outcome, failover } = readExecutionQuery(query);
        return history.timeline([COUNTED], { search, channel, outcome, failover });
      },
    },
    '/api/flow': { GET: ({ query }) => history.flow(readFlowQuery(query)) },
    '/api/executions': { GET: ({ query }) => history.find(readExecutionQuery(query)) },
    '/api/stream': {
      GET: ({ req, res }) => {
        streams.open(res, () => requireAuthorized(req, parts.authorize, parts.onAuthorizeFailed));
      },
    },
    // A login must not be in a URL, which proxies and browsers keep.
    '/api/user': { POST: async ({ req }) => parts.findUser(readUserQuestion(await readJson(req))) },
    '/api/tester/payload': {
      POST: async ({ req }) => parts.makePayload(readPayloadQuestion(await readJson(req))),
    },
    '/api/tester/send': {
      POST: async ({ req }, sender) =>
        parts.sendPayload(readSendQuestion(await readJson(req)).payload, sender),
    },
  };

  const openExecution: Route = async ({ path }) => {
    const found = await history.open(idIn(path));
    if (found === undefined) {
      throw new ConsoleRefusal('NOT_FOUND', 'There is no such execution.', {
        remedy:
          'The history keeps the last 5,000 executions for a day. Older ones are in the log and in Okta’s System Log.',
      });
    }
    return found;
  };

  const serveAsset: Route = async ({ req, res, path }) => {
    if (!(await assets.serve(path.slice(ASSETS_PATH.length), req, res))) throw nothingHere();
  };

  const routeFor = (path: string): Routes[string] => {
    if (Object.hasOwn(routes, path)) return routes[path] ?? {};
    if (path.startsWith(EXECUTION_PATH)) return { GET: openExecution };
    if (path.startsWith(ASSETS_PATH)) return { GET: serveAsset };
    throw nothingHere();
  };

  const serve = async (request: ConsoleRequest): Promise<void> => {
    const { req, res, path } = request;
    const sender = await requireAuthorized(req, parts.authorize, parts.onAuthorizeFailed);
    const place = slashRedirect(req, path);
    if (place !== undefined) {
      answerText(req, res, { status: 308, type: 'text/plain', text: '', headers: { Location: place } });
      return;
    }
    const byMethod = routeFor(path);
    const method = req.method === 'HEAD' ? 'GET' : (req.method ?? '');
    const route = method === 'GET' || method === 'POST' ? byMethod[method] : undefined;
    if (route === undefined) {
      const allowed = Object.keys(byMethod).flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]));
      throw new ConsoleRefusal('METHOD_NOT_ALLOWED', `This path answers ${allowed.join(' and ')} only.`, {
        headers: { Allow: allowed.join(', ') },
      });
    }
    if (method === 'POST' || isApi(path)) refuseOtherSites(req);
    // No HTML form can send this type, so another site's form cannot either.
    if (method === 'POST') requireType(req.headers, 'application/json');
    const json = await route(request, sender);
    if (json !== undefined) answer(req, res, 200, json, PAGE_HEADERS);
  };

  return async (req, res) => {
    const { url = '/' } = req;
    const [path = '/'] = url.split('?', 1);
    try {
      await serve({ req, res, path, query: new URLSearchParams(url.slice(path.length)) });
    } catch (error) {
      const { status, body, headers, isKnown } = failureOf(error);
      if (!isKnown) parts.onFailed(error);
      if (isApi(path)) answer(req, res, status, body, { ...PAGE_HEADERS, ...headers });
      else {
        const { message, remedy } = body.error;
        const text = refusalPage(message, remedy === undefined ? [] : [remedy]);
        const all = { ...REFUSAL_HEADERS, ...headers };
        answerText(req, res, { status, type: 'text/html; charset=utf-8', text, headers: all });
      }
    }
  };
}

/** Programs call these: the page, or others. */
const isApi = (path: string): boolean => path.startsWith('/api/');

function idIn(path: string): string {
  try {
    return decodeURIComponent(path.slice(EXECUTION_PATH.length));
  } catch {
    throw nothingHere();
  }
}

function nothingHere(): ConsoleRefusal {
  return new ConsoleRefusal('NOT_FOUND', 'There is nothing here.');
}
