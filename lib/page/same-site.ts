import type { IncomingMessage } from 'node:http';

/** Whether a request comes from a page of ours, as browsers tell it; another site's pages can make requests, too. */

/** A page of another site, or of another origin of the same one, asked. No browser at all is nobody's page. */
export function isFromOtherSite({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  return site === 'cross-site' || site === 'same-site';
}

/**
 * Whether it may change something: JSON, which no form of another site sends, from the origin that it goes to. Browsers
 * say so by `Sec-Fetch-Site`, and over plain http, where many leave that out, by `Origin`.
 */
export function isOwnWrite({ headers }: IncomingMessage): boolean {
  if (!/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) return false;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin = '', host = '' } = headers;
  return URL.canParse(origin) && new URL(origin).host === host;
}

/** Whether it was addressed to this machine by a name of its own, so that no other site's name leads here. */
export function isToLoopback({ headers }: IncomingMessage): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(headers.host ?? '');
}
