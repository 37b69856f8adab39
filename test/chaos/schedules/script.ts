import { between, chanceOf, pick, shuffled } from '../chance.js';
import { providersBy, type WhatsAppProviders } from '../pushing.js';
import { FAULTS, GATEWAY_FAULTS, type MakeFault } from './faults.js';
import { SCENES, WINDOW_SLOW_MS, type Scene } from './scenes.js';
import type { Step } from './steps.js';
import { EVENTS_PER_USER } from './users.js';

/** Makes a random schedule: what happens to the codes of some users, and which faults, at which times. */

/** How many gateways and users a schedule has, and where it remembers. */
export interface Size {
  readonly gateways: number;
  readonly users: number;
  /** By chance if it is `undefined`. */
  readonly state: 'memory' | 'redis' | undefined;
}

/** One of the users. */
export interface User {
  readonly isOptedIn: boolean;
  /** For so long, profiles often take half of a call's time. */
  readonly oktaSlowForMs: number;
  /** Twilio accepts every WhatsApp message at once, and delivers none. */
  readonly isWhatsAppDown: boolean;
}

export interface Script {
  readonly seed: number;
  /** The single gateway remembers in its process. */
  readonly isInMemory: boolean;
  readonly gateways: number;
  readonly isProfileCached: boolean;
  readonly whatsApp: WhatsAppProviders;
  /** A WhatsApp message without a delivery report counts as lost after this time; `undefined`: never. */
  readonly afterSeconds: number | undefined;
  /** The limit of each user. */
  readonly limit: { readonly points: number; readonly seconds: number } | undefined;
  /** The lists of encryption keys that gateways have: while a key is changed, there are several. */
  readonly keyLists: readonly (readonly number[])[];
  /** How far the clock of each gateway is ahead, milliseconds. */
  readonly clocksAheadMs: readonly number[];
  readonly users: readonly User[];
  readonly steps: readonly Step[];
}

/** The numbers of a user's words begin with the number of the user. */
const WORDS_PER_USER = 10;
/** Users begin within this time, milliseconds. */
const USERS_BEGIN_MS = 3_000;
const CLOCK_OFF_MS = 20_000;

/** One key, then the two steps of a change. */
const KEY_LISTS: readonly Script['keyLists'][] = [[[0]], [[0], [1, 0]], [[1, 0], [0, 1], [1]]];

export function makeScript(seed: number, size: Size): Script {
  const chance = chanceOf(seed, 'script');
  const isInMemory = size.state === undefined ? chance() < 0.25 : size.state === 'memory';
  const gateways = isInMemory ? 1 : size.gateways;
  const limit =
    chance() < 0.25 ? { points: between(chance, 1, 2), seconds: between(chance, 1, 2) } : undefined;
  const isProfileCached = chance() < 0.4;
  const isClockOff = chance() < 0.25;
  const setting = { seed, gateways, limit, isProfileCached };
  const users = Array.from({ length: size.users }, (_, user) => userBy(user, setting));
  const steps = users.flatMap((user) => user.steps);
  const faults = faultsBy(chance, gateways, isInMemory ? GATEWAY_FAULTS : FAULTS, steps);
  return {
    ...{ ...setting, isInMemory, whatsApp: providersBy(chanceOf(seed, 'providers')) },
    afterSeconds: chance() < 0.25 ? 5 : undefined,
    keyLists: KEY_LISTS[
      pick(chance, [
        [3, 0, 0],
        [2, 1, 2],
      ])
    ] ?? [[0]],
    clocksAheadMs: Array.from({ length: gateways }, () =>
      isClockOff ? between(chance, -CLOCK_OFF_MS, CLOCK_OFF_MS) : 0,
    ),
    users: users.map(({ isOptedIn, oktaSlowForMs, isWhatsAppDown }) => ({
      ...{ isOptedIn, oktaSlowForMs, isWhatsAppDown },
    })),
    // At the same moment a fault comes first.
    steps: [...faults, ...steps].sort((one, other) => one.atMs - other.atMs),
  };
}

function userBy(
  user: number,
  { seed, gateways, limit, isProfileCached }: Pick<Script, 'seed' | 'gateways' | 'limit' | 'isProfileCached'>,
): User & { readonly steps: readonly Step[] } {
  const chance = chanceOf(seed, `user ${user}`);
  const scene = gateways === 1 ? undefined : sceneBy(chance, limit !== undefined, isProfileCached);
  const codes = scene?.(chance, gateways, (limit?.seconds ?? 0) * 1000) ?? codesBy(chance, gateways);
  const steps = [...codes, ...wordsBy(chance, gateways, codes), ...usesBy(chance, gateways)];
  // Scenes rely on a slow Okta at their start.
  const beginsMs = user === 0 || scene === SCENES.windowEnds ? 0 : between(chance, 0, USERS_BEGIN_MS);
  return {
    isOptedIn: chance() < 0.85,
    oktaSlowForMs: slowBy(chance, scene),
    isWhatsAppDown: chance() < (scene === SCENES.lostReceipt ? 0.7 : 0.1),
    steps: steps.map((step) => stepOf(user, { ...step, atMs: step.atMs + beginsMs })),
  };
}

/** The step of a user: all numbers differ from those of the others. */
function stepOf(user: number, step: Step): Step {
  switch (step.kind) {
    case 'code':
      return { ...step, user, event: user * EVENTS_PER_USER + step.event };
    case 'word':
      return { ...step, user, message: user * WORDS_PER_USER + step.message };
    case 'use':
      return { ...step, user, event: user * EVENTS_PER_USER + step.event, use: user };
    default:
      return step;
  }
}

