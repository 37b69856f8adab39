import type { HookParts } from './call.js';
import type { Breaker, BreakerState } from './delivery/breaker.js';

/** What `status()` tells, without asking anyone. */
export interface HookStatus {
  /** Hook calls that have not been answered yet, and codes that did not arrive and are being sent by the next channel. */
  readonly inFlight: number;
  /** Sends that left before their deadline and have not ended. */
  readonly detached: number;
  readonly closing: boolean;
  /** By host. */
  readonly breakers: Readonly<Record<string, BreakerState>>;
  readonly state: 'ok' | 'lost';
  /** When each channel last had a message accepted. */
  readonly lastSuccess: Readonly<Record<string, Date>>;
}

export function readStatus(parts: HookParts, breakers: ReadonlyMap<string, Breaker>): HookStatus {
  const { underWay, lateFailover, settings } = parts;
  return {
    inFlight: underWay.calls + (lateFailover?.underWay.size ?? 0),
    detached: underWay.detached.size,
    closing: underWay.isClosing,
    breakers: Object.fromEntries([...breakers].map(([host, breaker]) => [host, breaker.state])),
    state: settings.state.health,
    lastSuccess: Object.fromEntries(underWay.lastSuccess),
  };
}
