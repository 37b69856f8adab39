import { expect } from 'chai';
import type { ConnectedChannel } from '#lib/core/channel.js';
import { ProviderError, reportedCode } from '#lib/core/errors.js';
import type {
  SenderByCountry,
  SmsSender,
  TwilioSettings,
  WhatsAppSender,
} from '#lib/channels/twilio/settings.js';
import { twilioMessages } from '#lib/channels/twilio/messages.js';
import { fakeClock } from '#harness/fake-clock.js';
import { connectChannel, contextOf, REFERENCE } from '#harness/channels.js';
import {
  ACCOUNT_SID,
  NOW,
  OTP_CODE,
  PHONE_NUMBER,
  makeMessage,
  startScriptedApi,
  type ScriptedApi,
} from './scripted-api.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';

const SID = `SM${'0f'.repeat(16)}`;
const SENT = { status: 201, body: { sid: SID, status: 'queued', error_code: null } };
const SERVICE_SID = `MG${'c3'.repeat(16)}`;
const CALLBACK = 'https://id.acme.com/okta/telephony/twilio/status';
const REPORTED = `${CALLBACK}?attempt=${REFERENCE}`;

const SANDBOX: WhatsAppSender = { kind: 'sandbox', from: '+14155238886', contentSid: undefined };
const SANDBOX_TEMPLATE: WhatsAppSender = { ...SANDBOX, contentSid: `HX${'1'.repeat(32)}` };
const APPROVED: WhatsAppSender = {
  kind: 'templates',
  from: '+447700900001',
  templates: { default: `HX${'d'.repeat(32)}`, pt: `HX${'2'.repeat(32)}`, 'pt-BR': `HX${'3'.repeat(32)}` },
};

