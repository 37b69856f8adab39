import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { ProviderError } from '#lib/core/errors.js';
import { IS_UNDEFINED } from '#lib/core/option-rules.js';
import { vonageChannel, type VonageChannelOptions } from '#lib/channels/index.js';
import { oktaTelephonyHook } from '#lib/index.js';
import {
  ANA,
  BOB,
  CODE,
  commandOf,
  startScene,
  usualCredentials,
  type HookOptions,
  type Scene,
} from '#harness/scene.js';
import { connectChannel, contextOf } from '#harness/channels.js';
import { fakeClock } from '#harness/fake-clock.js';
import { mustNotShow } from '#harness/witness.js';
import { rsaKeys } from '#harness/rsa-keys.js';
import { problemsOf } from '../options.js';
import { startVonageEmulator, type VonageEmulator } from './emulator.js';

describe('Vonage', () => {
  let vonage: VonageEmulator;
  let scene: Scene;
  let now: number;
  beforeEach(async () => {
    now = Date.parse('2026-11-25T12:00:00Z');
    vonage = await startVonageEmulator(() => now);
  });
  afterEach(() => Promise.all([scene.close(), vonage.close()]));

  const byApplication = (): VonageChannelOptions => {
    const { applicationId, privateKey, number, baseUrl } = vonage;
    return { applicationId, privateKey, from: `+${number}`, baseUrl };
  };
  const byKey = (): VonageChannelOptions => {
    const { apiKey, apiSecret, number, baseUrl } = vonage;
    return { apiKey, apiSecret, from: number, baseUrl };
  };
  const template = () => ({ name: vonage.templateName, languages: { default: 'en_US', pt: 'pt_BR' } });
  const start = async (channels: HookOptions['channels'], hook: HookOptions = {}): Promise<void> => {
    scene = await startScene({ hook: { sandboxNumber: undefined, clock: () => now, channels, ...hook } });
  };
  const bodies = (): unknown[] => vonage.requests.map(({ body }) => JSON.parse(body) as unknown);

  describe('as SMS', () => {
    it("gets the text with the code's lifetime as its ttl, and with the event id", async () => {
      await start({ sms: vonageChannel(byKey()) });
      const command = commandOf(await scene.call({ eventId: 'event-1' }));
      expect(command).to.include({ status: 'SUCCESSFUL', provider: 'VONAGE' });
      expect(command?.['transactionId']).to.equal(vonage.messages[0]?.id);
      expect(bodies()).to.deep.equal([
        {
          channel: 'sms',
          message_type: 'text',
          text: `Your code is ${CODE}`,
          ttl: 300,
          from: vonage.number,
          to: ANA.phone.slice(1),
          client_ref: 'event-1',
        },
      ]);
      expect(vonage.requests[0]?.headers['user-agent']).to.equal('okta-telephony-hook');
    });

    it('has a ttl of whole seconds that ends before the code does', async () => {
      await start({ sms: vonageChannel(byKey()) });
      await scene.call({
        change: (payload) => {
          const { data } = payload as { data: { messageProfile: { otpExpires: string } } };
          payload['eventTime'] = new Date(now).toISOString();
          data.messageProfile.otpExpires = new Date(now + 100_700).toISOString();
        },
      });
      expect(bodies()).to.have.nested.property('[0].ttl', 100);
    });

    it('is used for every channel name except whatsapp, and can have a name as its sender', async () => {
      await start(
        { backup: vonageChannel({ ...byKey(), from: 'ACME' }) },
        { chooseChannels: () => ['backup'] },
      );
      expect(commandOf(await scene.call())).to.include({ provider: 'VONAGE' });
      expect(vonage.messages[0]).to.include({ channel: 'sms', from: 'ACME' });
    });

    it('has the ids of DLT if it goes to India, those of the text by its language', async () => {
      const [english, hindi] = ['1107161234567890123', '1107169876543210987'];
      const entityId = '1101456780000012345';
      const contentIds = { default: english, hi: hindi };
      await start({ sms: vonageChannel({ ...byKey(), dlt: { entityId, contentId: contentIds } }) });
      await scene.call();
      const india = { phoneNumber: '+919812345678' };
      mustNotShow(india.phoneNumber);
      await scene.call({ ...india, userId: BOB.id, locale: 'hi-IN' });
      await scene.call({ ...india, userId: BOB.id, locale: 'fr' });
      expect(vonage.messages.map(({ sms }) => sms)).to.deep.equal([
        undefined,
        { entity_id: entityId, content_id: hindi },
        { entity_id: entityId, content_id: english },
      ]);
    });

    it('has one id of the text for all languages, or none', async () => {
      const entityId = '1101456780000012345';
      const india = { phoneNumber: '+919812345678', userId: BOB.id };
      mustNotShow(india.phoneNumber);
      await start(
        {
          sms: vonageChannel({ ...byKey(), dlt: { entityId, contentId: '1107161234567890123' } }),
          other: vonageChannel({ ...byKey(), dlt: { entityId } }),
        },
        { chooseChannels: ({ locale }) => [locale === 'fr' ? 'other' : 'sms'] },
      );
      await scene.call({ ...india, locale: 'hi-IN' });
      await scene.call({ ...india, locale: 'fr' });
      expect(vonage.messages.map(({ sms }) => sms)).to.deep.equal([
        { entity_id: entityId, content_id: '1107161234567890123' },
        { entity_id: entityId },
      ]);
    });

    it('can be mounted as whatsapp with kind sms', async () => {
      await start({ whatsapp: vonageChannel({ ...byKey(), kind: 'sms' }) });
      await scene.call();
      expect(vonage.messages[0]).to.include({ channel: 'sms' });
    });
  });

  it('is asked by ready() if it accepts the credentials, of either kind, and sends nothing', async () => {
    await start({
      sms: [vonageChannel(byKey()), vonageChannel(byApplication())],
      whatsapp: vonageChannel({
        ...{ apiKey: vonage.apiKey, apiSecret: 'another-secret' },
        ...{ from: vonage.number, baseUrl: vonage.baseUrl },
      }),
    });
    mustNotShow('another-secret');
    const { channels } = await scene.hook.ready();
    expect(channels).to.include({ 'sms[0]': 'ok', 'sms[1]': 'ok' });
    expect(channels['whatsapp'])
      .to.include({ code: 'PROVIDER_REFUSED', providerCode: 'UNAUTHORIZED' })
      .and.to.have.property('remedy');
    vonage.fault({ kind: 'status', status: 503 });
    expect((await scene.hook.ready()).channels['sms[1]']).to.include({ code: 'PROVIDER_UNREADABLE' });
    vonage.clearFaults();
    vonage.fault({ kind: 'reset' });
    expect((await scene.hook.ready()).channels['sms[1]']).to.include({ code: 'PROVIDER_UNREACHABLE' });
    expect(vonage.messages).to.be.empty;
  });

  describe('as WhatsApp', () => {
    it("gets only the template in the user's language, with the code in its body and its button", async () => {
      await start({ whatsapp: vonageChannel({ ...byApplication(), template: template() }) });
      scene.okta.updateUser(ANA.id, { locale: 'pt_PT' });
      await scene.call({ locale: 'pt-PT' });
      const parameters = [{ type: 'text', text: CODE }];
      expect(vonage.messages[0]).to.deep.include({
        channel: 'whatsapp',
        text: undefined,
        ttl: undefined,
        custom: {
          type: 'template',
          template: {
            name: vonage.templateName,
            language: { policy: 'deterministic', code: 'pt_BR' },
            components: [
              { type: 'body', parameters },
              { type: 'button', sub_type: 'url', index: '0', parameters },
            ],
          },
        },
      });
    });

    it('gets free text without a template', async () => {
      await start({ whatsapp: vonageChannel(byKey()) });
      await scene.call();
      expect(vonage.messages[0]).to.include({ channel: 'whatsapp', text: `Your code is ${CODE}` });
    });

    it('does not call composeText with a template', async () => {
      const composedFor: string[] = [];
      const composeText = (request: { otpCode: string }, _profile: unknown, channel: string): string => {
        composedFor.push(channel);
        return `Composed ${request.otpCode}`;
      };
      await start({ whatsapp: vonageChannel({ ...byKey(), template: template() }) }, { composeText });
      await scene.call();
      expect(composedFor).to.deep.equal([]);
    });

    it('cannot have a name as its sender, and cannot be mounted as voice', async () => {
      await start({});
      const make = (channels: HookOptions['channels']) => () =>
        oktaTelephonyHook({ credentials: usualCredentials(scene.okta, scene.twilio), channels });
      const named = vonageChannel({ ...byKey(), from: 'ACME' });
      expect(problemsOf(make({ whatsapp: named }))).to.deep.equal([
        'channels.whatsapp: from must be a phone number in E.164 form for WhatsApp',
      ]);
      expect(problemsOf(make({ voice: named }))).to.deep.equal([
        'channels.voice: vonageChannel sends texts; mount it under another name than voice',
      ]);
    });
  });

  describe('gets requests', () => {
    const tokens = (): string[] =>
      vonage.requests.map(({ headers }) => (headers.authorization ?? '').replace('Bearer ', ''));

    it("with the application's token: one for ten minutes, then a new one", async () => {
      await start({ sms: vonageChannel(byApplication()) });
      await scene.call();
      now += 599_000;
      await scene.call();
      now += 1_000;
      await scene.call();
      expect(vonage.messages).to.have.length(3);
      const [first = '', second, third = ''] = tokens();
      expect(decodeProtectedHeader(first)).to.deep.equal({ alg: 'RS256', typ: 'JWT' });
      const { iat = 0, exp, jti, ...claims } = decodeJwt(first);
      expect(claims).to.deep.equal({ application_id: vonage.applicationId });
      expect(exp).to.equal(iat + 900);
      expect(second).to.equal(first);
      expect(decodeJwt(third).jti).to.not.equal(jti);
    });

    it('with a new token after one that could not be signed', async () => {
      await start({});
      const { check } = connectChannel(vonageChannel(byApplication()), { channel: 'sms', clock: () => now });
      const at = now;
      // No token can have this time.
      now = NaN;
      expect(await check?.(contextOf()).catch((error: unknown) => error)).to.have.property(
        'code',
        'PROVIDER_UNREACHABLE',
      );
      now = at;
      await check?.(contextOf());
      expect(tokens()).to.have.length(1);
    });

    it('with a new token if the clock was set back', async () => {
      await start({ sms: vonageChannel(byApplication()) });
      await scene.call();
      now -= 86_400_000;
      await scene.call();
      expect(tokens()[1]).to.not.equal(tokens()[0]);
      expect(vonage.messages).to.have.length(2);
    });

    it('with the old token if no new one is signed in time, but not with one from the future', async () => {
      await start({});
      const { check } = connectChannel(vonageChannel(byApplication()), { channel: 'sms', clock: () => now });
      await check?.(contextOf());
      for (const passedMs of [600_000, -601_000]) {
        now += passedMs;
        const timers = fakeClock(['setTimeout', 'clearTimeout']);
        const checking = check?.(contextOf()).catch(({ code }: ProviderError) => code);
        // Before the thread that signs can have answered.
        timers.tick(700);
        timers.restore();
        expect(await checking).to.equal(passedMs > 0 ? undefined : 'PROVIDER_UNREACHABLE');
        expect(tokens()).to.have.length(2);
      }
      expect(tokens()[1]).to.equal(tokens()[0]);
    });
  });
});

