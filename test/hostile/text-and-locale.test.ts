import { expect } from 'chai';
import fc from 'fast-check';
import type { TelephonyRequest } from '#lib/index.js';
import { localeChain, pickByLocale, readLocale } from '#lib/texts/locale.js';
import { maskSeparated, maskText, toAscii } from '#lib/core/masking.js';
import { personalDataOf } from '#lib/numbers/personal-data.js';
import { toDialableNumber } from '#lib/numbers/phone-number.js';
import { spokenCode } from '#lib/texts/spoken-code.js';
import { oktaText } from '#lib/texts/texts.js';
import { ANA } from '#harness/scene.js';
import { makeMessage } from '../channels/twilio/scripted-api.js';
import { anyLocale, goodCode, goodNumber, keyOfTrouble, oddText, oddValue } from './arbitraries.js';
import { commandIn, expectAnswer } from './expectations.js';
import { startGateway, type Gateway } from './gateway.js';
import { freshEventId, goodBody, type GoodData } from './hook-bodies.js';
import { check, holds, PATIENCE_MS, withSeed } from './runs.js';

const E164 = /^\+[1-9][0-9]{6,14}$/;

describe(withSeed('hostile texts, numbers and locales'), function () {
  this.timeout(PATIENCE_MS);
  const contentSid = `HX${'ef'.repeat(16)}`;
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway({
      hook: ({ twilio }) => ({ sandboxNumber: { number: twilio.sandboxNumber, contentSid } }),
    });
  });
  after(() => gateway.close());

  it('give no locale, or a canonical locale that falls back to its language', async () => {
    await check(
      'locales',
      holds(anyLocale, (text) => {
        const locale = readLocale(text);
        if (locale === undefined) return;
        expect(readLocale(locale)).to.equal(locale);
        expect(Intl.getCanonicalLocales(locale)).to.deep.equal([locale]);
        const chain = localeChain(locale);
        expect(chain[0]).to.equal(locale);
        expect(chain.at(-1)).to.match(/^[a-z]{2,3}$/);
        expect(pickByLocale({ default: 'd', [chain.at(-1) ?? '']: 'l' }, locale)).to.equal('l');
        expect(pickByLocale({ [locale]: 'own', default: 'd' }, locale)).to.equal('own');
      }),
      300,
    );
  });

  it('select only own entries of a table by locale: no inherited property', async () => {
    await check(
      'tables by locale',
      holds(fc.oneof(keyOfTrouble, oddText), (locale) => {
        expect(pickByLocale({ default: 'd' }, locale)).to.equal('d');
        expect(pickByLocale({}, locale)).to.equal(undefined);
      }),
      100,
    );
  });

  it('give the same E.164 number in every spelling, or no number', async () => {
    await check(
      'spelled numbers',
      holds(goodNumber, ({ number, spelled }) => {
        expect(toDialableNumber(spelled, undefined)).to.equal(number);
        expect(toDialableNumber(spelled, 'GB')).to.equal(number);
      }),
      200,
    );
    const country = fc.constantFrom(undefined, 'GB', 'US', 'IT', 'XX', '__proto__');
    await check(
      'any numbers',
      holds(fc.tuple(fc.oneof(oddText, fc.stringMatching(/^[+0-9 ()]{0,24}$/)), country), ([text, where]) => {
        const number = toDialableNumber(text, where);
        if (number === undefined) return;
        expect(number).to.match(E164);
        expect(toDialableNumber(number, undefined)).to.equal(number);
      }),
      300,
    );
  });

  it('leave the code in a text, which has at most 1600 characters', async () => {
    const request = fc.record({
      otpCode: goodCode.map((code) => String(code).trim()),
      msgTemplate: fc.option(
        fc.oneof(
          oddText,
          fc.integer({ min: 1500, max: 1700 }).map((length) => 'm'.repeat(length)),
        ),
        { nil: undefined },
      ),
      isFilled: fc.boolean(),
    });
    await check(
      'texts',
      holds(request, ({ otpCode, msgTemplate, isFilled }) => {
        const filled = msgTemplate !== undefined && isFilled ? msgTemplate + otpCode : msgTemplate;
        const text = oktaText({ ...makeMessage().request, otpCode, msgTemplate: filled });
        expect(text).to.include(otpCode);
        expect(text.length).to.be.at.most(1600);
        // A template of Okta's that has the code and is short enough stays unchanged.
        if (filled?.includes(otpCode) === true && filled.length <= 1600) expect(text).to.equal(filled);
      }),
      200,
    );
  });

  it('leave the spoken code complete in every language', async () => {
    await check(
      'spoken codes',
      holds(
        fc.tuple(fc.oneof(oddText, fc.constantFrom('ja', 'ar-EG', 'de', 'xx')), goodCode),
        ([locale, code]) => {
          const text = String(code).trim();
          const { digits, sentence } = spokenCode(locale, text);
          expect(digits.replace(/[ ,、،]/g, '')).to.equal(text);
          expect(sentence).to.not.include('.'.repeat(2)).and.not.equal('');
        },
      ),
      150,
    );
  });

  it('become at most 300 characters without login and names when they are masked', async () => {
    const person = fc.record({
      login: oddText,
      firstName: oddText,
      lastName: oddText,
      otpCode: oddText,
      phoneNumber: oddText,
    });
    const words = fc.oneof(
      oddText,
      oddValue,
      fc
        .tuple(fc.constantFrom('a', '@', '1', ' ', '1 ', 'a@', '-'), fc.integer({ min: 1, max: 20_000 }))
        .map(([unit, count]) => unit.repeat(count)),
    );
    await check(
      'masking',
      holds(fc.tuple(words, person), ([text, who]) => {
        const request: TelephonyRequest = { ...makeMessage().request, ...who };
        const masked = maskText(text, personalDataOf(request));
        expect(masked.length).to.be.at.most(300);
        for (const secret of [who.login, who.firstName, who.lastName]) {
          const isWord = /^[\p{L}]{4,}$/u.test(secret);
          if (isWord) expect(masked.toLowerCase()).to.not.include(secret.toLowerCase());
        }
      }),
      200,
    );
  });

  it('are read once per character to mask a code of any kind, however it is separated', async () => {
    const characters = ['-', '-', '1', '2', 'A', 'b', 'é', 'ß', 'Σ', 'あ', '٣', '𝟙', '𐐀'];
    const between = ['', '', ' ', ', ', '…', '-----', '\u200b'];
    const code = fc
      .tuple(fc.nat({ max: 31 }), fc.array(fc.constantFrom(...characters), { minLength: 1, maxLength: 32 }))
      .map(([hyphens, others]) => [...Array<string>(hyphens).fill('-'), ...others].slice(-32).join(''));
    const codeInText = fc.record({
      otpCode: code,
      words: fc.array(fc.constantFrom(...characters, ...between), { maxLength: 40 }),
      separator: fc.constantFrom(...between),
      // Up to the longest text that masking reads.
      length: fc.nat({ max: 2000 }),
    });
    await check(
      'one reading',
      holds(codeInText, ({ otpCode, words, separator, length }) => {
        const spoken = Array.from(otpCode).join(separator);
        const text = toAscii(`${words.join('')}${spoken} `.repeat(length).slice(0, length) + spoken);
        let steps = 0;
        function* counted(): Generator<string> {
          for (const character of text) {
            steps += 1;
            yield character;
          }
        }
        const masked = maskSeparated(counted(), otpCode);
        // Masking then searches the rest with `indexOf`, which compares at most 32 characters at each place.
        expect(steps).to.equal(Array.from(text).length);
        const lettersOf = (piece: string): string =>
          toAscii(piece)
            .replace(/[^\p{L}\p{N}]/gu, '')
            .toUpperCase();
        const letters = lettersOf(otpCode);
        if (letters.length >= 3) {
          expect(masked).to.include('…');
          const isLeft = masked.split('…').some((piece) => lettersOf(piece).includes(letters));
          expect(isLeft).to.equal(false);
        }
        const request: TelephonyRequest = { ...makeMessage().request, otpCode };
        expect(maskText(text, personalDataOf(request)).length).to.be.at.most(300);
      }),
      400,
    );
  });

  it('never reach a WhatsApp template, which gets only the code', async () => {
    await check(
      'templates',
      fc.asyncProperty(
        goodBody.filter(({ isVoice, body }) => !isVoice && JSON.stringify(body).length < 60_000),
        async ({ body, code }) => {
          const data = body['data'] as GoodData;
          const userProfile = { ...data.userProfile, userId: ANA.id };
          const answer = await gateway.post(
            JSON.stringify({ ...body, eventId: freshEventId(), data: { ...data, userProfile } }),
          );
          expect(commandIn(expectAnswer(answer))).to.include({ status: 'SUCCESSFUL' });
          const message = gateway.scene.twilio.messages.at(-1);
          expect(message).to.include({ channel: 'whatsapp', contentSid, body: undefined });
          expect(message?.contentVariables).to.deep.equal({ 1: code });
        },
      ),
      60,
    );
  });
});
