import { createHash } from 'node:crypto';
import { expect } from 'chai';
import {
  isAbout,
  isPersonal,
  maskError,
  maskId,
  maskNumber,
  maskSeparated,
  maskText,
  toToken,
  type PersonalData,
} from '#lib/core/masking.js';
import { personalDataOf } from '#lib/numbers/personal-data.js';
import { ANA, BOB, CODE, wamid } from '#harness/scene.js';

const request = {
  otpCode: CODE,
  phoneNumber: ANA.phone,
  login: ANA.login,
  firstName: 'Anna Maria',
  lastName: ANA.lastName,
};
const personal = personalDataOf(request);
/** The personal data of the same request with other fields. */
const withFields = (fields: Partial<Record<keyof typeof request, string | undefined>>): PersonalData =>
  personalDataOf({ ...request, ...fields } as typeof request);
const apart = (digits: string, separator: string): string => Array.from(digits).join(separator);
const inScript = (digits: string, numberingSystem: string): string => {
  const numbers = new Intl.NumberFormat('en', { numberingSystem });
  return digits.replace(/\d/g, (digit) => numbers.format(Number(digit)));
};

/** A short name, which stands alone or in other words. */
const ADA = withFields({ login: 'ada@corp.example', firstName: 'Ada', lastName: 'Wood' });
const ALICE = withFields({ login: 'alice', firstName: 'Woods', lastName: undefined });
const ANN = withFields({ firstName: 'Ann', lastName: 'Annabel' });
const ZOE = withFields({ firstName: 'Zoë', lastName: 'Bücher' });
const ODD = withFields({ login: 'a.b+c(d[e', firstName: '.*', lastName: '$&$1' });
const IRISH = withFields({ firstName: 'Niamh-Órla', lastName: "O'Brien" });
const ANITA = withFields({ firstName: 'अनिता', lastName: undefined });

