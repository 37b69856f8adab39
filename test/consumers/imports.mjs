// Prints as JSON what remains after the import, creation and use of a hook. Then the process has to end by itself.
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import passport from 'passport';

const entries = process.argv.slice(2);

/** Only some hooks need them: those with an option for the first two, and those without a logger of their own. */
const OPTIONAL_PEERS = ['ioredis', 'prom-client', 'winston'];
const require = createRequire(import.meta.url);
const peersLoaded = () =>
  OPTIONAL_PEERS.filter((name) =>
    Object.keys(require.cache).some((file) => file.includes(`/node_modules/${name}/`)),
  );

Error.stackTraceLimit = 50;
const environmentReads = new Set();
const note = (name) => {
  // Node.js reads this one when a script reads a stack.
  if (name === 'NODE_V8_COVERAGE') return;
  // Reads by a dependency on behalf of the package count, too. Twilio's client reads variables by default.
  const { stack } = new Error();
  // The package loads winston for a hook without a logger, and winston then looks whether its terminal has colours.
  if (stack.includes('/node_modules/winston/')) return;
  if (stack.includes('/okta-telephony-hook/dist/')) environmentReads.add(String(name));
};
process.env = new Proxy(process.env, {
  get: (environment, name) => (note(name), environment[name]),
  has: (environment, name) => (note(name), name in environment),
});

// The first access opens the standard streams, as the colours of winston do. Here this script opens them.
const standardStreams = [process.stdout, process.stderr].length;
const before = whatRuns();
const passportBefore = describePassport();
const globalsBefore = Object.keys(globalThis);
const listenersBefore = process.eventNames().length;
for (const entry of entries) await import(entry);
const peersLoadedByImport = peersLoaded();
const afterImport = whatRuns();

const { oktaTelephonyHook } = await import('okta-telephony-hook');
const unreachableUrl = 'http://127.0.0.1:9';
const hook = oktaTelephonyHook({
  credentials: {
    hook: { scheme: 'header', secrets: ['a-secret-that-is-long'] },
    okta: { orgUrl: unreachableUrl, apiToken: 'token' },
    twilio: { accountSid: `AC${'0'.repeat(32)}`, authToken: 'token', baseUrl: unreachableUrl },
  },
  senders: { sms: '+15005550006', voice: '+15005550006' },
  guard: { countries: false },
});
const afterFactory = whatRuns();
const { twilio } = await hook.ready();
await hook.close();

// Without the file reads of the module loader, which end by themselves.
function whatRuns() {
  return process.getActiveResourcesInfo().filter((name) => !/^(CloseReq|FSReq\w+)$/.test(name));
}

function describePassport() {
  const { _strategies, _serializers, _deserializers, _sm } = passport;
  return [Object.keys(_strategies), _serializers.length, _deserializers.length, _sm.constructor.name];
}

writeSync(
  1,
  JSON.stringify({
    standardStreams,
    peersLoadedByImport,
    before,
    afterImport,
    afterFactory,
    twilio: twilio.code,
    environmentReads: [...environmentReads],
    passportBefore,
    passportAfter: describePassport(),
    newGlobals: Object.keys(globalThis).filter((name) => !globalsBefore.includes(name)),
    newListeners: process.eventNames().length - listenersBefore,
  }),
);
