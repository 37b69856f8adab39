import { expect } from 'chai';
import type { TelephonyRequest } from '#lib/core/channel.js';
import { duplicateKey } from '#lib/hook/deduplicate.js';
import { makeMessage, OTP_CODE, PHONE_NUMBER } from '../channels/twilio/scripted-api.js';

const REQUEST: TelephonyRequest = { ...makeMessage().request, eventId: 'event-1', userId: '00u1' };

describe('the key of an event', () => {
  for (const [title, change] of [
    ['another event id', { eventId: 'event-2' }],
    ['another request type', { requestType: 'com.okta.user.telephony.password-reset' }],
    ['no request type', { requestType: undefined }],
    ['another user', { userId: '00u2' }],
    ['another number', { phoneNumber: '+447700900124' }],
    ['another code', { otpCode: '000000' }],
    ['another channel', { deliveryChannel: 'voice' }],
  ] as const) {
    it(`differs with ${title}`, () => {
      expect(duplicateKey({ ...REQUEST, ...change })).to.not.equal(duplicateKey(REQUEST));
    });
  }

  it('is the same with another expiry, locale, login, template or raw request', () => {
    const same = { ...REQUEST, expiresAt: new Date(0), locale: 'pt', login: 'x', msgTemplate: 'y', raw: 1 };
    expect(duplicateKey(same)).to.equal(duplicateKey(REQUEST));
  });

  it('depends on the login if there is no user id', () => {
    const [one, other] = ['a@example.com', 'b@example.com'].map((login) =>
      duplicateKey({ ...REQUEST, userId: undefined, login }),
    );
    expect(one).to.not.equal(other);
  });

  it('differs if the same characters belong to other parts', () => {
    expect(duplicateKey({ ...REQUEST, eventId: 'a', requestType: 'bc' })).to.not.equal(
      duplicateKey({ ...REQUEST, eventId: 'ab', requestType: 'c' }),
    );
  });

  it('contains neither code nor number', () => {
    expect(duplicateKey(REQUEST)).to.match(/^[\w-]{43}$/);
    expect(duplicateKey(REQUEST)).to.not.include(OTP_CODE).and.not.include(PHONE_NUMBER);
  });
});
