import type { RecordedRequest } from '../server/faults.js';
import { jsonReply } from '../server/reply.js';
import type { Route } from './route.js';
import { notFound } from './errors.js';
import type { UserDirectory } from './users.js';

/** What a role is called where people read it. */
const LABELS: Readonly<Record<string, string>> = {
  SUPER_ADMIN: 'Super Administrator',
  ORG_ADMIN: 'Organization Administrator',
  APP_ADMIN: 'Application Administrator',
  USER_ADMIN: 'Group Administrator',
  READ_ONLY_ADMIN: 'Read-Only Administrator',
};

/**
 * The administrator roles of a user. Only the one who made an API token has any, and what they are, the token of the
 * call says. Who beside super administrators may ask, no document of Okta's says.
 */
export function rolesRoute(parts: {
  readonly users: UserDirectory;
  readonly rolesOf: (request: RecordedRequest) => readonly string[];
  readonly orgUrl: () => string;
  readonly clock: () => number;
}): Route {
  const { users, rolesOf, orgUrl, clock } = parts;
  return {
    method: 'get',
    path: '/api/v1/users/:id/roles',
    scope: 'okta.roles.read',
    roles: [],
    answer: ({ params: { id = '' }, request }) => {
      const isOwner = id === 'me' || id === users.tokenOwnerId;
      if (!isOwner && users.findStored(id) === undefined) return notFound(id, 'User');
      const at = new Date(clock()).toISOString();
      const roles = isOwner ? rolesOf(request) : [];
      return jsonReply(
        200,
        roles.map((type, index) => ({
          id: `IRA${String(index).padStart(12, '0')}`,
          label: LABELS[type] ?? type,
          type,
          status: 'ACTIVE',
          created: at,
          lastUpdated: at,
          assignmentType: 'USER',
          _links: { assignee: { href: `${orgUrl()}/api/v1/users/${id}` } },
        })),
      );
    },
  };
}
