import { expect } from 'chai';
import { isAbout, isPersonal, maskText, type PersonalData } from '#lib/core/masking.js';
import { personalDataOf } from '#lib/numbers/personal-data.js';
import { ANA, BOB, CODE } from '#harness/scene.js';

/** The personal data of a call whose profile has this in an attribute for a number. */
const withPhone = (primaryPhone: string): PersonalData =>
  personalDataOf({ otpCode: CODE, phoneNumber: BOB.phone }, { primaryPhone });

describe('the number of a profile', () => {
  for (const text of [
    '07700 900123 x123',
    '07700 900123 x 98765',
    '+44 7700 900123 ext. 12345',
    '07700900123;ext=7890',
    '98765 - 07700 900123',
    '+44 7700 900123 +44 7700 900456',
    '+447700900123+447700900456',
    '07700 900123 07700 900456',
    '07700 900456 07700 900123',
    '(07700) 900-123 / (07700) 900-456',
    '07700900123, 07700900456',
    '07700 900 123 or 07700 900 456',
    'tel:+44-7700-900123',
    'Mobile: 0044 7700 900123, WhatsApp: 07700 900456',
    '０７７００ ９００１２３ x1',
    '07700 900 123 07700 900 456 x98765',
  ]) {
    it(`is masked as it stands in "${text}"`, () => {
      const personal = withPhone(text);
      for (const spelled of ['+44 7700 900123', '07700 900 123', '07700:900:123', '7700900123']) {
        expect(maskText(`sent to ${spelled} again`, personal), spelled).to.equal('sent to … again');
        expect(isPersonal(spelled, personal), spelled).to.equal(true);
      }
      expect(isAbout('M-447700900123', personal)).to.equal(true);
      if (text.includes('456')) expect(isAbout('M-07700900456', personal)).to.equal(true);
    });
  }

  it('is masked without the zeros in front, which may be a prefix', () => {
    const personal = withPhone('0001234');
    expect(isAbout('M-1234', personal)).to.equal(true);
    expect(isAbout('M-234', personal)).to.equal(false);
  });

  it('does not hide an id for its extension', () => {
    expect(isAbout('SM0123456', withPhone('07700 900123 x123456'))).to.equal(false);
  });

  it('is masked in Argentina with a 15 between the area and the rest', () => {
    const personal = withPhone('+5492954123456');
    for (const spelled of ['02954 15-123456', '(02954) 15 12 3456', '15123456', '+54 9 2954 12-3456']) {
      expect(maskText(`sent to ${spelled} again`, personal), spelled).to.equal('sent to … again');
      expect(isAbout(`M-${spelled}`, personal), spelled).to.equal(true);
    }
    // The same digits behind another area.
    expect(isAbout('M-0123456', personal)).to.equal(false);
    expect(isAbout('M-15123456', withPhone('+442954123456'))).to.equal(false);
  });

  it('masks no word for a kind of number', () => {
    const sentence = 'No phone, mobile or work number: SMS, WhatsApp, voice call, text';
    for (const text of [
      'Mobile: 07700 900123',
      'WhatsApp',
      'phone',
      'SMS',
      'mobile',
      'x',
      'voice call',
      'N/A',
    ])
      expect(maskText(sentence, withPhone(text)), text).to.equal(sentence);
  });

  it('masks any other text in its place, logins and names', () => {
    for (const [text, masked] of [
      [ANA.lastName, `no user ${ANA.lastName}`],
      ['mobile of Silveira', 'no mobile of Silveira here'],
      [ANA.login, 'no user ana.silveira here'],
    ] as const)
      expect(maskText(masked, withPhone(text)), text).to.not.match(/silveira/i);
    const named = personalDataOf({
      otpCode: CODE,
      phoneNumber: BOB.phone,
      login: 'mobile',
      firstName: 'Sms',
    });
    expect(maskText('No mobile for SMS', named)).to.equal('No … for …');
  });
});
