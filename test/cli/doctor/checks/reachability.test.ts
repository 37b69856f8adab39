import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { createServer as createSilentServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { expect } from 'chai';
import type { HttpResult } from '#lib/core/http.js';
import { examineReachability } from '#lib/cli/doctor/checks/reachability.js';
import { signOwnCertificate } from '#harness/certificate.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';

const DAY_MS = 86_400_000;
const NOW_MS = Date.parse('2026-11-25T12:00:00Z');
const ANSWERED: HttpResult = { kind: 'answered', status: 401, headers: {}, body: '', json: undefined };

type Parts = Partial<Parameters<typeof examineReachability>[1]>;
type Finding = readonly [status: string, message: string, remedy?: string];

/** The finding of one check for a URL. */
async function look(name: string, url: string, parts: Parts = {}): Promise<Finding> {
  const value = { url, proof: undefined, secret: undefined, headerName: undefined };
  const group = examineReachability(
    { finding: { status: 'ok', message: '', remedy: undefined }, value },
    {
      orgUrl: undefined,
      callMs: 5_000,
      time: { now: () => NOW_MS, sleep: () => Promise.resolve() },
      answer: () => Promise.resolve(ANSWERED),
      resolve: () => Promise.reject(new Error('no test looks a name up')),
      ...parts,
    },
  );
  expect(group.title).to.equal('Reachability');
  const check = group.checks.find((one) => one.name === name);
  const { status, message, remedy } = (await check?.run()) ?? {};
  const text = String(message).replace(/127\.0\.0\.1:\d+/, 'HOST');
  return remedy === undefined ? [String(status), text] : [String(status), text, remedy];
}

describe('examineReachability', () => {
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

  it('has no checks without a URL', () => {
    const section = { finding: { status: 'ok', message: '', remedy: undefined }, value: undefined } as const;
    const time = { now: () => NOW_MS, sleep: () => Promise.resolve() };
    const answer = (): Promise<HttpResult> => Promise.resolve(ANSWERED);
    expect(examineReachability(section, { orgUrl: undefined, callMs: 1, time, answer })).to.deep.equal({
      title: 'Reachability',
      checks: [],
    });
  });

  const HERE: Finding = [
    'fail',
    'PUBLIC_URL is an address of this machine, which Okta and Twilio cannot reach.',
    'Set it to the https URL by which the gateway is reachable from the internet, and give Okta the same URL.',
  ];
  for (const [url, orgUrl, expected] of [
    ['https://id.example.com:8443/hook', undefined, ['ok', 'PUBLIC_URL is https, at id.example.com:8443.']],
    [
      'http://localhost:1/hook',
      'http://127.0.0.1:2',
      ['ok', 'PUBLIC_URL is on this machine, as the org is.'],
    ],
    ['http://localhost:1/hook', 'https://acme.okta.com', HERE],
    ['http://[::1]:1/hook', undefined, HERE],
  ] as const) {
    it(`rates the URL ${url} for ${orgUrl ?? 'no org'} as "${expected[0]}"`, async () => {
      expect(await look('way.url', url, { orgUrl })).to.deep.equal(expected);
    });
  }

  const PRIVATE: Finding = [
    'warn',
    'id.example.com resolves to a private address from here.',
    'Okta and Twilio call from the internet: check that the public DNS has a public address for it.',
  ];
  const PUBLIC: Finding = ['ok', 'id.example.com resolves to a public address.'];
  for (const [addresses, expected] of [
    [['198.51.100.7'], PUBLIC],
    [['2001:db8::7'], PUBLIC],
    [
      ['198.51.100.7', '2001:db8::7'],
      ['ok', 'id.example.com resolves to public addresses.'],
    ],
    [['198.51.100.7', '10.0.0.1'], PRIVATE],
    ...[
      ...['10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.1', '169.254.1.1', '100.64.0.0'],
      ...['100.127.255.255', '127.1.2.3', 'fc00::1', 'fdff::1', 'fe80::1', 'febf::1', '::1'],
    ].map((address) => [[address], PRIVATE] as const),
    // The neighbours of the private ranges.
    ...[
      ...['9.255.255.255', '11.0.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0'],
      ...['169.253.255.255', '169.255.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0'],
      ...['fbff::1', 'fe00::1', 'fec0::1', '::2'],
    ].map((address) => [[address], PUBLIC] as const),
  ] as const) {
    it(`rates a name with the address ${addresses.join(' and ')} as "${expected[0]}"`, async () => {
      const found = await look('way.name', 'https://id.example.com/hook', {
        resolve: () => Promise.resolve(addresses),
      });
      expect(found).to.deep.equal(expected);
    });
  }

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
    expect(await look('way.name', url)).to.deep.equal([
      'fail',
      'id.example.com does not resolve.',
      'Look for a misspelling in PUBLIC_URL, and give the name a record in the public DNS.',
    ]);
    for (const check of ['way.tls', 'way.redirect']) {
      expect(await look(check, url)).to.deep.equal([
        'warn',
        'Not checked, because way.name failed.',
        'See way.name.',
      ]);
    }
  });

  it('resolves names with the DNS of this machine by default', async () => {
    const found = await look('way.name', 'https://198.51.100.7/hook', { resolve: undefined });
    expect(found).to.deep.equal(['ok', '198.51.100.7 resolves to a public address.']);
  });

  it('needs no public name and no TLS for a URL on this machine', async () => {
    const url = 'http://localhost:1/hook';
    expect(await look('way.name', url)).to.deep.equal(['ok', 'It is this machine.']);
    expect(await look('way.tls', url)).to.deep.equal(['ok', 'This machine itself needs no TLS.']);
  });

  const isValid = (days: number): Finding => [
    'ok',
    `The certificate of HOST is valid for ${days} more day${days === 1 ? '' : 's'}.`,
  ];
  const endsSoon = (days: number): Finding => [
    'warn',
    `The certificate of HOST is valid for ${days} more day${days === 1 ? '' : 's'}. After that Okta does not call the hook.`,
    'Renew it, and find out why it was not renewed automatically.',
  ];
  /** The past and the remaining days of a certificate. */
  for (const [what, past, left, expected] of [
    ['is valid for two more months', 30, 60, isValid(60)],
    ['has two weeks left, in its last quarter', 85, 14, isValid(14)],
    ['has less than two weeks left, in its last quarter', 85, 13.99, endsSoon(13)],
    ['has less than two weeks left, at the start of its last quarter', 30, 10, isValid(10)],
    ['has less than two weeks left, after the start of its last quarter', 30.1, 9.9, endsSoon(9)],
    ['is short-lived', 2, 4, isValid(4)],
    ['ends tomorrow', 85, 1, endsSoon(1)],
    ['ends today', 85, 0.5, endsSoon(0)],
    ['was made today, for a day', 0.1, 1.4, isValid(1)],
  ] as const) {
    it(`rates a certificate that ${what} as "${expected[0]}"`, async () => {
      // Node checks with the real time, at which each certificate is valid.
      const nowMs = Math.floor(Date.now() / 1000) * 1000;
      const { key, cert } = signOwnCertificate({
        name: '127.0.0.1',
        from: new Date(nowMs - past * DAY_MS),
        to: new Date(nowMs + left * DAY_MS),
      });
      const url = await listening(createServer({ key, cert }));
      const time = { now: () => nowMs, sleep: () => Promise.resolve() };
      expect(await look('way.tls', url, { authorities: [cert], time })).to.deep.equal(expected);
    });
  }

  const RENEW = 'Renew the certificate, and make the server load the new one.';
  for (const [what, name, days, isTrusted, expected] of [
    [
      'has expired',
      '127.0.0.1',
      -1,
      true,
      ['fail', 'Okta would not call HOST: its certificate has expired (CERT_HAS_EXPIRED).', RENEW],
    ],
    [
      'is for another name',
      'other.example.com',
      60,
      true,
      [
        'fail',
        'Okta would not call HOST: its certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID).',
        "Give the server a certificate for the URL's host name.",
      ],
    ],
    [
      'is not trusted',
      '127.0.0.1',
      60,
      false,
      [
        'fail',
        'Okta would not call HOST: its certificate is not trusted here (DEPTH_ZERO_SELF_SIGNED_CERT).',
        'Use a certificate of a public authority. If your own proxy is in between, start Node with NODE_EXTRA_CA_CERTS.',
      ],
    ],
  ] as const) {
    it(`fails for a certificate that ${what}`, async () => {
      const { key, cert } = signOwnCertificate({
        name,
        from: new Date(Date.now() - 30 * DAY_MS),
        to: new Date(Date.now() + days * DAY_MS),
      });
      const url = await listening(createServer({ key, cert }));
      const found = await look('way.tls', url, isTrusted ? { authorities: [cert] } : {});
      expect(found).to.deep.equal(expected);
    });
  }

  it('sends the host name of the URL as SNI', async () => {
    const to = new Date(Date.now() + 60 * DAY_MS);
    const { key, cert } = signOwnCertificate({ name: 'localhost', from: new Date(Date.now() - DAY_MS), to });
    const names: string[] = [];
    const url = await listening(
      createServer({
        key,
        cert,
        SNICallback: (name, done) => {
          names.push(name);
          done(null);
        },
      }),
    );
    const found = await look('way.tls', url.replace('127.0.0.1', 'localhost'), { authorities: [cert] });
    expect(found[0], found[1]).to.equal('ok');
    expect(names).to.deep.equal(['localhost']);
  });

  it('fails for a port without TLS, a closed port, and a port that does not answer', async () => {
    const plain = createSilentServer((socket) => {
      socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    expect(await look('way.tls', await listening(plain))).to.deep.equal([
      'fail',
      'HOST could not be reached: the TLS handshake failed (ERR_SSL_WRONG_VERSION_NUMBER).',
      'Check that the server supports TLS 1.2 or later at this port, and that nothing is in between.',
    ]);
    expect(await look('way.tls', REFUSING_ORIGIN.replace('http:', 'https:'))).to.deep.equal([
      'fail',
      'HOST could not be reached: nothing listens there (ECONNREFUSED).',
      'Check that it runs, and check the port and the firewalls in between.',
    ]);
    expect(await look('way.tls', await listening(createSilentServer()), { callMs: 10 })).to.deep.equal([
      'fail',
      'HOST could not be reached: it did not answer in time (TIMEOUT).',
      'Check that this machine may reach it (egress, a firewall, a proxy), and that it is not overloaded.',
    ]);
  });

  for (const status of [200, 299, 300, 301, 399, 400] as const) {
    it(`reads the status ${status} as ${status < 300 || status === 400 ? 'no redirect' : 'a redirect'}`, async () => {
      const answer = (): Promise<HttpResult> => Promise.resolve({ ...ANSWERED, status });
      expect(await look('way.redirect', 'http://localhost:1/hook', { answer })).to.deep.equal(
        status < 300 || status === 400
          ? ['ok', 'PUBLIC_URL does not redirect.']
          : [
              'fail',
              `PUBLIC_URL redirects (${status}), and Okta follows no redirect.`,
              'Set PUBLIC_URL and the URL in Okta to the target of the redirect, or remove the redirect (http to https, a slash at the end, www).',
            ],
      );
    });
  }

  it('skips the check of redirects if the gateway has not answered', async () => {
    const answer = (): Promise<HttpResult> => Promise.resolve({ kind: 'not-sent', reason: 'ECONNREFUSED' });
    expect(await look('way.redirect', 'http://localhost:1/hook', { answer })).to.deep.equal([
      'warn',
      'Not checked, because the gateway did not answer.',
      'See hook.answers.',
    ]);
  });
});
