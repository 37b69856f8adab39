import { expect } from 'chai';
import type { HookEvent } from '#lib/core/events.js';
import type { DeliveryTimes, ExecutionFilter, ExecutionOutcome } from '#lib/console/history/answers.js';
import { failoverOf } from '#lib/console/history/execution-outcome.js';
import { createHistory, type KeptHistory } from '#lib/console/history/history.js';
import { bucketsOf, pointOf, type TimelinePoint } from '#lib/console/history/timeline.js';
import { memoryLog } from './memory-log.js';
import { eventsOf } from '../../events/sample-events.js';

const MINUTE_MS = 60_000;
/** The start of an hour. */
const HOUR = 1_699_999_200_000;
const at = (outcome: TimelinePoint['outcome'], ms: number): TimelinePoint => ({
  at: HOUR + ms,
  outcome,
  deliveries: [],
});
const delivered = (...times: readonly number[]): TimelinePoint => ({
  at: HOUR,
  outcome: 'accepted',
  deliveries: times.map((ms) => ({ channel: 'sms', ms })),
});
const firstTo = (count: number): readonly number[] =>
  Array.from({ length: count }, (_none, ms) => count - ms);
const times = (count: number, medianMs: number, p95Ms: number): DeliveryTimes => {
  return { channel: 'sms', count, medianMs, p95Ms };
};

