import { createHmac, createSecretKey } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { expect } from 'chai';
import { Agent } from 'undici';
import { RequestError } from '#lib/core/request-error.js';
import type { Channel, HookCredential } from '#lib/index.js';
import { createCallerVerifier } from '#lib/okta/verify-caller.js';
import type { HookTokenOptions } from '#lib/testing/index.js';
import { ANA, CODE, HOOK_SECRET, scenes, type HookOptions, type Scene } from '#harness/scene.js';
import { openRaw, rawRequest, type RawAnswer } from '#harness/raw-http.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';
import { mustNotShow } from '#harness/witness.js';
import { rsaKeys } from '#harness/rsa-keys.js';

const PREVIOUS = 'Bearer previous secret';
const PASSWORD = 'pass:with:colons-7f2e';
const UNICODE = 'gehëim-ключ-93';
const CLIENT_ID = '0oahookclient0001d7';

const quick: Channel = { send: () => Promise.resolve({ status: 'accepted', transactionId: 'T1' }) };
const BODY = JSON.stringify({
  data: { messageProfile: { phoneNumber: ANA.phone, otpCode: CODE, deliveryChannel: 'SMS' } },
});

type Headers = readonly (readonly [name: string, value: string])[];

/** Sends a hook call with exactly these headers, in UTF-8. */
async function post(scene: Scene, headers: Headers): Promise<RawAnswer> {
  const connection = await openRaw(scene.server);
  const length = String(Buffer.byteLength(BODY));
  connection.socket.write(
    rawRequest(
      '/okta/telephony',
      [...headers, ['Content-Type', 'application/json'], ['Content-Length', length]],
      BODY,
    ),
  );
  const [answer] = await connection.waitFor(1);
  connection.socket.destroy();
  return answer ?? expect.fail('no answer');
}

const base64 = (text: string, encoding: BufferEncoding = 'utf8'): string =>
  Buffer.from(text, encoding).toString('base64');

