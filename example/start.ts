import { once } from 'node:events';
import { createServer, type Server, type ServerOptions } from 'node:http';
import { connect } from 'node:net';
import { startDemo, type Demo } from './demo.js';
import { readEnvironment, type Environment, type MonitoringAddress } from './environment.js';
import { createGateway, HOOK_PATH, type Gateway } from './gateway.js';

const SERVER_OPTIONS: ServerOptions = {
  // How long the server keeps an idle connection. It must be longer than the load balancer's time (60 s is usual). Otherwise the
  // server may close a connection on which the balancer has just sent a request, and Okta sends that code itself.
  keepAliveTimeout: 75_000,
  headersTimeout: 20_000,
  // Longer than the hook waits for a body.
  requestTimeout: 30_000,
};

/** A gateway whose server listens. */
export interface Started {
  readonly server: Server;
  /** Serves metrics and the state of the hook, if `METRICS_PORT` is set. In the demo it always does. */
  readonly monitoring?: Server | undefined;
  readonly gateway: Gateway;
  readonly demo?: Demo | undefined;
  /** Makes the hook ready, and prints what can be done here. */
  introduce(): Promise<void>;
}

/**
 * Starts the gateway that the environment describes.
 *
 * @param defaultPort - the port if `PORT` is not set. Default: 3000.
 * @throws ConfigurationError if the environment, or the options from it, cannot work.
 */
export async function start(
  env: Readonly<Record<string, string | undefined>>,
  output: Pick<Console, 'log'>,
  defaultPort?: number,
): Promise<Started> {
  const environment = readEnvironment(env, defaultPort);
  return environment.kind === 'emulators'
    ? startOnEmulators(environment, output)
    : startForReal(environment, output);
}

type Of<Kind extends Environment['kind']> = Extract<Environment, { readonly kind: Kind }>;

async function startOnEmulators(
  environment: Of<'emulators'>,
  output: Pick<Console, 'log'>,
): Promise<Started> {
  const demo = await startDemo(environment, output);
  const server = createServer(SERVER_OPTIONS);
  // Everybody who reaches the demo can send codes to its phones. In a container, browsers are outside.
  const host = environment.isProduction ? undefined : '127.0.0.1';
  const { port: wanted, mayTakeNextPort } = environment;
  const port = mayTakeNextPort ? await listenFrom(server, wanted, host) : await listen(server, wanted, host);
  if (mayTakeNextPort && port !== wanted)
    output.log(`Note: port ${wanted} is in use. The gateway takes port ${port}.`);
  // With PORT=0 the port, which is part of the hook's own URL, is known only now.
  const origin = `http://localhost:${port}`;
  const gateway = createGateway(demo.gatewayOptions(origin));
  server.on('request', gateway.app);
  const { monitoring, url } = await monitor(
    gateway,
    environment.monitoring ?? { port: 0, host: '127.0.0.1' },
  );
  return {
    server,
    monitoring,
    gateway,
    demo,
    introduce: async () => {
      await demo.connectHook(origin, gateway.hook);
      await gateway.hook.ready();
      output.log(demo.welcome(origin, url));
    },
  };
}

async function startForReal(environment: Of<'real'>, output: Pick<Console, 'log'>): Promise<Started> {
  const { options: hook, login, preferences } = environment;
  const gateway = createGateway({ hook, login, preferences });
  const server = createServer(SERVER_OPTIONS, gateway.app);
  const port = await listen(server, environment.port);
  const monitored = environment.monitoring && (await monitor(gateway, environment.monitoring));
  return {
    server,
    monitoring: monitored?.monitoring,
    gateway,
    introduce: async () => {
      output.log(`The gateway listens on port ${port}; Okta's telephony hook is at ${HOOK_PATH}`);
      output.log(
        monitored === undefined
          ? 'Note: METRICS_PORT is not set: there are no metrics.'
          : `Metrics are at ${monitored.url}/metrics`,
      );
      if (login === undefined)
        output.log('Note: OIDC_CLIENT_ID is not set: nobody can sign in, and there are no pages for users.');
      if (preferences === undefined)
        output.log('Note: OKTA_PREFERENCES_API_TOKEN is not set: there is no preference page.');
      if (hook.state === undefined)
        output.log(
          'Note: REDIS_URL is not set: run one gateway only, since gateways do not share their state.',
        );
      // The hook logs what does not work. The gateway runs on: codes are sent as soon as it works again.
      const { channels, ...parts } = await gateway.hook.ready();
      for (const [name, result] of Object.entries({ ...parts, ...channels })) {
        if (result === 'ok') output.log(`${name}: ok`);
      }
    },
  };
}

async function monitor(
  gateway: Gateway,
  { port, host }: MonitoringAddress,
): Promise<{ monitoring: Server; url: string }> {
  const monitoring = createServer(gateway.monitoring);
  return { monitoring, url: `http://${host}:${await listen(monitoring, port, host)}` };
}

/** How many ports after the first one are tried. */
const TRIED_PORTS = 20;

/** Listens on the first free port. */
async function listenFrom(server: Server, first: number, host?: string): Promise<number> {
  for (let port = first; ; port += 1) {
    const isLast = port === first + TRIED_PORTS;
    if (!isLast && (await isOnIpv6(port))) continue;
    try {
      return await listen(server, port, host);
    } catch (error) {
      const isInUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!isInUse || isLast) throw error;
    }
  }
}

/** Whether another server has the port on `::1`. The demo's URLs have `localhost`, for which browsers and curl try that address first. */
async function isOnIpv6(port: number): Promise<boolean> {
  const socket = connect(port, '::1');
  const isThere = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isThere;
}

async function listen(server: Server, wanted: number, host?: string): Promise<number> {
  server.listen(wanted, host);
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : wanted;
}
