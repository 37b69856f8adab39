import { expect } from 'chai';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { rsaKeys } from '#harness/rsa-keys.js';
import { jsonOf, rejection } from '../../local.js';

describe('startOktaEmulator: access tokens for hook calls', () => {
  let okta: OktaEmulator;
  const verify = (token: string) =>
    jwtVerify(token, createRemoteJWKSet(new URL(`${okta.issuer}/v1/keys`)), {
      algorithms: ['RS256'],
      issuer: okta.issuer,
      audience: 'api://default',
    });

  beforeEach(async () => {
    okta = await startOktaEmulator();
  });
  afterEach(() => okta.close());

  it('signs tokens that the published keys verify', async () => {
    const { payload, protectedHeader } = await verify(await okta.issueHookToken({ cid: 'hook-client' }));
    expect(protectedHeader.alg).to.equal('RS256');
    expect(payload).to.include({ cid: 'hook-client', sub: 'hook-client' });
    expect(payload['scp']).to.deep.equal(['telephony']);
    expect(okta.jwksHits).to.equal(1);
  });

  it('issues a token with changed or omitted claims', async () => {
    const claims = decodeJwt(await okta.issueHookToken({ aud: 'else', scp: undefined, exp: 1 }));
    expect(claims).to.include({ aud: 'else', exp: 1 });
    expect(claims).to.not.have.property('scp');
  });

  it('issues forged tokens, each of which a verifier refuses', async () => {
    const { privateKey } = rsaKeys();
    const forgeries = await Promise.all([
      okta.issueHookToken({}, { alg: 'none' }),
      okta.issueHookToken({}, { alg: 'HS256' }),
      okta.issueHookToken({}, { alg: 'RS512' }),
      okta.issueHookToken({}, { key: privateKey }),
      okta.issueHookToken({}, { kid: 'unknown' }),
    ]);
    expect(forgeries.map((token) => decodeProtectedHeader(token).alg)).to.deep.equal([
      'none',
      'HS256',
      'RS512',
      'RS256',
      'RS256',
    ]);
    for (const token of forgeries) expect(await rejection(verify(token))).to.be.instanceOf(Error);
  });

  it('publishes the previous key after a rotation, but not the one before that', async () => {
    const before = await okta.issueHookToken();
    await okta.rotateHookKeys();
    const after = await okta.issueHookToken();
    expect(decodeProtectedHeader(after).kid).to.not.equal(decodeProtectedHeader(before).kid);
    await verify(before);
    await verify(after);
    await okta.rotateHookKeys();
    expect(await rejection(verify(before))).to.be.instanceOf(Error);
  });

  it('applies faultKeys() to the keys endpoint only, until it is undefined', async () => {
    okta.faultKeys({ kind: 'status', status: 500 });
    const token = await okta.issueHookToken();
    expect(await rejection(verify(token))).to.be.instanceOf(Error);
    expect(okta.jwksHits).to.equal(1);
    okta.faultKeys({ kind: 'resetOnConnect' });
    expect(await rejection(verify(token))).to.be.instanceOf(Error);
    okta.faultKeys(undefined);
    await verify(token);
  });

  describe('the token endpoint', () => {
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
      const { payload } = await verify(String(body['access_token']));
      expect(payload).to.deep.include({ cid: '0oa1', scp: ['telephony', 'more'] });
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
});
