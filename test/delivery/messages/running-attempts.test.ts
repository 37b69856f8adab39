import { expect } from 'chai';
import { messageKey } from '#lib/delivery/messages/receipt.js';
import { RunningAttempts, type RunningAttempt } from '#lib/delivery/messages/running-attempts.js';
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

  it('stop at a report that names them, which gets their end', () => {
    const end = defer<undefined>().promise;
    attempts.add(REFERENCE, running(end));
    expect(attempts.name(REFERENCE, KEY)).to.equal(end);
    expect(stopped).to.deep.equal(['SM1']);
    expect(attempts.messageOf(REFERENCE)).to.equal(KEY);
  });

  it('stop at once if a report named them before', () => {
    expect(attempts.name(REFERENCE, KEY)).to.equal(undefined);
    attempts.add(REFERENCE, running(Promise.resolve()));
    expect(stopped).to.deep.equal(['SM1']);
    // Nothing of it is running any more.
    expect(attempts.name(REFERENCE, KEY)).to.equal(undefined);
  });

  it('are not stopped after their end, nor by a report that names another one', async () => {
    const ends = defer<undefined>();
    attempts.add(REFERENCE, running(ends.promise));
    expect(attempts.name('another', KEY)).to.equal(undefined);
    ends.resolve(undefined);
    await ends.promise;
    await Promise.resolve();
    expect(attempts.name(REFERENCE, KEY)).to.equal(undefined);
    expect(stopped).to.be.empty;
  });

  it('are known as kept by the process that kept them, the last 1,000', () => {
    for (let count = 0; count <= 1_000; count += 1) attempts.keep(`reference-${count}`);
    const isKept = [0, 1, 1_000, 1_001].map((count) => attempts.isKept(`reference-${count}`));
    expect(isKept).to.deep.equal([false, true, true, false]);
  });

  it('are known by the last 4,000 reports that named them', () => {
    for (let count = 0; count <= 4_000; count += 1) attempts.name(`reference-${count}`, KEY);
    const named = [0, 1, 4_000].map((count) => attempts.messageOf(`reference-${count}`));
    expect(named).to.deep.equal([undefined, KEY, KEY]);
  });
});