describe('a caller', () => {
  // Some tests stop the time.
  before(warmUp);
  const startScene = scenes();
  const start = async (
    hook:
      HookCredential | readonly HookCredential[] | ((issuer: string) => HookCredential | HookCredential[]),
    options: HookOptions = {},
  ): Promise<Scene> => {
    mustNotShow(PREVIOUS, PASSWORD, UNICODE);
    return startScene({
      hook: ({ okta }) => ({
        sandboxNumber: undefined,
        senders: undefined,
        channels: { sms: quick },
        ...options,
        credentials: { hook: typeof hook === 'function' ? hook(okta.issuer) : hook },
      }),
    });
  };

  describe('with a header', () => {
    const two: HookCredential = { scheme: 'header', secrets: [HOOK_SECRET, PREVIOUS] };
    const named: HookCredential = { scheme: 'header', name: 'X-Okta-Hook', secrets: [HOOK_SECRET] };
    const unicode: HookCredential = { scheme: 'header', secrets: [UNICODE] };
    const wrong = 'X-Okta-Hook: wrong-secret';
    const right = `X-Okta-Hook: ${HOOK_SECRET}`;
    type Case = readonly [what: string, scheme: HookCredential, lines: readonly string[], status: number];
    const cases: readonly Case[] = [
      ['passes with the current secret', two, [`Authorization: ${HOOK_SECRET}`], 200],
      ['passes with the previous secret', two, [`Authorization: ${PREVIOUS}`], 200],
      ['passes with any case of the header name', two, [`aUTHORIZATION: ${HOOK_SECRET}`], 200],
      ['passes with a header of another name', named, [`x-okta-hook: ${HOOK_SECRET}`], 200],
      ['passes with a secret that is not ASCII', unicode, [`Authorization: ${UNICODE}`], 200],
      ['does not pass with the secret in another header', named, [`Authorization: ${HOOK_SECRET}`], 401],
      ['does not pass without the header', two, [], 401],
      ['does not pass with an empty header', two, ['Authorization: '], 401],
      ['does not pass with a prefix of the secret', two, [`Authorization: ${HOOK_SECRET.slice(0, -1)}`], 401],
      ['does not pass with more than the secret', two, [`Authorization: ${HOOK_SECRET}0`], 401],
      ['does not pass with words before the secret', two, [`Authorization: Bearer ${HOOK_SECRET}`], 401],
      ['does not pass with another case of it', two, [`Authorization: ${HOOK_SECRET.toUpperCase()}`], 401],
      ['does not pass with both secrets at once', two, [`Authorization: ${HOOK_SECRET}, ${PREVIOUS}`], 401],
      ['does not pass with the right header twice', named, [right, right], 401],
      ['does not pass with a right header after a wrong one', named, [wrong, right], 401],
      ['does not pass with a wrong header after a right one', named, [right, wrong], 401],
    ];
    for (const [what, scheme, lines, status] of cases) {
      it(what, async () => {
        const scene = await start(scheme);
        const headers = lines.map((line) => {
          const [name = '', ...value] = line.split(': ');
          return [name, value.join(': ')] as const;
        });
        const answer = await post(scene, headers);
        expect(answer.status).to.equal(status);
        if (status === 401) {
          expect(JSON.parse(answer.body)).to.deep.equal({ error: { errorSummary: 'Unauthorized' } });
          expect(answer.headers['www-authenticate']).to.equal('SharedSecret realm="okta-telephony-hook"');
          expect(answer.headers['cache-control']).to.equal('no-store, no-transform');
          expect([...scene.okta.requests, ...scene.twilio.requests]).to.be.empty;
        }
      });
    }
  });

  describe('with basic authentication', () => {
    const users: HookCredential = {
      scheme: 'basic',
      users: [
        { username: 'okta', password: PASSWORD },
        { username: 'zoë', password: UNICODE },
      ],
    };
    const cases: readonly (readonly [what: string, value: string, status: number])[] = [
      ['passes with a password that contains colons', `Basic ${base64(`okta:${PASSWORD}`)}`, 200],
      ['passes with the scheme in lower case', `basic ${base64(`okta:${PASSWORD}`)}`, 200],
      ['passes with UTF-8', `Basic ${base64(`zoë:${UNICODE}`)}`, 200],
      [
        'does not pass with latin1 in place of UTF-8',
        `Basic ${base64(`zo\u00eb:${UNICODE}`, 'latin1')}`,
        401,
      ],
      ['does not pass with the password cut at a colon', `Basic ${base64('okta:pass')}`, 401],
      ['does not pass with an empty password', `Basic ${base64('okta:')}`, 401],
      ['does not pass as another user', `Basic ${base64(`zoë:${PASSWORD}`)}`, 401],
      ['does not pass with a value that is not base64', 'Basic *&%$#!', 401],
      ['does not pass with truncated base64', `Basic ${base64(`okta:${PASSWORD}`).slice(0, -6)}`, 401],
      ['does not pass without a value', 'Basic', 401],
      ['does not pass with a word before the scheme', `x Basic ${base64(`okta:${PASSWORD}`)}`, 401],
      ['does not pass with a word after the value', `Basic ${base64(`okta:${PASSWORD}`)} x`, 401],
      ['passes with spaces around the value', `Basic   ${base64(`okta:${PASSWORD}`)}  `, 200],
      ['does not pass without a colon', `Basic ${base64('okta')}`, 401],
      ['does not pass unencoded', `Basic okta:${PASSWORD}`, 401],
      ['does not pass with another scheme', `Bearer ${base64(`okta:${PASSWORD}`)}`, 401],
    ];
    for (const [what, value, status] of cases) {
      it(what, async () => {
        const answer = await post(await start(users), [['Authorization', value]]);
        expect(answer.status).to.equal(status);
        if (status === 401) {
          const challenge = 'Basic realm="okta-telephony-hook", charset="UTF-8"';
          expect(answer.headers['www-authenticate']).to.equal(challenge);
        }
      });
    }
  });

  describe('with an access token', () => {
    const oauth2 = (issuer: string): HookCredential => ({
      scheme: 'oauth2',
      issuer,
      audience: 'api://default',
      clientId: CLIENT_ID,
      scope: 'telephony',
    });
    const seconds = (offset: number): number => Math.floor(Date.now() / 1000) + offset;
    const call = async (target: Scene, token: string): Promise<number> => {
      mustNotShow(token);
      return (await post(target, [['Authorization', `Bearer ${token}`]])).status;
    };
    const other = rsaKeys();
    const symmetric = createSecretKey(createHmac('sha256', 'x').digest());

    /** Numbers are seconds from the creation of the token. */
    type Claims = Readonly<Record<string, unknown>>;
    const cases: readonly (readonly [
      what: string,
      claims: Claims,
      options: HookTokenOptions,
      status: number,
      fetches: number,
    ])[] = [
      ['passes', {}, {}, 200, 1],
      ['passes with more scopes than the hook’s', { scp: ['other', 'telephony'] }, {}, 200, 1],
      ['passes with several audiences', { aud: ['api://default', 'api://other'] }, {}, 200, 1],
      ['passes if the token expired within the clock tolerance', { exp: -2 }, {}, 200, 1],
      ['does not pass without a signature', {}, { alg: 'none' }, 401, 0],
      ['does not pass with the public key as an HMAC secret', {}, { alg: 'HS256' }, 401, 0],
      ['does not pass with another HMAC secret', {}, { alg: 'HS256', key: symmetric }, 401, 0],
      ['does not pass with the right key and another algorithm', {}, { alg: 'RS384' }, 401, 0],
      ['does not pass with PS256', {}, { alg: 'PS256' }, 401, 0],
      ['does not pass with another key under the right key id', {}, { key: other.privateKey }, 401, 1],
      ['does not pass from another issuer', { iss: 'https://evil.example/oauth2/default' }, {}, 401, 0],
      ['does not pass without an issuer', { iss: undefined }, {}, 401, 0],
      ['does not pass for another audience', { aud: 'api://other' }, {}, 401, 1],
      ['does not pass without an audience', { aud: undefined }, {}, 401, 1],
      ['does not pass with an expired token', { exp: -60 }, {}, 401, 1],
      ['does not pass with a token that never expires', { exp: undefined }, {}, 401, 1],
      ['does not pass before nbf', { nbf: 60 }, {}, 401, 1],
      ['does not pass with another client id', { cid: '0oaanotherclient1d7' }, {}, 401, 0],
      ['does not pass without a client id', { cid: undefined }, {}, 401, 0],
      ['does not pass without the scope', { scp: ['other'] }, {}, 401, 0],
      ['does not pass with the scope as a string', { scp: 'telephony' }, {}, 401, 0],
      ['does not pass without scopes', { scp: undefined }, {}, 401, 0],
    ];
    for (const [what, claims, options, status, fetches] of cases) {
      it(`${what}: ${fetches} fetch(es) of keys`, async () => {
        const target = await start(oauth2);
        const timed = Object.entries(claims).map(([name, value]) => [
          name,
          typeof value === 'number' ? seconds(value) : value,
        ]);
        const token = await target.okta.issueHookToken(Object.fromEntries(timed) as Claims, options);
        expect(await call(target, token)).to.equal(status);
        expect(target.okta.jwksHits).to.equal(fetches);
      });
    }

    it("passes with a token that has expired, but not by the gateway's clock", async () => {
      const target = await start(oauth2, { clock: () => Date.now() - 120_000 });
      expect(await call(target, await target.okta.issueHookToken({ exp: seconds(-60) }))).to.equal(200);
    });

    it('gets an RFC 6750 error in WWW-Authenticate for a signed token, else only the realm', async () => {
      const target = await start(oauth2);
      const token = await target.okta.issueHookToken({ exp: seconds(-60) });
      const answer = await post(target, [['Authorization', `Bearer ${token}`]]);
      expect(answer.headers['www-authenticate']).to.equal(
        'Bearer realm="okta-telephony-hook", error="invalid_token"',
      );
      const forgotten = await post(target, [
        ['Authorization', `Bearer ${await target.okta.issueHookToken({ exp: undefined })}`],
      ]);
      expect(forgotten.headers['www-authenticate']).to.equal(
        'Bearer realm="okta-telephony-hook", error="insufficient_scope"',
      );
      const madeUp = await post(target, [['Authorization', 'Bearer a.b.c']]);
      expect(madeUp.headers['www-authenticate']).to.equal('Bearer realm="okta-telephony-hook"');
      const none = await post(target, []);
      expect(none.headers['www-authenticate']).to.equal('Bearer realm="okta-telephony-hook"');
    });

    for (const [what, before, behind, status] of [
      ['passes with spaces around the token', ' ', '  ', 200],
      ['passes with the scheme in lower case', 'bearer ', '', 200],
      ['does not pass with a word before the scheme', 'x Bearer ', '', 401],
      ['does not pass with a word after the token', '', ' x', 401],
    ] as const) {
      it(what, async () => {
        const target = await start(oauth2);
        const token = await target.okta.issueHookToken();
        mustNotShow(token);
        const scheme = before.includes('earer') ? before : `Bearer ${before}`;
        const answer = await post(target, [['Authorization', `${scheme}${token}${behind}`]]);
        expect(answer.status).to.equal(status);
      });
    }

    it('causes no fetch of keys with a made-up token', async () => {
      const target = await start(oauth2);
      const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const head = part({ alg: 'RS256', kid: 'k' });
      const made = [
        'x',
        'a.b.c',
        `${head}.${part({})}.c2ln`,
        `${head}.${part(null)}.c2ln`,
        `${head}.!.c2ln`,
        '....',
        `${head}..`,
      ];
      for (const token of made)
        expect((await post(target, [['Authorization', `Bearer ${token}`]])).status).to.equal(401);
      expect(target.okta.jwksHits).to.equal(0);
    });

    it('passes at once after the issuer rotates its keys: ten calls cause one more fetch', async () => {
      const target = await start(oauth2);
      const old = await target.okta.issueHookToken();
      expect(await call(target, old)).to.equal(200);
      await target.okta.rotateHookKeys();
      const token = await target.okta.issueHookToken();
      const statuses = await Promise.all(Array.from({ length: 10 }, () => call(target, token)));
      expect(new Set(statuses)).to.deep.equal(new Set([200]));
      expect(await call(target, old)).to.equal(200);
      expect(target.okta.jwksHits).to.equal(2);
    });

    it('gets 503 within the deadline if no key is known and the key server hangs', async () => {
      const target = await start(oauth2, { deadlineMs: 500 });
      const token = await target.okta.issueHookToken();
      mustNotShow(token);
      target.okta.faultKeys({ kind: 'hang' });
      const clock = stopTime();
      let answer: RawAnswer;
      try {
        const answering = post(target, [['Authorization', `Bearer ${token}`]]);
        await until(() => target.okta.jwksHits >= 1);
        // The hook leaves itself enough of the deadline to answer.
        await clock.tickAsync(450);
        answer = await answering;
      } finally {
        clock.restore();
      }
      expect(answer.status).to.equal(503);
      expect(answer.headers['retry-after']).to.equal('1');
      expect(answer.body).to.include('PROOF_UNAVAILABLE');
      expect(target.okta.requests).to.be.empty;
    });

    it('passes with a readable key, and gets 503 with an unreadable key of the same issuer', async () => {
      const target = await start(oauth2);
      const token = await target.okta.issueHookToken();
      const { keys } = (await (await fetch(`${target.okta.issuer}/v1/keys`)).json()) as { keys: object[] };
      const broken = { kty: 'RSA', n: false, e: 'AQAB', kid: 'broken', alg: 'RS256', use: 'sig' };
      target.okta.faultKeys({ kind: 'status', status: 200, body: { keys: [broken, ...keys] } });
      expect(await call(target, token)).to.equal(200);
      expect(await call(target, await target.okta.issueHookToken({}, { kid: 'broken' }))).to.equal(503);
      expect(await call(target, token)).to.equal(200);
    });
  });

  describe('with several schemes', () => {
    const all = (issuer: string): HookCredential[] => [
      { scheme: 'oauth2', issuer, audience: 'api://default', clientId: CLIENT_ID, scope: 'telephony' },
      { scheme: 'basic', users: [{ username: 'okta', password: PASSWORD }] },
      { scheme: 'header', name: 'X-Okta-Hook', secrets: [HOOK_SECRET] },
    ];

    it('passes with any one of them', async () => {
      const target = await start(all);
      const token = await target.okta.issueHookToken();
      mustNotShow(token);
      const proofs: Headers = [
        ['Authorization', `Bearer ${token}`],
        ['Authorization', `Basic ${base64(`okta:${PASSWORD}`)}`],
        ['X-Okta-Hook', HOOK_SECRET],
      ];
      for (const proof of proofs) expect((await post(target, [proof])).status).to.equal(200);
    });

    it('passes with the header and without a fetch of keys while the key server is down', async () => {
      const target = await start(all);
      const token = await target.okta.issueHookToken();
      mustNotShow(token);
      target.okta.faultKeys({ kind: 'hang' });
      const answer = await post(target, [
        ['X-Okta-Hook', HOOK_SECRET],
        ['Authorization', `Bearer ${token}`],
      ]);
      expect(answer.status).to.equal(200);
      expect(target.okta.jwksHits).to.equal(0);
    });

    it('gets one challenge for each scheme if none of them matches', async () => {
      const other: HookCredential = { scheme: 'header', name: 'X-Other', secrets: [`other-${HOOK_SECRET}`] };
      const target = await start((issuer) => [...all(issuer), other]);
      const answer = await post(target, [['Authorization', 'nothing']]);
      expect(answer.status).to.equal(401);
      const realm = 'realm="okta-telephony-hook"';
      expect(answer.headers['www-authenticate']).to.equal(
        `Basic ${realm}, charset="UTF-8", SharedSecret ${realm}, Bearer ${realm}`,
      );
    });

    it('is never confused with another one that calls at the same time', async () => {
      const target = await start(all, { profile: { cache: false } });
      const good = await target.okta.issueHookToken();
      // The hook checks its signature, so that it overlaps with the good ones.
      const bad = await target.okta.issueHookToken({ aud: 'api://other' });
      mustNotShow(good, bad);
      const kinds: readonly (readonly [headers: Headers, status: number])[] = [
        [[['Authorization', `Bearer ${good}`]], 200],
        [[['Authorization', `Bearer ${bad}`]], 401],
        [[['X-Okta-Hook', HOOK_SECRET]], 200],
        [[['X-Okta-Hook', `${HOOK_SECRET}x`]], 401],
      ];
      const calls = Array.from({ length: 100 }, (_, index) => kinds[index % kinds.length]!);
      const answers = await Promise.all(calls.map(([headers]) => post(target, headers)));
      expect(answers.map(({ status }) => status)).to.deep.equal(calls.map(([, status]) => status));
    });
  });
});

