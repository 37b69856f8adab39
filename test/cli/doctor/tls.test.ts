import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { spawn } from 'node:child_process';
import { expect } from 'chai';
import { PROGRAM } from '#harness/own-process.js';
import { ROOT } from '#harness/consumer.js';
import { signOwnCertificate, type SelfSigned } from '#harness/certificate.js';
import { mustNotShow, witness } from '#harness/witness.js';
import { lineOf, openWard, type Line, type Ward } from './scene.js';

const DAY_MS = 86_400_000;

/** A server in front of the gateway. */
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

/** A TLS proxy in front of the gateway, with its own certificate. */
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

/** Valid for 60 days and an hour, so that the number of days does not change during the test. */
const signed = (): SelfSigned =>
  signOwnCertificate({
    name: '127.0.0.1',
    from: new Date(Date.now() - 30 * DAY_MS),
    to: new Date(Date.now() + 60 * DAY_MS + DAY_MS / 24),
  });

describe('doctor checks the certificate of PUBLIC_URL', () => {
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

  it('and accepts one of a trusted authority, and reaches the gateway behind it', async () => {
    mustNotShow(...Object.values(ward.env).filter((value) => value.includes('PRIVATE KEY')));
    const certificate = signed();
    // Node reads NODE_EXTRA_CA_CERTS only at its start, so the program runs as its own process.
    const file = join(folder, 'authorities.pem');
    writeFileSync(file, certificate.cert);
    const program = [PROGRAM, 'doctor', '--json'];
    const child = spawn(process.execPath, program, {
      cwd: ROOT,
      env: {
        PATH: process.env['PATH'],
        ...ward.env,
        OKTA_ORG_URL: ward.scene.okta.orgUrl,
        PUBLIC_URL: await open(startFront(ward.scene.url, certificate)),
        NODE_EXTRA_CA_CERTS: file,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    witness(stdout + stderr);
    const lines = JSON.parse(stdout) as Line[];
    expect(findingOf(lines)).to.deep.equal({
      status: 'ok',
      message: 'The certificate of HOST is valid for 60 more days.',
      remedy: null,
    });
    expect(lineOf(lines, 'hook.answers')).to.include({ status: 'ok' });
  });

  it('and fails if the certificate is self-signed', async () => {
    const lines = await ward.lines({ PUBLIC_URL: await open(startFront(ward.scene.url, signed())) });
    expect(findingOf(lines)).to.deep.equal({
      status: 'fail',
      message: 'Okta would not call HOST: its certificate is not trusted here (DEPTH_ZERO_SELF_SIGNED_CERT).',
      remedy:
        'Use a certificate of a public authority. If your own proxy is in between, start Node with NODE_EXTRA_CA_CERTS.',
    });
    expect(lineOf(lines, 'hook.answers')).to.include({ status: 'fail' });
  });
});
