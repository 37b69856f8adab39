import { expect } from 'chai';
import type { ConnectedChannel } from '#lib/core/channel.js';
import { ConfigurationError } from '#lib/core/errors.js';
import type { TwilioSettings } from '#lib/channels/twilio/settings.js';
import { describeRefusal } from '#lib/channels/twilio/outcome.js';
import { twilioVerify, verifyLocaleOf, type TwilioVerifyOptions } from '#lib/channels/twilio/verify.js';
import { VERIFY_LOCALES } from '#lib/testing/twilio/verify-service.js';
import { connectChannel, contextOf } from '#harness/channels.js';
import {
  KEY_SID,
  makeMessage,
  makeSettings,
  NOW,
  OTP_CODE,
  PHONE_NUMBER,
  startScriptedApi,
  type ScriptedApi,
} from './scripted-api.js';
import { createTwilioConnection } from '#lib/channels/twilio/client.js';

const SERVICE = `VA${'0e'.repeat(16)}`;
const SID = `VE${'0f'.repeat(16)}`;
const SENT = { status: 201, body: { sid: SID, status: 'pending', valid: false } };
const refusedWith = (status: number, code: number) => ({ status, body: { code, status, message: 'no' } });

describe('twilioVerify', () => {
  let api: ScriptedApi;
  before(async () => {
    api = await startScriptedApi();
  });
  after(() => api.close());
  beforeEach(() => {
    api.script(SENT);
  });

  function connect(
    channel: string,
    options: Partial<TwilioVerifyOptions> = {},
    settings: Partial<TwilioSettings> = {},
  ): ConnectedChannel {
    const parts = { twilio: api.connect(settings), channel, clock: () => NOW };
    return connectChannel(twilioVerify({ serviceSid: SERVICE, ...options }), parts);
  }

  for (const [name, channel] of [
    ['sms', 'sms'],
    ['voice', 'call'],
    ['whatsapp', 'whatsapp'],
  ] as const) {
    it(`lets Verify send Okta's code by ${name}`, async () => {
      const outcome = await connect(name).send(makeMessage({ locale: 'de-AT' }), contextOf());
      expect(outcome).to.deep.equal({ status: 'accepted', transactionId: SID });
      expect(Object.fromEntries(api.requests[0]?.form ?? [])).to.deep.equal({
        To: PHONE_NUMBER,
        Channel: channel,
        CustomCode: OTP_CODE,
        Locale: 'de',
      });
      expect(api.requests[0]).to.include({
        method: 'POST',
        path: `/v2/Services/${SERVICE}/Verifications`,
      });
      expect(api.requests[0]?.headers.authorization).to.equal(
        `Basic ${Buffer.from(`${KEY_SID}:the secret of the key`).toString('base64')}`,
      );
    });
  }

  it('sends riskCheck for SMS only', async () => {
    for (const [name, riskCheck, expected] of [
      ['sms', 'disable', 'disable'],
      ['sms', 'enable', 'enable'],
      ['voice', 'disable', null],
      ['whatsapp', 'disable', null],
    ] as const) {
      api.script(SENT);
      await connect(name, { riskCheck }).send(makeMessage(), contextOf());
      expect(api.requests[0]?.form.get('RiskCheck'), name).to.equal(expected);
    }
  });

  it("sends the user's IP address, unless it is none or switched off", async () => {
    const { request } = makeMessage();
    for (const [ipAddress, deviceIp, expected] of [
      ['203.0.113.7', true, '203.0.113.7'],
      ['2001:db8::7', true, '2001:db8::7'],
      ['203.0.113.7', false, null],
      ['203.0.113.7, 198.51.100.1', true, null],
      ['unknown', true, null],
      [undefined, true, null],
    ] as const) {
      api.script(SENT);
      const message = makeMessage({ request: { ...request, ipAddress } });
      await connect('voice', {}, { deviceIp }).send(message, contextOf());
      expect(api.requests[0]?.form.get('DeviceIp'), String(ipAddress)).to.equal(expected);
    }
  });

  it('sends no locale that Verify has no message in', async () => {
    await connect('sms').send(makeMessage({ locale: 'is-IS' }), contextOf());
    expect(api.requests[0]?.form.has('Locale')).to.equal(false);
  });

  it('sends again without the locale if Verify does not know it', async () => {
    api.script(refusedWith(404, 20404), SENT);
    const outcome = await connect('sms').send(makeMessage({ locale: 'vi' }), contextOf());
    expect(outcome.status).to.equal('accepted');
    expect(api.requests.map(({ form }) => form.get('Locale'))).to.deep.equal(['vi', null]);
  });

  it('refuses with a remedy if Twilio does not know the service; another provider follows', async () => {
    api.script(refusedWith(404, 20404));
    const outcome = await connect('sms').send(makeMessage(), contextOf());
    expect(outcome).to.include({
      status: 'refused',
      reason: 'Twilio knows no such Verify service',
      moveOn: 'other-provider',
    });
    expect(outcome).to.have.property('remedy').that.includes('serviceSid');
    expect(api.requests).to.have.lengthOf(2);
  });

  it('does not send again if the first message may have left', async () => {
    const pages = [502, 404].map((status) => ({ status, body: 'nothing here' }));
    for (const answer of ['reset', 'cut', ...pages, { status: 201, body: '{}' }] as const) {
      api.script(answer);
      const outcome = await connect('sms').send(makeMessage({ locale: 'vi' }), contextOf());
      expect(outcome.status, JSON.stringify(answer)).to.equal('unknown');
      expect(api.requests).to.have.lengthOf(1);
    }
  });

  it('is refused with hasLeft false if nothing may leave any more', async () => {
    const outcome = await connect('sms').send(makeMessage(), contextOf({ mayLeave: () => false }));
    expect(outcome).to.include({ status: 'refused', code: 'UNREACHABLE', hasLeft: false });
    expect(api.requests).to.have.lengthOf(0);
  });

  it('is unknown if Twilio answers with the id of a message', async () => {
    api.script({ status: 201, body: { sid: `SM${'0f'.repeat(16)}`, status: 'pending' } });
    expect((await connect('sms').send(makeMessage(), contextOf())).status).to.equal('unknown');
  });

  it('has no reports and no lookUp, uses no text, and has its own host', () => {
    const channel = connect(
      'sms',
      {},
      { statusCallbackUrl: 'https://id.acme.com/okta/telephony/twilio/status' },
    );
    expect(channel).to.include({ provider: 'TWILIO_VERIFY', usesText: false, idNamespace: 'twilio' });
    expect(channel).to.not.have.any.keys('reports', 'lookUp');
    const dispatcher = { dispatch: () => true };
    const hostOf = (settings: Partial<TwilioSettings>): string =>
      createTwilioConnection({ settings: makeSettings(settings), dispatcher }).verifyHost;
    expect(hostOf({})).to.equal('verify.twilio.com');
    expect(hostOf({ edge: 'dublin', region: 'ie1' })).to.equal('verify.dublin.ie1.twilio.com');
    expect(hostOf({ baseUrl: 'http://127.0.0.1:3003' })).to.equal('127.0.0.1:3003');
  });

  it('throws with every invalid option, and for a channel that Verify does not have', () => {
    const problemsOf = (make: () => unknown): readonly string[] => {
      try {
        make();
      } catch (error) {
        if (error instanceof ConfigurationError) return error.problems;
      }
      return [];
    };
    const wrong = { serviceSid: 'MG0123', riskCheck: 'off', locale: 'de' } as unknown as TwilioVerifyOptions;
    const problems = problemsOf(() => twilioVerify(wrong));
    expect(problems).to.have.lengthOf(3);
    expect(problems.join())
      .to.match(/locale.*serviceSid.*riskCheck must be 'enable' or 'disable', or be left out/)
      .and.not.contain('MG0123');
    expect(problemsOf(() => twilioVerify(undefined as unknown as TwilioVerifyOptions))).to.deep.equal([
      'The options must be an object',
    ]);
    expect(problemsOf(() => connect('line')).join()).to.match(/sms, voice and whatsapp/);
    expect(() => connect('line')).to.throw(/^The options of twilioVerify cannot work/);
  });
});

