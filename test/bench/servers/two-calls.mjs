import { Buffer } from 'node:buffer';
import { URLSearchParams } from 'node:url';
import { Agent, request } from 'undici';
import { ACCOUNT, settings } from './measured.mjs';

/** The two calls that a code needs, by undici only. */
const { accountSid, apiKeySid, apiKeySecret, oktaToken } = ACCOUNT;
const dispatcher = new Agent({
  connections: null,
  pipelining: 1,
  keepAliveTimeout: 20_000,
  keepAliveMaxTimeout: 60_000,
});
const messagesUrl = `${settings.twilioUrl}/2010-04-01/Accounts/${accountSid}/Messages.json`;
const basic = `Basic ${Buffer.from(`${apiKeySid}:${apiKeySecret}`).toString('base64')}`;

/** Reads the user of a hook call, and sends the code by the channel of their choice. */
export async function sendCode({ userProfile, messageProfile }) {
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
  return { sid: message.sid, isOptedIn };
}
