import { fieldOf, isObject, type JsonObject } from '../../core/json.js';
import { valueProblem, type UserSchemaView } from './attributes.js';
import { USER_TYPE_ID } from './schema.js';
import type { StoredUser } from './users.js';

export function userResource(user: StoredUser, orgUrl: string): object {
  const self = `${orgUrl}/api/v1/users/${user.id}`;
  return {
    id: user.id,
    status: user.status,
    created: user.created,
    activated: user.status === 'STAGED' ? null : user.created,
    statusChanged: user.created,
    lastLogin: null,
    lastUpdated: user.lastUpdated,
    passwordChanged: user.created,
    type: { id: USER_TYPE_ID },
    profile: user.profile,
    credentials: { password: {}, provider: { type: 'OKTA', name: 'OKTA' } },
    _links: {
      resetPassword: { href: `${self}/lifecycle/reset_password`, method: 'POST' },
      self: { href: self },
    },
  };
}

/** The version of a user, for `If-Match`. */
export function etagOf(user: StoredUser): string {
  return `W/"${user.id}-${user.version}"`;
}

export function factorResources(user: StoredUser, orgUrl: string): object[] {
  return user.phoneFactors.map(({ id, factorType, phoneNumber, phoneExtension }) => {
    const self = `${orgUrl}/api/v1/users/${user.id}/factors/${id}`;
    return {
      id,
      factorType,
      provider: 'OKTA',
      vendorName: 'OKTA',
      status: 'ACTIVE',
      created: user.created,
      lastUpdated: user.created,
      profile: { phoneNumber, ...(phoneExtension === undefined ? {} : { phoneExtension }) },
      _links: {
        verify: { href: `${self}/verify`, hints: { allow: ['POST'] } },
        self: { href: self, hints: { allow: ['GET', 'DELETE'] } },
        user: { href: `${orgUrl}/api/v1/users/${user.id}`, hints: { allow: ['GET'] } },
      },
    };
  });
}

/** Why Okta refuses a new profile; `before` is the user's current one. */
export function profileProblems(
  profile: JsonObject,
  before: JsonObject,
  { base, custom }: UserSchemaView,
): string[] {
  const attributes = { ...base, ...custom };
  const problems: string[] = [];
  for (const [name, value] of Object.entries(profile)) {
    const attribute = attributes[name];
    if (value === null || value === before[name]) continue;
    // The sentence is Okta's (pulumi/pulumi-okta#388).
    if (attribute === undefined) problems.push(`Property name '${name}' is not defined in profile`);
    else {
      const problem = valueProblem(name, attribute, value);
      if (problem !== undefined) problems.push(problem);
    }
  }
  for (const [name, { required }] of Object.entries(attributes)) {
    // The sentence is Okta's (rapid7/insightconnect-plugins#315).
    const isMissing = profile[name] === undefined || profile[name] === null || profile[name] === '';
    if (required === true && isMissing) problems.push(`${name}: The field cannot be left blank`);
  }
  return problems;
}

/** The read-only attributes that a request changes. */
export function readOnlyNames(profile: JsonObject, before: JsonObject, schema: UserSchemaView): string[] {
  const attributes = { ...schema.base, ...schema.custom };
  return Object.entries(profile)
    .filter(([name, value]) => {
      const { mutability } = attributes[name] ?? {};
      const isFixed =
        mutability === 'READ_ONLY' || (mutability === 'IMMUTABLE' && before[name] !== undefined);
      return isFixed && value !== before[name];
    })
    .map(([name]) => name);
}

export function profileIn(body: unknown): JsonObject | undefined {
  const profile = fieldOf(body, 'profile');
  return isObject(profile) ? profile : undefined;
}
