import { readOwnRoles } from '../../../okta/admin/org-facts.js';
import type { Access } from '../../org.js';
import { ok, warn, type Finding } from '../finding.js';
import { withAccess, type OrgLook } from './okta-access.js';

/** What whoever has the gateway's credential could do to the org beside. */

/** Okta tells nobody which scopes an app has: each is asked for by itself. */
const MANAGED = [
  ...['users', 'groups', 'apps', 'appGrants', 'roles', 'policies', 'authenticators', 'authorizationServers'],
  ...[
    'idps',
    'apiTokens',
    'inlineHooks',
    'eventHooks',
    'schemas',
    'profileMappings',
    'sessions',
    'networkZones',
  ],
  ...['trustedOrigins', 'orgs', 'domains', 'brands', 'templates', 'devices', 'logStreams', 'identitySources'],
  ...['customTelephonyProvider', 'features', 'userTypes', 'realms'],
];
/** So many at a time: the token endpoint has a rate limit of its own. */
const AT_A_TIME = 7;
const LEAST =
  "Give the gateway one of its own: an API token of a Read-Only Administrator, or a service app with okta.users.read and nothing else. An administrator's is for setup and doctor.";
const SEE_ROLES =
  'Look at its roles in Okta: Security > Administrators. Reading users is all that a gateway needs.';

/** Roles that change nothing. */
const WEAK: ReadonlySet<string> = new Set(['READ_ONLY_ADMIN', 'REPORT_ADMIN']);

export function privilegesFinding(org: OrgLook, users: Access): Promise<Finding> {
  return org.clientId === undefined ? rolesFinding(org, users) : scopesFinding(org);
}

async function scopesFinding(org: OrgLook): Promise<Finding> {
  const asked = MANAGED.map((what) => `okta.${what}.manage`);
  const excess: string[] = [];
  for (let index = 0; index < asked.length; index += AT_A_TIME) {
    const some = asked.slice(index, index + AT_A_TIME);
    const granted = await Promise.all(some.map((scope) => org.isGranted(scope)));
    excess.push(...some.filter((_scope, place) => granted[place]));
  }
  if (excess.length > 0) {
    return warn(`The service app is granted ${excess.join(', ')}, which no gateway needs.`, LEAST);
  }
  return ok(
    `Of the ${asked.length} scopes that were asked for, by which it could change the org, the service app has none.`,
  );
}

async function rolesFinding(org: OrgLook, users: Access): Promise<Finding> {
  const found = await withAccess('Its role', users, async () => {
    const roles = await readOwnRoles(org.reading(users.scopes));
    const strong = roles.filter((role) => role !== 'CUSTOM' && !WEAK.has(role));
    if (strong.length > 0) {
      return warn(`The API token is of ${strong.join(', ')}: more than a gateway needs.`, LEAST);
    }
    if (roles.length === 0) return warn('No role of the API token is seen, and it reads users.', SEE_ROLES);
    if (!roles.includes('CUSTOM')) return ok(`The API token is of ${roles.join(', ')}.`);
    return warn('The API token is of a custom role: what that lets it do is not seen here.', SEE_ROLES);
  });
  if ([undefined, LEAST, SEE_ROLES].includes(found.remedy)) return found;
  return warn(
    "Its roles cannot be seen with the API token, so it is no super administrator's; what else it may do is not known.",
    SEE_ROLES,
  );
}
