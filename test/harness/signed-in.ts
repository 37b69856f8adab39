import { sealData } from 'iron-session';
import supertest from 'supertest';
import { SESSION_COOKIE, type GatewayUser, type LoginOptions } from '../../example/login.js';
import { REFUSING_ORIGIN } from './free-port.js';

/** The login of an example gateway whose users are signed in already. It cannot reach Okta. */
export const LOGIN: LoginOptions = {
  issuer: REFUSING_ORIGIN,
  clientId: '0oagatewayofthetests',
  clientSecret: 'client-secret-of-the-tests',
  redirectUri: 'http://localhost:3000/login/callback',
  adminGroup: 'Administrators',
  sessionSecret: 'session-secret-of-the-tests-0123456789',
};

/** A session cookie, as the gateway sets it after a sign-in. */
export async function sessionCookie(user: Partial<GatewayUser>): Promise<string> {
  const whole = {
    id: '00u1nobody0000000001',
    name: '<demo>',
    isAdministrator: false,
    csrfToken: 't0',
    ...user,
  };
  const sealed = await sealData({ user: whole }, { password: LOGIN.sessionSecret, ttl: 8 * 3600 });
  return `${SESSION_COOKIE}=${sealed}`;
}

/** A browser with a session of this user. */
export async function signedIn(
  app: Parameters<typeof supertest.agent>[0],
  user: Partial<GatewayUser>,
): Promise<ReturnType<typeof supertest.agent>> {
  const browser = supertest.agent(app);
  browser.jar.setCookie(await sessionCookie(user), '127.0.0.1', '/');
  return browser;
}