describe('the timeline', () => {
  describe('counts by the time of the request:', () => {
    const span = { bucketMs: 5 * MINUTE_MS, count: 3 };
    const nowMs = HOUR + 12 * MINUTE_MS;
    const names = ['accepted', 'unknown', 'blocked', 'refused', 'failedOver', 'undelivered'] as const;
    const cases: readonly (readonly [string, readonly TimelinePoint[], readonly (readonly number[])[]])[] = [
      ['no codes', [], [[], [], []]],
      ['each outcome', names.map((outcome, ms) => at(outcome, ms)), [[1, 1, 1, 1, 1, 1]]],
      [
        'both ends of a bucket',
        [at('accepted', 0), at('accepted', 299_999), at('accepted', 300_000)],
        [[2], [1]],
      ],
      ['the current minute', [at('refused', 12 * MINUTE_MS)], [[], [], [0, 0, 0, 1]]],
      ['a gateway with a fast clock, not counted', [at('refused', 15 * MINUTE_MS)], []],
      ['earlier codes, not counted', [at('refused', -1)], []],
      ['a running call, not counted', [at(undefined, 0)], []],
    ];
    for (const [what, points, expected] of cases) {
      it(what, () => {
        const buckets = bucketsOf(points, span, nowMs);
        expect(buckets.map(({ from }) => from - HOUR)).to.deep.equal([0, 300_000, 600_000]);
        expect(buckets.map(({ codes }) => names.map((outcome) => codes[outcome]))).to.deep.equal(
          [0, 1, 2].map((index) => names.map((_name, outcome) => expected[index]?.[outcome] ?? 0)),
        );
      });
    }
  });

  it('shows median and 95th percentile of the time to delivery at the nearest rank', () => {
    const cases: readonly (readonly [readonly number[], DeliveryTimes])[] = [
      [[700], times(1, 700, 700)],
      [[900, 100], times(2, 100, 900)],
      [[3, 1, 2], times(3, 2, 3)],
      [firstTo(20), times(20, 10, 19)],
      [firstTo(100), times(100, 50, 95)],
    ];
    for (const [ms, expected] of cases) {
      const [bucket] = bucketsOf([delivered(...ms)], { bucketMs: MINUTE_MS, count: 1 }, HOUR);
      expect(bucket?.deliveries).to.deep.equal([expected]);
    }
    const two: TimelinePoint = {
      ...delivered(5),
      deliveries: [...delivered(5).deliveries, { channel: 'line', ms: 9 }],
    };
    const [bucket] = bucketsOf([two], { bucketMs: MINUTE_MS, count: 1 }, HOUR);
    expect(bucket?.deliveries.map(({ channel, medianMs }) => [channel, medianMs])).to.deep.equal([
      ['line', 9],
      ['sms', 5],
    ]);
  });

  describe('pointOf() reads', () => {
    const of = eventsOf('e1', HOUR);
    const cases: readonly (readonly [
      string,
      readonly HookEvent[],
      ExecutionOutcome,
      Omit<TimelinePoint, 'at'>,
    ])[] = [
      ['its answer', [of.answered(9, 'PENDING')], 'sent', { outcome: 'unknown', deliveries: [] }],
      ['no answer, while it runs', [of.received()], 'running', { outcome: undefined, deliveries: [] }],
      [
        'no answer, and a message',
        [of.attempt(9, 'accepted')],
        'sent',
        { outcome: 'accepted', deliveries: [] },
      ],
      ['no answer at all', [of.received()], 'failed', { outcome: 'refused', deliveries: [] }],
      [
        'the first report that a message was delivered, for each channel',
        [
          of.answered(9, 'SUCCESSFUL'),
          of.status(2_000, 'SM1', 'sent'),
          of.status(4_000, 'SM1', 'delivered'),
          of.status(5_000, 'SM2', 'undelivered'),
          of.status(9_000, 'SM1', 'read'),
          of.status(9_500, 'CA1', 'completed', { channel: 'voice' }),
        ],
        'delivered',
        {
          outcome: 'accepted',
          deliveries: [
            { channel: 'sms', ms: 4_000 },
            { channel: 'voice', ms: 9_500 },
          ],
        },
      ],
      [
        'a message that failed later, and that nothing followed',
        [of.answered(9, 'SUCCESSFUL')],
        'undelivered',
        { outcome: 'undelivered', deliveries: [] },
      ],
      [
        'late failover, and when the message of the other channel was delivered',
        [
          of.attempt(5, 'accepted', { channel: 'whatsapp', transactionId: 'MM1' }),
          of.answered(9, 'SUCCESSFUL'),
          of.status(4_000, 'MM1', 'undelivered', { channel: 'whatsapp' }),
          of.failover(4_500, { channel: 'sms', transactionId: 'SM1' }),
          of.status(6_000, 'SM1', 'delivered'),
        ],
        'delivered',
        { outcome: 'failedOver', deliveries: [{ channel: 'sms', ms: 6_000 }] },
      ],
      [
        'a delivery before the request, due to two clocks, as 0 ms',
        [of.status(-50, 'SM1', 'delivered')],
        'delivered',
        { outcome: 'accepted', deliveries: [{ channel: 'sms', ms: 0 }] },
      ],
    ];
    for (const [what, events, outcome, expected] of cases) {
      it(what, () => {
        const summary = { startedAt: HOUR, outcome, failover: failoverOf(events) };
        expect(pointOf(events, summary)).to.deep.equal({ at: HOUR, ...expected });
      });
    }
  });

  describe('of a history', () => {
    const span = { bucketMs: MINUTE_MS, count: 2 };
    const clock = (): number => HOUR + MINUTE_MS + 1;
    const record = ({ listener }: KeptHistory, id: string, ms: number, isPreview = false): void => {
      const of = eventsOf(id, HOUR + ms);
      void listener(of.received(0, { isPreview }));
      void listener(of.answered(5, 'ERROR', { isPreview }));
    };
    const refusedIn = async (kept: KeptHistory): Promise<readonly (number | undefined)[]> => {
      const { spans } = await kept.history.timeline([span, { ...span, count: 1 }]);
      return spans.map(({ buckets }) => buckets.map(({ codes }) => codes.refused)).flat();
    };

    it('omits previews, and says since when it is complete', async () => {
      let nowMs = HOUR;
      const kept = createHistory({ log: undefined, clock: () => nowMs, max: 2 });
      nowMs = clock();
      record(kept, 'preview', 10, true);
      record(kept, 'e1', 20);
      expect(await refusedIn(kept)).to.deep.equal([1, 0, 0]);
      expect((await kept.history.timeline([])).completeSince).to.equal(HOUR);
      record(kept, 'e2', 30);
      record(kept, 'e3', MINUTE_MS);
      expect(await refusedIn(kept)).to.deep.equal([1, 1, 1]);
      expect((await kept.history.timeline([])).completeSince).to.equal(HOUR + 20);
      expect((await kept.history.find({ limit: 1 })).completeSince).to.equal(HOUR + 20);
      await kept.close();
    });

    it('counts the executions that fit a query, previews too', async () => {
      const kept = createHistory({ log: undefined, clock });
      record(kept, 'preview', 10, true);
      record(kept, 'e1', 20);
      const refused = async (query: ExecutionFilter): Promise<number | undefined> => {
        const { spans } = await kept.history.timeline([{ bucketMs: 2 * MINUTE_MS, count: 1 }], query);
        return spans[0]?.buckets[0]?.codes.refused;
      };
      expect(await refused({})).to.equal(2);
      expect(await refused({ search: 'req-e1' })).to.equal(1);
      expect(await refused({ outcome: 'used' })).to.equal(0);
      await kept.close();
    });

    it('has the codes of all gateways on one state', async () => {
      const log = memoryLog();
      const [one, other] = [createHistory({ log, clock }), createHistory({ log, clock })];
      // An empty log does not cover the time before.
      expect((await other.history.timeline([])).completeSince).to.equal(clock());
      record(one, 'e1', 0);
      record(other, 'e2', MINUTE_MS);
      await one.close();
      expect(await refusedIn(other)).to.deep.equal([1, 1, 1]);
      expect((await other.history.timeline([])).completeSince).to.equal(HOUR);
      await other.close();
    });
  });
});
