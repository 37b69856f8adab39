import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect } from 'chai';
import { chain, createRoutes, withFailures, type Handler } from '../lib/routes.js';

/** Handlers here look at nothing but the target. */
function requestOf(url: string | undefined): [IncomingMessage, ServerResponse] {
  const req = new IncomingMessage(new Socket());
  req.url = url;
  return [req, new ServerResponse(req)];
}

const failOnFailure = (error: unknown): void => {
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
      { path: '/okta/Telephony', handle: handlerOf('hook'), onFailure: failOnFailure },
      { path: '/okta/telephony/twilio/status', handle: handlerOf('status'), onFailure: failOnFailure },
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
  ]) {
    it(`lets ${url ?? 'a request without a target'} pass`, () => {
      expect(ask(url)).to.deep.equal(['next']);
    });
  }

  it('keeps a path apart from one that it begins with', () => {
    expect(ask('/okta/telephony/twilio/status')).to.deep.equal(['status']);
  });

  it('serves the root of where it is mounted', () => {
    const atRoot = createRoutes([{ path: '/', handle: () => asked.push('root'), onFailure: failOnFailure }]);
    for (const url of ['/', '/?x=1', '/other', '*']) atRoot(...requestOf(url), () => asked.push('next'));
    expect(asked).to.deep.equal(['root', 'root', 'next', 'next']);
  });
});

describe('chain', () => {
  it('asks its handlers in turn, then goes on', () => {
    const asked: string[] = [];
    const tell =
      (name: string): Handler =>
      (_req, _res, next) => {
        asked.push(name);
        next();
      };
    chain(tell('first'), chain(tell('second'), tell('third')))(...requestOf('/'), () => asked.push('next'));
    expect(asked).to.deep.equal(['first', 'second', 'third', 'next']);
  });

  it('passes over what follows a handler that fails, or does not go on', () => {
    const asked: unknown[] = [];
    const failure = new Error('failed');
    const never: Handler = () => asked.push('never');
    const fail: Handler = (_req, _res, next) => {
      next(failure);
    };
    chain(fail, never)(...requestOf('/'), (error) => asked.push(error));
    chain(() => asked.push('answered'), never)(...requestOf('/'), () => asked.push('next'));
    expect(asked).to.deep.equal([failure, 'answered']);
  });
});

describe('withFailures', () => {
  const failure = new Error('failed');

  for (const [how, handle] of [
    [
      'gives on',
      (_req, _res, next) => {
        next(failure);
      },
    ],
    [
      'throws',
      () => {
        throw failure;
      },
    ],
  ] satisfies [string, Handler][]) {
    it(`ends what a handler ${how}`, () => {
      const told: unknown[] = [];
      const handler = withFailures({ handle, onFailure: (error) => told.push(error) });
      handler(...requestOf('/'), () => told.push('next'));
      expect(told).to.deep.equal([failure]);
    });
  }

  it('lets a request pass that its handler does not take', () => {
    const told: unknown[] = [];
    const handle: Handler = (_req, _res, next) => {
      next();
    };
    withFailures({ handle, onFailure: failOnFailure })(...requestOf('/'), (error) => told.push(error));
    expect(told).to.deep.equal([undefined]);
  });
});
