import { makeAccount } from '../account/account.js';
import { findingsOf } from './findings.js';
import { play, type World } from './play.js';
import type { Script } from './script.js';

/** Plays at most this many smaller schedules. */
const MAX_PLAYS = 60;

/** Leaves out steps of a schedule as long as it still has a finding. Returns the places of those that are left. */
export async function shrink(script: Script, finding: string, world: World): Promise<readonly number[]> {
  let places = script.steps.map((_, place) => place);
  let plays = 0;
  for (let hasShrunk = true; hasShrunk;) {
    hasShrunk = false;
    for (const place of places) {
      const fewer = places.filter((other) => other !== place);
      if (fewer.length === 0 || plays >= MAX_PLAYS) continue;
      plays += 1;
      const facts = await play(withSteps(script, fewer), world);
      if (!findingsOf(makeAccount(facts)).has(finding)) continue;
      places = fewer;
      hasShrunk = true;
    }
  }
  return places;
}

/** The schedule with these of its steps. */
export function withSteps(script: Script, places: readonly number[] | undefined): Script {
  return places === undefined
    ? script
    : { ...script, steps: script.steps.filter((_, place) => places.includes(place)) };
}
