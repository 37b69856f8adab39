import { expect } from 'chai';
import { deliveryReportOf } from '#lib/channels/twilio/outcome.js';

describe('what Twilio says of a message or a call', () => {
  for (const status of ['delivered', 'read', 'partially_delivered', 'completed']) {
    it(`is delivered for ${status}`, () => {
      expect(deliveryReportOf(status, undefined)).to.deep.equal({ status: 'delivered' });
    });
  }

  // A call that nobody took did reach the phone; `sent` may be the last word on a text that arrived.
  for (const status of [
    'queued',
    'accepted',
    'sending',
    'sent',
    'scheduled',
    'busy',
    'no-answer',
    'in-progress',
    'new',
  ]) {
    it(`is pending for ${status}`, () => {
      expect(deliveryReportOf(status, undefined)).to.deep.equal({ status: 'pending' });
    });
  }

  for (const status of ['failed', 'undelivered', 'canceled']) {
    it(`is failed for ${status}, with what its code means for the plan`, () => {
      expect(deliveryReportOf(status, '30004')).to.deep.equal({
        status: 'failed',
        code: '30004',
        reason: 'The recipient or the carrier blocks messages from this sender',
        remedy: 'The user must unblock the sender.',
        moveOn: 'other-channel',
      });
      expect(deliveryReportOf(status, '30450')).to.include({ moveOn: false, isFraudBlock: true });
      expect(deliveryReportOf(status, undefined)).to.include({ code: status.toUpperCase(), moveOn: true });
      expect(deliveryReportOf(status, 'InvalidSandboxRequest')).to.include({
        code: 'InvalidSandboxRequest',
        moveOn: true,
      });
    });
  }
});
