import { expect } from 'chai';
import { rowsOf, sayFailovers } from '#lib/console/browser/flow-rows.js';
import type { Failover, Flow, FlowWay } from '#lib/console/history/answers.js';

const way = (
  first: string | undefined,
  [count, delivered, used]: readonly [number, number, number],
  failover?: Failover,
  last?: string,
): FlowWay => ({ first, failover, last, count, delivered, used });

const flow = (...ways: readonly FlowWay[]): Flow => ({
  asked: ways.reduce((sum, { count }) => sum + count, 0),
  ways,
  sent: [],
  countries: [],
  providers: [],
  completeSince: 0,
});

const MIXED = flow(
  way('whatsapp', [6, 5, 4]),
  way('sms', [20, 18, 17]),
  way('whatsapp', [3, 2, 1], 'late', 'sms'),
  way(undefined, [1, 0, 0]),
  way('whatsapp', [1, 1, 1], 'early', 'whatsapp'),
);

describe('the rows of the flow', () => {
  it('go channel by channel, the largest first, each with its share of the step before', () => {
    const rows = rowsOf(MIXED).map(({ label, depth, count, of }) => [depth, label, count, of]);
    expect(rows).to.deep.equal([
      [0, 'Requested by Okta', 31, 31],
      [1, 'SMS', 20, 31],
      [2, 'delivered', 18, 20],
      [2, 'used', 17, 20],
      [1, 'WhatsApp', 10, 31],
      [2, 'failed over', 4, 10],
      [3, 'then SMS', 3, 4],
      [3, 'then WhatsApp by another provider', 1, 4],
      [2, 'delivered', 8, 10],
      [2, 'used', 6, 10],
      [1, 'Blocked, or not sent', 1, 31],
    ]);
  });

  it('come with the share of each channel that failed over', () => {
    expect(sayFailovers(MIXED)).to.deep.equal([
      '40 % of the WhatsApp codes failed over: 1 before the answer to Okta, 3 after it.',
    ]);
    expect(
      sayFailovers(flow(way('whatsapp', [64, 1, 1]), way('whatsapp', [1, 1, 1], 'late', 'sms'))),
    ).to.deep.equal(['1.5 % of the WhatsApp codes failed over: 0 before the answer to Okta, 1 after it.']);
    expect(sayFailovers(flow(way('sms', [2, 1, 1])))).to.deep.equal(['No code failed over.']);
  });
});
