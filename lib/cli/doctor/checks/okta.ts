import type { HttpResult } from '../../../core/http.js';
import type { Time } from '../../admin/administration.js';
import { ORG_METADATA, pipelineOf, probeUsers, readPhoneAuthenticator } from '../../admin/org-facts.js';
import type { HookVariables, OktaVariables, Section } from '../variables.js';
import { checksOf, fail, ok, once, warn, unreachedFinding } from '../finding.js';
import type { CheckGroup, CheckTable, CheckTimes, Finding } from '../finding.js';
import { callServer } from '../../gateway-probe.js';
import { USERS, type Access } from '../../org.js';
import { openOrgReader, privilegesFinding, SCHEMAS, withAccess, type OrgReader } from './okta-access.js';
import type { ReadHeaderName } from './hook-secret.js';
import { createHookChecks, EVENT_HOOKS, INLINE_HOOKS } from './okta-hooks.js';
import {
  attributeFinding,
  optedInFinding,
  recipientFinding,
  type RecipientCheck,
} from './okta-attributes.js';

const AUTHENTICATORS = { scopes: ['okta.authenticators.read'], role: 'the role Read-Only Administrator' };

type OktaParts = ReturnType<typeof openOkta>;

/** A check that reads what not every credential may read. */
const reading = (
  what: string,
  access: Access,
  run: (parts: OktaParts) => Promise<Finding>,
  isUsed?: (parts: OktaParts) => boolean,
): CheckTable<OktaParts>[string] => ({
  needs: 'credential',
  isUsed,
  run: (parts) => withAccess(what, access, () => run(parts)),
});

const recipient = (check: RecipientCheck): CheckTable<OktaParts>[string] =>
  reading(
    'The attribute',
    SCHEMAS,
    ({ org, variables: { recipients } }) => recipientFinding(org, check, recipients[check] ?? ''),
    ({ variables: { recipients } }) => recipients[check] !== undefined,
  );

const CHECKS: CheckTable<OktaParts> = {
  org: { run: async ({ org, answer }) => orgFinding(org, (await answer()).result) },
  engine: { run: async ({ answer }) => engineFinding((await answer()).result) },
  credential: { run: credentialFinding },
  privileges: { needs: 'credential', run: ({ org }) => privilegesFinding(org) },
  'rate-limit': { needs: 'credential', run: async ({ probe }) => rateLimitFinding(await probe()) },
  attribute: reading('The attribute', SCHEMAS, async ({ org, variables: { optIn } }) =>
    optIn === undefined ? WITHOUT_OPT_IN : attributeFinding(org, optIn),
  ),
  'opted-in': reading(
    'Who has opted in',
    USERS,
    async ({ org, variables: { optIn } }) =>
      optIn === undefined ? WITHOUT_OPT_IN : optedInFinding(org, optIn),
    ({ variables }) => variables.optIn !== undefined,
  ),
  'unverified-phone': recipient('unverified-phone'),
  'line-user-id': recipient('line-user-id'),
  'phone-authenticator': reading('The phone authenticator', AUTHENTICATORS, ({ org }) =>
    authenticatorFinding(org),
  ),
  hook: reading('The telephony hook', INLINE_HOOKS, ({ hooks }) => hooks.telephonyHook()),
  'native-telephony': { needs: 'credential', run: ({ hooks }) => hooks.nativeTelephony() },
  'event-hook': reading('The event hook', EVENT_HOOKS, ({ hooks }) => hooks.eventHook()),
};

/** The checks of the org, and what the checks of other sides read from it. */
export type OktaExamination = ReturnType<typeof examineOkta>;

/** The checks of the Okta org: its engine, the credential, the opt-in attribute, the phone authenticator and the hooks. */
export function examineOkta(
  { finding, value: variables }: Section<OktaVariables>,
  hook: HookVariables | undefined,
  times: CheckTimes,
) {
  const parts = variables && openOkta(variables, hook, times);
  const group: CheckGroup = {
    title: 'Okta',
    checks: checksOf('okta', finding, parts, CHECKS),
    close: parts?.close,
  };
  const headerName: ReadHeaderName = parts?.hooks.headerName ?? (() => Promise.resolve(undefined));
  /** `answer` is the org's public metadata; `undefined` if the org is not configured. */
  return { group, answer: parts?.answer, headerName };
}

