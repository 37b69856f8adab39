import { exportJWK } from 'jose';
import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { callApi } from '../../testing/okta/client.js';
import { mustNotShow } from '#harness/witness.js';
import { doneBy, patientTime, run, writesTo } from '../runs.js';

const SCHEMA = '/api/v1/meta/schemas/user/default';
const AS_IT_SHOULD_BE = {
  type: 'boolean',
  mutability: 'READ_WRITE',
  permissions: [{ principal: 'SELF', action: 'READ_WRITE' }],
  master: { type: 'OKTA' },
} as const;

describe('setup attribute', () => {
  let okta: OktaEmulator;
  const time = patientTime();
  beforeEach(async () => {
    time.waits.length = 0;
    okta = await startOktaEmulator({ clock: () => time.now() });
  });
  afterEach(() => okta.close());
  const attribute = (name = 'whatsAppOptIn'): object | undefined => okta.userSchema.custom[name];

  it('creates a boolean that the user may change, mastered by Okta, without a default', async () => {
    const made = await run(okta, 'setup attribute --yes', { time });
    expect(made.code, made.stderr).to.equal(0);
    expect(attribute()).to.deep.include(AS_IT_SHOULD_BE);
    expect(attribute()).to.not.have.property('default');
    expect(made.stdout).to.include('setup hook');
  });

  it('changes nothing when it runs again, even without --yes', async () => {
    await run(okta, 'setup attribute --yes', { time });
    const before = JSON.stringify(okta.userSchema);
    okta.requests.length = 0;
    const made = await run(okta, 'setup attribute', { time });
    expect(made.code).to.equal(0);
    expect(made.stdout).to.include('Nothing was changed');
    expect(writesTo(okta)).to.be.empty;
    expect(JSON.stringify(okta.userSchema)).to.equal(before);
  });

  it('creates the attribute with the name of OPT_IN_ATTRIBUTE, and names the option of the gateway', async () => {
    const made = await run(okta, 'setup attribute --yes', { time, env: { OPT_IN_ATTRIBUTE: 'viaWhatsApp' } });
    expect(attribute('viaWhatsApp')).to.deep.include(AS_IT_SHOULD_BE);
    expect(made.stdout).to.include("optInAttribute: 'viaWhatsApp'");
  });

  it('updates an existing attribute, and keeps its title and description', async () => {
    okta.setAttribute('whatsAppOptIn', { title: 'Ours', type: 'boolean', description: 'As we say it' });
    const made = await run(okta, 'setup attribute --yes', { time });
    expect(made.stdout).to.include('READ_ONLY -> READ_WRITE').and.include('PROFILE_MASTER -> OKTA');
    expect(attribute()).to.deep.include({ ...AS_IT_SHOULD_BE, title: 'Ours', description: 'As we say it' });
  });

  it('keeps it Read Only for users with --read-only, and names that option if it makes it writable', async () => {
    const kept = { ...AS_IT_SHOULD_BE, type: 'boolean', title: 'Ours' } as const;
    okta.setAttribute('whatsAppOptIn', {
      ...kept,
      permissions: [{ principal: 'SELF', action: 'READ_ONLY' }],
    });
    const left = await run(okta, 'setup attribute --read-only --json', { time });
    expect(left.json()).to.include({ result: 'unchanged' });
    const opened = await run(okta, 'setup attribute --yes', { time });
    expect(opened.stderr).to.include('use setup attribute --read-only');
    expect(attribute()).to.deep.include(AS_IT_SHOULD_BE);
    const closed = await run(okta, 'setup attribute --yes --read-only', { time });
    expect(closed.stdout).to.include('READ_WRITE -> READ_ONLY');
    expect(closed.stderr).not.to.include('--read-only');
  });

  it('removes a default of true, and warns that a default is no consent', async () => {
    okta.setAttribute('whatsAppOptIn', { ...AS_IT_SHOULD_BE, type: 'boolean', title: 'Ours', default: true });
    const made = await run(okta, 'setup attribute --yes', { time });
    expect(made.code).to.equal(0);
    expect(made.stdout).to.include('true -> none');
    expect(made.stderr).to.include('no consent');
    okta.requests.length = 0;
    await run(okta, 'setup attribute', { time });
    expect(writesTo(okta)).to.be.empty;
  });

  it('does not change an attribute of another type or of the base profile, and says what to do', async () => {
    for (const [name, type, words] of [
      ['textOptIn', 'string', /of the type string.*optInChannels/],
      ['numberOptIn', 'integer', /of the type integer/],
      ['mobilePhone', undefined, /of Okta's own/],
    ] as const) {
      if (type !== undefined) okta.setAttribute(name, { title: 'Ours', type });
      const made = await run(okta, 'setup attribute --yes', { time, env: { OPT_IN_ATTRIBUTE: name } });
      expect(made.code).to.equal(1);
      expect(made.stderr).to.match(words).and.to.include('OPT_IN_ATTRIBUTE');
      expect(writesTo(okta)).to.be.empty;
    }
  });

  it('does not create an attribute whose name differs only in case, and names the existing one', async () => {
    okta.setAttribute('whatsappOptIn', { title: 'Ours', type: 'boolean' });
    const made = await run(okta, 'setup attribute --yes', { time });
    expect(made.code).to.equal(1);
    expect(made.stderr).to.include('OPT_IN_ATTRIBUTE=whatsappOptIn');
    expect(writesTo(okta)).to.be.empty;
  });

  describe('asks', () => {
    it('and changes nothing after a no, an empty answer or the end of the input', async () => {
      for (const answer of ['n', '', () => undefined]) {
        const made = await run(okta, 'setup attribute', { time, answers: [answer] });
        expect(made.code).to.equal(1);
        expect(made.stdout).to.include('Nothing was changed');
        expect(writesTo(okta)).to.be.empty;
      }
    });

    it('again if the attribute changes while the command waits for the answer', async () => {
      const meddle = (): string => {
        okta.setAttribute('whatsAppOptIn', { title: 'Theirs', type: 'boolean' });
        return 'y';
      };
      const made = await run(okta, 'setup attribute', { time, answers: [meddle, 'y'] });
      expect(made.code, made.stderr).to.equal(0);
      expect(made.stdout).to.include('Somebody else').and.include('Change the attribute');
      expect(attribute()).to.deep.include({ ...AS_IT_SHOULD_BE, title: 'Theirs' });
      expect(writesTo(okta)).to.have.length(1);
    });
  });

  describe('waits', () => {
    it('for a minute at most, and changes nothing in a later run', async () => {
      okta.setSchemaDelay({ propagationMs: 90_000 });
      const made = await run(okta, 'setup attribute --yes --json', { time });
      expect(made.code).to.equal(1);
      expect(made.json()).to.deep.nested.include({ result: 'failed', 'error.code': 'NOT_SHOWN' });
      expect(doneBy(made)).to.have.length(1);
      await time.sleep(60_000);
      okta.requests.length = 0;
      expect((await run(okta, 'setup attribute', { time })).code).to.equal(0);
      expect(writesTo(okta)).to.be.empty;
    });

    it('while Okta makes another change of the schema', async () => {
      okta.setSchemaDelay({ propagationMs: 20_000 });
      const other = { other: { title: 'Other', type: 'boolean' } };
      await callApi(okta, 'POST', SCHEMA, { definitions: { custom: { properties: other } } });
      const made = await run(okta, 'setup attribute --yes', { time });
      expect(made.code, made.stderr).to.equal(0);
      expect(attribute()).to.deep.include(AS_IT_SHOULD_BE);
    });

    it('while Okta cleans up after a deleted attribute of the same name', async () => {
      okta.setAttribute('whatsAppOptIn', { title: 'Old', type: 'string' });
      okta.setSchemaDelay({ cleanUpMs: 20_000 });
      const gone = { definitions: { custom: { properties: { whatsAppOptIn: null } } } };
      await callApi(okta, 'POST', SCHEMA, gone);
      const made = await run(okta, 'setup attribute --yes', { time });
      expect(made.code, made.stderr).to.equal(0);
      expect(attribute()).to.deep.include(AS_IT_SHOULD_BE);
    });
  });

  describe('goes on', () => {
    it('after a write with an unknown outcome, and reports it as done', async () => {
      const match = ({ method }: { method: string }): boolean => method === 'POST';
      okta.fault({ fault: { kind: 'reset', delivered: true }, times: 1, match });
      const made = await run(okta, 'setup attribute --yes --json', { time });
      expect(made.code, made.stderr).to.equal(0);
      expect(doneBy(made)).to.have.length(1);
      expect(writesTo(okta)).to.have.length(1);
      expect(attribute()).to.deep.include(AS_IT_SHOULD_BE);
    });

    it('after failed reads', async () => {
      okta.fault({ fault: { kind: 'status', status: 502 }, times: 2, match: () => true });
      expect((await run(okta, 'setup attribute --yes', { time })).code).to.equal(0);
    });
  });

  describe('says what to do', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const runAsApp = async (scopes: readonly string[], adminRoles?: readonly string[]) => {
      const publicJwk = await exportJWK(publicKey);
      okta.registerServiceApp({ clientId: '0oasetup', publicJwk, scopes, adminRoles });
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      mustNotShow(pem);
      const env = { OKTA_API_TOKEN: '', OKTA_CLIENT_ID: '0oasetup', OKTA_PRIVATE_KEY: pem };
      return run(okta, 'setup attribute --yes', { time, env });
    };
    const SCOPES = ['okta.schemas.read', 'okta.schemas.manage'];

    it('if the role of a service app is too weak, which else succeeds', async () => {
      const made = await runAsApp(SCOPES, ['READ_ONLY_ADMIN']);
      expect(made.code).to.equal(1);
      expect(made.stderr).to.include('Organization Administrator').and.include('okta.schemas.manage');
      expect((await runAsApp(SCOPES)).code).to.equal(0);
    });

    it('if the org is not reachable', async () => {
      const made = await run(okta, 'setup attribute --yes', {
        time,
        env: { OKTA_ORG_URL: REFUSING_ORIGIN },
      });
      expect(made.code).to.equal(1);
      expect(made.stderr).to.include('OKTA_ORG_URL');
    });
  });
});
