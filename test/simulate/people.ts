import { between } from '../chaos/chance.js';
import { MINUTE_MS, SECOND_MS } from './calendar.js';

/** What people do with a code. */

/** Codes by text that users type, of all that are sent, resends included (phone-verif.com, 2026-03-26: 72.3 %). */
export const CONVERSION = 0.72;
/** From the request to the use: the median (phone-verif.com, 2026-03-26), and the spread of its logarithm. */
const MEDIAN_USE_MS = 13.5 * SECOND_MS;
const SPREAD = 0.8;
const LONGEST_USE_MS = 5 * MINUTE_MS;
/** Users without a code who ask for another one. The others give up. */
const RESENDS = 0.5;
const MOST_CODES = 4;
/** Okta's event hook: most events come in seconds, some in minutes. */
const MEAN_EVENT_MS = 2 * SECOND_MS;
const SLOW_EVENTS = 0.02;

/** What a user does after a code was sent. */
export type Reaction =
  | { readonly kind: 'use'; readonly afterMs: number; readonly eventAfterMs: number }
  | { readonly kind: 'resend'; readonly afterMs: number }
  | { readonly kind: 'nothing' };

/** @param nth - of the codes of one sign-in, from 1. */
export function reactionTo(nth: number, chance: () => number, conversion: number): Reaction {
  if (chance() < conversion) {
    const afterMs = Math.min(LONGEST_USE_MS, MEDIAN_USE_MS * Math.exp(SPREAD * normal(chance)));
    return { kind: 'use', afterMs, eventAfterMs: afterMs + eventDelayMs(chance) };
  }
  if (nth >= MOST_CODES || chance() >= RESENDS) return { kind: 'nothing' };
  return { kind: 'resend', afterMs: between(chance, 15, 120) * SECOND_MS };
}

function eventDelayMs(chance: () => number): number {
  if (chance() < SLOW_EVENTS) return between(chance, 30, 300) * SECOND_MS;
  return -Math.log(1 - chance()) * MEAN_EVENT_MS;
}

/** Of the normal distribution: Box and Muller. */
function normal(chance: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
}
