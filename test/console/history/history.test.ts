import { expect } from 'chai';
import type sinon from 'sinon';
import { EventStream } from '#lib/core/event-stream.js';
import type { HookEvent } from '#lib/core/events.js';
import type { ExecutionQuery, ExecutionSummary, History } from '#lib/console/history/answers.js';
import { createHistory, type KeptHistory } from '#lib/console/history/history.js';
import { Closers } from '#harness/closers.js';
import { stopTime } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';
import { memoryLog } from './memory-log.js';
import { START, eventsOf } from '../../events/sample-events.js';

const clock = (): number => START + 60_000;

/** The events of a code that went out. */
function sent(eventId: string, startMs = START, transactionId = `SM-${eventId}`): readonly HookEvent[] {
  const of = eventsOf(eventId, startMs);
  return [
    of.received(),
    of.planned(60, ['sms']),
    of.attempt(160, 'accepted', { transactionId }),
    of.answered(170, 'SUCCESSFUL', { channel: 'sms', transactionId }),
  ];
}

function record({ listener }: KeptHistory, ...events: readonly HookEvent[]): void {
  for (const event of events) void listener(event);
}

const idsOf = ({ executions }: { readonly executions: readonly ExecutionSummary[] }): readonly string[] =>
  executions.map(({ id }) => id);

