import { expect } from 'chai';
import type { ConnectedChannel } from '#lib/core/channel.js';
import { ConfigurationError } from '#lib/core/errors.js';
import { spokenCode } from '#lib/texts/spoken-code.js';
import { twilioCalls } from '#lib/channels/twilio/calls.js';
import { hasVoice, voiceFor } from '#lib/channels/twilio/voices.js';
import type { TwilioSettings } from '#lib/channels/twilio/settings.js';
import { connectChannel, contextOf, REFERENCE } from '#harness/channels.js';
import {
  NOW,
  OTP_CODE,
  PHONE_NUMBER,
  makeMessage,
  startScriptedApi,
  type ScriptedApi,
} from './scripted-api.js';

const SID = `CA${'0f'.repeat(16)}`;
const SENT = { status: 201, body: { sid: SID, status: 'queued' } };
const CALLBACK = 'https://id.acme.com/okta/telephony/twilio/status';
const REPORTED = `${CALLBACK}?attempt=${REFERENCE}`;

describe('twilioCalls', () => {
  let api: ScriptedApi;
  before(async () => {
    api = await startScriptedApi();
  });
  after(() => api.close());
  beforeEach(() => {
    api.script(SENT);
  });

  function connect(settings: Partial<TwilioSettings> = {}): ConnectedChannel {
    const parts = { twilio: api.connect(settings), channel: 'voice', clock: () => NOW };
    return connectChannel(twilioCalls(), parts);
  }

  it('can be mounted as voice only: a user who requested a text must not get a call', () => {
    for (const channel of ['sms', 'ring']) {
      expect(() => connectChannel(twilioCalls(), { twilio: api.connect(), channel })).to.throw(
        ConfigurationError,
        'twilioCalls makes calls; mount it as voice only',
      );
    }
  });

  it('calls and says the code twice, character by character', async () => {
    const outcome = await connect().send(makeMessage(), contextOf());
    expect(outcome).to.deep.equal({ status: 'accepted', transactionId: SID });
    const say =
      '<Say language="en-US" voice="Polly.Joanna">Hello. Your verification code is: 0, 4, 8, 2, 1, 3</Say>';
    expect(Object.fromEntries(api.requests[0]?.form ?? [])).to.deep.equal({
      To: PHONE_NUMBER,
      From: '+15005550006',
      Twiml: `<?xml version="1.0" encoding="UTF-8"?><Response>${say}<Pause length="2"/>${say}</Response>`,
      Timeout: '25',
    });
    expect(api.requests[0]?.path).to.match(/Calls\.json$/);
  });

  it('reports failures if statusCallbackUrl is set, and has no lookUp', () => {
    expect(connect().reports).to.equal(undefined);
    expect(connect({ statusCallbackUrl: CALLBACK }).reports).to.equal('failures');
    expect(connect()).to.not.have.property('lookUp');
  });

  for (const [locale, attributes, digits] of [
    ['de-AT', 'language="de-DE" voice="Polly.Vicki"', '0, 4, 8, 2, 1, 3'],
    ['ja', 'language="ja-JP" voice="Polly.Mizuki"', '0、4、8、2、1、3'],
    ['ar-EG', 'language="arb" voice="Polly.Zeina"', '0، 4، 8، 2، 1، 3'],
    ['sv-SE', 'language="en-US" voice="Polly.Joanna"', '0, 4, 8, 2, 1, 3'],
  ] as const) {
    it(`speaks to a user of ${locale} with a voice of the language of the words`, async () => {
      await connect().send(makeMessage({ locale }), contextOf());
      const twiml = api.requests[0]?.form.get('Twiml') ?? '';
      expect(twiml.split(attributes)).to.have.lengthOf(3);
      expect(twiml.split(digits)).to.have.lengthOf(3);
      expect(twiml).to.contain(spokenCode(locale, OTP_CODE).sentence);
    });
  }

  it('escapes markup in the code', async () => {
    const message = makeMessage();
    await connect().send({ ...message, request: { ...message.request, otpCode: '<&\u0007' } }, contextOf());
    expect(api.requests[0]?.form.get('Twiml')).to.contain(': &lt;, &amp;</Say>');
  });

  it('requests one status callback, for the end of the call', async () => {
    await connect({ statusCallbackUrl: CALLBACK }).send(makeMessage(), contextOf());
    const form = api.requests[0]?.form;
    expect(form?.get('StatusCallback')).to.equal(REPORTED);
    expect(form?.getAll('StatusCallbackEvent')).to.deep.equal(['completed']);
  });

  it('calls again without the callback if Twilio refuses its URL', async () => {
    api.script({ status: 400, body: { code: 21609 } }, SENT);
    const outcome = await connect({ statusCallbackUrl: CALLBACK }).send(makeMessage(), contextOf());
    expect(outcome.status).to.equal('accepted');
    expect(api.requests[1]?.form.has('StatusCallback')).to.equal(false);
  });

  it("calls from the sender of the number's country", async () => {
    const senders = {
      sms: undefined,
      voice: { default: '+15005550006', GB: '+447700900002' },
      whatsapp: undefined,
    };
    await connect({ senders }).send(makeMessage(), contextOf());
    expect(api.requests[0]?.form.get('From')).to.equal('+447700900002');
  });

  it('is unknown if Twilio answers with the id of a message', async () => {
    api.script({ status: 201, body: { sid: `SM${'0f'.repeat(16)}`, status: 'queued' } });
    expect((await connect().send(makeMessage(), contextOf())).status).to.equal('unknown');
  });

  it('uses no text', () => {
    expect(connect()).to.include({ provider: 'TWILIO', usesText: false, host: new URL(api.origin).host });
  });
});

describe('voiceFor', () => {
  const voices: [string, string][] = [
    ['en', 'en-US'],
    ['en-GB', 'en-GB'],
    ['en-AU', 'en-AU'],
    ['es', 'es-ES'],
    ['es-MX', 'es-MX'],
    ['es-US', 'es-US'],
    ['es-419', 'es-MX'],
    ['fr-BE', 'fr-FR'],
    ['fr-CA', 'fr-CA'],
    ['de', 'de-DE'],
    ['pt', 'pt-BR'],
    ['pt-PT', 'pt-PT'],
    ['it', 'it-IT'],
    ['nl', 'nl-NL'],
    ['ja', 'ja-JP'],
    ['hi', 'hi-IN'],
    ['ar-SA', 'arb'],
    ['fi', 'en-US'],
  ];
  const onlyForTexts: [string, string][] = [
    ['en-IN', 'en-IN'],
    ['sv-FI', 'sv-SE'],
    ['nb', 'nb-NO'],
    ['no', 'nb-NO'],
    ['zh-Hant-TW', 'cmn-CN'],
    ['ru', 'ru-RU'],
  ];
  for (const [locale, language] of voices) {
    it(`speaks ${language} to ${locale}, the language of the words`, () => {
      expect(voiceFor(locale).language).to.equal(language);
      expect(language.slice(0, 2)).to.equal(spokenCode(locale, '1').language);
      expect(voiceFor(locale).voice).to.match(/^Polly\.[A-Z][a-z]+$/);
    });
  }
  for (const [locale, language] of onlyForTexts) {
    it(`speaks ${language} to ${locale} if a text is in that language`, () => {
      expect(voiceFor(locale).language).to.equal(language);
      expect(hasVoice(locale)).to.equal(true);
    });
  }

  it('has no voice for fi and und, so hasVoice() is false', () => {
    expect(hasVoice('fi')).to.equal(false);
    expect(hasVoice('und')).to.equal(false);
  });
});
