import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { expect } from 'chai';
import express5, { type ErrorRequestHandler } from 'express';
// @ts-expect-error -- the alias of Express 4 brings no types
import untypedExpress4 from 'express4';
import fc from 'fast-check';
import { makeHookPayload } from '#lib/testing/okta/hooks/hook-payload.js';
import type { TelephonyHook } from '#lib/index.js';
import type { OktaEmulator, TwilioEmulator } from '#lib/testing/index.js';
import { rawRequest } from '#harness/raw-http.js';
import {
  ANA,
  CODE,
  commandOf,
  HOOK_SECRET,
  startScene,
  usualCredentials,
  type Scene,
} from '#harness/scene.js';
import { until } from '#harness/until.js';
import { witness } from '#harness/witness.js';
import { createGateway } from '../../example/gateway.js';
import { check, PATIENCE_MS, withSeed } from './runs.js';

/**
 * Connections that end at any moment, with any number of requests on them. An error that nobody catches fails the test, as it
 * would end a gateway.
 */

// The parts that the tests use are the same in both versions.
const express4 = untypedExpress4 as typeof express5;

const PUBLIC_URL = 'https://id.example.com/okta/telephony';
const EVENT_SECRET = 'event-secret-8c1d02af';

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

function optionsOf(okta: OktaEmulator, twilio: TwilioEmulator) {
  return {
    publicUrl: PUBLIC_URL,
    guard: { mode: 'record', perUser: false, perNumber: false, countries: false },
    credentials: {
      ...usualCredentials(okta, twilio),
      eventHook: { scheme: 'header', secrets: [EVENT_SECRET] },
    },
  } as const;
}

type Routes = readonly (readonly [method: string, path: string])[];
type Requests = (req: IncomingMessage, res: ServerResponse) => void;

/** The ways to mount a hook and its console, alone and behind middleware. */
type Front = readonly [title: string, mount: (hook: TelephonyHook) => Requests];
const FRONTS: readonly [Front, ...Front[]] = [
  [
    'node:http',
    (hook) => {
      const serveConsole = consoleOf(hook);
      return (req, res) => {
        if (req.url?.startsWith('/console') === true) {
          req.url = req.url.slice('/console'.length) || '/';
          serveConsole(req, res, () => res.end());
        } else {
          hook(req, res, () => {
            res.statusCode = 404;
            res.end();
          });
        }
      };
    },
  ],
  ...([express5, express4] as const).flatMap((express, index) => {
    const name = index === 0 ? 'Express 5' : 'Express 4';
    return [
      [name, (hook: TelephonyHook) => express().use(hook).use('/console', consoleOf(hook))],
      [
        `${name} behind a body parser and a session`,
        (hook: TelephonyHook) => {
          const app = express();
          app.use(express.json(), express.urlencoded({ extended: false }));
          app.use((_req, _res, next) => {
            setImmediate(next);
          });
          app.use(hook).use('/console', consoleOf(hook));
          return app.use(answerFailure);
        },
      ],
    ] as const;
  }),
];

/** Express would write the error to the terminal. */
const answerFailure: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) next(error);
  else res.status(400).end();
};

function consoleOf(hook: TelephonyHook): ReturnType<TelephonyHook['console']> {
  return hook.console({ authorize: ({ headers }) => headers['x-administrator'] === 'yes' });
}

/** What one request asks, in the order of its routes. */
const ROUTES: Routes = [
  ['POST', '/okta/telephony'],
  ['POST', '/okta/telephony/twilio/status'],
  ['POST', '/okta/telephony/twilio/inbound'],
  ['POST', '/okta/telephony/events'],
  ['GET', '/okta/telephony/events'],
  ['GET', '/console/'],
  ['GET', '/console/api/stream'],
  ['GET', '/console/api/executions'],
  ['POST', '/console/api/tester/payload'],
  ['POST', '/nowhere'],
];

const EXAMPLE_ROUTES: Routes = [
  ['POST', '/okta/telephony'],
  ['GET', '/'],
  ['GET', '/account'],
  ['GET', '/health/ready'],
  ['GET', '/admin/telephony/'],
  ['GET', '/admin/telephony/api/stream'],
  ['POST', '/preferences'],
  ['POST', '/nowhere'],
];

/** How the caller ends its connection once it has written. */
type Ending = 'reset' | 'reset after the first answer' | 'end' | 'destroy';

interface Play {
  readonly requests: readonly {
    readonly route: number;
    readonly secret: 'none' | 'wrong' | 'right';
    readonly body: 'valid' | 'broken' | 'empty' | 'long';
  }[];
  /** Bytes that the caller does not write of the last request. */
  readonly withheld: number;
  readonly ending: Ending;
  /** How many turns of the event loop the caller waits before it ends the connection. */
  readonly turns: number;
}

