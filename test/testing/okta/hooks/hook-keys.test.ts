import { expect } from 'chai';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { callApi, type ApiAnswer } from '../client.js';

describe('startOktaEmulator: the Hook Keys API', () => {
  let okta: OktaEmulator;
  const call = (method: string, path = '', body?: unknown): Promise<ApiAnswer> =>
    callApi(okta, method, `/api/v1/hook-keys${path}`, body);

  beforeEach(async () => {
    okta = await startOktaEmulator();
  });
  afterEach(() => okta.close());

  it('creates and lists a key with its public part, but never its private one', async () => {
    const created = await call('POST', '', { name: 'Hook' });
    expect(created.status).to.equal(200);
    const { id, keyId, _embedded: embedded, ...rest } = created.body;
    expect(id).to.match(/^HKY[A-Za-z0-9]{17}$/);
    expect(rest).to.include({ name: 'Hook' });
    expect(embedded).to.have.all.keys('kty', 'alg', 'kid', 'use', 'e', 'n');
    expect((await call('GET')).list).to.deep.equal([{ ...rest, id, keyId }]);
    expect(okta.hookKeys[0]?.publicJwk).to.include({ alg: 'RS256', use: 'sig', kid: keyId });
    expect(okta.hookKeys[0]?.publicJwk).to.not.have.property('d');
  });

  it('answers 400 to a missing or duplicate name', async () => {
    await call('POST', '', { name: 'Hook' });
    for (const body of [{}, { name: 'Hook' }]) {
      expect((await call('POST', '', body)).status).to.equal(400);
    }
    expect(okta.hookKeys).to.have.length(1);
  });
});
