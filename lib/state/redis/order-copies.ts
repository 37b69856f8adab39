import { isCurrent, NOBODY, UNKNOWN, type OrderRecord, type PlacedEvent } from '../../delivery/order.js';
import type { Sealing } from './sealing.js';

/** Reads the order of a person's codes, of which each encryption key has a copy. `step-scripts.ts` writes them. */

const COPY = /^(\d+)\.([^:]+):(\d+):([^:]+):(\d+)$/;

/** The names of an event in the copies. */
export function namesInOrder(sealings: readonly Sealing[], eventKey: string): readonly string[] {
  return sealings.map((sealing) => sealing.digestOf('newest', eventKey));
}

/** As `isCurrent` of `delivery/order.ts`. */
export function isCurrentIn(
  copies: readonly (string | null)[],
  sealings: readonly Sealing[],
  event: PlacedEvent,
): boolean | 'unknown' {
  const known = copies.flatMap((copy, at) => {
    const order = readCopy(copy);
    return order === undefined ? [] : [{ order, at }];
  });
  const [best] = known.sort((one, two) => rankOf(two.order, one.order));
  if (best === undefined) return 'unknown';
  const eventKey = namesInOrder(sealings, event.eventKey)[best.at] ?? '';
  return isCurrent(best.order, { ...event, eventKey });
}

function readCopy(copy: string | null): OrderRecord | undefined {
  const [whole, count, epoch = '', newestPlace, newestEvent = '', requestedAt] = COPY.exec(copy ?? '') ?? [];
  if (whole === undefined) return undefined;
  return {
    count: Number(count),
    epoch,
    newestPlace: Number(newestPlace),
    newestEvent,
    requestedAtMs: Number(requestedAt),
  };
}

/** Positive if the first copy goes before the second one. */
function rankOf(one: OrderRecord, two: OrderRecord): number {
  const knows = ({ newestEvent }: OrderRecord): number =>
    newestEvent === NOBODY ? 2 : newestEvent === UNKNOWN ? 0 : 1;
  return one.count - two.count || one.newestPlace - two.newestPlace || knows(one) - knows(two);
}
