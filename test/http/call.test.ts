import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect } from 'chai';
import { Agent, type Dispatcher } from 'undici';
import type { HttpResult } from '#lib/core/http.js';
import { endOfTurn } from '#lib/core/time.js';
import { callHttp, createAgent, type HttpCall, type HttpLimits } from '#lib/http/call.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { endTime, stopTime } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';

describe('callHttp()', () => {
  const agents: { destroy(): Promise<void> }[] = [];
  const servers: Server[] = [];
  const keep = <T extends { destroy(): Promise<void> }>(agent: T): T => {
    agents.push(agent);
    return agent;
  };
  const serve = async (listener: RequestListener): Promise<URL> => {
    const server = createServer(listener).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/path?a=1`);
  };
  const call = (url: URL, parts: Partial<HttpCall & HttpLimits> = {}): Promise<HttpResult> => {
    const whole = {
      dispatcher: parts.dispatcher ?? keep(createAgent(500)),
      method: 'POST',
      origin: url.origin,
      path: url.pathname + url.search,
      headers: { 'x-test': 'yes' },
      body: 'secret body',
      timeoutMs: 5000,
      ...parts,
    } as const;
    return callHttp(whole, whole);
  };
  afterEach(async () => {
    await Promise.all(agents.splice(0).map((agent) => agent.destroy()));
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  describe('with an answer', () => {
    it('sends the request as given and returns the whole answer', async () => {
      const seen: unknown[] = [];
      const url = await serve((req, res) => {
        let body = '';
        req.on('data', (chunk: Buffer) => (body += chunk.toString()));
        req.on('end', () => {
          seen.push([req.method, req.url, req.headers['x-test'], body]);
          res.writeHead(201, { 'X-One': 'a', 'Set-Cookie': ['b=1', 'c=2'] }).end('{"é":1}');
        });
      });
      const result = await call(url);
      expect(seen).to.deep.equal([['POST', '/path?a=1', 'yes', 'secret body']]);
      expect(result).to.include({ kind: 'answered', status: 201, body: '{"é":1}' });
      expect(result).to.have.property('headers').that.includes({ 'x-one': 'a', 'set-cookie': 'b=1, c=2' });
    });

    for (const status of [204, 301, 302, 307, 400, 500, 503]) {
      it(`returns a ${status} and follows no redirect`, async () => {
        const seen: (string | undefined)[] = [];
        const url = await serve((req, res) => {
          seen.push(req.url);
          res.writeHead(status, { location: '/elsewhere' }).end();
        });
        expect(await call(url)).to.include({ kind: 'answered', status, body: '' });
        expect(seen).to.deep.equal(['/path?a=1']);
      });
    }

    it('waits for the final answer after an informational one', async () => {
      const url = await serve((_req, res) => {
        res.writeProcessing();
        res.writeHead(200).end('ok');
      });
      expect(await call(url)).to.include({ kind: 'answered', status: 200, body: 'ok' });
    });
  });

  describe('with a request that has not left', () => {
    it('returns not-sent if the dispatcher throws', async () => {
      const broken = {
        dispatch: () => {
          throw Object.assign(new Error('secret body'), { code: 'UND_ERR_DESTROYED' });
        },
      };
      const result = await call(new URL(REFUSING_ORIGIN), {
        dispatcher: broken as unknown as Dispatcher,
      });
      expect(result).to.deep.equal({ kind: 'not-sent', reason: 'UND_ERR_DESTROYED' });
    });

    for (const [title, error, reason] of [
      ['of several addresses', new AggregateError([{ code: 'ECONNREFUSED' }, {}]), 'ECONNREFUSED'],
      ['without a code', new Error('secret body'), 'CONNECTION_FAILED'],
      ['with an empty code', Object.assign(new Error('secret body'), { code: '' }), 'CONNECTION_FAILED'],
      ['of no address', new AggregateError([]), 'CONNECTION_FAILED'],
    ] as const) {
      it(`returns only the code of an error ${title}`, async () => {
        const failing = {
          dispatch: (_options: unknown, handler: Dispatcher.DispatchHandler) => {
            handler.onResponseError?.(undefined as never, error);
            return true;
          },
        };
        const result = await call(new URL(REFUSING_ORIGIN), {
          dispatcher: failing as unknown as Dispatcher,
        });
        expect(result).to.deep.equal({ kind: 'not-sent', reason });
      });
    }

    // A connector that never calls back is like a host that drops all packets.
    const blackHole = (): Agent => keep(new Agent({ connect: () => undefined }));
    for (const [title, parts, reason] of [
      ['the time for a connection is over', { leaveWithinMs: 20 }, 'CONNECT_TIMEOUT'],
      ['the whole time is over', { timeoutMs: 20 }, 'TIMEOUT'],
      ['the whole time is over first', { timeoutMs: 20, leaveWithinMs: 30 }, 'TIMEOUT'],
    ] as const) {
      it(`returns not-sent if a connection stalls until ${title}`, async () => {
        const url = new URL(REFUSING_ORIGIN);
        expect(await call(url, { dispatcher: blackHole(), ...parts })).to.deep.equal({
          kind: 'not-sent',
          reason,
        });
      });
    }

    for (const title of ['a new connection', 'an open connection'] as const) {
      it(`returns not-sent over ${title} if the request may not leave any more`, async () => {
        let requests = 0;
        const url = await serve((_req, res) => {
          requests += 1;
          res.end();
        });
        const dispatcher = keep(createAgent(500));
        if (title === 'an open connection') await call(url, { dispatcher });
        const before = requests;
        let mayLeave = true;
        const calling = call(url, { dispatcher, mayLeave: () => mayLeave });
        // The call asks just before the request leaves.
        mayLeave = false;
        expect(await calling).to.deep.equal({ kind: 'not-sent', reason: 'DEADLINE' });
        expect(requests).to.equal(before);
        expect(await call(url, { dispatcher })).to.include({ kind: 'answered' });
      });
    }

    it('never sends a request that it gave up in the queue of a pool', async () => {
      const bodies: string[] = [];
      let answerFirst: () => void = () => undefined;
      const url = await serve((req, res) => {
        req.on('data', (chunk: Buffer) => bodies.push(chunk.toString()));
        req.on('end', () => {
          if (bodies.length === 1) answerFirst = () => res.end('first');
          else res.end('other');
        });
      });
      const dispatcher = keep(new Agent({ connections: 1, pipelining: 1 }));
      const first = call(url, { dispatcher, body: 'one' });
      await until(() => bodies.length === 1);
      const second = await call(url, { dispatcher, body: 'two', leaveWithinMs: 20 });
      expect(second).to.deep.equal({ kind: 'not-sent', reason: 'CONNECT_TIMEOUT' });
      answerFirst();
      expect(await first).to.include({ kind: 'answered', body: 'first' });
      expect(await call(url, { dispatcher, body: 'three' })).to.include({ kind: 'answered', body: 'other' });
      expect(bodies).to.deep.equal(['one', 'three']);
    });
  });

  describe('with a request that has left', () => {
    const hang = (): Promise<URL> => serve(() => undefined);

    for (const [title, url, reason] of [
      ['that hangs', hang, 'TIMEOUT'],
      ['that drips', () => serve((_req, res) => void res.writeHead(201).write(' ')), 'TIMEOUT'],
      ['that is reset', () => serve((req) => void req.socket.resetAndDestroy()), 'ECONNRESET'],
      ['that is closed', () => serve((req) => void req.socket.end()), 'UND_ERR_SOCKET'],
      [
        'that is cut off',
        () =>
          serve((req, res) => {
            res.writeHead(201, { 'content-length': '500' });
            res.write('{"sid":', () => req.socket.destroy());
          }),
        'UND_ERR_SOCKET',
      ],
      [
        'that is too large to be read',
        () => serve((_req, res) => void res.end(Buffer.alloc(256 * 1024 + 1, ' '))),
        'ANSWER_TOO_LARGE',
      ],
      [
        'that is not HTTP',
        () => serve((req) => void req.socket.end('SSH-2.0-OpenSSH_9\r\n\r\n')),
        'CONNECTION_FAILED',
      ],
    ] as const) {
      it(`returns no-answer for an answer ${title}`, async () => {
        // Only a call that ends by its time-out has a short one. Others would reach it on a busy machine.
        const parts = reason === 'TIMEOUT' ? { timeoutMs: 1_000 } : {};
        expect(await call(await url(), parts)).to.deep.equal({ kind: 'no-answer', reason });
      });
    }

    it('reads an answer of the maximum size', async () => {
      const url = await serve((_req, res) => void res.end(Buffer.alloc(256 * 1024, ' ')));
      expect(await call(url)).to.include({ kind: 'answered', status: 200 });
    });

    it('waits after the deadline and after its time for a connection, until its time-out', async () => {
      let isOver = false;
      let hasCome = false;
      const url = await serve(() => {
        hasCome = true;
      });
      let result: HttpResult | undefined;
      const calling = call(url, {
        leaveWithinMs: 400,
        mayLeave: () => !isOver,
        timeoutMs: 1_500,
      }).then((outcome) => {
        result = outcome;
      });
      await until(() => hasCome);
      isOver = true;
      // It ends after the time for a connection of the first call.
      await call(url, {
        dispatcher: keep(new Agent({ connect: () => undefined })),
        leaveWithinMs: 450,
      });
      expect(result).to.equal(undefined);
      await calling;
      expect(result).to.deep.equal({ kind: 'no-answer', reason: 'TIMEOUT' });
    });

    it('ends after its whole time, of which the time for a connection is a part', async () => {
      let hasCome = false;
      const url = await serve(() => {
        hasCome = true;
      });
      const clock = stopTime();
      try {
        let result: HttpResult | undefined;
        const calling = call(url, { leaveWithinMs: 400, timeoutMs: 1_500 }).then((end) => (result = end));
        await until(() => hasCome);
        await clock.tickAsync(1_499);
        expect(result).to.equal(undefined);
        await clock.tickAsync(1);
        expect(result).to.deep.equal({ kind: 'no-answer', reason: 'TIMEOUT' });
        await calling;
      } finally {
        clock.restore();
      }
    });

    it('leaves no timer behind, with and without a time for a connection', async () => {
      const url = await serve((_req, res) => res.end('{}'));
      const clock = stopTime();
      for (const leaveWithinMs of [undefined, 400])
        expect(await call(url, { leaveWithinMs })).to.include({ status: 200 });
      // undici has timers of its own.
      expect(endTime(clock).join()).to.not.match(/giveUp|endConnectWait/);
    });

    for (const [what, reply, timeoutMs] of [
      ['that it gave up', () => undefined, 1_000],
      [
        'whose answer is too large',
        (res: ServerResponse) => void res.write(Buffer.alloc(512 * 1024, ' ')),
        5_000,
      ],
    ] as const) {
      it(`closes the connection of a call ${what}`, async () => {
        let isClosed = false;
        const url = await serve((req, res) => {
          req.socket.once('close', () => {
            isClosed = true;
          });
          reply(res);
        });
        expect((await call(url, { timeoutMs })).kind).to.equal('no-answer');
        await until(() => isClosed);
      });
    }
  });

  describe('with a read', () => {
    /** A server that ends the connections that it has kept when `isEnding` is set, at their next request. */
    const serveKept = async (
      end: (socket: Socket) => void,
    ): Promise<{
      url: URL;
      sockets: Set<Socket>;
      setEnding: () => Promise<void>;
      requests: () => number;
    }> => {
      let requests = 0;
      const sockets = new Set<Socket>();
      const waiting: ServerResponse[] = [];
      let kept: ReadonlySet<Socket> = new Set();
      const url = await serve((req, res) => {
        requests += 1;
        sockets.add(req.socket);
        if (kept.has(req.socket)) end(req.socket);
        else if (req.headers['x-test'] !== 'together') res.end('ok');
        else if (waiting.push(res) === 3) for (const answer of waiting.splice(0)) answer.end('ok');
      });
      const setEnding = async (): Promise<void> => {
        kept = new Set(sockets);
        // undici uses a connection again in the turn after its answer.
        await endOfTurn();
      };
      return { url, sockets, setEnding, requests: () => requests };
    };
    const READ = { method: 'GET', body: undefined, isRead: true } as const;

    for (const [title, end] of [
      ['resets', (socket: Socket) => void socket.resetAndDestroy()],
      ['closes', (socket: Socket) => void socket.end()],
    ] as const) {
      it(`repeats it on a new connection if the server ${title} the kept ones, however many`, async () => {
        const { url, sockets, setEnding, requests } = await serveKept(end);
        const dispatcher = keep(createAgent(500));
        const headers = { 'x-test': 'together' };
        await Promise.all([1, 2, 3].map(() => call(url, { dispatcher, ...READ, headers })));
        expect(sockets.size).to.equal(3);
        await setEnding();
        const results = await Promise.all([1, 2].map(() => call(url, { dispatcher, ...READ })));
        for (const result of results) expect(result).to.include({ kind: 'answered', body: 'ok' });
        expect(requests()).to.equal(3 + 4);
      });
    }

    it('repeats it once', async () => {
      let requests = 0;
      const url = await serve((req) => {
        requests += 1;
        req.socket.resetAndDestroy();
      });
      expect(await call(url, READ)).to.deep.equal({ kind: 'no-answer', reason: 'ECONNRESET' });
      expect(requests).to.equal(2);
    });

    it('repeats nothing of whose answer a byte has come', async () => {
      let requests = 0;
      const url = await serve((req, res) => {
        requests += 1;
        res.writeProcessing(() => req.socket.resetAndDestroy());
      });
      expect((await call(url, READ)).kind).to.equal('no-answer');
      expect(requests).to.equal(1);
    });

    it('has left even if its repeat gets no connection, within the same time', async () => {
      const url = new URL(REFUSING_ORIGIN);
      const clock = stopTime();
      try {
        let repeat: Dispatcher.DispatchHandler | undefined;
        const dispatcher = {
          dispatch: (_options: unknown, handler: Dispatcher.DispatchHandler) => {
            if (repeat === undefined) {
              handler.onRequestStart?.({ abort: () => undefined } as never, {});
              handler.onResponseError?.(
                undefined as never,
                Object.assign(new Error(), { code: 'ECONNRESET' }),
              );
            }
            repeat = handler;
            return true;
          },
        };
        const parts = { dispatcher: dispatcher as unknown as Dispatcher, ...READ };
        let result: HttpResult | undefined;
        const calling = call(url, { ...parts, leaveWithinMs: 400, timeoutMs: 1_500 }).then(
          (end) => (result = end),
        );
        await clock.tickAsync(1_499);
        expect(result).to.equal(undefined);
        await clock.tickAsync(1);
        expect(result).to.deep.equal({ kind: 'no-answer', reason: 'TIMEOUT' });
        let isAborted = false;
        repeat?.onRequestStart?.({ abort: () => (isAborted = true) } as never, {});
        expect(isAborted).to.equal(true);
        await calling;
      } finally {
        clock.restore();
      }
    });

    it('repeats nothing that is not a read', async () => {
      const { url, setEnding, requests } = await serveKept((socket) => void socket.resetAndDestroy());
      const dispatcher = keep(createAgent(500));
      await call(url, { dispatcher });
      await setEnding();
      expect((await call(url, { dispatcher })).kind).to.equal('no-answer');
      expect(requests()).to.equal(2);
    });

    it('repeats nothing that was given up', async () => {
      const { url, sockets, setEnding, requests } = await serveKept(() => undefined);
      const dispatcher = keep(createAgent(500));
      await call(url, { dispatcher, ...READ });
      await setEnding();
      const result = await call(url, { dispatcher, ...READ, timeoutMs: 300 });
      expect(result).to.deep.equal({ kind: 'no-answer', reason: 'TIMEOUT' });
      await until(() => [...sockets].every(({ destroyed }) => destroyed));
      expect(requests()).to.equal(2);
    });
  });

  it('opens a connection for every call, even if 150 others hang', async () => {
    let hanging = 0;
    const held: ServerResponse[] = [];
    const url = await serve((req, res) => {
      if (req.headers['x-test'] === 'hang') {
        hanging += 1;
        held.push(res);
      } else res.end('ok');
    });
    const dispatcher = keep(createAgent(500));
    const hung = Array.from({ length: 150 }, () => call(url, { dispatcher, headers: { 'x-test': 'hang' } }));
    await until(() => hanging === 150);
    expect(await call(url, { dispatcher })).to.include({ kind: 'answered', body: 'ok' });
    for (const res of held) res.destroy();
    for (const result of await Promise.all(hung)) expect(result.kind).to.equal('no-answer');
  });
});
