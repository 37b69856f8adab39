import { textFieldOf, type JsonObject } from '../../../core/json.js';
import { randomAlphanumeric } from '../../server/random-ids.js';

/** A user of the emulated org, as it is now. */
export interface EmulatedUser {
  /** `00u` and 17 letters and digits. */
  readonly id: string;
  readonly login: string;
  /** E.g. `ACTIVE` or `LOCKED_OUT`. */
  readonly status: string;
  /** Okta's `profile` object: the base attributes and the org's own, flat. */
  readonly profile: Readonly<Record<string, unknown>>;
  /** The phones that the user enrolled. */
  readonly phoneFactors: readonly PhoneFactor[];
  /** The names of the user's groups, without `Everyone`. */
  readonly groups: readonly string[];
}

/** A phone that a user enrolled with the phone authenticator. */
export interface PhoneFactor {
  readonly factorType: 'sms' | 'call';
  /** E.164. */
  readonly phoneNumber: string;
  /** For calls only. A hook does not get it. */
  readonly phoneExtension?: string | undefined;
}

/** A user to add. `login`, `firstName` and `lastName` become a part of `profile`. */
export interface NewUser {
  readonly id?: string | undefined;
  readonly login: string;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
  /** Default: `ACTIVE`. */
  readonly status?: string | undefined;
  /** Here an attribute may be one that the schema does not have; by the API it may not. */
  readonly profile?: Readonly<Record<string, unknown>> | undefined;
  readonly phoneFactors?: readonly PhoneFactor[] | undefined;
  /** The names of groups, for the `groups` claim of ID tokens. Default: none beside `Everyone`. */
  readonly groups?: readonly string[] | undefined;
}

/** A user with everything that Okta's API shows. */
export interface StoredUser extends EmulatedUser {
  readonly phoneFactors: readonly (PhoneFactor & { readonly id: string })[];
  readonly created: string;
  readonly lastUpdated: string;
  readonly version: number;
}

export class UserDirectory {
  readonly #clock: () => number;
  /** Every user, oldest first. */
  readonly all: StoredUser[] = [];
  /** The user `me`: the administrator who made the API token. No hook is called for this user. */
  readonly tokenOwner: StoredUser;

  constructor(clock: () => number) {
    this.#clock = clock;
    const owner = { login: 'token.owner@example.com', firstName: 'Token', lastName: 'Owner' };
    this.tokenOwner = makeUser(owner, clock());
  }

  add(user: NewUser): StoredUser {
    if (this.isTaken(user.login) || this.all.some(({ id }) => id === user.id)) {
      throw new Error('A user with this id or login is there already.');
    }
    const made = makeUser(user, this.#clock());
    this.all.push(made);
    return made;
  }

  isTaken(login: string, by?: StoredUser): boolean {
    return this.all.some((other) => other !== by && isSameLogin(other, login));
  }

  /** Merges attributes into a user's profile; `null` and `undefined` remove one. Throws for an unknown user. */
  update(idOrLogin: string, profile: Readonly<Record<string, unknown>>): void {
    const user = this.require(idOrLogin);
    Object.assign(user, this.withProfile(user, { ...user.profile, ...profile }));
  }

  /** The user with another profile, without the attributes that are `null` or `undefined`. */
  withProfile(user: StoredUser, wanted: Readonly<Record<string, unknown>>): StoredUser {
    const profile = withoutNothing(wanted);
    const lastUpdated = new Date(this.#clock()).toISOString();
    return { ...user, profile, login: loginIn(profile), version: user.version + 1, lastUpdated };
  }

  /** Removes attributes from every profile after they were removed from the schema. */
  forget(names: readonly string[]): void {
    const gone = Object.fromEntries(names.map((name) => [name, null]));
    for (const { id, profile } of this.all) {
      if (names.some((name) => name in profile)) this.update(id, gone);
    }
  }

  /** A user by id, login or the login's part before the `@`, as Okta looks one up. */
  find(idOrLogin: string): StoredUser | undefined {
    if (idOrLogin === 'me') return this.tokenOwner;
    const exact = this.all.find((user) => user.id === idOrLogin || isSameLogin(user, idOrLogin));
    if (exact !== undefined) return exact;
    const byShortName = this.all.filter((user) => shortNameOf(user) === idOrLogin.toLowerCase());
    return byShortName.length === 1 ? byShortName[0] : undefined;
  }

  /** As `find`. Throws for an unknown user. */
  require(idOrLogin: string): StoredUser {
    const user = this.find(idOrLogin);
    if (user === undefined) throw new Error('There is no such user.');
    return user;
  }
}

export function makeUser(user: NewUser, now: number): StoredUser {
  const created = new Date(now).toISOString();
  return {
    login: user.login,
    id: user.id ?? `00u${randomAlphanumeric(17)}`,
    status: user.status ?? 'ACTIVE',
    profile: withoutNothing({
      firstName: user.firstName ?? 'Ana',
      lastName: user.lastName ?? 'Silva',
      email: user.login,
      ...user.profile,
      login: user.login,
    }),
    phoneFactors: (user.phoneFactors ?? []).map((factor) => ({
      ...factor,
      id: factorPrefix(factor) + randomAlphanumeric(17),
    })),
    groups: user.groups ?? [],
    created,
    lastUpdated: created,
    version: 1,
  };
}

/** JavaScript may pass anything, and nothing would ever find a factor of another type. */
function factorPrefix({ factorType }: { readonly factorType: unknown }): string {
  if (factorType === 'sms') return 'sms';
  if (factorType === 'call') return 'clf';
  throw new Error("A phone factor is { factorType: 'sms' | 'call', phoneNumber }.");
}

export function loginIn(profile: JsonObject): string {
  return textFieldOf(profile, 'login') ?? '';
}

function withoutNothing(profile: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(profile).filter(([, value]) => value !== undefined && value !== null),
  );
}

function isSameLogin(user: StoredUser, login: string): boolean {
  return user.login.toLowerCase() === login.toLowerCase();
}

function shortNameOf(user: StoredUser): string {
  return user.login.toLowerCase().split('@')[0] ?? '';
}
