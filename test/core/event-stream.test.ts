import { expect } from 'chai';
import sinon from 'sinon';
import { EventStream } from '#lib/core/event-stream.js';
import type { HookEvent, HookEventListener } from '#lib/core/events.js';

const EMITTED = { type: 'okta.paused', reason: 'LOW', untilMs: 2 } as const;
const EVENT: HookEvent = { ...EMITTED, at: 7 };

/** A stream with these listeners. */
const stream = (listeners: readonly HookEventListener[], onEvent?: HookEventListener): EventStream =>
  new EventStream({ listeners, onEvent }, () => 7);

describe('the stream of events', () => {
  const heard: HookEvent[] = [];
  const hear: HookEventListener = (event) => heard.push(event);
  beforeEach(() => {
    heard.length = 0;
  });

  it('tells every listener, with the time of its clock, and the user’s with an event of its own', () => {
    const given: HookEvent[] = [];
    stream([hear, hear], (event) => given.push(event)).emit(EMITTED);
    expect(heard).to.deep.equal([EVENT, EVENT]);
    expect(given).to.deep.equal([EVENT]);
    expect(given[0]).to.not.equal(EVENT);
    stream([hear]).emit(EMITTED);
    expect(heard).to.have.length(3);
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
    it(`goes on where a listener ${how}`, async () => {
      stream([fail, hear], fail).emit(EMITTED);
      expect(heard).to.deep.equal([EVENT]);
      // The witness hears of what was rejected.
      await new Promise((resolve) => setImmediate(resolve));
    });
  }

  it('names no call in the failure of an extension that it emits later, for many', () => {
    const events = stream([hear]);
    const call = { eventId: 'event-1', oktaRequestId: 'request-1', userId: 'user-1' };
    for (let failure = 0; failure < 3; failure += 1)
      events.emitFailed({ extension: 'lookUp', reason: 'no', call });
    events.close();
    expect(heard).to.have.length(2);
    expect(heard[0]).to.include({ extension: 'lookUp', reason: 'no', count: 1, ...call });
    expect(heard[1]).to.include({ extension: 'lookUp', reason: 'no', count: 2, eventId: undefined });
    expect(heard[1]).to.include({ oktaRequestId: undefined, userId: undefined });
  });

  it('makes nothing of the steps of a call for a log alone', () => {
    const logged = new EventStream({ log: hear, listeners: [], onEvent: undefined }, () => 7);
    expect(logged.hasStepListeners).to.equal(false);
    logged.emit(EMITTED);
    expect(heard).to.deep.equal([EVENT]);
    logged.listen(hear);
    expect(logged.hasStepListeners).to.equal(true);
    logged.emit(EMITTED);
    expect(heard).to.have.length(3);
    expect([stream([hear]), stream([], hear)].map(({ hasStepListeners }) => hasStepListeners)).to.deep.equal([
      true,
      true,
    ]);
    expect(stream([]).hasStepListeners).to.equal(false);
  });
});

describe('what is told at most once a minute', () => {
  let time: sinon.SinonFakeTimers;
  let now: number;
  let told: string[];
  let events: EventStream;
  beforeEach(() => {
    time = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    now = 1_000_000;
    told = [];
    const tell: HookEventListener = (event) => {
      if (event.type === 'uses.skipped') told.push(`${event.count} at ${event.at - 1_000_000}`);
      if (event.type === 'probe.rejected') told.push(`${event.count} of ${event.code}`);
    };
    events = new EventStream({ listeners: [tell], onEvent: undefined }, () => now);
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

  it('is told at once, and what follows with its count at the end of the minute, though nothing more comes', () => {
    happen(3);
    expect(told).to.deep.equal(['1 at 0']);
    pass(59_999);
    happen();
    expect(told).to.deep.equal(['1 at 0']);
    pass(1);
    expect(told).to.deep.equal(['1 at 0', '3 at 60000']);
    happen();
    pass(60_000);
    expect(told.slice(2)).to.deep.equal(['1 at 120000']);
    pass(60_000);
    happen();
    expect(told.slice(3)).to.deep.equal(['1 at 180000']);
  });

  it('costs one timer and two events, however often it happens', () => {
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
    expect(told).to.deep.equal(['1 at 0', '9999 at 60000']);
    expect(time.countTimers()).to.equal(0);
  });

  it('does not keep the process', () => {
    time.restore();
    const timers = sinon.spy(globalThis, 'setTimeout');
    try {
      happen(2);
      expect((timers.firstCall.returnValue as unknown as NodeJS.Timeout).hasRef()).to.equal(false);
    } finally {
      timers.restore();
      events.close();
    }
  });

  it('is told on closing, after which no timer is left', () => {
    happen(4);
    events.close();
    expect(told).to.deep.equal(['1 at 0', '3 at 0']);
    happen(2);
    expect(time.countTimers()).to.equal(0);
    events.close();
    expect(told).to.have.length(2);
  });

  it('is counted for each subject, and told anew when the clock is set', () => {
    const reject = (code: string): void => {
      events.emitCounted(code, (count) => ({ type: 'probe.rejected', status: 401, code, count }));
    };
    for (const code of ['A', 'B', 'A']) reject(code);
    expect(told).to.deep.equal(['1 of A', '1 of B']);
    now -= 1;
    reject('A');
    expect(told.slice(2)).to.deep.equal(['2 of A']);
    expect(time.countTimers()).to.equal(0);
  });
});
