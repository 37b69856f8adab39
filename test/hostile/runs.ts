import fc from 'fast-check';
import { isNightly, runs } from '#harness/thoroughness.js';
import { KEPT_SEEDS } from './kept-seeds.js';

/**
 * How the generated tests run, and how to replay one.
 *
 * Each run of the suite has its own seed, which the titles show. The environment can set the seed and the number of
 * generated cases per property:
 *
 *     npm run hostile                                every property, with few cases, as in each run of the suite
 *     NIGHTLY=1 npm run hostile                      forty times as many
 *     FC_RUNS=10000 npm run hostile                  this number of cases
 *     FC_SEED=42 npm run hostile                     the cases of a run that failed
 *     FC_SEED=42 FC_PATH=7:0:3 npm run hostile -- --grep 'its event comes again'
 *                                                    the one case that fast-check named, already made small, of the
 *                                                    test with these words in its title
 *
 * Add a seed that has failed to `kept-seeds.ts`: every later run replays it before the random cases.
 */
const wanted = {
  seed: numberOf('FC_SEED'),
  runs: numberOf('FC_RUNS'),
  path: process.env['FC_PATH'],
};

const isQuick = wanted.runs === undefined && !isNightly;

/** The seed of this run, which titles show. */
const SEED = wanted.seed ?? Math.floor(Math.random() * 0x7fffffff);

/** The title of a suite, with the seed that replays it. */
export function withSeed(title: string): string {
  return `${title} (FC_SEED=${SEED})`;
}

/** mocha's time limit for a property, milliseconds; 0 is none. */
export const PATIENCE_MS = isQuick ? 60_000 : 0;

/** The report goes into the message, because mocha's workers do not pass on the cause of an error. */
const REPORTED = { includeErrorInReport: true } as const;

/**
 * Checks a property: first with seeds that have failed before, then with the seed of this run.
 *
 * @param cases - how many, unless the environment sets the number: a quarter in a quick run, ten times as many at night.
 */
export async function check<Ts extends [unknown, ...unknown[]]>(
  name: string,
  property: fc.IAsyncPropertyWithHooks<Ts>,
  cases: number,
): Promise<void> {
  for (const { seed, path } of KEPT_SEEDS.filter((kept) => kept.property === name)) {
    await fc.assert(property, { ...REPORTED, seed, path, numRuns: 1, endOnFailure: true });
  }
  await fc.assert(property, {
    ...REPORTED,
    seed: SEED,
    // On a busy machine fewer cases are better than none. The limit also ends the shrinking of a failure.
    ...(isQuick ? { interruptAfterTimeLimit: PATIENCE_MS / 2 } : {}),
    numRuns: wanted.path === undefined ? (wanted.runs ?? runs(Math.ceil(cases / 4), cases * 10)) : 1,
    ...(wanted.path === undefined ? {} : { path: wanted.path, endOnFailure: true }),
  });
}

/** Makes a property of a check that may be synchronous: `check` takes only async properties. */
export const holds = <T>(
  arbitrary: fc.Arbitrary<T>,
  predicate: (value: T) => void | Promise<void>,
): fc.IAsyncPropertyWithHooks<[T]> =>
  fc.asyncProperty(arbitrary, async (value) => {
    await predicate(value);
  });

function numberOf(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`${name} is not a whole number`);
  // Without cases, every property would pass.
  if (name === 'FC_RUNS' && value < 1) throw new Error('FC_RUNS must be 1 or more');
  return value;
}
