/**
 * Whether a run may take its time: `npm run nightly` sets `NIGHTLY=1`. A quick run, which every change has, tries fewer
 * combinations and fewer generated cases of the same claims.
 */
export const isNightly = process.env['NIGHTLY'] === '1';

/** How many of something this run tries. */
export function runs(quick: number, nightly: number): number {
  return isNightly ? nightly : quick;
}
