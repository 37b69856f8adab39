import type { IncomingMessage, ServerResponse } from 'node:http';
import { closeConnection, isCallerGone } from './exchange.js';

/**
 * Dispatches requests to the routes of the hook by their path, and keeps their answers until they are complete, for the end of the
 * gateway.
 */

/** The shape of an Express handler. */
export type Handler = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;
export type ErrorHandler = (
  error: unknown,
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** One path of the hook. */
export interface Route {
  /** From `/`, below the mount. */
  readonly path: string;
  /** @param next - for an answer that fails. */
  readonly handle: (...handled: Parameters<Handler>) => Promise<void>;
  /** Receives every failure of the route. */
  readonly onError: ErrorHandler;
}

/**
 * Calls the route of a request's path; any other request passes to `next`. Paths match as in Express's router
 * by default: case and one trailing slash do not matter. Express's own router is not used: with it the
 * package took 2.26 times as long to import as `express` and `twilio` (1.9 without), and a call about 2 %
 * more CPU.
 *
 * @param openAnswers - the answers of the routes belong to it until they are complete.
 */
export function createRoutes(routes: readonly Route[], openAnswers: OpenAnswers): Handler {
  const byPath = new Map(routes.map((route) => [normalizePath(route.path), route]));
  const serve = async (
    { handle, onError }: Route,
    req: IncomingMessage,
    res: ServerResponse,
    next: (error?: unknown) => void,
  ): Promise<void> => {
    try {
      openAnswers.add(res);
      await handle(req, res, next);
    } catch (error) {
      onError(error, req, res, next);
    }
  };
  return (req, res, next) => {
    const route = byPath.get(normalizePath(pathOf(req.url ?? '')));
    if (route === undefined) next();
    else void serve(route, req, res, next);
  };
}

function normalizePath(path: string): string {
  const lower = path.toLowerCase();
  return lower.length > 1 && lower.endsWith('/') ? lower.slice(0, -1) : lower;
}

/**
 * The path of a request target, which may be an absolute URL. Cut as text, because `URL` would normalise it
 * to another path.
 */
function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  const beforeQuery = end === -1 ? target : target.slice(0, end);
  if (beforeQuery.startsWith('/')) return beforeQuery;
  const [, path] = /^[a-z][a-z\d+.-]*:\/\/[^/]*(.*)$/i.exec(beforeQuery) ?? [];
  return path === '' ? '/' : (path ?? '');
}

/** A set of this size is swept: answers of some serverless adapters emit no `close`, nor do those that Node has queued. */
const SWEEP_AT = 128;

/**
 * An answer that is not complete; without its response once it is. What a set has lost may stay in memory for several
 * collections of garbage, and a response holds its whole call.
 */
interface OpenAnswer {
  res: ServerResponse | undefined;
}

/**
 * The answers of the hook and its consoles that are not complete. While the gateway drains, each ends its connection, so that a
 * load balancer's next request comes on another connection, to another gateway.
 */
export class OpenAnswers {
  readonly #open = new Set<OpenAnswer>();
  #sweepAt = SWEEP_AT;
  #isDraining = false;

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** How many answers are not complete. */
  get size(): number {
    this.#removeComplete();
    return this.#open.size;
  }

  /** Adds an answer until it is complete. While the gateway drains, it ends its connection instead. */
  add(res: ServerResponse): void {
    if (this.#isDraining) {
      closeConnection(res);
      return;
    }
    // The caller may have gone before the hook was reached.
    if (isComplete(res)) return;
    const open: OpenAnswer = { res };
    this.#open.add(open);
    res.on('close', () => {
      open.res = undefined;
      this.#open.delete(open);
    });
    if (this.#open.size >= this.#sweepAt) this.#removeComplete();
  }

  #removeComplete(): void {
    for (const open of this.#open) {
      if (open.res === undefined || isComplete(open.res)) this.#open.delete(open);
    }
    this.#sweepAt = Math.max(SWEEP_AT, 2 * this.#open.size);
  }

  /** From now on each answer ends its connection, also those that have begun already. */
  drain(): void {
    this.#isDraining = true;
    for (const { res } of this.#open) if (res !== undefined) closeConnection(res);
    this.#open.clear();
  }
}

function isComplete(res: ServerResponse): boolean {
  return res.writableFinished || isCallerGone(res);
}
