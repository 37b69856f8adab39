import { expect } from 'chai';
import {
  liftSuppressions,
  mergeSuppression,
  passOver,
  SUPPRESSED_MS,
  suppressionFor,
  Suppressions,
  type Suppression,
  type SuppressionReason,
} from '#lib/delivery/suppressions.js';

const NOW = 1_700_000_000_000;
const begun = (reason: SuppressionReason, atMs = NOW, channel = 'whatsapp'): Suppression => ({
  channel,
  reason,
  untilMs: atMs + SUPPRESSED_MS[reason],
});

describe('what is known of a number', () => {
  it('is by channel, and what its owner has said outlives what providers say', () => {
    const stopped = begun('STOPPED');
    const line = begun('NOT_REACHED', NOW, 'line');
    expect(mergeSuppression([stopped], begun('OPTED_OUT', NOW + 1), NOW + 1)).to.deep.equal([stopped]);
    expect(mergeSuppression([stopped], line, NOW)).to.deep.equal([stopped, line]);
    expect(mergeSuppression([begun('OPTED_OUT')], stopped, NOW)).to.deep.equal([stopped]);
    const over = begun('STOPPED', NOW - SUPPRESSED_MS.STOPPED);
    expect(mergeSuppression([over], line, NOW)).to.deep.equal([line]);
  });

  it('is taken back by channel and reason, but for what began after that', () => {
    const stopped = begun('STOPPED');
    const told = begun('NOT_REACHED', NOW, 'line');
    const lifted = { channel: 'whatsapp', reasons: ['STOPPED'] } as const;
    expect(liftSuppressions([stopped, told], lifted, NOW)).to.deep.equal([told]);
    expect(liftSuppressions([stopped], lifted, NOW - 1)).to.deep.equal([stopped]);
    expect(liftSuppressions([stopped], { channel: 'whatsapp', reasons: ['OPTED_OUT'] }, NOW)).to.deep.equal([
      stopped,
    ]);
    expect(liftSuppressions([stopped], { channel: 'line', reasons: ['STOPPED'] }, NOW)).to.deep.equal([
      stopped,
    ]);
  });

  it('counts by the word of the owner first, in whatever order it is known', () => {
    const both = [begun('NOT_REACHED'), begun('STOPPED')];
    expect(suppressionFor(both, 'whatsapp')?.reason).to.equal('STOPPED');
    expect(suppressionFor(both, 'line')).to.equal(undefined);
  });

  it('leaves a user some channel, unless they said STOP to all', () => {
    const all: Readonly<Record<string, SuppressionReason>> = { whatsapp: 'STOPPED', line: 'OPTED_OUT' };
    const of = (channel: string): Suppression | undefined => {
      const reason = all[channel];
      return reason === undefined ? undefined : begun(reason, NOW, channel);
    };
    expect(passOver(['whatsapp', 'line', 'sms'], of)).to.deep.equal({
      channels: ['sms'],
      passedOver: ['whatsapp:STOPPED', 'line:OPTED_OUT'],
    });
    expect(passOver(['whatsapp', 'line'], of)).to.deep.equal({
      channels: ['line'],
      passedOver: ['whatsapp:STOPPED'],
    });
    expect(passOver(['whatsapp'], of)).to.deep.equal({ channels: [], passedOver: ['whatsapp:STOPPED'] });
  });

  it('counts in this process until all gateways know it, and from a moment on after that', () => {
    const here = new Suppressions();
    const isShared = here.add('+1', begun('STOPPED'), NOW);
    expect(here.of('+1', NOW, NOW + 1)).to.have.lengthOf(1);
    isShared();
    expect(here.of('+1', NOW, NOW + 1)).to.deep.equal([]);
    expect(here.of('+1', NOW, NOW)).to.have.lengthOf(1);
    expect(here.of('+2', NOW)).to.deep.equal([]);
  });
});
