import { expect } from 'chai';
import { nameChannel, nameRequestType } from '#lib/events/description.js';

describe('the display name', () => {
  for (const [channel, name] of [
    ['whatsapp', 'WhatsApp'],
    ['sms', 'SMS'],
    ['voice', 'Voice call'],
    ['line', 'LINE'],
    ['own-channel', 'own-channel'],
  ] as const) {
    it(`of the channel ${channel} is ${name}`, () => {
      expect(nameChannel(channel)).to.equal(name);
    });
  }

  for (const [requestType, name] of [
    ['com.okta.user.telephony.mfa-verification', 'Sign-in'],
    ['com.okta.user.telephony.pre-enrollment', 'Phone enrollment'],
    ['com.okta.user.telephony.account-unlock', 'Account unlock'],
    ['com.okta.user.telephony.password-reset', 'Password reset'],
    ['com.okta.user.telephony.mfa.newOne', 'mfa.newOne'],
    [undefined, 'Unknown request type'],
  ] as const) {
    it(`of the request type ${String(requestType)} is ${name}`, () => {
      expect(nameRequestType(requestType)).to.equal(name);
    });
  }
});
