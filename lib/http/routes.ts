import type { IncomingMessage, ServerResponse } from 'node:http';

/** The hook's own routes, and the handlers of each in turn. */

/** As Express has them. */
export type Handler = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

/** Where every failure of a route ends. */
export type FailureHandler = (error: unknown, req: IncomingMessage, res: ServerResponse) => void;

/** One of the hook's own paths. */
export interface Route {
  /** From `/`. */
  readonly path: string;
  readonly handle: Handler;
  readonly onFailure: FailureHandler;
}

/**
 * Leads each request to the route of its path, and every other one past the hook at once, since all of a gateway's come by
 * here. A path is what it is to Express's router by its defaults: neither case nor one slash at its end matter. That router
 * itself, and its chain of handlers, makes closures and layers anew for every request, which cost more than the handlers.
 */
export function createRoutes(routes: readonly Route[]): Handler {
  const byPath = new Map(routes.map((route) => [plainPath(route.path), withFailures(route)]));
  return (req, res, next) => {
    const handle = byPath.get(plainPath(pathOf(req.url ?? '')));
    if (handle === undefined) next();
    else handle(req, res, next);
  };
}

/** A handler that gives no failure on: each ends here, and only what fails even there is the gateway's. */
export function withFailures({ handle, onFailure }: Pick<Route, 'handle' | 'onFailure'>): Handler {
  return (req, res, next) => {
    const fail = (error: unknown): void => {
      try {
        onFailure(error, req, res);
      } catch (failure) {
        next(failure);
      }
    };
    try {
      handle(req, res, (error) => {
        if (error === undefined) next();
        else fail(error);
      });
    } catch (error) {
      fail(error);
    }
  };
}

/** Handlers in turn, as one. */
export function chain(...handlers: readonly Handler[]): Handler {
  return (req, res, next) => {
    let done = 0;
    const goOn = (error?: unknown): void => {
      const handler = error === undefined ? handlers[done] : undefined;
      done += 1;
      if (handler === undefined) next(error);
      else handler(req, res, goOn);
    };
    goOn();
  };
}

function plainPath(path: string): string {
  const lower = path.toLowerCase();
  return lower.length > 1 && lower.endsWith('/') ? lower.slice(0, -1) : lower;
}

/** Of a request's target, which may be a whole URL. As text: what a `URL` made of it could be another path. */
function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  const beforeQuery = end === -1 ? target : target.slice(0, end);
  if (beforeQuery.startsWith('/')) return beforeQuery;
  const [, path] = /^[a-z][a-z\d+.-]*:\/\/[^/]*(.*)$/i.exec(beforeQuery) ?? [];
  return path === '' ? '/' : (path ?? '');
}
