import { generateKeyPairSync } from 'node:crypto';
import { exportJWK } from 'jose';
import { expect } from 'chai';
import { ConfigurationError, oktaClient, OktaApiError, type OktaCredential } from '#lib/index.js';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { ANA, BOB } from '#harness/scene.js';
import { mustNotShow, witness } from '#harness/witness.js';

const KEYS = generateKeyPairSync('ec', { namedCurve: 'P-256' });

describe('oktaClient', () => {
  let okta: OktaEmulator;
  before(async () => {
    okta = await startOktaEmulator();
    okta.setAttribute('whatsAppOptIn', { title: 'Codes by WhatsApp', type: 'boolean' });
    okta.addUser({ ...ANA, profile: { nickName: 'An' } });
    okta.addUser(BOB);
  });
  after(() => okta.close());
  // Also on a slow machine.
  const client = (credential: OktaCredential) => oktaClient({ credential, timeoutMs: 60_000 });
  const failure = async (call: Promise<unknown>): Promise<OktaApiError> => {
    const error = await call.catch((thrown: unknown) => thrown);
    if (!(error instanceof OktaApiError)) return expect.fail('it did not throw');
    witness([error.message, error.remedy, error.cause]);
    return error;
  };

  it('reads a user, and sets attributes without changing the others', async () => {
    const users = client({ orgUrl: okta.orgUrl, apiToken: okta.apiToken });
    expect(await users.readUser(ANA.id)).to.include({ login: ANA.login, nickName: 'An' });
    expect(await users.updateUser(ANA.id, { whatsAppOptIn: true })).to.include({ whatsAppOptIn: true });
    expect(await users.readUser(ANA.id)).to.include({ whatsAppOptIn: true, nickName: 'An' });
  });

  it('signs in as a service app, with DPoP tokens if the org requires them', async () => {
    for (const requireDpop of [false, true]) {
      okta.registerServiceApp({
        clientId: '0oaclient',
        publicJwk: await exportJWK(KEYS.publicKey),
        scopes: ['okta.users.read', 'okta.users.manage'],
        requireDpop,
      });
      const privateKey = KEYS.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      const users = client({ orgUrl: okta.orgUrl, clientId: '0oaclient', privateKey });
      expect(await users.updateUser(BOB.id, { whatsAppOptIn: requireDpop })).to.include({
        whatsAppOptIn: requireDpop,
      });
      const authorization = okta.requests.at(-1)?.headers.authorization;
      expect(authorization).to.match(requireDpop ? /^DPoP / : /^Bearer /);
    }
  });

  it('says which permission is missing to write', async () => {
    mustNotShow(ANA.login, ANA.firstName);
    const reader = client({ orgUrl: okta.orgUrl, apiToken: okta.addApiToken(['READ_ONLY_ADMIN']) });
    const refused = await failure(reader.updateUser(ANA.id, { whatsAppOptIn: false }));
    expect(refused).to.include({ code: 'OKTA_FORBIDDEN', status: 403 });
    expect(refused.remedy).to.match(/edit users' profiles.*okta\.users\.manage/);
    expect(await reader.readUser(ANA.id)).to.include({ whatsAppOptIn: true });
  });

  it('requests no other resource than the user, for any id', async () => {
    const users = client({ orgUrl: okta.orgUrl, apiToken: okta.apiToken });
    const before = okta.requests.length;
    for (const id of ['me', '.', '..', '', 'a/b', '00u?x', ANA.login]) {
      const { code, remedy } = await failure(users.readUser(id));
      expect(code).to.equal('OKTA_WRONG_USER');
      expect(remedy).to.match(/not a login/);
      expect((await failure(users.updateUser(id, {}))).code).to.equal('OKTA_WRONG_USER');
    }
    expect(okta.requests).to.have.length(before);
    expect((await failure(users.readUser('00u1nobody0000000001'))).code).to.equal('OKTA_NOT_FOUND');
  });

  it('reports that Okta cannot be reached', async () => {
    const users = oktaClient({ credential: { orgUrl: REFUSING_ORIGIN, apiToken: okta.apiToken } });
    expect((await failure(users.readUser(ANA.id))).code).to.equal('OKTA_UNREACHABLE');
  });

  it('names options that do not work', () => {
    const bad = {
      orgUrl: 'http://acme.okta.example',
      clientId: '0oa1',
      privateKey: 'no key',
    } as OktaCredential;
    expect(() => oktaClient({ credential: bad, timeoutMs: 0 }))
      .to.throw(ConfigurationError, /oktaClient/)
      .with.property('problems')
      .that.satisfies((problems: string[]) => problems.length === 3);
    expect(() =>
      oktaClient({ credential: { orgUrl: okta.orgUrl, apiToken: 'x' }, dispatcher: {} as never }),
    ).to.throw(ConfigurationError, /dispatcher/);
  });
});
