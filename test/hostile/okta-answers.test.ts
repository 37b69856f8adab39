import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { exportJWK, SignJWT } from 'jose';
import { ANA, CODE, HOOK_SECRET } from '#harness/scene.js';
import { rsaKeys } from '#harness/rsa-keys.js';
import { keyOfTrouble, oddJson, oddText, oddValue, withOwn } from './arbitraries.js';
import { commandIn, expectAnswer, expectNothingPolluted, expectNoSecretsIn } from './expectations.js';
import { httpAnswer, VENDOR_WORDS } from './http-answers.js';
import { check, PATIENCE_MS, withSeed } from './runs.js';
import {
  ANA_KNOWN,
  SECRETS,
  startVendorScene,
  taken,
  USER_ID,
  type VendorCall,
  type VendorScene,
} from './vendor-scene.js';

const usualStatus = fc.oneof(
  { weight: 3, arbitrary: fc.constant(200) },
  fc.constantFrom(201, 204, 302, 400, 401, 403, 404, 429, 500, 503),
  fc.integer({ min: 200, max: 599 }),
);

/** The channels of the requests to Twilio. */
function channelsOf(scene: VendorScene): readonly string[] {
  return scene.twilio.requests.map(({ path, body }) => {
    if (path.endsWith('/Calls.json')) return 'voice';
    return body.includes('whatsapp') ? 'whatsapp' : 'sms';
  });
}

