import { fieldOf } from '../core/json.js';

/** A user that can be asked for without reaching another resource. */
export interface NamedUser {
  readonly key: string;
  /** Of the path, encoded. */
  readonly segment: string;
  /** Whether what Okta answered is who was asked for. */
  readonly isThis: (body: unknown) => boolean;
}

/**
 * A user by the id, else by the login; `undefined` for what cannot be one. An id that is malformed is not made up for by
 * the login: whoever sent it means somebody else, or no good.
 */
export function nameUser(userId: string | undefined, login: string | undefined): NamedUser | undefined {
  if (userId !== undefined) {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(userId) || isSpecial(userId)) return undefined;
    return { key: `id:${userId}`, segment: userId, isThis: (body) => fieldOf(body, 'id') === userId };
  }
  // Okta cannot look up a login with a slash; control characters and half surrogates cannot be in a path.
  if (login === undefined || !/^[^/\\\p{Cc}\p{Cs}]{1,100}$/u.test(login) || isSpecial(login))
    return undefined;
  const sameLogin = login.toLowerCase();
  return {
    key: `login:${sameLogin}`,
    segment: encodeURIComponent(login),
    isThis: (body) => {
      const found = fieldOf(body, 'profile', 'login');
      return typeof found === 'string' && found.toLowerCase() === sameLogin;
    },
  };
}

/** A user by what somebody typed, which may be either. */
export function nameTypedUser(idOrLogin: string): NamedUser | undefined {
  const byId = nameUser(idOrLogin, undefined);
  const byLogin = nameUser(undefined, idOrLogin);
  if (byLogin === undefined) return undefined;
  return { ...byLogin, isThis: (body) => byLogin.isThis(body) || byId?.isThis(body) === true };
}

/** `me` is the token's owner; `.` and `..` stay as they are when they are encoded, and lead to other resources. */
function isSpecial(name: string): boolean {
  return name === '.' || name === '..' || name.toLowerCase() === 'me';
}
