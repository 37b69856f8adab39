import { expect } from 'chai';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { callApi, telephonyHook, type ApiAnswer } from './client.js';

describe('startOktaEmulator: the Hook Keys API', () => {
  let okta: OktaEmulator;
  const call = (method: string, path = '', body?: unknown): Promise<ApiAnswer> =>
    callApi(okta, method, `/api/v1/hook-keys${path}`, body);

  beforeEach(async () => {
    okta = await startOktaEmulator();
  });
  afterEach(() => okta.close());

  it('makes a key, shows its public part, and never the private one', async () => {
    const created = await call('POST', '', { name: 'Hook' });
    expect(created.status).to.equal(200);
    const { id, keyId, _embedded: embedded, ...rest } = created.body;
    expect(id).to.match(/^HKY[A-Za-z0-9]{17}$/);
    expect(rest).to.include({ name: 'Hook', isUsed: 'false' });
    expect(embedded).to.have.all.keys('kty', 'alg', 'kid', 'use', 'e', 'n');
    expect((await call('GET')).list).to.deep.equal([{ ...rest, id, keyId }]);
    expect((await call('GET', `/${String(id)}`)).body).to.deep.equal({ ...rest, id, keyId });
    expect((await call('GET', `/${String(id)}?expand=publickey`)).body).to.deep.equal(created.body);
    expect((await call('GET', `/public/${String(keyId)}`)).body).to.deep.equal(embedded);
    expect(okta.hookKeys[0]?.publicJwk).to.include({ alg: 'RS256', use: 'sig', kid: keyId });
    expect(okta.hookKeys[0]?.publicJwk).to.not.have.property('d');
  });

  it('says whether a hook uses it', async () => {
    const { id } = (await call('POST', '', { name: 'Hook' })).body;
    const config = {
      uri: 'https://otp.example.com/',
      authType: 'private_key_jwt',
      hookKeyId: id,
      clientId: '0oa1',
      tokenUrl: 'https://acme.okta.com/oauth2/default/v1/token',
      scope: 'telephony',
    };
    const hook = { ...telephonyHook(''), channel: { type: 'OAUTH', version: '1.0.0', config } };
    expect((await callApi(okta, 'POST', '/api/v1/inlineHooks', hook)).status).to.equal(200);
    expect((await call('GET', `/${String(id)}`)).body).to.include({ isUsed: 'true' });
  });

  it('refuses a name that is missing, too long or taken, and knows no other keys', async () => {
    await call('POST', '', { name: 'Hook' });
    for (const body of [{}, { name: 'x'.repeat(256) }, { name: 'Hook' }]) {
      expect((await call('POST', '', body)).status).to.equal(400);
    }
    expect((await call('GET', '/HKYother')).status).to.equal(404);
    expect((await call('GET', '/public/other')).status).to.equal(404);
    expect(okta.hookKeys).to.have.length(1);
  });
});
