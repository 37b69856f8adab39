import type { OktaEmulator } from '../../lib/testing/index.js';
import type { CallEmulator } from './emulator-answers.js';
import { isSchema } from './own-checks.js';
import { AMERICAN, BRITON } from './subjects.js';

const FAST_ANSWER =
  'application/json; okta-response="omitCredentials,omitCredentialsLinks,omitTransitioningToStatus"';

/** The calls of Okta's Users API that the emulator answers, each with success and errors. */
export async function callUsers(okta: OktaEmulator, call: CallEmulator): Promise<void> {
  const token = { authorization: `SSWS ${okta.apiToken}` };
  const ana = okta.addUser({
    login: 'ana.silveira@example.com',
    profile: { mobilePhone: BRITON, locale: 'en_GB', whatsAppOptIn: true },
    phoneFactors: [
      { factorType: 'sms', phoneNumber: BRITON },
      { factorType: 'call', phoneNumber: AMERICAN, phoneExtension: '12' },
    ],
  });
  okta.addUser({ login: 'bob@example.com', status: 'LOCKED_OUT' });
  const ofAna = { method: 'GET', path: `/api/v1/users/${ana.id}` };

  await call('a user by id', { ...ofAna, status: 200, headers: token });
  await call('a user without what is slow', {
    ...ofAna,
    status: 200,
    headers: { ...token, 'content-type': FAST_ANSWER },
  });
  await call('a user by login', {
    method: 'GET',
    path: `/api/v1/users/${encodeURIComponent('bob@example.com')}`,
    status: 200,
    headers: token,
  });
  await call("the token's owner", { method: 'GET', path: '/api/v1/users/me', status: 200, headers: token });
  await call('an unknown user', { method: 'GET', path: '/api/v1/users/00u0', status: 404, headers: token });
  await call('a wrong API token', { ...ofAna, status: 401, headers: { authorization: 'SSWS wrong' } });
  await call('a wrong access token', { ...ofAna, status: 401, headers: { authorization: 'Bearer wrong' } });

  okta.setRateLimit({ limit: 10, remaining: 0, resetInSeconds: 60 });
  await call('more than the rate limit', { ...ofAna, status: 429, headers: token });
  okta.setRateLimit(undefined);

  const users = '/api/v1/users';
  const profile = {
    login: 'cleo@example.com',
    email: 'cleo@example.com',
    firstName: 'Cleo',
    lastName: 'Reis',
  };
  const save = (does: string, method: string, path: string, body: object, status = 200): Promise<unknown> =>
    call(does, { method, path, status, headers: token, json: { profile: body } });
  const cleo = idOf(await save('a new user', 'POST', users, profile));
  await save('a new user whose login is taken', 'POST', users, profile, 400);
  await save('a part of a profile', 'POST', `${users}/${cleo}`, { nickName: 'C' });
  await save('a whole profile', 'PUT', `${users}/${cleo}`, profile);
  await save('an attribute that is not there', 'POST', `${users}/${cleo}`, { nobodysAttribute: 1 }, 400);
  await save('an unknown user, with a profile', 'POST', `${users}/00u0`, profile, 404);
  await save('an unknown user, with a whole profile', 'PUT', `${users}/00u0`, profile, 404);
  const get = (does: string, path: string, status = 200): Promise<unknown> =>
    call(does, { method: 'GET', path, status, headers: token });
  await get('all users', users);
  await get(
    'some users',
    `${users}?${new URLSearchParams({ search: 'profile.login eq "cleo@example.com"' }).toString()}`,
  );
  await get('a search that is none', `${users}?search=(`, 400);
  await get("a user's phones", `${users}/${ana.id}/factors`);
  await get("an unknown user's phones", `${users}/00u0/factors`, 404);
}

/** The id of a created resource; empty if it was not created. */
export function idOf(resource: unknown): string {
  const found = isSchema(resource) ? resource['id'] : undefined;
  return typeof found === 'string' ? found : '';
}
