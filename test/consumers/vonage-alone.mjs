// The gateway in five lines, for an organisation with Vonage and without Twilio. It logs with pino.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Writable } from 'node:stream';
import express from 'express';
import { pino } from 'pino';
import { oktaTelephonyHook } from 'okta-telephony-hook';
import { optionsFrom } from 'okta-telephony-hook/environment';
import { startOktaEmulator } from 'okta-telephony-hook/testing';

/** The part of Vonage that a code needs. */
const messages = [];
const vonage = createServer(async (req, res) => {
  const body = JSON.parse(Buffer.concat(await req.toArray()).toString());
  const isOurs = req.headers.authorization === `Basic ${btoa('a1b2c3d4:vonage-secret')}`;
  const status = !isOurs ? 401 : body.to === undefined ? 422 : 202;
  if (status === 202) messages.push(body);
  res.writeHead(status, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify({ message_uuid: randomUUID() }));
}).listen(0, '127.0.0.1');
await once(vonage, 'listening');
const okta = await startOktaEmulator();

const env = {
  OKTA_ORG_URL: okta.orgUrl,
  OKTA_API_TOKEN: okta.apiToken,
  HOOK_SECRET: 'secret-of-the-consumer',
  PUBLIC_URL: 'https://id.acme.com/okta/telephony',
  VONAGE_API_KEY: 'a1b2c3d4',
  VONAGE_API_SECRET: 'vonage-secret',
  VONAGE_SMS_FROM: 'ACME',
  VONAGE_BASE_URL: `http://127.0.0.1:${vonage.address().port}`,
  GUARD_COUNTRIES: 'GB,FR',
};
const lines = [];
const write = (line, _encoding, done) => {
  lines.push(JSON.parse(line));
  done();
};
const logger = pino(new Writable({ write }));

const app = express();
const hook = oktaTelephonyHook({ ...optionsFrom(env), logger });
app.use(hook);
const ready = await hook.ready();
const server = app.listen(0, '127.0.0.1');

await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}/okta/telephony`;
const call = await okta.callHook({
  url,
  headers: { Authorization: 'secret-of-the-consumer' },
  userId: '00u1anasilveira00001',
  phoneNumber: '+447700900123',
});
const callback = await fetch(`${url}/twilio/status`, { method: 'POST' });
const result = {
  ready,
  action: call.okta.action,
  hasCode: messages.map(({ to, text }) => to === '447700900123' && text.includes(call.otpCode)),
  callbackStatus: callback.status,
  hosts: Object.keys(hook.status().breakers).length,
  log: lines.map(({ level, msg, event, userId, where }) => ({ level, msg, event, userId, where })),
};
server.closeAllConnections();
server.close();
vonage.closeAllConnections();
vonage.close();
await hook.close();
await okta.close();
process.stdout.write(`${JSON.stringify({ 'vonage-alone': result })}\n`);
