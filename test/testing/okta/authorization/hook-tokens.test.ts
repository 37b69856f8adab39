import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { jsonOf } from '../../local.js';

/** The tests of the hook's callers sign in with tokens of every kind. */
describe('startOktaEmulator: the token endpoint for hook calls', () => {
  let okta: OktaEmulator;
  beforeEach(async () => {
    okta = await startOktaEmulator();
  });
  afterEach(() => okta.close());

  const ask = (form: Record<string, string>) =>
    fetch(`${okta.issuer}/v1/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'telephony', ...form }),
    });
  const client = { client_id: '0oa1', client_secret: 'secret' };

  it('issues a token to a client with its secret', async () => {
    okta.registerHookClient({ clientId: '0oa1', clientSecret: 'secret', scopes: ['telephony', 'more'] });
    const response = await ask({ ...client, scope: 'telephony more' });
    expect(response.status).to.equal(200);
    const body = await jsonOf(response);
    expect(body).to.include({ token_type: 'Bearer', expires_in: 3600, scope: 'telephony more' });
    const claims = decodeJwt(String(body['access_token']));
    expect(claims).to.deep.include({ cid: '0oa1', scp: ['telephony', 'more'] });
  });

  it('refuses unknown clients, other grant types and scopes that the client does not have', async () => {
    okta.registerHookClient({ clientId: '0oa1', clientSecret: 'secret' });
    okta.registerHookClient({ clientId: '0oa2' });
    const refused: [Record<string, string>, number, string][] = [
      [{}, 401, 'invalid_client'],
      [{ ...client, client_secret: 'wrong' }, 401, 'invalid_client'],
      [{ ...client, client_id: '0oa2' }, 401, 'invalid_client'],
      [{ client_assertion: 'x.y.z' }, 401, 'invalid_client'],
      [{ ...client, grant_type: 'password' }, 400, 'unsupported_grant_type'],
      [{ ...client, scope: 'other' }, 400, 'invalid_scope'],
      [{ ...client, scope: '' }, 400, 'invalid_scope'],
    ];
    for (const [form, status, error] of refused) {
      const response = await ask(form);
      expect(response.status, error).to.equal(status);
      expect(await jsonOf(response)).to.include({ error });
    }
  });
});
