import { expect } from 'chai';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { callApi } from './client.js';

describe('startOktaEmulator: resources of the org', () => {
  let okta: OktaEmulator;
  beforeEach(async () => {
    okta = await startOktaEmulator();
  });
  afterEach(() => okta.close());

  it('returns the metadata of an Identity Engine org without authorization', async () => {
    const answer = await callApi(okta, 'GET', '/.well-known/okta-organization', undefined, {
      authorization: '',
    });
    expect(answer.status).to.equal(200);
    expect(answer.body).to.have.nested.include({ pipeline: 'idx', '_links.organization.href': okta.orgUrl });
  });

  it('returns the phone authenticator as active or inactive', async () => {
    const phone = async () => {
      const { list } = await callApi(okta, 'GET', '/api/v1/authenticators');
      expect(list).to.have.length(3);
      return list.find(({ key }) => key === 'phone_number');
    };
    const on = await phone();
    expect(on).to.deep.include({ type: 'phone', status: 'ACTIVE', settings: { allowedFor: 'any' } });
    okta.setPhoneAuthenticator('INACTIVE');
    const off = await phone();
    expect(off).to.include({ status: 'INACTIVE', id: on?.['id'] });
  });

  it('returns the admin roles of a user to a super administrator, and answers 403 to others', async () => {
    const { body } = await callApi(okta, 'GET', '/api/v1/users/me');
    const path = `/api/v1/users/${String(body['id'])}/roles`;
    expect((await callApi(okta, 'GET', path)).list[0]).to.include({ type: 'SUPER_ADMIN', status: 'ACTIVE' });
    const user = okta.addUser({ login: 'nobody.special@example.com' });
    expect((await callApi(okta, 'GET', `/api/v1/users/${user.id}/roles`)).list).to.deep.equal([]);
    expect((await callApi(okta, 'GET', '/api/v1/users/00u0/roles')).status).to.equal(404);
    const authorization = `SSWS ${okta.addApiToken(['READ_ONLY_ADMIN'])}`;
    expect((await callApi(okta, 'GET', path, undefined, { authorization })).status).to.equal(403);
  });

  it('returns the telephony providers of setTelephonyProviders()', async () => {
    const list = async () => (await callApi(okta, 'GET', '/api/v1/telephony-providers')).list;
    expect(await list()).to.deep.equal([]);
    okta.setTelephonyProviders([
      { providerName: 'TWILIO' },
      { providerName: 'TELESIGN', enabled: false, isPrimaryProvider: false },
    ]);
    const [twilio, telesign] = await list();
    expect(twilio).to.include({
      providerName: 'TWILIO',
      enabled: true,
      isPrimaryProvider: true,
      providerCapability: 'ALL',
    });
    expect(twilio).to.have.nested.property('providerSettings.sms.twilioPhoneNumber');
    expect(telesign).to.include({ enabled: false, isPrimaryProvider: false });
    expect(telesign).to.have.nested.property('providerSettings.call.telesignService');
  });
});
