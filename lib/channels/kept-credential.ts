import type { SendContext } from '../core/channel.js';
import { TIMED_OUT, waitAtMost } from '../core/time.js';

/** How long a fetch may take, milliseconds. After that, the next message begins another one. */
const FETCH_MS = 10_000;

/**
 * Keeps what a function of the user's gets, such as keys or a token, until it expires. Messages that come at the same time share
 * one fetch.
 */
export function keptCredential<Value>(parts: {
  readonly fetch: () => unknown;
  /** The function may be written without types; `undefined` if it gave something else. */
  readonly read: (given: unknown) => Value | undefined;
  /** When a credential ends, milliseconds since 1970; `Infinity` if it does not. */
  readonly endOf: (value: Value) => number;
  /** It is fetched again so long before its end or, without one, after it came, milliseconds. */
  readonly spareMs: number;
  /** How long a message may wait for it, milliseconds. Another provider can then follow. */
  readonly waitMs: number;
  readonly clock: () => number;
}) {
  const { fetch, read, endOf, spareMs, waitMs, clock } = parts;
  let kept: { readonly value: Value; readonly sinceMs: number } | undefined;
  let fetching: Promise<Value | undefined> | undefined;

  const fetchOnce = async (): Promise<Value | undefined> => {
    const value = read(await waitAtMost(Promise.resolve().then(fetch), FETCH_MS));
    if (value === undefined) return undefined;
    kept = { value, sinceMs: clock() };
    return endOf(value) > clock() ? value : undefined;
  };

  return {
    /** The credential, if it is there within `waitMs` and within the time for sends. */
    async get({ leaveSignal }: Pick<SendContext, 'leaveSignal'>): Promise<Value | undefined> {
      // A clock that is set back must not make it live longer.
      if (kept !== undefined && clock() < kept.sinceMs) kept = undefined;
      const leftMs = kept === undefined ? 0 : endOf(kept.value) - clock();
      const isOld = kept === undefined || (leftMs === Infinity && clock() - kept.sinceMs >= spareMs);
      if (isOld || leftMs <= spareMs) {
        fetching ??= fetchOnce()
          // Its message may hold a secret, so nothing of a failure is kept.
          .catch(() => undefined)
          .finally(() => (fetching = undefined));
      }
      // The present one is good while the new one comes.
      if (kept !== undefined && leftMs > 0) return kept.value;
      const found = await waitAtMost(Promise.race([fetching, abortOf(leaveSignal)]), waitMs);
      return found === TIMED_OUT ? undefined : found;
    },
    /** Drops it, because the provider does not accept it. */
    forget(): void {
      kept = undefined;
    },
  };
}

/** Resolves when a signal aborts. */
function abortOf(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    const end = (): void => resolve(undefined);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
