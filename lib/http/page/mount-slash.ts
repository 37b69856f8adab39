import type { IncomingMessage } from 'node:http';

/**
 * The redirect target for a page that was requested without its trailing slash, or `undefined`. The URLs in a
 * page are relative to that slash. The target is relative to the requested URL and keeps its query.
 */
export function slashRedirect(
  req: IncomingMessage & { readonly originalUrl?: unknown },
  path: string,
): string | undefined {
  if (path !== '/') return undefined;
  // Express and connect strip the mount path from `url`; `originalUrl` is complete.
  const { originalUrl } = req;
  const [whole = '', ...query] = typeof originalUrl === 'string' ? originalUrl.split('?') : [];
  if (whole === '' || whole.endsWith('/')) return undefined;
  return [`./${whole.slice(whole.lastIndexOf('/') + 1)}/`, ...query].join('?');
}
