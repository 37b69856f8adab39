import { randomUUID } from 'node:crypto';
import { startOktaEmulator, type HookCall, type OktaEmulator } from '../../lib/testing/index.js';
import type { Readiness } from '../../lib/index.js';
import { HOOK_PATH } from './amendments.js';
import { examineDoctor } from './doctor-requests.js';
import type { Finding } from './findings.js';
import { HOOK_SECRET, startGateway } from './gateway.js';
import { mocked, mockOrg, OPT_IN, TOKEN_PATH, type MockedOrg } from './mocked-vendors.js';
import type { VendorDocument } from './prism.js';
import { forwardTo, startProxy, type Examined, type Exchange, type Proxy } from './proxy.js';
import { SCENARIOS, type Scenario } from './scenarios.js';
import { examinePreviews } from './preview-requests.js';
import { examineSetups } from './setup-requests.js';
import { ACCOUNT, AMERICAN, API_TOKEN, BRITON, CODE, SERVICE_APP } from './subjects.js';

/** The vendors, played by their documents, and an Okta that calls the hook. */
interface Stage {
  readonly documents: readonly VendorDocument[];
  readonly org: MockedOrg;
  readonly okta: Proxy;
  readonly twilio: Proxy;
  readonly caller: OktaEmulator;
}

/**
 * Lets the middleware make every kind of request, answers with the documents' examples, and checks each exchange. Also
 * checks Okta's calls of the hook and the hook's answers.
 */
export async function examineOurRequests(documents: readonly VendorDocument[]): Promise<Examined> {
  const ofOkta = documents.filter(({ name }) => name.startsWith('okta'));
  const ofTwilio = documents.filter(({ name }) => name.startsWith('twilio'));
  const org = await mockOrg(ofOkta);
  const stage: Stage = {
    documents: ofOkta,
    org,
    okta: await startProxy(ofOkta, org.upstream, ({ path }) => path === TOKEN_PATH),
    twilio: await startProxy(ofTwilio, mocked(ofTwilio)),
    caller: await startOktaEmulator(),
  };
  try {
    const findings: Finding[] = [];
    const exchanges: Exchange[] = [];
    for (const scenario of SCENARIOS) {
      const examined = await playScenario(scenario, stage);
      findings.push(...examined.findings);
      exchanges.push(...examined.exchanges);
    }
    for (const examined of [
      await examineSetups(ofOkta),
      await examinePreviews(ofOkta),
      await examineDoctor(ofOkta, ofTwilio),
    ]) {
      findings.push(...examined.findings);
      exchanges.push(...examined.exchanges);
    }
    return { findings, exchanges };
  } finally {
    await Promise.all([stage.okta.close(), stage.twilio.close(), stage.caller.close()]);
  }
}

async function playScenario(scenario: Scenario, stage: Stage): Promise<Examined> {
  const { okta, twilio, org, caller } = stage;
  org.wantsProof = scenario.okta === 'DPoP';
  const gateway = await startGateway({
    optInAttribute: OPT_IN,
    sandboxNumber: AMERICAN,
    senders: { sms: AMERICAN, voice: AMERICAN },
    ...scenario.options,
    credentials: {
      hook: { scheme: 'header', secrets: [HOOK_SECRET] },
      okta: { orgUrl: okta.origin, ...(scenario.okta === undefined ? API_TOKEN : SERVICE_APP) },
      twilio: { ...ACCOUNT, baseUrl: twilio.origin },
    },
  });
  const front = await startProxy(stage.documents, forwardTo(gateway.origin));
  const complaints =
    scenario.call === 'ready'
      ? complaintsOfReady(await gateway.hook.ready())
      : complaintsOfCall(
          await caller.callHook({
            url: front.origin + HOOK_PATH,
            headers: { authorization: HOOK_SECRET },
            ...org.user,
            phoneNumber: BRITON,
            otpCode: CODE,
            ...scenario.call,
          }),
        );
  if (scenario.isUsed === true) complaints.push(...(await tellUsed(gateway.origin, org.user.userId)));
  // Until then, the hook has finished its work after the answers.
  await gateway.close();
  const seen = await Promise.all([okta, twilio, front].map((proxy) => proxy.examine()));
  await front.close();

  const exchanges = seen.flatMap((examined) => examined.exchanges);
  const all = [...complaints, ...whatIsMissing(scenario, exchanges)];
  return {
    exchanges,
    findings: [
      ...seen.flatMap((examined) => examined.findings),
      ...all.map((what) => ({ document: 'our requests', operation: scenario.does, what })),
    ],
  };
}

function complaintsOfCall({ okta }: HookCall): string[] {
  return okta.action === 'sent' ? [] : [`The hook did not send it; Okta would go on with: ${okta.action}`];
}

/** Posts the event of a used code, as Okta's event hook does. No document of Okta describes the body. */
async function tellUsed(origin: string, userId: string): Promise<string[]> {
  const event = {
    uuid: randomUUID(),
    eventType: 'user.authentication.auth_via_mfa',
    published: new Date().toISOString(),
    actor: { id: userId, type: 'User' },
    outcome: { result: 'SUCCESS' },
    debugContext: { debugData: { factor: 'SMS_FACTOR' } },
  };
  const { status } = await fetch(`${origin}${HOOK_PATH}/events`, {
    method: 'POST',
    headers: { authorization: HOOK_SECRET, 'content-type': 'application/json' },
    body: JSON.stringify({ eventType: 'com.okta.event_hook', data: { events: [event] } }),
  });
  return status === 204 ? [] : [`The event hook was answered ${status}`];
}

function complaintsOfReady(readiness: Readiness): string[] {
  const { channels, ...parts } = readiness;
  return Object.entries({ ...parts, ...channels })
    .filter(([, state]) => state !== 'ok')
    .map(([name]) => `ready() does not find ${name} to be ok`);
}

/** Finds scenarios that sent nothing, because they would have no other findings. */
function whatIsMissing({ makes, isWhatsApp = false }: Scenario, exchanges: readonly Exchange[]): string[] {
  return Object.entries(makes).flatMap(([operationId, fields]) => {
    const exchange = exchanges.find(({ operation }) => operation.iid === operationId);
    if (exchange === undefined) return [`The request ${operationId} was not made`];
    const sent = new URLSearchParams(exchange.request.body);
    const missing = fields
      .filter((name) => !sent.has(name))
      .map((name) => `${operationId} was sent without ${name}`);
    const isToWhatsApp = sent.get('To')?.startsWith('whatsapp:') ?? isWhatsApp;
    return isToWhatsApp === isWhatsApp ? missing : [...missing, `${operationId} went by another channel`];
  });
}
