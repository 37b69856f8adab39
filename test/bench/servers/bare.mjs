import { Buffer } from 'node:buffer';
import { performance } from 'node:perf_hooks';
import { URLSearchParams } from 'node:url';
import express from 'express';
import { Agent, request } from 'undici';
import { ACCOUNT, logSent, serve, settings, successFor } from './measured.mjs';

/** The same two calls and nothing else: what no middleware can be faster than by much. */
const { accountSid, apiKeySid, apiKeySecret, hookSecret, oktaToken } = ACCOUNT;
const dispatcher = new Agent({
  connections: null,
  pipelining: 1,
  keepAliveTimeout: 20_000,
  keepAliveMaxTimeout: 60_000,
});
const messagesUrl = `${settings.twilioUrl}/2010-04-01/Accounts/${accountSid}/Messages.json`;
const basic = `Basic ${Buffer.from(`${apiKeySid}:${apiKeySecret}`).toString('base64')}`;

const app = express();
app.post('/okta/telephony', express.json(), async (req, res) => {
  if (req.headers.authorization !== hookSecret) {
    res.sendStatus(401);
    return;
  }
  const startedAt = performance.now();
  const { userProfile, messageProfile } = req.body.data;
  const found = await request(`${settings.oktaUrl}/api/v1/users/${userProfile.userId}`, {
    dispatcher,
    headers: { accept: 'application/json', authorization: `SSWS ${oktaToken}` },
  });
  const user = await found.body.json();
  const isOptedIn = user.profile.whatsAppOptIn === true;
  const sent = await request(messagesUrl, {
    dispatcher,
    method: 'POST',
    headers: { authorization: basic, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      To: isOptedIn ? `whatsapp:${messageProfile.phoneNumber}` : messageProfile.phoneNumber,
      From: isOptedIn ? `whatsapp:${ACCOUNT.sandboxNumber}` : ACCOUNT.smsNumber,
      Body: messageProfile.msgTemplate,
      StatusCallback: `${ACCOUNT.publicUrl}/twilio/status`,
    }).toString(),
  });
  const message = await sent.body.json();
  res.json(successFor(message.sid, isOptedIn));
  logSent(req.body, message.sid, isOptedIn, startedAt);
});
serve(app);
