import { expect } from 'chai';
import type { Channel, Message, OktaTelephonyHookOptions, TextsOptions } from '#lib/index.js';
import { ANA, BOB, CODE, startScene, type Scene } from '#harness/scene.js';

const SPOKEN = Array.from(CODE).join(', ');
const OKTA_TEXT = `Your code is ${CODE}`;
const template = (digit: string): string => `HX${digit.repeat(32)}`;

/** A custom channel that records its messages. */
const line: Channel & { readonly sent: Message[] } = {
  sent: [],
  send: (message) => {
    line.sent.push(message);
    return Promise.resolve({ status: 'accepted', transactionId: 'L1' });
  },
};

describe('texts', () => {
  let scene: Scene;
  const start = async (
    texts: TextsOptions | undefined,
    hook: Partial<Omit<OktaTelephonyHookOptions, 'credentials'>> = {},
  ): Promise<void> => {
    line.sent.length = 0;
    scene = await startScene({ hook: { texts, ...hook } });
  };
  afterEach(() => scene.close());
  type CallOptions = Parameters<Scene['call']>[0];

  const sms = async (call: CallOptions = {}): Promise<string | undefined> => {
    const before = scene.twilio.messages.length;
    expect(
      (await scene.call({ userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone, ...call })).okta,
    ).to.have.property('action', 'sent');
    const sent = scene.twilio.messages.slice(before);
    expect(sent).to.have.length(1);
    expect(sent[0]).to.include({ channel: 'sms' });
    return sent[0]?.body;
  };
  /** Language and words of `<Say>`, which are the same both times. */
  const said = async (call: CallOptions = {}): Promise<readonly [language: string, words: string]> => {
    await scene.call({ deliveryChannel: 'CALL', msgTemplate: undefined, ...call });
    const twiml = scene.twilio.calls.at(-1)?.twiml ?? '';
    const says = [...twiml.matchAll(/<Say language="(.*?)" voice=".*?">(.*?)<\/Say>/g)];
    expect(says).to.have.length(2);
    expect(says[1]?.slice(1)).to.deep.equal(says[0]?.slice(1));
    return [says[0]?.[1] ?? '', says[0]?.[2] ?? ''];
  };

  describe('by locale and channel', () => {
    const words = {
      default: 'other',
      en: 'English',
      pt: 'Portuguese',
      'pt-PT': 'of Portugal',
      zh_hant: 'traditional',
      de: 'German',
      no: 'Norwegian',
    };
    type Entry = keyof typeof words;
    const asText = Object.fromEntries(Object.entries(words).map(([tag, name]) => [tag, `${name}: {code}`]));
    const templates = {
      default: template('0'),
      en: template('1'),
      pt: template('2'),
      'pt-PT': template('3'),
      zh_hant: template('4'),
      de: template('5'),
      no: template('6'),
    };
    const voices: Record<Entry, string> = {
      default: 'en-US',
      en: 'en-US',
      pt: 'pt-BR',
      'pt-PT': 'pt-PT',
      zh_hant: 'cmn-CN',
      de: 'de-DE',
      no: 'nb-NO',
    };
    /** All spellings are in the tests of locales. */
    const locales: readonly (readonly [locale: string, entry: Entry, voice?: string])[] = [
      ['en_us', 'en'],
      ['en-GB', 'en', 'en-GB'],
      ['pt_br', 'pt'],
      ['PT-pt', 'pt-PT'],
      ['zh-TW', 'zh_hant'],
      ['nb-NO', 'no'],
      ['de_DE.UTF-8', 'de'],
      ['sv', 'default'],
      ['__proto__', 'en', 'en-GB'],
      ['', 'en', 'en-GB'],
    ];

    it('are found for a locale, on every channel', async () => {
      let rows = 0;
      for (const channel of ['sms', 'whatsapp', 'template', 'line', 'voice'] as const) {
        scene = await startScene({
          hook: ({ twilio }) => ({
            texts: { sms: asText, voice: asText },
            resend: { nextRoute: false },
            chooseChannels: () => [channel === 'template' ? 'whatsapp' : channel],
            channels: { line },
            sandboxNumber: channel === 'template' ? undefined : twilio.sandboxNumber,
            senders: {
              sms: twilio.smsNumber,
              voice: twilio.voiceNumber,
              whatsapp: channel === 'template' ? { from: twilio.sandboxNumber, templates } : undefined,
            },
          }),
        });
        // WhatsApp and a custom channel have the texts of SMS.
        const chosen = ['whatsapp', 'line'].includes(channel) ? locales.slice(0, 3) : locales;
        for (const [locale, entry, voice = voices[entry]] of chosen) {
          const what = `${channel} for ${JSON.stringify(locale)}`;
          const text = `${words[entry]}: ${CODE}`;
          rows += 1;
          if (channel === 'voice') {
            expect(await said({ locale }), what).to.deep.equal([voice, `${words[entry]}: ${SPOKEN}`]);
            continue;
          }
          await scene.call({ locale });
          if (channel === 'line') {
            expect(line.sent.at(-1)?.text, what).to.equal(text);
            continue;
          }
          const sent = scene.twilio.messages.at(-1);
          const isTemplate = channel === 'template';
          expect(sent, what).to.deep.include({
            channel: channel === 'sms' ? 'sms' : 'whatsapp',
            body: isTemplate ? undefined : text,
            contentSid: isTemplate ? templates[entry] : undefined,
            contentVariables: isTemplate ? { 1: CODE } : undefined,
          });
        }
        await scene.close();
      }
      expect(rows).to.equal(36);
      await start(undefined);
    });

    it('follow the locale of the request, else that of the profile, else English', async () => {
      await start({ sms: asText });
      scene.okta.updateUser(BOB.id, { preferredLanguage: 'pt_PT' });
      expect(await sms({ locale: 'de' })).to.equal(`German: ${CODE}`);
      expect(await sms({ locale: 'und' })).to.equal(`of Portugal: ${CODE}`);
      expect(await sms({ userId: 'nobody', login: 'nobody', locale: 'und' })).to.equal(`English: ${CODE}`);
    });

    it('is spoken without characters that XML cannot hold', async () => {
      await start({ voice: { en: 'Your code\u0007 is\ufffe {code}' } });
      expect((await said())[1]).to.equal(`Your code is ${SPOKEN}`);
    });

    it("are Okta's text and the built-in words if no text of the options fits", async () => {
      await start({ sms: { pt: 'PT {code}' }, voice: { pt: 'PT {code}' } });
      expect(await sms({ locale: 'de' })).to.equal(OKTA_TEXT);
      expect(await sms({ locale: 'pt-BR' })).to.equal(`PT ${CODE}`);
      expect(await said({ locale: 'de-AT' })).to.deep.equal([
        'de-DE',
        `Guten Tag. Ihr Bestätigungscode lautet: ${SPOKEN}`,
      ]);
      expect(await said({ locale: 'sv-SE' })).to.deep.equal([
        'en-US',
        `Hello. Your verification code is: ${SPOKEN}`,
      ]);
      expect(await said({ locale: 'pt-BR' })).to.deep.equal(['pt-BR', `PT ${SPOKEN}`]);
    });
  });

  it('depend on the request type, by its last part or the whole', async () => {
    await start({
      sms: {
        'mfa-verification': { default: 'sign in {code}', pt: 'entrar {code}' },
        'com.okta.user.telephony.password-reset': { pt: 'senha {code}' },
        'new-in-2030': { default: 'new {code}' },
        default: { default: 'any {code}', de: 'alle {code}' },
      },
    });
    const table: readonly (readonly [requestType: string, locale: string, text: string])[] = [
      ['mfa-verification', 'en', 'sign in'],
      ['mfa-verification', 'pt-BR', 'entrar'],
      ['mfa-verification', 'de', 'sign in'],
      ['password-reset', 'pt-BR', 'senha'],
      ['password-reset', 'de', 'alle'],
      ['password-reset', 'en', 'any'],
      ['account-unlock', 'de-AT', 'alle'],
      ['com.okta.other.new-in-2030', 'de', 'new'],
      ['com.okta.other.__proto__', 'pt', 'any'],
    ];
    for (const [requestType, locale, text] of table) {
      expect(await sms({ requestType, locale }), `${requestType} ${locale}`).to.equal(`${text} ${CODE}`);
    }
  });

  describe('are filled in', () => {
    it('with the whole minutes until the code expires, from 1 to 15', async () => {
      let now = Date.parse('2026-11-25T12:00:00Z');
      await start({ sms: { default: '{minutes} {code}' } }, { clock: () => now });
      const eventTime = new Date(now);
      for (const [seconds, minutes] of [
        [300, 5],
        [299, 5],
        [290, 4],
        [61, 1],
        [20, 1],
        [7200, 15],
      ] as const) {
        now += 1_000;
        const otpExpires = new Date(eventTime.getTime() + 1_000 * seconds);
        expect(await sms({ eventTime, otpExpires }), `${seconds} s`).to.equal(`${minutes} ${CODE}`);
      }
    });

    it('with the first name of the user, cleaned of links, digits and control characters', async () => {
      await start({ sms: { default: 'Hi {firstName}, {code}' } });
      expect(await sms()).to.equal(`Hi ${BOB.firstName}, ${CODE}`);
      scene.okta.updateUser(BOB.id, { firstName: 'Rob\u202e\nhttp://evil.example {code} 1234' });
      expect(await sms()).to.equal(`Hi Rob http evil example code, ${CODE}`);
    });
  });

  it('come after the text of composeText and before that of Okta', async () => {
    let composed: string | undefined = `mine ${CODE}`;
    await start({ sms: { default: 'text {code}' } }, { composeText: () => composed ?? '' });
    expect(await sms()).to.equal(`mine ${CODE}`);
    composed = undefined;
    expect(await sms()).to.equal(`text ${CODE}`);
    expect(scene.of('extension.failed')).to.have.length(1);
  });

  it('are spoken by a voice of their language; `default` by that of the language with the same text', async () => {
    const other = 'Le code : {code}';
    await start({ voice: { default: other, fr: other, ar: 'الرمز {code}', sv: 'Koden {code}' } });
    expect(await said({ locale: 'ja' })).to.deep.equal(['fr-FR', `Le code : ${SPOKEN}`]);
    expect(await said({ locale: 'fr-CA' })).to.deep.equal(['fr-CA', `Le code : ${SPOKEN}`]);
    expect(await said({ locale: 'ar-EG' })).to.deep.equal(['arb', `الرمز ${Array.from(CODE).join('، ')}`]);
    expect(await said({ locale: 'sv-SE' })).to.deep.equal(['sv-SE', `Koden ${SPOKEN}`]);
  });

  it('are given to a custom voice channel, too', async () => {
    await start(
      { sms: { default: 'text {code}' }, voice: { default: 'call & say {code}' } },
      { channels: { voice: line } },
    );
    await scene.call({ deliveryChannel: 'CALL' });
    expect(line.sent.map(({ text }) => text)).to.deep.equal([`call & say ${SPOKEN}`]);
  });

  describe('with webOtpDomain', () => {
    const LINE = `\n\n@login.acme.com #${CODE}`;

    it('end every SMS with the autofill line for browsers, but no voice call or WhatsApp message', async () => {
      await start({ webOtpDomain: 'Login.Acme.com', voice: { en: 'call {code}' } });
      expect(await sms()).to.equal(`${OKTA_TEXT}${LINE}`);
      expect(await said()).to.deep.equal(['en-GB', `call ${SPOKEN}`]);
      await scene.call();
      expect(scene.twilio.messages.at(-1)).to.include({ channel: 'whatsapp', body: OKTA_TEXT });
    });

    it('have the autofill line, too, if they come from the options or composeText', async () => {
      let composed = '';
      await start(
        { sms: { default: 'text {code}' }, webOtpDomain: 'login.acme.com' },
        { composeText: () => composed },
      );
      expect(await sms()).to.equal(`text ${CODE}${LINE}`);
      composed = `mine ${CODE}\r\n`;
      expect(await sms()).to.equal(`mine ${CODE}${LINE}`);
    });

    const left: readonly (readonly [what: string, text: string, sent?: string])[] = [
      ['an autofill line', `Your code is ${CODE}\n@login.acme.com #${CODE}`],
      [
        'an autofill line for another site, with a frame',
        `Your code is ${CODE}\r\n@a.example #${CODE} %b.example`,
      ],
      [
        'an autofill line with a line break after it',
        `${CODE}\n@a.example #${CODE}\n`,
        `${CODE}\n@a.example #${CODE}`,
      ],
      ['no room for one', CODE.padEnd(1600 - LINE.length + 1, '.')],
    ];
    it('get no further autofill line if they have one, or no room for one', async () => {
      await start({ webOtpDomain: 'login.acme.com' });
      for (const [what, text, sent = text] of left)
        expect(await sms({ msgTemplate: text }), what).to.equal(sent);
    });

    it('get the autofill line if they have none of their own', async () => {
      await start({ webOtpDomain: 'login.acme.com' });
      for (const [what, text] of [
        ['one in another place', `@login.acme.com #${CODE}\nis your code`],
        ['one with words before it', `${CODE} @login.acme.com #${CODE}`],
        ['one with another code', `${CODE}\n@login.acme.com #11111`],
        ['one without a host', `${CODE}\n@ #${CODE}`],
        ['just enough room for one', CODE.padEnd(1600 - LINE.length, '.')],
      ] as const)
        expect(await sms({ msgTemplate: text }), what).to.equal(text + LINE);
    });
  });

  it('have the autofill line in an SMS that follows a refused WhatsApp message', async () => {
    await start({ sms: { default: 'text {code}' }, webOtpDomain: 'acme.com' });
    scene.twilio.refuseWith({ code: 63007, times: 1 });
    await scene.call({ userId: ANA.id });
    expect(scene.twilio.messages.map(({ channel, body }) => [channel, body])).to.deep.equal([
      ['sms', `text ${CODE}\n\n@acme.com #${CODE}`],
    ]);
  });
});
