import { readOwnRoles } from '../../../okta/admin/org-facts.js';
import { ok, warn, type Finding } from '../finding.js';
import { USERS, withAccess, type OrgReader } from './okta-access.js';

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

/** Roles that may not change the org. */
const READ_ONLY_ROLES: ReadonlySet<string> = new Set(['READ_ONLY_ADMIN', 'REPORT_ADMIN']);

/** Checks that the gateway's credential may do no more than read users: whoever steals it has the same rights. */
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
