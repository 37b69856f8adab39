import { expect } from 'chai';
import { createHash, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, decodeJwt, exportJWK, SignJWT, type JWK } from 'jose';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { jsonOf } from '../../local.js';

const CLIENT_ID = '0oaservice0001d7';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

describe('startOktaEmulator: tokens for API service apps', () => {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const proofKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let publicJwk: JWK;
  let proofJwk: JWK;
  let okta: OktaEmulator;
  let tokenUrl: string;
  let userUrl: string;

  before(async () => {
    publicJwk = { ...(await exportJWK(key.publicKey)), kid: 'one' };
    proofJwk = await exportJWK(proofKey.publicKey);
  });
  beforeEach(async () => {
    okta = await startOktaEmulator();
    tokenUrl = `${okta.orgUrl}/oauth2/v1/token`;
    userUrl = `${okta.orgUrl}/api/v1/users/${okta.addUser({ login: 'ana@example.com' }).id}`;
  });
  afterEach(() => okta.close());

  const assertion = (
    claims: Record<string, unknown> = {},
    header: { alg?: string; kid?: string; key?: KeyObject } = {},
  ): Promise<string> => {
    const now = Math.floor(Date.now() / 1000);
    const usual = {
      iss: CLIENT_ID,
      sub: CLIENT_ID,
      aud: tokenUrl,
      iat: now,
      exp: now + 300,
      jti: randomUUID(),
    };
    return new SignJWT({ ...usual, ...claims })
      .setProtectedHeader({ alg: header.alg ?? 'ES256', kid: header.kid ?? 'one' })
      .sign(header.key ?? key.privateKey);
  };
  const ask = (
    clientAssertion: string,
    form: Record<string, string> = {},
    headers: Record<string, string> = {},
  ) =>
    fetch(tokenUrl, {
      method: 'POST',
      headers,
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        scope: 'okta.users.read',
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: clientAssertion,
        ...form,
      }),
    });
  const prove = (claims: Record<string, unknown>, typ = 'dpop+jwt'): Promise<string> =>
    new SignJWT({ iat: Math.floor(Date.now() / 1000), jti: randomUUID(), ...claims })
      .setProtectedHeader({ typ, alg: 'ES256', jwk: proofJwk })
      .sign(proofKey.privateKey);

  it('issues a token that the Users API accepts until revokeTokens()', async () => {
    okta.registerServiceApp({ clientId: CLIENT_ID, publicJwk });
    const response = await ask(await assertion());
    expect(response.status).to.equal(200);
    const body = await jsonOf(response);
    expect(body).to.include({ token_type: 'Bearer', expires_in: 3600, scope: 'okta.users.read' });
    const authorization = `Bearer ${String(body['access_token'])}`;
    expect((await fetch(userUrl, { headers: { authorization } })).status).to.equal(200);
    okta.revokeTokens();
    const refused = await fetch(userUrl, { headers: { authorization } });
    expect(refused.status).to.equal(401);
    expect(await jsonOf(refused)).to.include({ errorCode: 'E0000011' });
    expect(okta.requests.map((request) => request.form?.['grant_type'])).to.include('client_credentials');
  });

  it('expires tokens by its clock', async () => {
    let now = Date.now();
    const short = await startOktaEmulator({ clock: () => now, tokenLifetimeSeconds: 10 });
    short.registerServiceApp({ clientId: CLIENT_ID, publicJwk });
    short.addUser({ login: 'ana@example.com' });
    tokenUrl = `${short.orgUrl}/oauth2/v1/token`;
    const body = await jsonOf(await ask(await assertion()));
    const call = () =>
      fetch(`${short.orgUrl}/api/v1/users/ana`, {
        headers: { authorization: `Bearer ${String(body['access_token'])}` },
      });
    expect((await call()).status).to.equal(200);
    now += 10_000;
    expect((await call()).status).to.equal(401);
    await short.close();
  });

  it('refuses each invalid or repeated client assertion with 401 invalid_client', async () => {
    okta.registerServiceApp({ clientId: CLIENT_ID, publicJwk });
    const now = Math.floor(Date.now() / 1000);
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const used = await assertion();
    expect((await ask(used)).status).to.equal(200);
    const wrong: Record<string, string> = {
      'the same again': used,
      'another issuer': await assertion({ iss: 'else' }),
      'another subject': await assertion({ sub: 'else' }),
      'another audience': await assertion({ aud: okta.orgUrl }),
      expired: await assertion({ exp: now - 60 }),
      'good for too long': await assertion({ exp: now + 7200 }),
      'no expiry': await assertion({ exp: undefined }),
      'another key id': await assertion({}, { kid: 'two' }),
      'another key': await assertion({}, { key: other.privateKey }),
      nonsense: 'x.y.z',
    };
    for (const [why, value] of Object.entries(wrong)) {
      const response = await ask(value);
      expect(response.status, why).to.equal(401);
      expect(await jsonOf(response), why).to.include({ error: 'invalid_client' });
    }
  });

  it('refuses another grant type, scopes that the app does not have, and API calls without the scope', async () => {
    okta.registerServiceApp({ clientId: CLIENT_ID, publicJwk, scopes: ['okta.logs.read'] });
    const grant = await ask(await assertion(), { grant_type: 'password' });
    expect(await jsonOf(grant)).to.include({ error: 'unsupported_grant_type' });
    const proof = await ask(await assertion(), { client_assertion_type: 'client_secret_post' });
    expect(proof.status).to.equal(401);
    expect(await jsonOf(proof)).to.include({ error: 'invalid_client' });
    expect(await jsonOf(await ask(await assertion(), { scope: '' }))).to.include({ error: 'invalid_scope' });
    const scope = await ask(await assertion());
    expect(scope.status).to.equal(400);
    expect(await jsonOf(scope)).to.include({ error: 'invalid_scope' });
    const body = await jsonOf(await ask(await assertion(), { scope: 'okta.logs.read' }));
    const refused = await fetch(userUrl, {
      headers: { authorization: `Bearer ${String(body['access_token'])}` },
    });
    expect(refused.status).to.equal(403);
    expect(refused.headers.get('www-authenticate')).to.include('insufficient_scope');
  });

  it('refuses a private key at registration', async () => {
    const privateJwk = await exportJWK(key.privateKey);
    expect(() => {
      okta.registerServiceApp({ clientId: CLIENT_ID, publicJwk: privateJwk });
    }).to.throw('private key');
  });

  it('refuses a DPoP proof that is used again, malformed, or has a private key in its header', async () => {
    okta.registerServiceApp({ clientId: CLIENT_ID, publicJwk, requireDpop: true });
    const htm = 'POST';
    const first = await prove({ htm, htu: tokenUrl });
    const challenge = await ask(await assertion(), {}, { dpop: first });
    expect(await jsonOf(challenge)).to.include({ error: 'use_dpop_nonce' });
    const nonce = challenge.headers.get('dpop-nonce') ?? '';
    const leaky = await new SignJWT({
      iat: Math.floor(Date.now() / 1000),
      jti: randomUUID(),
      htm,
      htu: tokenUrl,
      nonce,
    })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: await exportJWK(proofKey.privateKey) })
      .sign(proofKey.privateKey);
    for (const dpop of [first, leaky, 'x.y.z']) {
      const refused = await ask(await assertion(), {}, { dpop });
      expect(refused.status).to.equal(400);
      expect(await jsonOf(refused)).to.include({ error: 'invalid_dpop_proof' });
    }
  });

  it('issues a bearer token for a DPoP proof if the app does not require DPoP, as Okta does', async () => {
    okta.registerServiceApp({ clientId: CLIENT_ID, publicJwk });
    const dpop = await prove({ htm: 'POST', htu: tokenUrl });
    expect(await jsonOf(await ask(await assertion(), {}, { dpop }))).to.include({ token_type: 'Bearer' });
  });

  it('binds tokens to the key of the proof, and refuses invalid proofs, if the app requires DPoP', async () => {
    okta.registerServiceApp({ clientId: CLIENT_ID, publicJwk, requireDpop: true });
    const missing = await ask(await assertion());
    expect(missing.status).to.equal(400);
    expect(await jsonOf(missing)).to.include({ error: 'invalid_dpop_proof' });

    const htm = 'POST';
    const challenge = await ask(await assertion(), {}, { dpop: await prove({ htm, htu: tokenUrl }) });
    expect(challenge.status).to.equal(400);
    expect(await jsonOf(challenge)).to.include({ error: 'use_dpop_nonce' });
    const nonce = challenge.headers.get('dpop-nonce') ?? '';
    for (const proof of [
      await prove({ htm, htu: tokenUrl, nonce }, 'JWT'),
      await prove({ htm: 'GET', htu: tokenUrl, nonce }),
      await prove({ htm, htu: okta.orgUrl, nonce }),
      await prove({ htm, htu: tokenUrl, nonce, iat: 1 }),
      await prove({ htm, htu: tokenUrl, nonce, jti: undefined }),
    ]) {
      const refused = await ask(await assertion(), {}, { dpop: proof });
      expect(await jsonOf(refused)).to.include({ error: 'invalid_dpop_proof' });
    }
    const response = await ask(await assertion(), {}, { dpop: await prove({ htm, htu: tokenUrl, nonce }) });
    const body = await jsonOf(response);
    expect(body).to.include({ token_type: 'DPoP' });
    const token = String(body['access_token']);
    expect(decodeJwt(token)['cnf']).to.deep.equal({ jkt: await calculateJwkThumbprint(proofJwk) });

    const ath = createHash('sha256').update(token).digest('base64url');
    const call = (authorization: string, dpop?: string) =>
      fetch(`${userUrl}?x=1`, { headers: dpop === undefined ? { authorization } : { authorization, dpop } });
    const proof = await prove({ htm: 'GET', htu: userUrl, ath });
    expect((await call(`DPoP ${token}`, proof)).status).to.equal(200);
    expect((await call(`DPoP ${token}`, proof)).status, 'the same proof again').to.equal(401);
    expect((await call(`Bearer ${token}`)).status, 'as a bearer token').to.equal(401);
    expect((await call(`DPoP ${token}`)).status, 'no proof').to.equal(401);
    const withoutHash = await prove({ htm: 'GET', htu: userUrl });
    expect((await call(`DPoP ${token}`, withoutHash)).status, 'no ath').to.equal(401);
    const otherMethod = await prove({ htm: 'POST', htu: userUrl, ath });
    expect((await call(`DPoP ${token}`, otherMethod)).status, 'another method').to.equal(401);
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const now = Math.floor(Date.now() / 1000);
    const foreign = await new SignJWT({ iat: now, jti: randomUUID(), htm: 'GET', htu: userUrl, ath })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: await exportJWK(stranger.publicKey) })
      .sign(stranger.privateKey);
    const refused = await call(`DPoP ${token}`, foreign);
    expect(refused.status, 'a valid proof by another key').to.equal(401);
    expect(refused.headers.get('www-authenticate'))
      .to.include('invalid_dpop_proof')
      .and.include('another key');

    okta.rotateDpopNonce();
    const rotated = await ask(await assertion(), {}, { dpop: await prove({ htm, htu: tokenUrl, nonce }) });
    expect(await jsonOf(rotated)).to.include({ error: 'use_dpop_nonce' });
  });
});
