import { fieldOf } from '../core/json.js';

/**
 * Makes the path segment by which Okta's Users API finds a user. The segment must never reach another resource than this
 * user.
 */

/** How to look up one user. */
export interface UserLookup {
  /** Identifies the user in caches. */
  readonly key: string;
  /** The encoded path segment. */
  readonly segment: string;
  /** Whether Okta's answer is about this user. */
  readonly matches: (body: unknown) => boolean;
}

/**
 * A lookup by the id, else by the login; `undefined` if the value cannot be one. A malformed id is refused even if there is a
 * login, because the request may be about another user or an attack.
 */
export function lookUpUser(userId: string | undefined, login: string | undefined): UserLookup | undefined {
  if (userId !== undefined) {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(userId) || isSpecial(userId)) return undefined;
    return { key: `id:${userId}`, segment: userId, matches: (body) => fieldOf(body, 'id') === userId };
  }
  // Okta cannot look up a login with a slash. Control characters and lone surrogates cannot be in a path.
  if (login === undefined || !/^[^/\\\p{Cc}\p{Cs}]{1,100}$/u.test(login) || isSpecial(login))
    return undefined;
  const sameLogin = login.toLowerCase();
  return {
    key: `login:${sameLogin}`,
    segment: encodeURIComponent(login),
    matches: (body) => {
      const found = fieldOf(body, 'profile', 'login');
      return typeof found === 'string' && found.toLowerCase() === sameLogin;
    },
  };
}

/**
 * A lookup by typed text: an id or a login.
 *
 * @param isShortAllowed - whether it may also be a login's part before the `@`, which Okta takes if it is one user's alone.
 */
export function lookUpTyped(idOrLogin: string, isShortAllowed: boolean): UserLookup | undefined {
  const byId = lookUpUser(idOrLogin, undefined);
  const byLogin = lookUpUser(undefined, idOrLogin);
  if (byLogin === undefined) return undefined;
  const isShortOf = (login: unknown): boolean =>
    isShortAllowed &&
    typeof login === 'string' &&
    login.toLowerCase().startsWith(`${idOrLogin.toLowerCase()}@`);
  return {
    ...byLogin,
    matches: (body) =>
      byLogin.matches(body) || byId?.matches(body) === true || isShortOf(fieldOf(body, 'profile', 'login')),
  };
}

/** `me` is the token's owner. Encoding does not change `.` and `..`, which lead to other resources. */
function isSpecial(name: string): boolean {
  return name === '.' || name === '..' || name.toLowerCase() === 'me';
}
