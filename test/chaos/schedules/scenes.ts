import { between } from '../chance.js';
import { cutBy } from './faults.js';
import type { Step } from './steps.js';

/** Codes of one user whose times fit together as they seldom do by chance. Everything else about them is random. */

/** @param windowMs - the window of the user's limit. */
export type Scene = (chance: () => number, gateways: number, windowMs: number) => readonly Step[];

/** A gateway goes on without a profile after half of the time for sends. */
const PROFILE_GIVEN_UP_MS = 1_275;
/** For so long Okta is slow, so that only the first call of `windowEnds` waits for it. */
export const WINDOW_SLOW_MS = 600;

/** A call that sends nothing lasts longer than its window. Codes of the next window come before its end, and after. */
const windowEnds: Scene = (chance, gateways, windowMs) => {
  const anyGateway = (): number => between(chance, 0, gateways - 1);
  const endsMs = Math.max(windowMs, PROFILE_GIVEN_UP_MS);
  const nextMs = between(chance, windowMs + 155, endsMs + 20);
  const afterMs = endsMs + between(chance, 5, 300);
  const thenMs = afterMs + between(chance, 50, 300);
  return [
    code(0, 0, anyGateway(), between(chance, 1, 200)),
    ...[nextMs, afterMs, thenMs].map((atMs, index) => code(atMs, index + 1, anyGateway())),
  ];
};

/**
 * A newer code leaves at once, since its gateway has the user's profile, while its place is still on its way to Redis.
 * An older one asks, having waited for the profile at its own gateway.
 */
const slowPlace: Scene = (chance, gateways) => {
  const newer = between(chance, 0, gateways - 1);
  const olderMs = between(chance, 2_000, 3_500);
  const asksMs = chance() < 0.8 ? PROFILE_GIVEN_UP_MS : between(chance, 300, PROFILE_GIVEN_UP_MS);
  const newerMs = olderMs + asksMs - between(chance, 35, 110);
  return [
    code(0, 0, newer),
    code(olderMs, 1, otherThan(newer, chance, gateways)),
    { kind: 'slow command', atMs: newerMs, gateway: newer, skip: 1, forMs: between(chance, 80, 135) },
    code(newerMs, 2, newer),
  ];
};

/** An event comes again while its first caller is gone, beside a newer code; then others come elsewhere. */
const besideNewer: Scene = (chance, gateways) => {
  const home = between(chance, 0, gateways - 1);
  const againMs = between(chance, 1, 60);
  const newerMs = againMs + between(chance, 0, 100);
  return [
    code(0, 0, home, againMs + between(chance, 0, 200)),
    code(againMs, 0, home),
    code(newerMs, 1, home),
    ...[2, 3].map((event) =>
      code(newerMs + between(chance, 100, 1_500), event, otherThan(home, chance, gateways)),
    ),
  ];
};

/** A gateway dies while it takes STOP, and Twilio brings it to another one. */
const wordOfTheDying: Scene = (chance, gateways) => {
  const first = between(chance, 0, gateways - 1);
  const atMs = between(chance, 0, 2_000);
  const stop = { kind: 'word', user: 0, word: 'STOP', message: 9 } as const;
  const cut = cutBy(chance);
  return [
    code(0, 0, between(chance, 0, gateways - 1)),
    { kind: 'kill at a command', atMs, gateway: first, skip: between(chance, 0, 3), cut, forMs: 1_000 },
    { ...stop, atMs, gateway: first },
    { ...stop, atMs: atMs + between(chance, 1, 3_000), gateway: otherThan(first, chance, gateways) },
  ];
};

/** The connection ends while the receipt of a message is on its way to Redis. */
const lostReceipt: Scene = (chance, gateways) => {
  const gateway = between(chance, 0, gateways - 1);
  const atMs = between(chance, 0, 3_000);
  const cut = chance() < 0.6 ? 'before' : cutBy(chance);
  return [
    { kind: 'cut at a command', atMs, gateway, skip: between(chance, 2, 3), cut },
    code(atMs, 0, gateway),
  ];
};

export const SCENES = { windowEnds, slowPlace, besideNewer, wordOfTheDying, lostReceipt } as const;

function code(atMs: number, event: number, gateway: number, hangUpMs = 3_000): Step {
  return { kind: 'code', user: 0, atMs, event, gateway, hangUpMs };
}

function otherThan(gateway: number, chance: () => number, gateways: number): number {
  return (gateway + between(chance, 1, gateways - 1)) % gateways;
}
