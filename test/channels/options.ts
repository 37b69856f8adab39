import { expect } from 'chai';
import { ConfigurationError } from '#lib/index.js';
import { witness } from '#harness/witness.js';

/** The problems of the error that a factory throws. */
export function problemsOf(make: () => unknown): readonly string[] {
  try {
    make();
  } catch (error) {
    witness(error);
    expect(error).to.be.instanceOf(ConfigurationError);
    return (error as ConfigurationError).problems;
  }
  return [];
}
