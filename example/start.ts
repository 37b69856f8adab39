import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { ConfigurationError } from 'okta-telephony-hook';
import { PHONES_PATH, startDemo, type Demo } from './demo.js';
import { readEnvironment, type Environment } from './environment.js';
import { CONSOLE_PATH, createGateway, type Gateway, type GatewayOptions } from './gateway.js';

const HOOK_PATH = '/okta/telephony';

/**
 * Longer than load balancers keep an idle connection (60 s is usual): who closes first never loses a request that the
 * other one has just sent. Node's own 5 s would let one fail now and then, and Okta sends that code itself.
 */
const KEEP_ALIVE_MS = 75_000;

/** Where the start prints. */
export type Output = Pick<Console, 'log' | 'error'>;

/** A gateway whose server listens. */
export interface Started {
  readonly server: Server;
  readonly gateway: Gateway;
  readonly demo?: Demo | undefined;
  /** Loads what the first call needs, and prints what can be done here. */
  introduce(): Promise<void>;
}

/** Why the gateway cannot start. The message contains no value of the environment. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Starts the gateway that the environment describes. `main.ts` calls it.
 *
 * @throws CannotStart if the environment, or the options from it, cannot work.
 */
export async function start(
  env: Readonly<Record<string, string | undefined>>,
  output: Output,
): Promise<Started> {
  const environment = readEnvironment(env);
  if (environment.kind === 'problems') throw refusal(environment.problems);
  return environment.kind === 'emulators'
    ? startOnEmulators(environment, output)
    : startForReal(environment, output);
}

type Of<Kind extends Environment['kind']> = Extract<Environment, { readonly kind: Kind }>;

async function startOnEmulators(environment: Of<'emulators'>, output: Output): Promise<Started> {
  const { optInAttribute, port, isProduction: isReachedFromElsewhere } = environment;
  // A container publishes this port, too: browsers go there to sign in.
  const oktaPort = isReachedFromElsewhere && port !== 0 ? port + 1 : undefined;
  const demo = await startDemo({ optInAttribute, oktaPort, isReachedFromElsewhere, output });
  try {
    return await serveDemo(demo, environment, output);
  } catch (error) {
    await demo.close();
    throw error;
  }
}

async function serveDemo(
  demo: Demo,
  { port, isProduction: isReachedFromElsewhere }: Of<'emulators'>,
  output: Output,
): Promise<Started> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
  // Anybody who reaches the demo can send codes to its phones. Browsers are outside a container.
  const loopbackOnly = isReachedFromElsewhere ? undefined : '127.0.0.1';
  const origin = `http://localhost:${await listen(server, port, loopbackOnly)}`;
  const login = demo.login(origin);
  const gateway = serve(server, {
    // Twilio's callbacks use this URL, too.
    hook: demo.hookOptions(origin + HOOK_PATH),
    login,
    ...demo.pages,
    consoleLinks: [{ title: 'Phones', href: PHONES_PATH }],
  });
  return {
    server,
    gateway,
    demo,
    introduce: async () => {
      await demo.connectHook(origin + HOOK_PATH);
      await gateway.hook.ready();
      welcome(origin, demo, output);
      if (isReachedFromElsewhere) {
        output.log(
          `Note: it listens on every address, and whoever reaches it sees the codes. Publish its port and ${new URL(login.issuer).port}, the emulated Okta's, on 127.0.0.1 alone.`,
        );
      }
    },
  };
}

async function startForReal(environment: Of<'real'>, output: Output): Promise<Started> {
  const { preferences, options, notes } = environment;
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
  const port = await listen(server, environment.port);
  const gateway = serve(server, {
    hook: options,
    login: environment.login,
    preferences: preferences && { credential: preferences },
  });
  return {
    server,
    gateway,
    introduce: async () => {
      output.log(`The gateway listens on port ${port}; Okta's telephony hook is at ${HOOK_PATH}`);
      for (const note of notes) output.log(`Note: ${note}.`);
      // The hook logs what does not work. Codes may go out when it does again.
      const { channels, ...parts } = await gateway.hook.ready();
      for (const [name, result] of Object.entries({ ...parts, ...channels })) {
        if (result === 'ok') output.log(`${name}: ok`);
      }
    },
  };
}

/** The port comes first: with PORT=0 the hook's own URL is known only now. */
async function listen(server: Server, wanted: number, host?: string): Promise<number> {
  server.listen(wanted, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CannotStart(1, `Cannot listen on port ${wanted}: ${why}`);
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : wanted;
}

/** Call it as soon as `listen` resolves, before a connection is read. */
function serve(server: Server, options: GatewayOptions): Gateway {
  try {
    const gateway = orRefuse(() => createGateway(options));
    server.on('request', gateway.app);
    return gateway;
  } catch (error) {
    server.close();
    throw error;
  }
}

/** Turns a `ConfigurationError` into a `CannotStart`, which is printed without a stack. */
function orRefuse<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof ConfigurationError) throw refusal(error.problems);
    throw error;
  }
}

function refusal(problems: readonly string[]): CannotStart {
  return new CannotStart(
    2,
    ['The gateway cannot start:', ...problems.map((problem) => `- ${problem}`)].join('\n'),
  );
}

function welcome(origin: string, demo: Demo, output: Output): void {
  const [ana, ...others] = demo.people.map(({ login }) => login);
  output.log(`An identity gateway with Okta's telephony hook, on emulators of Okta and Twilio: nothing reaches a real phone.

  Open        ${origin}  (sign in at the emulated Okta as ${ana}, ${others.join(' or ')}: the code comes to the phones)
  Phones      ${origin}${PHONES_PATH}  (read the code, or sign in there, and make things go wrong)
  Console     ${origin}${CONSOLE_PATH}  (try the hook and see what it did, as ${ana}, who is an administrator)
  Preferences ${origin}/preferences
  Health      ${origin}/health/live  ${origin}/health/ready
  Metrics     ${origin}/metrics
  Hook        ${origin}${HOOK_PATH}

Be Okta: paste one of these into another terminal, and watch the phones there or here.
`);
  for (const { title, command } of demo.curls(origin + HOOK_PATH)) output.log(`${title}\n\n${command}\n`);
  output.log('Ctrl-C ends it.\n');
}
