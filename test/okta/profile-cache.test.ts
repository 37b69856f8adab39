import { expect } from 'chai';
import type { ProfileOptions, ProfileReader, ProfileReading } from '#lib/okta/user-profile.js';
import { LOGIN, CACHE, byId, byLogin, closeReaders, none, readerOf, userWith } from './known-user.js';
import { NOW, startScriptedOkta, type ScriptedOkta } from './scripted-okta.js';

const SECOND_MS = 1_000;

describe('the profile cache', () => {
  let okta: ScriptedOkta;
  let now: number;
  let reader: ProfileReader;
  before(async () => {
    okta = await startScriptedOkta();
  });
  after(() => okta.close());
  afterEach(closeReaders);
  beforeEach(() => {
    now = NOW;
    reader = makeReader();
    okta.answerWith(() => ({ status: 200, body: userWith({ version: okta.requests.length }) }));
  });
  const makeReader = (options: Partial<ProfileOptions> = {}): ProfileReader =>
    readerOf(okta, () => now, options);
  const read = (user: Parameters<ProfileReader['read']>[0] = byId, waitMs = 2_000): Promise<ProfileReading> =>
    reader.read(user, waitMs);
  const versionOf = (reading: ProfileReading): unknown => reading.profile?.['version'];

  it('requests a profile again after ttlSeconds by the given clock', async () => {
    expect(versionOf(await read())).to.equal(1);
    now += 60 * SECOND_MS - 1;
    expect(await read()).to.include({ source: 'cache', reason: undefined });
    now += 1;
    const reading = await read();
    expect(reading.source).to.equal('okta');
    expect(versionOf(reading)).to.equal(2);
  });

  it('requests a profile again if the clock was set back', async () => {
    await read();
    now -= 1;
    expect((await read()).source).to.equal('okta');
  });

  it('sends one request for ten reads of a user at once', async () => {
    const readings = await Promise.all(Array.from({ length: 10 }, () => read()));
    expect(new Set(readings.map(({ source }) => source))).to.deep.equal(new Set(['okta']));
    expect(okta.requests).to.have.length(1);
  });

  it('keeps users apart, and a user read by id apart from the same user read by login', async () => {
    okta.answerWith(({ path }) => ({
      status: 200,
      body: { id: path.split('/').at(-1), profile: { login: LOGIN, path } },
    }));
    const readings = await Promise.all([read(), read({ ...byId, userId: '00u2' }), read(byLogin)]);
    expect(new Set(readings.map(({ profile }) => profile?.['path'])).size).to.equal(3);
  });

  it('keeps nothing if it is off, but two reads at once still share a request', async () => {
    reader = makeReader({ cache: false });
    await Promise.all([read(), read()]);
    expect(okta.requests).to.have.length(1);
    expect(versionOf(await read())).to.equal(2);
    okta.answerWith(() => ({ status: 500 }));
    expect(await read()).to.deep.equal({ ...none('OKTA_HTTP_ERROR'), httpStatus: 500 });
    okta.answerWith(() => ({ status: 404 }));
    expect(await read()).to.deep.equal(none('OKTA_NOT_FOUND'));
  });

  it('keeps at most max profiles', async () => {
    reader = makeReader({ cache: { ...CACHE, max: 1 } });
    okta.answerWith(({ path }) => ({ status: 200, body: { id: path.split('/').at(-1), profile: {} } }));
    await read();
    await read({ ...byId, userId: '00u2' });
    expect((await read()).source).to.equal('okta');
  });

  it('serves a stale profile for each failure of Okta, and none after staleSeconds', async () => {
    await read();
    now += 60 * SECOND_MS;
    for (const [status, reason] of [
      [500, 'OKTA_HTTP_ERROR'],
      [401, 'OKTA_UNAUTHORIZED'],
      [403, 'OKTA_FORBIDDEN'],
      [302, 'OKTA_HTTP_ERROR'],
    ] as const) {
      okta.answerWith(() => ({ status }));
      const reading = await read();
      expect(reading).to.include({ source: 'stale', reason });
      // The other reasons have one status each.
      expect(reading.httpStatus).to.equal(reason === 'OKTA_HTTP_ERROR' ? status : undefined);
      expect(versionOf(reading)).to.equal(1);
    }
    okta.answerWith(() => ({ status: 200, body: '<html>' }));
    expect(await read()).to.include({ source: 'stale', reason: 'OKTA_UNREADABLE' });
    now += 3600 * SECOND_MS - 1;
    expect((await read()).source).to.equal('stale');
    now += 2;
    expect(await read()).to.deep.equal(none('OKTA_UNREADABLE'));
  });

  it('keeps no profile if ttlSeconds and staleSeconds are 0', async () => {
    reader = makeReader({ cache: { ttlSeconds: 0, staleSeconds: 0, max: 1 } });
    await read();
    now += 60 * SECOND_MS;
    okta.answerWith(() => ({ status: 500 }));
    expect((await read()).source).to.equal('none');
  });

  it('forgets a user after a 404', async () => {
    await read();
    now += 60 * SECOND_MS;
    okta.answerWith(() => ({ status: 404 }));
    expect(await read()).to.deep.equal(none('OKTA_NOT_FOUND'));
    okta.answerWith(() => ({ status: 500 }));
    expect(await read()).to.deep.equal({ ...none('OKTA_HTTP_ERROR'), httpStatus: 500 });
  });
});
