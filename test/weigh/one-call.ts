import { runBeside } from '#harness/own-process.js';
import { ANA, HOOK_SECRET, startScene } from '#harness/scene.js';

/** The code that one call runs. */
type CallWeight = Readonly<Record<'files' | 'functions', number>>;

/** Some functions run in some calls only, such as the clearing of a cache, or a second look at a random id. */
const CALLS = 8;

/** Users with opt-in who get their first code. A second code to the same user would be a resend. */
const USERS = Array.from({ length: CALLS + 1 }, (_, index) => ({
  userId: ANA.id.replace(/01$/, `1${index}`),
  login: `ana.${index}@example.com`,
  phoneNumber: ANA.phone.replace(/3$/, String(index)),
}));

/**
 * Counts the files and functions of `lib/` that a call runs in which a code goes out by WhatsApp. The hook has default options and
 * `memoryState()`, and a logger of its own. What every call runs counts, so that the numbers are always the same. The emulators are in
 * another process, because they import from `lib/core`.
 */
export async function weighCall(): Promise<CallWeight> {
  const scene = await startScene();
  try {
    for (const { userId: id, login, phoneNumber } of USERS) {
      const profile = { whatsAppOptIn: true, mobilePhone: phoneNumber, locale: 'en_GB' };
      scene.okta.addUser({ id, login, firstName: ANA.firstName, lastName: ANA.lastName, profile });
      scene.twilio.joinSandbox(phoneNumber);
    }
    const { code, output } = await runBeside(scene, SCRIPT);
    if (code !== 0) throw new Error(`the calls failed: ${output}`);
    return JSON.parse(output) as CallWeight;
  } finally {
    await scene.close();
  }
}

/** A statement for the process with the hook. Its first call loads and compiles code, and does not count. */
const SCRIPT = `
  import { Session } from 'node:inspector/promises';
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  const take = async () => (await session.post('Profiler.takePreciseCoverage')).result;
  const { url, stop } = await listen();
  const authorization = ${JSON.stringify(HOOK_SECRET)};
  const lib = new URL('.', import.meta.resolve('#lib/index.js')).href;

  /** The functions of lib/ that ran since the last take, by file and place. */
  const functionsRun = async () => {
    const run = new Set();
    for (const script of await take()) {
      if (!script.url.startsWith(lib)) continue;
      for (const { ranges: [{ startOffset, count }] } of script.functions) {
        if (count > 0) run.add(script.url + ' ' + startOffset);
      }
    }
    return run;
  };

  let everyTime;
  for (const [index, user] of ${JSON.stringify(USERS)}.entries()) {
    const otpCode = '20498' + index;
    const request = hookCall({
      ...user,
      otpCode,
      msgTemplate: 'Your code is ' + otpCode,
      locale: 'en-GB',
      requestType: 'mfa-verification',
      deliveryChannel: 'SMS',
    }, authorization);
    await take();
    const answer = await (await fetch(url, request)).text();
    if (index > 0 && !answer.includes('channel=whatsapp')) throw new Error(answer);
    // What the call does right after its answer counts too.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    const run = await functionsRun();
    if (index > 0) everyTime = new Set([...(everyTime ?? run)].filter((one) => run.has(one)));
  }
  const files = new Set([...everyTime].map((one) => one.split(' ')[0]));
  console.log(JSON.stringify({ files: files.size, functions: everyTime.size }));
  session.disconnect();
  stop();
  await hook.close();
`;
