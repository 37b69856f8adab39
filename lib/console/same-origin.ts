import type { IncomingMessage } from 'node:http';
import { isFromOtherSite, isFromOwnPage } from '../http/page/same-site.js';
import { ConsoleRefusal } from './refusal.js';

/** @throws ConsoleRefusal `CROSS_SITE` for what another site's page asks for. A typed address, and a program, may. */
export function refuseOtherSites(req: IncomingMessage): void {
  if (isFromOtherSite(req)) throw crossSite();
}

/**
 * For what changes or sends something: the browser must say that our own page asks.
 * @throws ConsoleRefusal `CROSS_SITE`
 */
export function requireSameOrigin(req: IncomingMessage): void {
  if (!isFromOwnPage(req)) throw crossSite();
}

function crossSite(): ConsoleRefusal {
  return new ConsoleRefusal('CROSS_SITE', 'Only the console’s own page may ask for this.', {
    remedy:
      'Open the console itself. A proxy in front of the gateway must hand on Host and Origin as they came.',
  });
}
