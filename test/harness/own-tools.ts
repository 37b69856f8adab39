import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './consumer.js';

/**
 * Installs the packages that only one of the manual runs needs, in its own folder. Call it once the arguments are valid:
 * help and wrong arguments need no installation.
 *
 * @param folder - below `test/`; it has a package.json and a lock file.
 */
export function installTools(folder: string): void {
  runNpm(['ci', '--prefix', `test/${folder}`, '--no-audit', '--no-fund', '--ignore-scripts']);
}

/** As `installTools`, unless the folder has what its lock file names. */
export function installToolsOnce(folder: string): void {
  const lock = join(ROOT, 'test', folder, 'package-lock.json');
  /** The lock of what is installed. */
  const installed = join(ROOT, 'test', folder, 'node_modules/installed-lock.json');
  if (existsSync(installed) && readFileSync(installed).equals(readFileSync(lock))) return;
  installTools(folder);
  copyFileSync(lock, installed);
}

/** Runs npm in the checkout with its output. If npm fails, this process exits with npm's exit code. */
export function runNpm(args: readonly string[]): void {
  const { status } = spawnSync('npm', args, {
    cwd: ROOT,
    stdio: 'inherit',
    // On Windows, npm is a script.
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
}
