import { expect } from 'chai';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { callApi, type ApiAnswer } from '../client.js';

describe('startOktaEmulator: changes, search and lists of users', () => {
  let okta: OktaEmulator;
  const call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    callApi(okta, method, `/api/v1/users${path}`, body, headers);
  const loginsOf = (answer: ApiAnswer): string[] =>
    answer.list.map(({ profile }) => (profile as { login: string }).login.split('@')[0] ?? '');

  beforeEach(async () => {
    okta = await startOktaEmulator();
    okta.setAttribute('whatsAppOptIn', { type: 'boolean' });
  });
  afterEach(() => okta.close());

  it('throws for a phone factor without a factorType, and adds no user', () => {
    const phoneFactors = [{ phoneNumber: '+4915112345678' }] as never;
    expect(() => okta.addUser({ login: 'eve@example.com', phoneFactors })).to.throw(
      /factorType: 'sms' \| 'call'/,
    );
    expect(okta.users).to.be.empty;
  });

  it('changes only the attributes in a POST, and removes those that are null', async () => {
    const user = okta.addUser({ login: 'ana@example.com', profile: { mobilePhone: '+4915112345678' } });
    const answer = await call('POST', `/${user.id}`, { profile: { whatsAppOptIn: true } });
    expect(answer.status).to.equal(200);
    expect(answer.body['profile']).to.include({ whatsAppOptIn: true, mobilePhone: '+4915112345678' });
    expect(user.profile).to.deep.equal(answer.body['profile']);
    const read = await call('GET', `/${user.id}`);
    expect(read.body).to.deep.equal(answer.body);
    expect(read.headers.get('etag')).to.equal(answer.headers.get('etag'));
    await call('POST', '/ana', { profile: { whatsAppOptIn: null } });
    expect(user.profile).to.not.have.property('whatsAppOptIn');
    expect((await call('POST', '/ana', {})).status, 'with nothing to change').to.equal(200);
  });

  it('replaces the whole profile with a PUT, and refuses it without the required attributes', async () => {
    const user = okta.addUser({ login: 'ana@example.com', profile: { nickName: 'An' } });
    const profile = { login: 'ana@example.com', email: 'ana@example.com', firstName: 'Ana', lastName: 'S' };
    const half = await call('PUT', '/ana', { profile: { login: 'ana@example.com' } });
    expect(half.status).to.equal(400);
    expect(half.causes).to.include('lastName: The field cannot be left blank');
    expect((await call('PUT', '/ana')).status).to.equal(400);
    expect((await call('PUT', '/ana', { profile })).status).to.equal(200);
    expect(user.profile).to.deep.equal(profile);
  });

  it('refuses unknown attributes and values that the schema does not allow', async () => {
    const user = okta.addUser({ login: 'ana@example.com', profile: { undeclared: 1 } });
    okta.addUser({ login: 'bo@example.com' });
    okta.setAttribute('size', { type: 'integer' });
    okta.setAttribute('tags', { type: 'array' });
    okta.setAttribute('plan', { type: 'string', enum: ['free', 'paid'] });
    const wrong: [object, RegExp][] = [
      [{ whatsappOptIn: true }, /Property name 'whatsappOptIn' is not defined in profile/],
      [{ whatsAppOptIn: 'true' }, /whatsAppOptIn: .*boolean/],
      [{ size: 1.5 }, /size: .*integer/],
      [{ tags: 'a' }, /tags: .*array/],
      [{ plan: 'other' }, /plan: .*enum/],
      [{ mobilePhone: '1'.repeat(101) }, /mobilePhone: .*100/],
      [{ lastName: null }, /lastName: The field cannot be left blank/],
      [{ login: 'BO@example.com' }, /login: An object with this field already exists/],
    ];
    for (const [profile, cause] of wrong) {
      const refused = await call('POST', '/ana', { profile });
      expect(refused.status, String(cause)).to.equal(400);
      expect(refused.body).to.include({ errorCode: 'E0000001' });
      expect(refused.causes).to.match(cause);
    }
    // An undeclared attribute that the profile already has is allowed.
    const right = { size: 2, tags: ['a'], plan: 'paid', undeclared: 1, login: 'ana.silva@example.com' };
    expect((await call('POST', '/ana', { profile: right })).status).to.equal(200);
    expect(user.profile).to.deep.include(right);
  });

  it('refuses changes to read-only attributes, deprovisioned users and an outdated ETag', async () => {
    okta.setAttribute('fixed', { type: 'string', mutability: 'READ_ONLY' });
    okta.setAttribute('once', { type: 'string', mutability: 'IMMUTABLE' });
    okta.addUser({ login: 'ana@example.com' });
    okta.addUser({ login: 'gone@example.com', status: 'DEPROVISIONED' });
    const fixed = await call('POST', '/ana', { profile: { fixed: 'x' } });
    expect(fixed.status).to.equal(403);
    expect(fixed.body).to.include({ errorCode: 'E0000077' });
    expect((await call('POST', '/ana', { profile: { once: 'x' } })).status).to.equal(200);
    expect((await call('POST', '/ana', { profile: { once: 'y' } })).status).to.equal(403);
    const gone = await call('POST', '/gone', { profile: { whatsAppOptIn: true } });
    expect(gone.status).to.equal(403);
    expect(gone.body).to.include({ errorCode: 'E0000038' });

    const etag = (await call('GET', '/ana')).headers.get('etag') ?? '';
    const profile = { whatsAppOptIn: true };
    expect((await call('POST', '/ana', { profile }, { 'if-match': etag })).status).to.equal(200);
    expect((await call('POST', '/ana', { profile }, { 'if-match': etag })).status).to.equal(412);
    expect((await call('POST', '/ana', { profile }, { 'if-match': '*' })).status).to.equal(200);
    expect((await call('POST', '/nobody', { profile })).status).to.equal(404);
  });

  it('creates a user with the right status, and refuses a duplicate or invalid profile', async () => {
    const profile = { login: 'bo@example.com', email: 'bo@example.com', firstName: 'Bo', lastName: 'Li' };
    const created = await call('POST', '', { profile: { ...profile, whatsAppOptIn: true } });
    expect(created.status).to.equal(200);
    expect(created.body).to.include({ status: 'PROVISIONED' });
    expect(okta.users.map(({ login }) => login)).to.deep.equal(['bo@example.com']);
    expect(okta.users[0]?.profile).to.deep.equal({ ...profile, whatsAppOptIn: true });
    expect((await call('POST', '', { profile })).causes).to.include('already exists');
    const staged = await call('POST', '?activate=false', {
      profile: { ...profile, login: 'cy@example.com' },
    });
    expect(staged.body).to.include({ status: 'STAGED', activated: null });
    const active = await call('POST', '', {
      profile: { ...profile, login: 'di@example.com' },
      credentials: { password: { value: 'x' } },
    });
    expect(active.body).to.include({ status: 'ACTIVE' });
    const unknown = await call('POST', '', { profile: { ...profile, login: 'el@example.com', other: 1 } });
    expect(unknown.body).to.include({ errorSummary: 'Api validation failed: newUser' });
    expect((await call('POST', '', { name: 'x' })).status).to.equal(400);
    expect(okta.users).to.have.length(3);
  });

  it('returns the users who opted in for a search, page by page', async () => {
    for (const name of ['ana', 'bo', 'cy', 'di', 'el']) {
      okta.addUser({ login: `${name}@example.com`, profile: { whatsAppOptIn: name !== 'bo' } });
    }
    const search = encodeURIComponent('profile.whatsAppOptIn eq true');
    const seen: string[] = [];
    let path = `?search=${search}&limit=2`;
    for (let pages = 0; path !== ''; pages += 1) {
      expect(pages).to.be.below(3);
      const page = await call('GET', path);
      expect(page.status).to.equal(200);
      expect(page.headers.get('link')).to.include('rel="self"');
      seen.push(...loginsOf(page));
      const [, next = ''] = /<([^>]*)>; rel="next"/.exec(page.headers.get('link') ?? '') ?? [];
      path = next === '' ? '' : new URL(next).search;
    }
    expect(seen).to.deep.equal(['ana', 'cy', 'di', 'el']);
  });

  it('lists all but deprovisioned users, by the start of a name or by a filter, and refuses invalid queries', async () => {
    okta.addUser({ login: 'ana@example.com', firstName: 'Ana' });
    okta.addUser({ login: 'bo@example.com', firstName: 'Bo', lastName: 'Anders' });
    okta.addUser({ login: 'cy@example.com', firstName: 'Cy', status: 'DEPROVISIONED' });
    expect(loginsOf(await call('GET', ''))).to.deep.equal(['ana', 'bo']);
    expect(loginsOf(await call('GET', '?q=an'))).to.deep.equal(['ana', 'bo']);
    expect(loginsOf(await call('GET', '?q=bo'))).to.deep.equal(['bo']);
    const filter = encodeURIComponent('status eq "DEPROVISIONED"');
    expect(loginsOf(await call('GET', `?filter=${filter}`))).to.deep.equal(['cy']);
    const unreadable = await call('GET', '?search=whatsAppOptIn');
    expect(unreadable.status).to.equal(400);
    expect(unreadable.body).to.include({ errorCode: 'E0000031' });
    for (const limit of ['0', '-1', 'all']) {
      const refused = await call('GET', `?limit=${limit}`);
      expect(refused.status).to.equal(400);
      expect(refused.body).to.include({ errorCode: 'E0000054' });
    }
  });

  it('refuses the parameters of a list that it does not know, and names them', async () => {
    okta.addUser({ login: 'ana@example.com' });
    for (const [path, parameter, knows] of [
      ['/api/v1/users?sortBy=profile.login', 'sortBy', 'only search, filter, q, limit, after'],
      ['/api/v1/users/ana/factors?expand=x', 'expand', 'none'],
      ['/api/v1/users/me/roles?expand=x', 'expand', 'none'],
      ['/api/v1/inlineHooks?type=x&status=ACTIVE', 'status', 'only type'],
      ['/api/v1/eventHooks?status=ACTIVE', 'status', 'none'],
      ['/api/v1/hook-keys?q=x', 'q', 'none'],
      ['/api/v1/authenticators?key=x', 'key', 'none'],
      ['/api/v1/telephony-providers?key=x', 'key', 'none'],
      ['/api/v1/meta/types/user?q=x', 'q', 'none'],
    ]) {
      const { status, body, causes } = await callApi(okta, 'GET', path ?? '');
      expect([status, body['errorCode']], path).to.deep.equal([400, 'E0000001']);
      expect(causes).to.equal(
        `${parameter ?? ''}: The emulated list does not know it. It knows ${knows ?? ''}.`,
      );
    }
  });
});