describe('the options of vonageChannel', () => {
  const pem = rsaKeys().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const ec = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;
  const SECRET = 'vonage-secret-8c1e';
  const key = { apiKey: 'a1b2c3d4', apiSecret: SECRET, from: '447700900444' };
  const application = { applicationId: 'app-1', privateKey: pem, from: 'ACME' };
  const problems = (options: unknown): readonly string[] =>
    problemsOf(() => vonageChannel(options as VonageChannelOptions)).map((problem) =>
      // An option that is undefined has a sentence more.
      problem.replace(`. It ${IS_UNDEFINED}`, ''),
    );
  beforeEach(() => {
    mustNotShow(SECRET, pem, pem.slice(60, 100));
  });

  const template = (name: unknown, languages: unknown): object => ({ ...key, template: { name, languages } });
  const PAIRS = 'give applicationId and privateKey, or apiKey and apiSecret: one of the two pairs';
  const KEY =
    "privateKey must be the application's private key: an RSA key of 2048 bits or more that is not encrypted, as PEM or JWK";
  const FROM =
    'from must be a phone number in E.164 form, or for SMS a name of 1 to 11 letters, digits and spaces with a letter';
  const TEMPLATE =
    "template must be { name, languages } of an approved authentication template, with a default such as 'en_US' in languages, or be left out";
  const rows: readonly (readonly [problems: readonly string[], ...options: unknown[]])[] = [
    [
      [],
      key,
      { ...key, from: '+447700900444', kind: 'whatsapp', template: undefined, baseUrl: undefined },
      { ...key, kind: 'sms', from: '1234567', baseUrl: 'https://messages-sandbox.nexmo.com' },
      { ...key, from: 'Acme and 11' },
      { ...key, signatureSecret: SECRET, dlt: { entityId: '1101' } },
      { ...key, signatureSecret: [SECRET, `${SECRET}-2`], dlt: { entityId: '1101', contentId: '1107' } },
      { ...key, signatureSecret: undefined, dlt: { entityId: '1101', contentId: { default: '1', hi: '2' } } },
      template('okta_code', { default: 'en_US', pt: 'pt_BR', de: 'de', fil: 'fil' }),
      template(`a_${'0'.repeat(510)}`, { default: 'zh_HANS' }),
      application,
      { ...application, privateKey: pem.replaceAll('\n', '\\n'), apiKey: undefined },
      { ...application, privateKey: createPrivateKey(pem).export({ format: 'jwk' }) },
    ],
    [['The options must be an object'], undefined, null, 'text', [key]],
    [[PAIRS, FROM], {}],
    [[PAIRS], { ...key, ...application }, { ...key, privateKey: pem }, { ...application, apiSecret: SECRET }],
    [["apiSecret must be the account's API secret, as text without spaces"], { apiKey: 'a', from: 'ACME' }],
    [["apiKey must be the account's API key, as text without spaces"], { ...key, apiKey: undefined }],
    [
      ["applicationId must be the application's id, as text without spaces"],
      { privateKey: pem, from: 'ACME' },
    ],
    [[KEY], ...[ec, SECRET, 1, null, undefined].map((privateKey) => ({ ...application, privateKey }))],
    [
      ["from is a number whose calling code no country has; compare it with the provider's console"],
      ...['+9991234567', '9991234567'].map((from) => ({ ...key, from })),
    ],
    [
      [FROM],
      ...['ACME and Sons', ' ACME', 'ACME ', 'AC-ME', '', 447700900444].map((from) => ({ ...key, from })),
    ],
    ...(
      [
        ['is too short', '12', '+12'],
        ['has a 0 after the +, where the country code begins', '+0447700900444'],
        ['has more than 15 digits', '1234567890123456'],
        ['has spaces or other characters between its digits', '44 7700 900444'],
        ['does not begin with + and the country code', '07700900444'],
      ] as const
    ).map(([why, ...senders]): readonly [readonly string[], ...unknown[]] => [
      [`${FROM}; the value ${why}`],
      ...senders.map((from) => ({ ...key, from })),
    ]),
    [
      [TEMPLATE],
      ...['', 'Okta_Code', 'okta-code', 'a'.repeat(513), 1, undefined].map((name) =>
        template(name, { default: 'en' }),
      ),
      ...[undefined, 'en', ['en'], {}, { pt: 'pt_BR' }, { default: undefined }].map((languages) =>
        template('a', languages),
      ),
      // One good language is not enough.
      ...['english', 'en-US', 'EN', 'en_us', 'e', '', 1, null].map((pt) =>
        template('a', { default: 'en_US', pt }),
      ),
      { ...key, template: { name: 'a', language: 'en' } },
      { ...key, template: { name: 'a', languages: { default: 'en' }, namespace: 'b' } },
      { ...key, template: 'okta_code' },
      { ...key, template: null },
    ],
    [
      ["signatureSecret must be the account's signature secret, as text without spaces"],
      ...['', 'with space', 1, null, {}].map((signatureSecret) => ({ ...key, signatureSecret })),
    ],
    [
      ['signatureSecret must be a text, or an array of the current and the next signature secret'],
      { ...key, signatureSecret: [SECRET] },
      { ...key, signatureSecret: [SECRET, 'b', 'c'] },
    ],
    [
      ["dlt.entityId must be your organisation's id at DLT, as text without spaces"],
      { ...key, dlt: {} },
      { ...key, dlt: { entityId: 1 } },
    ],
    [
      ["dlt.contentId must be the registered text's id, or ids by language with a default, or be left out"],
      ...['', 'a b', 1, {}, { hi: '1' }, { default: '1', hi: '' }, ['1']].map((contentId) => ({
        ...key,
        dlt: { entityId: '1', contentId },
      })),
    ],
    [
      [
        'signatureSecrets is not an option; did you mean signatureSecret?',
        "kind must be 'sms' or 'whatsapp', or be left out",
        'baseUrl must be an origin without a path, such as https://api.nexmo.com; https, or http on loopback, or be left out',
      ],
      { ...key, kind: 'mms', baseUrl: 'https://api.nexmo.com/v1', signatureSecrets: SECRET },
    ],
  ];
  it('are accepted if valid, otherwise refused with every problem, its remedy and no value', () => {
    for (const [expected, ...given] of rows) {
      for (const [index, options] of given.entries()) {
        expect(problems(options), `${expected.join()} ${index}`).to.deep.equal(expected);
      }
    }
  });
});
