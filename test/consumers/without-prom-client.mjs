// A hook with metrics where prom-client is not installed: its problems, told as JSON; and one without.
import { oktaTelephonyHook } from 'okta-telephony-hook';

const nobody = 'http://127.0.0.1:9';
const make = (metrics) =>
  oktaTelephonyHook({
    credentials: {
      hook: { scheme: 'header', secrets: ['a-secret-that-is-long'] },
      okta: { orgUrl: nobody, apiToken: 'token' },
      twilio: { accountSid: `AC${'0'.repeat(32)}`, authToken: 'token', baseUrl: nobody },
    },
    senders: { sms: '+15005550006' },
    logger: false,
    metrics,
  });
const noop = () => undefined;
let told;
try {
  make({ registerMetric: noop, getSingleMetric: noop, metrics: noop });
} catch ({ name, problems, cause }) {
  told = { name, problems, cause: cause.code };
}
await make(undefined).close();
process.stdout.write(`${JSON.stringify({ 'without-prom-client': told })}\n`);