describe('maskText()', () => {
  /** What must be gone from a masked text, in any case. */
  const gone: readonly (readonly [what: string, text: string, ...gone: string[]])[] = [
    ['the code', `sent ${CODE} to them`, CODE],
    ['the code twice', `${CODE}${CODE}`, CODE],
    ['the code set apart by spaces', `code 204 981`, '204', '981'],
    ['the code digit by digit', `code ${apart(CODE, ' ')}.`, '2 0'],
    ['the code as it is spoken', `say ${apart(CODE, ', ')}.`, '2, 0', '9, 8'],
    ['the number', `to ${ANA.phone}`, '447700', '900123'],
    ['the number without +', `to ${ANA.phone.slice(1)}`, '447700', '900123'],
    ['the number in its national form', 'to 07700 900-123', '7700', '123'],
    ['the number with its trunk zero', 'to +44 (0)7700 / 900_123', '44', '7700', '123'],
    ['the number in a URL', `/send?to=%2B${ANA.phone.slice(1)}`, '447700', '900123'],
    ['the number as it is spoken', `to ${apart(ANA.phone.slice(1), ', ')}`, '4, 4', '1, 2'],
    ['the number at Twilio', `whatsapp:${ANA.phone}`, '447700'],
    ['the number with letters of other scripts', `to ${apart(ANA.phone.slice(1), '様')}`, '4', '7'],
    ['another number', 'to 06 / 12 - 34 - 56 - 78', '06', '12', '78'],
    ...['arab', 'arabext', 'deva', 'beng', 'thai', 'mymr', 'adlm', 'fullwide', 'mathsans'].flatMap(
      (script) =>
        [
          [`the code in digits of ${script}`, `sent ${inScript(CODE, script)}`, inScript(CODE, script)],
          [`any long run of digits of ${script}`, inScript('57812', script), inScript('57', script), '57'],
        ] as const,
    ),
    ['the code in small digits', `sent ${apart('²⁰⁴⁹⁸¹', ' ')}`, '²', '2', '⁹', '9'],
    ['the code in circles', 'sent ②⓪④⑨⑧①', '②', '2', '⑨', '9'],
    ['the code with any characters between its digits', `sent ${apart(CODE, ' …様\u200b ')}`, '2', '9'],
    ['the code in base64', `sent ${btoa(CODE)}`, btoa(CODE)],
    ['the number in base64', `sent ${btoa(ANA.phone)}`, btoa(ANA.phone).slice(4)],
    ['the number in base64 of something longer', `sent x=${btoa('ab44770090012345')}!`, 'NzcwMDkw'],
    ['the number in hex', `sent a${Buffer.from(ANA.phone).toString('hex')}`, '3434', '3737'],
    [
      'the login in fullwidth letters',
      'no user ａｎａ．ｓｉｌｖｅｉｒａ＠ｅｘａｍｐｌｅ．ｃｏｍ',
      'ａｎａ',
      'ana',
    ],
    ['a name in fullwidth letters', 'Dear Ｓｉｌｖｅｉｒａ', 'Ｓｉｌ', 'silv'],
    ['the login', `no user ${ANA.login}!`, 'ana.', 'silveira', 'example'],
    ['the login in capitals', ANA.login.toUpperCase(), 'ANA.', 'SILVEIRA'],
    ['the login without its domain', 'no user ana.silveira here', 'ana.', 'silveira'],
    ['the address of another person', 'ask bob@corp.example', 'bob', 'corp'],
    ['the names', `Dear Anna Maria ${ANA.lastName}`, 'Anna', 'Maria', ANA.lastName],
    ['one of several first names', 'Dear maria', 'maria'],
    ['a name in another case', `Dear ${ANA.lastName.toUpperCase()}`, 'SILVEIRA'],
    ['any long run of digits', 'account 12345678', '1234', '5678'],
    ['a run of four digits', 'code 1234.', '1234'],
    ['a run of digits set apart', 'code 1-2-3-4', '1-2', '3-4'],
    ['a token after its scheme', 'sent SSWS 00aB, again', '00aB'],
    ['a token of another scheme', 'sent bearer  abc.def', 'abc'],
    ['a key by its name', 'used sk_live1', 'live1'],
    ['a secret by its name', 'SECRET-x1 is wrong', 'x1'],
    ['a text that is long enough to be a token', `got ${'aB.+/=-_~3'.repeat(2)}`, 'aB'],
    ['a login that is cut off at the end', `${'x'.repeat(290)} ${ANA.login}`, 'ana', 'silv'],
    ['a name that is cut off at the end', `${'x'.repeat(294)} ${ANA.lastName}`, 'Silv'],
    // maskText() reads 2000 characters: the last ones are the beginning of a login.
    [
      'a login that the end of the read part cuts off',
      `${'x'.repeat(14)} ${`${ANA.login} `.repeat(100)}`,
      'ana',
      'silv',
    ],
  ];

  it('masks the code, numbers, logins, names and tokens in any form', () => {
    for (const [what, text, ...parts] of gone) {
      const masked = maskText(text, personal);
      for (const part of parts) expect(masked.toLowerCase(), what).to.not.include(part.toLowerCase());
      expect(masked, what).to.match(/…|^x+ ?$/);
      expect(masked.length, what).to.be.at.most(300);
    }
  });

  const exact: readonly (readonly [
    what: string,
    text: string,
    masked: string,
    of?: PersonalData | 'no call',
  ])[] = [
    ['a status', 'HTTP 503 after 2 tries: ECONNRESET', 'HTTP 503 after 2 tries: ECONNRESET'],
    ...['HTTP 503, 504', 'HTTP 503, 504, 505', '500,502,503', 'after 1, 2, 3, 4, 5, 6 and 7 tries'].map(
      (text) => [text, text, text] as const,
    ),
    ['a status before the number', 'HTTP 503, 07700 900 123', 'HTTP 503, …'],
    ['two numbers of others', '06 12 34 56 78, 0049 30 123456', '…, …'],
    ['a short id', 'v1a2b3c4d5', 'v1a2b3c4d5'],
    [
      'what stands beside secrets',
      `Could not send ${CODE} to ${ANA.phone}, try 2`,
      'Could not send … to …, try 2',
    ],
    ['a status beside a number', 'HTTP 400: 07700 900 123. 2 tries', 'HTTP 400: …. 2 tries'],
    // In ASCII digits.
    ...['宛先は無効です…', 'Größe ½ ™ Ёж', 'عنوان خاطئ', 'e-mail @ home'].map(
      (text) => [text, text, text] as const,
    ),
    ['a short number in other digits', 'خطأ ٤٠٤', 'خطأ 404'],
    ['a name in letters and marks', 'Dear Zoe\u0308 Bu\u0308cher', 'Dear … …', ZOE],
    ['names in several parts', "to Niamh of the O'Briens, Órla", 'to … of the …s, …', IRISH],
    ['a name with vowels that are marks', 'प्रिय अनिता!', 'प्रिय …!', ANITA],
    ['without a call', `${CODE} for ${ANA.login} at ${ANA.phone}`, '… for … at …', 'no call'],
    ['a token and a key', 'sent SSWS 00aB_c and bearer  abc.def again', 'sent SSWS … and bearer … again'],
    ['a key', 'used sk_live1 now', 'used … now'],
    ['the longer of two names first', 'Dear Annabel', 'Dear …', ANN],
    [
      'without login and names',
      `no ${CODE} for them`,
      'no … for them',
      withFields({ login: undefined, firstName: undefined, lastName: undefined }),
    ],
    ['a long text', 'a b '.repeat(200), 'a b '.repeat(75)],
    // A short name only as a whole word.
    ...['The key is unreadable; its metadata is not', 'driftwood', 'woods, 3woods, ada1'].map(
      (text) => [text, text, text, ADA] as const,
    ),
    ['as words', 'Dear Ada, dear ADA WOOD!', 'Dear …, dear … …!', ADA],
    ['as the whole text', 'ada', '…', ADA],
    ['between underscores and hyphens', 'user_ada-wood', 'user_…-…', ADA],
    ['beside letters of other scripts', 'éada様', 'é…様', ADA],
    ['a login without its domain', 'no user ada in /users/ada/', 'no user … in /users/…/', ADA],
    ['a whole login', 'no user ada@corp.example', 'no user …', ADA],
    ['beside the code', `ada${CODE}ada`, '………', ADA],
    ['beside the number', `${ANA.phone}ada`, '……', ADA],
    ['beside digits that may be a code', 'ada123456', '……', ADA],
    ['five letters inside other words', 'xalicex woodsman', 'x…x …man', ALICE],
    ['a name with signs', 'abc stays, a.b+c(d[e goes, $&$1 too', 'abc stays, … goes, … too', ODD],
    [
      'one or two letters',
      'it is an error',
      'it is an error',
      withFields({ firstName: 'i', lastName: 'is' }),
    ],
    // Codes need not be digits.
    ...(
      [
        ['AB-12-CD', 'sent ab12cd, AB 12 CD and AB-12-CD', 'sent …, … and …'],
        ['-----------A', 'sent -----------A and - - - - - - - - - - - a!', 'sent … and …!'],
        ['------', 'no ------ and no -- -- --', 'no … and no …'],
        ['A-', 'A- stays', 'A- stays'],
        ['٢٠٤-٩٨١', 'sent 204981 and ２０４ ９８１', 'sent … and …'],
        ['あいうえ', 'コードはあ、い、う、え。', 'コードは…。'],
        ['ΑΣ-ΑΣ', 'sent ασας', 'sent …'],
        ['qßaö', 'sent QSSAÖ', 'sent …'],
        ['𐐀𐐁𐐂', 'sent 𐐨 𐐩 𐐪', 'sent …'],
        ['KITE7', 'sent S0lURTc= or a2l0ZTc, 4B:49:54:45:37 or %6b%69%74%65%37', 'sent … or …, … or %…'],
      ] as const
    ).map(([otpCode, text, masked]) => [otpCode, text, masked, withFields({ otpCode })] as const),
    // Error codes and options: capital letters and underscores only.
    ...['SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'lateFailover.afterSeconds']
      .map((code) => `Twilio could not be reached (${code}): ${code}.`)
      .map((text) => [text, text, text] as const),
    ...[
      'UNABLE_TO_VERIFY_LEAF_SIGNATURe',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE1',
      'lateFailover.afterSeconds1',
      'lateFailoverAfterSeconds',
      'correct.horse.battery',
      `guard.${'f'.repeat(36)}`,
      'UNABLE_TO_VERIFY_LEAF-SIGNATURE',
      'UNABLETOVERIFYLEAFSIGNATURE',
      '_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE__TO_VERIFY_LEAF_SIGNATURE',
      'key=UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ].map((text) => [text, text, '…'] as const),
    ['a name in a code', 'NO_SUCH_USER_SILVEIRA_IN_THIS_DIRECTORY', 'NO_SUCH_USER_…_IN_THIS_DIRECTORY'],
  ];

  it('masks nothing else', () => {
    for (const [what, text, masked, of = personal] of exact) {
      expect(maskText(text, of === 'no call' ? undefined : of), what).to.equal(masked);
    }
  });

  // With a backtracking pattern one of these takes longer than a test may.
  it('ends soon for a long text', () => {
    for (const text of [
      'a'.repeat(1e6),
      '1 '.repeat(5e5),
      '1 - '.repeat(500),
      '+(1'.repeat(600),
      'a@'.repeat(5e5),
      'A_'.repeat(5e5),
      'AA_'.repeat(600),
      '-'.repeat(1e6),
      '-'.repeat(40),
      '-'.repeat(2000),
      '- '.repeat(1000),
      'basic '.repeat(300),
      `basic${' '.repeat(1990)}`,
      'MDMD '.repeat(400),
      '3a'.repeat(900),
      '31 '.repeat(600),
    ]) {
      for (const otpCode of [CODE, '-----------A', `${'-'.repeat(31)}A`]) {
        expect(maskText(text, withFields({ otpCode })).length).to.be.at.most(300);
      }
    }
  });
});

describe('maskSeparated()', () => {
  it('leaves the text if the secret is too short', () => {
    for (const secret of ['', '1', '12', '-']) expect(maskSeparated('12 - 12', secret)).to.equal('12 - 12');
  });

  it('does not treat a letter or digit between two characters of the secret as a separator', () => {
    expect(maskSeparated('204x981 2049781 204…981', CODE)).to.equal('204x981 2049781 …');
  });

  it('masks the digits before a number, and no others', () => {
    for (const [text, masked] of [
      ['44:7700:900:123', '…'],
      ['9 44 7700 900 123', '…'],
      ['x9: 7700;900 123', 'x9: …'],
      ['+44 (0)7700 900123 and 0900 123', '… and …'],
    ] as const) {
      expect(maskSeparated(text, '0900123', '44770')).to.equal(masked);
    }
  });
});

describe('maskError()', () => {
  it('keeps the words and masks the rest', () => {
    expect(maskError(new Error(`no session for ${ANA.login}`), personal)).to.equal('no session for …');
  });

  it('returns only "failed" without an error and its message', () => {
    const unreadable = new Error('?');
    Object.defineProperty(unreadable, 'message', {
      get: () => {
        throw new Error('no message');
      },
    });
    for (const error of [new Error(), 'text', undefined, unreadable]) {
      expect(maskError(error, personal)).to.equal('failed');
    }
  });
});

describe('isAbout()', () => {
  const called = (firstName: string): PersonalData =>
    withFields({ login: undefined, firstName, lastName: undefined });
  const brief = withFields({ otpCode: '123', login: 'jo@example.com', firstName: 'Al', lastName: undefined });
  const nameless = withFields({ login: 'zq.vexley@example.com', firstName: undefined, lastName: undefined });
  const danish = withFields({ firstName: 'Zoë', lastName: 'Østergård', login: undefined });

  it('is true for a text that contains the code, a number, a login or a name, in any form', () => {
    for (const [text, of = personal] of [
      [`M-${CODE}`],
      [`M${apart(CODE, '-')}`],
      [`M${ANA.phone}`],
      ['07700-900-123'],
      ['für 204-981'],
      ['x@y'],
      ['user:Ana.Silveira'],
      ['anasilveira1'],
      ['maria-7'],
      [`msg-Maria${ANA.lastName}1`],
      [`USER_${ANA.lastName.toUpperCase()}2`],
      [`x_y.${ANA.lastName.toUpperCase()}`],
      [`M${inScript(CODE, 'deva')}`],
      [`M${inScript('07700900123', 'fullwide')}`],
      ['x＠y'],
      ['ＭＡＲＩＡ-7'],
      [wamid(ANA.phone.slice(1))],
      [wamid(ANA.phone, '')],
      [wamid('07700900123', '\x1c')],
      [`x.${Buffer.from(`id:${CODE};`).toString('base64url')}`],
      [`x${Buffer.from(ANA.phone).toString('hex')}x`],
      [wamid('2902001'), withFields({ phoneNumber: '+2902001', otpCode: '123' })],
      ['id zoë', danish],
      ['ØSTERGÅRD-1', danish],
      ['user-zqvexley', nameless],
      ['xClarax', called('Clara')],
      ['M1234', withFields({ otpCode: '1234' })],
      ['MFIFI-TE-BD', withFields({ otpCode: 'fite-BD' })],
    ] as readonly (readonly [text: string, of?: PersonalData])[]) {
      expect(isAbout(text, of), text).to.equal(true);
    }
  });

  it('is false for a text that only resembles them', () => {
    for (const [text, of = personal] of [
      [wamid('447700900124')],
      ['annam'],
      ['zo-stergrd', danish],
      ['user-zqvex', nameless],
      ['xMilax', called('Mila')],
      ...['SM123abc', 'jo', 'al', 'ORDER-7', 'für 7', ''].map((text) => [text, brief] as const),
      // Six of the seven digits that identify a number.
      [`ORDER-${ANA.phone.slice(-6)}`],
      [`ORDER-${ANA.phone.slice(0, -1)}4`],
      ['', withFields({ login: undefined, firstName: undefined, lastName: undefined })],
    ] as readonly (readonly [text: string, of?: PersonalData])[]) {
      expect(isAbout(text, of), text).to.equal(false);
    }
  });
});

describe('isPersonal()', () => {
  it('is true for the code, a login or a number in any spelling, and for nothing longer', () => {
    for (const [id, isSame, of = personal] of [
      [CODE, true],
      [inScript(CODE, 'arab'), true],
      ['204-981', true],
      [`${CODE}0`, false],
      [ANA.login.toUpperCase(), true],
      ['ana.silveira', false],
      [ANA.phone.slice(1), true],
      ['07700 900 123', true],
      ['0044 7700 900123', true],
      [inScript('447700900123', 'fullwide'), true],
      ['tel:+44-7700-900123', true],
      ['whatsapp:07700900123', true],
      ['447700900124', false],
      // The last digits of an id may be those of the number by chance.
      ['00u9k7d70t0v0e900123', false],
      ['900123', false],
      ['------', true, withFields({ otpCode: '------' })],
      ['_', false, withFields({ otpCode: '------' })],
      ['ab12cd', true, withFields({ otpCode: 'AB-12-CD' })],
      ['', false],
    ] as readonly (readonly [id: string, isSame: boolean, of?: PersonalData])[]) {
      expect(isPersonal(id, of), id).to.equal(isSame);
    }
  });
});

describe('maskId()', () => {
  const shownId = (id: string): string => maskId(id, personal, 'event-1');

  it('returns an id without user data unchanged', () => {
    for (const id of [`SM${'0a'.repeat(16)}`, wamid(BOB.phone.slice(1)), '7'])
      expect(shownId(id)).to.equal(id);
  });

  it('returns the event id for an empty id, and for one that shows the user or the code', () => {
    for (const id of ['', `M-${CODE}`, `true_${ANA.phone.slice(1)}_3EB0C431C26A1916E07A`]) {
      expect(shownId(id)).to.equal('event-1');
    }
  });

  it('returns the digest of a long id that contains the number in base64, the same each time', () => {
    const id = wamid(ANA.phone.slice(1));
    expect(shownId(id)).to.equal(createHash('sha256').update(id).digest('base64url'));
    expect(shownId(wamid(ANA.phone.slice(1), '\x1d\x18\x0c')))
      .to.not.equal(shownId(id))
      .and.not.equal('event-1');
  });

  it('returns the event id if the digest would reveal the number', () => {
    expect(shownId(btoa(ANA.phone))).to.equal('event-1');
  });
});

describe('maskNumber()', () => {
  it('leaves the last two digits', () => {
    expect(maskNumber(ANA.phone)).to.equal('…23');
    expect(maskNumber('')).to.equal('');
  });
});

describe('toToken()', () => {
  for (const [text, token] of [
    ['whatsapp:63007', 'whatsapp:63007'],
    ['a;b=c,d', 'a_b_c_d'],
    ['a\r\nb "c"', 'a__b__c_'],
    ['é', '_'],
    ['x'.repeat(100), 'x'.repeat(64)],
  ] as const) {
    it(`returns ${token.slice(0, 20)}`, () => {
      expect(toToken(text)).to.equal(token);
    });
  }
});
