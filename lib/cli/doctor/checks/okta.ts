import { callHttp, type HttpResult } from '../../../http/call.js';
import type { Time } from '../../../okta/admin/administration.js';
import {
  ORG_METADATA,
  pipelineOf,
  probeUsers,
  readAttribute,
  readPhoneAuthenticator,
} from '../../../okta/admin/org-facts.js';
import type { HookVariables, OktaVariables, Section } from '../variables.js';
import { after, fail, known, ok, once, restingOn, warn, type CheckGroup, type Finding } from '../finding.js';
import { lookAtOrg, withAccess, type OrgLook } from './okta-access.js';
import { lookAtHooks, type HookLook } from './okta-hooks.js';
import { attributeFinding, optedInFinding, type OptInReads } from './okta-opt-in.js';
import { privilegesFinding } from './okta-privileges.js';
import { describeUnreached } from './unreached.js';

const USERS = { scopes: ['okta.users.read'], role: 'Read-Only Administrator' };
const SCHEMAS = { scopes: ['okta.schemas.read'], role: 'Organization Administrator' };
const AUTHENTICATORS = { scopes: ['okta.authenticators.read'], role: 'Read-Only Administrator' };
/** What others want to know of the org. */
export interface OktaExamination {
  readonly group: CheckGroup;
  /** The org's answer to anybody, with the time that it took. */
  readonly answer: (() => Promise<TimedAnswer>) | undefined;
  /** The header by which Okta calls one of its hooks, where that can be seen. */
  readonly headerName: HookLook['headerName'];
}

export interface TimedAnswer {
  readonly result: HttpResult;
  /** Milliseconds since 1970, by this machine. */
  readonly askedAt: number;
  readonly answeredAt: number;
}

export function examineOkta(
  section: Section<OktaVariables>,
  hook: HookVariables | undefined,
  { time, callMs }: { readonly time: Time; readonly callMs: number },
): OktaExamination {
  const variables = known('okta.variables', section.finding);
  const { value } = section;
  if (value === undefined) {
    const group = { title: 'Okta', checks: [variables] };
    return { group, answer: undefined, headerName: () => Promise.resolve(undefined) };
  }
  const org = lookAtOrg({ credential: value.credential, time, callMs });
  const hooks = lookAtHooks(org, hook);
  const answer = once(() => askAnybody(org, time));
  const reachable = { name: 'okta.org', look: once(async () => orgFinding(org, (await answer()).result)) };
  const probe = once(() => probeUsers(org.reading(USERS.scopes)));
  const credential = {
    name: 'okta.credential',
    look: once(
      after(reachable, () =>
        withAccess('A user', USERS, async () => {
          await probe();
          return ok('The org takes it, and it may read users.');
        }).then((found) => (found.status === 'warn' ? fail(found.message, LET_READ_USERS) : found)),
      ),
    ),
  };
  const later = restingOn(credential);
  const { optInAttribute, unverifiedPhoneAttribute } = value;
  const reads: OptInReads = {
    schema: org.lookOnly(SCHEMAS.scopes),
    attributes: org.reading(SCHEMAS.scopes),
    users: org.reading(USERS.scopes),
  };
  const group = {
    title: 'Okta',
    checks: [
      variables,
      reachable,
      { name: 'okta.engine', look: after(reachable, async () => engineFinding((await answer()).result)) },
      credential,
      later('okta.privileges', () => privilegesFinding(org, USERS)),
      later('okta.rate-limit', async () => rateLimitFinding(await probe())),
      later('okta.attribute', () =>
        withAccess('The attribute', SCHEMAS, () => attributeFinding(reads, optInAttribute)),
      ),
      later('okta.opted-in', () =>
        withAccess('Who has opted in', USERS, () => optedInFinding(reads, optInAttribute)),
      ),
      ...(unverifiedPhoneAttribute === undefined
        ? []
        : [
            later('okta.unverified-phone', () =>
              withAccess('The attribute', SCHEMAS, () => phoneFinding(org, unverifiedPhoneAttribute)),
            ),
          ]),
      later('okta.phone-authenticator', () =>
        withAccess('The phone authenticator', AUTHENTICATORS, () => authenticatorFinding(org)),
      ),
      later('okta.hook', () => hooks.telephonyHook()),
      later('okta.native-telephony', () => hooks.nativeTelephony()),
      later('okta.event-hook', () => hooks.eventHook()),
    ],
    close: () => org.dispatcher.destroy(),
  };
  return { group, answer, headerName: (kind) => hooks.headerName(kind) };
}

