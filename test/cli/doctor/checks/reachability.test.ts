import { once } from 'node:events';
import { createServer, type Server, type ServerOptions } from 'node:https';
import { createServer as createSilentServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { expect } from 'chai';
import type { HttpResult } from '#lib/core/http.js';
import { examineReachability } from '#lib/cli/doctor/checks/reachability.js';
import { signOwnCertificate } from '#harness/certificate.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { keptParts } from '../../kept-output.js';

const DAY_MS = 86_400_000;
const ANSWERED: HttpResult = { kind: 'answered', status: 401, headers: {}, body: '', json: undefined };

type Parts = Partial<Parameters<typeof examineReachability>[1]>;

/** The finding of one check for a URL, with its remedy in a line of its own. */
async function look(name: string, url: string, parts: Parts = {}): Promise<string> {
  const value = { url, proof: undefined, secret: undefined, headerName: undefined };
  const group = examineReachability(
    { finding: { status: 'ok', message: '', remedy: undefined }, value },
    {
      orgUrl: undefined,
      callMs: 5_000,
      time: { now: () => 0, sleep: () => Promise.resolve() },
      answer: () => Promise.resolve(ANSWERED),
      resolve: () => Promise.reject(new Error('no test looks a name up')),
      ...parts,
    },
  );
  expect(group.title).to.equal('Reachability');
  const check = group.checks.find((one) => one.name === name);
  const { status, message, remedy } = (await check?.run()) ?? {};
  return [`${String(status)} ${String(message)}`, ...(remedy === undefined ? [] : [`     ${remedy}`])].join(
    '\n',
  );
}

/** The texts are in a file of `test/cli/outputs/`. */
describe('examineReachability', () => {
  const expectTexts = keptParts('doctor-reachability');
  const servers: (Server | TcpServer)[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  const listening = async (server: Server | TcpServer): Promise<string> => {
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it('wants an https URL that is not of this machine, unless the org is on it too', async () => {
    const texts: string[] = [];
    for (const [url, orgUrl] of [
      ['https://id.example.com:8443/hook', undefined],
      ['http://localhost:1/hook', 'http://127.0.0.1:2'],
      ['http://localhost:1/hook', 'https://acme.okta.com'],
      ['http://[::1]:1/hook', undefined],
    ] as const) {
      texts.push(`${url} for ${orgUrl ?? 'no org'}: ${await look('way.url', url, { orgUrl })}`);
    }
    expectTexts('URLs', texts.join('\n'));
  });

  it('warns if a name has a private address', async () => {
    const texts: string[] = [];
    for (const addresses of [
      ...[['198.51.100.7'], ['2001:db8::7'], ['198.51.100.7', '2001:db8::7'], ['198.51.100.7', '10.0.0.1']],
      ...[['10.255.255.255'], ['172.16.0.0'], ['172.31.255.255'], ['192.168.0.1'], ['169.254.1.1']],
      ...[['100.64.0.0'], ['100.127.255.255'], ['127.1.2.3'], ['fc00::1'], ['fdff::1'], ['fe80::1']],
      ...[['febf::1'], ['::1']],
      // The neighbours of the private ranges.
      ...[['9.255.255.255'], ['11.0.0.0'], ['172.15.255.255'], ['172.32.0.0'], ['192.167.255.255']],
      ...[['192.169.0.0'], ['169.253.255.255'], ['169.255.0.0'], ['100.63.255.255'], ['100.128.0.0']],
      ...[['126.255.255.255'], ['128.0.0.0'], ['fbff::1'], ['fe00::1'], ['fec0::1'], ['::2']],
    ]) {
      const resolve = (): Promise<readonly string[]> => Promise.resolve(addresses);
      const [found] = (await look('way.name', 'https://id.example.com/hook', { resolve })).split('\n');
      texts.push(`${addresses.join(' and ')}: ${found ?? ''}`);
    }
    expectTexts('addresses', texts.join('\n'));
  });

  it('looks up an IPv6 address without its brackets', async () => {
    const asked: string[] = [];
    await look('way.name', 'https://[2001:db8::7]/hook', {
      resolve: (hostname) => {
        asked.push(hostname);
        return Promise.resolve([hostname]);
      },
    });
    expect(asked).to.deep.equal(['2001:db8::7']);
  });

  it('skips the checks of TLS and redirects if the name does not resolve', async () => {
    const url = 'https://id.example.com/hook';
    const texts = [await look('way.name', url), await look('way.tls', url), await look('way.redirect', url)];
    expectTexts('a name that does not resolve', texts.join('\n'));
  });

  it('resolves names with the DNS of this machine by default', async () => {
    const found = await look('way.name', 'https://198.51.100.7/hook', { resolve: undefined });
    expect(found).to.equal('ok 198.51.100.7 resolves to a public address.');
  });

  it('needs no public name and no TLS for a URL on this machine', async () => {
    const url = 'http://localhost:1/hook';
    expect(await look('way.name', url)).to.equal('ok It is this machine.');
    expect(await look('way.tls', url)).to.equal('ok This machine itself needs no TLS.');
  });

  /** The past and the remaining days of a certificate. Without an authority it is not trusted. */
  for (const [what, past, left, { name = '127.0.0.1', isTrusted = true }] of [
    ['is valid for two more months', 30, 60, {}],
    ['has two weeks left, in its last quarter', 85, 14, {}],
    ['has less than two weeks left, in its last quarter', 85, 13.99, {}],
    ['has less than two weeks left, at the start of its last quarter', 30, 10, {}],
    ['has less than two weeks left, after the start of its last quarter', 30.1, 9.9, {}],
    ['is short-lived', 2, 4, {}],
    ['ends tomorrow', 85, 1, {}],
    ['ends today', 85, 0.5, {}],
    ['was made today, for a day', 0.1, 1.4, {}],
    ['has expired', 30, -1, {}],
    ['is for another name', 30, 60, { name: 'other.example.com' }],
    ['is not trusted', 30, 60, { isTrusted: false }],
  ] as readonly (readonly [string, number, number, { name?: string; isTrusted?: boolean }])[]) {
    it(`rates a certificate that ${what}`, async () => {
      // Node checks with the real time.
      const nowMs = Math.floor(Date.now() / 1000) * 1000;
      const { key, cert } = signOwnCertificate({
        name,
        from: new Date(nowMs - past * DAY_MS),
        to: new Date(nowMs + left * DAY_MS),
      });
      const url = await listening(createServer({ key, cert }));
      const time = { now: () => nowMs, sleep: () => Promise.resolve() };
      const found = await look('way.tls', url, isTrusted ? { authorities: [cert], time } : { time });
      expectTexts(`a certificate that ${what}`, found);
    });
  }

  it('sends the host name of the URL as SNI', async () => {
    const to = new Date(Date.now() + 60 * DAY_MS);
    const { key, cert } = signOwnCertificate({ name: 'localhost', from: new Date(Date.now() - DAY_MS), to });
    const names: string[] = [];
    const SNICallback: ServerOptions['SNICallback'] = (name, done) => {
      names.push(name);
      done(null);
    };
    const url = await listening(createServer({ key, cert, SNICallback }));
    const found = await look('way.tls', url.replace('127.0.0.1', 'localhost'), { authorities: [cert] });
    expect(found).to.match(/^ok/);
    expect(names).to.deep.equal(['localhost']);
  });

  it('fails for a port without TLS, a closed port, and a port that does not answer', async () => {
    const plain = createSilentServer((socket) => {
      socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    for (const [url, reason] of [
      [await listening(plain), 'ERR_SSL_WRONG_VERSION_NUMBER'],
      [REFUSING_ORIGIN.replace('http:', 'https:'), 'ECONNREFUSED'],
      [await listening(createSilentServer()), 'TIMEOUT'],
    ] as const) {
      const found = await look('way.tls', url, { callMs: reason === 'TIMEOUT' ? 10 : 5_000 });
      expect(found)
        .to.match(/^fail 127\.0\.0\.1:\d+ could not be reached: /)
        .and.include(`(${reason}).`);
    }
  });

  it('reads a status of 300 to 399 as a redirect, which Okta does not follow', async () => {
    const texts: string[] = [];
    for (const status of [200, 299, 300, 301, 399, 400]) {
      const answer = (): Promise<HttpResult> => Promise.resolve({ ...ANSWERED, status });
      texts.push(`${status}: ${await look('way.redirect', 'http://localhost:1/hook', { answer })}`);
    }
    const unanswered: HttpResult = { kind: 'not-sent', reason: 'ECONNREFUSED' };
    const answer = (): Promise<HttpResult> => Promise.resolve(unanswered);
    texts.push(await look('way.redirect', 'http://localhost:1/hook', { answer }));
    expectTexts('redirects', texts.join('\n'));
  });
});
