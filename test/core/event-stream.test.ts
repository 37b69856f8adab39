import { expect } from 'chai';
import { EventStream, Throttle } from '#lib/core/event-stream.js';
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
  it('is told at once, then with the count of what came meanwhile, and anew when the clock is set back', () => {
    let now = 1_000_000;
    const told: number[] = [];
    const throttle = new Throttle(() => now);
    const tellAt = (time: number): void => {
      now = time;
      throttle.report((count) => told.push(count));
    };
    for (const time of [1_000_000, 1_000_000, 1_059_999]) tellAt(time);
    expect(told).to.deep.equal([1]);
    tellAt(1_060_000);
    expect(told).to.deep.equal([1, 3]);
    tellAt(1_060_001);
    tellAt(1_059_999);
    expect(told).to.deep.equal([1, 3, 2]);
  });
});
