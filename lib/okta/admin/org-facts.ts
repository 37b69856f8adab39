import { OktaApiError } from '../../core/errors.js';
import type { HttpAnswer } from '../../http/call.js';
import type { OktaApiAnswer } from '../api-answer.js';
import { asList, fieldOf, parseJson, textFieldOf } from '../../core/json.js';
import { NOBODY } from '../user-profile.js';

/** What can be read of an org, beside its hooks and its schema. */

/** Reads one path; not found is an error. @throws OktaApiError */
export type ReadOkta = (path: string) => Promise<OktaApiAnswer>;

/** What everybody may read of an org. */
export const ORG_METADATA = '/.well-known/okta-organization';

/** Which engine an org has: `idx` is Identity Engine; `undefined` where the answer is none of Okta's. */
export function pipelineOf({ status, body }: HttpAnswer): string | undefined {
  return status === 200 ? textFieldOf(parseJson(body), 'pipeline') : undefined;
}

/**
 * The headers of an answer about a user: what they say of the rate limit is that of every code.
 * @throws OktaApiError where users cannot be read.
 */
export async function probeUsers(read: ReadOkta): Promise<Readonly<Record<string, string>>> {
  try {
    return (await read(`/api/v1/users/${NOBODY}`)).headers;
  } catch (error) {
    if (error instanceof OktaApiError && error.code === 'OKTA_NOT_FOUND') return error.headers ?? {};
    throw error;
  }
}

/** The administrator roles of whoever made the API token, e.g. `SUPER_ADMIN`. */
export async function readOwnRoles(read: ReadOkta): Promise<readonly string[]> {
  const id = textFieldOf((await read('/api/v1/users/me')).body, 'id') ?? '';
  if (!/^\w+$/.test(id)) return [];
  return asList((await read(`/api/v1/users/${id}/roles`)).body).flatMap(
    (role) => textFieldOf(role, 'type') ?? [],
  );
}

/** A page with whole profiles stays well under what is read of an answer. */
const PAGE = 50;
const MAX_PAGES = 4;

/**
 * How many active users there are of whose profile something is true; counted to a bound.
 *
 * @param condition - of a search, such as `whatsAppOptIn eq true`.
 */
export async function countOptedIn(
  read: ReadOkta,
  condition: string,
): Promise<{ readonly count: number; readonly hasMore: boolean }> {
  const search = encodeURIComponent(`status eq "ACTIVE" and profile.${condition}`);
  let path: string | undefined = `/api/v1/users?search=${search}&limit=${PAGE}`;
  let count = 0;
  for (let page = 0; page < MAX_PAGES && path !== undefined; page += 1) {
    const { body, headers }: OktaApiAnswer = await read(path);
    count += asList(body).length;
    path = nextPathOf(headers['link']);
  }
  return { count, hasMore: path !== undefined };
}

const PHONE = 'phone_number';

/** The state of the phone authenticator, and what for it is allowed, e.g. `any` or `none`; `undefined` where the org has none. */
export async function readPhoneAuthenticator(
  read: ReadOkta,
): Promise<{ readonly status: string | undefined; readonly allowedFor: string | undefined }> {
  const all = asList((await read('/api/v1/authenticators')).body);
  const phone = all.find((one) => textFieldOf(one, 'key') === PHONE);
  const allowedFor = textFieldOf(phone, 'settings', 'allowedFor');
  return { status: textFieldOf(phone, 'status'), allowedFor };
}

/** What lets users change their own. */
const OWN = { principal: 'SELF', action: 'READ_WRITE' };

/** Whether an attribute of the user profile is there, of which type, and whether users may change their own. */
export async function readAttribute(
  read: ReadOkta,
  name: string,
): Promise<{
  readonly isThere: boolean;
  readonly type: string | undefined;
  readonly isUsersOwn: boolean;
}> {
  const definitions = fieldOf((await read('/api/v1/meta/schemas/user/default')).body, 'definitions');
  const found = [fieldOf(definitions, 'custom'), fieldOf(definitions, 'base')]
    .map((part) => fieldOf(part, 'properties', name))
    .find((attribute) => attribute !== undefined);
  const isOwn = (principal: unknown): boolean => principal === OWN.principal;
  const isWritten = (action: unknown): boolean => action === OWN.action;
  const isUsersOwn = asList(fieldOf(found, 'permissions')).some(
    (permission) => isOwn(fieldOf(permission, 'principal')) && isWritten(fieldOf(permission, 'action')),
  );
  return { isThere: found !== undefined, type: textFieldOf(found, 'type'), isUsersOwn };
}

/** Only the path of it: the token goes nowhere else. */
function nextPathOf(link: string | undefined): string | undefined {
  const [, url] = /<([^>]+)>;\s*rel="next"/.exec(link ?? '') ?? [];
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { pathname, search } = new URL(url);
  return pathname === '/api/v1/users' ? pathname + search : undefined;
}
