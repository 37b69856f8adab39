import { expect } from 'chai';
import { twilioMessages, twilioVerify, type OktaTelephonyHookOptions } from '../lib/index.js';
import type { TwilioEmulator } from '../lib/testing/index.js';
import { BOB, CODE, commandOf, startScene, type Scene, type SceneOptions } from './harness/scene.js';

/** Verify in place of Messages and Calls, for WhatsApp to Ana and SMS to Bob. */
const byVerify: SceneOptions['hook'] = ({ twilio }) => ({
  sandboxNumber: undefined,
  senders: undefined,
  channels: everyChannel(twilio),
});

function everyChannel({ verifyServiceSid }: TwilioEmulator): OktaTelephonyHookOptions['channels'] {
  const verify = twilioVerify({ serviceSid: verifyServiceSid });
  return { whatsapp: verify, sms: verify, voice: verify };
}

const BY_BOB = { userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone, locale: 'en-US' };

describe('a hook whose channels are Twilio Verify', () => {
  let scene: Scene;
  afterEach(() => scene.close());

  it('has Verify send the code by WhatsApp, SMS and voice, and tells Okta so', async () => {
    scene = await startScene({ hook: byVerify });
    const whatsapp = await scene.call();
    const sms = await scene.call(BY_BOB);
    const voice = await scene.call({ ...BY_BOB, deliveryChannel: 'VOICE' });
    for (const call of [whatsapp, sms, voice]) {
      expect(call.httpStatus).to.equal(200);
      expect(commandOf(call)).to.include({ status: 'SUCCESSFUL', provider: 'TWILIO_VERIFY' });
    }
    const { verifications } = scene.twilio;
    expect(verifications.map(({ channel, code }) => [channel, code])).to.deep.equal([
      ['whatsapp', CODE],
      // Pending still, so that the call goes out for the same verification.
      ['call', CODE],
    ]);
    expect(commandOf(sms)?.['transactionId']).to.equal(verifications[1]?.sid);
  });

  it('goes on by SMS where the service has no WhatsApp sender', async () => {
    scene = await startScene({ hook: byVerify });
    scene.twilio.configureVerify({ whatsAppFrom: null });
    const call = await scene.call();
    expect(commandOf(call)?.['transactionMetadata']).to.match(/channel=sms;.*refused=whatsapp:68008/);
    expect(scene.twilio.verifications.map(({ channel }) => channel)).to.deep.equal(['sms']);
  });

  it('answers as the guard does where Fraud Guard holds a code back, and sends it by nothing else', async () => {
    scene = await startScene({
      hook: ({ twilio }) => ({
        channels: { sms: [twilioVerify({ serviceSid: twilio.verifyServiceSid }), twilioMessages()] },
      }),
    });
    scene.twilio.configureVerify({ blockedPrefixes: [BOB.phone.slice(0, 5)] });
    const call = await scene.call(BY_BOB);
    expect(commandOf(call)).to.include({ status: 'PENDING' });
    expect(scene.twilio.inbox(BOB.phone)).to.deep.equal([]);
  });

  it('goes to the next provider of the channel where the service takes no codes of others, and says what to do', async () => {
    scene = await startScene({
      hook: ({ twilio }) => ({
        channels: { sms: [twilioVerify({ serviceSid: twilio.verifyServiceSid }), twilioMessages()] },
      }),
    });
    scene.twilio.configureVerify({ customCodeEnabled: false });
    const call = await scene.call(BY_BOB);
    expect(commandOf(call)).to.include({ status: 'SUCCESSFUL', provider: 'TWILIO' });
    expect(scene.twilio.inbox(BOB.phone)).to.have.lengthOf(1);
    const attempts = scene.events.flatMap((event) => (event.type === 'attempt.ended' ? [event] : []));
    expect(attempts[0]).to.include({ provider: 'TWILIO_VERIFY', code: '60204' });
    expect(attempts[0]?.remedy).to.contain('custom verification codes');
  });

  it('goes to the next provider at the sixth code that nobody used', async () => {
    scene = await startScene({
      hook: ({ twilio }) => ({
        channels: { sms: [twilioVerify({ serviceSid: twilio.verifyServiceSid }), twilioMessages()] },
      }),
    });
    const providers: unknown[] = [];
    for (let count = 0; count < 6; count += 1) {
      const call = await scene.call(BY_BOB);
      providers.push(commandOf(call)?.['provider']);
    }
    expect(providers).to.deep.equal([...Array.from({ length: 5 }, () => 'TWILIO_VERIFY'), 'TWILIO']);
  });
});
