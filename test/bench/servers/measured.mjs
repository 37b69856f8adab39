import { createServer } from 'node:http';
import { Session } from 'node:inspector/promises';
import process from 'node:process';

/**
 * Plain JavaScript, as its neighbours here: nothing stands between Node and what is measured, and the SDKs that are
 * installed for the bench alone need not be there for the type check.
 *
 * @type {{ oktaUrl: string, twilioUrl: string, dist: string, hasLog: boolean, redis?: { url: string, key: string } }}
 */
export const settings = JSON.parse(process.argv[2] ?? '{}');

/** What all servers know: made up, and the same for all. */
export const ACCOUNT = {
  hookSecret: 'bench-hook-secret-0123456789',
  oktaToken: '00benchTokenOfOkta0123456789abcdefghijklmn',
  accountSid: 'AC00000000000000000000000000000000',
  apiKeySid: 'SK00000000000000000000000000000000',
  apiKeySecret: 'benchApiKeySecret0123456789abcdef',
  authToken: '0123456789abcdef0123456789abcdef',
  sandboxNumber: '+14155238886',
  smsNumber: '+14155550100',
  publicUrl: 'https://id.example.com/okta/telephony',
};

/** What Okta is answered when the code was sent. */
export function successFor(transactionId, isOptedIn) {
  return {
    commands: [
      {
        type: 'com.okta.telephony.action',
        value: [
          {
            status: 'SUCCESSFUL',
            provider: 'TWILIO',
            transactionId,
            transactionMetadata: isOptedIn ? 'channel=whatsapp' : 'channel=sms',
          },
        ],
      },
    ],
  };
}

/** What a server counts of its own: how often it waited for its state. */
export const counted = { waits: 0 };

let inspector;

/** What the parent may ask this process. */
const answers = {
  usage: () => {
    const { user, system } = process.cpuUsage();
    return { cpuMicroseconds: user + system, waits: counted.waits };
  },
  memory: () => {
    // Two, since the first leaves what its finalizers held.
    globalThis.gc?.();
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    return { rss, heapUsed, highestRss: process.resourceUsage().maxRSS * 1024 };
  },
  startProfile: async () => {
    inspector = new Session();
    inspector.connect();
    await inspector.post('Profiler.enable');
    await inspector.post('Profiler.setSamplingInterval', { interval: 200 });
    await inspector.post('Profiler.start');
    return {};
  },
  stopProfile: async () => {
    const { profile } = await inspector.post('Profiler.stop');
    inspector.disconnect();
    return profile;
  },
};

/** Serves on loopback, tells the parent where, and answers its questions until it goes. */
export function serve(app) {
  process.on('message', async ({ id, question }) => {
    process.send({ id, answer: await answers[question]() });
  });
  process.on('disconnect', () => process.exit());
  const server = createServer({ keepAliveTimeout: 120_000 }, app);
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
}
