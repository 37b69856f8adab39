import { createAgent } from '../../../http/call.js';
import { OktaApiError } from '../../../core/errors.js';
import type { Administration } from '../../admin/administration.js';
import { createAccessTokens } from '../../../okta/access-token.js';
import { createOktaApiClient } from '../../../okta/api-client.js';
import type { SetupChange } from '../../admin/setup-plan.js';
import { readOwnRoles, type ReadOkta } from '../../admin/org-facts.js';
import type { OktaCredential } from '../../../options/credential-types.js';
import { readOkta } from '../../../options/credentials.js';
import { connectMsOf, ok, warn, type CheckTimes, type Finding } from '../finding.js';
import { asCommandError, USERS, type Access } from '../../org.js';

export const SCHEMAS: Access = { scopes: ['okta.schemas.read'], role: 'the role Organization Administrator' };

/** Reads an org for doctor. No function of it can change the org. */
export type OrgReader = ReturnType<typeof openOrgReader>;

/** Opens an org for doctor. The caller destroys the `dispatcher`. */
export function openOrgReader(credential: OktaCredential, { time, callMs }: CheckTimes) {
  const credentials = readOkta(credential);
  const connectTimeoutMs = connectMsOf(callMs);
  const dispatcher = createAgent(connectTimeoutMs);
  const common = { credentials, dispatcher, clock: () => time.now(), connectTimeoutMs };
  /** Makes a function that reads with these scopes. */
  const reading = (scopes: readonly string[]): ReadOkta => {
    const client = createOktaApiClient({ ...common, scopes });
    return async (path) => {
      const answer = await client.request({ method: 'GET', path, timeoutMs: callMs, includeCauses: true });
      return { ...answer, body: Object(answer.body) as object };
    };
  };
  return {
    host: new URL(credentials.orgUrl).host,
    orgUrl: credentials.orgUrl,
    /** That of the service app; `undefined` for an API token. */
    clientId: 'clientId' in credentials ? credentials.clientId : undefined,
    dispatcher,
    callMs,
    reading,
    /** As `reading`, for the plans of setups. `post` and `put` reject, so that a plan is never carried out. */
    readOnly: (scopes: readonly string[]): Administration => {
      const read = reading(scopes);
      const refuse = (): Promise<never> => Promise.reject(new Error('the doctor changes nothing'));
      return { get: async (path) => (await read(path)).body, post: refuse, put: refuse };
    },
    /** Whether the service app has a scope; always `true` for an API token. @throws OktaApiError */
    async isGranted(scope: string): Promise<boolean> {
      if (!('clientId' in credentials)) return true;
      try {
        await createAccessTokens({ ...common, credentials, scopes: [scope] }).get(callMs);
        return true;
      } catch (error) {
        if (error instanceof OktaApiError && isNotGranted(error)) return false;
        throw error;
      }
    },
  };
}

/**
 * Reads something that not every credential may read. A refusal is a warning and no failure, because the gateway's own
 * credential should not have such rights.
 *
 * @param what - the subject of the message, such as `The telephony hook`.
 * @throws CommandError for another error of Okta, with a remedy that names the variables.
 */
export async function withAccess(
  what: string,
  access: Access,
  read: () => Promise<Finding>,
): Promise<Finding> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof OktaApiError)) throw error;
    if (error.code !== 'OKTA_FORBIDDEN' && !isNotGranted(error)) throw asCommandError(error, access);
    return warn(
      `${what} cannot be read with this credential.`,
      `Run this with the credential of an administrator who has ${access.role}; a service app also needs ${access.scopes.join(', ')}.`,
    );
  }
}

/** The token endpoint issues no token for a scope that the service app does not have. */
const isNotGranted = ({ reason }: OktaApiError): boolean => reason === 'invalid_scope';

/** What a setup would change, in words. */
export function describeDifferences(changes: readonly SetupChange[]): string {
  return changes.map(({ field, from, to }) => `${field} is ${from ?? 'not set'} instead of ${to}`).join(', ');
}

/** Scopes that change an org (`okta.….manage`). Okta does not list an app's scopes, so doctor requests a token for each. */
const MANAGED = (
  'users groups apps appGrants roles policies authenticators authorizationServers idps apiTokens inlineHooks ' +
  'eventHooks schemas profileMappings sessions networkZones trustedOrigins orgs domains brands templates ' +
  'devices logStreams identitySources customTelephonyProvider features userTypes realms'
).split(' ');
/** Parallel token requests: the token endpoint has its own rate limit. */
const BATCH_SIZE = 7;
const USE_LEAST =
  "Give the gateway its own credential: an API token of a Read-Only Administrator, or a service app with only okta.users.read. Use an administrator's for setup and doctor.";
const CHECK_ROLES = 'Check its roles in Okta: Security > Administrators. A gateway only needs to read users.';

const READ_ONLY_ROLES: ReadonlySet<string> = new Set(['READ_ONLY_ADMIN', 'REPORT_ADMIN']);

/** Checks that the gateway's credential can only read users, because a thief of the credential has the same rights. */
export function privilegesFinding(org: OrgReader): Promise<Finding> {
  return org.clientId === undefined ? rolesFinding(org) : scopesFinding(org);
}

async function scopesFinding(org: OrgReader): Promise<Finding> {
  const scopes = MANAGED.map((what) => `okta.${what}.manage`);
  const excess: string[] = [];
  for (let start = 0; start < scopes.length; start += BATCH_SIZE) {
    const batch = scopes.slice(start, start + BATCH_SIZE);
    const granted = await Promise.all(batch.map((scope) => org.isGranted(scope)));
    excess.push(...batch.filter((_scope, index) => granted[index]));
  }
  if (excess.length > 0) {
    return warn(`The service app has ${excess.join(', ')}, which no gateway needs.`, USE_LEAST);
  }
  return ok(`The service app has none of the ${scopes.length} scopes that can change the org.`);
}

async function rolesFinding(org: OrgReader): Promise<Finding> {
  const found = await withAccess("The API token's role", USERS, async () => {
    const roles = await readOwnRoles(org.reading(USERS.scopes));
    const strong = roles.filter((role) => role !== 'CUSTOM' && !READ_ONLY_ROLES.has(role));
    if (strong.length > 0) {
      return warn(`The API token has the role ${strong.join(', ')}: more than a gateway needs.`, USE_LEAST);
    }
    if (roles.length === 0) {
      return warn('The API token reads users, but Okta shows no role of it.', CHECK_ROLES);
    }
    if (!roles.includes('CUSTOM')) return ok(`The API token has the role ${roles.join(', ')}.`);
    return warn('The API token has a custom role, whose rights doctor cannot read.', CHECK_ROLES);
  });
  // Another remedy is that of `withAccess`. Only a super administrator may always read roles.
  if ([undefined, USE_LEAST, CHECK_ROLES].includes(found.remedy)) return found;
  return warn(
    "The API token may not read its own roles, so it is not a super administrator's. Its other rights are unknown.",
    CHECK_ROLES,
  );
}
