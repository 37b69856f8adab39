import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json, text } from 'node:stream/consumers';
import { configure } from '@codegenie/serverless-express';
import fastifyExpress from '@fastify/express';
import { Body, Controller, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { expect } from 'chai';
import express5 from 'express';
// @ts-expect-error -- the alias of Express 4 brings no types
import untypedExpress4 from 'express4';
import { fastify, type FastifyInstance, type InjectOptions } from 'fastify';
import type { HookEvent, TelephonyHook } from '#lib/index.js';
import { startCallbackRelay, type CallbackRelay } from '#harness/callback-relay.js';
import { CODE, commandOf, startScene, type Scene } from '#harness/scene.js';
import { until } from '#harness/until.js';

// Both versions have the parts that the test uses.
const express4 = untypedExpress4 as typeof express5;

/** A gateway with the hook and a route of its own, `POST /echo`, as a user of the framework writes it. */
interface Gateway {
  readonly origin: string;
  readonly close: () => unknown;
}

async function gatewayOf(server: Server): Promise<Gateway> {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

function expressApp(express: typeof express5, hook: TelephonyHook): RequestListener {
  const app = express();
  app.use(hook);
  app.use(express.json());
  app.post('/echo', (req, res) => res.json(req.body));
  return app;
}

class EchoController {
  echo(body: unknown): unknown {
    return body;
  }
}
// Decorators as calls: the compiler of the tests does not have them.
const { prototype } = EchoController;
Body()(prototype, 'echo', 0);
Post('echo')(prototype, 'echo', Object.getOwnPropertyDescriptor(prototype, 'echo') ?? {});
Controller()(EchoController);
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- a module of Nest has no members
class AppModule {}
Module({ controllers: [EchoController] })(AppModule);

/** The parts that an API Gateway makes of a Lambda function's answer. */
interface LambdaAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

// `configure()` returns a type of `@types/aws-lambda`, which is not installed.
type LambdaHandler = (event: object, context: object) => Promise<LambdaAnswer>;

/** AWS's side of a function's URL: each request becomes an event, and the function's result the answer. */
function functionUrl(handler: LambdaHandler): Server {
  return createServer((req, res) => {
    void text(req).then(async (body) => {
      const { pathname, search } = new URL(req.url ?? '', 'http://function.test');
      const {
        statusCode,
        headers,
        body: answer,
      } = await handler(
        {
          version: '2.0',
          rawPath: pathname,
          rawQueryString: search.slice(1),
          headers: req.headers,
          requestContext: { http: { method: req.method, path: pathname, sourceIp: '127.0.0.1' } },
          body,
          isBase64Encoded: false,
        },
        {},
      );
      res.writeHead(statusCode, headers).end(answer);
    });
  });
}

/** Fastify with the hook, as the guide mounts it. */
function fastifyApp(hook: TelephonyHook): FastifyInstance {
  const app = fastify({ forceCloseConnections: true });
  app.addHook('onRequest', (request, reply, done) => {
    hook(request.raw, reply.raw, done);
  });
  app.post('/echo', (request) => Promise.resolve(request.body));
  return app;
}

/** What `@fastify/aws-lambda` makes of Fastify: it injects each event as a request. */
function injectedBy(app: FastifyInstance): LambdaHandler {
  return async (event) => {
    const { rawPath, rawQueryString, headers, body, requestContext } = event as {
      readonly rawPath: string;
      readonly rawQueryString: string;
      readonly headers: Record<string, string>;
      readonly body: string;
      readonly requestContext: { readonly http: { readonly method: NonNullable<InjectOptions['method']> } };
    };
    const { method } = requestContext.http;
    const url = `${rawPath}?${rawQueryString}`;
    const answer = await app.inject({ method, url, headers, payload: Buffer.from(body) });
    return {
      statusCode: answer.statusCode,
      headers: answer.headers as Record<string, string>,
      body: answer.payload,
    };
  };
}

const FRAMEWORKS: Readonly<Record<string, (hook: TelephonyHook) => Promise<Gateway>>> = {
  'Express 5': (hook) => gatewayOf(createServer(expressApp(express5, hook))),
  'Express 4': (hook) => gatewayOf(createServer(expressApp(express4, hook))),
  'node:http': (hook) =>
    gatewayOf(
      createServer((req, res) => {
        hook(req, res, () => {
          void json(req).then((body) => res.end(JSON.stringify(body)));
        });
      }),
    ),
  Nest: async (hook) => {
    const app = await NestFactory.create(AppModule, { logger: false });
    app.use(hook);
    await app.listen(0, '127.0.0.1');
    return { origin: await app.getUrl(), close: () => app.close() };
  },
  Fastify: async (hook) => {
    const app = fastifyApp(hook);
    return { origin: await app.listen({ port: 0, host: '127.0.0.1' }), close: () => app.close() };
  },
  'Fastify, by requests that are injected': (hook) => gatewayOf(functionUrl(injectedBy(fastifyApp(hook)))),
  'Fastify by @fastify/express': async (hook) => {
    const app = fastify({ forceCloseConnections: true });
    await app.register(fastifyExpress);
    app.use(hook);
    app.post('/echo', (request) => Promise.resolve(request.body));
    return { origin: await app.listen({ port: 0, host: '127.0.0.1' }), close: () => app.close() };
  },
  'AWS Lambda': (hook) =>
    gatewayOf(functionUrl(configure({ app: expressApp(express5, hook) }) as LambdaHandler)),
};

describe('the hook works with', () => {
  let scene: Scene;
  let relay: CallbackRelay;
  let gateway: Gateway | undefined;

  before(async () => {
    relay = await startCallbackRelay();
    scene = await startScene({ hook: { publicUrl: relay.url } });
  });
  afterEach(() => gateway?.close());
  after(async () => {
    relay.close();
    await scene.close();
  });

  for (const [name, serve] of Object.entries(FRAMEWORKS)) {
    it(name, async () => {
      gateway = await serve(scene.hook);
      const url = `${gateway.origin}/okta/telephony`;
      relay.to = [url];
      const sent = scene.twilio.messages.length;

      const change = (payload: Record<string, unknown>): void => {
        payload['eventId'] = `event-of-${name}`;
      };
      const call = await scene.call({ url, change });
      expect(call.okta.action).to.equal('sent');
      expect(commandOf(call)).to.include({ status: 'SUCCESSFUL', provider: 'TWILIO' });
      const repeat = await scene.call({ url, change });
      expect(repeat.body).to.deep.equal(call.body);
      const [message, ...others] = scene.twilio.messages.slice(sent);
      expect(message?.body).to.include(CODE);
      expect(others).to.deep.equal([]);

      const isDelivered = (event: HookEvent): boolean =>
        event.type === 'message.reported' &&
        event.transactionId === message?.sid &&
        event.report === 'delivered';
      await until(() => scene.events.some(isDelivered));

      const stranger = await scene.call({ url, headers: { Authorization: 'of a stranger' } });
      expect(stranger.httpStatus).to.equal(401);

      const headers = { 'content-type': 'application/json' };
      const own = await fetch(`${gateway.origin}/echo`, { method: 'POST', headers, body: '{"a":[1]}' });
      expect(await own.json()).to.deep.equal({ a: [1] });
    });
  }
});
