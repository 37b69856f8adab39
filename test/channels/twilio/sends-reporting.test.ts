import { expect } from 'chai';
import { attemptQuery, readAttemptQuery, sendReporting } from '#lib/channels/twilio/status-callbacks.js';
import type { SendContext } from '#lib/core/channel.js';
import { REFERENCE } from '#harness/channels.js';

describe('sendReporting', () => {
  const url = 'https://id.acme.com/okta/telephony/twilio/status';
  const withReference = `${url}?attempt=${REFERENCE}`;
  const context = { reference: REFERENCE };
  for (const [title, first, expected] of [
    ['once more without the URL when Twilio refuses it', '21609', [withReference, undefined]],
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

  it('sends only once where there was no URL to refuse, and makes no reference', async () => {
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

  // The form could lend or borrow characters: Twilio signs both joined.
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
