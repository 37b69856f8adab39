import { expect } from 'chai';
import { nameRecipient, warnOfSending } from '#lib/console/browser/send-warning.js';
import { renewSampleCall } from '#lib/console/sample-call.js';

describe('warnOfSending before a test', () => {
  const NOW = Date.parse('2030-01-01T12:00:00.000Z');
  const asking = (changes: Readonly<Record<string, unknown>>) => ({
    data: {
      messageProfile: {
        phoneNumber: '+447700900123',
        deliveryChannel: 'SMS',
        otpExpires: '2030-01-01T12:05:00.000Z',
        ...changes,
      },
    },
  });

  it('says that the message or call is real, with two digits of the number', () => {
    expect(warnOfSending(undefined, NOW)).to.equal('Nothing is sent before you press Send.');
    expect(warnOfSending(asking({}), NOW)).to.match(
      /^Send makes a real message go out .* ends in 23: .* SMS\.$/,
    );
    expect(warnOfSending(asking({ deliveryChannel: 'VOICE_CALL' }), NOW)).to.equal(
      'Send makes a real call to the number that ends in 23.',
    );
  });

  it('says that Send renews an expired code, and that the message is real', () => {
    const expired = asking({ otpExpires: '2030-01-01T12:00:00.000Z' });
    expect(warnOfSending(expired, NOW))
      .to.match(/^Send makes a real message go out /)
      .and.to.match(/has expired: Send renews it for five minutes\.$/);
    expect(renewSampleCall(expired, NOW)).to.have.nested.property(
      'data.messageProfile.otpExpires',
      '2030-01-01T12:05:00.000Z',
    );
    expect(warnOfSending(asking({ otpExpires: '2030-01-01T12:00:00.001Z' }), NOW)).to.not.match(/expired/);
  });

  it('names the user by first name, else by login, with two digits of the number', () => {
    const { data } = asking({});
    const named = (userProfile: object) => nameRecipient({ data: { ...data, userProfile } });
    expect(named({ firstName: 'Ana', login: 'ana@example.com' })).to.deep.equal(['Ana', '23']);
    expect(named({ firstName: '', login: 'ana@example.com' })).to.deep.equal(['ana@example.com', '23']);
    expect(nameRecipient(undefined)).to.deep.equal(['', '']);
  });

  it('distinguishes a very short number from a missing one', () => {
    expect(warnOfSending(asking({ phoneNumber: '+44770' }), NOW)).to.match(/ is very short: /);
    for (const phoneNumber of ['', undefined, null]) {
      expect(warnOfSending(asking({ phoneNumber }), NOW)).to.match(/has no phone number yet/);
    }
  });
});
