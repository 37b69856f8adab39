// What importing, and making a hook, leaves behind: told as JSON, after which the process has to end by itself.
import { writeSync } from 'node:fs';
import passport from 'passport';

const entries = process.argv.slice(2);

Error.stackTraceLimit = 50;
const environmentReads = new Set();
const note = (name) => {
  // Node's own, wherever a stack is asked for.
  if (name === 'NODE_V8_COVERAGE') return;
  // Also what a dependency reads while it works for us, as Twilio's client does where it is left to.
  if (new Error().stack.includes('/okta-telephony-hook/dist/')) environmentReads.add(String(name));
};
process.env = new Proxy(process.env, {
  get: (environment, name) => (note(name), environment[name]),
  has: (environment, name) => (note(name), name in environment),
});

// Whoever looks at the standard streams, as winston's colours do, opens them: here it is this script.
const standardStreams = [process.stdout, process.stderr].length;
const before = whatRuns();
const passportBefore = describePassport();
const globalsBefore = Object.keys(globalThis);
const listenersBefore = process.eventNames().length;
for (const entry of entries) await import(entry);
const afterImport = whatRuns();

const { oktaTelephonyHook } = await import('okta-telephony-hook');
oktaTelephonyHook({
  credentials: {
    hook: { scheme: 'header', secrets: ['secret'] },
    okta: { orgUrl: 'https://acme.okta.com', apiToken: 'token' },
    twilio: { accountSid: `AC${'0'.repeat(32)}`, authToken: 'token' },
  },
  senders: { sms: '+15005550006', voice: '+15005550006' },
});
const afterFactory = whatRuns();

// Without the loader's own reads of the modules' files, which end by themselves.
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
    before,
    afterImport,
    afterFactory,
    environmentReads: [...environmentReads],
    passportBefore,
    passportAfter: describePassport(),
    newGlobals: Object.keys(globalThis).filter((name) => !globalsBefore.includes(name)),
    newListeners: process.eventNames().length - listenersBefore,
  }),
);
