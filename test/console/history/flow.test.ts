import { expect } from 'chai';
import type { HookEvent } from '#lib/core/events.js';
import type { Failover, FlowQuery, FlowWay } from '#lib/console/history/answers.js';
import { failoverOf } from '#lib/console/history/execution-outcome.js';
import { createHistory } from '#lib/console/history/history.js';
import { START, eventsOf } from '../../events/sample-events.js';

const clock = (): number => START + 60_000;
const WHATSAPP = { channel: 'whatsapp', transactionId: 'MM1' } as const;
const SMS = { channel: 'sms', transactionId: 'SM1' } as const;

describe('failoverOf()', () => {
  const of = eventsOf('e1');
  const answered = of.answered(100, 'SUCCESSFUL');
  const failedLater = [
    of.attempt(40, 'accepted', WHATSAPP),
    answered,
    of.status(4_000, 'MM1', 'undelivered', { channel: 'whatsapp' }),
  ];
  const cases: readonly (readonly [string, readonly HookEvent[], Failover | undefined])[] = [
    ['one attempt', [of.attempt(40, 'accepted', SMS), answered], undefined],
    ['a message that failed later, and nothing followed', failedLater, undefined],
    [
      'a message that failed later, and late failover that made no attempt',
      [...failedLater, of.failover(4_100, { outcome: 'dropped', channel: undefined })],
      undefined,
    ],
    [
      'a refusal, and another channel before the answer',
      [of.attempt(40, 'refused', WHATSAPP), of.attempt(80, 'accepted', SMS), answered],
      'early',
    ],
    [
      'a refusal, and another provider of the same channel',
      [of.attempt(40, 'refused', { ...SMS, provider: 'VONAGE' }), of.attempt(80, 'accepted', SMS), answered],
      'early',
    ],
    [
      'an unknown attempt that ends later',
      [of.attempt(40, 'unknown', SMS), answered, of.late(3_000, 'accepted', SMS)],
      undefined,
    ],
    ['late failover', [...failedLater, of.failover(4_500, SMS)], 'late'],
    ['late failover that still runs', [...failedLater, of.attempt(4_400, 'refused', SMS)], 'late'],
    [
      'another channel before the answer, and a third one after it',
      [of.attempt(20, 'refused', { channel: 'line' }), ...failedLater, of.failover(4_500, SMS)],
      'late',
    ],
  ];
  for (const [what, events, expected] of cases) {
    it(`says ${expected ?? 'nothing'} for ${what}`, () => {
      expect(failoverOf(events)).to.equal(expected);
    });
  }
});

