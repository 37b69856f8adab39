import { jsonReply, type Reply } from './loopback-server.js';
import { randomAlphanumeric } from './random-ids.js';

/** A user of the emulated org, as it is now. */
export interface EmulatedUser {
  /** `00u` and 17 letters and digits. */
  readonly id: string;
  readonly login: string;
  /** E.g. `ACTIVE` or `LOCKED_OUT`. */
  readonly status: string;
  /** Okta's `profile` object: the base attributes and the org's own, flat. */
  readonly profile: Readonly<Record<string, unknown>>;
}

/** What a user is made from; `login`, `firstName` and `lastName` end in `profile`. */
export interface NewUser {
  readonly id?: string | undefined;
  readonly login: string;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
  /** Default: `ACTIVE`. */
  readonly status?: string | undefined;
  readonly profile?: Readonly<Record<string, unknown>> | undefined;
}

/** Okta's error object. */
export function oktaError(
  status: number,
  errorCode: string,
  errorSummary: string,
  headers?: Readonly<Record<string, string>>,
): Reply {
  const errorId = `oae${randomAlphanumeric(17)}`;
  return jsonReply(
    status,
    { errorCode, errorSummary, errorLink: errorCode, errorId, errorCauses: [] },
    headers,
  );
}

interface StoredUser {
  readonly id: string;
  status: string;
  profile: Record<string, unknown>;
  readonly created: string;
  lastUpdated: string;
  version: number;
}

/** The users of the org, and the answers of `GET /api/v1/users/{idOrLogin}`. */
export class UserDirectory {
  readonly #orgUrl: () => string;
  readonly #clock: () => number;
  readonly #users: StoredUser[] = [];
  // Whom `me` stands for: the administrator who made the API token, and nobody whom a hook is about.
  readonly #tokenOwner: StoredUser;

  constructor(orgUrl: () => string, clock: () => number) {
    this.#orgUrl = orgUrl;
    this.#clock = clock;
    this.#tokenOwner = makeUser(
      { login: 'token.owner@example.com', firstName: 'Token', lastName: 'Owner' },
      clock(),
    );
  }

  /** Adds a user; throws where the id or the login is taken. */
  add(user: NewUser): EmulatedUser {
    const isTaken = this.#users.some((known) => known.id === user.id || isSameLogin(known, user.login));
    if (isTaken) throw new Error('A user with this id or login is there already.');
    const stored = makeUser(user, this.#clock());
    this.#users.push(stored);
    return viewOf(stored);
  }

  /** Merges attributes into a user's profile; `null` and `undefined` take one away. Throws for nobody. */
  update(idOrLogin: string, profile: Readonly<Record<string, unknown>>): void {
    const user = this.#find(idOrLogin);
    if (user === undefined) throw new Error('There is no such user.');
    const merged = Object.entries({ ...user.profile, ...profile });
    user.profile = Object.fromEntries(merged.filter(([, value]) => value !== undefined && value !== null));
    user.version += 1;
    user.lastUpdated = new Date(this.#clock()).toISOString();
  }

  /** A user by id, login or the login's part before the `@`, as Okta looks one up. */
  find(idOrLogin: string): EmulatedUser | undefined {
    const user = this.#find(idOrLogin);
    return user === undefined ? undefined : viewOf(user);
  }

  /** The user that was added first. */
  first(): EmulatedUser | undefined {
    const [user] = this.#users;
    return user === undefined ? undefined : viewOf(user);
  }

  /** Answers `GET /api/v1/users/{segment}`; `options` is the request's `Content-Type`. */
  answer(segment: string, options: string): Reply {
    let idOrLogin: string;
    try {
      idOrLogin = decodeURIComponent(segment);
    } catch {
      return oktaError(400, 'E0000001', 'Api validation failed: id');
    }
    // A login with a slash can be fetched by id only.
    const user = idOrLogin.includes('/') ? undefined : this.#find(idOrLogin);
    if (user === undefined) {
      return oktaError(404, 'E0000007', `Not found: Resource not found: ${idOrLogin} (User)`);
    }
    return jsonReply(200, this.#resourceOf(user, options), { etag: `W/"${user.id}-${user.version}"` });
  }

  #find(idOrLogin: string): StoredUser | undefined {
    if (idOrLogin === 'me') return this.#tokenOwner;
    const exact = this.#users.find((user) => user.id === idOrLogin || isSameLogin(user, idOrLogin));
    if (exact !== undefined) return exact;
    const byShortName = this.#users.filter((user) => shortNameOf(user) === idOrLogin.toLowerCase());
    return byShortName.length === 1 ? byShortName[0] : undefined;
  }

  #resourceOf(user: StoredUser, options: string): object {
    const omitted = /okta-response="?([^";]*)/i.exec(options)?.[1]?.split(',') ?? [];
    return {
      id: user.id,
      status: user.status,
      created: user.created,
      activated: user.created,
      statusChanged: user.created,
      lastLogin: null,
      lastUpdated: user.lastUpdated,
      passwordChanged: user.created,
      type: { id: 'oty1a2b3c4d5e6f7g8h9' },
      profile: user.profile,
      ...(omitted.includes('omitCredentials')
        ? {}
        : { credentials: { password: {}, provider: { type: 'OKTA', name: 'OKTA' } } }),
      ...(omitted.includes('omitCredentialsLinks')
        ? { _links: { self: { href: `${this.#orgUrl()}/api/v1/users/${user.id}` } } }
        : {
            _links: {
              resetPassword: {
                href: `${this.#orgUrl()}/api/v1/users/${user.id}/lifecycle/reset_password`,
                method: 'POST',
              },
              self: { href: `${this.#orgUrl()}/api/v1/users/${user.id}` },
            },
          }),
    };
  }
}

function makeUser(user: NewUser, now: number): StoredUser {
  const created = new Date(now).toISOString();
  return {
    id: user.id ?? `00u${randomAlphanumeric(17)}`,
    status: user.status ?? 'ACTIVE',
    profile: {
      firstName: user.firstName ?? 'Ana',
      lastName: user.lastName ?? 'Silva',
      email: user.login,
      ...user.profile,
      login: user.login,
    },
    created,
    lastUpdated: created,
    version: 1,
  };
}

function viewOf(user: StoredUser): EmulatedUser {
  return {
    id: user.id,
    get login() {
      return loginOf(user);
    },
    get status() {
      return user.status;
    },
    get profile() {
      return user.profile;
    },
  };
}

function loginOf(user: StoredUser): string {
  const login = user.profile['login'];
  return typeof login === 'string' ? login : '';
}

function isSameLogin(user: StoredUser, login: string): boolean {
  return loginOf(user).toLowerCase() === login.toLowerCase();
}

function shortNameOf(user: StoredUser): string {
  return loginOf(user).toLowerCase().split('@')[0] ?? '';
}
