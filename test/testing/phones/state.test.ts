import { expect } from 'chai';
import { rememberSuppressions } from '#lib/testing/phones/state.js';

const NUMBER = '+447700900123';
const AT = Date.UTC(2026, 0, 1);

describe('the suppressions on the page of the phones', () => {
  it('stay the same if their end differs by a few milliseconds between two reads', async () => {
    const ends = [AT, AT + 1, AT - 2, AT + 60_000];
    const suppressionsOf = rememberSuppressions({
      suppressions: () =>
        Promise.resolve([
          { channel: 'whatsapp', reason: 'stopped', until: new Date(ends.shift() ?? AT + 60_000) },
        ]),
    });
    const seen: unknown[] = [];
    for (let count = 0; count < 5; count += 1) {
      seen.push(suppressionsOf(NUMBER)[0]?.until);
      // The hook answers later.
      await new Promise(setImmediate);
    }
    expect(seen).to.deep.equal([undefined, AT, AT, AT, AT + 60_000]);
  });

  it('change with the reason, the channel and their number', async () => {
    const answers = [
      [{ channel: 'whatsapp', reason: 'unreachable', until: new Date(AT) }],
      [{ channel: 'whatsapp', reason: 'stopped', until: new Date(AT) }],
      [{ channel: 'sms', reason: 'stopped', until: new Date(AT) }],
      [],
    ] as const;
    let at = 0;
    const suppressionsOf = rememberSuppressions({
      suppressions: () => Promise.resolve(answers[at++] ?? []),
    });
    const seen: unknown[] = [];
    for (let count = 0; count < 5; count += 1) {
      seen.push(suppressionsOf(NUMBER).map(({ channel, reason }) => `${channel} ${reason}`));
      await new Promise(setImmediate);
    }
    expect(seen).to.deep.equal([[], ['whatsapp unreachable'], ['whatsapp stopped'], ['sms stopped'], []]);
  });
});
