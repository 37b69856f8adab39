import type { OktaCredential } from 'okta-telephony-hook';
import { callOkta, fieldOf, OktaCallError, reasonIn, type CallAuthorization } from './okta-call.js';
import { createServiceAppTokens } from './service-app-tokens.js';
import { whatsAppNumberOf } from './whatsapp-number.js';

/** What Okta says of a user, as far as the preference page goes. */
export interface CodePreference {
  readonly isByWhatsApp: boolean;
  /** The profile's `mobilePhone`, by `whatsAppNumberOf`; `undefined` where it cannot be used. */
  readonly phone: string | undefined;
}

/** The users of the org, by a credential that may write them: not the hook's, which only reads. */
export interface OktaUsers {
  /** @throws OktaCallError */
  read(userId: string): Promise<CodePreference>;
  /** @throws OktaCallError where Okta has not written it, or nobody knows whether it has. */
  setByWhatsApp(userId: string, isByWhatsApp: boolean): Promise<void>;
}

/** Opens nothing before the first call. */
export function createOktaUsers(parts: {
  readonly credential: OktaCredential;
  readonly optInAttribute: string;
  /** Of one call, milliseconds. */
  readonly timeoutMs?: number | undefined;
}): OktaUsers {
  const { credential, optInAttribute, timeoutMs } = parts;
  const { origin } = new URL(credential.orgUrl);
  const authorization: CallAuthorization =
    credential.apiToken === undefined
      ? createServiceAppTokens(credential, ['okta.users.read', 'okta.users.manage'])
      : {
          headersFor: () => Promise.resolve({ authorization: `SSWS ${credential.apiToken}` }),
          renew: () => undefined,
        };

  const call = async (method: 'GET' | 'POST', userId: string, body?: object): Promise<CodePreference> => {
    // An id alone: `me` is the credential's owner, and a path could lead to any other resource.
    if (!/^00u[A-Za-z0-9]{10,40}$/.test(userId)) throw new OktaCallError('that is no id of an Okta user');
    const url = `${origin}/api/v1/users/${userId}`;
    const headers = {
      accept: 'application/json',
      'content-type': 'application/json',
      ...(await authorization.headersFor(method, url)),
    };
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await callOkta(url, { method, headers, ...content }, timeoutMs);
    if (answer.status === 401) authorization.renew();
    const id = fieldOf(answer.body, 'id');
    const profile = fieldOf(answer.body, 'profile');
    if (answer.status !== 200 || id !== userId) {
      throw new OktaCallError(
        `Okta answered ${method} of a user with ${answer.status}${reasonIn(answer.body)}`,
      );
    }
    return {
      isByWhatsApp: fieldOf(profile, optInAttribute) === true,
      phone: whatsAppNumberOf(fieldOf(profile, 'mobilePhone')),
    };
  };

  return {
    read: (userId) => call('GET', userId),
    setByWhatsApp: async (userId, isByWhatsApp) => {
      try {
        // POST merges: nothing else of the profile is touched.
        const profile = { [optInAttribute]: isByWhatsApp };
        const { isByWhatsApp: isNow } = await call('POST', userId, { profile });
        if (isNow !== isByWhatsApp) throw new OktaCallError(`Okta did not keep ${optInAttribute}`);
      } catch (error) {
        // Only the answer may be lost: then the profile has it.
        const now = await call('GET', userId).catch(() => undefined);
        if (now?.isByWhatsApp !== isByWhatsApp) throw error;
      }
    },
  };
}
