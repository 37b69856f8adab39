import { existsSync } from 'node:fs';

/** A disk that is always full. */
export const FULL_DISK = '/dev/full';

/** Skips a test with a reason if the system has no such disk. */
export function needFullDisk(context: Mocha.Context): void {
  if (existsSync(FULL_DISK)) return;
  process.stdout.write(`      skipped: there is no ${FULL_DISK} on this system\n`);
  context.skip();
}
