import type { IncomingMessage, ServerResponse } from 'node:http';
import { closeConnection, isCallerGone } from './exchange.js';

/**
 * Dispatches requests to the routes of the hook by their path, and keeps their answers until they are complete, for the end of the
 * gateway.
 */

/** An Express handler. */
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
 * by default: case and one trailing slash do not matter. A mount path may have a part of a route's path, or all of it. Express's
 * own router is not used: with it the import of the package took a fifth longer.
 *
 * @param openAnswers - the answers of the routes belong to it until they are complete.
 * @param onPassed - gets the normal form of the whole path, with the mount path, of each request that passes to `next`.
 */
export function createRoutes(
  routes: readonly Route[],
  openAnswers: OpenAnswers,
  onPassed?: (wholePath: string) => void,
): Handler {
  // The longest path first: with the path `/events`, the mount `/events` and the request `/events/events`, it is the one meant.
  const ordered = routes
    .map((route) => ({ route, path: normalizePath(route.path) }))
    .sort((one, other) => other.path.length - one.path.length);
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
    const path = normalizePath(pathOf(req.url ?? ''));
    const wholePath = wholePathOf(req, path);
    const found = ordered.find((one) => one.path === path || isMountedAt(one.path, path, wholePath));
    if (found !== undefined) {
      void serve(found.route, req, res, next);
      return;
    }
    onPassed?.(wholePath);
    next();
  };
}

/** Express and connect strip the mount path from `url`; `originalUrl` is complete. */
function wholePathOf(req: IncomingMessage & { readonly originalUrl?: unknown }, path: string): string {
  const { originalUrl } = req;
  return typeof originalUrl === 'string' ? normalizePath(pathOf(originalUrl)) : path;
}

/** Whether the mount path has the beginning of a route's path, and the rest of a request has its end. */
function isMountedAt(routePath: string, rest: string, wholePath: string): boolean {
  return wholePath.endsWith(routePath) && routePath.endsWith(rest === '/' ? '' : rest);
}

/** A path in lower case, without one slash at its end. */
export function normalizePath(path: string): string {
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
