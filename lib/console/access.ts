import type { IncomingMessage } from 'node:http';
import { isObject } from '../core/json.js';
import { TIMED_OUT, waitAtMost } from '../core/time.js';
import { isFromOtherSite, isFromOwnPage } from '../http/page/same-site.js';
import { ConsoleRefusal } from './refusal.js';

/** The console asks the gateway for every request whether the caller may use it, and refuses the pages of other sites. */

/** How long `authorize` may take, milliseconds. */
const ANSWER_MS = 5_000;

/** Characters of an administrator's name that are kept. */
const MAX_NAME = 100;

/**
 * Resolves to the administrator's name, `undefined` without one, if `authorize` answers `true` or `{ administrator }`. A caller
 * is refused if it answers anything else, fails or hangs.
 *
 * @param onFailure - gets the error if `authorize` itself fails.
 * @throws ConsoleRefusal `NOT_AUTHORIZED`, `AUTHORIZATION_FAILED`.
 */
export async function requireAuthorized(
  req: IncomingMessage,
  authorize: (req: IncomingMessage) => unknown,
  onFailure: (error: unknown) => void,
): Promise<string | undefined> {
  try {
    const answer = await waitAtMost(Promise.resolve(authorize(req)), ANSWER_MS);
    if (answer === TIMED_OUT) throw new Error('no answer in time');
    const name = administratorOf(answer);
    if (answer === true || name !== undefined) return name;
    // `undefined`, as of `req.user?.isAdministrator`, means no.
    if (answer !== false && answer !== undefined && answer !== null) {
      throw new TypeError('neither true nor { administrator } nor false was returned');
    }
  } catch (error) {
    onFailure(error);
    throw new ConsoleRefusal(
      'AUTHORIZATION_FAILED',
      'The gateway could not check whether you may use the console.',
      {
        remedy: "Try again. The gateway's log has the reason.",
      },
    );
  }
  throw new ConsoleRefusal('NOT_AUTHORIZED', 'You need an administrator account for this console.', {
    remedy: "Log in to the gateway as an administrator. The console's authorize option decides who is one.",
  });
}

/**
 * The name in `{ administrator: name }`; `undefined` for anything else. An object with further keys is no answer: a user object
 * that is returned by mistake must not let its user in.
 */
function administratorOf(answer: unknown): string | undefined {
  if (!isObject(answer)) return undefined;
  const keys = Reflect.ownKeys(answer);
  if (keys.length !== 1 || keys[0] !== 'administrator') return undefined;
  const { administrator } = answer;
  if (typeof administrator !== 'string') return undefined;
  // The name must stay within one line of the log.
  return (
    administrator
      .replace(/\p{C}+/gu, ' ')
      .trim()
      .slice(0, MAX_NAME) || undefined
  );
}

/**
 * A POST changes or sends something: the browser must say that it comes from the console's page. Another request may also come
 * from a typed address or a program.
 *
 * @throws ConsoleRefusal `CROSS_SITE` for a request of another site's page.
 */
export function refuseOtherSites(req: IncomingMessage): void {
  if (req.method === 'POST' ? isFromOwnPage(req) : !isFromOtherSite(req)) return;
  throw new ConsoleRefusal('CROSS_SITE', 'Only the console’s own page may send this request.', {
    remedy:
      'Open the console itself. A proxy in front of the gateway must pass Host and Origin on unchanged.',
  });
}
