import { expect } from 'chai';
import type sinon from 'sinon';
import {
  attemptQuery,
  readAttemptQuery,
  sendReporting,
  StatusCallbacks,
} from '#lib/channels/twilio/status-callbacks.js';
import type { SendContext } from '#lib/core/channel.js';
import { fakeClock } from '#harness/fake-clock.js';
import { REFERENCE } from '#harness/channels.js';

describe("trust in Twilio's status callbacks", () => {
  let clock: sinon.SinonFakeTimers;
  let missing: number[];
  let callbacks: StatusCallbacks;
  beforeEach(() => {
    clock = fakeClock(['performance']);
    missing = [];
    callbacks = new StatusCallbacks((count) => missing.push(count));
  });
  afterEach(() => {
    clock.restore();
  });
  const accept = (messages: number): void => {
    for (let count = 0; count < messages; count += 1) callbacks.expect();
  };

  it('begins with the first callback and does not expire', () => {
    expect(callbacks.areTrusted).to.equal(false);
    accept(1);
    callbacks.came();
    expect(callbacks.areTrusted).to.equal(true);
    clock.tick(3_600_000);
    expect(callbacks.areTrusted).to.equal(true);
  });

  for (const [title, before, silent] of [
    ['3 messages, if none ever came', 0, 3],
    ['20 messages, if one came before', 1, 20],
  ] as const) {
    it(`ends, with one report, after 20 s without a callback for ${title}`, () => {
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

  it('stays if each burst of messages brings one callback', () => {
    callbacks.came();
    for (let burst = 0; burst < 5; burst += 1) {
      accept(1_000);
      clock.tick(19_000);
      callbacks.came();
      clock.tick(60_000);
    }
    expect([callbacks.areTrusted, missing]).to.deep.equal([true, []]);
  });

  it('comes back with the next callback, and can end again', () => {
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

describe('sendReporting', () => {
  const url = 'https://id.acme.com/okta/telephony/twilio/status';
  const withReference = `${url}?attempt=${REFERENCE}`;
  const context = { reference: REFERENCE };
  for (const [title, first, expected] of [
    ['again without the URL if Twilio refuses it', '21609', [withReference, undefined]],
    ['only once after another refusal', '21211', [withReference]],
  ] as const) {
    it(`sends ${title}`, async () => {
      const used: (string | undefined)[] = [];
      await sendReporting(url, context, (callback) => {
        used.push(callback);
        return Promise.resolve({ status: 'refused', code: first, reason: '' });
      });
      expect(used).to.deep.equal(expected);
    });
  }

  it('sends only once without a URL, and reads no reference', async () => {
    let count = 0;
    const unread: Pick<SendContext, 'reference'> = {
      get reference(): string {
        throw new Error('read');
      },
    };
    await sendReporting(undefined, unread, () => {
      count += 1;
      return Promise.resolve({ status: 'refused', code: '21609', reason: '' });
    });
    expect(count).to.equal(1);
  });
});

describe('readAttemptQuery', () => {
  const path = '/okta/telephony/twilio/status';

  it('reads what attemptQuery makes', () => {
    expect(readAttemptQuery(path + attemptQuery(REFERENCE))).to.equal(REFERENCE);
  });

  // Twilio signs the URL and the form joined, so characters could move between them.
  for (const query of [
    '',
    '?',
    '?attempt=',
    `?attempt=${REFERENCE.slice(1)}`,
    `?attempt=${REFERENCE}A`,
    `?attempt=${REFERENCE}AccountSidAC1`,
    `?attempt=${REFERENCE}&more=1`,
    `?more=1&attempt=${REFERENCE}`,
    `?attempt=${REFERENCE.toUpperCase()}`,
    `?Attempt=${REFERENCE}`,
  ]) {
    it(`reads nothing in ${query === '' ? 'no query' : query}`, () => {
      expect(readAttemptQuery(path + query)).to.equal(undefined);
    });
  }
});
