import { expect } from 'chai';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { callApi, telephonyHook, type ApiAnswer } from '../client.js';

const URI = 'https://otp.example.com/okta/telephony';

describe('startOktaEmulator: the Inline Hooks API', () => {
  let okta: OktaEmulator;
  const call = (method: string, path = '', body?: unknown): Promise<ApiAnswer> =>
    callApi(okta, method, `/api/v1/inlineHooks${path}`, body);
  const create = async (body: unknown = telephonyHook(URI)): Promise<string> => {
    const answer = await call('POST', '', body);
    expect(answer.status).to.equal(200);
    return String(answer.body['id']);
  };
  const linksOf = (answer: ApiAnswer): string[] => Object.keys(answer.body['_links'] as object);

  beforeEach(async () => {
    okta = await startOktaEmulator();
  });
  afterEach(() => okta.close());

  it('creates an active hook, and leaves its secret out of every answer', async () => {
    const answer = await call('POST', '', telephonyHook(URI));
    const id = String(answer.body['id']);
    expect(answer.body).to.include({ status: 'ACTIVE', name: 'Codes' });
    expect(JSON.stringify(answer.body)).to.include('"authScheme":{"type":"HEADER","key":"Authorization"}');
    expect(linksOf(answer)).to.have.members(['self', 'execute', 'deactivate']);
    expect((await call('GET', `/${id}`)).body).to.deep.equal(answer.body);
    expect((await call('GET')).list).to.deep.equal([answer.body]);
    expect(okta.inlineHooks[0]).to.have.nested.include({ id, 'channel.authScheme.value': 'hook-secret' });
  });

  it('accepts the OAuth 2.0 schemes, leaves out the client secret, and refuses an incomplete scheme', async () => {
    const config = { uri: URI, clientId: '0oa1', tokenUrl: `${okta.issuer}/v1/token`, scope: 'telephony' };
    const withConfig = (more: object): unknown => ({
      ...telephonyHook(URI),
      channel: { type: 'OAUTH', version: '1.0.0', config: { ...config, ...more } },
    });
    const secret = await call(
      'POST',
      '',
      withConfig({ authType: 'client_secret_post', clientSecret: 'client-secret' }),
    );
    expect(secret.body).to.have.nested.include({ 'channel.config.authType': 'client_secret_post' });
    expect(JSON.stringify(secret.body)).to.not.include('"client-secret"');
    await call('POST', `/${String(secret.body['id'])}/lifecycle/deactivate`);
    const key = await callApi(okta, 'POST', '/api/v1/hook-keys', { name: 'Hook' });
    const hookKeyId = String(key.body['id']);
    const byKey = await call('POST', '', withConfig({ authType: 'private_key_jwt', hookKeyId }));
    expect(byKey.body).to.have.nested.include({ 'channel.config.hookKeyId': hookKeyId });
    for (const [more, cause] of [
      [{ authType: 'client_secret_post' }, /clientSecret/],
      [{ authType: 'private_key_jwt' }, /hookKeyId is missing/],
      [{ authType: 'private_key_jwt', hookKeyId: 'HKYother' }, /no such hook key/],
      [{ authType: 'client_secret_basic', clientSecret: 'x' }, /authType/],
      [{ authType: 'client_secret_post', clientSecret: 'x', scope: '' }, /scope/],
    ] as const) {
      const refused = await call('PUT', `/${String(byKey.body['id'])}`, withConfig(more));
      expect(refused.status, String(cause)).to.equal(400);
      expect(refused.causes).to.match(cause);
    }
  });

  it('refuses each invalid hook with E0000001 and its cause', async () => {
    const hook = telephonyHook(URI);
    const withConfig = (config: object): unknown => ({ ...hook, channel: { type: 'HTTP', config } });
    const authScheme = { type: 'HEADER', key: 'Authorization', value: 'secret' };
    const wrong: [unknown, RegExp][] = [
      [{ ...hook, name: '' }, /name/],
      [{ ...hook, name: 'x'.repeat(256) }, /name/],
      [{ ...hook, type: 'com.okta.other' }, /type/],
      [{ ...hook, channel: { type: 'SMTP', config: {} } }, /channel/],
      [{ ...hook, channel: undefined }, /channel/],
      [withConfig({ uri: 'http://otp.example.com/', authScheme }), /https:/],
      [withConfig({ uri: 'https://otp.example.com/a b', authScheme }), /white space/],
      [withConfig({ uri: `https://otp.example.com/${'x'.repeat(1024)}`, authScheme }), /1024/],
      [withConfig({ uri: 'nonsense', authScheme }), /https:/],
      [withConfig({ uri: URI }), /authScheme: A telephony inline hook/],
      [withConfig({ uri: URI, authScheme: { ...authScheme, value: undefined } }), /authScheme/],
      [withConfig({ uri: URI, authScheme: { ...authScheme, type: 'BASIC' } }), /authScheme/],
      [withConfig({ uri: URI, authScheme, headers: {} }), /headers/],
      [withConfig({ uri: URI, authScheme, headers: [{ value: 'x' }] }), /headers/],
    ];
    for (const [body, cause] of wrong) {
      const refused = await call('POST', '', body);
      expect(refused.status, String(cause)).to.equal(400);
      expect(refused.body).to.include({ errorCode: 'E0000001' });
      expect(refused.causes).to.match(cause);
    }
    expect(okta.inlineHooks).to.be.empty;
  });

  it('allows one active telephony hook at a time, and any number of hooks of another type', async () => {
    const first = await create();
    const token = { ...telephonyHook(URI), type: 'com.okta.oauth2.tokens.transform' };
    await create(token);
    await create(token);
    const second = await call('POST', '', telephonyHook(URI));
    expect(second.status).to.equal(400);
    expect(second.causes).to.include('active telephony inline hook already');
    await call('POST', `/${first}/lifecycle/deactivate`);
    const replacement = await create();
    const again = await call('POST', `/${first}/lifecycle/activate`);
    expect(again.status).to.equal(403);
    expect(again.body).to.include({ errorCode: 'E0000107' });
    expect((await call('POST', `/${replacement}/lifecycle/activate`)).status, 'as it is').to.equal(200);
    const { list } = await call('GET', '?type=com.okta.telephony.provider');
    expect(list.map(({ id, status }) => [id, status])).to.deep.equal([
      [first, 'INACTIVE'],
      [replacement, 'ACTIVE'],
    ]);
  });

  it('replaces all but the type by PUT and POST, and refuses a replacement without the secret', async () => {
    const id = await create();
    const created = okta.inlineHooks[0];
    for (const [method, secret] of [
      ['PUT', 'second'],
      ['POST', 'third'],
    ] as const) {
      const body = {
        ...telephonyHook('https://otp.example.com/other', secret),
        name: method,
        type: 'ignored',
      };
      const answer = await call(method, `/${id}`, body);
      expect(answer.status).to.equal(200);
      expect(answer.body).to.include({
        id,
        name: method,
        type: 'com.okta.telephony.provider',
        status: 'ACTIVE',
      });
      expect(okta.inlineHooks[0]?.channel.authScheme?.value).to.equal(secret);
    }
    const { channel, ...rest } = telephonyHook(URI);
    const { config } = channel as { config: { authScheme: object } };
    const bare = {
      ...rest,
      channel: { type: 'HTTP', config: { ...config, authScheme: { type: 'HEADER', key: 'X' } } },
    };
    expect((await call('PUT', `/${id}`, bare)).status).to.equal(400);
    expect((await call('PUT', `/${id}`, rest)).status).to.equal(400);
    expect(okta.inlineHooks[0]?.channel.uri).to.equal('https://otp.example.com/other');
    expect(created?.channel.uri, 'the object from before').to.equal(URI);
  });
});
