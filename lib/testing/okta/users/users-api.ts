import { fieldOf, isObject, textFieldOf, type JsonObject } from '../../../core/json.js';
import { okReply, type Reply } from '../../server/reply.js';
import { valueProblem, type UserSchemaView } from './attributes.js';
import type { OrgContext } from '../api/context.js';
import { notFound, oktaError, validationFailed } from '../api/errors.js';
import { listBy, withResource, type ApiCall, type Operation, type Route } from '../api/route.js';
import { USER_TYPE_ID, type UserSchema } from './schema.js';
import { readSearch, type Search } from './search.js';
import type { OrgTokens } from '../authorization/org-tokens.js';
import { loginIn, makeUser, type StoredUser, type UserDirectory } from './users.js';

const MAX_PAGE = 200;
/** The administrators who may write users, beside super administrators. A group administrator is a USER_ADMIN. */
const WRITERS = ['ORG_ADMIN', 'USER_ADMIN'];

export function usersRoutes(
  context: OrgContext,
  users: UserDirectory,
  schema: UserSchema,
  tokens: OrgTokens,
): readonly Route[] {
  const { orgUrl, clock } = context;
  const answerUser = (user: StoredUser): Reply => okReply(userResource(user, orgUrl), { etag: etagOf(user) });

  const withUser = (answer: (user: StoredUser, call: ApiCall) => Reply): Operation =>
    // Okta finds a login with a slash by the user's id only.
    withResource('User', (id) => (id.includes('/') ? undefined : users.find(id)), answer);

  const save = (user: StoredUser, profile: JsonObject, call: ApiCall): Reply => {
    const expected = call.request.headers['if-match'];
    if (expected !== undefined && expected !== '*' && expected !== etagOf(user)) {
      return oktaError(412, 'E0000195', 'Api validation failed due to conflict: If-Match');
    }
    if (user.status === 'DEPROVISIONED') {
      return oktaError(403, 'E0000038', "This operation is not allowed in the user's current status.");
    }
    const fixed = fixedName(profile, user.profile, schema.view);
    if (fixed !== undefined) {
      return oktaError(403, 'E0000077', `Cannot modify the ${fixed} attribute because it is read-only.`);
    }
    const problems = profileProblems(profile, user.profile, schema.view);
    if (problems.length > 0) return validationFailed('profile', ...problems);
    const changed = users.withProfile(user, profile);
    if (users.isTaken(changed.login, user)) return validationFailed('login', LOGIN_TAKEN);
    // The stored user is the answered one, to the millisecond.
    return { ...answerUser(changed), commit: () => void Object.assign(user, changed) };
  };
  const create = ({ body, query }: ApiCall): Reply => {
    const profile = profileIn(body);
    if (profile === undefined) return validationFailed('profile', 'profile: The field cannot be left blank');
    const problems = profileProblems(profile, {}, schema.view);
    if (problems.length > 0) return validationFailed('newUser', ...problems);
    const login = loginIn(profile);
    if (users.isTaken(login)) return validationFailed('login', LOGIN_TAKEN);
    const hasPassword = isObject(fieldOf(body, 'credentials', 'password'));
    const activated = hasPassword ? 'ACTIVE' : 'PROVISIONED';
    const status = query.get('activate') === 'false' ? 'STAGED' : activated;
    const user = makeUser({ login, status, profile }, clock());
    return { ...answerUser(user), commit: () => users.all.push(user) };
  };

  const list = ({ query, request }: ApiCall): Reply => {
    const limit = Number(query.get('limit') ?? MAX_PAGE);
    if (!Number.isInteger(limit) || limit < 1)
      return oktaError(400, 'E0000054', 'Invalid pagination properties.');
    const isFound = searchOf(query);
    if (isFound === undefined) return oktaError(400, 'E0000031', 'Invalid search criteria.');
    const found = users.all.filter((user) => isFound(user));
    const after = query.get('after');
    const start = after === null ? 0 : found.findIndex(({ id }) => id === after) + 1;
    const page = found.slice(start, start + Math.min(limit, MAX_PAGE));
    const last = page.at(-1);
    const hasMore = last !== undefined && found.at(-1) !== last;
    const links = [`<${orgUrl}${request.path}>; rel="self"`];
    if (hasMore) {
      const next = new URLSearchParams(query);
      next.set('after', last.id);
      links.push(`<${orgUrl}/api/v1/users?${next.toString()}>; rel="next"`);
    }
    return okReply(
      page.map((user) => userResource(user, orgUrl)),
      { link: links.join(', ') },
    );
  };

  const roles = listBy([], ({ params: { id = '' }, request }) => {
    const isOwner = id === 'me' || id === users.tokenOwner.id;
    if (!isOwner && users.find(id) === undefined) return notFound(id, 'User');
    return okReply(roleResources(id, isOwner ? tokens.rolesOf(request) : [], context));
  });

  const path = '/api/v1/users';
  const read = { scope: 'okta.users.read' };
  const write = { scope: 'okta.users.manage', roles: WRITERS };
  const merge = withUser((user, call) => save(user, { ...user.profile, ...profileIn(call.body) }, call));
  const replace = withUser((user, call) => save(user, profileIn(call.body) ?? {}, call));
  const factors = listBy(
    [],
    withUser((user) => okReply(factorResources(user))),
  );
  return [
    ['get', path, { ...read, bucket: 'users' }, listBy(FILTERS, list)],
    ['post', path, { ...write, bucket: 'users' }, create],
    ['get', `${path}/:id`, { ...read, bucket: 'user' }, withUser(answerUser)],
    ['post', `${path}/:id`, write, merge],
    ['put', `${path}/:id`, write, replace],
    ['get', `${path}/:id/factors`, read, factors],
    ['get', `${path}/:id/roles`, { scope: 'okta.roles.read', roles: [] }, roles],
  ];
}

