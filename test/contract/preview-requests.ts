import { startOktaEmulator, type OktaEmulator } from '../../lib/testing/index.js';
import { startTestServer } from '../testing/local.js';
import { telephonyHook } from '../testing/okta/client.js';
import { runCommand, send } from './command-runs.js';
import { asObject } from './document-parts.js';
import type { Finding } from './findings.js';
import { HOOK_SECRET } from './gateway.js';
import { mockOrg } from './mocked-vendors.js';
import { readBody, type VendorDocument } from './prism.js';
import { forwardTo, startProxy, type Examined } from './proxy.js';
import { AMERICAN, API_TOKEN, BRITON } from './subjects.js';

/** One run of `preview`, and its expected result. */
interface PreviewRun {
  readonly does: string;
  readonly words: readonly string[];
  readonly wanted: string;
  /** The changes of the org for this run. */
  readonly prepare?: (okta: OktaEmulator) => void;
}

const TELEPHONY = 'com.okta.telephony.provider';
const TAKEN = {
  commands: [
    {
      type: 'com.okta.telephony.action',
      value: [{ status: 'SUCCESSFUL', provider: 'CONTRACT', transactionId: 'contract' }],
    },
  ],
};
const LOGIN = 'ana.silveira@example.com';
const USER = ['--user', LOGIN];

const RUNS: readonly PreviewRun[] = [
  { does: 'a preview of a text', words: USER, wanted: 'sent' },
  { does: 'a preview of a call', words: [...USER, '--channel', 'voice'], wanted: 'sent' },
  ...['pre-enrollment', 'account-unlock', 'password-reset'].map((kind) => ({
    does: `a preview of ${kind}`,
    words: [...USER, '--request-type', kind],
    wanted: 'sent',
  })),
  { does: 'a preview past Okta', words: [...USER, '--via', 'gateway'], wanted: 'sent' },
  { does: 'a preview about an unknown user', words: ['--user', 'nobody@example.com'], wanted: 'failed' },
  {
    does: 'a preview by a token that may not',
    words: USER,
    wanted: 'failed',
    prepare: (okta) => {
      okta.fault({ fault: { kind: 'status', status: 403, body: DENIED }, times: 1 });
    },
  },
];

const DENIED = {
  errorCode: 'E0000006',
  errorSummary: 'You do not have permission to perform the requested action',
  errorLink: 'E0000006',
  errorId: 'contract',
  errorCauses: [],
};

/**
 * Runs `preview` of the command line: with the emulator as Okta, and with the document's examples. Checks every request,
 * and every answer of the emulator, with the documents.
 */
export async function examinePreviews(documents: readonly VendorDocument[]): Promise<Examined> {
  const gateway = await startTestServer((response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(TAKEN));
  });
  try {
    const seen = [
      await previewTheEmulator(documents, gateway.url),
      await previewTheDocument(documents, gateway.url),
    ];
    return {
      findings: seen.flatMap(({ findings }) => findings),
      exchanges: seen.flatMap(({ exchanges }) => exchanges),
    };
  } finally {
    gateway.close();
  }
}

async function previewTheEmulator(
  documents: readonly VendorDocument[],
  publicUrl: string,
): Promise<Examined> {
  const okta = await startOktaEmulator();
  const proxy = await startProxy(documents, forwardTo(okta.orgUrl));
  try {
    okta.addUser({
      login: LOGIN,
      phoneFactors: [
        { factorType: 'sms', phoneNumber: BRITON },
        { factorType: 'call', phoneNumber: AMERICAN },
      ],
    });
    await send(okta, '/api/v1/inlineHooks', telephonyHook(publicUrl, HOOK_SECRET));
    const findings: Finding[] = [];
    for (const { does, words, wanted, prepare } of RUNS) {
      prepare?.(okta);
      const env = { OKTA_ORG_URL: proxy.origin, OKTA_API_TOKEN: okta.apiToken, PUBLIC_URL: publicUrl };
      findings.push(...(await complaintsOf(does, words, wanted, env)));
    }
    const examined = await proxy.examine();
    return { findings: [...findings, ...examined.findings], exchanges: examined.exchanges };
  } finally {
    await Promise.all([proxy.close(), okta.close()]);
  }
}

/** Some of the document's examples do not fit its schema: `inItsOwnShape` replaces them. */
async function previewTheDocument(
  documents: readonly VendorDocument[],
  publicUrl: string,
): Promise<Examined> {
  const org = await mockOrg(documents);
  const proxy = await startProxy(documents, async (request) => {
    const answer = await org.upstream(request);
    if (answer === undefined) return undefined;
    return { ...answer, body: JSON.stringify(inItsOwnShape(request.path, readBody(answer))) };
  });
  try {
    const words = ['--user', org.user.login, '--phone', BRITON];
    const env = {
      OKTA_ORG_URL: proxy.origin,
      OKTA_API_TOKEN: API_TOKEN.apiToken,
      PUBLIC_URL: publicUrl,
    };
    const findings = await complaintsOf("a preview in the document's org", words, 'sent', env);
    const examined = await proxy.examine();
    return { findings: [...findings, ...examined.findings], exchanges: examined.exchanges };
  } finally {
    await proxy.close();
  }
}

function inItsOwnShape(path: string, body: unknown): unknown {
  const list: readonly unknown[] = Array.isArray(body) ? body : [];
  // No hook of the example is a telephony hook, and some have an unknown channel type.
  if (path === '/api/v1/inlineHooks')
    return list.slice(0, 1).map((hook) => ({ ...asObject(hook), type: TELEPHONY }));
  // A phone of the example is not in E.164 form, as the schema requires, and some factors have links that it lacks.
  if (path.endsWith('/factors')) {
    return list
      .map((factor) => ({ ...asObject(factor), _links: {} }))
      .filter((factor) => asObject(factor)['factorType'] !== 'sms');
  }
  // The first example of an answer is for another kind of hook.
  return path.endsWith('/execute') ? TAKEN : body;
}

async function complaintsOf(
  does: string,
  words: readonly string[],
  wanted: string,
  env: Readonly<Record<string, string>>,
): Promise<Finding[]> {
  const made = await runCommand(['preview', '--yes', ...words], { ...env, HOOK_SECRET });
  const { result, error } = made as { result: unknown; error?: { code: string } };
  if (result === wanted) return [];
  const what = `It came to ${String(result)} (${error?.code ?? 'no error'}), not ${wanted}`;
  return [{ document: 'our requests', operation: does, what }];
}
