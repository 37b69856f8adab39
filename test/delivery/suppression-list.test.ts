import { expect } from 'chai';
import { LocalSuppressions } from '#lib/delivery/suppression-list.js';
import { SUPPRESSED_MS, type SuppressionChange } from '#lib/delivery/suppressions.js';

const NOW = 1_700_000_000_000;
const STOP: SuppressionChange = {
  what: 'suppress',
  channel: 'whatsapp',
  reason: 'STOPPED',
  lifeMs: SUPPRESSED_MS.STOPPED,
};
const START: SuppressionChange = {
  what: 'lift',
  channel: 'whatsapp',
  reasons: ['STOPPED', 'OPTED_OUT', 'NOT_REACHED'],
};

describe('suppressions that this process knows', () => {
  it('apply until all gateways know them, and then only to calls that began before', () => {
    const here = new LocalSuppressions();
    const isShared = here.change('+1', STOP, NOW);
    expect(here.of('+1', NOW, NOW + 1)).to.have.lengthOf(1);
    isShared();
    expect(here.of('+1', NOW, NOW + 1)).to.deep.equal([]);
    expect(here.of('+1', NOW, NOW)).to.have.lengthOf(1);
    expect(here.of('+2', NOW)).to.deep.equal([]);
  });

  it('apply to a number as soon as it is paired with the user id that sent STOP', () => {
    const here = new LocalSuppressions();
    const reasonsOf = (recipient: string): readonly string[] =>
      here.of(recipient, NOW + 5).map(({ reason }) => reason);
    here.change('US.1', STOP, NOW);
    here.pair('US.1', '+1', NOW + 1);
    expect(reasonsOf('+1')).to.deep.equal(['STOPPED']);
    expect(here.of('US.1', NOW + 1)).to.deep.include({
      ...{ channel: '', reason: 'PAIRED', number: '+1', atMs: NOW + 1, sharing: { isShared: false } },
      ...{ untilMs: NOW + 1 + SUPPRESSED_MS.STOPPED, count: 0, learntMs: NOW + 1 },
    });
    // A second pairing does not repeat the STOP.
    here.change('+1', START, NOW + 2);
    here.pair('US.1', '+1', NOW + 3);
    expect(reasonsOf('+1')).to.deep.equal(['STARTED']);
    // A START from the number that is newer than the STOP from the user id stays.
    here.change('US.2', STOP, NOW);
    here.change('+2', START, NOW + 1);
    here.pair('US.2', '+2', NOW + 2);
    expect(reasonsOf('+2')).to.deep.equal(['STARTED']);
  });
});
