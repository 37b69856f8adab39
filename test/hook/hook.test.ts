import { expect } from 'chai';
import { ANA, BOB, CODE, HOOK_SECRET, commandOf, errorOf, startScene, type Scene } from '#harness/scene.js';

describe('the hook', () => {
  let scene: Scene;
  beforeEach(async () => {
    scene = await startScene();
  });
  afterEach(() => scene.close());

  it('sends by WhatsApp from the sandbox to a user who opted in', async () => {
    const call = await scene.call();
    expect(call.httpStatus).to.equal(200);
    expect(call.okta.action).to.equal('sent');
    const [message] = scene.twilio.messages;
    expect(message).to.include({ channel: 'whatsapp', to: ANA.phone, body: `Your code is ${CODE}` });
    expect(commandOf(call)).to.include({
      status: 'SUCCESSFUL',
      provider: 'TWILIO',
      transactionId: message?.sid,
    });
    expect(commandOf(call)?.['transactionMetadata']).to.match(
      /^channel=whatsapp;requestType=com\.okta\.user\.telephony\.mfa-verification;Duration=\d+ms;id=[\w-]+$/,
    );
  });

  it('sends by SMS to a user who did not opt in', async () => {
    const call = await scene.call({ userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone });
    expect(call.okta.action).to.equal('sent');
    expect(scene.twilio.messages).to.have.length(1);
    expect(scene.twilio.messages[0]).to.include({ channel: 'sms', to: BOB.phone });
  });

  it('makes a voice call if Okta requests one, even if the user opted in to WhatsApp', async () => {
    const call = await scene.call({ deliveryChannel: 'voice call' });
    expect(call.okta.action).to.equal('sent');
    expect(scene.twilio.messages).to.be.empty;
    expect(scene.twilio.calls).to.have.length(1);
    expect(scene.twilio.calls[0]?.twiml).to.include('2, 0, 4, 9, 8, 1').and.not.include(CODE);
  });

  it('sends by SMS when WhatsApp refuses, and names the refusal in its answer', async () => {
    scene.twilio.refuseWith({
      code: 63007,
      match: (request) => request.form?.['To'] === `whatsapp:${ANA.phone}`,
    });
    const call = await scene.call();
    expect(scene.twilio.messages.map(({ channel }) => channel)).to.deep.equal(['sms']);
    expect(commandOf(call)?.['transactionMetadata']).to.match(/;refused=whatsapp:63007$/);
  });

  it('answers PENDING and sends nothing else when the outcome is unknown', async () => {
    scene.twilio.fault({ kind: 'reset' });
    const call = await scene.call();
    expect(commandOf(call)).to.include({ status: 'PENDING', provider: 'TWILIO' });
    expect(scene.twilio.requests).to.have.length(1);
  });

  it('answers an error object when nothing went out', async () => {
    scene.twilio.refuseWith({ code: 21211 });
    const call = await scene.call();
    expect(call.httpStatus).to.equal(200);
    expect(errorOf(call)?.errorCauses).to.have.length(1);
    expect(errorOf(call)?.errorCauses?.[0]).to.include({ location: ANA.id });
    expect(errorOf(call)?.errorCauses?.[0]?.['reason']).to.match(/^21211: /);
  });

  it('answers 401 to an unverified caller, and makes no request to Okta or Twilio', async () => {
    const call = await scene.call({ headers: { Authorization: `${HOOK_SECRET}x` } });
    expect(call.httpStatus).to.equal(401);
    expect(call.body).to.deep.equal({ error: { errorSummary: 'Unauthorized' } });
    expect(scene.okta.requests).to.be.empty;
    expect(scene.twilio.requests).to.be.empty;
  });

  it('gives a repeat the answer of the first call, and sends once', async () => {
    const first = await scene.call({ eventId: 'event-1' });
    const second = await scene.call({ eventId: 'event-1' });
    expect(second.body).to.deep.equal(first.body);
    expect(scene.twilio.messages).to.have.length(1);
  });
});
