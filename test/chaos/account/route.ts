import type { Allowances } from './allowances.js';
import type { RunFacts } from './facts.js';
import type { EventRecord } from './records.js';

/** The route of a code that its user requested again. */

/** The longest way of a delivery report into the record of the earlier code, milliseconds. */
const MARKED_MS = 2_000;
const DELIVERED: ReadonlySet<string> = new Set(['delivered', 'read']);

/** Whether a code took the next route, though its gateway had heard long before that the earlier one was delivered. */
export function isMisrouted(
  { event, hookEvents }: EventRecord,
  { events, messages, callbacks, hookEvents: allHookEvents }: RunFacts,
  allowances: Allowances,
): boolean {
  return hookEvents.some(({ type, resendOf, gateway, at }) => {
    if (type !== 'channels.planned' || resendOf === undefined) return false;
    const earlier = events.find(({ eventId }) => eventId === resendOf);
    if (earlier === undefined || earlier === event || earlier.userId !== event.userId) return true;
    const since = earlier.calls[0]?.at ?? 0;
    const isExcused =
      earlier.calls.some(({ problem }) => problem === 'hung up') ||
      allowances.hadLost(undefined, since, at) ||
      allowances.hasForgotten(since, at) ||
      allowances.wasOut(undefined, since, at) ||
      allowances.wasStarved(gateway, since, at);
    if (isExcused) return false;
    return callbacks.some((callback) => {
      const message = messages.find(({ sid, code }) => sid === callback.sid && code === earlier.code);
      // Without it, nothing joins reports with the id alone and reports with the attempt alone.
      const isKnown =
        callback.isNamed || allHookEvents.some(({ transactionId }) => transactionId === callback.sid);
      const isReported = DELIVERED.has(callback.status) && callback.isTaken && isKnown;
      // A report on an attempt that goes on, or whose caller has hung up, is of nobody's code yet.
      const knownAt = Math.max(callback.at, message?.acceptedAt ?? Infinity);
      return isReported && knownAt + MARKED_MS < at;
    });
  });
}
