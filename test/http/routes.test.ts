import { once } from 'node:events';
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { connect, Socket, type AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import express5, { type Request, type Response } from 'express';
// @ts-expect-error -- the alias of Express 4 brings no types
import untypedExpress4 from 'express4';
import { createRoutes, OpenAnswers, type Handler, type Route } from '#lib/http/routes.js';
import { until } from '#harness/until.js';

// The tests use what both versions have in common.
const express4 = untypedExpress4 as typeof express5;

/** The handlers here only read the target. */
function requestOf(url: string | undefined): [IncomingMessage, ServerResponse] {
  const req = new IncomingMessage(new Socket());
  req.url = url;
  return [req, new ServerResponse(req)];
}

const routesOf = (...routes: readonly Route[]): Handler => createRoutes(routes, new OpenAnswers());

const PATHS = ['/', '/okta/telephony', '/okta/telephony/', '/a.b-c_d~e'];

/** Only targets that HTTP allows: Node refuses others. */
const TARGETS = [
  // Not `//` at the root: Express 4 and 5 differ there.
  ...['/', '/?', '/#', '/?x=/okta/telephony', '/okta', '/okta/', '*', '/aXb-c_d~e', '/a.b-c_d~e/'],
  ...['', '/', '//', '?', '?x', '/?x', '#x', '/#', '/x', ';x', '%20', '.', '/.', '/..', '?#/'].map(
    (rest) => `/okta/telephony${rest}`,
  ),
  ...[
    '/OKTA/telephony',
    '/okta/%74elephony',
    '/okta%2ftelephony',
    '/okta//telephony',
    '/x/../okta/telephony',
  ],
  ...['', '/', '?x', '/okta', '/okta/telephony', '/okta/telephony/?x#y', '/a/../okta/telephony'].flatMap(
    (rest) => [
      `http://id.example.com${rest}`,
      `HTTPS://id.example.com:8443${rest}`,
      `http://user@[::1]${rest}`,
    ],
  ),
];

const failOnError = (error: unknown): void => {
  throw error;
};

describe('createRoutes', () => {
  let called: string[];
  let route: Handler;
  beforeEach(() => {
    called = [];
    const handlerOf = (name: string) => async () => void called.push(name);
    route = routesOf(
      { path: '/okta/Telephony', handle: handlerOf('hook'), onError: failOnError },
      { path: '/okta/telephony/twilio/status', handle: handlerOf('status'), onError: failOnError },
    );
  });

  /** The route that runs, or `next` if none does. */
  function ask(url: string | undefined): string[] {
    route(...requestOf(url), () => called.push('next'));
    return called;
  }

  for (const url of [
    '/okta/telephony',
    '/okta/telephony/',
    '/Okta/TELEPHONY',
    '/okta/telephony?x=/other',
    '/okta/telephony/?',
    'https://id.example.com/okta/telephony?x=1',
  ]) {
    it(`passes ${url} to the route of its path`, () => {
      expect(ask(url)).to.deep.equal(['hook']);
    });
  }

  for (const [name, router] of [
    ['Express 5', express5.Router],
    ['Express 4', express4.Router],
  ] as const) {
    it(`matches the same paths as ${name}`, () => {
      const routerOf = (path: string): Handler => {
        const made = router();
        made.all(path, () => called.push('theirs'));
        return (req, res, next) => {
          made(req as Request, res as Response, next);
        };
      };
      const differing = PATHS.flatMap((path) => {
        const theirs = routerOf(path);
        const ours = routesOf({ path, handle: async () => void called.push('ours'), onError: failOnError });
        return TARGETS.filter((target) => {
          called.length = 0;
          ours(...requestOf(target), () => called.push('passed'));
          theirs(...requestOf(target), () => called.push('passed'));
          const [first, second] = called;
          return (first === 'ours') !== (second === 'theirs');
        }).map((target) => `${path}: ${target}`);
      });
      expect(differing).to.deep.equal([]);
    });
  }

  for (const url of [
    '/',
    '',
    undefined,
    '*',
    '/okta',
    '/okta/telephony//',
    '//okta/telephony',
    '/okta/telephony/twilio',
    '/x/okta/telephony',
    '/okta%2ftelephony',
    '/?/okta/telephony',
    'https://id.example.com',
    'no url',
    // A target that only contains a URL is not a URL.
    '*https://id.example.com/okta/telephony',
    '1https://id.example.com/okta/telephony',
  ]) {
    it(`passes ${url ?? 'a request without a target'} on to the next handler`, () => {
      expect(ask(url)).to.deep.equal(['next']);
    });
  }

  it('distinguishes a route from another one that begins with its path', () => {
    expect(ask('/okta/telephony/twilio/status')).to.deep.equal(['status']);
  });

  it('serves the root of its mount path', () => {
    const atRoot = routesOf({
      path: '/',
      handle: async () => void called.push('root'),
      onError: failOnError,
    });
    for (const url of ['/', '/?x=1', '/other', '*']) atRoot(...requestOf(url), () => called.push('next'));
    expect(called).to.deep.equal(['root', 'root', 'next', 'next']);
  });

  it('passes the error of a handler to onError of its route', async () => {
    const ended: unknown[] = [];
    const failing = routesOf({
      path: '/',
      handle: () => Promise.reject(new Error('failed')),
      onError: (error) => ended.push((error as Error).message),
    });
    failing(...requestOf('/'), () => ended.push('next'));
    await until(() => ended.length > 0);
    expect(ended).to.deep.equal(['failed']);
  });
});

describe('OpenAnswers', () => {
  it('removes an answer whose caller left before the request reached the hook', async () => {
    const open = new OpenAnswers();
    let handled = 0;
    const server = createServer((_req, res) => {
      // As after a session middleware that waits.
      res.once('close', () => {
        open.add(res);
        handled += 1;
      });
      caller.destroy();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const caller = connect((server.address() as AddressInfo).port, '127.0.0.1');
    try {
      caller.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await until(() => handled === 1);
      expect(open.size).to.equal(0);
    } finally {
      caller.destroy();
      server.close();
    }
  });

  it('removes the answers that wait behind another one on a connection that is reset', async () => {
    const open = new OpenAnswers();
    const server = createServer((_req, res) => {
      open.add(res);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const served = once(server, 'connection') as Promise<[Socket]>;
    const caller = connect((server.address() as AddressInfo).port, '127.0.0.1');
    caller.on('error', () => undefined);
    try {
      caller.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3));
      await until(() => open.size === 3);
      const [connection] = await served;
      const isGone = new Promise((resolve) => connection.once('close', resolve));
      caller.resetAndDestroy();
      await isGone;
      expect(open.size).to.equal(0);
    } finally {
      caller.destroy();
      server.close();
    }
  });

  it('holds few complete answers, though none emits close, as in a serverless adapter', () => {
    const open = new OpenAnswers();
    let ended = 0;
    for (let count = 0; count < 1_000; count += 1) {
      const [, res] = requestOf('/');
      let isWritten = false;
      Object.defineProperty(res, 'writableFinished', { get: () => isWritten });
      res.setHeader = () => {
        ended += 1;
        return res;
      };
      open.add(res);
      isWritten = true;
    }
    open.drain();
    expect(ended).to.be.below(200);
  });

  it('does not change an answer that has begun', () => {
    const open = new OpenAnswers();
    const [, res] = requestOf('/');
    open.add(res);
    res.writeHead(200);
    open.drain();
    expect(res.getHeaderNames()).to.deep.equal([]);
  });

  it('removes an answer without a connection, as in a serverless adapter', async () => {
    const open = new OpenAnswers();
    const req = new IncomingMessage(new Socket());
    const res = new ServerResponse(req);
    const socket = new PassThrough();
    socket.resume();
    res.assignSocket(socket as unknown as Socket);
    open.add(res);
    expect(open.size).to.equal(1);
    res.end('done');
    await once(res, 'finish');
    expect(open.size).to.equal(0);
  });
});