describe('the history', () => {
  const closers = new Closers();
  afterEach(() => closers.closeAll());
  const open = (parts: Partial<Parameters<typeof createHistory>[0]> = {}): KeptHistory =>
    closers.add(createHistory({ log: undefined, clock, ...parts }), (kept) => kept.close());

  it('records the events of the stream from the time it listens', async () => {
    const kept = open();
    const stream = new EventStream({ listeners: [], onEvent: undefined }, clock);
    for (const event of sent('before')) stream.emit(event);
    stream.listen(kept.listener);
    for (const event of sent('after')) stream.emit(event);
    expect(idsOf(await kept.history.find({ limit: 10 }))).to.deep.equal(['after']);
    const steps = sent('after').map((event) => ({ ...event, at: clock() }));
    expect((await kept.history.open('after'))?.steps).to.deep.equal(steps);
    expect(await kept.history.open('before')).to.equal(undefined);
    expect(kept.history.isShared).to.equal(false);
  });

  it('finds executions among 1,000 by user, by the end of the number and by time', async () => {
    const kept = open({ clock: () => START + 1000 * 10_000 });
    // One every ten seconds. The numbers end in 00 to 99.
    for (let count = 0; count < 1000; count += 1) {
      const of = eventsOf(`e${count}`, START + count * 10_000);
      const toEnding = String(count % 100).padStart(2, '0');
      record(kept, of.received(0, { toEnding }), of.answered(100, 'SUCCESSFUL'));
    }
    const find = (query: Partial<ExecutionQuery>) => kept.history.find({ limit: 100, ...query });
    expect(idsOf(await find({ search: '00u-e432' }))).to.deep.equal(['e432']);
    // By the end of the number, not by ids that contain these digits.
    const ending = await find({ search: '77' });
    expect([ending.total, idsOf(ending)[0]]).to.deep.equal([10, 'e977']);
    expect((await find({ search: '0177' })).total).to.equal(10);
    const from = START + 600 * 10_000;
    expect(idsOf(await find({ from, to: from + 20_000 }))).to.deep.equal(['e602', 'e601', 'e600']);
    expect((await find({ from })).total).to.equal(400);
    expect((await find({ to: from - 1 })).total).to.equal(600);
    expect(idsOf(await find({ from, to: from + 200_000, search: '07' }))).to.deep.equal(['e607']);
  });

  it('returns the newest first, in pages that do not shift when new executions come', async () => {
    const kept = open();
    for (let count = 0; count < 7; count += 1) record(kept, ...sent(`e${count}`, START + count));
    const first = await kept.history.find({ limit: 3 });
    expect(first).to.include({ total: 7, next: 'e4' });
    expect(idsOf(first)).to.deep.equal(['e6', 'e5', 'e4']);
    record(kept, ...sent('e7', START + 7), ...sent('same time', START + 4));
    const second = await kept.history.find({ limit: 3, before: first.next });
    expect(idsOf(second)).to.deep.equal(['e3', 'e2', 'e1']);
    const last = await kept.history.find({ limit: 3, before: second.next });
    expect(idsOf(last)).to.deep.equal(['e0']);
    expect(last).to.include({ total: 9, next: undefined });
    expect(idsOf(await kept.history.find({ limit: 3, before: 'e0' }))).to.be.empty;
    expect(idsOf(await kept.history.find({ limit: 3, before: 'gone' }))).to.be.empty;
    expect(idsOf(await kept.history.find({ limit: 0 }))).to.deep.equal(['e7']);
  });

  it('returns executions of the same time in a fixed order', async () => {
    for (const ids of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      const kept = open();
      for (const id of ids) record(kept, ...sent(id));
      expect(idsOf(await kept.history.find({ limit: 2 }))).to.deep.equal(['b', 'a']);
    }
  });

  it('continues after an execution that no longer matches the query', async () => {
    const kept = open();
    for (let count = 0; count < 4; count += 1) record(kept, ...sent(`e${count}`, START + count));
    const page = await kept.history.find({ limit: 2, outcome: 'sent' });
    expect(page.next).to.equal('e2');
    record(kept, eventsOf('e2').status(900, 'SM-e2', 'delivered'));
    const rest = await kept.history.find({ limit: 2, outcome: 'sent', before: page.next });
    expect(idsOf(rest)).to.deep.equal(['e1', 'e0']);
  });

  it('finds by ids, transaction and code regardless of case, by channel and by outcome', async () => {
    const kept = open();
    const two = eventsOf('Event-Two', START + 1);
    record(
      kept,
      ...sent('event-one'),
      two.received(0, { deliveryChannel: 'voice' }),
      two.attempt(20, 'refused', { channel: 'voice', code: 'NO_VOICE' }),
      two.blocked(22, 'record'),
      two.answered(30, 'ERROR', { code: 'DEADLINE', deliveryChannel: 'voice' }),
      two.failover(40, { outcome: 'dropped' }),
    );
    const found = async (query: Partial<Parameters<History['find']>[0]>): Promise<readonly string[]> =>
      idsOf(await kept.history.find({ limit: 10, ...query }));
    expect(await found({})).to.deep.equal(['Event-Two', 'event-one']);
    expect(await found({ search: ' ' })).to.deep.equal(['Event-Two', 'event-one']);
    expect(await found({ search: 'EVENT-T' })).to.deep.equal(['Event-Two']);
    expect(await found({ search: ' req-event-ONE ' })).to.deep.equal(['event-one']);
    expect(await found({ search: '00u-event-two' })).to.deep.equal(['Event-Two']);
    expect(await found({ search: 'sm-event-one' })).to.deep.equal(['event-one']);
    for (const search of ['deadline', 'no_voice', '63024', 'limit_per_user']) {
      expect(await found({ search })).to.deep.equal(['Event-Two']);
    }
    expect(await found({ search: 'twilio' })).to.be.empty;
    expect(await found({ channel: 'voice' })).to.deep.equal(['Event-Two']);
    expect(await found({ channel: 'sms', outcome: 'sent' })).to.deep.equal(['event-one']);
    expect(await found({ channel: 'voice', outcome: 'sent' })).to.be.empty;
    expect(await kept.history.tally(START + 1)).to.deep.equal([
      {
        channel: 'voice',
        accepted: 0,
        refused: 1,
        blocked: 0,
        unknown: 0,
        delivered: 0,
        undelivered: 0,
        used: 0,
      },
    ]);
  });

  it('keeps 5,000 executions, or as many as configured', async () => {
    const [usual, few] = [open(), open({ max: 3 })];
    for (let count = 0; count < 6_000; count += 1) {
      const event = eventsOf(`e${count}`, START + count).received();
      record(usual, event);
      record(few, event);
    }
    expect((await usual.history.find({ limit: 1 })).total).to.equal(5_000);
    expect(idsOf(await few.history.find({ limit: 10 }))).to.deep.equal(['e5999', 'e5998', 'e5997']);
  });

  it('reads a few executions at a time, so that calls run in between', async () => {
    const kept = open();
    for (let count = 0; count < 500; count += 1)
      record(kept, eventsOf(`e${count}`, START + count).received());
    let isFound = false as boolean;
    const finding = kept.history.find({ search: 'e7', limit: 1 }).then(() => (isFound = true));
    let turns = 0;
    while (!isFound) {
      await new Promise((resolve) => setImmediate(resolve));
      turns += 1;
    }
    await finding;
    expect(turns).to.be.at.least(10);
  });

  it('records nothing after close(), and still answers from what it has', async () => {
    const kept = open();
    record(kept, ...sent('e1'));
    await kept.close();
    record(kept, ...sent('e2'));
    expect(idsOf(await kept.history.find({ limit: 10 }))).to.deep.equal(['e1']);
    kept.history.watch(() => undefined)();
    await kept.close();
  });

  describe('with a watcher', () => {
    let time: sinon.SinonFakeTimers;
    beforeEach(() => {
      time = stopTime();
    });
    afterEach(() => {
      time.restore();
    });

    it('reports new and changed executions every 250 ms, each once, with their current state', () => {
      const kept = open();
      record(kept, ...sent('before'));
      const reported: (readonly ExecutionSummary[])[] = [];
      const end = kept.history.watch((changed) => reported.push(changed));
      record(kept, ...sent('e1', START + 1), ...sent('e2', START + 2));
      time.tick(249);
      expect(reported).to.be.empty;
      time.tick(1);
      expect(reported.map((changed) => idsOf({ executions: changed }))).to.deep.equal([['e2', 'e1']]);
      expect(reported[0]?.[0]?.outcome).to.equal('sent');
      time.tick(1_000);
      expect(reported).to.have.length(1);
      record(kept, eventsOf('before').status(900, 'SM-before', 'delivered'));
      time.tick(250);
      expect(reported[1]?.map(({ id, outcome }) => [id, outcome])).to.deep.equal([['before', 'delivered']]);
      end();
      record(kept, ...sent('e3'));
      time.tick(1_000);
      expect(reported).to.have.length(2);
    });

    it('runs a timer only while there are watchers, and calls all of them, even if one throws', async () => {
      const kept = open();
      record(kept, ...sent('before'));
      expect(time.countTimers()).to.equal(0);
      const reported: string[] = [];
      const ends = [
        kept.history.watch(() => {
          throw new Error('its own');
        }),
        kept.history.watch(() => reported.push('second')),
      ];
      expect(time.countTimers()).to.equal(1);
      record(kept, ...sent('e1'));
      time.tick(250);
      expect(reported).to.deep.equal(['second']);
      for (const end of ends) end();
      expect(time.countTimers()).to.equal(0);
      kept.history.watch(() => reported.push('third'));
      await kept.close();
      expect(time.countTimers()).to.equal(0);
      expect(kept.history.watch(() => undefined)).to.be.a('function');
      expect(time.countTimers()).to.equal(0);
    });

    it('lets a watcher end its watch from its own callback', () => {
      const kept = open();
      const end = kept.history.watch(() => {
        end();
      });
      record(kept, ...sent('e1'));
      time.tick(250);
      expect(time.countTimers()).to.equal(0);
    });
  });
});

