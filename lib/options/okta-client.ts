import type { UserProfile } from '../core/channel.js';
import { OktaApiError } from '../core/errors.js';
import type { HttpDispatcher } from '../core/http.js';
import { dispatcherRule, integer, lazyRules, optionsOf, readOptionsBy } from '../core/option-rules.js';
import { createAgent } from '../http/call.js';
import { createOktaApiClient, type OktaCredentials } from '../okta/api-client.js';
import { lookUpUser, readProfile } from '../okta/user-profile.js';
import { oktaCredentialRule } from './credentials.js';
import type { OktaCredential } from './credential-types.js';

/** Reads and changes users by Okta's Users API. */
export interface OktaClient {
  /**
   * The profile of the user with this id.
   *
   * @throws OktaApiError if Okta does not answer with it.
   */
  readUser(userId: string): Promise<UserProfile>;
  /**
   * Sets attributes of the user's profile, and leaves the others as they are. Resolves to the profile that Okta answers with.
   *
   * @throws OktaApiError if Okta refuses it, or gives no answer that can be read: then the change may have been made.
   */
  updateUser(userId: string, attributes: UserProfile): Promise<UserProfile>;
}

interface Parts {
  readonly credential: OktaCredentials;
  readonly timeoutMs: number;
  readonly dispatcher?: HttpDispatcher;
}

const RULES = lazyRules(() =>
  optionsOf<Parts>('an object', {
    credential: oktaCredentialRule().required(),
    timeoutMs: integer('the limit of one call, milliseconds', 1, 60_000).default(3_000),
    dispatcher: dispatcherRule(),
  }),
);

const LET_EDIT_USERS =
  "Give the service app, or the API token's owner, an administrator role that may edit users' profiles: Organization Administrator, or a custom role with okta.users.userprofile.manage. A service app also needs the scope okta.users.manage.";

/**
 * A client of Okta's Users API with the credential of a page or job of your own, such as one that writes the opt-in attribute.
 * Give it another credential than the hook's, which needs to read only.
 *
 * @param options.credential - an API token, or a service app with the scopes `okta.users.read` and `okta.users.manage`. Its access
 *   tokens are fetched by `private_key_jwt`, kept, and bound by DPoP where the org requires it.
 * @param options.timeoutMs - the limit of one call, with its token, milliseconds. Default: 3000.
 * @param options.dispatcher - undici's, such as a `ProxyAgent`. Default: a pool of its own.
 * @throws ConfigurationError for options that cannot work.
 */
export function oktaClient(options: {
  readonly credential: OktaCredential;
  readonly timeoutMs?: number | undefined;
  readonly dispatcher?: HttpDispatcher | undefined;
}): OktaClient {
  const { credential, timeoutMs, ...given } = readOptionsBy(RULES(), options, 'oktaClient');
  const client = createOktaApiClient({
    credentials: credential,
    dispatcher: given.dispatcher ?? createAgent(timeoutMs),
    clock: Date.now,
    connectTimeoutMs: timeoutMs,
    scopes: ['okta.users.read', 'okta.users.manage'],
  });
  const call = async (method: 'GET' | 'POST', userId: string, body?: object): Promise<UserProfile> => {
    const user = lookUpUser(userId, undefined);
    if (user === undefined) {
      const remedy = "Give Okta's id of the user, such as the sub of an ID token, and not a login.";
      throw new OktaApiError('OKTA_WRONG_USER', 'The text is no id of an Okta user', { remedy });
    }
    const path = `/api/v1/users/${user.segment}`;
    const answer = await client.request({ method, path, body, timeoutMs });
    return readProfile(answer.body, user);
  };
  return {
    readUser: (userId) => call('GET', userId),
    updateUser: async (userId, profile) => {
      try {
        // POST merges. PUT would remove the other attributes.
        return await call('POST', userId, { profile });
      } catch (error) {
        if (!(error instanceof OktaApiError) || error.code !== 'OKTA_FORBIDDEN') throw error;
        const { code, message, status, headers, reason } = error;
        throw new OktaApiError(code, message, { status, headers, reason, remedy: LET_EDIT_USERS });
      }
    },
  };
}
