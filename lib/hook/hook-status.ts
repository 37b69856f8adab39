import type { HookParts } from './parts.js';
import type { Breaker } from '../delivery/breaker.js';
import type { HookStatus } from './telephony-hook.js';

/** At once, without asking anyone. */
export function readStatus(parts: HookParts, breakers: ReadonlyMap<string, Breaker>): HookStatus {
  const { underWay, lateFailover, settings } = parts;
  return {
    inFlight: underWay.calls.size + (lateFailover?.underWay.size ?? 0),
    detached: underWay.detached.size,
    closing: underWay.isClosing,
    breakers: Object.fromEntries([...breakers].map(([host, breaker]) => [host, breaker.state])),
    state: settings.state.health,
    lastSuccess: Object.fromEntries(
      Array.from(underWay.lastSuccess, ([channel, atMs]) => [channel, new Date(atMs)]),
    ),
  };
}
