/**
 * Whether this is the nightly run: `npm run nightly` sets `NIGHTLY=1`. The quick run of every change tries fewer
 * combinations and generated cases.
 */
export const isNightly = process.env['NIGHTLY'] === '1';

/** The number of cases of this run. */
export function runs(quick: number, nightly: number): number {
  return isNightly ? nightly : quick;
}