const FILTERS = ['search', 'filter', 'q', 'limit', 'after'];

/** Okta's own words. */
const LOGIN_TAKEN = 'login: An object with this field already exists in the current organization';

/** Without a search, deprovisioned users are left out. */
function searchOf(query: URLSearchParams): Search | undefined {
  const search = query.get('search') ?? query.get('filter');
  if (search !== null) return readSearch(search);
  const beginning = (query.get('q') ?? '').toLowerCase();
  return (user) =>
    fieldOf(user, 'status') !== 'DEPROVISIONED' &&
    ['firstName', 'lastName', 'email'].some((name) =>
      (textFieldOf(user, 'profile', name) ?? '').toLowerCase().startsWith(beginning),
    );
}

/**
 * The administrator roles of a user. Only the owner of the API tokens has any: those of the token of the
 * call. Okta does not document who may read them, beside super administrators.
 */
function roleResources(id: string, roles: readonly string[], { orgUrl, clock }: OrgContext): object[] {
  const at = new Date(clock()).toISOString();
  return roles.map((type, index) => ({
    id: `IRA${String(index).padStart(12, '0')}`,
    label: type,
    type,
    status: 'ACTIVE',
    created: at,
    lastUpdated: at,
    assignmentType: 'USER',
    _links: { assignee: { href: `${orgUrl}/api/v1/users/${id}` } },
  }));
}

function userResource(user: StoredUser, orgUrl: string): object {
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
    _links: { self: { href: `${orgUrl}/api/v1/users/${user.id}` } },
  };
}

/** The version of a user, for `If-Match`. */
function etagOf(user: StoredUser): string {
  return `W/"${user.id}-${user.version}"`;
}

function factorResources({ phoneFactors, created }: StoredUser): object[] {
  return phoneFactors.map(({ id, factorType, phoneNumber, phoneExtension }) => ({
    id,
    factorType,
    provider: 'OKTA',
    vendorName: 'OKTA',
    status: 'ACTIVE',
    created,
    lastUpdated: created,
    profile: { phoneNumber, ...(phoneExtension === undefined ? {} : { phoneExtension }) },
  }));
}

/** Why Okta refuses a new profile; `before` is the user's current one. */
function profileProblems(
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

/** A read-only attribute that a request changes, if there is one. */
function fixedName(profile: JsonObject, before: JsonObject, schema: UserSchemaView): string | undefined {
  const attributes = { ...schema.base, ...schema.custom };
  return Object.keys(profile).find((name) => {
    const { mutability } = attributes[name] ?? {};
    const isFixed = mutability === 'READ_ONLY' || (mutability === 'IMMUTABLE' && before[name] !== undefined);
    return isFixed && profile[name] !== before[name];
  });
}

function profileIn(body: unknown): JsonObject | undefined {
  const profile = fieldOf(body, 'profile');
  return isObject(profile) ? profile : undefined;
}