describe('the history of several gateways', () => {
  const closers = new Closers();
  let time: sinon.SinonFakeTimers;
  beforeEach(() => {
    time = stopTime();
  });
  afterEach(async () => {
    time.restore();
    await closers.closeAll();
  });
  const open = (log: ReturnType<typeof memoryLog>): KeptHistory =>
    closers.add(createHistory({ log, clock }), (kept) => kept.close());
  /** Advances the time and lets the log write. */
  const pass = async (ms: number): Promise<void> => {
    await time.tickAsync(ms);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  };

  it('is the same at all gateways: a call at one, its callback at the other', async () => {
    const log = memoryLog();
    const [one, two] = [open(log), open(log)];
    record(one, ...sent('e1'));
    record(two, eventsOf('e1').status(900, 'SM-e1', 'delivered'));
    await pass(250);
    for (const { history } of [one, two, open(log)]) {
      expect(history.isShared).to.equal(true);
      const { executions, total } = await history.find({ limit: 10 });
      expect(total).to.equal(1);
      expect(executions[0]).to.include({ id: 'e1', outcome: 'delivered', durationMs: 170 });
      const types = (await history.open('e1'))?.steps.map(({ type }) => type);
      expect(types?.at(-1)).to.equal('message.reported');
      expect(types).to.have.length(5);
      expect((await history.tally(START))[0]).to.include({ channel: 'sms', accepted: 1, delivered: 1 });
    }
  });

  it('writes batches 250 ms apart, and one at once after a hundred events', async () => {
    const log = memoryLog();
    const kept = open(log);
    record(kept, ...sent('e1'), {
      type: 'breaker.changed',
      at: START,
      host: 'a',
      state: 'open',
      channels: [],
    });
    await pass(249);
    expect(log.batches).to.be.empty;
    await pass(1);
    expect(log.batches).to.have.length(1);
    expect(log.batches[0]).to.not.contain('breaker');
    for (let count = 0; count < 60; count += 1) record(kept, ...sent(`f${count}`));
    expect(log.batches).to.have.length(1);
    await pass(0);
    await until(() => log.batches.length === 3);
    await pass(250);
    expect(log.batches).to.have.length(4);
    const other = open(log);
    expect((await other.history.find({ limit: 1 })).total).to.equal(61);
    expect(time.countTimers()).to.equal(0);
    expect(log.reads).to.equal(1);
  });

  it('reads the log in pages, and only new entries', async () => {
    const log = memoryLog();
    const [one, two] = [open(log), open(log)];
    for (let count = 0; count < 45; count += 1) {
      record(one, ...sent(`e${count}`));
      await pass(250);
    }
    expect((await two.history.find({ limit: 1 })).total).to.equal(45);
    expect(log.reads).to.equal(3);
    record(one, ...sent('another'));
    await pass(250);
    // Two requests at once: a read that is under way may miss the newest entries.
    const [first, second] = await Promise.all([
      two.history.find({ limit: 1 }),
      two.history.find({ limit: 1 }),
    ]);
    expect([first.total, second.total]).to.deep.equal([46, 46]);
    expect(log.reads).to.equal(5);
  });

  it('writes the events of a loss when the log is back, and answers queries during the loss', async () => {
    const log = memoryLog();
    const [one, two] = [open(log), open(log)];
    log.isLost = true;
    record(one, ...sent('e1'));
    await pass(250);
    for (let count = 0; count < 50; count += 1) record(one, ...sent(`f${count}`));
    await pass(100);
    expect((await one.history.find({ limit: 1 })).total).to.equal(51);
    expect((await two.history.find({ limit: 1 })).total).to.equal(0);
    log.isLost = false;
    await pass(1_000);
    await until(() => log.batches.length >= 2);
    await pass(1_000);
    expect((await two.history.find({ limit: 1 })).total).to.equal(51);
  });

  it('tries a lost log once a second only', async () => {
    const log = memoryLog();
    const kept = open(log);
    log.isLost = true;
    for (let count = 0; count < 100; count += 1) {
      record(kept, ...sent(`e${count}`));
      await pass(10);
    }
    expect(log.appends).to.equal(1);
    await pass(1_000);
    expect(log.appends).to.equal(2);
  });

  it('answers from its own executions after two seconds if the log does not answer', async () => {
    const kept = open({ ...memoryLog(), read: () => new Promise(() => undefined) });
    record(kept, ...sent('e1'));
    const found = kept.history.find({ limit: 1 });
    await pass(2_000);
    expect((await found).total).to.equal(1);
  });

  it('drops the oldest events if the log stays lost', async () => {
    const log = memoryLog();
    const [one, two] = [open(log), open(log)];
    log.isLost = true;
    for (let count = 0; count < 3_000; count += 1) record(one, ...sent(`e${count}`, START + count));
    await pass(1_000);
    log.isLost = false;
    await pass(1_000);
    await until(async () => {
      await pass(250);
      return (await two.history.open('e2999'))?.outcome === 'sent';
    });
    expect((await two.history.find({ limit: 1 })).total).to.be.within(1_250, 2_000);
    expect(await two.history.open('e1000')).to.equal(undefined);
  });

  it('counts a batch once that may have been written and is written again', async () => {
    const log = memoryLog();
    const [one, two] = [open(log), open(log)];
    log.isDoubtful = true;
    record(one, eventsOf('e1').received(), eventsOf('e1').repeated(5));
    await pass(250);
    await pass(1_000);
    expect(log.batches).to.have.length(2);
    expect(await two.history.open('e1')).to.include({ repeats: 1 });
    expect((await two.history.open('e1'))?.steps).to.have.length(2);
    expect((await one.history.open('e1'))?.steps).to.have.length(2);
  });

  it('skips an event that cannot be serialized; the others keep their places', async () => {
    const log = memoryLog();
    const [one, two] = [open(log), open(log)];
    const repeated = eventsOf('e1').repeated(5);
    record(
      one,
      eventsOf('e1').received(),
      Object.assign(repeated, { circle: repeated }),
      eventsOf('e1').repeated(6),
    );
    await pass(250);
    record(one, eventsOf('e1').repeated(7));
    await pass(250);
    expect((await two.history.open('e1'))?.steps.map(({ at }) => at - START)).to.deep.equal([0, 6, 7]);
  });

  it('skips batches and events that it cannot read', async () => {
    const log = memoryLog();
    for (const batch of ['', 'null', '{}', '["b",0,[null]]', '["b",0,[{"type":"x"}]]', '["b",0.5,[]]']) {
      log.batches.push(batch);
    }
    const newer = { type: 'of.tomorrow', at: START + 5, eventId: 'e1' };
    log.batches.push(JSON.stringify(['a', 0, [...sent('e1'), newer]]));
    const { history } = open(log);
    expect((await history.find({ limit: 10 })).executions[0]).to.include({ id: 'e1', outcome: 'sent' });
    expect((await history.open('e1'))?.steps).to.have.length(5);
  });

  it('skips events of known types with wrong fields, one by one, also for watchers', async () => {
    const log = memoryLog();
    const { history } = open(log);
    const reported: string[] = [];
    history.watch((changed) => reported.push(...idsOf({ executions: changed })));
    await pass(0);
    const of = eventsOf('e1');
    const misshapen: readonly HookEvent[] = [
      of.received(),
      of.planned(60, ['sms']),
      of.blocked(5, 'enforce'),
      of.attempt(90, 'accepted'),
      of.answered(100, 'SUCCESSFUL'),
      of.failover(200),
      of.status(300, 'SM-e1', 'failed', { eventId: 'e1' }),
      of.used(400, 'sms', 'SM-e1'),
    ];
    const wrong = misshapen.flatMap((event) =>
      Object.keys(event)
        .filter((name) => name !== 'type')
        .flatMap((name) => [null, { is: 'else' }, [7], 1e300].map((value) => ({ ...event, [name]: value }))),
    );
    const bare = misshapen.map(({ type, at }) => ({ type, at, eventId: 'e2' }));
    log.batches.push(JSON.stringify(['a', 0, [...wrong, ...bare, ...sent('good')]]));
    for (let count = 0; count < 5; count += 1) await pass(250);
    expect(reported).to.include('good');
    const { executions } = await history.find({ limit: 10, search: 'good' });
    expect(executions[0]).to.include({ id: 'good', outcome: 'sent' });
    expect((await history.find({ limit: 10 })).executions.map(({ code }) => code)).to.not.include(
      'UNREADABLE',
    );
    expect((await history.open('good'))?.steps).to.have.length(4);
    expect((await history.tally(START)).find(({ channel }) => channel === 'sms')?.accepted).to.be.at.least(1);
    expect(log.batches).to.have.length(1);
  });

  it('shows an execution that it cannot read as one UNREADABLE row; the others stay complete', async () => {
    const kept = open(memoryLog());
    const reported: (readonly ExecutionSummary[])[] = [];
    const end = kept.history.watch((changed) => reported.push(changed));
    const unreadable = {
      type: 'guard.blocked',
      at: START,
      eventId: 'bad',
      toEnding: '23',
    } as unknown as HookEvent;
    record(kept, unreadable, ...sent('good', START + 1));
    await pass(250);
    end();
    const outcomes = [
      ['good', 'sent', undefined],
      ['bad', 'pending', 'UNREADABLE'],
    ];
    const outcomesOf = (some: readonly ExecutionSummary[] = []): readonly unknown[] =>
      some.map(({ id, outcome, code }) => [id, outcome, code]);
    expect(outcomesOf(reported[0])).to.deep.equal(outcomes);
    expect(outcomesOf((await kept.history.find({ limit: 10 })).executions)).to.deep.equal(outcomes);
    expect(idsOf(await kept.history.find({ limit: 10, search: 'unread' }))).to.deep.equal(['bad']);
    expect(await kept.history.open('bad')).to.deep.include({ steps: [], omittedSteps: 1 });
    expect((await kept.history.tally(START))[0]).to.include({ channel: 'sms', accepted: 1 });
  });

  it('recognizes a repeated batch only from the latest gateways: names change with each start', async () => {
    const log = memoryLog();
    for (let count = 0; count < 1_100; count += 1) {
      log.batches.push(JSON.stringify([`gateway ${count}`, 0, [eventsOf(`e${count}`).repeated(0)]]));
    }
    log.batches.push(JSON.stringify(['gateway 1099', 0, [eventsOf('e1099').repeated(0)]]));
    log.batches.push(JSON.stringify(['gateway 0', 0, [eventsOf('e0').repeated(0)]]));
    const { history } = open(log);
    expect((await history.open('e1099'))?.repeats).to.equal(1);
    expect((await history.open('e0'))?.repeats).to.equal(2);
  });

  it("reports other gateways' executions to watchers once a second, without older ones", async () => {
    const log = memoryLog();
    const [one, two] = [open(log), open(log)];
    record(one, ...sent('before'));
    await pass(250);
    const reported: string[] = [];
    const end = two.history.watch((changed) => reported.push(...idsOf({ executions: changed })));
    await pass(0);
    record(one, ...sent('e1'));
    await pass(999);
    expect(reported).to.be.empty;
    expect(log.reads).to.equal(1);
    await pass(1);
    await pass(250);
    expect(reported).to.deep.equal(['e1']);
    end();
    await pass(5_000);
    expect(log.reads).to.equal(2);
  });

  it('writes all events on close(), and does not wait for a lost log', async () => {
    const log = memoryLog();
    const [one, two, lost] = [open(log), open(log), open({ ...memoryLog(), isLost: true })];
    for (let count = 0; count < 60; count += 1) record(one, ...sent(`e${count}`));
    await one.close();
    record(one, ...sent('after'));
    expect((await two.history.find({ limit: 1 })).total).to.equal(60);
    record(lost, ...sent('e1'));
    await lost.close();
    expect(time.countTimers()).to.equal(0);
  });
});
