import { expect } from 'chai';
import { messageKey } from '#lib/delivery/messages/receipt.js';
import { RunningAttempts, type RunningAttempt } from '#lib/delivery/messages/early-reports.js';
import { defer } from '#harness/until.js';

const REFERENCE = 'a-reference';
const KEY = messageKey('acme', 'SM1');

describe('attempts without an answer', () => {
  let attempts: RunningAttempts;
  /** The ids with which attempts were stopped. */
  let stopped: string[];
  const running = (end: Promise<unknown>): RunningAttempt => ({
    end,
    stop: (transactionId) => stopped.push(transactionId),
  });
  beforeEach(() => {
    attempts = new RunningAttempts();
    stopped = [];
  });

  it('stop at a report that names them', () => {
    attempts.add(REFERENCE, running(defer<undefined>().promise));
    attempts.name('another', KEY);
    expect(stopped).to.be.empty;
    attempts.name(REFERENCE, KEY);
    expect(stopped).to.deep.equal(['SM1']);
    expect(attempts.messageOf(REFERENCE)).to.equal(KEY);
  });

  it('stop at once if a report named them before', () => {
    attempts.name(REFERENCE, KEY);
    attempts.add(REFERENCE, running(Promise.resolve()));
    expect(stopped).to.deep.equal(['SM1']);
    // Nothing of it is running any more.
    attempts.name(REFERENCE, KEY);
    expect(stopped).to.have.length(1);
  });

  it('are not stopped after their end', async () => {
    const ends = defer<undefined>();
    attempts.add(REFERENCE, running(ends.promise));
    ends.resolve(undefined);
    await ends.promise;
    await Promise.resolve();
    attempts.name(REFERENCE, KEY);
    expect(stopped).to.be.empty;
  });

  it('are known by the last 4,000 reports that named them', () => {
    for (let count = 0; count <= 4_000; count += 1) attempts.name(`reference-${count}`, KEY);
    const named = [0, 1, 4_000].map((count) => attempts.messageOf(`reference-${count}`));
    expect(named).to.deep.equal([undefined, KEY, KEY]);
  });
});
