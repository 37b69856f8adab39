import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect } from 'chai';
import express5, { type Request, type Response } from 'express';
// @ts-expect-error -- the alias of Express 4 brings no types
import untypedExpress4 from 'express4';
import { createRoutes, type Handler } from '#lib/http/routes.js';

// What is used of it is the same in both.
const express4 = untypedExpress4 as typeof express5;

/** Handlers here look at nothing but the target. */
function requestOf(url: string | undefined): [IncomingMessage, ServerResponse] {
  const req = new IncomingMessage(new Socket());
  req.url = url;
  return [req, new ServerResponse(req)];
}

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
    route = createRoutes([
      { path: '/okta/Telephony', handle: handlerOf('hook'), onError: failOnError },
      { path: '/okta/telephony/twilio/status', handle: handlerOf('status'), onError: failOnError },
    ]);
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
        const ours = createRoutes([{ path, handle: () => asked.push('ours'), onError: failOnError }]);
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
    const atRoot = createRoutes([{ path: '/', handle: () => asked.push('root'), onError: failOnError }]);
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
      const failing = createRoutes([
        { path: '/', handle, onError: (error) => ended.push((error as Error).message) },
      ]);
      failing(...requestOf('/'), () => ended.push('next'));
      expect(ended).to.deep.equal(['failed']);
    });
  }
});
