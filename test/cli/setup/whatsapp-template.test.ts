import { expect } from 'chai';
import {
  startMetaEmulator,
  startOktaEmulator,
  type MetaEmulator,
  type OktaEmulator,
} from '#lib/testing/index.js';
import { mustNotShow } from '#harness/witness.js';
import { run, type Run, type RunOptions } from '../runs.js';

describe('setup whatsapp-template', () => {
  let okta: OktaEmulator;
  let meta: MetaEmulator;
  beforeEach(async () => {
    [okta, meta] = await Promise.all([startOktaEmulator(), startMetaEmulator()]);
    const { accessToken, appSecret, verifyToken } = meta.credential;
    mustNotShow(accessToken, appSecret, verifyToken);
  });
  afterEach(() => Promise.all([okta.close(), meta.close()]));
  const setup = (args = '', { env, ...options }: RunOptions = {}): Promise<Run> =>
    run(okta, `setup whatsapp-template${args}`, {
      ...options,
      env: {
        META_PHONE_NUMBER_ID: meta.phoneNumberId,
        META_ACCESS_TOKEN: meta.credential.accessToken,
        META_APP_SECRET: meta.credential.appSecret,
        META_VERIFY_TOKEN: meta.credential.verifyToken,
        META_TEMPLATE: 'new_code',
        META_BASE_URL: meta.baseUrl,
        ...env,
      },
    });
  const made = (): unknown[] =>
    meta.templates.filter(({ name }) => name === 'new_code').map(({ language }) => language);

  it('creates an authentication template in each language, valid for five minutes', async () => {
    const done = await setup(' --languages en_US,de --yes');
    expect(done.code, done.stderr).to.equal(0);
    expect(done.stdout).to.include('en_US: created').and.include('de: created').and.include('doctor');
    expect(meta.templates.filter(({ name }) => name === 'new_code')).to.deep.equal(
      ['en_US', 'de'].map((language) => ({
        name: 'new_code',
        language,
        status: 'PENDING',
        category: 'AUTHENTICATION',
        message_send_ttl_seconds: 300,
      })),
    );
  });

  it('creates only the languages that are missing, and changes nothing when it runs again', async () => {
    expect((await setup(' --yes')).code).to.equal(0);
    const more = await setup(' --languages en_US,pt_BR --yes --json');
    expect(more.json()).to.deep.include({ result: 'changed', done: ['pt_BR'] });
    const again = await setup(' --languages en_US,pt_BR --json');
    expect(again.json()).to.deep.include({ result: 'unchanged', done: [] });
    expect(made()).to.deep.equal(['en_US', 'pt_BR']);
  });

  it('asks first, and creates nothing without a yes', async () => {
    const declined = await setup('', { answers: ['n'] });
    expect(declined.code).to.equal(1);
    expect((await setup()).code).to.equal(2);
    expect(made()).to.deep.equal([]);
    expect((await setup('', { answers: ['y'] })).code).to.equal(0);
    expect(made()).to.deep.equal(['en_US']);
  });

  it('takes the account by --account, and does not read the number then', async () => {
    const done = await setup(` --account ${meta.accountId} --yes`);
    expect(done.code).to.equal(0);
    expect(meta.requests.every(({ path }) => path.includes('/message_templates'))).to.equal(true);
  });

  for (const [title, change, args, code, says] of [
    ['names a missing variable', { META_TEMPLATE: '' }, '', 2, 'META_TEMPLATE is missing'],
    ['refuses other languages', {}, ' --languages english', 2, '--languages takes'],
    ['fails with another token', { META_ACCESS_TOKEN: 'another' }, ' --yes', 1, 'access token'],
    ['refuses an account that is not an id', {}, ' --account me', 2, '--account'],
  ] as const) {
    it(title, async () => {
      const failed = await setup(args, { env: change });
      expect(failed.code, failed.stderr).to.equal(code);
      expect(failed.stderr).to.include(says);
      expect(made()).to.deep.equal([]);
    });
  }

  it('fails without the permission to read templates', async () => {
    meta.configure({ mayManage: false });
    const failed = await setup(' --yes');
    expect([failed.code, made()]).to.deep.equal([1, []]);
    expect(failed.stderr).to.include('whatsapp_business_management');
  });

  it('says what was created before a failure', async () => {
    const body = { error: { message: 'No', type: 'OAuthException', code: 80007, fbtrace_id: 'A1' } };
    meta.fault({
      fault: { kind: 'status', status: 400, body },
      match: ({ method, body: sent }) => method === 'POST' && sent.includes('"de"'),
    });
    const failed = await setup(' --languages en_US,de --yes --json');
    expect(failed.code).to.equal(1);
    expect(failed.json()).to.deep.include({ result: 'failed', done: ['en_US'] });
    expect(failed.json()).to.have.nested.property('error.code', 'TEMPLATE_NOT_CREATED');
    expect(made()).to.deep.equal(['en_US']);
  });
});
