import type { IncomingMessage, ServerResponse } from 'node:http';
import type { History } from '../core/history.js';
import { answer, answerText, parseJsonBody, readBody, requireType } from '../http/exchange.js';
import { PAGE_HEADERS, readAssets } from '../http/page/assets.js';
import { slashRedirect } from '../http/page/mount-slash.js';
import type { About, Health, MadePayload, PayloadQuestion, TestResult } from './api.js';
import { requireAuthorized } from './authorization.js';
import { CONSOLE_PAGE } from './page.js';
import { readExecutionQuery, readPayloadQuestion, readSendQuestion } from './questions.js';
import { refusalPage } from './refusal-page.js';
import { ConsoleRefusal, failureOf } from './refusal.js';
import { refuseOtherSites, requireSameOrigin } from './same-origin.js';
import type { Streams } from './stream.js';

/** The console's routes, wherever a gateway mounts them. */

/** What the console is given of the hook. */
export interface ConsoleParts {
  /** Asked for every request, whatever it is for. */
  readonly authorize: (req: IncomingMessage) => unknown;
  readonly history: History;
  readonly streams: Streams;
  readonly about: () => About;
  readonly health: () => Promise<Health>;
  /** @throws OktaApiError where the user cannot be read, ConsoleRefusal `OKTA_RATE_LIMITED` while Okta is left alone. */
  readonly makePayload: (question: PayloadQuestion) => Promise<MadePayload>;
  /** @throws RequestError where the payload is none of the hook's, or the hook is closing. */
  readonly sendPayload: (payload: unknown) => Promise<TestResult>;
  /** `authorize` is at fault: nobody was let in. */
  readonly onAuthorizeFailed: (error: unknown) => void;
  /** Something of the console's own is at fault. */
  readonly onFailed: (error: unknown) => void;
}

const MAX_BODY_BYTES = 64 * 1024;
const BODY_WAIT_MS = 10_000;

/** What one request asks for. */
interface Asked {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Below the mount, with its slash. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** The JSON of a route; nothing where it has answered by itself. */
type Route = (asked: Asked) => unknown;

/** Routes by their paths and methods; HEAD is as GET. */
type Routes = Readonly<Record<string, { readonly GET?: Route; readonly POST?: Route }>>;

const EXECUTION_PATH = '/api/executions/';
const ASSETS_PATH = '/assets/';

/** The request handler. It answers all that comes, and never hands anything on. */
export function createConsoleServer(
  parts: ConsoleParts,
): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const { history, streams } = parts;
  const assets = readAssets(['http/page/browser', 'console/browser']);

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
    '/api/executions': { GET: ({ query }) => history.find(readExecutionQuery(query)) },
    '/api/stream': {
      GET: ({ req, res }) => {
        streams.open(req, res, () => requireAuthorized(req, parts.authorize, parts.onAuthorizeFailed));
      },
    },
    '/api/tester/payload': {
      POST: async ({ req }) => parts.makePayload(readPayloadQuestion(await readJson(req))),
    },
    '/api/tester/send': {
      POST: async ({ req }) => parts.sendPayload(readSendQuestion(await readJson(req)).payload),
    },
  };

  const openExecution: Route = async ({ path }) => {
    const found = await history.open(idIn(path));
    if (found === undefined) {
      throw new ConsoleRefusal('NOT_FOUND', 'There is no such execution.', {
        remedy: 'The last 5,000 are kept, for a day; older ones are in the log and in Okta’s System Log.',
      });
    }
    return found;
  };

  const serveAsset: Route = ({ req, res, path }) => {
    if (!assets.serve(path.slice(ASSETS_PATH.length), req, res)) throw nothingHere();
  };

  /** What answers a path, by method. */
  const routeFor = (path: string): Routes[string] => {
    if (Object.hasOwn(routes, path)) return routes[path] ?? {};
    if (path.startsWith(EXECUTION_PATH)) return { GET: openExecution };
    if (path.startsWith(ASSETS_PATH)) return { GET: serveAsset };
    throw nothingHere();
  };

  const serve = async (asked: Asked): Promise<void> => {
    const { req, res, path } = asked;
    await requireAuthorized(req, parts.authorize, parts.onAuthorizeFailed);
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
      throw new ConsoleRefusal('METHOD_NOT_ALLOWED', `Only ${allowed.join(' and ')} is answered here.`, {
        headers: { Allow: allowed.join(', ') },
      });
    }
    if (method === 'POST') {
      requireSameOrigin(req);
      // Also of what others have read: no form of any page is of this type.
      requireType(req.headers, 'application/json');
    } else if (isApi(path)) refuseOtherSites(req);
    const json = await route(asked);
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
      const all = { ...PAGE_HEADERS, ...headers };
      if (isApi(path)) answer(req, res, status, body, all);
      else {
        const { message, remedy } = body.error;
        const text = refusalPage(message, remedy === undefined ? [] : [remedy]);
        answerText(req, res, { status, type: 'text/html; charset=utf-8', text, headers: all });
      }
    }
  };
}

/** These are asked by programs: the page's own, or others. */
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