describe(withSeed('hostile answers of Okta'), function () {
  this.timeout(PATIENCE_MS);
  let scene: VendorScene;
  before(async () => {
    scene = await startVendorScene();
  });
  after(() => scene.close());

  const expectSentOnce = ({ answer, output }: VendorCall, more: readonly string[] = []): string => {
    const body = expectAnswer(answer);
    expect(commandIn(body)).to.include({ status: 'SUCCESSFUL' });
    expect(scene.twilio.requests).to.have.length(1);
    expect(scene.twilio.requests[0]?.body).to.include(CODE);
    expectNoSecretsIn([...SECRETS, ...more], answer.body, output);
    expectNothingPolluted();
    return channelsOf(scene)[0] ?? '';
  };

  const optIn = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom<unknown>(
        true,
        'whatsapp',
        ['whatsapp'],
        ['voice', 'whatsapp'],
        false,
        'true',
        1,
      ),
    },
    fc.constantFrom<unknown>('WhatsApp', ['__proto__'], ['sms'], 'voice', { 0: 'whatsapp' }),
    oddValue,
  );
  const userBody = fc
    .record({
      id: fc.oneof(
        { weight: 4, arbitrary: fc.constant<unknown>(USER_ID) },
        fc.constantFrom<unknown>('00uother', USER_ID.toUpperCase(), [USER_ID], null),
        oddValue,
      ),
      whatsAppOptIn: optIn,
      locale: oddValue,
      preferredLanguage: fc.oneof(oddText, oddValue),
      key: keyOfTrouble,
      odd: oddValue,
      profile: fc.oneof(
        { weight: 5, arbitrary: fc.constant('own' as const) },
        fc.constantFrom('array' as const, 'none' as const, 'inherited' as const),
      ),
    })
    .map(({ id, whatsAppOptIn, locale, preferredLanguage, key, odd, profile }) => {
      const attributes = withOwn(
        {
          login: ANA.login,
          firstName: ANA.firstName,
          note: VENDOR_WORDS,
          locale,
          preferredLanguage,
          whatsAppOptIn,
        },
        key,
        odd,
      );
      const profiles = {
        own: attributes,
        array: [attributes],
        none: null,
        inherited: withOwn({}, '__proto__', attributes),
      };
      return JSON.stringify(withOwn({ id, profile: profiles[profile] }, key === 'toString' ? key : 'x', odd));
    });
  const usersBodies = fc.oneof(
    { weight: 6, arbitrary: userBody },
    fc.tuple(userBody, fc.nat({ max: 200 })).map(([text, length]) => text.slice(0, length)),
    oddJson,
    oddText,
    fc.constant('x'.repeat(300_000)),
    fc.constant(
      JSON.stringify({ errorCode: 'E0000007', errorSummary: VENDOR_WORDS, errorCauses: [ANA.login] }),
    ),
  );

  it('about a user never stop a code, and select WhatsApp only if they contain the opt-in of this user', async () => {
    await check(
      "answers of Okta's Users API",
      fc.asyncProperty(httpAnswer(usersBodies, usualStatus), async (users) => {
        scene.okta.answerWith(() => users.raw);
        scene.twilio.answerWith(taken);
        const call = await scene.call();
        await call.closed;
        const channel = expectSentOnce(call);
        const wants = users.isComplete !== false && users.status < 300 && wantsWhatsApp(users.body);
        if (channel === 'whatsapp') expect(wants).to.equal(true);
        else expect(users.isComplete === true && wants).to.equal(false);
      }),
      60,
    );
  });

  it('of its token endpoint never stop a code, and neither their words nor our credentials leak', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const tokenBodies = fc.oneof(
      fc
        .record({
          access_token: fc.oneof(
            { weight: 3, arbitrary: fc.constant<unknown>(`${VENDOR_WORDS}.token`) },
            oddValue,
            fc.constant<unknown>('a\r\nb: c'),
          ),
          token_type: fc.oneof(
            fc.constantFrom<unknown>('Bearer', 'bearer', 'DPoP', 'MAC', '__proto__', 'constructor'),
            oddValue,
          ),
          expires_in: fc.oneof(fc.constantFrom<unknown>(3600, 1, 0, -1, 1e308, '3600'), oddValue),
          scope: oddValue,
        })
        .map((token) => JSON.stringify(token)),
      fc
        .constantFrom('invalid_client', 'use_dpop_nonce', 'invalid_dpop_proof', VENDOR_WORDS)
        .map((error) => JSON.stringify({ error, error_description: `${VENDOR_WORDS} ${key}` })),
      oddJson,
      oddText,
    );
    const anyTokenAnswer = httpAnswer(tokenBodies, fc.oneof(usualStatus, fc.constantFrom(200, 400, 401)));
    await check(
      "answers of Okta's token endpoint",
      fc.asyncProperty(fc.array(anyTokenAnswer, { minLength: 1, maxLength: 4 }), async (answers) => {
        let tokenRequests = 0;
        scene.okta.answerWith(({ path }) => {
          if (path !== '/oauth2/v1/token') return ANA_KNOWN;
          tokenRequests += 1;
          return answers[(tokenRequests - 1) % answers.length]?.raw ?? ANA_KNOWN;
        });
        scene.twilio.answerWith(taken);
        const okta = { orgUrl: scene.okta.origin, clientId: '0oahostile', privateKey: key, keyId: 'k1' };
        const call = await scene.call({}, { credentials: { okta } });
        await call.closed;
        const assertions = scene.okta.requests.map(
          ({ body }) => new URLSearchParams(body).get('client_assertion') ?? '',
        );
        expectSentOnce(call, [key.slice(40, 80), ...assertions]);
        // The hook gives up at some point, and does not request the user without a token.
        expect(tokenRequests).to.be.within(1, 4);
      }),
      40,
    );
  });

  it('with its signing keys let in a caller only if they verify its token', async () => {
    const { privateKey, publicKey } = rsaKeys();
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
    const hook = {
      scheme: 'oauth2',
      issuer: `${scene.okta.origin}/oauth2/default`,
      audience: 'api://default',
      clientId: '0oahookclient',
      scope: 'telephony',
    } as const;
    const token = await new SignJWT({ cid: hook.clientId, scp: [hook.scope] })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
      .setIssuer(hook.issuer)
      .setAudience(hook.audience)
      .setExpirationTime('1h')
      .sign(privateKey);
    const good = JSON.stringify({ keys: [jwk] });
    const keys = fc.oneof(
      { weight: 3, arbitrary: fc.constant(good) },
      fc
        .tuple(fc.constantFrom('kty', 'n', 'e', 'kid', 'alg', 'use'), oddValue)
        .filter(([name, value]) => (jwk as Readonly<Record<string, unknown>>)[name] !== value)
        .map(([name, value]) => JSON.stringify({ keys: [{ ...jwk, [name]: value }] })),
      fc
        .tuple(keyOfTrouble, oddValue)
        .map(([name, value]) => JSON.stringify({ keys: [withOwn({ kid: 'k1' }, name, value)] })),
      oddValue.map((value) => JSON.stringify({ keys: value })),
      oddJson,
      fc.nat({ max: good.length - 1 }).map((length) => good.slice(0, length)),
      oddText,
    );
    await check(
      "answers of Okta's key server",
      fc.asyncProperty(httpAnswer(keys, usualStatus), fc.boolean(), async (answered, isForged) => {
        scene.okta.answerWith(({ path }) => (path.endsWith('/v1/keys') ? answered.raw : ANA_KNOWN));
        scene.twilio.answerWith(taken);
        const sentToken = isForged ? token.slice(0, -6) + 'AAAAAA' : token;
        const { answer, output, closed } = await scene.call(
          {},
          { credentials: { hook } },
          `Bearer ${sentToken}`,
        );
        await closed;
        expectAnswer(answer);
        expectNothingPolluted();
        expectNoSecretsIn([...SECRETS, HOOK_SECRET, token], answer.body, output);
        const isGood = !isForged && answered.status === 200 && answered.body === good;
        if (isGood && answered.isComplete === true) expect(answer.status).to.equal(200);
        else if (!isGood || answered.isComplete === false) {
          // A key without `kid`, `alg` or `use` can still verify the token.
          const mayVerify = !isForged && answered.status === 200 && answered.isComplete !== false;
          expect(answer.status).to.be.oneOf(mayVerify ? [200, 401, 503] : [401, 503]);
        }
        expect(scene.twilio.requests).to.have.length(answer.status === 200 ? 1 : 0);
      }),
      40,
    );
  });
});

/** Whether Okta's user resource contains the opt-in of this user: contract section 3, `optInAttribute`. */
function wantsWhatsApp(text: string): boolean {
  let user: unknown;
  try {
    user = JSON.parse(text);
  } catch {
    return false;
  }
  const profile = own(user, 'profile');
  if (own(user, 'id') !== USER_ID || Array.isArray(profile)) return false;
  const value = own(profile, 'whatsAppOptIn');
  return value === true || value === 'whatsapp' || (Array.isArray(value) && value.includes('whatsapp'));
}

function own(holder: unknown, name: string): unknown {
  if (typeof holder !== 'object' || holder === null) return undefined;
  return Object.getOwnPropertyDescriptor(holder, name)?.value as unknown;
}
