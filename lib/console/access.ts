import type { IncomingMessage } from 'node:http';
import { TIMED_OUT, waitAtMost } from '../core/wait-at-most.js';
import { isFromOtherSite, isFromOwnPage } from '../http/page/same-site.js';
import { ConsoleRefusal } from './refusal.js';

/** Who may use the console is the gateway's to say: it is asked for every request. */

/** How long it may take, milliseconds. */
const ANSWER_MS = 5_000;

/**
 * Returns where the gateway lets the caller in. Only `true` does; what fails, hangs or answers anything else, does not.
 *
 * @param onFailure - told where `authorize` itself is at fault.
 * @throws ConsoleRefusal `NOT_AUTHORIZED`, `AUTHORIZATION_FAILED`.
 */
export async function requireAuthorized(
  req: IncomingMessage,
  authorize: (req: IncomingMessage) => unknown,
  onFailure: (error: unknown) => void,
): Promise<void> {
  let answer: unknown;
  try {
    answer = await waitAtMost(Promise.resolve(authorize(req)), ANSWER_MS);
    if (answer === TIMED_OUT) throw new Error('no answer in time');
    // An absent mark, as of `req.user?.isAdministrator`, is a no.
    if (typeof answer !== 'boolean' && answer !== undefined && answer !== null) {
      throw new TypeError('neither true nor false was returned');
    }
  } catch (error) {
    onFailure(error);
    throw new ConsoleRefusal('AUTHORIZATION_FAILED', 'Nobody can say whether you may use the console.', {
      remedy: "Try again; the gateway's log has the reason.",
    });
  }
  if (answer !== true) {
    throw new ConsoleRefusal('NOT_AUTHORIZED', 'You may not use the console.', {
      remedy: "Log in to the gateway as an administrator; who is one, the console's authorize says.",
    });
  }
}

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
