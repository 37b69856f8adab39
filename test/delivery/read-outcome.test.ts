import { expect } from 'chai';
import type { RefusalCause } from '#lib/core/channel.js';
import { readOutcome, readReport } from '#lib/delivery/channel-contract.js';

const FAILED = { code: 'C1', reason: 'No' };

describe('the cause of a refusal', () => {
  const plain = { moveOn: true, isFraudBlock: false, isNotReached: false };
  const causes: Readonly<Record<RefusalCause, object>> = {
    'wrong-number': { moveOn: false },
    'opted-out': { moveOn: 'other-channel' },
    'not-reached': { moveOn: 'other-channel', isNotReached: true },
    fraud: { moveOn: false, isFraudBlock: true },
    account: { moveOn: 'other-provider' },
    busy: {},
    'never-left': {},
  };
  for (const [cause, mechanics] of Object.entries(causes)) {
    it(`${cause} says what follows, at once and of a message that fails later`, () => {
      const mistakes: string[] = [];
      const outcome = readOutcome({ status: 'refused', ...FAILED, cause }, (mistake) =>
        mistakes.push(mistake),
      );
      const expected = { ...FAILED, ...plain, ...mechanics, remedy: undefined };
      expect(outcome).to.deep.equal({ status: 'refused', ...expected, hasLeft: cause !== 'never-left' });
      expect(readReport({ status: 'failed', ...FAILED, cause })).to.deep.equal({
        status: 'failed',
        ...expected,
      });
      expect(mistakes).to.be.empty;
    });
  }

  it('gives way to what the refusal says itself', () => {
    const refusal = {
      status: 'refused',
      ...FAILED,
      cause: 'fraud',
      moveOn: 'other-provider',
      isFraudBlock: false,
      isNotReached: true,
      hasLeft: false,
    };
    expect(readOutcome(refusal, () => undefined)).to.include({
      moveOn: 'other-provider',
      isFraudBlock: false,
      isNotReached: true,
      hasLeft: false,
    });
  });

  for (const cause of ['constructor', 7, null, '']) {
    it(`that is none, such as ${JSON.stringify(cause)}, leaves hope for the next`, () => {
      const mistakes: string[] = [];
      const refusal = { status: 'refused', ...FAILED, cause };
      expect(readOutcome(refusal, (mistake) => mistakes.push(mistake))).to.include({
        ...plain,
        hasLeft: true,
      });
      expect(mistakes).to.have.length(1);
    });
  }
});
