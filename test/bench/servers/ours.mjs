import express from 'express';
import { ACCOUNT, serve, settings } from './measured.mjs';

/** The middleware as it is published, with everything on that is on by default, and delivery callbacks beside it. */
const { oktaTelephonyHook } = await import(`${settings.dist}/index.js`);
const { accountSid, apiKeySid, apiKeySecret, authToken } = ACCOUNT;

const app = express();
app.use(
  oktaTelephonyHook({
    credentials: {
      hook: { scheme: 'header', secrets: [ACCOUNT.hookSecret] },
      okta: { orgUrl: settings.oktaUrl, apiToken: ACCOUNT.oktaToken },
      twilio: { accountSid, apiKeySid, apiKeySecret, authToken, baseUrl: settings.twilioUrl },
    },
    publicUrl: ACCOUNT.publicUrl,
    sandboxNumber: ACCOUNT.sandboxNumber,
    senders: { sms: ACCOUNT.smsNumber },
    // The others write no log: what a log costs is a row of its own, by the default logger.
    ...(settings.hasLog ? {} : { logger: { info() {}, warn() {}, error() {} } }),
  }),
);
serve(app);
