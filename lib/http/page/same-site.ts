import type { IncomingMessage } from 'node:http';

/**
 * Whether a page of ours asks, as browsers tell it. Other sites' pages can make somebody's browser send requests; they
 * cannot make it say that these come from our own page.
 */

/**
 * A page of another site, or of another origin of the same one. A typed address, and a program, is nobody's page: they
 * name no origin.
 */
export function isFromOtherSite({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site === undefined) return headers.origin !== undefined && !isOfHost(headers.origin, headers.host);
  return site === 'cross-site' || site === 'same-site';
}

/** The browser says that it comes from the origin that it goes to. */
export function isFromOwnPage({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  // Browsers leave it out on plain http that is not loopback, and old ones always; they all send an origin with a POST.
  return site === undefined ? isOfHost(headers.origin, headers.host) : site === 'same-origin';
}

/** It was addressed to this machine by a name of its own: another site's name that leads here is refused. */
export function isToLoopback({ headers }: IncomingMessage): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(headers.host ?? '');
}

/** It came from this machine: the name that it was addressed to is the asker's to choose, the address is not. */
export function isFromLoopback({ socket }: IncomingMessage): boolean {
  return /^(127\.|::1$|::ffff:127\.)/.test(socket.remoteAddress ?? '');
}

function isOfHost(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined || host === undefined) return false;
  try {
    const { protocol, host: ofOrigin } = new URL(origin);
    // By the origin's own scheme, so that a port that is written out where it need not be is the same.
    return ofOrigin !== '' && ofOrigin === new URL(`${protocol}//${host}`).host;
  } catch {
    return false;
  }
}
