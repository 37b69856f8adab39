import { OktaApiError } from '../../core/errors.js';
import type { HttpAnswer } from '../../core/http.js';
import type { JsonAnswer } from '../../http/call.js';
import { asList, fieldOf, textFieldOf } from '../../core/json.js';
import { UNUSED_USER_ID } from '../../okta/user-profile.js';
import { ownAccessOf, SCHEMA } from './opt-in-attribute.js';

/** Reads facts of an org for `doctor`. */

/** Reads one path. @throws OktaApiError, also for 404. */
export type ReadOkta = (path: string) => Promise<JsonAnswer>;

export const ORG_METADATA = '/.well-known/okta-organization';

/** The org's engine: `idx` is Identity Engine. `undefined` if the answer is not Okta's. */
export function pipelineOf({ status, json }: HttpAnswer): string | undefined {
  return status === 200 ? textFieldOf(json, 'pipeline') : undefined;
}

/**
 * The headers of an answer of the Users API. Their rate limit is the one that every code counts against.
 * @throws OktaApiError if users cannot be read.
 */
export async function probeUsers(read: ReadOkta): Promise<Readonly<Record<string, string>>> {
  try {
    return (await read(`/api/v1/users/${UNUSED_USER_ID}`)).headers;
  } catch (error) {
    if (error instanceof OktaApiError && error.code === 'OKTA_NOT_FOUND') return error.headers ?? {};
    throw error;
  }
}

/** The administrator roles of the API token's owner, e.g. `SUPER_ADMIN`. */
export async function readOwnRoles(read: ReadOkta): Promise<readonly string[]> {
  const id = textFieldOf((await read('/api/v1/users/me')).body, 'id') ?? '';
  if (!/^\w+$/.test(id)) return [];
  return asList((await read(`/api/v1/users/${id}/roles`)).body).flatMap(
    (role) => textFieldOf(role, 'type') ?? [],
  );
}

/** A page of this many whole profiles stays well below the limit of an answer's size. */
const PAGE = 50;
const MAX_PAGES = 4;

/**
 * Counts the active users whose profile meets a condition, up to 200.
 *
 * @param condition - a search expression, such as `whatsAppOptIn eq true`.
 */
export async function countOptedIn(
  read: ReadOkta,
  condition: string,
): Promise<{ readonly count: number; readonly hasMore: boolean }> {
  const search = encodeURIComponent(`status eq "ACTIVE" and profile.${condition}`);
  let path: string | undefined = `/api/v1/users?search=${search}&limit=${PAGE}`;
  let count = 0;
  for (let page = 0; page < MAX_PAGES && path !== undefined; page += 1) {
    const { body, headers }: JsonAnswer = await read(path);
    count += asList(body).length;
    path = nextPathOf(headers['link']);
  }
  return { count, hasMore: path !== undefined };
}

const PHONE = 'phone_number';

/** The phone authenticator's status and allowed use, e.g. `any` or `none`; `undefined` if the org has none. */
export async function readPhoneAuthenticator(
  read: ReadOkta,
): Promise<{ readonly status: string | undefined; readonly allowedFor: string | undefined }> {
  const all = asList((await read('/api/v1/authenticators')).body);
  const phone = all.find((one) => textFieldOf(one, 'key') === PHONE);
  const allowedFor = textFieldOf(phone, 'settings', 'allowedFor');
  return { status: textFieldOf(phone, 'status'), allowedFor };
}

/** Reads whether the user profile has an attribute, its type, and whether users may change it themselves. */
export async function readAttribute(
  read: ReadOkta,
  name: string,
): Promise<{
  readonly isThere: boolean;
  readonly type: string | undefined;
  readonly isUsersOwn: boolean;
}> {
  const definitions = fieldOf((await read(SCHEMA)).body, 'definitions');
  const found = [fieldOf(definitions, 'custom'), fieldOf(definitions, 'base')]
    .map((part) => fieldOf(part, 'properties', name))
    .find((attribute) => attribute !== undefined);
  return {
    isThere: found !== undefined,
    type: textFieldOf(found, 'type'),
    isUsersOwn: ownAccessOf(found) === 'READ_WRITE',
  };
}

/** Only the path of the next page: the token must not go to another host. */
function nextPathOf(link: string | undefined): string | undefined {
  const [, url] = /<([^>]+)>;\s*rel="next"/.exec(link ?? '') ?? [];
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { pathname, search } = new URL(url);
  return pathname === '/api/v1/users' ? pathname + search : undefined;
}
