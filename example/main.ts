import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { ConfigurationError, TelephonyHookError, type OktaTelephonyHookOptions } from 'okta-telephony-hook';
import { redisState } from 'okta-telephony-hook/redis';
import { PHONES_PATH, startDemo, type Demo } from './demo.js';
import { drainOnSignals } from './drain.js';
import { readEnvironment } from './environment.js';
import { CONSOLE_PATH, createGateway, type Gateway, type GatewayOptions } from './gateway.js';

const HOOK_PATH = '/okta/telephony';

/**
 * Longer than load balancers keep an idle connection (60 s is usual): who closes first never loses a request that the
 * other one has just sent. Node's own 5 s would let one fail now and then, and Okta sends that code itself.
 */
const KEEP_ALIVE_MS = 75_000;

const environment = readEnvironment(process.env);
if (environment.kind === 'problems') refuseToStart(environment.problems);

// Sessions live in this process, so that a secret of this run loses nothing that outlives it.
const sessionSecret = randomBytes(32).toString('base64url');

const isStartedByNpm = process.env['npm_lifecycle_event'] === 'start';
const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
if (environment.kind === 'emulators') {
  // Whoever reaches the demo can send codes to its phones; a container is reached from outside itself.
  const { isProduction: isReachedFromElsewhere, optInAttribute } = environment;
  const loopbackOnly = isReachedFromElsewhere ? undefined : '127.0.0.1';
  const demo = await startDemo({ optInAttribute, isReachedFromElsewhere });
  const origin = `http://localhost:${await listen(server, environment.port, loopbackOnly)}`;
  const gateway = serve(server, {
    // Twilio's callbacks come to it too.
    hook: demo.hookOptions(origin + HOOK_PATH),
    sessionSecret,
    accounts: demo.accounts,
    ...demo.pages,
    consoleLinks: [{ title: 'Phones', href: PHONES_PATH }],
  });
  drainOnSignals({ server, gateway, isStartedByNpm, closeLast: () => demo.close() });
  await demo.connectHook(origin + HOOK_PATH);
  await gateway.warmUp();
  welcome(origin, demo);
  if (isReachedFromElsewhere) {
    console.log(
      'Note: it listens on every address, and whoever reaches it sees the codes. Publish its port on 127.0.0.1 alone.',
    );
  }
} else {
  const { redis, preferences } = environment;
  const state = redis === undefined ? undefined : orRefuse(() => redisState(redis));
  const port = await listen(server, environment.port);
  const gateway = serve(server, {
    hook: { ...environment.options, state },
    sessionSecret,
    // This example has no directory of its own, and no password that everybody knows: put your login here.
    accounts: environment.accounts,
    preferences: preferences && { credential: preferences },
    isBehindTlsProxy: environment.isProduction,
  });
  drainOnSignals({ server, gateway, isStartedByNpm });
  console.log(`The gateway listens on port ${port}; Okta's telephony hook is at ${HOOK_PATH}`);
  for (const note of environment.notes) console.log(`Note: ${note}.`);
  await tellReadiness(gateway, environment.options);
}

/** The port comes first: with PORT=0 the hook's own URL is known only now. */
async function listen(server: Server, wanted: number, host?: string): Promise<number> {
  server.listen(wanted, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    console.error(`Cannot listen on port ${wanted}:`, error instanceof Error ? error.message : error);
    process.exit(1);
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : wanted;
}

/** Called in the turn in which `listen` resolved: no connection has been read before this. */
function serve(server: Server, options: GatewayOptions): Gateway {
  const gateway = orRefuse(() => createGateway(options));
  server.on('request', gateway.app);
  return gateway;
}

/** What cannot be configured keeps the gateway from starting, by its problems and without a stack. */
function orRefuse<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof ConfigurationError) refuseToStart(error.problems);
    throw error;
  }
}

function refuseToStart(problems: readonly string[]): never {
  console.error(['The gateway cannot start:', ...problems.map((problem) => `- ${problem}`)].join('\n'));
  process.exit(2);
}

/** A vendor that cannot be reached now is told and nothing more: codes may go out when it is back. */
async function tellReadiness(gateway: Gateway, { credentials }: OktaTelephonyHookOptions): Promise<void> {
  const { okta, twilio, hookKeys, state } = await gateway.warmUp();
  const found = { [new URL(credentials.okta.orgUrl).host]: okta, Twilio: twilio, hookKeys, state };
  for (const [name, result] of Object.entries(found)) {
    if (result === 'ok') console.log(`${name}: ok`);
    else console.error(`${name}: ${wordsOf(result).join(' ')}`);
  }
}

/** What went wrong, why, and what to do about it, as far as each is known. */
function wordsOf(error: Error): readonly string[] {
  const cause = error.cause instanceof Error ? [`(${error.cause.message})`] : [];
  const remedy = error instanceof TelephonyHookError && error.remedy !== undefined ? [error.remedy] : [];
  return [error.message, ...cause, ...remedy];
}

function welcome(origin: string, demo: Demo): void {
  const logins = demo.accounts.map(({ username, password }) => `as ${username} with ${password}`);
  console.log(`An identity gateway with Okta's telephony hook, on emulators of Okta and Twilio: nothing reaches a real phone.

  Open        ${origin}  (log in ${logins.join(', or ')})
  Phones      ${origin}${PHONES_PATH}  (sign in as Ana, Bob or Chloé, type the code back, make things go wrong)
  Console     ${origin}${CONSOLE_PATH}  (try the hook and see what it did, as admin)
  Preferences ${origin}/preferences
  Health      ${origin}/health/live  ${origin}/health/ready
  Metrics     ${origin}/metrics
  Hook        ${origin}${HOOK_PATH}

Be Okta: paste one of these into another terminal, and watch the phones there or here.
`);
  for (const { title, command } of demo.curls(origin + HOOK_PATH)) console.log(`${title}\n\n${command}\n`);
  console.log('Ctrl-C ends it.\n');
}
