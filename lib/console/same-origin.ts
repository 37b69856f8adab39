import type { IncomingMessage } from 'node:http';
import { ConsoleRefusal } from './refusal.js';

/**
 * Other sites' pages can make an administrator's browser send requests with its cookies. They cannot make it say that
 * these come from our own page.
 */

/** @throws ConsoleRefusal `CROSS_SITE` for what another site's page asks for. A typed address, and a program, may. */
export function refuseOtherSites(req: IncomingMessage): void {
  const site = req.headers['sec-fetch-site'];
  if (site === 'cross-site' || site === 'same-site') throw crossSite();
}

/**
 * For what changes or sends something: the browser must say that our own page asks.
 * @throws ConsoleRefusal `CROSS_SITE`
 */
export function requireSameOrigin(req: IncomingMessage): void {
  const site = req.headers['sec-fetch-site'];
  // Browsers leave it out on plain http that is not loopback, and old ones always; they all send an origin with a POST.
  const isOurs = site === undefined ? isOfHost(req.headers.origin, req.headers.host) : site === 'same-origin';
  if (!isOurs) throw crossSite();
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

function crossSite(): ConsoleRefusal {
  return new ConsoleRefusal('CROSS_SITE', 'Only the console’s own page may ask for this.', {
    remedy:
      'Open the console itself. A proxy in front of the gateway must hand on Host and Origin as they came.',
  });
}
