import { spawnSync } from 'node:child_process';
import { ROOT } from './consumer.js';

/**
 * Installs what only one of the runs by hand needs: kept in a folder of its own, apart from the package's own tools.
 * Asked for once it is known that the run will begin: help, and bad use, cost nobody an installation.
 *
 * @param folder - below `test/`; it has a package.json and a lock file.
 */
export function installTools(folder: string): void {
  runNpm(['ci', '--prefix', `test/${folder}`, '--no-audit', '--no-fund', '--ignore-scripts']);
}

/** Runs npm in the checkout and shows what it says; ends this process where it fails, by its exit code. */
export function runNpm(args: readonly string[]): void {
  const { status } = spawnSync('npm', args, {
    cwd: ROOT,
    stdio: 'inherit',
    // npm is a script of its own on Windows.
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
}
