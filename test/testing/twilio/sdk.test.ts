import { expect } from 'chai';
import twilioSdk from 'twilio';
import { startTwilioEmulator, type TwilioEmulator } from '#lib/testing/index.js';
import { rejection } from '../local.js';
import { PHONE } from './rest.js';

describe("startTwilioEmulator: with Twilio's SDK", () => {
  let twilio: TwilioEmulator;
  let client: ReturnType<typeof twilioSdk>;
  beforeEach(async () => {
    twilio = await startTwilioEmulator();
    const { accountSid, apiKeySid, apiKeySecret, baseUrl } = twilio;
    client = twilioSdk(apiKeySid, apiKeySecret, { accountSid, keepAlive: false });
    for (const product of [client.api, client.content, client.messaging, client.verify]) {
      product.baseUrl = baseUrl;
    }
  });
  afterEach(() => twilio.close());

  it('starts and approves a verification, and returns 20404 for a second approval', async () => {
    const service = client.verify.v2.services(twilio.verifyServiceSid);
    expect((await service.fetch()).customCodeEnabled).to.equal(true);
    const begun = await service.verifications.create({ to: PHONE, channel: 'sms', customCode: '204981' });
    expect(begun).to.include({ status: 'pending', to: PHONE, channel: 'sms' });
    expect(begun.dateCreated).to.be.instanceOf(Date);
    const approved = await service.verifications(PHONE).update({ status: 'approved' });
    expect(approved).to.include({ sid: begun.sid, status: 'approved' });
    const error = await rejection(service.verifications(PHONE).update({ status: 'approved' }));
    expect(error).to.include({ status: 404, code: 20404 });
  });

  it('sends, fetches and lists a message, and accepts feedback for it', async () => {
    const sent = await client.messages.create({
      to: PHONE,
      from: twilio.smsNumber,
      body: 'Your code is 204981',
    });
    expect((await client.messages(sent.sid).fetch()).to).to.equal(PHONE);
    const feedback = await client.messages(sent.sid).feedback.create({ outcome: 'confirmed' });
    expect(feedback).to.include({ messageSid: sent.sid, outcome: 'confirmed' });
    const listed = await client.messages.list({ to: PHONE });
    expect(listed.map(({ sid }) => sid)).to.deep.equal([sent.sid]);
    await client.messages.create({ to: PHONE, from: twilio.smsNumber, body: 'Your code is 204982' });
    const page = await client.messages.page({ pageSize: 1 });
    expect(page.instances).to.have.length(1);
    expect((await page.nextPage())?.instances[0]?.sid).to.equal(sent.sid);
    expect(await client.messages.list({ pageSize: 1, limit: 5 })).to.have.length(2);
    const problem = await rejection(client.messages.list({ dateSent: new Date(0) }));
    expect(problem).to.include({ status: 400, code: 20001 });
    expect(String(problem)).to.include('does not know the parameter DateSent');
  });
});
