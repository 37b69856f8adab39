import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect } from 'chai';
import sinon from 'sinon';
import { EventStream } from '#lib/core/event-stream.js';
import type { HookEvent, HookEventListener } from '#lib/core/events.js';
import { fakeClock } from '#harness/fake-clock.js';

const EMITTED = { type: 'okta.paused', reason: 'LOW', untilMs: 2 } as const;
const EVENT: HookEvent = { ...EMITTED, at: 7 };

/** A stream with these listeners. */
const stream = (listeners: readonly HookEventListener[], onEvent?: HookEventListener): EventStream =>
  new EventStream({ listeners, onEvent }, () => 7);

describe('the stream of events', () => {
  const recorded: HookEvent[] = [];
  const record: HookEventListener = (event) => recorded.push(event);
  beforeEach(() => {
    recorded.length = 0;
  });

  it('passes each event to every listener, with the time of its clock, and a copy to onEvent', () => {
    const given: HookEvent[] = [];
    stream([record, record], (event) => given.push(event)).emit(EMITTED);
    expect(recorded).to.deep.equal([EVENT, EVENT]);
    expect(given).to.deep.equal([EVENT]);
    expect(given[0]).to.not.equal(EVENT);
    stream([record]).emit(EMITTED);
    expect(recorded).to.have.length(3);
  });

  for (const [how, fail] of [
    [
      'throws',
      () => {
        throw new Error('a mistake');
      },
    ],
    ['rejects', () => Promise.reject(new Error('a mistake'))],
  ] as const satisfies readonly (readonly [string, HookEventListener])[]) {
    it(`continues if a listener ${how}`, async () => {
      stream([fail, record], fail).emit(EMITTED);
      expect(recorded).to.deep.equal([EVENT]);
      // An unhandled rejection would come by then.
      await new Promise((resolve) => setImmediate(resolve));
    });
  }

  describe('on its diagnostics channel', () => {
    const NAME = 'okta-telephony-hook:event';
    const published: unknown[] = [];
    const receive = (message: unknown): void => {
      published.push(message);
    };
    beforeEach(() => {
      published.length = 0;
    });
    afterEach(() => unsubscribe(NAME, receive));

    it('publishes each event to subscribers, as a copy', () => {
      subscribe(NAME, receive);
      stream([record]).emit({ ...EMITTED });
      expect(published).to.deep.equal([EVENT]);
      expect(published[0]).to.not.equal(recorded[0]);
    });

    it('has the events of steps made only while somebody subscribes', () => {
      const events = stream([]);
      expect(events.hasStepListeners).to.equal(false);
      subscribe(NAME, receive);
      expect(events.hasStepListeners).to.equal(true);
      unsubscribe(NAME, receive);
      expect(events.hasStepListeners).to.equal(false);
      expect(channel(NAME).hasSubscribers).to.equal(false);
    });
  });

  it('omits the ids of a call from a later event that counts several failures', () => {
    const events = stream([record]);
    const call = { eventId: 'event-1', oktaRequestId: 'request-1', userId: 'user-1' };
    for (let failure = 0; failure < 3; failure += 1)
      events.emitFailed({ extension: 'lookUp', reason: 'no', call });
    events.close();
    expect(recorded).to.have.length(2);
    expect(recorded[0]).to.include({ extension: 'lookUp', reason: 'no', count: 1, ...call });
    expect(recorded[1]).to.include({ extension: 'lookUp', reason: 'no', count: 2, eventId: undefined });
    expect(recorded[1]).to.include({ oktaRequestId: undefined, userId: undefined });
  });

  it('has no step listeners if only a log listens', () => {
    const logged = new EventStream({ log: record, listeners: [], onEvent: undefined }, () => 7);
    expect(logged.hasStepListeners).to.equal(false);
    logged.emit(EMITTED);
    expect(recorded).to.deep.equal([EVENT]);
    logged.listen(record);
    expect(logged.hasStepListeners).to.equal(true);
    logged.emit(EMITTED);
    expect(recorded).to.have.length(3);
    expect(
      [stream([record]), stream([], record)].map(({ hasStepListeners }) => hasStepListeners),
    ).to.deep.equal([true, true]);
    expect(stream([]).hasStepListeners).to.equal(false);
  });
});

describe('emitCounted()', () => {
  let time: sinon.SinonFakeTimers;
  let now: number;
  let emitted: string[];
  let events: EventStream;
  beforeEach(() => {
    time = fakeClock(['setTimeout', 'clearTimeout']);
    now = 1_000_000;
    emitted = [];
    const record: HookEventListener = (event) => {
      if (event.type === 'uses.skipped') emitted.push(`${event.count} at ${event.at - 1_000_000}`);
      if (event.type === 'probe.rejected') emitted.push(`${event.count} of ${event.code}`);
    };
    events = new EventStream({ listeners: [record], onEvent: undefined }, () => now);
  });
  afterEach(() => {
    time.restore();
  });

  const happen = (times = 1): void => {
    for (let time = 0; time < times; time += 1)
      events.emitCounted('skipped', (count) => ({ type: 'uses.skipped', count }));
  };
  const pass = (ms: number): void => {
    now += ms;
    time.tick(ms);
  };

  it('emits the first event at once, and the count of the others after a minute', () => {
    happen(3);
    expect(emitted).to.deep.equal(['1 at 0']);
    pass(59_999);
    happen();
    expect(emitted).to.deep.equal(['1 at 0']);
    pass(1);
    expect(emitted).to.deep.equal(['1 at 0', '3 at 60000']);
    happen();
    pass(60_000);
    expect(emitted.slice(2)).to.deep.equal(['1 at 120000']);
    pass(60_000);
    happen();
    expect(emitted.slice(3)).to.deep.equal(['1 at 180000']);
  });

  it('needs one timer and two events for 10,000 calls', () => {
    let made = 0;
    for (let time = 0; time < 10_000; time += 1) {
      events.emitCounted('skipped', (count) => {
        made += 1;
        return { type: 'uses.skipped', count };
      });
    }
    expect(time.countTimers()).to.equal(1);
    expect(made).to.equal(2);
    pass(60_000);
    expect(emitted).to.deep.equal(['1 at 0', '9999 at 60000']);
    expect(time.countTimers()).to.equal(0);
  });

  it('does not keep the process alive', () => {
    time.restore();
    const timers = sinon.spy(globalThis, 'setTimeout');
    try {
      happen(2);
      expect(timers.firstCall.returnValue.hasRef()).to.equal(false);
    } finally {
      timers.restore();
      events.close();
    }
  });

  it('emits the count on close(), and leaves no timer', () => {
    happen(4);
    events.close();
    expect(emitted).to.deep.equal(['1 at 0', '3 at 0']);
    happen(2);
    expect(time.countTimers()).to.equal(0);
    events.close();
    expect(emitted).to.have.length(2);
  });

  it('counts each subject separately, and emits at once if the clock is set back', () => {
    const reject = (code: string): void => {
      events.emitCounted(code, (count) => ({ type: 'probe.rejected', status: 401, code, count }));
    };
    for (const code of ['A', 'B', 'A']) reject(code);
    expect(emitted).to.deep.equal(['1 of A', '1 of B']);
    now -= 1;
    reject('A');
    expect(emitted.slice(2)).to.deep.equal(['2 of A']);
    expect(time.countTimers()).to.equal(0);
  });
});