function openOkta(variables: OktaVariables, hook: HookVariables | undefined, times: CheckTimes) {
  const org = openOrgReader(variables.credential, times);
  return {
    org,
    variables,
    hooks: createHookChecks(org, hook),
    answer: once(() => fetchMetadata(org, times.time)),
    /** Resolves to the headers of the answer. */
    probe: once(() => probeUsers(org.reading(USERS.scopes))),
    close: () => org.dispatcher.destroy(),
  };
}

const WITHOUT_OPT_IN = ok(
  'Skipped, with okta.opted-in: no WhatsApp sender is set, so users need no attribute to opt in.',
);

const LET_READ_USERS = `Give the API token's owner, or the service app, ${USERS.role}, and a service app the scope okta.users.read. Until then every code goes by the channel that Okta requests, and never by WhatsApp.`;

/** Reads the org's metadata, with the times of this machine before and after that, in milliseconds since 1970. */
async function fetchMetadata(org: OrgReader, time: Time) {
  const requestedAt = time.now();
  const url = org.orgUrl + ORG_METADATA;
  const result = await callServer(org.dispatcher, { url, method: 'GET' }, org.callMs);
  return { result, requestedAt, answeredAt: time.now() };
}

async function credentialFinding({ probe }: OktaParts): Promise<Finding> {
  const found = await withAccess('A user', USERS, async () => {
    await probe();
    return ok('The org accepts the credential, and it may read users.');
  });
  return found.status === 'warn' ? fail(found.message, LET_READ_USERS) : found;
}

function orgFinding(org: OrgReader, result: HttpResult): Finding {
  if (result.kind !== 'answered') return unreachedFinding(`${org.host} could not be reached`, result.reason);
  if (pipelineOf(result) !== undefined) return ok(`${org.host} answers as an Okta org.`);
  return fail(
    `${org.host} answered ${result.status}, and not as an Okta org.`,
    "Set OKTA_ORG_URL to the org's own address or its custom domain, as the browser shows it at sign-in, and check proxies in between.",
  );
}

function engineFinding(result: HttpResult): Finding {
  const pipeline = result.kind === 'answered' ? pipelineOf(result) : undefined;
  if (pipeline === 'idx') return ok('The org has Identity Engine.');
  return fail(
    'The org has the Classic Engine, which calls no telephony hook.',
    'Have the org upgraded to Okta Identity Engine: Okta, Dashboard > OIE Upgrade, or by Okta Support.',
  );
}

/** With a smaller share of the limit left, the gateway reads no more profiles, so that other clients of the org can. */
const LOW_SHARE = 0.1;

function rateLimitFinding(headers: Readonly<Record<string, string>>): Finding {
  const limit = Number(headers['x-rate-limit-limit']);
  const remaining = Number(headers['x-rate-limit-remaining']);
  if (!(limit > 0) || Number.isNaN(remaining)) return ok('Okta reports no rate limit.');
  const share = `${Math.round((remaining / limit) * 100)} % of ${limit} reads of users are left in this minute`;
  if (remaining >= limit * LOW_SHARE) return ok(`${share}.`);
  return warn(
    `${share}: below ${LOW_SHARE * 100} % the gateway reads no profiles, and sends no WhatsApp messages.`,
    'Find out what uses the limit (Okta: Reports > Rate Limits), and raise the share of the token or the app (Security > API).',
  );
}

async function authenticatorFinding(org: OrgReader): Promise<Finding> {
  const { status, allowedFor } = await readPhoneAuthenticator(org.reading(AUTHENTICATORS.scopes));
  if (status === 'ACTIVE') {
    if (allowedFor !== 'none')
      return ok(
        `The phone authenticator is active${allowedFor === 'recovery' ? ', for recovery only' : ''}.`,
      );
    return warn(
      'The phone authenticator is active but not allowed for any use: Okta requests no codes by phone.',
      'Okta: Security > Authenticators > Phone > Edit: allow it for authentication, recovery or both.',
    );
  }
  return fail(
    `The phone authenticator is ${status === undefined ? 'not set up' : 'not active'}: Okta sends no codes.`,
    'Okta: Security > Authenticators > Add or activate Phone, and allow it for authentication, recovery or both.',
  );
}
