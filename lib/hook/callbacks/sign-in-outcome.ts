import type { HookParts } from '../call.js';
import type { CodeUses } from '../../delivery/messages/code-uses.js';
import { shuttingDown } from '../../core/request-error.js';
import { answer, methodNotAllowed, parseJsonBody, readBody } from '../../http/exchange.js';
import type { Route } from '../../http/routes.js';
import { answerChallenge, CHALLENGE_HEADER, eventsOf, readNews } from '../../okta/event-hook.js';
import { onlyHeader, type CallerVerifier } from '../../okta/verify-caller.js';

/** The route of Okta's event hook, which reports codes that users have typed, and calls that Okta gave up on. */

/** The largest body. One delivery holds many events. */
const MAX_BODY_BYTES = 1024 * 1024;

/** Answers the one-time verification. Records used codes after the answer, because Okta waits only three seconds. */
export function recordSignIns(
  { settings, underWay, inlineHookIds }: HookParts,
  { verifier, codeUses }: { readonly verifier: CallerVerifier; readonly codeUses: CodeUses },
): Route['handle'] {
  return async (req, res) => {
    if (req.method !== 'GET' && req.method !== 'POST') throw methodNotAllowed('GET', 'POST');
    const refuseIfClosing = (): void => {
      if (underWay.isClosing) throw shuttingDown();
    };
    refuseIfClosing();
    if (req.method === 'GET') {
      // No proof is needed: the answer returns only what the caller has sent.
      answer(req, res, 200, answerChallenge(onlyHeader(req, CHALLENGE_HEADER)));
      return;
    }
    await verifier.verify(req);
    const limits = { type: undefined, waitMs: settings.deadlineMs, maxBytes: MAX_BODY_BYTES };
    const body = await readBody(req, limits);
    // The hook may have been closed while the body arrived: another gateway must get the uses.
    refuseIfClosing();
    const events = eventsOf(parseJsonBody(body));
    answer(req, res, 204, undefined);
    codeUses.receive(readNews(events, inlineHookIds));
  };
}
