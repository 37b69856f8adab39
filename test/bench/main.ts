import { spawnSync } from 'node:child_process';
import { installTools, runNpm } from '../harness/own-tools.js';
import { readBenchOptions, USAGE } from './options.js';
import { ROOT } from './processes.js';

async function main(): Promise<void> {
  const options = readBenchOptions(process.argv.slice(2));
  if (options.isHelp) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  if (options.nodeVersion !== undefined && !isVersion(options.nodeVersion)) {
    runWithNode(options.nodeVersion);
    return;
  }
  if (options.isScale) {
    const { isRedisInstalled, REDIS_IS_MISSING } = await import('../harness/redis-server.js');
    if (!isRedisInstalled()) {
      process.stderr.write(`--scale needs a Redis to start, and ${REDIS_IS_MISSING}\n`);
      process.exitCode = 2;
      return;
    }
  }
  runNpm(['run', 'build']);
  if (!options.isScale) installTools('bench');
  // Imported late, because its imports are large and --help does not need them.
  const { runBench } = await import('./run.js');
  await runBench(options);
}

/** @param version - the beginning of one, such as `24`. */
function isVersion(version: string): boolean {
  return `${process.versions.node}.`.startsWith(`${version}.`);
}

/** Starts the bench again with another version of Node.js, as the gate does. */
function runWithNode(version: string): void {
  const command = ['node', '--import', 'tsx', 'test/bench/main.ts', ...process.argv.slice(2)];
  const { status } = spawnSync('bash', ['-c', '. .ci/parts && on_node "$@"', 'bench', version, ...command], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  // The servers end with their parent.
  process.exit(1);
});
