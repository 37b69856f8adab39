import { createServer } from 'node:http';
import { setInterval } from 'node:timers';
import { URLSearchParams } from 'node:url';
import express from 'express';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import { fetch } from 'undici';
import { ACCOUNT, counted, logger, serve, settings } from './measured.mjs';

/** The published middleware with its defaults, and delivery callbacks. */
const { oktaTelephonyHook } = await import(`${settings.dist}/index.js`);
const { accountSid, apiKeySid, apiKeySecret, authToken } = ACCOUNT;

/** A shared Redis state that counts awaited answers. Writes after the hook's answer are not awaited. */
async function sharedState({ url, key }) {
  const { redisState } = await import(`${settings.dist}/state/redis/index.js`);
  const state = redisState({ connection: url, encryptionKeys: [key] });
  const counting = Object.create(state);
  for (const name of ['claim', 'isCurrent', 'read']) {
    counting[name] = (...args) => {
      const result = state[name](...args);
      if (result instanceof Promise) counted.waits += 1;
      return result;
    };
  }
  return counting;
}

/**
 * Sends a callback to this process, as Twilio does to a `publicUrl`: without callbacks, the hook would poll messages.
 * Uses a port of this process only, because any process of a cluster may get a request to the common port.
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
  // A hundred numbers get all codes: the limits count, as by default, but block none.
  guard: { perNumber: { points: 1_000_000, seconds: 600 } },
  logger: logger ?? { info() {}, warn() {}, error() {} },
});
app.use(hook);
// Like a gateway that takes traffic once it is ready. Its checks fail at the stand-ins, but they warm it up.
await hook.ready();
await receiveCallbacks(app);
serve(app);
