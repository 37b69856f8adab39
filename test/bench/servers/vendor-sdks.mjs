import { performance } from 'node:perf_hooks';
import okta from '@okta/okta-sdk-nodejs';
import express from 'express';
import twilio from 'twilio';
import { ACCOUNT, logSent, serve, settings, successFor } from './measured.mjs';

/** The SDKs of the two vendors, used as in their documents: each client is made once. */
const oktaClient = new okta.Client({ orgUrl: settings.oktaUrl, token: ACCOUNT.oktaToken });

/** The SDK's default HTTP client, with another host. */
class LocalRequestClient extends twilio.RequestClient {
  request(options) {
    return super.request({
      ...options,
      uri: options.uri.replace('https://api.twilio.com', settings.twilioUrl),
    });
  }
}
const twilioClient = twilio(ACCOUNT.apiKeySid, ACCOUNT.apiKeySecret, {
  accountSid: ACCOUNT.accountSid,
  httpClient: new LocalRequestClient(),
});

const app = express();
app.post('/okta/telephony', express.json(), async (req, res) => {
  if (req.headers.authorization !== ACCOUNT.hookSecret) {
    res.sendStatus(401);
    return;
  }
  const startedAt = performance.now();
  const { userProfile, messageProfile } = req.body.data;
  const user = await oktaClient.userApi.getUser({ userId: userProfile.userId });
  const isOptedIn = user.profile.whatsAppOptIn === true;
  const message = await twilioClient.messages.create({
    to: isOptedIn ? `whatsapp:${messageProfile.phoneNumber}` : messageProfile.phoneNumber,
    from: isOptedIn ? `whatsapp:${ACCOUNT.sandboxNumber}` : ACCOUNT.smsNumber,
    body: messageProfile.msgTemplate,
    statusCallback: `${ACCOUNT.publicUrl}/twilio/status`,
  });
  res.json(successFor(message.sid, isOptedIn));
  logSent(req.body, message.sid, isOptedIn, startedAt);
});
serve(app);
