import type { Script } from './script.js';

/** Tries at most this many smaller schedules. */
const MAX_TRIES = 150;

/**
 * Leaves out users and steps of a schedule as long as it still has a finding. Returns the places of the steps that are
 * left.
 */
export async function shrink(
  script: Script,
  hasFinding: (smaller: Script) => Promise<boolean>,
): Promise<readonly number[]> {
  let places = script.steps.map((_, place) => place);
  let tries = 0;
  const keepIfFound = async (isKept: (place: number) => boolean): Promise<boolean> => {
    const fewer = places.filter(isKept);
    if (fewer.length === 0 || fewer.length === places.length || tries >= MAX_TRIES) return false;
    tries += 1;
    if (!(await hasFinding(withSteps(script, fewer)))) return false;
    places = fewer;
    return true;
  };
  const userAt = (place: number): number | undefined => {
    const step = script.steps[place];
    return step !== undefined && 'user' in step ? step.user : undefined;
  };
  const users = [...script.users.keys()];
  // Mostly one user is enough.
  for (const user of users) {
    if (await keepIfFound((place) => [undefined, user].includes(userAt(place)))) break;
  }
  for (const user of users) await keepIfFound((place) => userAt(place) !== user);
  for (let hasShrunk = true; hasShrunk;) {
    hasShrunk = false;
    for (const place of places) if (await keepIfFound((other) => other !== place)) hasShrunk = true;
  }
  return places;
}

/** The schedule with these of its steps. */
export function withSteps(script: Script, places: readonly number[] | undefined): Script {
  return places === undefined
    ? script
    : { ...script, steps: script.steps.filter((_, place) => places.includes(place)) };
}