const LET_READ_USERS = `Give the API token's owner, or the service app, the role ${USERS.role}, and a service app the scope okta.users.read. Until then everybody gets what Okta asked for, and nobody WhatsApp.`;

async function askAnybody(org: OrgLook, time: Time): Promise<TimedAnswer> {
  const askedAt = time.now();
  const result = await callHttp({
    dispatcher: org.dispatcher,
    method: 'GET',
    origin: org.orgUrl,
    path: ORG_METADATA,
    headers: { accept: 'application/json', 'user-agent': 'okta-telephony-hook' },
    timeoutMs: org.callMs,
  });
  return { result, askedAt, answeredAt: time.now() };
}

function orgFinding(org: OrgLook, result: HttpResult): Finding {
  if (result.kind !== 'answered') {
    const { why, remedy } = describeUnreached(result.reason);
    return fail(`${org.host} could not be reached: ${why}.`, remedy);
  }
  if (pipelineOf(result) !== undefined) return ok(`${org.host} answers as an org of Okta's.`);
  return fail(
    `${org.host} answered ${result.status}, and not as an org of Okta's.`,
    "Set OKTA_ORG_URL to the org's own address or its custom domain, as the browser shows it at sign-in; look at a proxy in between.",
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

/** Below it the gateway asks no more, and leaves the rest to the org. */
const LOW_SHARE = 0.1;

function rateLimitFinding(headers: Readonly<Record<string, string>>): Finding {
  const limit = Number(headers['x-rate-limit-limit']);
  const remaining = Number(headers['x-rate-limit-remaining']);
  if (!(limit > 0) || Number.isNaN(remaining)) return ok('Okta says nothing of a limit here.');
  const share = `${Math.round((remaining / limit) * 100)} % of ${limit} reads of users are left in this minute`;
  if (remaining >= limit * LOW_SHARE) return ok(`${share}.`);
  return warn(
    `${share}: below ${LOW_SHARE * 100} % the gateway reads no profiles, and nobody gets WhatsApp.`,
    'See what uses them up (Okta: Reports > Rate Limits), and raise the share of the token or the app (Security > API).',
  );
}

async function phoneFinding(org: OrgLook, name: string): Promise<Finding> {
  const { isThere, isUsersOwn } = await readAttribute(org.reading(SCHEMAS.scopes), name);
  const at = 'Okta: Directory > Profile Editor > User (default)';
  if (!isThere)
    return fail(`The user profile has no attribute ${name}.`, `Name another, or add it in ${at}.`);
  if (!isUsersOwn) return ok(`${name}, to which codes go unverified, is not the users' own to change.`);
  return fail(
    `Users may change ${name}, to which codes go unverified: whoever has a password can have the code sent to a phone of theirs.`,
    `Set its user permission to Read-Only in ${at}; or leave unverifiedPhoneAttribute out, so that codes go to the enrolled phone.`,
  );
}

async function authenticatorFinding(org: OrgLook): Promise<Finding> {
  const { status, allowedFor } = await readPhoneAuthenticator(org.reading(AUTHENTICATORS.scopes));
  if (status === 'ACTIVE') {
    if (allowedFor !== 'none')
      return ok(`It is active${allowedFor === 'recovery' ? ', for recovery alone' : ''}.`);
    return warn(
      'The phone authenticator is active, and allowed for nothing: Okta asks nobody for a code by it.',
      'Okta: Security > Authenticators > Phone > Edit: allow it for authentication, recovery or both.',
    );
  }
  return fail(
    `The phone authenticator is ${status === undefined ? 'not set up' : 'not active'}: Okta sends no codes.`,
    'Okta: Security > Authenticators > Add or activate Phone, and allow it for authentication, recovery or both.',
  );
}
