import { expect } from 'chai';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { jsonOf, rejection } from '../local.js';
import { freePort } from '#harness/free-port.js';

describe('startOktaEmulator: single users, rate limit and faults', () => {
  let now = Date.UTC(2026, 2, 1);
  let okta: OktaEmulator;
  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${okta.orgUrl}${path}`, { headers: { authorization: `SSWS ${okta.apiToken}`, ...headers } });

  beforeEach(async () => {
    okta = await startOktaEmulator({ clock: () => now });
  });
  afterEach(() => okta.close());

  it('finds a user by id, by login in any case, and by the part before the @', async () => {
    const user = okta.addUser({ login: 'Ana@example.com', profile: { whatsAppOptIn: true } });
    expect(user.id).to.match(/^00u[A-Za-z0-9]{17}$/);
    for (const key of [user.id, 'ana%40EXAMPLE.com', 'ana']) {
      const response = await get(`/api/v1/users/${key}`);
      expect(response.status).to.equal(200);
      expect(await jsonOf(response)).to.deep.include({
        id: user.id,
        status: 'ACTIVE',
        profile: user.profile,
      });
    }
    expect(user.profile).to.include({ login: 'Ana@example.com', whatsAppOptIn: true, firstName: 'Ana' });
  });

  it('listens only on 127.0.0.1, or with insecureRemoteAccess on every address', async () => {
    const open = await startOktaEmulator({ insecureRemoteAccess: true });
    try {
      // Another address of this machine. A system without it refuses both.
      const reach = ({ orgUrl }: OktaEmulator): Promise<unknown> =>
        fetch(`${orgUrl.replace('127.0.0.1', '127.0.0.2')}/.well-known/openid-configuration`).then(
          ({ status }) => status,
          () => 'refused',
        );
      expect(open.orgUrl).to.match(/^http:\/\/127\.0\.0\.1:/);
      expect(await reach(okta)).to.equal('refused');
      if (process.platform === 'linux') expect(await reach(open)).to.equal(200);
    } finally {
      await open.close();
    }
  });

  it('returns its users to the test with their current login and status', () => {
    const user = okta.addUser({ login: 'ana@example.com', status: 'LOCKED_OUT' });
    okta.updateUser('ana', { login: 'ana.silva@example.com' });
    expect(okta.users).to.have.length(1);
    expect(okta.users[0]).to.include({ id: user.id, login: 'ana.silva@example.com', status: 'LOCKED_OUT' });
  });

  it('updates a profile and removes attributes that are null, and throws for unknown or duplicate users', async () => {
    const user = okta.addUser({ login: 'ana@example.com', profile: { whatsAppOptIn: true } });
    okta.updateUser('ana@example.com', { mobilePhone: '+4915112345678', whatsAppOptIn: null });
    const body = await jsonOf(await get(`/api/v1/users/${user.id}`));
    expect(body['profile']).to.include({ mobilePhone: '+4915112345678' });
    expect(body['profile']).to.not.have.property('whatsAppOptIn');
    expect(user.profile).to.deep.equal(body['profile']);
    expect(() => {
      okta.updateUser('nobody', {});
    }).to.throw('no such user');
    expect(() => okta.addUser({ login: 'ANA@example.com' })).to.throw('already');
  });

  it('counts a rate limit down to 429 and renews it with the next window', async () => {
    const user = okta.addUser({ login: 'ana@example.com' });
    okta.setRateLimit({ limit: 100, remaining: 1, resetInSeconds: 30 });
    expect((await get(`/api/v1/users/${user.id}`)).status).to.equal(200);
    expect((await get(`/api/v1/users/${user.id}`)).status).to.equal(429);
    now += 30_000;
    const third = await get(`/api/v1/users/${user.id}`);
    expect(third.status).to.equal(200);
    expect(third.headers.get('x-rate-limit-remaining')).to.equal('99');
    okta.setRateLimit(undefined);
    expect(
      (await get(`/api/v1/users/${user.id}`)).headers.get('x-rate-limit-remaining'),
    ).to.have.length.above(6);
  });

  it('records API requests, and applies a fault without a match to the API only', async () => {
    const user = okta.addUser({ login: 'ana@example.com' });
    okta.fault({ kind: 'status', status: 503, body: { errorCode: 'E0000010' } });
    expect((await get(`/api/v1/users/${user.id}`)).status).to.equal(503);
    expect((await fetch(`${okta.issuer}/v1/keys`)).status).to.equal(200);
    okta.clearFaults();
    expect((await get(`/api/v1/users/${user.id}?expand=blocks`)).status).to.equal(200);
    expect(okta.requests.map((request) => request.path)).to.deep.equal([
      `/api/v1/users/${user.id}`,
      `/api/v1/users/${user.id}?expand=blocks`,
    ]);
    expect(okta.requests[0]).to.include({ method: 'GET', at: now, body: '' });
  });

  it('ends hanging requests and frees its port at close()', async () => {
    await okta.close();
    okta = await startOktaEmulator({ port: await freePort() });
    const user = okta.addUser({ login: 'ana@example.com' });
    okta.fault({ kind: 'hang' });
    const hanging = rejection(get(`/api/v1/users/${user.id}`));
    while (okta.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await okta.close();
    await hanging;
    const again = await startOktaEmulator({ port: Number(new URL(okta.orgUrl).port) });
    expect(again.orgUrl).to.equal(okta.orgUrl);
    await again.close();
  });
});
