import { randomUUID } from 'node:crypto';
import type { EventClaim } from '#lib/delivery/state.js';

/**
 * The claim of an event: of a user's code if it names a person.
 *
 * @param key - `undefined` for an event that no repeat can have.
 */
export function eventClaim(key: string | undefined, given: Partial<EventClaim> = {}): EventClaim {
  return {
    key: key ?? randomUUID(),
    isRepeatable: key !== undefined,
    person: undefined,
    isPreview: false,
    passes: 'withinLimits',
    requestedAtMs: 1_700_000_000_000,
    nowMs: 1_700_000_000_000,
    rememberMs: 60_000,
    lifeMs: given.rememberMs ?? 60_000,
    limits: [],
    // As long as a test may take: a busy machine must not let a claim time out. A test of the time-out gives its own.
    waitMs: 60_000,
    reads: [],
    ...given,
  };
}
