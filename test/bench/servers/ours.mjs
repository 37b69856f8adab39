import { createServer } from 'node:http';
import { setInterval } from 'node:timers';
import { URLSearchParams } from 'node:url';
import express from 'express';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import { fetch } from 'undici';
import { ACCOUNT, counted, logger, serve, settings } from './measured.mjs';

/** The middleware as it is published, with everything on that is on by default, and delivery callbacks beside it. */
const { oktaTelephonyHook } = await import(`${settings.dist}/index.js`);
const { accountSid, apiKeySid, apiKeySecret, authToken } = ACCOUNT;

/** A Redis that gateways share. What it answers by promise is waited for; what it writes behind the answer is not. */
async function sharedState({ url, key }) {
  const { redisState } = await import(`${settings.dist}/state/redis/index.js`);
  const state = redisState({ connection: url, encryptionKeys: [key] });
  const counting = Object.create(state);
  for (const name of ['claim', 'isNewest', 'takeReceipt', 'isDelivered']) {
    counting[name] = (...args) => {
      const result = state[name](...args);
      if (result instanceof Promise) counted.waits += 1;
      return result;
    };
  }
  return counting;
}

/**
 * As behind any `publicUrl` that Twilio reaches: where callbacks stay away, messages are asked for. By a port of this
 * process alone, since in a cluster any process may get what comes to the common one.
 */
async function receiveCallbacks(app) {
  const params = { MessageSid: `SM${'0'.repeat(32)}`, MessageStatus: 'sent' };
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-twilio-signature': getExpectedTwilioSignature(authToken, `${ACCOUNT.publicUrl}/twilio/status`, params),
  };
  const server = createServer(app);
  await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1', exclusive: true }, resolve));
  const url = `http://127.0.0.1:${server.address().port}/okta/telephony/twilio/status`;
  const receive = async () => {
    const response = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(params) });
    if (!response.ok) throw new Error(`the callback was answered ${response.status}`);
  };
  await receive();
  setInterval(receive, 5_000).unref();
}

const app = express();
const hook = oktaTelephonyHook({
  credentials: {
    hook: { scheme: 'header', secrets: [ACCOUNT.hookSecret] },
    okta: { orgUrl: settings.oktaUrl, apiToken: ACCOUNT.oktaToken },
    twilio: { accountSid, apiKeySid, apiKeySecret, authToken, baseUrl: settings.twilioUrl },
  },
  publicUrl: ACCOUNT.publicUrl,
  sandboxNumber: ACCOUNT.sandboxNumber,
  senders: { sms: ACCOUNT.smsNumber },
  ...(settings.redis === undefined ? {} : { state: await sharedState(settings.redis) }),
  // A hundred numbers get every code: the limit counts, as it does by default, and blocks none of them.
  guard: { perNumber: { points: 1_000_000, seconds: 600 } },
  logger: logger ?? { info() {}, warn() {}, error() {} },
});
app.use(hook);
// As a gateway that takes traffic once it is ready. The stand-ins answer none of its questions; it is warm all the same.
await hook.ready();
await receiveCallbacks(app);
serve(app);