describe('verifyLocaleOf', () => {
  for (const [locale, expected] of [
    ['en-US', 'en'],
    ['en-GB', 'en-GB'],
    ['EN-gb', 'en-GB'],
    ['pt-BR', 'pt-BR'],
    ['pt-PT', 'pt'],
    ['es-419', 'es'],
    ['zh-Hant-TW', 'zh-HK'],
    ['zh-TW', 'zh-HK'],
    ['zh-Hans-SG', 'zh'],
    ['zh-MO', 'zh-HK'],
    ['no', 'nb'],
    ['nn-NO', 'nb'],
    ['fil-PH', 'tl'],
    ['is-IS', undefined],
    ['x', undefined],
    ['constructor', undefined],
  ] as const) {
    it(`is ${expected ?? 'undefined'} for ${locale}`, () => {
      expect(verifyLocaleOf(locale)).to.equal(expected);
      if (expected !== undefined) expect(VERIFY_LOCALES.has(expected)).to.equal(true);
    });
  }
});

describe('the error codes of Verify', () => {
  it("go on with another provider if Verify's limit for a number or the service is used up", () => {
    for (const code of [60200, 60203, 60204, 60212, 25109]) {
      expect(describeRefusal(code, 429), String(code)).to.include({ moveOn: 'other-provider' });
    }
  });
  it('go on with another channel if this one does not serve the number', () => {
    for (const code of [60205, 60220, 60223, 60227, 60228, 60242, 60245, 60605, 68008]) {
      const { moveOn, reason } = describeRefusal(code, 400);
      expect(moveOn, String(code)).to.equal(true);
      expect(reason, String(code)).to.not.equal('Refused by the provider');
    }
  });
});
