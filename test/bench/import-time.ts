import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ROOT } from './processes.js';

/** How long each import took, milliseconds. */
export type ImportTimes = ReadonlyMap<string, readonly number[]>;

const MEASURE = `
const startedAt = performance.now();
await Promise.all(process.argv.slice(1).map((name) => import(name)));
console.log(performance.now() - startedAt);`;

/**
 * Imports in fresh processes, in turn.
 *
 * @param subjects - modules to import together, by their name in the table.
 */
export async function measureImports(
  subjects: ReadonlyMap<string, readonly string[]>,
  rounds: number,
): Promise<ImportTimes> {
  const times = new Map([...subjects.keys()].map((name) => [name, [] as number[]]));
  // The first round only fills the disk's cache.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, modules] of subjects) {
      const took = await importOnce(modules);
      if (round > 0) times.get(name)?.push(took);
    }
  }
  return times;
}

async function importOnce(modules: readonly string[]): Promise<number> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', MEASURE, ...modules],
    { cwd: ROOT, env: { NODE_ENV: 'production' } },
  );
  return Number(stdout);
}
