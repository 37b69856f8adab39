import { expect } from 'chai';
import { getCountries, getCountryCallingCode, getExampleNumber } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { isCountry, readNumber, recipientOf, toDialableNumber } from '#lib/numbers/phone-number.js';

describe('a phone number', () => {
  const dialled: [text: string, country: string | undefined, number: string | undefined][] = [
    ['+44 7700 900123', undefined, '+447700900123'],
    ['+44 (7700) 900-123', 'US', '+447700900123'],
    ['00447700900123', undefined, '+447700900123'],
    ['07700 900123', 'GB', '+447700900123'],
    ['06 12 34 56 78', 'FR', '+33612345678'],
    ['347 123 4567', 'IT', '+393471234567'],
    ['07700 900123', undefined, undefined],
    ['07700 900123', 'XX', undefined],
    ['+0123456789', 'GB', undefined],
    ['++447700900123', undefined, undefined],
    ['+123456', undefined, undefined],
    ['+1234567', undefined, '+1234567'],
    ['+1234567890123456', undefined, undefined],
    ['12', 'GB', undefined],
    ['0770O 900123', 'GB', undefined],
    ['', 'GB', undefined],
    ['x07700900123', 'GB', undefined],
    ['07700900123x', 'GB', undefined],
    ['123', 'GB', undefined],
    ['123456789012345', 'DE', undefined],
  ];
  for (const [text, country, number] of dialled) {
    it(`is ${String(number)} for '${text}' in ${country ?? 'no country'}`, () => {
      expect(toDialableNumber(text, country)).to.equal(number);
    });
  }

  const countries: [number: string, country: string | undefined][] = [
    ['+14155550100', 'US'],
    ['+16045550100', 'CA'],
    ['+447700900123', 'GB'],
    ['+447797712345', 'JE'],
    ['+447781123456', 'GG'],
    ['+447624123456', 'IM'],
    ['+18765550100', 'JM'],
    ['+79261234567', 'RU'],
    ['+77011234567', 'KZ'],
    // In no plan: the main country of its calling code.
    ['+12000000000', 'US'],
    ['+4712345', 'NO'],
    ['+71000000000', 'RU'],
    ['+447450000', 'GB'],
    // In no plan either, but with an area code of another country.
    ['+14161234567', 'CA'],
    ['+14165551', 'CA'],
    ['+141655501234', 'CA'],
    ['+18761234567', 'JM'],
    ['+17871234567', 'PR'],
    ['+12031234567', 'US'],
    ['+441481112345', 'GG'],
    ['+441534912345', 'JE'],
    ['+441624112345', 'IM'],
    ['+4479111712', 'GG'],
    ['+77010000', 'KZ'],
    ['+8821234567', undefined],
    ['+99912345678', undefined],
    ['+883510012345678', undefined],
    // Behind one trunk prefix, or several.
    ['+118765551234', 'JM'],
    ['+1118765551234', 'JM'],
    ['+1111118765551234', 'JM'],
    ['+4407797712345', 'JE'],
    ['+44007797712345', 'JE'],
    ['+787011234567', 'KZ'],
    ['+78887011234567', 'KZ'],
    // With digits too many, also behind a trunk prefix.
    ['+788870112345670', 'KZ'],
    ['+39066981234567', 'VA'],
    ['+26202689112580', 'YT'],
  ];
  for (const [number, country] of countries) {
    it(`${number} belongs to ${country ?? 'no country'}`, () => {
      expect(readNumber(number).country).to.equal(country);
    });
  }

  const costly: [number: string, isCostly: boolean][] = [
    ['+449098790123', true],
    ['+448451234567', true],
    ['+19005550123', true],
    ['+491801234567', true],
    ['+33899123456', true],
    ['+979123456789', true],
    ['+80812345678', true],
    // One digit too many, or too few.
    ['+4490987901234', true],
    ['+44909879012', true],
    ['+190055501234', true],
    ['+1900555012', true],
    ['+338991234567', true],
    ['+9791234567890', true],
    ['+97912345678', true],
    ['+8081234567', true],
    ['+44909879012345', true],
    // The digits that the plans read as a trunk prefix belong to the number.
    ['+3758101234567', true],
    ['+37581012345671', true],
    ['+370808123451', true],
    // Behind a trunk prefix.
    ['+4409098790123', true],
    ['+44009098790123', true],
    ['+119005550123', true],
    // Personal numbers and pagers.
    ['+447012345678', true],
    ['+15003451234', true],
    ['+447640123456', true],
    ['+491691234567', true],
    ['+878101234567890', true],
    // With extra digits.
    ...['+447012345678', '+447640123456', '+15003451234'].flatMap((number) =>
      ['0', '98', '987', '9876']
        .map((more): [string, boolean] => [number + more, true])
        .filter(([longer]) => longer.length <= 16),
    ),
    // Satellites and international networks.
    ['+870773123456', true],
    ['+881612345678', true],
    ['+8821612345678', true],
    ['+883510012345678', true],
    // Company, internet and toll-free numbers cost no more than others.
    ['+443001234567', false],
    ['+445612345678', false],
    ['+80012345678', false],
    // Twilio's test numbers.
    ['+15005550001', false],
    // Ordinary numbers, even if a shorter one is costly.
    ['+554370123456', false],
    ['+447911123456', false],
    ['+4479111234567', false],
    ['+44791112345', false],
    ['+14161234567', false],
    ['+447700900123', false],
    ['+12025550142', false],
    ['+18002345678', false],
    ['+9991234567', false],
  ];
  for (const [number, isCostly] of costly) {
    it(`${number} is ${isCostly ? '' : 'not '}costly`, () => {
      expect(readNumber(number).isCostly).to.equal(isCostly);
    });
  }

  for (const [country, premium] of [
    ['Brazil', ['+55900123456', '+559001234567', '+555001234567', '+5530031234']],
    ['Belarus', ['+3758101234567', '+3759021234567']],
    ['Lithuania', ['+37090012345', '+37091012345', '+37080812345']],
  ] as const) {
    it(`with a premium rate in ${country} is costly with up to four more digits, too`, () => {
      for (const number of premium) {
        for (const more of ['', '0', '7', '00', '98', '000', '987', '0000', '9876']) {
          if (number.length + more.length > 16) continue;
          expect(readNumber(number + more).isCostly, number + more).to.equal(true);
        }
      }
    });
  }

  for (const [number, isCostly] of [
    ['+550900789108555', true],
    ['+3700808905551', true],
    // Eight digits in Qatar. Seven of them would be a pager's number.
    ['+97421234567', false],
  ] as const) {
    it(`${number}, which is in no plan, is ${isCostly ? '' : 'not '}costly`, () => {
      expect(readNumber(number).isCostly).to.equal(isCostly);
    });
  }

  it('of a mobile phone is not costly behind a trunk zero', () => {
    for (const country of getCountries()) {
      const { countryCallingCode = '', nationalNumber = '' } = getExampleNumber(country, examples) ?? {};
      // In Niger, that is a premium-rate number with one more digit.
      if (country === 'NE') continue;
      expect(readNumber(`+${countryCallingCode}0${nationalNumber}`).isCostly, country).to.equal(false);
    }
  });

  it('of a mobile phone is not costly in any country, also with too many or too few digits', () => {
    for (const country of getCountries()) {
      const number = getExampleNumber(country, examples)?.number ?? '';
      for (const near of [number, `${number}0`, `${number}1234`, number.slice(0, -1), number.slice(0, -2)]) {
        expect(readNumber(near).isCostly, `${country} ${near}`).to.equal(false);
      }
    }
  });

  it('can belong to every country that has a numbering plan, and to no other', () => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');
    const codes = letters.flatMap((first) => letters.map((second) => first + second));
    expect(codes.filter(isCountry)).to.deep.equal(getCountries().toSorted());
    expect(['gb', 'GBR', '', '__proto__', 'constructor'].filter(isCountry)).to.deep.equal([]);
  });

  it('in no plan has a country, also if several countries share its calling code', () => {
    const shared = [...new Set(getCountries().map((country) => getCountryCallingCode(country)))].filter(
      (code) => getCountries().filter((country) => getCountryCallingCode(country) === code).length > 1,
    );
    expect(shared).to.have.length.above(10);
    for (const code of shared) {
      // Seven zeros are in no plan.
      expect(readNumber(`+${code}0000000`).country, code)
        .to.be.a('string')
        .and.have.length(2);
    }
  });
});

