/**
 * Skips slow tests of code that seldom changes, unless `GATE=1`. `.ci/run` sets it for each change.
 *
 * @param why - what makes them slow: "it builds the package again".
 */
export function onlyInGate(context: Mocha.Context, why: string): void {
  if (process.env['GATE'] === '1') return;
  process.stdout.write(`      skipped: ${why}; GATE=1 runs it, as .ci/run does\n`);
  context.skip();
}
