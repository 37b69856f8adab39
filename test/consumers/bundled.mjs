// The entry of a bundle: a gateway with the console. Prints as JSON what its page and its script answer, and what the
// factories say of peers that the bundle does not have.
import { createServer } from 'node:http';
import { oktaTelephonyHook } from 'okta-telephony-hook';
import { redisState } from 'okta-telephony-hook/redis';

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
const problemsOf = (act) => {
  try {
    act();
    return [];
  } catch ({ problems }) {
    return problems;
  }
};

async function run() {
  const hook = make(undefined);
  const server = createServer(hook.console({ authorize: () => true }));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const get = async (path) => {
    const response = await fetch(`http://127.0.0.1:${server.address().port}${path}`);
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
    };
  };
  const about = await get('/api/about');
  const files = await Promise.all(['/', '/assets/main.js', '/assets/main.css'].map(get));
  server.close();
  await hook.close();
  const noop = () => undefined;
  const report = {
    about: about.status,
    version: JSON.parse(about.text).version,
    files: files.map(({ status, type, text }) => [status, type, text.length > 400]),
    metrics: problemsOf(() => make({ registerMetric: noop, getSingleMetric: noop, metrics: noop })),
    redis: problemsOf(() =>
      redisState({
        connection: unreachableUrl.replace('http', 'redis'),
        encryptionKeys: [Buffer.alloc(32, 5).toString('base64')],
      }),
    ),
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

void run();
