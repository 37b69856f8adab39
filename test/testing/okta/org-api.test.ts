import { expect } from 'chai';
import { startOktaEmulator, type OktaEmulator, type RateLimitBucket } from '#lib/testing/index.js';
import { authorizeApp, callApi } from './client.js';

describe('startOktaEmulator: the management API', () => {
  const now = Date.UTC(2026, 2, 1);
  let okta: OktaEmulator;

  beforeEach(async () => {
    okta = await startOktaEmulator({ clock: () => now });
  });
  afterEach(() => okta.close());

  it('sends the time of its clock as the Date header of every answer, also of a fault', async () => {
    const date = new Date(now).toUTCString();
    expect((await callApi(okta, 'GET', '/api/v1/users')).headers.get('date')).to.equal(date);
    expect((await fetch(`${okta.issuer}/v1/keys`)).headers.get('date')).to.equal(date);
    okta.fault({ kind: 'html', status: 502 });
    const faulty = await fetch(`${okta.orgUrl}/api/v1/users`);
    expect(faulty.status).to.equal(502);
    expect(faulty.headers.get('date')).to.equal(date);
  });

  it('answers 401 for an unknown path without a valid token, else 404, and 405 for the wrong method', async () => {
    const wrongToken = { authorization: 'SSWS wrong' };
    expect((await callApi(okta, 'GET', '/api/v1/nothing', undefined, wrongToken)).status).to.equal(401);
    const missing = await callApi(okta, 'GET', '/api/v1/nothing');
    expect(missing.status).to.equal(404);
    expect(missing.body).to.include({ errorCode: 'E0000022' });
    expect((await callApi(okta, 'DELETE', '/api/v1/users/ana')).status).to.equal(405);
    expect((await callApi(okta, 'GET', '/oauth2/v1/token')).status).to.equal(405);
    expect((await fetch(`${okta.orgUrl}/elsewhere`)).status).to.equal(404);
  });

  it('answers 400 to a body that is not JSON and to an id that it cannot decode', async () => {
    const malformed = await callApi(okta, 'POST', '/api/v1/inlineHooks', '{"name":');
    expect(malformed.status).to.equal(400);
    expect(malformed.body).to.include({ errorCode: 'E0000003' });
    const undecodable = await callApi(okta, 'GET', '/api/v1/users/%E0%A4%A');
    expect(undecodable.status).to.equal(400);
    expect(undecodable.body).to.include({ errorCode: 'E0000001' });
  });

  it('counts each rate limit bucket separately, and sends its state in the headers of every answer', async () => {
    okta.addUser({ login: 'ana@example.com' });
    const calls: Record<RateLimitBucket, [string, string]> = {
      user: ['GET', '/api/v1/users/ana'],
      users: ['GET', '/api/v1/users?limit=1'],
      token: ['POST', '/oauth2/v1/token'],
      other: ['GET', '/api/v1/inlineHooks'],
    };
    for (const [bucket, [method, path]] of Object.entries(calls)) {
      okta.setRateLimit({ limit: 50, remaining: 1, resetInSeconds: 30 }, bucket as RateLimitBucket);
      const last = await callApi(okta, method, path);
      expect(last.status, bucket).to.not.equal(429);
      expect(last.headers.get('x-rate-limit-limit'), bucket).to.equal('50');
      expect(last.headers.get('x-rate-limit-remaining'), bucket).to.equal('0');
      expect(last.headers.get('x-rate-limit-reset'), bucket).to.equal(String(now / 1000 + 30));
      const refused = await callApi(okta, method, path);
      expect(refused.status, bucket).to.equal(429);
      expect(refused.body, bucket).to.include({ errorCode: 'E0000047' });
      okta.setRateLimit(undefined, bucket as RateLimitBucket);
      expect((await callApi(okta, method, path)).status, bucket).to.not.equal(429);
    }
  });

  it('requires exactly the scope that the OpenAPI document names for each request', async () => {
    const calls: [string, string, string][] = [
      ['okta.users.read', 'GET', '/api/v1/users'],
      ['okta.users.manage', 'POST', '/api/v1/users'],
      ['okta.users.read', 'GET', '/api/v1/users/ana'],
      ['okta.users.manage', 'POST', '/api/v1/users/ana'],
      ['okta.users.manage', 'PUT', '/api/v1/users/ana'],
      ['okta.users.read', 'GET', '/api/v1/users/ana/factors'],
      ['okta.schemas.read', 'GET', '/api/v1/meta/schemas/user/default'],
      ['okta.schemas.manage', 'POST', '/api/v1/meta/schemas/user/default'],
      ['okta.userTypes.read', 'GET', '/api/v1/meta/types/user'],
      ['okta.inlineHooks.read', 'GET', '/api/v1/inlineHooks'],
      ['okta.inlineHooks.manage', 'POST', '/api/v1/inlineHooks'],
      ['okta.inlineHooks.read', 'GET', '/api/v1/inlineHooks/cal1'],
      ['okta.inlineHooks.manage', 'PUT', '/api/v1/inlineHooks/cal1'],
      ['okta.inlineHooks.manage', 'POST', '/api/v1/inlineHooks/cal1'],
      ['okta.inlineHooks.manage', 'DELETE', '/api/v1/inlineHooks/cal1'],
      ['okta.inlineHooks.manage', 'POST', '/api/v1/inlineHooks/cal1/execute'],
      ['okta.inlineHooks.manage', 'POST', '/api/v1/inlineHooks/cal1/lifecycle/activate'],
      ['okta.inlineHooks.manage', 'POST', '/api/v1/inlineHooks/cal1/lifecycle/deactivate'],
      ['okta.inlineHooks.read', 'GET', '/api/v1/hook-keys'],
      ['okta.inlineHooks.manage', 'POST', '/api/v1/hook-keys'],
      ['okta.eventHooks.read', 'GET', '/api/v1/eventHooks'],
      ['okta.eventHooks.manage', 'POST', '/api/v1/eventHooks'],
      ['okta.eventHooks.read', 'GET', '/api/v1/eventHooks/who1'],
      ['okta.eventHooks.manage', 'PUT', '/api/v1/eventHooks/who1'],
      ['okta.eventHooks.manage', 'DELETE', '/api/v1/eventHooks/who1'],
      ['okta.eventHooks.manage', 'POST', '/api/v1/eventHooks/who1/lifecycle/verify'],
      ['okta.customTelephonyProvider.read', 'GET', '/api/v1/telephony-providers'],
      ['okta.authenticators.read', 'GET', '/api/v1/authenticators'],
    ];
    const scopes = [...new Set(calls.map(([scope]) => scope))];
    okta = await replace(okta);
    for (const [scope, method, path] of calls) {
      const without = await authorizeApp(
        okta,
        scopes.filter((other) => other !== scope),
      );
      const refused = await callApi(okta, method, path, undefined, { authorization: without });
      expect(refused.status, `${method} ${path}`).to.equal(403);
      expect(refused.body, `${method} ${path}`).to.include({ errorCode: 'E0000006' });
      expect(refused.headers.get('www-authenticate')).to.include(`scope="${scope}"`);
      const having = await authorizeApp(okta, [scope]);
      const passed = await callApi(okta, method, path, undefined, { authorization: having });
      expect(passed.status, `${method} ${path}`).to.not.equal(403);
    }
  });

  it('requires the admin role besides the scope, of an app and of an API token', async () => {
    okta = await replace(okta);
    const scopes = ['okta.users.read', 'okta.schemas.read', 'okta.inlineHooks.read'];
    const paths = ['/api/v1/users', '/api/v1/meta/schemas/user/default', '/api/v1/inlineHooks'];
    const statusesOf = async (roles: readonly string[] | undefined): Promise<number[]> => {
      const authorization = await authorizeApp(okta, scopes, roles);
      const answers = paths.map((path) => callApi(okta, 'GET', path, undefined, { authorization }));
      return (await Promise.all(answers)).map(({ status }) => status);
    };
    expect(await statusesOf(undefined)).to.deep.equal([200, 200, 200]);
    expect(await statusesOf(['APP_ADMIN'])).to.deep.equal([200, 200, 403]);
    expect(await statusesOf(['READ_ONLY_ADMIN'])).to.deep.equal([200, 403, 403]);
    expect(await statusesOf([])).to.deep.equal([403, 403, 403]);

    const weak = await startOktaEmulator({ apiTokenRoles: ['READ_ONLY_ADMIN'] });
    expect((await callApi(weak, 'GET', '/api/v1/users')).status).to.equal(200);
    expect((await callApi(weak, 'GET', '/api/v1/inlineHooks')).status).to.equal(403);
    await weak.close();
  });

  it('accepts several API tokens, each with its own admin roles', async () => {
    const { id } = okta.addUser({ login: 'two.tokens@example.com' });
    const path = `/api/v1/users/${id}`;
    const statusBy = (token: string, method: string): Promise<number> =>
      callApi(okta, method, path, method === 'POST' ? { profile: { nickName: 'Two' } } : undefined, {
        authorization: `SSWS ${token}`,
      }).then(({ status }) => status);
    const reader = okta.addApiToken(['READ_ONLY_ADMIN']);
    const writer = okta.addApiToken(['USER_ADMIN']);
    const whole = okta.addApiToken();
    expect(new Set([reader, writer, whole, okta.apiToken]).size).to.equal(4);
    expect(await statusBy(reader, 'GET')).to.equal(200);
    expect(await statusBy(reader, 'POST')).to.equal(403);
    for (const token of [writer, whole, okta.apiToken]) expect(await statusBy(token, 'POST')).to.equal(200);
    expect(await statusBy('00nobody', 'GET')).to.equal(401);
    expect(okta.requests.map(({ headers }) => headers.authorization)).to.include(`SSWS ${writer}`);
  });

  /** Starts an emulator with the real clock, which signed assertions need. */
  async function replace(old: OktaEmulator): Promise<OktaEmulator> {
    await old.close();
    return startOktaEmulator();
  }
});
