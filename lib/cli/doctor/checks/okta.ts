import type { HttpResult } from '../../../core/http.js';
import type { Time } from '../../../okta/admin/administration.js';
import {
  ORG_METADATA,
  pipelineOf,
  probeUsers,
  readPhoneAuthenticator,
} from '../../../okta/admin/org-facts.js';
import type { HookVariables, OktaVariables, Section } from '../variables.js';
import { after, fail, known, ok, once, checksAfter, checksWithoutValue, warn } from '../finding.js';
import type { Check, CheckGroup, CheckTimes, Finding } from '../finding.js';
import { callServer } from '../../gateway-probe.js';
import type { Access } from '../../org.js';
import { openOrgReader, SCHEMAS, USERS, withAccess, type OrgReader } from './okta-access.js';
import { createHookChecks, EVENT_HOOKS, INLINE_HOOKS, type HookChecks } from './okta-hooks.js';
import { attributeFinding, optedInFinding, phoneFinding } from './okta-attributes.js';
import { privilegesFinding } from './okta-privileges.js';
import { unreachedFinding } from './unreached.js';

const AUTHENTICATORS = { scopes: ['okta.authenticators.read'], role: 'the role Read-Only Administrator' };

/** The checks of the org, and what the checks of other sides read from it. */
export interface OktaExamination {
  readonly group: CheckGroup;
  /** The org's public metadata. `undefined` if the org is not configured. */
  readonly answer: (() => Promise<TimedAnswer>) | undefined;
  readonly headerName: HookChecks['headerName'];
}

export interface TimedAnswer {
  readonly result: HttpResult;
  /** When this machine sent the request, in milliseconds since 1970. */
  readonly askedAt: number;
  readonly answeredAt: number;
}

const OTHERS = [
  ...['org', 'engine', 'credential', 'privileges', 'rate-limit', 'attribute', 'phone-authenticator'],
  ...['hook', 'native-telephony', 'event-hook'],
];

/** The checks of the Okta org: its engine, the credential, the opt-in attribute, the phone authenticator and the hooks. */
export function examineOkta(
  section: Section<OktaVariables>,
  hook: HookVariables | undefined,
  times: CheckTimes,
): OktaExamination {
  const variables = known('okta.variables', section.finding);
  const { value } = section;
  if (value === undefined) {
    const group = { title: 'Okta', checks: checksWithoutValue('okta', section.finding, OTHERS) };
    return { group, answer: undefined, headerName: () => Promise.resolve(undefined) };
  }
  const org = openOrgReader(value.credential, times);
  const hooks = createHookChecks(org, hook);
  const answer = once(() => fetchMetadata(org, times.time));
  const reachable = { name: 'okta.org', run: once(async () => orgFinding(org, (await answer()).result)) };
  const probe = once(() => probeUsers(org.reading(USERS.scopes)));
  const credential = {
    name: 'okta.credential',
    run: once(
      after(reachable, () =>
        withAccess('A user', USERS, async () => {
          await probe();
          return ok('The org accepts the credential, and it may read users.');
        }).then((found) => (found.status === 'warn' ? fail(found.message, LET_READ_USERS) : found)),
      ),
    ),
  };
  const later = checksAfter(credential);
  /** A check that reads what not every credential may read. */
  const reading = (name: string, what: string, access: Access, run: () => Promise<Finding>): Check =>
    later(name, () => withAccess(what, access, run));
  const { optIn, unverifiedPhoneAttribute: phone } = value;
  const group = {
    title: 'Okta',
    checks: [
      variables,
      reachable,
      { name: 'okta.engine', run: after(reachable, async () => engineFinding((await answer()).result)) },
      credential,
      later('okta.privileges', () => privilegesFinding(org)),
      later('okta.rate-limit', async () => rateLimitFinding(await probe())),
      ...(optIn === undefined
        ? [known('okta.attribute', WITHOUT_OPT_IN)]
        : [
            reading('okta.attribute', 'The attribute', SCHEMAS, () => attributeFinding(org, optIn)),
            reading('okta.opted-in', 'Who has opted in', USERS, () => optedInFinding(org, optIn)),
          ]),
      ...(phone === undefined
        ? []
        : [reading('okta.unverified-phone', 'The attribute', SCHEMAS, () => phoneFinding(org, phone))]),
      reading('okta.phone-authenticator', 'The phone authenticator', AUTHENTICATORS, () =>
        authenticatorFinding(org),
      ),
      reading('okta.hook', 'The telephony hook', INLINE_HOOKS, () => hooks.telephonyHook()),
      later('okta.native-telephony', () => hooks.nativeTelephony()),
      reading('okta.event-hook', 'The event hook', EVENT_HOOKS, () => hooks.eventHook()),
    ],
    close: () => org.dispatcher.destroy(),
  };
  return { group, answer, headerName: hooks.headerName };
}

const WITHOUT_OPT_IN = ok(
  'Skipped, with okta.opted-in: no WhatsApp sender is set, so users need no attribute to opt in.',
);

const LET_READ_USERS = `Give the API token's owner, or the service app, ${USERS.role}, and a service app the scope okta.users.read. Until then every code goes by the channel that Okta requests, and never by WhatsApp.`;

async function fetchMetadata(org: OrgReader, time: Time): Promise<TimedAnswer> {
  const askedAt = time.now();
  const url = org.orgUrl + ORG_METADATA;
  const result = await callServer(org.dispatcher, { url, method: 'GET' }, org.callMs);
  return { result, askedAt, answeredAt: time.now() };
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