const play: fc.Arbitrary<Play> = fc.record({
  requests: fc.array(
    fc.record({
      route: fc.nat(99),
      secret: fc.constantFrom('none' as const, 'wrong' as const, 'right' as const),
      body: fc.constantFrom('valid' as const, 'broken' as const, 'empty' as const, 'long' as const),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  withheld: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(40)),
  ending: fc.constantFrom(
    'reset' as const,
    'reset after the first answer' as const,
    'end' as const,
    'destroy' as const,
  ),
  turns: fc.nat(6),
});

let calls = 0;

/** The bytes of a request. Each call of Okta has an event id of its own. */
function textOf({ route, secret, body }: Play['requests'][number], routes: Routes): string {
  const [method = 'GET', path = '/'] = routes[route % routes.length] ?? [];
  const proof = secret === 'right' ? (path.endsWith('/events') ? EVENT_SECRET : HOOK_SECRET) : 'wrong-secret';
  const headers: [string, string][] = [
    ...(secret === 'none' ? [] : ([['Authorization', proof]] as [string, string][])),
    ...(secret === 'right' ? ([['X-Administrator', 'yes']] as [string, string][]) : []),
  ];
  if (method === 'GET') return rawRequest(path, headers, '', method);
  calls += 1;
  const text = { valid: callOf(calls), broken: '{"eventId":', empty: '', long: `"${'x'.repeat(70_000)}"` }[
    body
  ];
  headers.push(['Content-Type', 'application/json'], ['Content-Length', String(Buffer.byteLength(text))]);
  return rawRequest(path, headers, text, method);
}

function callOf(number: number): string {
  const message = {
    userId: ANA.id,
    login: ANA.login,
    phoneNumber: ANA.phone,
    otpCode: CODE,
    eventId: `connection-${number}`,
  };
  return JSON.stringify(makeHookPayload(message, undefined, { orgUrl: '', now: Date.now() }));
}

async function serve(requests: Requests): Promise<Server> {
  const server = createServer(requests);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Plays one connection, and resolves when both sides have closed it. */
async function playConnection(
  server: Server,
  { requests, withheld, ending, turns }: Play,
  routes: Routes,
): Promise<void> {
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    witness(chunk.toString('latin1'));
  });
  const [served] = await accepted;
  const hasClosed = new Promise((resolve) => served.once('close', resolve));
  const bytes = requests.map((request) => textOf(request, routes)).join('');
  const answered = new Promise((resolve) => {
    socket.once('data', resolve);
    socket.once('close', resolve);
  });
  socket.write(bytes.slice(0, bytes.length - withheld));
  // A stream is an answer, too. With bytes withheld there may be none.
  if (ending === 'reset after the first answer' && withheld === 0) await answered;
  for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
  if (ending === 'end') socket.end();
  else if (ending === 'destroy') socket.destroy();
  else socket.resetAndDestroy();
  // Behind a stream that goes on, Node reads no further request, and does not see that the caller has left.
  const isStream = ({ route, secret }: Play['requests'][number]): boolean =>
    secret === 'right' && routes[route % routes.length]?.[1].endsWith('/stream') === true;
  if (requests.some(isStream)) served.destroy();
  await hasClosed;
  socket.destroy();
}

describe(withSeed('connections that end at any moment'), function () {
  this.timeout(PATIENCE_MS);

  let scene: Scene;
  beforeEach(async () => {
    scene = await startScene({ hook: ({ okta, twilio }) => optionsOf(okta, twilio) });
  });
  afterEach(() => scene.close());

  /** Plays many connections, and expects that the gateway still delivers a code afterwards. */
  const playMany = async (requests: Requests, hook: TelephonyHook, routes: Routes): Promise<void> => {
    const server = await serve(requests);
    try {
      await check(
        'connections',
        fc.asyncProperty(play, (one) => playConnection(server, one, routes)),
        120,
      );
      await until(() => hook.status().inFlight === 0);
      const { port } = server.address() as AddressInfo;
      const call = await scene.call({ url: `http://127.0.0.1:${port}/okta/telephony` });
      expect(commandOf(call)).to.include({ status: 'SUCCESSFUL' });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  };

  for (const [title, mount] of FRONTS) {
    it(`leave a hook and its console in ${title} alive`, () =>
      playMany(mount(scene.hook), scene.hook, ROUTES));
  }

  it('leave a gateway that drains alive', async () => {
    scene.hook.drain();
    await playMany(FRONTS[0][1](scene.hook), scene.hook, ROUTES);
  });

  it('leave the example gateway alive', async () => {
    const { okta, twilio } = scene;
    const { app, hook } = createGateway({
      hook: {
        ...optionsOf(okta, twilio),
        senders: { sms: twilio.smsNumber },
        optInAttribute: 'whatsAppOptIn',
        logger: SILENT,
      },
      login: {
        issuer: okta.orgUrl,
        clientId: 'gateway',
        clientSecret: 'client-secret-of-the-gateway',
        redirectUri: 'https://id.example.com/login/callback',
        adminGroup: 'Telephony Administrators',
        sessionSecret: 'x'.repeat(32),
      },
    });
    try {
      await playMany(app, hook, EXAMPLE_ROUTES);
    } finally {
      await hook.close();
    }
  });
});
