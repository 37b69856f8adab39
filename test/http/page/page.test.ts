import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect } from 'chai';
import { createAssets } from '#lib/http/page/assets.js';
import { escapeHtml } from '#lib/http/page/html.js';
import { isFromLoopback } from '#lib/http/page/same-site.js';

describe('the files of a page', () => {
  it('are loaded once, and sent again only to a browser that has others', async () => {
    let loads = 0;
    const assets = createAssets(() => {
      loads += 1;
      return Promise.resolve({ script: 'a', style: 'b' });
    });
    const serve = async (etag?: string): Promise<ServerResponse> => {
      const req = new IncomingMessage(new Socket());
      if (etag !== undefined) req.headers['if-none-match'] = etag;
      const res = new ServerResponse(req);
      expect(await assets.serve('main.js', req, res)).to.equal(true);
      return res;
    };
    const { statusCode, _header: header } = (await serve()) as ServerResponse & { _header: string };
    const [, etag] = /^ETag: (.+)$/m.exec(header.replaceAll('\r', '')) ?? [];
    expect([statusCode, (await serve(etag)).statusCode, (await serve('"other"')).statusCode]).to.deep.equal([
      200, 304, 200,
    ]);
    expect(loads).to.equal(1);
  });
});

describe('a text in a page', () => {
  it('has no sign that ends an element or an attribute', () => {
    expect(escapeHtml(`<a b="c" d='e'>&`)).to.equal('&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;');
  });
});

describe('a request from loopback', () => {
  for (const [address, isLoopback] of [
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['::1234', false],
    ['::ffff:12.0.0.1', false],
    ['10.127.0.1', false],
    [undefined, false],
  ] as const) {
    it(`${isLoopback ? 'has' : 'does not have'} the address ${address ?? 'undefined'}`, () => {
      const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: address });
      expect(isFromLoopback(new IncomingMessage(socket))).to.equal(isLoopback);
    });
  }
});
