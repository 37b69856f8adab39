import type { IncomingMessage } from 'node:http';

/**
 * Checks the origin of a request by the headers that browsers set. Pages of other sites can make a browser
 * send requests, but they cannot forge these headers.
 */

/**
 * Whether a page of another site or another origin sent the request. Typed addresses and programs send no
 * origin.
 */
export function isFromOtherSite({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site === undefined) return headers.origin !== undefined && !isOfHost(headers.origin, headers.host);
  return site === 'cross-site' || site === 'same-site';
}

/** Whether the browser says that the request comes from the origin that it goes to. */
export function isFromOwnPage({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  // Browsers omit `sec-fetch-site` on plain http outside loopback, and old ones always. All send an origin
  // with a POST.
  return site === undefined ? isOfHost(headers.origin, headers.host) : site === 'same-origin';
}

/**
 * Whether the host name is one of loopback. Refuses DNS rebinding: another site's name that resolves to this
 * machine.
 */
export function isToLoopback({ headers }: IncomingMessage): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(headers.host ?? '');
}

/** Whether the connection comes from this machine. The caller chooses the host name, but not the address. */
export function isFromLoopback({ socket }: IncomingMessage): boolean {
  return /^(127\.|::1$|::ffff:127\.)/.test(socket.remoteAddress ?? '');
}

function isOfHost(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined || host === undefined) return false;
  try {
    const { protocol, host: ofOrigin } = new URL(origin);
    // Parsed with the origin's scheme, so that an explicit default port makes no difference.
    return ofOrigin !== '' && ofOrigin === new URL(`${protocol}//${host}`).host;
  } catch {
    return false;
  }
}
