import { expect } from 'chai';
import {
  applyChange,
  mergeCopies,
  SUPPRESSED_MS,
  type Moment,
  type SuppressionChange,
} from '#lib/delivery/suppressions.js';
import type { KeptEntry, SuppressionReason } from '#lib/delivery/records.js';

const NOW = 1_700_000_000_000;
const suppress = (reason: SuppressionReason, channel = 'whatsapp'): SuppressionChange => ({
  what: 'suppress',
  channel,
  reason,
});
const START: SuppressionChange = {
  what: 'lift',
  channel: 'whatsapp',
  isStart: true,
};
const WRITES: SuppressionChange = {
  what: 'lift',
  channel: 'whatsapp',
  isStart: false,
};

describe('entries of a number', () => {
  /** The entries after changes. Each change comes at a moment, and may be older than that. */
  const after = (
    ...changes: readonly (readonly [SuppressionChange, Partial<Moment>?])[]
  ): readonly string[] => {
    let known: readonly KeptEntry[] = [];
    for (const [change, moment] of changes)
      known = applyChange(known, change, { nowMs: NOW, ageMs: 0, ...moment });
    return known.map(({ channel, reason }) => `${channel}:${reason}`);
  };

  it('are kept by channel, those of the user beside those of the provider, until they expire', () => {
    expect(after([suppress('STOPPED')], [suppress('OPTED_OUT')], [suppress('NOT_REACHED')])).to.deep.equal([
      'whatsapp:STOPPED',
      'whatsapp:NOT_REACHED',
    ]);
    expect(after([suppress('STOPPED')], [suppress('NOT_REACHED', 'line')])).to.deep.equal([
      'whatsapp:STOPPED',
      'line:NOT_REACHED',
    ]);
    const yearLater = { nowMs: NOW + SUPPRESSED_MS.STOPPED };
    expect(after([suppress('STOPPED')], [suppress('NOT_REACHED', 'line'), yearLater])).to.deep.equal([
      'line:NOT_REACHED',
    ]);
  });

  it('are lifted by channel and reason', () => {
    expect(after([suppress('STOPPED')], [suppress('NOT_REACHED', 'line')], [START])).to.deep.equal([
      'line:NOT_REACHED',
      'whatsapp:STARTED',
    ]);
    expect(after([suppress('OPTED_OUT')], [START])).to.deep.equal(['whatsapp:LIFTED', 'whatsapp:STARTED']);
    expect(after([suppress('STOPPED')], [suppress('OPTED_OUT')], [WRITES])).to.deep.equal([
      'whatsapp:STOPPED',
      'whatsapp:LIFTED',
    ]);
    expect(after([suppress('OPTED_OUT')], [WRITES], [suppress('NOT_REACHED')])).to.deep.equal([
      'whatsapp:NOT_REACHED',
    ]);
    expect(after([WRITES])).to.deep.equal([]);
    expect(after([suppress('STOPPED', 'line')], [START])).to.deep.equal(['line:STOPPED', 'whatsapp:STARTED']);
  });

  it('follow the change that came last, even if the clock was set back in between', () => {
    const setBack = { nowMs: NOW - 3_600_000 };
    expect(after([suppress('STOPPED')], [START, setBack])).to.deep.equal(['whatsapp:STARTED']);
    expect(after([START], [suppress('STOPPED'), setBack])).to.deep.equal(['whatsapp:STOPPED']);
  });

  it('follow the change that came last, even if it is late and the clock was set back in between', () => {
    const late = { nowMs: NOW - 3_600_000, ageMs: 1_000 };
    expect(after([suppress('STOPPED')], [START, late])).to.deep.equal(['whatsapp:STARTED']);
    expect(after([START], [suppress('STOPPED'), late])).to.deep.equal(['whatsapp:STOPPED']);
    // A change since then counts by its own time.
    const setBack = { nowMs: NOW - 3_600_000 };
    const soon = NOW - 3_600_000 + 5_000;
    for (const [ageMs, left] of [
      [9_000, 'whatsapp:STARTED'],
      [1_000, 'whatsapp:STOPPED'],
    ] as const) {
      const since = [suppress('STOPPED'), { nowMs: soon, ageMs }] as const;
      expect(after([suppress('STOPPED')], [START, setBack], since)).to.deep.equal([left]);
    }
  });

  it('do not change by an older change that comes late', () => {
    const late = { ageMs: 1_000 };
    expect(after([START], [suppress('STOPPED'), late])).to.deep.equal(['whatsapp:STARTED']);
    expect(after([suppress('STOPPED')], [START, late])).to.deep.equal(['whatsapp:STOPPED']);
    expect(after([suppress('NOT_REACHED')], [WRITES, late])).to.deep.equal(['whatsapp:NOT_REACHED']);
    expect(after([suppress('NOT_REACHED')], [suppress('STOPPED'), late])).to.deep.equal([
      'whatsapp:NOT_REACHED',
      'whatsapp:STOPPED',
    ]);
  });

  it('of two copies are the newer ones: by their count, or by their time if the counts are equal', () => {
    const line = { channel: 'line', reason: 'STOPPED', atMs: NOW, untilMs: NOW + 9, count: 0 } as const;
    for (const [here, there, isThereNewer] of [
      [{ count: 1 }, { count: 2, atMs: NOW - 5 }, true],
      [{ count: 2 }, { count: 1, atMs: NOW + 5 }, false],
      [{ count: undefined }, { count: 1, atMs: NOW - 5 }, true],
      [{ count: 1 }, { count: undefined, atMs: NOW + 5 }, false],
      [{ count: 1 }, { count: 1, atMs: NOW + 5 }, false],
      [{ count: 1 }, { count: 1, atMs: NOW + 5, reason: 'STARTED' }, true],
      [{ count: 1 }, { count: 1, atMs: NOW - 5, reason: 'STARTED' }, false],
      [{ count: 1 }, { count: 1, reason: 'STARTED' }, false],
    ] as const) {
      const inCopy = (part: Partial<KeptEntry>): KeptEntry => ({ ...line, channel: 'whatsapp', ...part });
      const [one, other] = [inCopy(here), inCopy(there)];
      const copies = [one, line];
      const merged = mergeCopies(copies, [other]);
      if (isThereNewer) expect(merged).to.deep.equal([line, other]);
      else expect(merged).to.equal(copies);
    }
    expect(mergeCopies([line], [{ ...line, reason: 'NOT_REACHED' }])).to.have.lengthOf(2);
  });
});
