import type { IncomingMessage } from 'node:http';

/**
 * A page's own addresses are relative to the slash at its end, which a mount under a prefix may have been asked for without.
 * Where so, the same with one, from where it was asked; its query with it.
 */
export function slashless(
  req: IncomingMessage & { readonly originalUrl?: unknown },
  path: string,
): string | undefined {
  if (path !== '/') return undefined;
  // What is mounted by Express or connect is told the rest of the path alone; this is all of it.
  const { originalUrl } = req;
  const [whole = '', ...query] = typeof originalUrl === 'string' ? originalUrl.split('?') : [];
  if (whole === '' || whole.endsWith('/')) return undefined;
  return [`./${whole.slice(whole.lastIndexOf('/') + 1)}/`, ...query].join('?');
}