describe('recipientOf', () => {
  for (const [what, dialled, other] of [
    ['of Mexico as WhatsApp writes it', '+525512345678', '+5215512345678'],
    ['of Argentina as WhatsApp writes it', '+541123456789', '+5491123456789'],
    ['of Belo Horizonte as WhatsApp writes it', '+5531987654321', '+553187654321'],
    ['of Porto Alegre as WhatsApp writes it', '+5551998765432', '+555198765432'],
    ['of Britain behind a trunk zero', '+447911123456', '+4407911123456'],
    ['of Britain behind two trunk zeros', '+447911123456', '+44007911123456'],
    ['in no plan behind a trunk zero', '+447700900123', '+4407700900123'],
    ['of Mexico behind a trunk zero, as WhatsApp writes it', '+525512345678', '+52015512345678'],
    ['of Brazil behind a trunk zero, without its nine', '+5531987654321', '+5503187654321'],
    ['of Argentina as it is dialled within the country', '+5491123456789', '+540111523456789'],
    ['of Benin behind a trunk zero', '+2290195123456', '+22900195123456'],
    ['of Jamaica behind a trunk one', '+18765551234', '+118765551234'],
    ['of Jamaica behind two trunk ones', '+18765551234', '+1118765551234'],
    ['of Russia behind a trunk eight', '+79123456789', '+789123456789'],
    ['of Belarus behind its trunk prefix', '+375291234567', '+37580291234567'],
    ['of Russia behind three trunk eights, with a digit too many', '+79123456789', '+788891234567890'],
    ['of the USA behind trunk ones and a zero, with digits too many', '+12025550142', '+1110202555014299'],
  ] as const) {
    it(`recognizes a phone ${what}`, () => {
      expect(recipientOf(other)).to.equal(recipientOf(dialled));
    });
  }

  for (const [what, one, other] of [
    ['a mobile of São Paulo and a landline', '+5511934567890', '+551134567890'],
    ['a mobile of Recife and a landline', '+5581934567890', '+558134567890'],
    ['two numbers of Guadalajara', '+523312345678', '+523312345679'],
    ['two mobiles of Britain', '+447700900123', '+447700900124'],
    ['a mobile of Italy and a landline', '+393123456789', '+3903123456789'],
    ['two mobiles of Ivory Coast', '+2250707070707', '+2250507070707'],
    ['two numbers of Belarus', '+3758101234567', '+375101234567'],
    ['two numbers in no plan, one of them longer', '+447700900123', '+4477009001234'],
    ['two landlines of Germany, one of them longer', '+4930123456', '+49301234567'],
  ] as const) {
    it(`keeps ${what} apart`, () => {
      expect(recipientOf(one)).to.not.equal(recipientOf(other));
    });
  }

  it('does not change a mobile number, except in countries with two spellings', () => {
    for (const country of getCountries()) {
      const number = getExampleNumber(country, examples)?.number ?? '';
      const other = { AR: number.replace('+549', '+54'), BR: number }[country as string];
      expect(recipientOf(number), country).to.equal(other ?? number);
      expect(recipientOf(recipientOf(number)), country).to.equal(recipientOf(number));
    }
  });
});
