import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import { createServer as createSilentServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { expect } from 'chai';
import { ROOT } from '#harness/consumer.js';
import { signOwnCertificate, type SelfSigned } from '#harness/certificate.js';
import { mustNotShow, witness } from '#harness/witness.js';
import { lineOf, openWard, type Line, type Ward } from './doctor-scene.js';

const DAY_MS = 86_400_000;

/** A server before the gateway, by its port. */
interface Front {
  readonly port: number;
  readonly close: () => void;
}

async function listening(server: Server): Promise<Front> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
    },
  };
}

/** A proxy before the gateway, with a certificate of its own. */
async function startFront(url: string, { key, cert }: SelfSigned): Promise<Front> {
  const server = createServer({ key, cert }, (incoming, outgoing) => {
    const { method, headers } = incoming;
    const inner = request(new URL(incoming.url ?? '/', url), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(inner);
  });
  const { port, close } = await listening(server);
  return {
    port,
    close: () => {
      close();
      server.closeAllConnections();
    },
  };
}

/** It ends an hour later than it says, so that no day is over while the test runs. */
const valid = ({ name = '127.0.0.1', days = 60, age = 30 }): SelfSigned =>
  signOwnCertificate({
    name,
    from: new Date(Date.now() - age * DAY_MS),
    to: new Date(Date.now() + days * DAY_MS + DAY_MS / 24),
  });

/** Each certificate, and what the doctor says of it where the authority of all of them is trusted. */
const CERTIFICATES: readonly (readonly [
  what: string,
  certificate: Parameters<typeof valid>[0],
  finding: Omit<Line, 'check'>,
])[] = [
  [
    'is well, where it is trusted, in time and of the name',
    {},
    { status: 'ok', message: 'The certificate of HOST is valid for 60 more days.', remedy: null },
  ],
  [
    'ends soon',
    { days: 5, age: 85 },
    {
      status: 'warn',
      message: 'The certificate of HOST is valid for 5 more days: then no code has a hook any more.',
      remedy: 'Renew it, and see why that has not happened by itself.',
    },
  ],
  [
    'ends tomorrow',
    { days: 1, age: 85 },
    {
      status: 'warn',
      message: 'The certificate of HOST is valid for 1 more day: then no code has a hook any more.',
      remedy: 'Renew it, and see why that has not happened by itself.',
    },
  ],
  [
    'is well, where it is in its last quarter, and that is two weeks',
    { days: 14, age: 85 },
    { status: 'ok', message: 'The certificate of HOST is valid for 14 more days.', remedy: null },
  ],
  [
    'is well, where it is short-lived by itself',
    { days: 4, age: 2 },
    { status: 'ok', message: 'The certificate of HOST is valid for 4 more days.', remedy: null },
  ],
  [
    'has ended',
    { days: -1 },
    {
      status: 'fail',
      message: 'Okta would not call HOST: its certificate has expired (CERT_HAS_EXPIRED).',
      remedy: 'Renew the certificate, and let the server load the new one.',
    },
  ],
  [
    'is of another name',
    { name: 'other.example.com' },
    {
      status: 'fail',
      message:
        'Okta would not call HOST: its certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID).',
      remedy: 'Give the server a certificate that has the name of the URL.',
    },
  ],
];

describe('doctor looks at the certificate of PUBLIC_URL', () => {
  let ward: Ward;
  let folder: string;
  const fronts: Front[] = [];
  before(async () => {
    ward = await openWard();
    folder = mkdtempSync(join(tmpdir(), 'okta-telephony-hook-'));
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await ward.close();
  });
  afterEach(() => {
    for (const { close } of fronts.splice(0)) close();
  });

  const open = async (front: Promise<Front>): Promise<string> => {
    const opened = await front;
    fronts.push(opened);
    return `https://127.0.0.1:${opened.port}/okta/telephony`;
  };
  const findingOf = (lines: readonly Line[]): Omit<Line, 'check'> => {
    const { status, message, remedy } = lineOf(lines, 'way.tls');
    return { status, message: message.replace(/127\.0\.0\.1:\d+/, 'HOST'), remedy };
  };

  it('and finds one that is well, ends soon, has ended or is of another name', async () => {
    const certificates = CERTIFICATES.map(([, parts]) => valid(parts));
    const urls: string[] = [];
    for (const certificate of certificates) urls.push(await open(startFront(ward.scene.url, certificate)));
    const seen = await looksOf(urls, certificates);
    expect(seen).to.have.length(CERTIFICATES.length);
    for (const [index, [what, , finding]] of CERTIFICATES.entries()) {
      expect(findingOf(seen[index] ?? []), what).to.deep.equal(finding);
    }
    // The gateway is called by the one that is well.
    expect(lineOf(seen[0] ?? [], 'hook.answers')).to.include({ status: 'ok' });
  });

  /** A process reads at its start whom it trusts: in one of its own the program looks at each URL, one after the other. */
  const looksOf = async (
    urls: readonly string[],
    trusted: readonly SelfSigned[],
  ): Promise<readonly (readonly Line[])[]> => {
    mustNotShow(...Object.values(ward.env).filter((value) => value.includes('PRIVATE KEY')));
    const file = join(folder, 'authorities.pem');
    writeFileSync(file, trusted.map(({ cert }) => cert).join(''));
    const source = `import { PassThrough } from 'node:stream';
      import { text } from 'node:stream/consumers';
      import { runProgram } from './lib/cli/program.ts';
      for (const url of process.argv.slice(1)) {
        const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough().resume()];
        const time = { now: Date.now, sleep: () => Promise.resolve() };
        const env = { ...process.env, PUBLIC_URL: url };
        await runProgram({ args: ['doctor', '--json'], env, streams: { stdin, stdout, stderr }, time, signals: process });
        console.log(JSON.stringify(JSON.parse(await text(stdout.end()))));
      }`;
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', source, '--', ...urls],
      {
        cwd: ROOT,
        env: {
          PATH: process.env['PATH'],
          ...ward.env,
          OKTA_ORG_URL: ward.scene.okta.orgUrl,
          NODE_EXTRA_CA_CERTS: file,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
    child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
    await once(child, 'close');
    witness(stdout);
    witness(stderr);
    expect(stderr).to.equal('');
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line[]);
  };

  it('and finds one that nobody trusts', async () => {
    const lines = await ward.lines({ PUBLIC_URL: await open(startFront(ward.scene.url, valid({}))) });
    expect(findingOf(lines)).to.deep.equal({
      status: 'fail',
      message: 'Okta would not call HOST: its certificate is not trusted here (DEPTH_ZERO_SELF_SIGNED_CERT).',
      remedy:
        'Use a certificate of a public authority. Where a proxy of your own stands in between, start Node with NODE_EXTRA_CA_CERTS.',
    });
    expect(lineOf(lines, 'hook.answers')).to.include({ status: 'fail' });
  });

  it('and finds a port where nobody speaks TLS', async () => {
    const lines = await ward.lines({ PUBLIC_URL: ward.scene.url.replace('http:', 'https:') });
    expect(findingOf(lines)).to.deep.equal({
      status: 'fail',
      message: 'HOST could not be reached: TLS did not come about (ERR_SSL_WRONG_VERSION_NUMBER).',
      remedy: 'See that TLS 1.2 or later is spoken there, at this port, and that nothing stands in between.',
    });
  });

  it('and finds a port that takes connections, and says nothing', async () => {
    const lines = await ward.lines(
      { PUBLIC_URL: await open(listening(createSilentServer())) },
      '--timeout 1',
    );
    expect(findingOf(lines)).to.deep.equal({
      status: 'fail',
      message: 'HOST could not be reached: it gave no answer in time (TIMEOUT).',
      remedy:
        'See that this machine may reach it (egress, a firewall, a proxy), and that it is not overloaded.',
    });
  });
});
