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

// What is used of it is the same in both.
const express4 = untypedExpress4 as typeof express5;

/** Handlers here look at nothing but the target. */
function requestOf(url: string | undefined): [IncomingMessage, ServerResponse] {
  const req = new IncomingMessage(new Socket());
  req.url = url;
  return [req, new ServerResponse(req)];
}

const routesOf = (...routes: readonly Route[]): Handler => createRoutes(routes, new OpenAnswers());

const PATHS = ['/', '/okta/telephony', '/okta/telephony/', '/a.b-c_d~e'];

/** Nothing that is no target by HTTP: Node refuses those. */
const TARGETS = [
  // Not `//` at the root: Express 4 and 5 differ there themselves.
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
  let asked: string[];
  let route: Handler;
  beforeEach(() => {
    asked = [];
    const handlerOf =
      (name: string): Handler =>
      () => {
        asked.push(name);
      };
    route = routesOf(
      { path: '/okta/Telephony', handle: handlerOf('hook'), onError: failOnError },
      { path: '/okta/telephony/twilio/status', handle: handlerOf('status'), onError: failOnError },
    );
  });

  /** Which route was asked, `next` where none was. */
  function ask(url: string | undefined): string[] {
    route(...requestOf(url), () => asked.push('next'));
    return asked;
  }

  for (const url of [
    '/okta/telephony',
    '/okta/telephony/',
    '/Okta/TELEPHONY',
    '/okta/telephony?x=/other',
    '/okta/telephony/?',
    'https://id.example.com/okta/telephony?x=1',
  ]) {
    it(`leads ${url} to the route of its path`, () => {
      expect(ask(url)).to.deep.equal(['hook']);
    });
  }

  for (const [name, router] of [
    ['Express 5', express5.Router],
    ['Express 4', express4.Router],
  ] as const) {
    it(`goes by the paths that ${name} goes by`, () => {
      const routerOf = (path: string): Handler => {
        const made = router();
        made.all(path, () => asked.push('theirs'));
        return (req, res, next) => {
          made(req as Request, res as Response, next);
        };
      };
      const differing = PATHS.flatMap((path) => {
        const theirs = routerOf(path);
        const ours = routesOf({ path, handle: () => asked.push('ours'), onError: failOnError });
        return TARGETS.filter((target) => {
          asked.length = 0;
          ours(...requestOf(target), () => asked.push('passed'));
          theirs(...requestOf(target), () => asked.push('passed'));
          const [first, second] = asked;
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
    // What only holds a URL is none.
    '*https://id.example.com/okta/telephony',
    '1https://id.example.com/okta/telephony',
  ]) {
    it(`lets ${url ?? 'a request without a target'} pass`, () => {
      expect(ask(url)).to.deep.equal(['next']);
    });
  }

  it('keeps a path apart from one that it begins with', () => {
    expect(ask('/okta/telephony/twilio/status')).to.deep.equal(['status']);
  });

  it('serves the root of where it is mounted', () => {
    const atRoot = routesOf({ path: '/', handle: () => asked.push('root'), onError: failOnError });
    for (const url of ['/', '/?x=1', '/other', '*']) atRoot(...requestOf(url), () => asked.push('next'));
    expect(asked).to.deep.equal(['root', 'root', 'next', 'next']);
  });

  for (const [how, handle] of [
    [
      'hands on',
      (_req, _res, next) => {
        next(new Error('failed'));
      },
    ],
    [
      'throws',
      () => {
        throw new Error('failed');
      },
    ],
  ] satisfies [string, Handler][]) {
    it(`ends what a handler ${how} at the end of its route`, () => {
      const ended: unknown[] = [];
      const failing = routesOf({
        path: '/',
        handle,
        onError: (error) => ended.push((error as Error).message),
      });
      failing(...requestOf('/'), () => ended.push('next'));
      expect(ended).to.deep.equal(['failed']);
    });
  }
});

describe('the open answers of a hook', () => {
  it('forget an answer whose caller had gone before the hook was reached', async () => {
    const open = new OpenAnswers();
    let handled = 0;
    const server = createServer((_req, res) => {
      // As behind a session that is read first.
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

  it('forget an answer that has no connection of its own, as in a serverless adapter', async () => {
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