describe('a caller whose request has no raw headers, as from a serverless adapter,', () => {
  const dispatcher = new Agent();
  after(() => dispatcher.close());
  const verifier = createCallerVerifier(
    [{ scheme: 'header', name: 'X-Okta-Hook', secrets: [HOOK_SECRET, 'previous'] }],
    { dispatcher, clock: Date.now, keysWaitMs: 100 },
  );
  // Node never gives this header as an array, but an adapter may.
  const verify = (headers: IncomingHttpHeaders): Promise<unknown> =>
    verifier.verify({ headers, rawHeaders: [] }).then(
      () => 'passes',
      (error: unknown) => (error instanceof RequestError ? error.code : error),
    );

  for (const [what, headers, outcome] of [
    ['with the header', { 'x-okta-hook': HOOK_SECRET }, 'passes'],
    ['with the header in an array', { 'x-okta-hook': [HOOK_SECRET] }, 'passes'],
    ['with the header twice', { 'x-okta-hook': [HOOK_SECRET, HOOK_SECRET] }, 'CALLER_NOT_PROVEN'],
    ['with a wrong header', { 'x-okta-hook': 'wrong' }, 'CALLER_NOT_PROVEN'],
    ['without the header', { authorization: HOOK_SECRET }, 'CALLER_NOT_PROVEN'],
  ] as const) {
    it(`${outcome === 'passes' ? 'passes' : 'does not pass'} ${what}`, async () => {
      // Node's types do not allow a readonly array.
      expect(await verify(structuredClone(headers) as IncomingHttpHeaders)).to.equal(outcome);
    });
  }
});
