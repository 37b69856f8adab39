import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { start, type Started } from '../../example/start.js';
import { freePort, REFUSING_ORIGIN } from '#harness/free-port.js';
import { ROOT } from '#harness/consumer.js';
import { GUIDES } from '../docs/pages.js';

const WHOLE = {
  OKTA_ORG_URL: REFUSING_ORIGIN,
  OKTA_API_TOKEN: 'api-token-of-start-test',
  HOOK_SECRET: 'hook-secret-of-start-test',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'auth-token-of-start-test',
  TWILIO_BASE_URL: REFUSING_ORIGIN,
  TWILIO_SMS_FROM: '+12025550177',
  PORT: '0',
};

describe('the start of the example gateway', () => {
  let printed: string[];
  let started: Started | undefined;
  const output = {
    log: (text: string): void => void printed.push(text),
  };
  beforeEach(() => {
    printed = [];
  });
  afterEach(async () => {
    started?.demo?.endStreams();
    started?.server.close();
    started?.server.closeAllConnections();
    started?.monitoring?.close();
    await started?.gateway.hook.close();
    await started?.demo?.close();
    started = undefined;
  });

  it('fails with EADDRINUSE if another server listens on the port', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    try {
      started = await start({ ...WHOLE, PORT: String(port) }, output);
      expect.fail('it starts');
    } catch (error) {
      expect(error)
        .to.have.property('message')
        .that.matches(new RegExp(`EADDRINUSE.*:${port}`));
    } finally {
      other.close();
    }
  });

  it('prints a note for each optional part that is not set, and none if all are set', async () => {
    started = await start(WHOLE, output);
    await started.introduce();
    const notes = printed.filter((line) => line.startsWith('Note: ')).join('\n');
    expect(notes)
      .to.match(/OIDC_CLIENT_ID is not set: nobody can sign in/)
      .and.match(/OKTA_PREFERENCES_API_TOKEN is not set: there is no preference page/)
      .and.match(/REDIS_URL is not set/)
      .and.match(/METRICS_PORT is not set: there are no metrics/);
    expect(started.monitoring).to.equal(undefined);
    const whole = {
      ...WHOLE,
      METRICS_PORT: '0',
      PUBLIC_URL: 'https://id.acme.example/okta/telephony',
      TWILIO_SANDBOX_NUMBER: '+14155238886',
      OIDC_CLIENT_ID: '0oagateway',
      OIDC_CLIENT_SECRET: 'client-secret',
      OIDC_REDIRECT_URI: 'https://id.acme.example/login/callback',
      SESSION_SECRET: 's'.repeat(32),
      OKTA_PREFERENCES_API_TOKEN: 'own-token-of-start-test',
      REDIS_URL: 'redis://127.0.0.1:9',
      STATE_ENCRYPTION_KEY: Buffer.alloc(32, 5).toString('base64'),
    };
    started.server.close();
    await started.gateway.hook.close();
    printed.length = 0;
    started = await start(whole, output);
    await started.introduce();
    // Loopback, unless METRICS_HOST is set.
    expect(started.monitoring?.address()).to.include({ address: '127.0.0.1' });
    expect(printed.join('\n'))
      .to.match(/listens on port/)
      .and.not.match(/Note: /);
  });

  it('serves the phones from a container on every address, and says who can see the codes', async () => {
    started = await start({ NODE_ENV: 'production', DEMO: '1', PORT: '0' }, output);
    await started.introduce();
    const [, origin = ''] = /Open +(http:\S+)/.exec(printed.join('\n')) ?? [];
    expect(printed.at(-1)).to.match(
      /every address.*Publish its port and \d+, the emulated Okta's, on 127\.0\.0\.1 alone/,
    );
    expect((started.server.address() as AddressInfo).address).to.be.oneOf(['::', '0.0.0.0']);
    const toOkta = await fetch(`${origin}/login`, { redirect: 'manual' });
    const { port } = new URL(toOkta.headers.get('location') ?? '');
    expect(printed.at(-1)).to.include(`its port and ${port}, the emulated Okta's`);
    expect(await (await fetch(`${origin}/phones/`)).text()).to.include(
      'Whoever reaches this address sees the codes.',
    );
    const dockerfile = await readFile(join(ROOT, 'example/Dockerfile'), 'utf8');
    expect(/docker run .*DEMO=1/.exec(dockerfile)?.[0]).to.include(' -p 127.0.0.1:3000:3000 ');
  });

  // Browsers and curl go to ::1 first if a server listens there.
  for (const host of ['127.0.0.1', '::1']) {
    it(`takes the next free port in the demo if PORT is not set and another server has the first on ${host}, says so, and prints its URLs with that port`, async function () {
      if (
        host === '::1' &&
        !Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === host))
      ) {
        process.stdout.write('      skipped: this machine has no IPv6 loopback address\n');
        this.skip();
      }
      const taken = await freePort();
      const other = createServer().listen(taken, host);
      await once(other, 'listening');
      try {
        started = await start({}, output, taken);
      } finally {
        other.close();
        other.closeAllConnections();
      }
      const { port } = started.server.address() as AddressInfo;
      expect(port).to.be.greaterThan(taken);
      expect(printed).to.deep.equal([`Note: port ${taken} is in use. The gateway takes port ${port}.`]);
      await started.introduce();
      const welcome = printed.at(-1) ?? '';
      expect(welcome).to.match(new RegExp(`^curl [^\\n]*http://localhost:${port}/okta/telephony`, 'm'));
      expect(welcome).not.to.include(`:${taken}/`);
      const [, origin = ''] = /Open +(http:\S+)/.exec(welcome) ?? [];
      expect((await fetch(`${origin}/health/live`)).status).to.equal(200);
    });
  }

  it('shows the guides as pages, whose links, anchors and pictures are there', async () => {
    started = await start({ PORT: '0' }, output);
    const { port } = started.server.address() as AddressInfo;
    const anchors: { readonly pathname: string; readonly id: string }[] = [];
    const pages = new Map<string, string>();
    const waiting = ['/guide'];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      if (pages.has(path)) continue;
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      expect(answer.status, path).to.equal(200);
      const isPage = answer.headers.get('content-type')?.startsWith('text/html') === true;
      const body = await answer.text();
      const html = isPage ? body : '';
      pages.set(path, html);
      for (const [, target = ''] of html.matchAll(/(?:href|src)="([^"]+)"/g)) {
        const { origin, pathname, hash } = new URL(target, answer.url);
        if (origin !== new URL(answer.url).origin || !pathname.startsWith('/guide/')) continue;
        waiting.push(pathname);
        if (hash !== '') anchors.push({ pathname, id: hash.slice(1) });
      }
    }
    const missing = anchors.filter(
      ({ pathname, id }) => pages.get(pathname)?.includes(` id="${id}"`) !== true,
    );
    expect(missing).to.deep.equal([]);
    expect([...pages.keys()]).to.include.members(GUIDES.map((guide) => guide.replace('docs/', '/guide/')));
    expect([...pages.keys()].filter((path) => path.endsWith('.png'))).to.have.length.above(1);
    const first = pages.get('/guide/start/try.md') ?? '';
    expect(first).to.include('<title>Try it - Acme identity gateway</title>').and.include('<table>');
    expect(first).to.not.match(/^(?:#|```|- )/m);
  });
});
