import { expect } from 'chai';
import { CASES, playResends, problemsOf } from './resend.js';

describe('a resend by the next route, in simulated sign-ins', () => {
  it('is played for 2, 10 and 50 % of messages or users, with and without it', () => {
    expect(CASES).to.have.length(12);
  });

  it('gives the second code to users whom the first provider loses', async () => {
    const which = { loss: 0.5, losesUsers: true };
    const same = await playResends({ ...which, nextRoute: false }, 40, 1);
    const next = await playResends({ ...which, nextRoute: true }, 40, 1);
    const [first = 0] = same.arrivedBy;
    expect(first).to.be.within(10, 30);
    // The same sign-ins: without the next route, no other code arrives.
    expect(same.arrivedBy).to.deep.equal([first, first, first]);
    expect(same.codes).to.equal(first + 3 * (40 - first));
    expect(next.arrivedBy[0]).to.equal(first);
    expect(next.arrivedBy[1]).to.be.at.least(39);
    expect(problemsOf([same, next])).to.deep.equal([]);
    expect(next.codes).to.be.within(80 - first, 82 - first);
  });

  it('is a problem if it does not help them', () => {
    const result = { loss: 0.1, losesUsers: true, nextRoute: true, signIns: 100, codes: 120 };
    expect(problemsOf([{ ...result, arrivedBy: [90, 96] }])).to.deep.equal([]);
    expect(problemsOf([{ ...result, arrivedBy: [90, 94] }])).to.deep.equal([
      'the next route brings few codes to the 10 % of users without the first one',
    ]);
  });

  it('plays the same for the same seed', async () => {
    const which = { loss: 0.1, losesUsers: false, nextRoute: true };
    const one = await playResends(which, 40, 3);
    expect(await playResends(which, 40, 3)).to.deep.equal(one);
    expect(one.codes).to.be.greaterThan(40);
  });
});