describe('the flow', () => {
  const kept = createHistory({ log: undefined, clock });
  const record = (...events: readonly HookEvent[]): void => {
    for (const event of events) void kept.listener(event);
  };
  let count = 0;
  /** Records a code with these attempts, then what came after the answer. */
  const code = (
    attempts: readonly ((of: ReturnType<typeof eventsOf>) => HookEvent)[],
    later: readonly ((of: ReturnType<typeof eventsOf>) => HookEvent)[] = [],
    { country = 'GB', isPreview = false, startMs = START } = {},
  ): void => {
    count += 1;
    const of = eventsOf(`e${count}`, startMs);
    const status = attempts.length === 0 ? 'ERROR' : 'SUCCESSFUL';
    record(
      of.received(0, { isPreview }),
      ...attempts.map((make) => make(of)),
      of.answered(100, status, { country, isPreview }),
      ...later.map((make) => make(of)),
    );
  };
  type Make = Parameters<typeof code>[0][number];
  const bySms: Make = (of) => of.attempt(80, 'accepted', { channel: 'sms' });
  const byWhatsApp: Make = (of) => of.attempt(40, 'accepted', { channel: 'whatsapp' });
  const refused: Make = (of) => of.attempt(40, 'refused', { channel: 'whatsapp', provider: 'META' });
  const used: Make = (of) => of.used(20_000, 'sms', 'SM1');
  const lateSms: Make = (of) => of.failover(9_000, { channel: 'sms', transactionId: `SM-${count}` });
  const delivered: Make = (of) => of.status(12_000, `SM-${count}`, 'delivered');

  before(() => {
    code([byWhatsApp]);
    code([byWhatsApp], [used]);
    code([byWhatsApp], [lateSms, delivered]);
    code([refused, bySms], [used], { country: 'DE' });
    code([bySms], [], { startMs: START - 3_600_000 });
    code([], [], { country: 'DE' });
    code([bySms], [used], { isPreview: true });
    record(eventsOf('running', clock() - 100).received());
  });
  after(() => kept.close());

  const way = (
    first: string | undefined,
    counts: readonly [count: number, delivered: number, used: number],
    failover?: Failover,
    last?: string,
  ): FlowWay => ({ first, failover, last, count: counts[0], delivered: counts[1], used: counts[2] });
  const late = way('whatsapp', [1, 1, 0], 'late', 'sms');
  const early = way('whatsapp', [1, 1, 1], 'early', 'sms');
  const cases: readonly (readonly [string, FlowQuery, asked: number, readonly FlowWay[]])[] = [
    [
      'all codes without previews and running calls',
      {},
      6,
      [way('whatsapp', [2, 1, 1]), late, early, way('sms', [1, 0, 0]), way(undefined, [1, 0, 0])],
    ],
    ['those since a time', { from: START, country: 'GB' }, 3, [way('whatsapp', [2, 1, 1]), late]],
    ['those to a country', { country: 'DE' }, 2, [early, way(undefined, [1, 0, 0])]],
    ['those that a provider was the first to try', { provider: 'META' }, 1, [early]],
  ];
  for (const [what, query, asked, ways] of cases) {
    it(`counts ${what}, by the channels they took`, async () => {
      const flow = await kept.history.flow(query);
      expect(flow.asked).to.equal(asked);
      expect(flow.ways).to.have.deep.members(ways);
      expect(flow.countries).to.deep.equal(['DE', 'GB']);
      expect(flow.providers).to.deep.equal(['META', 'TWILIO']);
      expect(flow.completeSince).to.equal(START - 3_600_000);
    });
  }

  it('counts sent and used codes by country, channel and provider, of each message that may have left', async () => {
    const { sent } = await kept.history.flow({ provider: 'META' });
    const twilio = { provider: 'TWILIO' };
    expect(sent).to.have.deep.members([
      { ...twilio, country: 'GB', channel: 'whatsapp', sent: 3, used: 0 },
      // One by late failover. The use of the second code is matched with no message.
      { ...twilio, country: 'GB', channel: 'sms', sent: 2, used: 0 },
      { ...twilio, country: 'DE', channel: 'sms', sent: 1, used: 1 },
    ]);
  });

  it('counts no code whose use Okta does not report', async () => {
    const other = createHistory({ log: undefined, clock });
    const of = eventsOf('reset');
    const requestType = 'com.okta.user.telephony.password-reset';
    for (const event of [
      of.received(0, { requestType }),
      bySms(of),
      of.answered(100, 'SUCCESSFUL', { requestType }),
    ])
      void other.listener(event);
    const { asked, sent } = await other.history.flow({});
    expect({ asked, sent }).to.deep.equal({ asked: 1, sent: [] });
    await other.close();
  });

  it('finds the executions that failed over, early, late or any', async () => {
    const found = async (failover: 'any' | Failover): Promise<readonly string[]> => {
      const { executions } = await kept.history.find({ failover, limit: 10 });
      return executions.map(({ id }) => id);
    };
    expect(await found('any')).to.have.members(['e3', 'e4']);
    expect(await found('early')).to.deep.equal(['e4']);
    expect(await found('late')).to.deep.equal(['e3']);
  });
});
