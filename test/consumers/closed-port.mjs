// A channel as in the guide of custom channels. The port of its provider is closed, so the next provider sends the code.
import { once } from 'node:events';
import { createServer } from 'node:http';
import express from 'express';
import { oktaTelephonyHook, outcomeOf, twilioMessages } from 'okta-telephony-hook';
import { startOktaEmulator, startTwilioEmulator } from 'okta-telephony-hook/testing';

const listen = async (server) => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${server.address().port}`;
};
const provider = createServer();
const origin = await listen(provider);
await new Promise((resolve) => provider.close(resolve));

const acme = {
  provider: 'ACME',
  async send({ to, text }, { http }) {
    const result = await http({ url: `${origin}/messages`, json: { to, text } });
    return outcomeOf(result, {
      provider: 'ACME',
      readSuccess: ({ json }) => json?.id,
      readRefusal: ({ status }) => ({ code: `HTTP_${status}`, reason: 'Refused by ACME' }),
    });
  },
};

const okta = await startOktaEmulator();
const twilio = await startTwilioEmulator();
const events = [];
const hook = oktaTelephonyHook({
  credentials: { hook: okta.hookCredential, okta: okta.credential, twilio: twilio.credential },
  senders: twilio.senders,
  channels: { sms: [acme, twilioMessages()] },
  logger: false,
  onEvent: (event) => events.push(event),
});
const server = createServer(express().use(hook));
await okta.connectHook(`${await listen(server)}/okta/telephony`);
const user = okta.addUser({ login: 'ana@example.com', profile: { mobilePhone: '+447700900123' } });

// Five failures in a row open the circuit breaker. The users get all eight codes.
const answers = [];
for (let i = 0; i < 8; i += 1) answers.push((await okta.callHook({ userId: user.id })).okta.action);
const attempts = events
  .filter(({ type }) => type === 'attempt.ended')
  .map(({ provider: name, outcome, code }) => [name, outcome, code].filter(Boolean).join(' '));
const result = { answers, attempts: attempts.slice(0, 2), received: twilio.messages.length };
server.closeAllConnections();
server.close();
await hook.close();
await Promise.all([okta.close(), twilio.close()]);
process.stdout.write(`${JSON.stringify({ 'closed-port': result })}\n`);
