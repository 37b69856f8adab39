import { once } from 'node:events';
import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import express5, { type Express } from 'express';
// @ts-expect-error -- the alias of Express 4 brings no types
import untypedExpress4 from 'express4';
import type { ConsoleFailure } from '#lib/console/api.js';
import type { ConsoleHandler } from '#lib/hook/telephony-hook.js';
import type { ConsoleOptions } from '#lib/index.js';
import { startScene, type Scene, type SceneOptions } from '#harness/scene.js';
import { witness } from '#harness/witness.js';

// The parts that the tests use are the same in both versions.
const express4 = untypedExpress4 as typeof express5;

export const EXPRESSES = [
  ['Express 5', express5],
  ['Express 4', express4],
] as const;

/** One complete answer. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body, if it is JSON. */
  readonly json: unknown;
  /** The error in the body. */
  readonly failure: ConsoleFailure['error'] | undefined;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whether the answer contains a phone number on purpose. The witness does not check it then. */
  readonly isPersonal?: boolean;
}

/** A gateway with the hook and its console, and functions that send requests to it. */
export interface ServedConsole {
  readonly scene: Scene;
  readonly server: Server;
  readonly origin: string;
  /** Requests a path below the mount path. */
  ask(path: string, asking?: Asking): Promise<Answer>;
  /** Posts as the console's own page does. */
  post(path: string, body: unknown, asking?: Asking): Promise<Answer>;
  close(): Promise<void>;
}

export const MOUNT = '/admin/telephony';

/** The headers of a POST from the console's own page. */
export const OWN_PAGE = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' } as const;

export async function serveConsole(
  options: {
    readonly express?: typeof express5;
    readonly console?: ConsoleOptions;
    readonly hook?: SceneOptions['hook'];
    /** Mounts the console. Default: at `MOUNT`. */
    readonly mount?: (app: Express, handler: ConsoleHandler) => void;
  } = {},
): Promise<ServedConsole> {
  const { express = express5, mount = mountUsually } = options;
  const scene = await startScene(options.hook === undefined ? {} : { hook: options.hook });
  const app = express();
  mount(app, scene.hook.console(options.console ?? { authorize: () => true }));
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask: ServedConsole['ask'] = (path, asking) => askUrl(`${origin}${MOUNT}${path}`, asking);
  return {
    scene,
    server,
    origin,
    ask,
    post: (path, body, asking = {}) =>
      ask(path, {
        method: 'POST',
        body: JSON.stringify(body),
        ...asking,
        headers: { ...OWN_PAGE, ...asking.headers },
      }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await scene.close();
    },
  };
}

function mountUsually(app: Express, handler: ConsoleHandler): void {
  app.use(MOUNT, handler);
}

export async function askUrl(url: string, asking: Asking = {}): Promise<Answer> {
  const sent = request(url, { method: asking.method ?? 'GET', headers: asking.headers ?? {}, agent: false });
  sent.end(asking.body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  if (asking.isPersonal !== true) witness(text);
  witness(response.headers);
  const isJson = response.headers['content-type']?.startsWith('application/json') === true && text !== '';
  const json: unknown = isJson ? JSON.parse(text) : undefined;
  const { error: failure } = Object(json) as Partial<ConsoleFailure>;
  return { status: response.statusCode ?? 0, headers: response.headers, text, json, failure };
}