/** Of most users none. */
function sceneBy(chance: () => number, hasLimit: boolean, isProfileCached: boolean): Scene | undefined {
  if (hasLimit) return chance() < 0.5 ? SCENES.windowEnds : undefined;
  const others = [SCENES.slowPlace, SCENES.besideNewer, SCENES.wordOfTheDying, SCENES.lostReceipt];
  return others[
    pick(chance, [
      [isProfileCached ? 25 : 0, 0, 0],
      [15, 1, 1],
      [6, 2, 2],
      [6, 3, 3],
      [63, 4, 4],
    ])
  ];
}

function slowBy(chance: () => number, scene: Scene | undefined): number {
  if (scene === SCENES.windowEnds) return WINDOW_SLOW_MS;
  return chance() < (scene === undefined ? 0.35 : 0.8) ? 60_000 : 0;
}

/** Of several events, some at once; with hang-ups, Okta's retries, and repeats of any earlier event. */
function codesBy(chance: () => number, gateways: number): readonly Step[] {
  const steps: Step[] = [];
  const events = pick(chance, [
    [1, 1, 1],
    [3, 2, 2],
    [4, 3, 3],
    [2, 4, 5],
  ]);
  // In a crowd, most calls come to one gateway, nearly at once, and their callers are impatient.
  const isCrowd = chance() < 0.35;
  const anyGateway = (): number => between(chance, 0, gateways - 1);
  const home = anyGateway();
  let atMs = 0;
  for (let event = 0; event < events; event += 1) {
    const isImpatient = chance() < (isCrowd ? 0.6 : 0.35);
    const hangUpMs = isImpatient
      ? pick(chance, [
          [3, 1, 120],
          [3, 100, 900],
          [1, 900, 2_900],
        ])
      : 3_000;
    const gateway = chance() < (isCrowd ? 0.75 : 0.3) ? home : anyGateway();
    steps.push({ kind: 'code', user: 0, atMs, event, gateway, hangUpMs });
    const callAgain = (afterMs: number): void => {
      const at = chance() < 0.5 ? gateway : anyGateway();
      steps.push({ kind: 'code', user: 0, atMs: atMs + afterMs, event, gateway: at, hangUpMs: 3_000 });
    };
    if (chance() < (isImpatient ? 0.8 : 0.3)) {
      callAgain(
        pick(chance, [
          [isCrowd ? 6 : 2, 0, 60],
          [2, 20, hangUpMs],
          [4, hangUpMs, hangUpMs + 200],
        ]),
      );
    }
    if (chance() < 0.3)
      callAgain(
        pick(chance, [
          [2, 100, 1_000],
          [3, 1_000, 8_000],
        ]),
      );
    atMs += pick(chance, [
      [isCrowd ? 10 : 3, 0, 100],
      [4, 100, 600],
      [3, 600, 2_000],
      [1, 2_000, 5_000],
    ]);
  }
  return steps;
}

/** STOP and START, often while a code is on its way; some come twice. */
function wordsBy(chance: () => number, gateways: number, codes: readonly Step[]): readonly Step[] {
  const steps: Step[] = [];
  const words = pick(chance, [
    [5, 0, 0],
    [5, 1, 1],
    [2, 2, 3],
  ]);
  for (let message = 0; message < words; message += 1) {
    const near = codes[between(chance, 0, codes.length - 1)]?.atMs ?? 0;
    const atMs =
      near +
      pick(chance, [
        [5, 0, 900],
        [3, 900, 4_000],
      ]);
    const word = chance() < 0.75 ? 'STOP' : 'START';
    const times =
      chance() < 0.5
        ? [atMs]
        : [
            atMs,
            atMs +
              pick(chance, [
                [2, 0, 100],
                [2, 100, 3_000],
              ]),
          ];
    for (const at of times)
      steps.push({
        kind: 'word',
        user: 0,
        atMs: at,
        word,
        message,
        gateway: between(chance, 0, gateways - 1),
      });
  }
  return steps;
}

/** A report of a used code, sometimes twice. */
function usesBy(chance: () => number, gateways: number): readonly Step[] {
  if (chance() > 0.25) return [];
  const atMs = between(chance, 300, 6_000);
  const times = chance() < 0.6 ? [atMs] : [atMs, atMs + between(chance, 0, 800)];
  return times.map((at) => ({
    ...{ kind: 'use', user: 0, atMs: at, event: 0, use: 0, gateway: between(chance, 0, gateways - 1) },
  }));
}

/** Faults near what happens: before it, or within the time that it takes; often at its gateway. */
function faultsBy(
  chance: () => number,
  gateways: number,
  kinds: readonly MakeFault[],
  steps: readonly Step[],
): readonly Step[] {
  const faults = pick(chance, [
    [2, 0, 0],
    [4, 1, 1],
    [3, 2, 2],
    [2, 3, 4],
  ]);
  return shuffled(kinds, chance)
    .slice(0, faults)
    .map((makeFault) => {
      const near = steps[between(chance, 0, steps.length - 1)];
      const afterMs = pick(chance, [
        [6, 0, 0],
        [2, -400, 0],
        [3, 0, 60],
        [2, 60, 1_500],
      ]);
      const its = near !== undefined && 'gateway' in near ? near.gateway : 0;
      const gateway = chance() < 0.6 ? its : between(chance, 0, gateways - 1);
      return { atMs: Math.max(0, (near?.atMs ?? 0) + afterMs), ...makeFault(chance, gateway) };
    });
}
