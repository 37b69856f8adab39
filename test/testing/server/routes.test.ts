import { expect } from 'chai';
import { request as send } from 'node:http';
import { text } from 'node:stream/consumers';
import { startEmulatedServer, type EmulatedServer } from '#lib/testing/server/emulated-server.js';
import { jsonReply, okReply, type Answer } from '#lib/testing/server/reply.js';

describe('the routes of an emulated server', () => {
  let server: EmulatedServer;

  before(async () => {
    server = await startEmulatedServer({ clock: () => 0, callTimeoutMs: 1000 });
    const named =
      (name: string): Answer =>
      (_request, params) =>
        okReply({ name, ...params });
    server.serve({
      routes: [
        ['get', '/v1/users', named('list')],
        ['get', '/v1/users/me', named('me')],
        ['get', '/v1/users/:id', named('show')],
        ['put', '/v1/users/:id', named('replace')],
        ['post', '/v1/users/me', named('never')],
        ['delete', '/v1/users/:id/factors/:factor.json', named('remove')],
      ],
      notFound: () => jsonReply(404, 'not found'),
      notAllowed: () => jsonReply(405, 'not allowed'),
      undecodable: () => jsonReply(400, 'undecodable'),
    });
  });
  after(() => server.close());

  /** With `node:http`, which sends a path as it is. */
  const answerOf = (method: string, path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const sent = send(server.origin, { method, path, agent: false }, (response) => {
        text(response).then((body) => resolve(`${response.statusCode} ${body}`), reject);
      });
      sent.on('error', reject).end();
    });

  const notFound = '404 "not found"';
  const notAllowed = '405 "not allowed"';
  for (const [what, method, path, answer] of [
    ['answers at a path', 'GET', '/v1/users', '200 {"name":"list"}'],
    ['leaves the query out of the path', 'GET', '/v1/users?next=/v1/else', '200 {"name":"list"}'],
    ['reads a parameter', 'GET', '/v1/users/a1', '200 {"name":"show","id":"a1"}'],
    ['tells the methods of a path apart', 'PUT', '/v1/users/a1', '200 {"name":"replace","id":"a1"}'],
    [
      'reads two parameters, one with an ending',
      'DELETE',
      '/v1/users/a1/factors/f.2.json',
      '200 {"name":"remove","id":"a1","factor":"f.2"}',
    ],
    ['reads a dot in a path as a dot', 'DELETE', '/v1/users/a1/factors/f2-json', notFound],
    ['prefers the path that comes first', 'GET', '/v1/users/me', '200 {"name":"me"}'],
    ['answers by the first path that fits', 'PUT', '/v1/users/me', notAllowed],
    ['answers HEAD as GET, without the body', 'HEAD', '/v1/users/a1', '200 '],
    ['answers HEAD at a path without GET', 'HEAD', '/v1/users/a1/factors/f2.json', '405 '],
    ['refuses another method', 'DELETE', '/v1/users/a1', notAllowed],
    ['refuses a method that no route has', 'OPTIONS', '/v1/users', notAllowed],
    ['knows no other path', 'GET', '/v1/else', notFound],
    ['knows no longer path', 'GET', '/v1/users/a1/else', notFound],
    ['knows no path before a path', 'GET', '/else/v1/users', notFound],
    ['knows no path with a slash at its end', 'GET', '/v1/users/', notFound],
    ['knows no path in capitals', 'GET', '/V1/Users', notFound],
    ['decodes a parameter', 'GET', '/v1/users/a%2Fb%20%C3%A9', '200 {"name":"show","id":"a/b é"}'],
    ['refuses a parameter that cannot be decoded', 'GET', '/v1/users/%E0', '400 "undecodable"'],
    ['refuses it at any method', 'DELETE', '/v1/users/%E0', '400 "undecodable"'],
    [
      'answers a whole URL, as a client sends it to a proxy',
      'GET',
      'http://api.example/v1/users/a1?q=1',
      '200 {"name":"show","id":"a1"}',
    ],
  ] as const) {
    it(`${what}: ${method} ${path}`, async () => {
      expect(await answerOf(method, path)).to.equal(answer);
    });
  }
});
