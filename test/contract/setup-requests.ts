import { startOktaEmulator, type OktaEmulator } from '../../lib/testing/index.js';
import { startTestServer } from '../testing/local.js';
import { eventHook, telephonyHook } from '../testing/okta/client.js';
import { runCommand, send } from './command-runs.js';
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

const STATES: readonly OrgState[] = [
  { name: 'a new org', prepare: () => Promise.resolve() },
  {
    name: 'an org that is half set up',
    async prepare(okta, publicUrl) {
      okta.setAttribute('whatsAppOptIn', { title: 'Ours', type: 'boolean', default: true });
      const inline = await send(okta, '/api/v1/inlineHooks', telephonyHook(publicUrl, HOOK_SECRET));
      await send(okta, `/api/v1/inlineHooks/${inline}/lifecycle/deactivate`);
      const items = ['user.mfa.factor.activate'];
      // The document does not describe inactive providers.
      await send(okta, '/api/v1/eventHooks', eventHook(`${publicUrl}/events`, HOOK_SECRET, items));
    },
    options: () => ['--name', 'Renamed'],
  },
  {
    name: "an org with another's hook",
    async prepare(okta) {
      okta.setTelephonyProviders([{ providerName: 'TWILIO' }]);
      await send(okta, '/api/v1/inlineHooks', telephonyHook('https://otp.vendor.example/hook'));
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
          const { result } = (await runCommand(['setup', command, '--yes', ...given], {
            ...env,
            OKTA_ORG_URL: proxy.origin,
            OKTA_API_TOKEN: okta.apiToken,
            PUBLIC_URL: gateway.url,
            HOOK_SECRET,
          })) as { readonly result: string };
          if (result === wanted) continue;
          const operation = `setup ${command} in ${state.name}`;
          findings.push({ document: 'our requests', operation, what: `It came to ${result}, not ${wanted}` });
        }
      }
      const examined = await proxy.examine();
      findings.push(...examined.findings);
      exchanges.push(...examined.exchanges);
    } finally {
      gateway.close();
      await Promise.all([proxy.close(), okta.close()]);
    }
  }
  return { findings, exchanges };
}

/** A gateway that accepts every secret, and returns challenges. */
const startGatewayStandIn = (): ReturnType<typeof startTestServer> =>
  startTestServer((response, { headers }) => {
    const verification = headers['x-okta-verification-challenge'];
    response.writeHead(verification === undefined ? 400 : 200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(verification === undefined ? { error: { errorSummary: 'No call' } } : { verification }),
    );
  });
