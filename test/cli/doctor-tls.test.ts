import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { expect } from 'chai';
import { ROOT } from '#harness/consumer.js';
import { signOwnCertificate, type SelfSigned } from '#harness/certificate.js';
import { witness } from '#harness/witness.js';
import { lineOf, openWard, type Line, type Ward } from './doctor-scene.js';

const DAY_MS = 86_400_000;

/** A proxy before the gateway, with a certificate of its own. */
async function startFront(
  url: string,
  { key, cert }: SelfSigned,
): Promise<{ port: number; close: () => void }> {
  const server = createServer({ key, cert }, (incoming, outgoing) => {
    const { method, headers } = incoming;
    const inner = request(new URL(incoming.url ?? '/', url), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(inner);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

describe('doctor looks at the certificate of PUBLIC_URL', () => {
  let ward: Ward;
  let folder: string;
  let close: (() => void) | undefined;
  before(async () => {
    ward = await openWard();
    folder = mkdtempSync(join(tmpdir(), 'okta-telephony-hook-'));
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await ward.close();
  });
  afterEach(() => {
    close?.();
    close = undefined;
  });

  /** In a process of its own, which trusts the certificate from its start, or does not. */
  const look = async (
    { name = '127.0.0.1', days = 60, age = 30 },
    isTrusted = true,
  ): Promise<readonly Line[]> => {
    const certificate = signOwnCertificate({
      name,
      from: new Date(Date.now() - age * DAY_MS),
      // An hour more, so that the day is not over meanwhile.
      to: new Date(Date.now() + days * DAY_MS + DAY_MS / 24),
    });
    const file = join(folder, 'authority.pem');
    writeFileSync(file, certificate.cert);
    const front = await startFront(ward.scene.url, certificate);
    close = front.close;
    const child = spawn(process.execPath, ['--import', 'tsx', 'lib/cli/main.ts', 'doctor', '--json'], {
      cwd: ROOT,
      env: {
        PATH: process.env['PATH'],
        ...ward.env,
        OKTA_ORG_URL: ward.scene.okta.orgUrl,
        PUBLIC_URL: `https://127.0.0.1:${front.port}/okta/telephony`,
        ...(isTrusted ? { NODE_EXTRA_CA_CERTS: file } : {}),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
    child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
    await once(child, 'close');
    witness(stdout);
    witness(stderr);
    return JSON.parse(stdout) as Line[];
  };

  it('finds one that is trusted, in time and of its name to be well, and calls the gateway by it', async () => {
    const lines = await look({});
    expect(lineOf(lines, 'way.tls').message).to.include('60 more days');
    expect(lineOf(lines, 'way.tls').status).to.equal('ok');
    expect(lineOf(lines, 'hook.answers').status).to.equal('ok');
  });

  it('finds one that ends soon', async () => {
    const line = lineOf(await look({ days: 5, age: 85 }), 'way.tls');
    expect(line).to.include({ status: 'warn' });
    expect(line.message).to.include('5 more days');
    expect(line.remedy).to.include('Renew');
  });

  it('finds nothing wrong with one that is short-lived by itself', async () => {
    expect(lineOf(await look({ days: 4, age: 2 }), 'way.tls').status).to.equal('ok');
  });

  it('finds one that has ended', async () => {
    const line = lineOf(await look({ days: -1 }), 'way.tls');
    expect(line).to.include({ status: 'fail' });
    expect(line.message).to.include('expired');
    expect(line.remedy).to.include('Renew');
  });

  it('finds one of another name', async () => {
    const line = lineOf(await look({ name: 'other.example.com' }), 'way.tls');
    expect(line).to.include({ status: 'fail' });
    expect(line.message).to.include('another name');
  });

  it('finds one that nobody trusts', async () => {
    const lines = await look({}, false);
    expect(lineOf(lines, 'way.tls')).to.include({ status: 'fail' });
    expect(lineOf(lines, 'way.tls').message).to.include('not trusted');
    expect(lineOf(lines, 'hook.answers')).to.include({ status: 'fail' });
  });
});
