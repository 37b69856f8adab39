import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import express from 'express';
import type sinon from 'sinon';
import { parseForm, parseJsonBody } from '#lib/http/exchange.js';
import type { Channel, HookEvent } from '#lib/index.js';
import {
  ANA,
  BOB,
  CODE,
  HOOK_SECRET,
  startScene,
  type HookOptions,
  type Scene,
  type SceneOptions,
} from '#harness/scene.js';
import { fakeClock } from '#harness/fake-clock.js';
import { openRaw, rawRequest, type RawAnswer, type RawConnection } from '#harness/raw-http.js';
import { endTime, stopTime, warmUp } from '#harness/stopped-time.js';

const PATH = '/okta/telephony';
const bodyFor = (phoneNumber: string): string =>
  JSON.stringify({ data: { messageProfile: { phoneNumber, otpCode: CODE, deliveryChannel: 'SMS' } } });
const BODY = bodyFor(ANA.phone);
type Headers = readonly (readonly [name: string, value: string])[];
const PROOF: Headers = [['Authorization', HOOK_SECRET]];
const JSON_TYPE: Headers = [['Content-Type', 'application/json']];
const lengthOf = (body: string): Headers => [['Content-Length', String(Buffer.byteLength(body))]];
const goodWith = (body: string): string =>
  rawRequest(PATH, [...PROOF, ...JSON_TYPE, ...lengthOf(body)], body);
const GOOD = goodWith(BODY);

interface Failure {
  readonly errorSummary: string;
  readonly errorCauses?: readonly { readonly reason: string }[];
}
const failureOf = (answer: RawAnswer | undefined): Failure | undefined =>
  (JSON.parse(answer?.body ?? '{}') as { readonly error?: Failure }).error;
const reasonOf = (answer: RawAnswer | undefined): string | undefined =>
  failureOf(answer)?.errorCauses?.[0]?.reason;
/** The sentence of an answer that Okta shows. */
const sentenceOf = (answer: RawAnswer | undefined): string | undefined => failureOf(answer)?.errorSummary;

