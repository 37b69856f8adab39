import { createServer } from 'node:http';
import { Session } from 'node:inspector/promises';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import winston from 'winston';

/**
 * Plain JavaScript, like the other servers: Node runs the measured code without a loader, and the type check works
 * without the SDKs, which only the bench installs.
 *
 * @type {{ oktaUrl: string, twilioUrl: string, dist: string, hasLog: boolean, redis?: { url: string, key: string } }}
 */
export const settings = JSON.parse(process.argv[2] ?? '{}');

/** Made-up credentials, the same for all servers. */
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

/** The answer to Okta after a sent code. */
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

/** The number of awaited answers of the state. */
export const counted = { waits: 0 };

let inspector;

/** The bytes of a node of the heap profile with all its children. */
function bytesOf({ selfSize, children }) {
  return children.reduce((sum, child) => sum + bytesOf(child), selfSize);
}

/**
 * With a log, each server writes a JSON line for each code to stdout, by a logger of winston.
 * `undefined` without a log.
 */
export const logger = settings.hasLog
  ? winston.createLogger({
      format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
      transports: [new winston.transports.Stream({ stream: process.stdout })],
    })
  : undefined;

/** The log line of the handlers without our middleware. */
export function logSent({ eventId, data }, sid, isOptedIn, startedAt) {
  logger?.info('code sent', {
    userId: data.userProfile.userId,
    eventId,
    channel: isOptedIn ? 'whatsapp' : 'sms',
    transactionId: sid,
    durationMs: Math.round(performance.now() - startedAt),
  });
}

/** The questions of the parent. */
const answers = {
  usage: () => {
    const { user, system } = process.cpuUsage();
    return { cpuMicroseconds: user + system, waits: counted.waits };
  },
  memory: () => {
    // Twice, because the first collection leaves objects with finalizers.
    globalThis.gc?.();
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    return { rss, heapUsed, highestRss: process.resourceUsage().maxRSS * 1024 };
  },
  startAllocations: async () => {
    inspector = new Session();
    inspector.connect();
    await inspector.post('HeapProfiler.startSampling', {
      samplingInterval: 4096,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    return {};
  },
  stopAllocations: async () => {
    const { profile } = await inspector.post('HeapProfiler.stopSampling');
    inspector.disconnect();
    return { bytes: bytesOf(profile.head) };
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

/** Serves on loopback, sends the parent the port, and answers its questions until the parent exits. */
export function serve(app) {
  process.on('message', async ({ id, question }) => {
    process.send({ id, answer: await answers[question]() });
  });
  process.on('disconnect', () => process.exit());
  const server = createServer({ keepAliveTimeout: 120_000 }, app);
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
}
