import { expect } from 'chai';
import sinon from 'sinon';
import { StatusCallbacks } from '#lib/channels/twilio/status-callbacks.js';

describe("trust in Twilio's status callbacks", () => {
  let clock: sinon.SinonFakeTimers;
  let missing: number[];
  let callbacks: StatusCallbacks;
  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['performance'] });
    missing = [];
    callbacks = new StatusCallbacks((count) => missing.push(count));
  });
  afterEach(() => {
    clock.restore();
  });
  const accept = (messages: number): void => {
    for (let count = 0; count < messages; count += 1) callbacks.expect();
  };

  it('begins with the first one', () => {
    expect(callbacks.areTrusted).to.equal(false);
    accept(1);
    callbacks.came();
    expect(callbacks.areTrusted).to.equal(true);
    clock.tick(3_600_000);
    expect(callbacks.areTrusted).to.equal(true);
  });

  for (const [title, before, silent] of [
    ['3 messages, where none ever came', 0, 3],
    ['20 messages, where one has come', 1, 20],
  ] as const) {
    it(`ends once ${title}, brought none in 20 s, which is told once`, () => {
      if (before > 0) callbacks.came();
      accept(silent - 1);
      clock.tick(60_000);
      accept(1);
      clock.tick(19_999);
      accept(1);
      expect([callbacks.areTrusted, missing]).to.deep.equal([before > 0, []]);
      clock.tick(1);
      accept(1);
      expect([callbacks.areTrusted, missing]).to.deep.equal([false, [silent]]);
      clock.tick(60_000);
      accept(100);
      expect(missing).to.deep.equal([silent]);
    });
  }

  it('is not lost where each burst brings one', () => {
    callbacks.came();
    for (let burst = 0; burst < 5; burst += 1) {
      accept(1_000);
      clock.tick(19_000);
      callbacks.came();
      clock.tick(60_000);
    }
    expect([callbacks.areTrusted, missing]).to.deep.equal([true, []]);
  });

  it('comes back with the next one, and may be lost again', () => {
    for (let time = 0; time < 2; time += 1) {
      callbacks.came();
      expect(callbacks.areTrusted).to.equal(true);
      accept(20);
      clock.tick(20_000);
      accept(1);
    }
    expect([callbacks.areTrusted, missing]).to.deep.equal([false, [20, 20]]);
  });
});