describe('a request to the hook', () => {
  let scene: Scene;
  let connections: RawConnection[] = [];
  let sent: number;
  let clock: sinon.SinonFakeTimers | undefined;
  const quick: Channel = {
    send: () => {
      sent += 1;
      return Promise.resolve({ status: 'accepted', transactionId: `T${sent}` });
    },
  };
  const start = async (options: HookOptions = {}, mount?: SceneOptions['mount']): Promise<Scene> => {
    sent = 0;
    scene = await startScene({
      hook: {
        sandboxNumber: undefined,
        senders: undefined,
        channels: { sms: quick, voice: quick },
        ...options,
      },
      ...(mount === undefined ? {} : { mount }),
    });
    return scene;
  };
  const open = async (): Promise<RawConnection> => {
    const connection = await openRaw(scene.server);
    connections.push(connection);
    return connection;
  };
  /** The answer to one request on a new connection. */
  const ask = async (text: string | Buffer): Promise<RawAnswer> => {
    const connection = await open();
    connection.socket.write(text);
    const [answer] = await connection.waitFor(1);
    return answer!;
  };
  /** Resolves after a complete later exchange, so all earlier work at the gateway is done. */
  const settled = async (): Promise<void> => {
    expect((await ask(rawRequest(PATH, [], '', 'GET'))).status).to.equal(405);
  };
  before(warmUp);
  afterEach(async () => {
    clock?.restore();
    for (const { socket } of connections) socket.destroy();
    connections = [];
    await scene.close();
  });

  describe('with a method', () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      for (const proof of [PROOF, []]) {
        it(`gets 405 for ${method} ${proof.length > 0 ? 'with' : 'without'} credentials`, async () => {
          await start();
          const answer = await ask(rawRequest(PATH, proof, '', method));
          expect(answer.status).to.equal(405);
          expect(answer.headers).to.include({ allow: 'POST', 'cache-control': 'no-store, no-transform' });
          expect(reasonOf(answer)).to.equal('METHOD_NOT_ALLOWED');
          expect(sentenceOf(answer)).to.equal('Only POST is answered here.');
        });
      }
    }

    it('goes to the gateway’s own routes on every other path', async () => {
      await start({}, (app, hook) => {
        app.use(hook);
        app.use((_req, res) => {
          res.status(299).end();
        });
      });
      for (const path of [
        '/',
        '/okta',
        '/okta/telephony/other',
        '/okta/telephonyx',
        '/okta/telephony/events/other',
      ]) {
        expect((await ask(rawRequest(path, [], '', 'GET'))).status, path).to.equal(299);
      }
      expect((await ask(rawRequest(`${PATH}/?a=b`, [], '', 'GET'))).status).to.equal(405);
    });
  });

  describe('without valid credentials', () => {
    /** Writes until the connection is gone, and returns how much it wrote. */
    const flood = async (
      head: string,
      chunk: Buffer,
    ): Promise<{ answers: readonly RawAnswer[]; written: number }> => {
      const connection = await open();
      const { socket } = connection;
      socket.write(head);
      let written = 0;
      while (socket.writable) {
        written += chunk.length;
        if (!socket.write(chunk))
          await Promise.race([once(socket, 'drain').catch(() => undefined), connection.closed]);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await connection.closed;
      return { answers: connection.answers(), written };
    };
    const heads: readonly (readonly [what: string, headers: Headers, chunk: Buffer])[] = [
      ['with a declared length', [['Content-Length', '1000000000']], Buffer.alloc(16 * 1024, 'a')],
      ['in chunks', [['Transfer-Encoding', 'chunked']], Buffer.from(`4000\r\n${'a'.repeat(0x4000)}\r\n`)],
    ];
    for (const [what, headers, chunk] of heads) {
      it(`gets 401 and is cut off while the caller writes a body ${what}`, async () => {
        await start();
        // The clock stands still: only the amount of the unread body can end the connection.
        clock = stopTime();
        const result = await flood(rawRequest(PATH, [...JSON_TYPE, ...headers]), chunk);
        expect(result.answers.map(({ status }) => status)).to.deep.equal([401]);
        expect(result.answers[0]?.headers['connection']).to.equal('close');
        // The buffers of both sides contain more than the hook has read.
        expect(result.written).to.be.below(8 * 1024 * 1024);
        expect(sent).to.equal(0);
      });
    }

    it('is read for a moment, so that no reset overtakes the answer', async () => {
      await start();
      clock = stopTime();
      const connection = await open();
      connection.socket.write(rawRequest(PATH, [...JSON_TYPE, ['Content-Length', '100000']]));
      const [answer] = await connection.waitFor(1);
      expect(answer?.status).to.equal(401);
      // 100 KB are less than the hook still reads: it does not reset the caller.
      let hasFailed = false;
      connection.socket.once('error', () => {
        hasFailed = true;
      });
      for (let index = 0; index < 10; index += 1) connection.socket.write(Buffer.alloc(10_000, 'a'));
      await connection.closed;
      expect(hasFailed).to.equal(false);
    });

    it('is read for 256 KiB more, and cut off at the next byte', async () => {
      await start();
      clock = stopTime();
      let taken: Socket | undefined;
      scene.server.once('connection', (socket: Socket) => (taken = socket));
      const connection = await open();
      const head = rawRequest(PATH, [...JSON_TYPE, ['Content-Length', '1000000']]);
      connection.socket.write(head);
      await connection.waitFor(1);
      connection.socket.write(Buffer.alloc(256 * 1024, 'a'));
      await until(() => taken?.bytesRead === head.length + 256 * 1024);
      await settled();
      expect(connection.socket.readableEnded).to.equal(false);
      connection.socket.write('a');
      await connection.closed;
    });

    it('is cut off after 250 ms if the caller stops writing', async () => {
      await start();
      clock = stopTime();
      const connection = await open();
      connection.socket.write(rawRequest(PATH, [...JSON_TYPE, ['Content-Length', '100000']]));
      await connection.waitFor(1);
      await settled();
      clock.tick(249);
      await settled();
      expect(connection.socket.readableEnded).to.equal(false);
      clock.tick(1);
      await connection.closed;
    });

    it('is logged at most once a minute with a count, and causes no lookup', async () => {
      let now = Date.now();
      await start({ clock: () => now });
      const reject = async (count: number): Promise<void> => {
        for (let index = 0; index < count; index += 1) {
          expect((await scene.call({ headers: { Authorization: `wrong-${index}` } })).httpStatus).to.equal(
            401,
          );
        }
      };
      const logged = (): unknown[] =>
        scene.log.map(({ level, fields }) => [level, fields['event'], fields['count']]);
      await reject(20);
      expect(logged()).to.deep.equal([['warn', 'caller.rejected', 1]]);
      now += 59_999;
      await reject(5);
      expect(logged()).to.have.length(1);
      now += 1;
      await reject(3);
      expect(logged()).to.deep.equal([
        ['warn', 'caller.rejected', 1],
        ['warn', 'caller.rejected', 25],
      ]);
      expect(scene.log[0]?.fields['schemes']).to.deep.equal(['header']);
      expect(scene.okta.requests).to.be.empty;
      expect(sent).to.equal(0);
    });

    it('causes one log line for ten requests with a wrong method', async () => {
      await start();
      for (let index = 0; index < 10; index += 1) await ask(rawRequest(PATH, [], '', 'GET'));
      expect(scene.log.map(({ fields }) => [fields['event'], fields['code']])).to.deep.equal([
        ['request.rejected', 'METHOD_NOT_ALLOWED'],
      ]);
    });
  });

  describe('with a media type', () => {
    const gzipped = gzipSync(BODY);
    const types: readonly (readonly [headers: Headers, status: number])[] = [
      [[['Content-Type', 'application/json']], 200],
      [[['Content-Type', 'APPLICATION/JSON; charset=UTF-8']], 200],
      [[['Content-Type', 'application/json;charset="utf-8"']], 200],
      [[['Content-Type', 'application/json; charset=utf8']], 200],
      [[['Content-Type', 'application/json ; profile=x ; charset=utf-8']], 200],
      [
        [
          ['Content-Type', 'application/json'],
          ['Content-Encoding', 'identity'],
        ],
        200,
      ],
      [
        [
          ['Content-Type', 'application/json'],
          ['Content-Encoding', ' IDENTITY '],
        ],
        200,
      ],
      [[], 415],
      [[['Content-Type', 'text/plain']], 415],
      [[['Content-Type', 'application/x-www-form-urlencoded']], 415],
      [[['Content-Type', 'application/json-patch+json']], 415],
      [[['Content-Type', 'application/json; charset=iso-8859-1']], 415],
      [[['Content-Type', 'application/json; charset=utf-16']], 415],
      [[['Content-Type', 'application/json; charset=utf-8859']], 415],
      [[['Content-Type', 'application/json; charset=x-utf-8']], 415],
      [[['Content-Type', 'application/json; profile=x; charset=utf-16']], 415],
      [
        [
          ['Content-Type', 'application/json'],
          ['Content-Encoding', 'br'],
        ],
        415,
      ],
    ];
    for (const [headers, status] of types) {
      it(`gets ${status} for ${headers.map(([, value]) => value).join(' + ') || 'none'}`, async () => {
        await start();
        const answer = await ask(rawRequest(PATH, [...PROOF, ...headers, ...lengthOf(BODY)], BODY));
        expect(answer.status).to.equal(status);
        if (status !== 200) {
          expect(reasonOf(answer)).to.equal('UNSUPPORTED_MEDIA_TYPE');
          expect(sentenceOf(answer)).to.equal('The body must be application/json in UTF-8, not encoded.');
        }
        expect(sent).to.equal(status === 200 ? 1 : 0);
      });
    }

    it('gets 415 for gzip', async () => {
      await start();
      const headers: Headers = [
        ...PROOF,
        ...JSON_TYPE,
        ['Content-Encoding', 'gzip'],
        ['Content-Length', String(gzipped.length)],
      ];
      const answer = await ask(Buffer.concat([Buffer.from(rawRequest(PATH, headers)), gzipped]));
      expect(answer.status).to.equal(415);
    });

    it('gets 401 before 415', async () => {
      await start();
      expect(
        (await ask(rawRequest(PATH, [['Content-Type', 'text/plain'], ...lengthOf(BODY)], BODY))).status,
      ).to.equal(401);
    });
  });

  describe('with a body', () => {
    const padded = (length: number): string => BODY.padEnd(length, ' ');
    const limit = 64 * 1024;

    it('is read up to 64 KiB', async () => {
      await start();
      const body = padded(limit);
      expect(
        (await ask(rawRequest(PATH, [...PROOF, ...JSON_TYPE, ...lengthOf(body)], body))).status,
      ).to.equal(200);
    });

    it('gets 413 for a declared length that is too large, before the body comes', async () => {
      await start();
      const answer = await ask(
        rawRequest(PATH, [...PROOF, ...JSON_TYPE, ['Content-Length', String(limit + 1)]]),
      );
      expect(answer.status).to.equal(413);
      expect(answer.headers['connection']).to.equal('close');
      expect(reasonOf(answer)).to.equal('PAYLOAD_TOO_LARGE');
      expect(sentenceOf(answer)).to.equal('The body is larger than allowed.');
    });

    it('gets 413 for endless chunks as soon as they are too many', async () => {
      await start();
      const connection = await open();
      connection.socket.write(rawRequest(PATH, [...PROOF, ...JSON_TYPE, ['Transfer-Encoding', 'chunked']]));
      for (let index = 0; index < 5; index += 1) connection.socket.write(`4000\r\n${' '.repeat(0x4000)}\r\n`);
      const [answer] = await connection.waitFor(1);
      expect(answer?.status).to.equal(413);
      await connection.closed;
      expect(sent).to.equal(0);
    });

    it('is read from chunks', async () => {
      await start();
      const chunks = Array.from(BODY, (character) => `1\r\n${character}\r\n`).join('');
      const answer = await ask(
        `${rawRequest(PATH, [...PROOF, ...JSON_TYPE, ['Transfer-Encoding', 'chunked']])}${chunks}0\r\n\r\n`,
      );
      expect(answer.status).to.equal(200);
    });
  });

  it('gets 408 before the deadline if its body is slower than the budget', async () => {
    await start({ deadlineMs: 500 });
    clock = stopTime();
    const connection = await open();
    connection.socket.write(rawRequest(PATH, [...PROOF, ...JSON_TYPE, ...lengthOf(BODY)], BODY.slice(0, 10)));
    await settled();
    clock.tick(449);
    await settled();
    expect(connection.answers()).to.be.empty;
    // The rest of the deadline is for writing the answer.
    clock.tick(1);
    const [answer] = await connection.waitFor(1);
    expect(answer?.status).to.equal(408);
    expect(answer?.headers['connection']).to.equal('close');
    expect(reasonOf(answer)).to.equal('REQUEST_TIMEOUT');
    expect(sentenceOf(answer)).to.equal('The body did not arrive in time.');
    // The hook reads the rest of the body for 250 ms only.
    clock.tick(250);
    await connection.closed;
    expect(scene.hook.status().inFlight).to.equal(0);
  });

  it('ends at once if the caller leaves in the middle of the body', async () => {
    await start();
    clock = stopTime();
    const connection = await open();
    const gone = new Promise<void>((resolve) => {
      scene.server.once('request', (_req: IncomingMessage, res: ServerResponse) => {
        res.once('close', resolve);
      });
    });
    connection.socket.write(rawRequest(PATH, [...PROOF, ...JSON_TYPE, ...lengthOf(BODY)], BODY.slice(0, 10)));
    await settled();
    expect(scene.hook.status().inFlight).to.equal(1);
    connection.socket.destroy();
    await gone;
    await settled();
    expect(scene.hook.status().inFlight).to.equal(0);
    expect(sent).to.equal(0);
    expect(endTime(clock).join()).to.not.include('REQUEST_TIMEOUT');
  });

  for (const body of ['', '{', '{"data":}', `${BODY}x`, "{'data':1}", '\u0000']) {
    it(`gets 400 for ${JSON.stringify(body.replace(BODY, '…'))}, which is not JSON`, async () => {
      await start();
      const answer = await ask(rawRequest(PATH, [...PROOF, ...JSON_TYPE, ...lengthOf(body)], body));
      expect(answer.status).to.equal(400);
      expect(reasonOf(answer)).to.equal('INVALID_REQUEST');
      expect(sentenceOf(answer)).to.equal('The body is not JSON.');
      expect(scene.log.map(({ fields }) => fields['fields'])).to.deep.equal([['body']]);
    });
  }

  describe('with a body that a parser has read', () => {
    const parsers: readonly (readonly [what: string, handler: () => express.RequestHandler])[] = [
      ['express.json()', () => express.json()],
      ['express.raw()', () => express.raw({ type: '*/*' })],
      ['express.text()', () => express.text({ type: '*/*' })],
      [
        'a router of express.json() and express.urlencoded()',
        () => express.Router().use(express.json(), express.urlencoded()),
      ],
    ];
    for (const [what, handler] of parsers) {
      it(`is accepted after ${what}`, async () => {
        await start({}, (app, hook) => app.use(handler(), hook));
        expect((await ask(GOOD)).status).to.equal(200);
        expect(sent).to.equal(1);
      });
    }

    it('gets 413 if it is too large, whatever the parser allows', async () => {
      await start({}, (app, hook) => app.use(express.json({ limit: '1mb' }), hook));
      expect((await ask(goodWith(BODY.padEnd(64 * 1024, ' ')))).status).to.equal(200);
      expect((await ask(goodWith(BODY.padEnd(64 * 1024 + 1, ' ')))).status).to.equal(413);
    });

    it('gets 400 at once if nothing of the body is left', async () => {
      await start({}, (app, hook) => {
        app.use((req, _res, next) => {
          req.resume().once('end', () => {
            next();
          });
        }, hook);
      });
      clock = stopTime();
      const answer = await ask(GOOD);
      expect(answer.status).to.equal(400);
      expect(reasonOf(answer)).to.equal('BODY_ALREADY_READ');
      expect(sentenceOf(answer)).to.include('mount the hook ahead');
      expect(sent).to.equal(0);
    });

    it('still needs credentials', async () => {
      await start({}, (app, hook) => app.use(express.json(), hook));
      expect((await ask(rawRequest(PATH, [...JSON_TYPE, ...lengthOf(BODY)], BODY))).status).to.equal(401);
    });
  });

  describe('on a kept connection', () => {
    it('can be followed by other requests', async () => {
      await start();
      const connection = await open();
      for (let count = 1; count <= 3; count += 1) {
        connection.socket.write(GOOD);
        const answers = await connection.waitFor(count);
        expect(answers.at(-1)?.status).to.equal(200);
        expect(answers.at(-1)?.headers['connection']).to.not.equal('close');
      }
      expect(sent).to.equal(3);
    });

    it('can be followed by other requests after 400, because its body was read', async () => {
      await start();
      const connection = await open();
      connection.socket.write(rawRequest(PATH, [...PROOF, ...JSON_TYPE, ...lengthOf('{}')], '{}'));
      await connection.waitFor(1);
      connection.socket.write(GOOD);
      expect((await connection.waitFor(2)).map(({ status }) => status)).to.deep.equal([400, 200]);
    });

    it('is answered in order if requests are pipelined', async () => {
      await start();
      const connection = await open();
      const get = rawRequest(PATH, [], '', 'GET');
      // For three users: a newer code of one user supersedes the older ones.
      const [first, second, third] = [ANA.phone, BOB.phone, '+12025550199'].map((phone) =>
        goodWith(bodyFor(phone)),
      );
      connection.socket.write([first, get, second, third].join(''));
      expect((await connection.waitFor(4)).map(({ status }) => status)).to.deep.equal([200, 405, 200, 200]);
      expect(sent).to.equal(3);
    });

    it('keeps its answer if the hook cuts off a pipelined request behind it', async () => {
      const release: (() => void)[] = [];
      await start({
        channels: {
          sms: {
            send: () =>
              new Promise((resolve) => {
                release.push(() => {
                  resolve({ status: 'accepted', transactionId: 'T1' });
                });
              }),
          },
        },
      });
      const connection = await open();
      const second = new Promise<void>((resolve) => {
        let count = 0;
        scene.server.on('request', () => {
          count += 1;
          if (count === 2) resolve();
        });
      });
      const timers = fakeClock(['setTimeout', 'clearTimeout']);
      connection.socket.write(GOOD + rawRequest(PATH, [...JSON_TYPE, ['Content-Length', '100000']]));
      await second;
      await until(() => release.length === 1);
      // Longer than the hook reads an unread body.
      timers.tick(300);
      timers.restore();
      release[0]?.();
      expect((await connection.waitFor(2)).map(({ status }) => status)).to.deep.equal([200, 401]);
      await connection.closed;
    });
  });

  it('sends no code for a caller who has reset a connection with several requests', async () => {
    const waiting: (() => void)[] = [];
    await start({}, (app, hook) => {
      // As behind a session middleware that waits.
      app.use(express.json(), (_req, _res, next) => {
        waiting.push(next);
      });
      app.use(hook);
    });
    const connection = await open();
    const isGone = new Promise<void>((resolve) => {
      scene.server.once('request', ({ socket }: IncomingMessage) => {
        socket.once('close', resolve);
      });
    });
    connection.socket.write([ANA.phone, BOB.phone].map((phone) => goodWith(bodyFor(phone))).join(''));
    await until(() => waiting.length === 2);
    connection.socket.resetAndDestroy();
    await isGone;
    for (const next of waiting) next();
    const answered = (): HookEvent[] => scene.events.filter(({ type }) => type === 'request.answered');
    await until(() => answered().length === 2);
    expect(sent).to.equal(0);
    for (const event of answered()) expect(event).to.include({ hasHungUp: true });
  });

  it('ends at once if the caller has left before the hook gets it', async () => {
    let goOn: (() => void) | undefined;
    await start({}, (app, hook) => {
      app.use((_req, _res, next) => {
        if (goOn === undefined) goOn = next;
        else next();
      });
      app.use(hook);
    });
    clock = stopTime();
    const connection = await open();
    const isGone = new Promise<void>((resolve) => {
      scene.server.once('request', (req: IncomingMessage) => {
        req.once('close', resolve).once('error', () => undefined);
      });
    });
    connection.socket.write(rawRequest(PATH, [...PROOF, ...JSON_TYPE, ...lengthOf(BODY)], BODY.slice(0, 10)));
    await until(() => goOn !== undefined);
    connection.socket.resetAndDestroy();
    await isGone;
    goOn?.();
    await settled();
    expect(scene.hook.status().inFlight).to.equal(0);
    expect(sent).to.equal(0);
  });

  it('gets 503 while the hook closes, and 401 without credentials', async () => {
    await start();
    await scene.hook.close();
    const answer = await ask(GOOD);
    expect(answer.status).to.equal(503);
    expect(reasonOf(answer)).to.equal('CLOSING');
    expect(sentenceOf(answer)).to.equal('This gateway is shutting down.');
    expect((await ask(rawRequest(PATH, [...JSON_TYPE, ...lengthOf(BODY)], BODY))).status).to.equal(401);
    expect(sent).to.equal(0);
  });
});

/** Looks again at each turn of the event loop. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

describe('a parsed body', () => {
  it('may begin with a byte order mark', () => {
    expect(parseJsonBody(Buffer.from('\uFEFF{"a":1}'))).to.deep.equal({ a: 1 });
  });

  it('has only the texts of a form, also if a parser of the gateway has made other values', () => {
    const parsed = { one: 'a', list: ['a', 1, {}], number: 1, nested: { a: 'b' } };
    expect(parseForm(parsed)).to.deep.equal({ one: 'a', list: ['a'] });
    expect(parseForm('one=a&list=a&list=b')).to.deep.equal({ one: 'a', list: ['a', 'b'] });
  });
});
