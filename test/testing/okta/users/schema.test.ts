import { expect } from 'chai';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { callApi, type ApiAnswer } from '../client.js';

const PATH = '/api/v1/meta/schemas/user/default';
const OPT_IN = {
  title: 'WhatsApp',
  description: 'Codes by WhatsApp',
  type: 'boolean',
  required: false,
  scope: 'NONE',
  mutability: 'READ_WRITE',
  permissions: [{ principal: 'SELF', action: 'READ_WRITE' }],
  master: { type: 'OKTA' },
};

describe('startOktaEmulator: the Schema API', () => {
  let now = Date.UTC(2026, 2, 1);
  let okta: OktaEmulator;
  const change = (properties: unknown, part = 'custom'): Promise<ApiAnswer> =>
    callApi(okta, 'POST', PATH, { definitions: { [part]: { id: `#${part}`, type: 'object', properties } } });
  const customIn = (answer: ApiAnswer): Record<string, unknown> =>
    (answer.body as { definitions: { custom: { properties: Record<string, unknown> } } }).definitions.custom
      .properties;

  beforeEach(async () => {
    okta = await startOktaEmulator({ clock: () => now });
  });
  afterEach(() => okta.close());

  it('adds, changes and removes an attribute, also from the profiles of users', async () => {
    const added = await change({ whatsAppOptIn: OPT_IN });
    expect(added.status).to.equal(200);
    // The answer omits false values, as that of Okta does.
    const { required, ...shown } = OPT_IN;
    expect(required).to.equal(false);
    expect(customIn(added)).to.deep.equal({ whatsAppOptIn: shown });
    expect(customIn(await callApi(okta, 'GET', PATH))).to.deep.equal({ whatsAppOptIn: shown });
    expect((await change({ whatsAppOptIn: OPT_IN })).status, 'the same again').to.equal(200);

    await change({ language: { title: 'Language', type: 'string', required: true, unique: true } });
    await change({ whatsAppOptIn: { title: 'Codes by WhatsApp' } });
    expect(okta.userSchema.custom).to.deep.equal({
      language: {
        title: 'Language',
        type: 'string',
        required: true,
        unique: true,
        mutability: 'READ_WRITE',
        scope: 'NONE',
        permissions: [{ principal: 'SELF', action: 'READ_ONLY' }],
        master: { type: 'PROFILE_MASTER' },
      },
      whatsAppOptIn: { ...shown, title: 'Codes by WhatsApp' },
    });

    const user = okta.addUser({ login: 'ana@example.com', profile: { whatsAppOptIn: true } });
    okta.addUser({ login: 'bo@example.com' });
    expect((await change({ whatsAppOptIn: null, neverThere: null })).status).to.equal(200);
    expect(okta.userSchema.custom).to.have.all.keys('language');
    expect(user.profile).to.not.have.property('whatsAppOptIn');
  });

  it('refuses an invalid change with all of its causes, and changes nothing', async () => {
    await change({ whatsAppOptIn: OPT_IN });
    const wrong: [unknown, RegExp][] = [
      [{ whatsAppOptIn: { ...OPT_IN, type: 'string' } }, /type of an attribute cannot be changed/],
      [{ whatsAppOptIn: { ...OPT_IN, unique: true } }, /unique cannot be changed/],
      [{ mobilePhone: OPT_IN }, /An attribute of the base has this name/],
      [{ 'whats-app': OPT_IN }, /Invalid property name: whats-app\. .*alphanumeric/],
      [{ '2go': OPT_IN }, /should not start with a digit/],
      [{ other: { ...OPT_IN, title: '' } }, /title/],
      [{ other: { ...OPT_IN, type: 'date' } }, /type is none of/],
      [{ other: { ...OPT_IN, type: undefined } }, /type is none of/],
      [{ other: { ...OPT_IN, permissions: [{ principal: 'SELF', action: 'WRITE' }] } }, /permissions/],
      [{ other: { ...OPT_IN, permissions: 'READ_WRITE' } }, /permissions/],
      [{ other: { ...OPT_IN, master: { type: 'AD' } } }, /master/],
      [{ other: { ...OPT_IN, mutability: 'NONE' } }, /mutability/],
      [{ other: { ...OPT_IN, scope: 'ALL' } }, /scope/],
      [{ other: 'boolean' }, /title/],
    ];
    const before = okta.userSchema;
    for (const [properties, cause] of wrong) {
      const refused = await change(properties);
      expect(refused.status, String(cause)).to.equal(400);
      expect(refused.body).to.include({ errorCode: 'E0000001' });
      expect(refused.causes).to.match(cause);
    }
    expect((await change('all')).status).to.equal(400);
    expect((await change({ mobilePhone: { maxLength: 15 } }, 'base')).causes).to.match(
      /base cannot be changed/,
    );
    const two = await change({ '1': OPT_IN, other: { type: 'string' } });
    expect(two.causes.split('\n')).to.have.length(2);
    expect(okta.userSchema).to.deep.equal(before);
  });

  it('applies a change after propagationMs, and answers 500 to another change until then', async () => {
    okta.setSchemaDelay({ propagationMs: 5000 });
    okta.addUser({ login: 'ana@example.com' });
    const turnOn = (): Promise<ApiAnswer> =>
      callApi(okta, 'POST', '/api/v1/users/ana', { profile: { whatsAppOptIn: true } });
    expect(customIn(await change({ whatsAppOptIn: OPT_IN }))).to.have.all.keys('whatsAppOptIn');
    expect(customIn(await callApi(okta, 'GET', PATH))).to.deep.equal({});
    expect((await turnOn()).causes).to.equal("Property name 'whatsAppOptIn' is not defined in profile");
    const concurrent = await change({ language: { title: 'Language', type: 'string' } });
    expect(concurrent.status).to.equal(500);
    expect(concurrent.body).to.include({ errorCode: 'E0000009' });
    now += 5000;
    expect(customIn(await callApi(okta, 'GET', PATH))).to.have.all.keys('whatsAppOptIn');
    expect((await turnOn()).status).to.equal(200);
    expect((await change({ language: { title: 'Language', type: 'string' } })).status).to.equal(200);
  });

  it('refuses the name of a removed attribute for cleanUpMs', async () => {
    okta.setSchemaDelay({ cleanUpMs: 60_000 });
    await change({ whatsAppOptIn: OPT_IN });
    await change({ whatsAppOptIn: null });
    const early = await change({ whatsAppOptIn: OPT_IN });
    expect(early.status).to.equal(400);
    expect(early.causes).to.include('Wait until the data clean up process finishes and then try again');
    now += 60_000;
    expect((await change({ whatsAppOptIn: OPT_IN })).status).to.equal(200);
  });

  it('changes at once and without checks by setAttribute(), which removes no base attribute', () => {
    okta.setSchemaDelay({ propagationMs: 5000 });
    okta.setAttribute('optIn', { type: 'boolean' });
    expect(okta.userSchema.custom['optIn']).to.include({ title: 'optIn', type: 'boolean', scope: 'NONE' });
    okta.setAttribute('optIn', { type: 'string', title: 'Other' });
    expect(okta.userSchema.custom['optIn']).to.include({ title: 'Other', type: 'string' });
    const user = okta.addUser({ login: 'ana@example.com', profile: { optIn: 'yes' } });
    okta.setAttribute('optIn', null);
    expect(okta.userSchema.custom).to.deep.equal({});
    expect(user.profile).to.not.have.property('optIn');
    okta.setAttribute('mobilePhone', { permissions: [{ principal: 'SELF', action: 'HIDE' }] });
    expect(okta.userSchema.base['mobilePhone']).to.deep.include({
      title: 'Mobile phone',
      permissions: [{ principal: 'SELF', action: 'HIDE' }],
    });
    expect(() => {
      okta.setAttribute('mobilePhone', null);
    }).to.throw('cannot be taken away');
  });
});
