import { expect } from 'chai';
import {
  codeAskedAgain,
  lastCodeAfter,
  lastCodeAfterDelivery,
  lastCodeAfterUse,
  lastCodeName,
} from '#lib/delivery/messages/last-code.js';
import type { LastCode, LastCodeRecord, Known } from '#lib/delivery/records.js';

/** By Okta's clock. */
const NOW = Date.parse('2026-11-25T12:00:00Z');

const codeOf = (status: LastCode['status'], atMs: number, eventId = 'event-1'): LastCode => {
  const base = {
    codeRequest: { atMs, endsAtMs: atMs + 300_000, country: 'GB' },
    deliveryChannel: 'sms',
    eventId,
  } as const;
  if (status === 'refused') return { status, ...base };
  const ids = { to: '+447700900123', transactionId: 'SM1', reportedId: 'SM1' };
  return { status, ...base, ...ids, channel: 'sms', providerIndex: 0, provider: 'TWILIO' };
};
const known = (code: LastCode, takenBy?: string): Known<LastCodeRecord> => ({
  value: { code, takenBy },
  leftMs: 5_000,
});

describe('the last code of a person', () => {
  for (const [kept, agoMs, next, isReplaced] of [
    ['nothing', 0, 'accepted', true],
    ['nothing', 0, 'unknown', true],
    ['nothing', 0, 'refused', true],

    // It was requested before the next one.
    ['accepted', 1, 'accepted', true],
    ['accepted', 1, 'unknown', true],
    ['accepted', 1, 'refused', true],
    ['unknown', 1, 'refused', true],
    ['refused', 1, 'accepted', true],

    // It is the same code: by its other message, or when its attempt starts and ends.
    ['accepted', 0, 'accepted', true],
    ['accepted', 0, 'unknown', false],
    ['accepted', 0, 'refused', false],
    ['unknown', 0, 'accepted', true],
    ['unknown', 0, 'unknown', true],
    ['unknown', 0, 'refused', true],
    ['refused', 0, 'accepted', true],
    ['refused', 0, 'refused', true],

    // It was requested after the next one.
    ['accepted', -1, 'accepted', false],
    ['unknown', -1, 'accepted', false],
    ['refused', -1, 'accepted', false],

    // A use took it.
    ['taken', 1, 'accepted', true],
    ['taken', 0, 'accepted', false],
    ['taken', 0, 'refused', false],
    ['taken', -1, 'accepted', false],
  ] as const) {
    const when = agoMs === 0 ? 'at the same time' : agoMs > 0 ? 'before' : 'after';
    const then = isReplaced ? 'replaces it for an hour' : 'does not replace it';
    it(`is ${kept}${kept === 'nothing' ? '' : ` and was requested ${when}`}: one that is ${next} ${then}`, () => {
      const code = codeOf(next, NOW, 'event-2');
      const before =
        kept === 'nothing'
          ? undefined
          : kept === 'taken'
            ? known(codeOf('accepted', NOW - agoMs), 'a use')
            : known(codeOf(kept, NOW - agoMs));
      expect(lastCodeAfter(before, code)).to.deep.equal(
        isReplaced ? { value: { code }, lifeMs: 3_600_000 } : undefined,
      );
    });
  }

  for (const [title, before, token, gets, isTaken] of [
    ['nothing if there is none', undefined, 'mine', undefined, false],
    ['one that was requested before', known(codeOf('accepted', NOW - 1)), 'mine', 'accepted', true],
    ['one that was requested at the same time', known(codeOf('unknown', NOW)), 'mine', 'unknown', true],
    ['one that was not sent', known(codeOf('refused', NOW)), 'mine', 'refused', true],
    ['nothing if it was requested after', known(codeOf('accepted', NOW + 1)), 'mine', undefined, false],
    ['the same one with the same token', known(codeOf('accepted', NOW), 'mine'), 'mine', 'accepted', false],
    ['nothing if another use took it', known(codeOf('accepted', NOW), 'other'), 'mine', undefined, false],
  ] as const) {
    it(`gives a use ${title}${isTaken ? ', and stays for a quarter of an hour' : ''}`, () => {
      const { next, result } = lastCodeAfterUse(before, { token, usedMs: NOW });
      expect(result?.status).to.equal(gets);
      expect(next).to.deep.equal(
        isTaken ? { value: { code: before.value.code, takenBy: 'mine' }, lifeMs: 900_000 } : undefined,
      );
    });
  }

  it('goes to one of many uses, in any order of codes', () => {
    let record: Known<LastCodeRecord> | undefined;
    for (const atMs of [NOW, NOW + 2, NOW + 1]) {
      const next = lastCodeAfter(record, codeOf('accepted', atMs, `event-${atMs}`));
      if (next !== undefined) record = { value: next.value, leftMs: next.lifeMs };
    }
    const taken = ['one', 'two', 'one', 'three'].map((token) => {
      const { next, result } = lastCodeAfterUse(record, { token, usedMs: NOW + 9 });
      if (next !== undefined) record = { value: next.value, leftMs: next.lifeMs };
      return result?.eventId;
    });
    expect(taken).to.deep.equal([`event-${NOW + 2}`, undefined, `event-${NOW + 2}`, undefined]);
  });

  it('is one for texts and one for voice calls', () => {
    expect(lastCodeName('ana', 'sms')).to.not.deep.equal(lastCodeName('ana', 'voice'));
    expect(lastCodeName('ana', 'sms')).to.not.deep.equal(lastCodeName('bob', 'sms'));
  });

  describe('that was delivered', () => {
    const delivered: Known<LastCodeRecord> = {
      value: { code: codeOf('accepted', NOW), isDelivered: true },
      leftMs: 5_000,
    };

    for (const [title, before, isMarked] of [
      ['if a provider accepted it', known(codeOf('accepted', NOW)), true],
      ['if its outcome is unknown', known(codeOf('unknown', NOW)), true],
      ['not if there is none', undefined, false],
      ['not if it is another one', known(codeOf('accepted', NOW, 'event-2')), false],
      ['not if a use took it', known(codeOf('accepted', NOW), 'a use'), false],
      ['not twice', delivered, false],
    ] as const) {
      it(`is marked ${title}`, () => {
        expect(lastCodeAfterDelivery(before, 'event-1')).to.deep.equal(
          isMarked ? { value: { code: before.value.code, isDelivered: true }, lifeMs: 5_000 } : undefined,
        );
      });
    }

    it('stays so when another message with the code is kept, and not for the next code', () => {
      const other = codeOf('accepted', NOW);
      expect(lastCodeAfter(delivered, other)?.value).to.deep.equal({ code: other, isDelivered: true });
      const next = codeOf('accepted', NOW + 1, 'event-2');
      expect(lastCodeAfter(delivered, next)?.value).to.deep.equal({ code: next });
    });
  });

  describe('is asked for again', () => {
    const request = {
      eventId: 'event-2',
      requestType: 'com.okta.user.telephony.mfa-verification',
      phoneNumber: '+447700900123',
    };
    const sent = (status: LastCode['status'] = 'accepted'): LastCode => {
      const code = codeOf(status, NOW);
      return code.status === 'refused' ? code : { ...code, requestType: request.requestType };
    };
    const askAgain = (
      record: Known<LastCodeRecord> | undefined,
      change: Partial<typeof request> = {},
      afterMs = 30_000,
    ): string | undefined =>
      codeAskedAgain(record, { request: { ...request, ...change }, atMs: NOW + afterMs }, 600_000)?.eventId;

    for (const [title, record, change, afterMs] of [
      ['at once', known(sent()), {}, 0],
      ['at the end of its time', known(sent()), {}, 600_000],
    ] as const) {
      it(title, () => {
        expect(askAgain(record, change, afterMs)).to.equal('event-1');
      });
    }

    for (const [title, record, change, afterMs] of [
      ['if there is none', undefined, {}, 30_000],
      ['after its time', known(sent()), {}, 600_001],
      ['by a request that came before it', known(sent()), {}, -1],
      ['if its outcome is unknown', known(sent('unknown')), {}, 30_000],
      ['if it was refused', known(sent('refused')), {}, 30_000],
      ['if a use took it', known(sent(), 'a use'), {}, 30_000],
      ['if it was delivered', { value: { code: sent(), isDelivered: true }, leftMs: 1 }, {}, 30_000],
      ['by its own event', known(sent()), { eventId: 'event-1' }, 30_000],
      ['for another number', known(sent()), { phoneNumber: '+447700900456' }, 30_000],
      [
        'for another request type',
        known(sent()),
        { requestType: 'com.okta.user.telephony.mfa-enrollment' },
        30_000,
      ],
    ] as const) {
      it(`not ${title}`, () => {
        expect(askAgain(record, change, afterMs)).to.equal(undefined);
      });
    }
  });
});
