import type { StateEvent } from '#lib/delivery/state.js';

/** Why an event of a state came; of an event without a reason, its type. */
export function reasonOf(event: StateEvent): string {
  return event.type === 'unreadable' ? event.type : event.reason;
}
