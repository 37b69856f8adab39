import type { Claim, StatePort } from './state.js';

/**
 * Claims something that is no code, such as a message of a user: of several gateways one is the first. It takes no place and counts
 * against no limit.
 *
 * @param key - different from all other keys that are claimed.
 * @param times.rememberMs - how long it is remembered.
 * @param times.waitMs - how long the state may take; after that, this process decides alone.
 */
export async function claimOnce(
  state: Pick<StatePort, 'claim'>,
  key: string,
  { rememberMs, waitMs }: { readonly rememberMs: number; readonly waitMs: number },
): Promise<Claim> {
  return state.claim({
    key,
    isRepeatable: true,
    person: undefined,
    isPreview: false,
    passes: 'never',
    requestedAtMs: 0,
    nowMs: 0,
    rememberMs,
    lifeMs: rememberMs,
    limits: [],
    recipient: undefined,
    waitMs,
  });
}
