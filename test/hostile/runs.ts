import fc from 'fast-check';
import { isNightly, runs } from '#harness/thoroughness.js';
import { KEPT_SEEDS } from './kept-seeds.js';

/**
 * How the generated tests run, and how one is run again.
 *
 * Each run of the suite has a seed of its own, which the titles show. It is taken from the environment where it is
 * there, and so is the number of generated cases per property:
 *
 *     npm run hostile                                every property, with few cases, as in each run of the suite
 *     NIGHTLY=1 npm run hostile                      forty times as many
 *     FC_RUNS=10000 npm run hostile                  as many as somebody has time for
 *     FC_SEED=42 npm run hostile                     the cases of a run that failed
 *     FC_SEED=42 FC_PATH=7:0:3 npm run hostile -- --grep 'its event comes'
 *                                                    the one case that fast-check named, already made small, of the
 *                                                    test whose title says so
 *
 * A seed that has failed once is added to `kept-seeds.ts`, and replayed before the random cases ever after.
 */
const asked = {
  seed: numberOf('FC_SEED'),
  runs: numberOf('FC_RUNS'),
  path: process.env['FC_PATH'],
};

const isQuick = asked.runs === undefined && !isNightly;

/** The seed of this run: what is shown in titles. */
const SEED = asked.seed ?? Math.floor(Math.random() * 0x7fffffff);

/** The title of a suite, with what replays it. */
export function withSeed(title: string): string {
  return `${title} (FC_SEED=${SEED})`;
}

/** How long a property may take before mocha thinks that it hangs, milliseconds; 0 is for ever. */
export const PATIENCE_MS = isQuick ? 60_000 : 0;

/** In the message: mocha's workers do not hand on the cause of an error. */
const SHOWN = { includeErrorInReport: true } as const;

/**
 * Checks a property: first where it has failed before, then with the seed of this run.
 *
 * @param cases - how many, unless the environment says so: a quarter of them in a quick run, ten times as many in a nightly one.
 */
export async function check<Ts extends [unknown, ...unknown[]]>(
  name: string,
  property: fc.IAsyncPropertyWithHooks<Ts>,
  cases: number,
): Promise<void> {
  for (const { seed, path } of KEPT_SEEDS.filter((kept) => kept.property === name)) {
    await fc.assert(property, { ...SHOWN, seed, path, numRuns: 1, endOnFailure: true });
  }
  await fc.assert(property, {
    ...SHOWN,
    seed: SEED,
    // On a machine that is busy fewer cases are better than none; and a failure is not made small for ever.
    ...(isQuick ? { interruptAfterTimeLimit: PATIENCE_MS / 2 } : {}),
    numRuns: asked.path === undefined ? (asked.runs ?? runs(Math.ceil(cases / 4), cases * 10)) : 1,
    ...(asked.path === undefined ? {} : { path: asked.path, endOnFailure: true }),
  });
}

function numberOf(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`${name} is not a whole number`);
  // With none, every property would hold.
  if (name === 'FC_RUNS' && value < 1) throw new Error('FC_RUNS must be 1 or more');
  return value;
}
