import type { SendContext } from '../core/channel.js';
import { TIMED_OUT, waitAtMost } from '../core/time.js';

/** How long a fetch may take, milliseconds. After that, the next message begins another one. */
const FETCH_MS = 10_000;

/**
 * Keeps keys or a token until shortly before they expire. Messages that come at the same time share one fetch. If it fails, the
 * old credential is used until it ends.
 */
export function keptCredential<Value>(parts: {
  readonly fetch: () => unknown;
  /** The function may be written without types; `undefined` if it gave something else. */
  readonly read: (given: unknown) => Value | undefined;
  /** When a credential ends, milliseconds since 1970; `Infinity` if it does not. `undefined` if unknown: it is not kept. */
  readonly endOf: (value: Value) => number | undefined;
  /** It is fetched again so long before its end or, without one, after it came, milliseconds. */
  readonly spareMs: number;
  /**
   * How long a message may wait for a new one, milliseconds. After that it takes the old one, or another provider follows. With an old
   * one, this is the wait of all messages of a fetch together.
   */
  readonly waitMs: number;
  readonly clock: () => number;
}) {
  const { fetch, read, endOf, spareMs, waitMs, clock } = parts;
  let kept: Kept<Value> | undefined;
  let fetching: { readonly found: Promise<Value | undefined>; readonly sinceMs: number } | undefined;

  const fetchOnce = async (): Promise<Value | undefined> => {
    const value = read(await waitAtMost(Promise.resolve().then(fetch), FETCH_MS));
    if (value === undefined) return undefined;
    const endMs = endOf(value);
    if (endMs === undefined) return value;
    const nowMs = clock();
    if (endMs <= nowMs) return undefined;
    kept = { value, sinceMs: nowMs, endMs };
    return value;
  };

  const isFresh = ({ sinceMs, endMs }: Kept<Value>): boolean => {
    const nowMs = clock();
    const ageMs = nowMs - sinceMs;
    // The clock was set back, and its end is uncertain.
    if (ageMs < 0) return false;
    return endMs === Infinity ? ageMs < spareMs : endMs - nowMs > spareMs;
  };

  const hasOld = (): boolean => kept !== undefined && kept.endMs > clock();

  return {
    /** The credential, if it is there within `waitMs` and within the time for sends. */
    async get({ leaveSignal }: Pick<SendContext, 'leaveSignal'>): Promise<Value | undefined> {
      if (kept !== undefined && isFresh(kept)) return kept.value;
      fetching ??= {
        found: fetchOnce()
          // Its message may hold a secret, so nothing of a failure is kept.
          .catch(() => undefined)
          .finally(() => (fetching = undefined)),
        sinceMs: performance.now(),
      };
      const waitedMs = hasOld() ? performance.now() - fetching.sinceMs : 0;
      const leftMs = Math.max(0, waitMs - waitedMs);
      const found = await waitAtMost(Promise.race([fetching.found, abortOf(leaveSignal)]), leftMs);
      if (found !== TIMED_OUT && found !== undefined) return found;
      return hasOld() ? kept?.value : undefined;
    },
    /** Drops it, because the provider does not accept it. */
    forget(): void {
      kept = undefined;
    },
  };
}

interface Kept<Value> {
  readonly value: Value;
  readonly sinceMs: number;
  readonly endMs: number;
}

/** Resolves when a signal aborts. */
function abortOf(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    const end = (): void => resolve(undefined);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
