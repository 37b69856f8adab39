import { expect } from 'chai';
import { startTwilioEmulator, type TwilioEmulator } from '#lib/testing/index.js';

const PHONE = '+4915112345678';

describe('startTwilioEmulator: nextItem', () => {
  let twilio: TwilioEmulator;
  const send = async (text: string): Promise<void> => {
    const { accountSid, apiKeySid, apiKeySecret, baseUrl } = twilio.credential;
    await fetch(`${baseUrl}/2010-04-01/Accounts/${accountSid}/Messages.json`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${apiKeySid}:${apiKeySecret}`).toString('base64')}`,
      },
      body: new URLSearchParams({ To: PHONE, From: twilio.senders.sms, Body: text }),
    });
  };
  beforeEach(async () => {
    twilio = await startTwilioEmulator();
  });
  afterEach(() => twilio.close());

  it('returns each item of a phone once, oldest first, also one that arrives after the call', async () => {
    await send('one');
    const first = await twilio.nextItem(PHONE);
    const later = [twilio.nextItem(PHONE), twilio.nextItem(PHONE)];
    await send('two');
    await send('three');
    const items = [first, ...(await Promise.all(later))];
    expect(items.map(({ text }) => text)).to.deep.equal(['one', 'two', 'three']);
  });

  it('rejects with only the last two digits if nothing arrives in time, and returns a later item next time', async () => {
    const problem = await twilio.nextItem(PHONE, { timeoutMs: 1 }).catch((error: unknown) => error);
    expect(problem)
      .to.be.instanceOf(Error)
      .with.property('message', 'Nothing arrived on the phone that ends in 78 within 1 ms.');
    await send('late');
    expect(await twilio.nextItem(PHONE)).to.include({ text: 'late' });
  });

  it('has a credential and senders for the options of the hook', () => {
    const { accountSid, apiKeySid, apiKeySecret, authToken, baseUrl, smsNumber, voiceNumber } = twilio;
    expect(twilio.credential).to.deep.equal({ accountSid, apiKeySid, apiKeySecret, authToken, baseUrl });
    expect(twilio.senders).to.deep.equal({ sms: smsNumber, voice: voiceNumber });
  });
});
