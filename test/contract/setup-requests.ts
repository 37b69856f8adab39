import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { runProgram } from '../../lib/cli/program.js';
import { startOktaEmulator, type OktaEmulator } from '../../lib/testing/index.js';
import type { Finding } from './findings.js';
import { HOOK_SECRET } from './gateway.js';
import type { VendorDocument } from './prism.js';
import { forwardTo, startProxy, type Examined, type Exchange } from './proxy.js';

/** The state of an org before the command line sets it up. */
interface OrgState {
  readonly name: string;
  prepare(okta: OktaEmulator, publicUrl: string): Promise<void>;
  /** The arguments of `setup hook` beside `--yes`. */
  readonly options?: ((okta: OktaEmulator) => readonly string[]) | undefined;
}

const HOOK = (uri: string): object => {
  const authScheme = { type: 'HEADER', key: 'Authorization', value: HOOK_SECRET };
  return { type: 'HTTP', version: '1.0.0', config: { uri, method: 'POST', authScheme } };
};

const STATES: readonly OrgState[] = [
  { name: 'a new org', prepare: () => Promise.resolve() },
  {
    name: 'an org that is half set up',
    async prepare(okta, publicUrl) {
      okta.setAttribute('whatsAppOptIn', { title: 'Ours', type: 'boolean', default: true });
      const type = 'com.okta.telephony.provider';
      const inline = await send(okta, '/api/v1/inlineHooks', {
        name: 'Ours',
        type,
        version: '1.0.0',
        channel: HOOK(publicUrl),
      });
      await send(okta, `/api/v1/inlineHooks/${inline}/lifecycle/deactivate`);
      const events = { type: 'EVENT_TYPE', items: ['user.mfa.factor.activate'] };
      const channel = HOOK(`${publicUrl}/events`);
      // The document does not describe inactive providers.
      await send(okta, '/api/v1/eventHooks', { name: 'Ours', events, channel });
    },
    options: () => ['--name', 'Renamed'],
  },
  {
    name: "an org with another's hook",
    async prepare(okta) {
      okta.setTelephonyProviders([{ providerName: 'TWILIO' }]);
      await send(okta, '/api/v1/inlineHooks', {
        name: 'Theirs',
        type: 'com.okta.telephony.provider',
        version: '1.0.0',
        channel: HOOK('https://otp.vendor.example/hook'),
      });
    },
    options: (okta) => ['--replace', okta.inlineHooks[0]?.id ?? ''],
  },
];

/**
 * Lets the command line set up an org in each state, twice. Checks every request, and every answer of the emulator, with
 * the documents. The second run must change nothing.
 */
export async function examineSetups(documents: readonly VendorDocument[]): Promise<Examined> {
  const findings: Finding[] = [];
  const exchanges: Exchange[] = [];
  for (const state of STATES) {
    const okta = await startOktaEmulator();
    const gateway = await startGatewayStandIn();
    const proxy = await startProxy(documents, forwardTo(okta.orgUrl));
    try {
      await state.prepare(okta, gateway.url);
      const options = state.options?.(okta) ?? [];
      const oauth = {
        HOOK_OAUTH_CLIENT_ID: '0oahookclient0001d7',
        HOOK_OAUTH_TOKEN_URL: `${okta.issuer}/v1/token`,
        HOOK_OAUTH_SCOPE: 'telephony',
      };
      const hookKeyId = await send(okta, '/api/v1/hook-keys', { name: 'contract' });
      const byKey = { ...oauth, HOOK_OAUTH_KEY_ID: hookKeyId };
      const bySecret = { ...oauth, HOOK_OAUTH_CLIENT_SECRET: HOOK_SECRET };
      const runs: readonly [string, readonly string[], Readonly<Record<string, string>>][] = [
        ['attribute', [], {}],
        ['hook', options, {}],
        ['event-hook', [], {}],
        ['hook', ['--rotate'], {}],
        ['event-hook', ['--rotate'], {}],
        ['hook', ['--skip-check'], bySecret],
        ['hook', [], byKey],
      ];
      for (const [command, words, env] of runs) {
        const again = words.filter((word) => word !== '--rotate');
        for (const [given, wanted] of [
          [words, 'changed'],
          [again, 'unchanged'],
        ] as const) {
          const result = await setUp(['setup', command, '--yes', '--json', ...given], {
            ...env,
            OKTA_ORG_URL: proxy.origin,
            OKTA_API_TOKEN: okta.apiToken,
            PUBLIC_URL: gateway.url,
            HOOK_SECRET,
          });
          if (result === wanted) continue;
          const operation = `setup ${command} in ${state.name}`;
          findings.push({ document: 'our requests', operation, what: `It came to ${result}, not ${wanted}` });
        }
      }
      const examined = await proxy.examine();
      findings.push(...examined.findings);
      exchanges.push(...examined.exchanges);
    } finally {
      await Promise.all([proxy.close(), gateway.close(), okta.close()]);
    }
  }
  return { findings, exchanges };
}

async function setUp(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  let text = '';
  stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  stderr.resume();
  const time = { now: Date.now, sleep: () => Promise.resolve() };
  await runProgram({ args, env, streams: { stdin, stdout, stderr }, time, signals: process });
  return String((JSON.parse(text) as { result: unknown }).result);
}

/** Calls the emulator directly, without the proxy, and returns the id in the answer. */
async function send(okta: OktaEmulator, path: string, body?: object): Promise<string> {
  const response = await fetch(okta.orgUrl + path, {
    method: 'POST',
    headers: { authorization: `SSWS ${okta.apiToken}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`The emulator answered ${response.status} to ${path}`);
  return String(((await response.json()) as { id: unknown }).id);
}

/** A gateway that accepts every secret, and returns challenges. */
async function startGatewayStandIn(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const verification = request.headers['x-okta-verification-challenge'];
    response.writeHead(verification === undefined ? 400 : 200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(verification === undefined ? { error: { errorSummary: 'No call' } } : { verification }),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/okta/telephony`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
