// Creates hooks with and without metrics while prom-client is not installed. Prints the error of the first as JSON.
import { oktaTelephonyHook } from 'okta-telephony-hook';

const unreachableUrl = 'http://127.0.0.1:9';
const make = (metrics) =>
  oktaTelephonyHook({
    credentials: {
      hook: { scheme: 'header', secrets: ['a-secret-that-is-long'] },
      okta: { orgUrl: unreachableUrl, apiToken: 'token' },
      twilio: { accountSid: `AC${'0'.repeat(32)}`, authToken: 'token', baseUrl: unreachableUrl },
    },
    senders: { sms: '+15005550006' },
    logger: false,
    metrics,
  });
const noop = () => undefined;
let failure;
try {
  make({ registerMetric: noop, getSingleMetric: noop, metrics: noop });
} catch ({ name, problems, cause }) {
  failure = { name, problems, cause: cause.code };
}
await make(undefined).close();
process.stdout.write(`${JSON.stringify({ 'without-prom-client': failure })}\n`);
