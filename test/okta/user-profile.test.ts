import { expect } from 'chai';
import { Breaker } from '#lib/delivery/breaker.js';
import { createProfileReader } from '#lib/okta/user-profile.js';
import type { ProfileOptions, ProfileReader, ProfileReading } from '#lib/okta/user-profile.js';
import { startOktaEmulator } from '#lib/testing/index.js';
import { ID, LOGIN, CACHE, byId, byLogin, closeReaders, none, readerOf, userWith } from './known-user.js';
import { clientOf, failureOf, makeGate, NOW, startScriptedOkta, type ScriptedOkta } from './scripted-okta.js';
import { stopTime } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';

const SECOND_MS = 1_000;
const NO_SUCH_USER = { status: 404, body: { errorCode: 'E0000007', errorSummary: 'Not found' } } as const;

describe('the profile reader', () => {
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

  describe('when it requests a user', () => {
    it("sends the user id, and the content type for Okta's fast answer", async () => {
      const reading = await read({ userId: ID, login: LOGIN });
      expect(reading).to.deep.equal({
        profile: { login: LOGIN, version: 1 },
        source: 'okta',
        reason: undefined,
      });
      expect(okta.requests[0]?.path).to.equal(`/api/v1/users/${ID}`);
      expect(okta.requests[0]?.headers['content-type']).to.equal(
        'application/json; okta-response="omitCredentials,omitCredentialsLinks,omitTransitioningToStatus"',
      );
    });

    it('sends the encoded login if there is no id, and ignores its case', async () => {
      const login = LOGIN.toUpperCase();
      expect((await read({ userId: undefined, login })).source).to.equal('okta');
      expect(okta.requests[0]?.path).to.equal(`/api/v1/users/${encodeURIComponent(login)}`);
      expect((await read(byLogin)).source).to.equal('cache');
    });

    it('sends no request without an id and a login', async () => {
      expect(await read({ userId: undefined, login: undefined })).to.deep.equal(none('NO_USER'));
      expect(okta.requests).to.have.length(0);
    });

    it('sends neither an id that could name another resource, nor the login in its place', async () => {
      for (const userId of [
        '',
        '.',
        '..',
        'me',
        'ME',
        'a/b',
        'a b',
        'a?b',
        'a%2Fb',
        'ä',
        'a\n',
        'a'.repeat(65),
      ]) {
        expect(await read({ userId, login: LOGIN }), userId).to.deep.equal(none('INVALID_USER_ID'));
      }
      expect(okta.requests).to.have.length(0);
    });

    it('sends no login that could name another resource', async () => {
      for (const login of [
        '',
        '.',
        '..',
        'me',
        'Me',
        'a/b',
        'a\\b',
        'a\u0000',
        'a\r\n',
        'a\u0085',
        'a\ud800',
        'a'.repeat(101),
      ]) {
        expect(await read({ userId: undefined, login }), login).to.deep.equal(none('INVALID_USER_ID'));
      }
      expect(okta.requests).to.have.length(0);
    });

    it('encodes the other characters of a login', async () => {
      for (const login of ['?q=1', '#x', '%2e%2e', 'ä ö@example.com', '../me'.replace('/', ';')]) {
        okta.answerWith(() => ({ status: 200, body: { id: ID, profile: { login } } }));
        expect((await read({ userId: undefined, login })).source, login).to.equal('okta');
        expect(okta.requests[0]?.path).to.equal(`/api/v1/users/${encodeURIComponent(login)}`);
      }
    });

    it('fails with OKTA_WRONG_USER if Okta answers with another user', async () => {
      okta.answerWith(() => ({ status: 200, body: { ...userWith({}), id: '00uOther' } }));
      expect(await read()).to.deep.equal(none('OKTA_WRONG_USER'));
      expect((await read(byLogin)).source).to.equal('okta');
      reader = makeReader();
      okta.answerWith(() => ({ status: 200, body: userWith({ login: 'other@example.com' }) }));
      expect(await read(byLogin)).to.deep.equal(none('OKTA_WRONG_USER'));
      expect((await read()).source).to.equal('okta');
      for (const login of [7, undefined]) {
        okta.answerWith(() => ({ status: 200, body: { id: ID, profile: { login } } }));
        expect(await read(byLogin)).to.deep.equal(none('OKTA_WRONG_USER'));
      }
    });

    it('fails with OKTA_UNREADABLE if the profile is not an object', async () => {
      for (const profile of [undefined, null, [], 'text', 1]) {
        okta.answerWith(() => ({ status: 200, body: { id: ID, profile } }));
        expect(await read()).to.deep.equal(none('OKTA_UNREADABLE'));
      }
    });
  });

  describe('when it waits', () => {
    it('answers each caller within its own time, while the request goes on and is cached', async () => {
      const gate = makeGate();
      okta.answerWith(async () => {
        await gate.opened;
        return { status: 200, body: userWith({ version: 1 }) };
      });
      const patient = read();
      expect(await read(byId, 30)).to.deep.equal(none('TIMEOUT'));
      gate.open();
      expect((await patient).source).to.equal('okta');
      expect((await read(byId, 0)).source).to.equal('cache');
      expect(okta.requests).to.have.length(1);
    });

    it('ends a request after timeoutMs, and sends a new one for the next read', async () => {
      reader = makeReader({ timeoutMs: 40 });
      okta.answerWith(() => 'hang');
      const clock = stopTime();
      try {
        for (const asked of [1, 2]) {
          const reading = read();
          await until(() => okta.requests.length === asked);
          clock.tick(40);
          expect(await reading).to.deep.equal(none('OKTA_NO_ANSWER'));
        }
      } finally {
        clock.restore();
      }
    });

    it('pauses after a 429', async () => {
      okta.answerWith(() => ({ status: 429 }));
      expect(await read()).to.deep.equal(none('OKTA_RATE_LIMITED'));
      expect(await read()).to.deep.equal(none('PAUSED'));
    });

    it('never rejects, even if the client throws or rejects', async () => {
      for (const request of [
        () => Promise.reject(new Error('a mistake')),
        () => {
          throw new Error('a mistake');
        },
      ]) {
        reader = createProfileReader({
          client: { request },
          options: { timeoutMs: 10, cache: false },
          breaker: new Breaker('okta', () => undefined),
          clock: () => now,
          events: { emit: () => undefined },
        });
        expect(await read()).to.deep.equal(none('OKTA_UNREACHABLE'));
      }
    });
  });

  describe('check', () => {
    it('accepts a 404 as proof that the credentials work, and throws on any other failure', async () => {
      const emulator = await startOktaEmulator();
      try {
        const connect = (apiToken: string): ProfileReader =>
          createProfileReader({
            client: clientOf(okta, { orgUrl: emulator.orgUrl, apiToken }, { clock: Date.now }),
            options: { timeoutMs: 2_000, cache: CACHE },
            breaker: new Breaker('okta', () => undefined),
            clock: Date.now,
            events: { emit: () => undefined },
          });
        await connect(emulator.apiToken).check(2_000);
        expect((await failureOf(connect('00wrong').check(2_000))).code).to.equal('OKTA_UNAUTHORIZED');
        emulator.fault({ kind: 'hang' });
        expect((await failureOf(connect(emulator.apiToken).check(30))).code).to.equal('OKTA_NO_ANSWER');
      } finally {
        await emulator.close();
      }
    });
  });

  describe('the cache', () => {
    const versionOf = (reading: ProfileReading): unknown => reading.profile?.['version'];

    it('requests a profile again if the clock was set back', async () => {
      await read();
      now -= 1;
      expect((await read()).source).to.equal('okta');
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
      okta.answerWith(() => NO_SUCH_USER);
      expect(await read()).to.deep.equal(none('OKTA_NOT_FOUND'));
    });

    it('serves a stale profile for each failure of Okta, and none after staleSeconds', async () => {
      await read();
      now += 60 * SECOND_MS;
      for (const [status, reason] of [
        [500, 'OKTA_HTTP_ERROR'],
        [401, 'OKTA_UNAUTHORIZED'],
        [403, 'OKTA_FORBIDDEN'],
        [302, 'OKTA_HTTP_ERROR'],
        [404, 'OKTA_HTTP_ERROR'],
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

    it("forgets a user after Okta's own answer that there is none", async () => {
      await read();
      now += 60 * SECOND_MS;
      okta.answerWith(() => NO_SUCH_USER);
      expect(await read()).to.deep.equal(none('OKTA_NOT_FOUND'));
      okta.answerWith(() => ({ status: 500 }));
      expect(await read()).to.deep.equal({ ...none('OKTA_HTTP_ERROR'), httpStatus: 500 });
    });
  });
});