describe('twilioMessages', () => {
  let api: ScriptedApi;
  before(async () => {
    api = await startScriptedApi();
  });
  after(() => api.close());
  beforeEach(() => {
    api.script(SENT);
  });

  function connect(channel: string, settings: Partial<TwilioSettings> = {}): ConnectedChannel {
    return connectChannel(twilioMessages(), { twilio: api.connect(settings), channel, clock: () => NOW });
  }
  const overWhatsApp = (whatsapp: WhatsAppSender): ConnectedChannel =>
    connect('whatsapp', { senders: { sms: { default: '+15005550006' }, voice: undefined, whatsapp } });
  const overSms = (sms: SenderByCountry<SmsSender>, channel = 'sms'): ConnectedChannel =>
    connect(channel, { senders: { sms, voice: undefined, whatsapp: SANDBOX } });
  const sentForm = (): Record<string, string> => Object.fromEntries(api.requests[0]?.form ?? []);

  describe('as SMS', () => {
    it('sends the text with the remaining lifetime of the code, and the outcome is accepted', async () => {
      const outcome = await connect('sms').send(makeMessage(), contextOf());
      expect(outcome).to.deep.equal({ status: 'accepted', transactionId: SID });
      expect(sentForm()).to.deep.equal({
        To: PHONE_NUMBER,
        From: '+15005550006',
        Body: `Your code is ${OTP_CODE}.`,
        SmartEncoded: 'true',
        ValidityPeriod: '300',
        ProvideFeedback: 'true',
      });
    });

    it('is used for every channel name except whatsapp', async () => {
      await overSms({ default: '+15005550006' }, 'backup').send(makeMessage(), contextOf());
      expect(sentForm()).to.include({ To: PHONE_NUMBER, From: '+15005550006' });
    });

    for (const [where, text, sent] of [
      ['within', `Code \ud83d${OTP_CODE}`, `Code \ufffd${OTP_CODE}`],
      ['at the end of', `${OTP_CODE} for Ana\ud83d`, `${OTP_CODE} for Ana\ufffd`],
    ] as const) {
      it(`keeps the code intact if half a surrogate pair is ${where} the text`, async () => {
        const outcome = await connect('sms').send(makeMessage({ text }), contextOf());
        expect(outcome.status).to.equal('accepted');
        expect(sentForm()).to.include({ Body: sent });
      });
    }

    it('requests status callbacks if statusCallbackUrl is set', async () => {
      await connect('sms', { statusCallbackUrl: CALLBACK }).send(makeMessage(), contextOf());
      expect(sentForm()).to.include({ StatusCallback: REPORTED });
    });

    it('leaves the encoding to the Messaging Service without smartEncoding', async () => {
      await connect('sms', { smartEncoding: false }).send(makeMessage(), contextOf());
      expect(sentForm()).to.not.have.property('SmartEncoded');
    });

    const rcs = { service: SERVICE_SID, fallbackFrom: '+15005550006' };
    it('sends by the service with the sender of its SMS, also for one country alone', async () => {
      for (const channel of [overSms({ default: rcs }), overSms({ default: 'ACME', GB: rcs })]) {
        api.script(SENT);
        await channel.send(makeMessage(), contextOf());
        expect(sentForm()).to.include({ MessagingServiceSid: SERVICE_SID, FallbackFrom: '+15005550006' });
        expect(sentForm()).to.include({ Body: `Your code is ${OTP_CODE}.`, SmartEncoded: 'true' });
        expect(sentForm()).to.not.have.property('From');
      }
    });

    const senders = { default: '+15005550006', GB: 'ACME', FR: SERVICE_SID };
    for (const [country, to, sender] of [
      ['GB', PHONE_NUMBER, { From: 'ACME' }],
      ['FR', '+33612345678', { MessagingServiceSid: SERVICE_SID }],
      ['any other country', '+4915112345678', { From: '+15005550006' }],
      ['a number without a country', '+88300000000', { From: '+15005550006' }],
    ] as const) {
      it(`uses the sender for ${country}`, async () => {
        await overSms(senders).send(makeMessage({ to }), contextOf());
        const { From, MessagingServiceSid } = sentForm();
        expect({ From, MessagingServiceSid }).to.deep.equal({
          From: undefined,
          MessagingServiceSid: undefined,
          ...sender,
        });
      });
    }

    for (const sender of [`x${SERVICE_SID}`, `${SERVICE_SID}x`, SERVICE_SID.slice(0, -1)]) {
      it(`sends ${sender} as From, not as a Messaging Service`, async () => {
        await overSms({ default: sender }).send(makeMessage(), contextOf());
        expect(sentForm()).to.include({ From: sender }).and.to.not.have.property('MessagingServiceSid');
      });
    }

    for (const [lifeMs, seconds] of [
      [299_999, '299'],
      [4_000, '5'],
      [-1, '5'],
    ] as const) {
      it(`is valid for ${seconds} s if the code lives for ${lifeMs} ms`, async () => {
        await connect('sms').send(makeMessage({}, lifeMs), contextOf());
        expect(sentForm()).to.include({ ValidityPeriod: seconds });
      });
    }
  });

  describe('as WhatsApp', () => {
    it('sends the text from the sandbox', async () => {
      const channel = overWhatsApp(SANDBOX);
      expect(channel.usesText).to.equal(true);
      await channel.send(makeMessage(), contextOf());
      expect(sentForm()).to.deep.equal({
        To: `whatsapp:${PHONE_NUMBER}`,
        From: 'whatsapp:+14155238886',
        Body: `Your code is ${OTP_CODE}.`,
        ValidityPeriod: '300',
        ProvideFeedback: 'true',
      });
    });

    it("sends the sandbox's template with the code and without a text", async () => {
      const channel = overWhatsApp(SANDBOX_TEMPLATE);
      expect(channel.usesText).to.equal(false);
      await channel.send(makeMessage({ text: 'unused' }), contextOf());
      expect(sentForm()).to.deep.equal({
        To: `whatsapp:${PHONE_NUMBER}`,
        From: 'whatsapp:+14155238886',
        ContentSid: `HX${'1'.repeat(32)}`,
        ContentVariables: `{"1":"${OTP_CODE}"}`,
        ValidityPeriod: '300',
        ProvideFeedback: 'true',
      });
    });

    for (const [locale, digit] of [
      ['pt-BR', '3'],
      ['pt-PT', '2'],
      ['de', 'd'],
    ] as const) {
      it(`sends the approved template that fits ${locale}`, async () => {
        const channel = overWhatsApp(APPROVED);
        expect(channel.usesText).to.equal(false);
        await channel.send(makeMessage({ locale }), contextOf());
        expect(sentForm()).to.include({
          From: 'whatsapp:+447700900001',
          ContentSid: `HX${digit.repeat(32)}`,
          ContentVariables: `{"1":"${OTP_CODE}"}`,
        });
        expect(sentForm()).to.not.have.property('Body');
      });
    }

    it('refuses with NO_TEMPLATE and sends nothing if no template fits', async () => {
      const noTemplate = overWhatsApp({ ...APPROVED, templates: { pt: `HX${'2'.repeat(32)}` } });
      expect(await noTemplate.send(makeMessage(), contextOf())).to.include({
        status: 'refused',
        code: 'NO_TEMPLATE',
        reason: 'No WhatsApp template for this language, and no default',
        remedy: 'Add a default to senders.whatsapp.templates.',
        moveOn: true,
        hasLeft: false,
      });
      expect(api.requests).to.have.lengthOf(0);
    });
  });

  for (const [channel, settings] of [
    ['sms', {}],
    ['whatsapp', { senders: { sms: undefined, voice: undefined, whatsapp: SANDBOX_TEMPLATE } }],
  ] as const) {
    it(`asks Twilio not to keep the text and the number of a message by ${channel}`, async () => {
      const kept = { contentRetention: 'discard', addressRetention: 'obfuscate' } as const;
      await connect(channel, { ...settings, ...kept }).send(makeMessage(), contextOf());
      expect(sentForm()).to.include({ ContentRetention: 'discard', AddressRetention: 'obfuscate' });
    });
  }

  it('sends again without the callback if Twilio refuses its URL', async () => {
    api.script({ status: 400, body: { code: 21609, message: 'bad url' } }, SENT);
    const outcome = await connect('sms', { statusCallbackUrl: CALLBACK }).send(makeMessage(), contextOf());
    expect(outcome.status).to.equal('accepted');
    expect(api.requests.map(({ form }) => form.get('StatusCallback'))).to.deep.equal([REPORTED, null]);
  });

  for (const [title, answer, expected] of [
    [
      'refused',
      { status: 400, body: { code: 21211, message: PHONE_NUMBER } },
      { code: '21211', moveOn: false },
    ],
    ['unknown', { status: 500, body: { code: 20500, message: OTP_CODE } }, {}],
    ['unknown', 'reset', {}],
    ['unknown', 'cut', {}],
  ] as const) {
    it(`is ${title} for ${typeof answer === 'string' ? answer : answer.status}, and sends once`, async () => {
      api.script(answer);
      const outcome = await connect('sms', { statusCallbackUrl: CALLBACK }).send(makeMessage(), contextOf());
      expect(outcome).to.include({ status: title, ...expected });
      expect(JSON.stringify(outcome)).to.not.contain(PHONE_NUMBER).and.not.contain(OTP_CODE);
      expect(api.requests).to.have.lengthOf(1);
    });
  }

  it('uses the text for SMS even if WhatsApp uses templates', () => {
    const senders = { sms: { default: '+15005550006' }, voice: undefined, whatsapp: APPROVED };
    expect(connect('sms', { senders }).usesText).to.equal(true);
  });

  describe('after a message', () => {
    const whatsapp = { sms: undefined, voice: undefined, whatsapp: SANDBOX };
    for (const [channel, statusCallbackUrl, reports, hasLookUp] of [
      ['whatsapp', undefined, 'deliveries', true],
      ['whatsapp', CALLBACK, 'deliveries', true],
      ['sms', undefined, undefined, false],
      ['sms', CALLBACK, 'failures', false],
    ] as const) {
      it(`reports ${reports ?? 'nothing'} of ${channel} ${statusCallbackUrl === undefined ? 'without' : 'with'} callbacks`, () => {
        const senders = { sms: { default: '+15005550006' }, voice: undefined, whatsapp: SANDBOX };
        const connected = connect(channel, { statusCallbackUrl, senders });
        expect(connected.reports).to.equal(reports);
        expect(connected.lookUp !== undefined).to.equal(hasLookUp);
      });
    }

    it('offers no lookUp while callbacks come, and offers it again when they stop', async () => {
      const twilio = api.connect({ statusCallbackUrl: CALLBACK, senders: whatsapp });
      const connected = connectChannel(twilioMessages(), { twilio, channel: 'whatsapp', clock: () => NOW });
      twilio.callbacks.came();
      expect(connected.lookUp).to.equal(undefined);
      const clock = fakeClock(['performance']);
      try {
        for (let count = 0; count < 20; count += 1) await connected.send(makeMessage(), contextOf());
        clock.tick(20_000);
        expect(connected.lookUp).to.equal(undefined);
        await connected.send(makeMessage(), contextOf());
      } finally {
        clock.restore();
      }
      expect(connected.lookUp).to.be.a('function');
    });

    const lookUp = (): Promise<unknown> => {
      const connected = connect('whatsapp', { senders: whatsapp });
      return Promise.resolve(connected.lookUp?.(SID, contextOf()));
    };

    it("looks up the message's status at Twilio", async () => {
      api.script({ status: 200, body: { sid: SID, status: 'undelivered', error_code: 63024 } });
      expect(await lookUp()).to.deep.equal({
        status: 'failed',
        code: '63024',
        reason: 'The recipient cannot get this on WhatsApp',
        remedy:
          'Nothing, if another channel sent the code. If none did, the user needs another one, such as SMS.',
        moveOn: true,
        isNotReached: true,
      });
      expect(
        api.requests.map(({ method, path }) => `${method} ${path.split('/').at(-1) ?? ''}`),
      ).to.deep.equal([`GET ${SID}.json`]);
    });

    for (const [answer, status] of [
      [{ status: 200, body: { status: 'read', error_code: null } }, 'delivered'],
      [{ status: 200, body: { status: 'failed', error_code: null } }, 'failed'],
      [{ status: 200, body: { status: 'sent' } }, 'pending'],
      [{ status: 200, body: 'no JSON' }, 'pending'],
      [{ status: 404, body: { status: 'failed' } }, 'pending'],
      ['reset', 'pending'],
    ] as const) {
      it(`looks up ${status} if Twilio answers ${JSON.stringify(answer)}`, async () => {
        api.script(answer);
        expect(await lookUp()).to.include({ status });
      });
    }
  });

  describe('when its code was used', () => {
    const confirm = (): Promise<void> | undefined => connect('sms').confirm?.(SID, contextOf());

    it("sends Twilio the message's feedback", async () => {
      api.script({ status: 201, body: { message_sid: SID, outcome: 'confirmed' } });
      await confirm();
      const [request] = api.requests;
      expect(`${request?.method} ${request?.path}`).to.equal(
        `POST /2010-04-01/Accounts/${ACCOUNT_SID}/Messages/${SID}/Feedback.json`,
      );
      expect(sentForm()).to.deep.equal({ Outcome: 'confirmed' });
    });

    for (const [answer, code, message] of [
      [{ status: 404, body: { code: 20404 } }, '20404', /./],
      [{ status: 401, body: { code: 20003 } }, '20003', /credentials/],
      [{ status: 500, body: 'no JSON' }, 'HTTP_500', /not available/],
      ['reset', 'PROVIDER_NO_ANSWER', /^No complete answer from Twilio \(\w+\)$/],
    ] as const) {
      it(`rejects with ${code} if the feedback fails`, async () => {
        api.script(answer);
        const error: unknown = await confirm()?.catch((thrown: unknown) => thrown);
        expect(error).to.be.instanceOf(ProviderError);
        expect(reportedCode(error as ProviderError)).to.equal(code);
        expect((error as ProviderError).message).to.match(message);
      });
    }

    it('rejects with PROVIDER_UNREACHABLE if nothing was sent', async () => {
      const channel = connect('sms', { baseUrl: REFUSING_ORIGIN });
      const error: unknown = await channel.confirm?.(SID, contextOf()).catch((thrown: unknown) => thrown);
      expect(error).to.include({ code: 'PROVIDER_UNREACHABLE' });
    });
  });

  it('serves two hooks from one twilioMessages(), each with its own settings', async () => {
    const blueprint = twilioMessages();
    const [first, second] = ['+15005550001', '+15005550002'].map((sender) =>
      connectChannel(blueprint, {
        twilio: api.connect({ senders: { sms: { default: sender }, voice: undefined, whatsapp: undefined } }),
        channel: 'sms',
        clock: () => NOW,
      }),
    );
    await first?.send(makeMessage(), contextOf());
    await second?.send(makeMessage(), contextOf());
    expect(api.requests.map(({ form }) => form.get('From'))).to.deep.equal(['+15005550001', '+15005550002']);
    expect(first).to.include({ provider: 'TWILIO', host: new URL(api.origin).host });
  });
});
