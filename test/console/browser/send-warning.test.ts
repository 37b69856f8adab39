import { expect } from 'chai';
import { warnOfSending } from '#lib/console/browser/send-warning.js';
import { renewSampleCall } from '#lib/okta/sample-call.js';

describe('what is said before a test is sent', () => {
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

  it('names a real message or a real call, and two digits of the number', () => {
    expect(warnOfSending(undefined, NOW)).to.equal('Nothing is sent before you press Send.');
    expect(warnOfSending(asking({}), NOW)).to.match(
      /^Send makes a real message go out .* ends in 23: .* SMS\.$/,
    );
    expect(warnOfSending(asking({ deliveryChannel: 'VOICE_CALL' }), NOW)).to.equal(
      'Send makes a real call to the number that ends in 23.',
    );
  });

  it('says of a code that has expired that it is renewed, as it is, and that a real message goes out', () => {
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

  it('tells a number that is very short from none', () => {
    expect(warnOfSending(asking({ phoneNumber: '+44770' }), NOW)).to.match(/ is very short: /);
    for (const phoneNumber of ['', undefined, null]) {
      expect(warnOfSending(asking({ phoneNumber }), NOW)).to.match(/has no phone number yet/);
    }
  });
});
