// Three tests of a gateway, as a user of the package writes them with the emulators.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import express from 'express';
import { oktaTelephonyHook } from 'okta-telephony-hook';
import { startOktaEmulator, startTwilioEmulator } from 'okta-telephony-hook/testing';

const ANA = '+447700900123';
const okta = await startOktaEmulator();
const twilio = await startTwilioEmulator();
const hook = oktaTelephonyHook({
  credentials: { hook: okta.hookCredential, okta: okta.credential, twilio: twilio.credential },
  sandboxNumber: twilio.sandboxNumber,
  senders: twilio.senders,
  logger: { info() {}, warn() {}, error() {} },
});
const server = express().use(hook).listen(0, '127.0.0.1');

before(async () => {
  await once(server, 'listening');
  okta.addUser({ login: 'ana@example.com', profile: { whatsAppOptIn: true, mobilePhone: ANA } });
  twilio.joinSandbox(ANA);
  await okta.connectHook(`http://127.0.0.1:${server.address().port}/okta/telephony`);
});
after(async () => {
  server.close();
  await Promise.all([hook.close(), okta.close(), twilio.close()]);
});

test('a user who opted in gets the code by WhatsApp', async () => {
  const { okta: verdict, otpCode } = await okta.callHook();
  assert.equal(verdict.action, 'sent');
  const { channel, text } = await twilio.nextItem(ANA);
  assert.deepEqual([channel, text.includes(otpCode)], ['whatsapp', true]);
});
test('a user gets an SMS if Twilio refuses the WhatsApp message', async () => {
  twilio.refuseWith({ code: 63007, times: 1 });
  await okta.callHook();
  assert.equal((await twilio.nextItem(ANA)).channel, 'sms');
});
test('a user who asks for a call gets a call', async () => {
  await okta.callHook({ deliveryChannel: 'voice call' });
  assert.equal((await twilio.nextItem(ANA)).channel, 'voice');
});
