import type { SendContext } from '../../core/channel.js';
import { TIMED_OUT, waitAtMost } from '../../core/time.js';
import { isCredentials, type AwsCredentialProvider, type AwsCredentials } from './options.js';

/** How long a message may wait for keys, milliseconds. Another provider can then follow. */
const MESSAGE_WAITS_MS = 1_000;

/** How long a fetch may take, milliseconds. After that, the next message begins another one. */
const FETCH_MS = 10_000;

/** Keys are fetched again so long before they expire or, without an expiration, after they came, milliseconds. */
const SPARE_MS = 5 * 60_000;

/** The keys of a channel. */
export interface CredentialSource {
  /** The keys, if they are there within a second and within the time for sends. */
  get(context: Pick<SendContext, 'leaveSignal'>): Promise<AwsCredentials | undefined>;
  /** Drops the keys, because AWS does not accept them. */
  forget(): void;
}

/** Keeps what a function returns until it expires. Messages that come at the same time share one fetch. */
export function credentialSource(
  given: AwsCredentials | AwsCredentialProvider,
  clock: () => number,
): CredentialSource {
  if (typeof given !== 'function') return { get: () => Promise.resolve(given), forget: () => undefined };
  let kept: AwsCredentials | undefined;
  let keptSinceMs = 0;
  let fetching: Promise<AwsCredentials | undefined> | undefined;

  const leftMs = (): number => (kept?.expiration?.getTime() ?? Infinity) - clock();
  const isFresh = (): boolean =>
    kept?.expiration === undefined ? clock() - keptSinceMs < SPARE_MS : leftMs() > SPARE_MS;

  const fetchKeys = async (): Promise<AwsCredentials | undefined> => {
    // Its message may hold a key, so that nothing of a failure is kept.
    const found: unknown = await waitAtMost(given(), FETCH_MS).catch(() => undefined);
    if (!isCredentials(found)) return undefined;
    kept = found;
    keptSinceMs = clock();
    return leftMs() > 0 ? kept : undefined;
  };

  return {
    async get(context) {
      if (kept !== undefined && isFresh()) return kept;
      fetching ??= Promise.resolve()
        .then(fetchKeys)
        .catch(() => undefined)
        .finally(() => (fetching = undefined));
      // The present keys are good while the new ones come.
      if (kept !== undefined && leftMs() > 0) return kept;
      const found = await waitAtMost(
        Promise.race([fetching, abortOf(context.leaveSignal)]),
        MESSAGE_WAITS_MS,
      );
      return found === TIMED_OUT ? undefined : found;
    },
    forget() {
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
