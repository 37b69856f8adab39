import type { OktaCredential } from 'okta-telephony-hook';
import type { Account } from './login.js';
import { readPrivateKey } from './service-app-tokens.js';
import {
  ACCOUNT_VARIABLES,
  hasAny,
  PREFERENCES_VARIABLES,
  required,
  type Read,
  type Reading,
} from './variables.js';

/** Attempts to log in are not limited. */
const MIN_PASSWORD_LENGTH = 16;

/** What a credential is called by: the hook's, and the preference page's. */
export function readOkta(read: Read, prefix: 'OKTA_' | 'OKTA_PREFERENCES_'): Reading<OktaCredential> {
  const org = required(read, 'OKTA_ORG_URL', "the org's origin, such as https://acme.okta.com");
  const apiToken = read(`${prefix}API_TOKEN`);
  const hasServiceApp = hasAny(read, [`${prefix}CLIENT_ID`, `${prefix}PRIVATE_KEY`, `${prefix}KEY_ID`]);
  if (apiToken !== undefined) {
    const both = `${prefix}API_TOKEN does not go with ${prefix}CLIENT_ID, ${prefix}PRIVATE_KEY and ${prefix}KEY_ID: unset it, or them`;
    return {
      value: { orgUrl: org.value, apiToken },
      problems: [...org.problems, ...(hasServiceApp ? [both] : [])],
    };
  }
  if (!hasServiceApp) {
    const neither = `${prefix}API_TOKEN is missing; in its place ${prefix}CLIENT_ID and ${prefix}PRIVATE_KEY of a service app will do`;
    return { value: { orgUrl: org.value, apiToken: '' }, problems: [...org.problems, neither] };
  }
  const clientId = required(read, `${prefix}CLIENT_ID`, 'the client id of the service app');
  const privateKey = required(
    read,
    `${prefix}PRIVATE_KEY`,
    'the private key of the service app, a PEM or a JWK',
  );
  return {
    value: {
      orgUrl: org.value,
      clientId: clientId.value,
      // A PEM has lines, and many ways of setting a variable have none.
      privateKey: privateKey.value,
      keyId: read(`${prefix}KEY_ID`),
    },
    problems: [...org.problems, ...clientId.problems, ...privateKey.problems],
  };
}

/** The hook can be reached from the internet: what it is given by must not be able to write. */
export function readPreferences(read: Read): Reading<OktaCredential | undefined> {
  if (!hasAny(read, PREFERENCES_VARIABLES)) return { value: undefined, problems: [] };
  const { value, problems } = readOkta(read, 'OKTA_PREFERENCES_');
  const isSame = (['API_TOKEN', 'CLIENT_ID'] as const).find(
    (name) =>
      read(`OKTA_PREFERENCES_${name}`) !== undefined &&
      read(`OKTA_PREFERENCES_${name}`) === read(`OKTA_${name}`),
  );
  return {
    value,
    problems: [
      // The hook's own credential tells of that.
      ...problems.filter((problem) => !problem.startsWith('OKTA_ORG_URL')),
      ...(isSame === undefined
        ? []
        : [
            `OKTA_PREFERENCES_${isSame} is OKTA_${isSame}: the preference page needs a credential of its own`,
          ]),
      ...(isReadableKey(value)
        ? []
        : ['OKTA_PREFERENCES_PRIVATE_KEY is no private key: a PEM that is not encrypted, or a private JWK']),
      ...required(read, 'PUBLIC_URL', 'the words that users of the preference page send come to it').problems,
      ...(hasAny(read, ['TWILIO_SANDBOX_NUMBER', 'TWILIO_WHATSAPP_FROM'])
        ? []
        : [
            'TWILIO_SANDBOX_NUMBER or TWILIO_WHATSAPP_FROM is missing: users of the preference page write to it',
          ]),
    ],
  };
}

function isReadableKey({ privateKey }: OktaCredential): boolean {
  if (privateKey === undefined || privateKey === '') return true;
  try {
    readPrivateKey(privateKey);
    return true;
  } catch {
    return false;
  }
}

/** One account, to try the pages with: a gateway of your own has a login of its own. */
export function readAccounts(read: Read): Reading<readonly Account[]> {
  if (!hasAny(read, ACCOUNT_VARIABLES)) return { value: [], problems: [] };
  const username = required(read, 'ACCOUNT_NAME', 'who logs in to the pages');
  const password = required(read, 'ACCOUNT_PASSWORD', 'what they log in with: openssl rand -base64 18');
  const oktaUserId = required(read, 'ACCOUNT_OKTA_USER_ID', "whose account it is: the Okta user's id, 00u…");
  const administrator = read('ACCOUNT_IS_ADMINISTRATOR');
  const isShort = password.value !== '' && password.value.length < MIN_PASSWORD_LENGTH;
  const isNoId = oktaUserId.value !== '' && !/^00u[A-Za-z0-9]{10,40}$/.test(oktaUserId.value);
  return {
    value: [
      {
        username: username.value,
        password: password.value,
        oktaUserId: oktaUserId.value,
        isAdministrator: administrator === '1',
      },
    ],
    problems: [
      ...username.problems,
      ...password.problems,
      ...oktaUserId.problems,
      ...(isShort ? ['ACCOUNT_PASSWORD is too short: make it by openssl rand -base64 18'] : []),
      ...(administrator === undefined || ['0', '1'].includes(administrator)
        ? []
        : ["ACCOUNT_IS_ADMINISTRATOR must be 1, for an account that may use the hook's console, or 0"]),
      ...(isNoId
        ? ["ACCOUNT_OKTA_USER_ID is no id: it begins with 00u, and is in the address of the user's page"]
        : []),
    ],
  };
}
