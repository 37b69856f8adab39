import { Buffer } from 'node:buffer';
import { URLSearchParams } from 'node:url';
import { Agent, request } from 'undici';
import { ACCOUNT, serve, settings, successFor } from './measured.mjs';

/** The same two calls on `node:http` alone, without Express: the limit of any server on Node. */
const { accountSid, apiKeySid, apiKeySecret, hookSecret, oktaToken } = ACCOUNT;
const dispatcher = new Agent({ connections: null, pipelining: 1, keepAliveTimeout: 20_000 });
const messagesUrl = `${settings.twilioUrl}/2010-04-01/Accounts/${accountSid}/Messages.json`;
const basic = `Basic ${Buffer.from(`${apiKeySid}:${apiKeySecret}`).toString('base64')}`;

async function answer(res, text) {
  const { userProfile, messageProfile } = JSON.parse(text).data;
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
  const body = JSON.stringify(successFor(message.sid, isOptedIn));
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
}

serve((req, res) => {
  if (req.headers.authorization !== hookSecret) {
    res.writeHead(401).end();
    return;
  }
  let text = '';
  req.setEncoding('utf8');
  req.on('data', (chunk) => {
    text += chunk;
  });
  req.on('end', () => answer(res, text));
});
