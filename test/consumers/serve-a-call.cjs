// Serves one code on the emulators as a gateway does, after either way to load the package.
'use strict';
const { once } = require('node:events');

module.exports = async function serveACall(script, { express, hookPackage, testing }) {
  const okta = await testing.startOktaEmulator();
  const twilio = await testing.startTwilioEmulator();
  okta.addUser({
    id: '00u1anasilveira00001',
    login: 'ana@example.com',
    firstName: 'Ana',
    lastName: 'Silveira',
    profile: { whatsAppOptIn: true },
  });
  twilio.joinSandbox('+447700900123');
  const hook = hookPackage.oktaTelephonyHook({
    credentials: {
      hook: { scheme: 'header', secrets: ['secret-of-the-consumer'] },
      okta: { orgUrl: okta.orgUrl, apiToken: okta.apiToken },
      twilio: {
        accountSid: twilio.accountSid,
        apiKeySid: twilio.apiKeySid,
        apiKeySecret: twilio.apiKeySecret,
        baseUrl: twilio.baseUrl,
      },
    },
    sandboxNumber: twilio.sandboxNumber,
    logger: { info() {}, warn() {}, error() {} },
  });
  const app = express();
  app.use(hook);
  app.get('/', (req, res) => res.send('the gateway'));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${server.address().port}`;
  const ready = await hook.ready();
  const call = await okta.callHook({
    url: `${origin}/okta/telephony`,
    headers: { Authorization: 'secret-of-the-consumer' },
    userId: '00u1anasilveira00001',
    phoneNumber: '+447700900123',
  });
  const own = await fetch(origin);
  const result = {
    ready,
    action: call.okta.action,
    channels: twilio.messages.map(({ channel }) => channel),
    hasCode: twilio.inbox('+447700900123')[0]?.text.includes(call.otpCode),
    ownRoute: await own.text(),
    expressVersion: require('express/package.json').version,
  };
  server.closeAllConnections();
  server.close();
  await hook.close();
  await Promise.all([okta.close(), twilio.close()]);
  process.stdout.write(`${JSON.stringify({ [script]: result })}\n`);
};
