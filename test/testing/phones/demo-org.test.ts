import { expect } from 'chai';
import { startDemoOrg, type DemoOrg } from '#lib/testing/demo.js';
import { mustNotShow } from '#harness/witness.js';

describe('startDemoOrg', () => {
  let org: DemoOrg;
  beforeEach(async () => {
    org = await startDemoOrg();
    mustNotShow(org.hookSecret);
  });
  afterEach(() => org.close());

  it('has three people with different opt-in and sandbox state, and numbers with different last digits', () => {
    expect(org.people.map(({ firstName }) => firstName)).to.deep.equal(['Ana', 'Bob', 'Chloé']);
    expect(new Set(org.people.map(({ phone }) => phone.slice(-2))).size).to.equal(3);
    expect(org.okta.users.map(({ profile }) => profile[org.optInAttribute])).to.deep.equal([
      true,
      undefined,
      undefined,
    ]);
    expect(org.people.map(({ phone }) => org.twilio.isInSandbox(phone))).to.deep.equal([true, true, false]);
  });

  it('returns curl commands for hook calls, each with a new event id and request id at every run', () => {
    const curls = org.curls('http://127.0.0.1:3000/okta/telephony');
    expect(curls.map(({ title }) => title)).to.deep.equal([
      'Ana opted in to WhatsApp:',
      'Bob did not, and gets an SMS:',
      'Bob asks to be called:',
    ]);
    const asked = curls.map(({ command }) => {
      const pasted = command.replaceAll(`'"$(date +%s%N)"'`, '1');
      const [, secret, body = ''] = /Authorization: (\S+)'.* -d '(.*)'$/s.exec(pasted) ?? [];
      expect(secret).to.equal(org.hookSecret);
      expect(pasted).to.match(/^curl -sS -w '\\n' http:\/\/127\.0\.0\.1:3000\/okta\/telephony /);
      const { eventId, data } = JSON.parse(body) as {
        eventId: string;
        data: {
          context: { request: { id: string } };
          userProfile: { login: string };
          messageProfile: { deliveryChannel: string; msgTemplate?: string; otpCode: string };
        };
      };
      const { deliveryChannel, msgTemplate, otpCode } = data.messageProfile;
      expect(eventId).to.equal('demo-1');
      expect(data.context.request.id).to.equal('req-demo-1');
      // Okta sends a text for messages only.
      expect(msgTemplate?.includes(otpCode)).to.equal(deliveryChannel === 'SMS' ? true : undefined);
      return `${data.userProfile.login} ${deliveryChannel}`;
    });
    expect(asked).to.deep.equal(['ana@example.com SMS', 'bob@example.com SMS', 'bob@example.com voice call']);
  });
});
