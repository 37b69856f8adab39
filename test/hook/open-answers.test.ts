import { once } from 'node:events';
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { connect, Socket, type AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { OpenAnswers } from '#lib/hook/open-answers.js';
import { until } from '#harness/until.js';

describe('the open answers of a hook', () => {
  const ignore = (): void => undefined;

  it('forget an answer whose caller had gone before the hook was reached', async () => {
    const open = new OpenAnswers();
    let handled = 0;
    const handle = open.of(() => {
      handled += 1;
    });
    const server = createServer((req, res) => {
      // As behind a session that is read first.
      res.once('close', () => {
        handle(req, res, ignore);
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
    open.of(ignore)(req, res, ignore);
    expect(open.size).to.equal(1);
    res.end('done');
    await once(res, 'finish');
    expect(open.size).to.equal(0);
  });
});
