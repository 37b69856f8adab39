import { createHash } from 'node:crypto';
import { expect } from 'chai';
import type { ConnectedChannel, OktaTelephonyHookOptions, TelephonyRequest } from '#lib/index.js';
import {
  isAbout,
  maskSeparated,
  maskError,
  maskNumber,
  maskText,
  maskId,
  toToken,
} from '#lib/core/masking.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { ANA, BOB, CODE, startScene, wamid, type SceneOptions } from '#harness/scene.js';
import { expectNoSecrets } from '#harness/witness.js';

const request: TelephonyRequest = {
  eventId: 'event-1',
  requestType: undefined,
  deliveryChannel: 'sms',
  phoneNumber: ANA.phone,
  otpCode: CODE,
  expiresAt: new Date(0),
  msgTemplate: undefined,
  locale: undefined,
  userId: ANA.id,
  login: ANA.login,
  firstName: 'Anna Maria',
  lastName: ANA.lastName,
  ipAddress: undefined,
  oktaRequestId: undefined,
  raw: undefined,
};
const apart = (digits: string, separator: string): string => Array.from(digits).join(separator);
const inScript = (digits: string, numberingSystem: string): string => {
  const numbers = new Intl.NumberFormat('en', { numberingSystem });
  return digits.replace(/\d/g, (digit) => numbers.format(Number(digit)));
};

describe('maskText()', () => {
  const texts: readonly (readonly [what: string, text: string, ...gone: string[]])[] = [
    ['the code', `sent ${CODE} to them`, CODE],
    ['the code twice', `${CODE}${CODE}`, CODE],
    ['the code set apart by spaces', `code 204 981`, '204', '981'],
    ['the code digit by digit', `code ${apart(CODE, ' ')}.`, '2 0'],
    ['the code as it is spoken', `say ${apart(CODE, ', ')}.`, '2, 0', '9, 8'],
    ['the number', `to ${ANA.phone}`, '447700', '900123'],
    ['the number without +', `to ${ANA.phone.slice(1)}`, '447700', '900123'],
    ['the number in its national form', 'to 07700 900-123', '7700', '123'],
    ['the number in a URL', `/send?to=%2B${ANA.phone.slice(1)}`, '447700', '900123'],
    ['the number as it is spoken', `to ${apart(ANA.phone.slice(1), ', ')}`, '4, 4', '1, 2'],
    ['the number at Twilio', `whatsapp:${ANA.phone}`, '447700'],
    ...['arab', 'arabext', 'deva', 'beng', 'thai', 'mymr', 'adlm', 'fullwide', 'mathsans'].flatMap(
      (script) =>
        [
          [`the code in digits of ${script}`, `sent ${inScript(CODE, script)}`, inScript(CODE, script)],
          [
            `the number in digits of ${script}, separated`,
            `to ${apart(inScript(ANA.phone, script), ' - ')}`,
            inScript('7', script),
            '7',
          ],
          [`any long run of digits of ${script}`, inScript('57812', script), inScript('57', script), '57'],
        ] as const,
    ),
    ['the code in small digits', `sent ${apart('²⁰⁴⁹⁸¹', ' ')}`, '²', '2', '⁹', '9'],
    ['the code in circles', 'sent ②⓪④⑨⑧①', '②', '2', '⑨', '9'],
    ['the code with any characters between its digits', `sent ${apart(CODE, ' …様\u200b ')}`, '2', '9'],
    ['the code in base64', `sent ${btoa(CODE)}`, btoa(CODE)],
    ['the number in base64', `sent ${btoa(ANA.phone)}`, btoa(ANA.phone).slice(4)],
    ['the number in base64 of something longer', `sent x=${btoa('ab44770090012')}!`, 'NzcwMDkw'],
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
  for (const [what, text, ...gone] of texts) {
    it(`masks ${what}`, () => {
      const masked = maskText(text, request);
      for (const part of gone) expect(masked.toLowerCase()).to.not.include(part.toLowerCase());
      expect(masked).to.match(/…|^x+ ?$/);
      expect(masked.length).to.be.at.most(300);
    });
  }

  it('leaves everything else', () => {
    expect(maskText('HTTP 503 after 2 tries: ECONNRESET', request)).to.equal(
      'HTTP 503 after 2 tries: ECONNRESET',
    );
    expect(maskText('v1a2b3c4d5', request)).to.equal('v1a2b3c4d5');
    expect(maskText(`Could not send ${CODE} to ${ANA.phone}, try 2`, request)).to.equal(
      'Could not send … to …, try 2',
    );
  });

  it('leaves texts in other scripts, and writes short numbers in ASCII digits', () => {
    for (const text of ['宛先は無効です…', 'Größe ½ ™ Ёж', 'عنوان خاطئ', 'e-mail @ home']) {
      expect(maskText(text, request)).to.equal(text);
    }
    expect(maskText('خطأ ٤٠٤', request)).to.equal('خطأ 404');
  });

  it('masks a name whose letters are decomposed into letter and mark', () => {
    const zoe = { ...request, firstName: 'Zoë', lastName: 'Bücher' };
    expect(maskText('Dear Zoe\u0308 Bu\u0308cher', zoe)).to.equal('Dear … …');
  });

  for (const [otpCode, text, masked] of [
    ['AB-12-CD', 'sent ab12cd, AB 12 CD and AB-12-CD', 'sent …, … and …'],
    ['-----------A', 'sent -----------A and - - - - - - - - - - - a!', 'sent … and …!'],
    ['------', 'no ------ and no -- -- --', 'no … and no …'],
    ['A-', 'A- stays', 'A- stays'],
    ['٢٠٤-٩٨١', 'sent 204981 and ２０４ ９８１', 'sent … and …'],
    ['あいうえ', 'コードはあ、い、う、え。', 'コードは…。'],
    ['ΑΣ-ΑΣ', 'sent ασας', 'sent …'],
    ['qßaö', 'sent QSSAÖ', 'sent …'],
    ['𐐀𐐁𐐂', 'sent 𐐨 𐐩 𐐪', 'sent …'],
  ] as const) {
    it(`masks a code like ${otpCode}`, () => {
      expect(maskText(text, { ...request, otpCode })).to.equal(masked);
    });
  }

  it('leaves error codes of any length: capital letters and underscores only', () => {
    for (const code of [
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'lateFailover.afterSeconds',
    ]) {
      const text = `Twilio could not be reached (${code}): ${code}.`;
      expect(maskText(text, request)).to.equal(text);
    }
  });

  for (const [what, text, masked] of [
    ['a small letter', 'UNABLE_TO_VERIFY_LEAF_SIGNATURe', '…'],
    ['a digit', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE1', '…'],
    ['an option with a digit', 'lateFailover.afterSeconds1', '…'],
    ['an option without dots', 'lateFailoverAfterSeconds', '…'],
    ['words with dots that are no option', 'correct.horse.battery', '…'],
    ['an option with a long word', `guard.${'f'.repeat(36)}`, '…'],
    ['another sign', 'UNABLE_TO_VERIFY_LEAF-SIGNATURE', '…'],
    ['no underscore', 'UNABLETOVERIFYLEAFSIGNATURE', '…'],
    ['an underscore at an end', '_TO_VERIFY_LEAF_SIGNATURE', '…'],
    ['two underscores together', 'UNABLE__TO_VERIFY_LEAF_SIGNATURE', '…'],
    ['a token before it', 'key=UNABLE_TO_VERIFY_LEAF_SIGNATURE', '…'],
    [
      'a name of the request in it',
      'NO_SUCH_USER_SILVEIRA_IN_THIS_DIRECTORY',
      'NO_SUCH_USER_…_IN_THIS_DIRECTORY',
    ],
  ] as const) {
    it(`masks a word with ${what}: it is no error code`, () => {
      expect(maskText(text, request)).to.equal(masked);
    });
  }

  it('masks digits and addresses without a request', () => {
    expect(maskText(`${CODE} for ${ANA.login} at ${ANA.phone}`, undefined)).to.equal('… for … at …');
  });

  it('masks a token and a key completely, and leaves the name of the scheme', () => {
    expect(maskText('sent SSWS 00aB_c and bearer  abc.def again', request)).to.equal(
      'sent SSWS … and bearer … again',
    );
    expect(maskText('used sk_live1 now', request)).to.equal('used … now');
  });

  it('masks the longer of two names first, so that no part of it is left', () => {
    const ann = { ...request, firstName: 'Ann', lastName: 'Annabel' };
    expect(maskText('Dear Annabel', ann)).to.equal('Dear …');
  });

  it('accepts a request without login and names', () => {
    const unknownUser = { ...request, login: undefined, firstName: undefined, lastName: undefined };
    expect(maskText(`no ${CODE} for them`, unknownUser)).to.equal('no … for them');
  });

  it('cuts a long text to 300 characters', () => {
    expect(maskText('a b '.repeat(200), request)).to.equal('a b '.repeat(75));
  });

  describe('with a short name', () => {
    const ada = { ...request, login: 'ada@corp.example', firstName: 'Ada', lastName: 'Wood' };

    it('leaves the name inside other words', () => {
      for (const text of ['The key is unreadable; its metadata is not', 'driftwood', 'woods, 3woods, ada1']) {
        expect(maskText(text, ada)).to.equal(text);
      }
    });

    for (const [what, text, masked] of [
      ['as a word', 'Dear Ada, dear ADA WOOD!', 'Dear …, dear … …!'],
      ['if it is the whole text', 'ada', '…'],
      ['between underscores and hyphens', 'user_ada-wood', 'user_…-…'],
      ['beside letters of other scripts', 'éada様', 'é…様'],
      ['as a login without its domain', 'no user ada in /users/ada/', 'no user … in /users/…/'],
      ['as a whole login', 'no user ada@corp.example', 'no user …'],
      ['beside the code', `ada${CODE}ada`, '………'],
      ['beside the number', `${ANA.phone}ada`, '……'],
      ['beside digits that may be a code', 'ada123456', '……'],
      ['beside a longer name', 'ada anna', '… anna'],
    ] as const) {
      it(`masks the name ${what}`, () => {
        expect(maskText(text, ada)).to.equal(masked);
      });
    }

    it('masks a login and a name of five letters inside other words', () => {
      const alice = { ...request, login: 'alice', firstName: 'Woods', lastName: undefined };
      expect(maskText('xalicex woodsman', alice)).to.equal('x…x …man');
    });
  });

  it('treats names as text, not as patterns', () => {
    const odd = { ...request, login: 'a.b+c(d[e', firstName: '.*', lastName: '$&$1' };
    expect(maskText('abc stays, a.b+c(d[e goes, $&$1 too', odd)).to.equal('abc stays, … goes, … too');
  });

  it('masks no normal text for a name of one or two letters', () => {
    expect(maskText('it is an error', { ...request, firstName: 'i', lastName: 'is' })).to.equal(
      'it is an error',
    );
  });

  // With a backtracking pattern one of these takes longer than a test may.
  it('ends soon for a long text', () => {
    for (const text of [
      'a'.repeat(1e6),
      '1 '.repeat(5e5),
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
    ]) {
      for (const otpCode of [CODE, '-----------A', `${'-'.repeat(31)}A`]) {
        expect(maskText(text, { ...request, otpCode }).length).to.be.at.most(300);
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
});

describe('maskError()', () => {
  it('accepts an error whose message throws', () => {
    const error = new Error('?');
    Object.defineProperty(error, 'message', {
      get: () => {
        throw new Error('no message');
      },
    });
    expect(maskError(error, undefined)).to.equal('failed');
  });

  it('keeps the words and masks the rest', () => {
    expect(maskError(new Error(`no session for ${ANA.login}`), request)).to.equal('no session for …');
  });

  for (const [what, error] of [
    ['an error without a message', new Error()],
    ['a value that is no error', 'text'],
    ['undefined', undefined],
  ] as const) {
    it(`returns only "failed" for ${what}`, () => {
      expect(maskError(error, request)).to.equal('failed');
    });
  }
});

describe('isAbout()', () => {
  const to = '+33612345678';
  const about: readonly (readonly [what: string, text: string])[] = [
    ['the code', `M-${CODE}`],
    ['the code set apart', `M${apart(CODE, '-')}`],
    ['the number', `M${ANA.phone}`],
    ['the number in its national form', '07700-900-123'],
    ['the number that the message went to', 'id:06.12.34.56.78'],
    ['the code set apart, among other letters', 'für 204-981'],
    ['an address', 'x@y'],
    ['the login without its domain', 'user:Ana.Silveira'],
    ['the parts of the login without separators', 'anasilveira1'],
    ['a first name', 'maria-7'],
    ['a first name and a last name without a separator', `msg-Maria${ANA.lastName}1`],
    ['a last name with a digit behind it', `USER_${ANA.lastName.toUpperCase()}2`],
    ['a last name', `x_y.${ANA.lastName.toUpperCase()}`],
    ['the code in digits of another script', `M${inScript(CODE, 'deva')}`],
    ['the number in fullwidth digits', `M${inScript('07700900123', 'fullwide')}`],
    ['an address in fullwidth characters', 'x＠y'],
    ['a name in fullwidth letters', 'ＭＡＲＩＡ-7'],
    ['the number in base64', wamid(ANA.phone.slice(1))],
    ['the number in base64, shifted by one byte', wamid(ANA.phone, '')],
    ['the number in base64, shifted by two bytes', wamid('07700900123', '\x1c')],
    ['the base64 number that the message went to', wamid(to)],
    ['the code in base64', `x.${Buffer.from(`id:${CODE};`).toString('base64url')}`],
    ['the number in hex', `x${Buffer.from(ANA.phone).toString('hex')}x`],
  ];
  for (const [what, text] of about) {
    it(`is true for a text that contains ${what}`, () => {
      expect(isAbout(text, request, to)).to.equal(true);
    });
  }

  it('is false for a text that contains another number in base64', () => {
    expect(isAbout(wamid('447700900124'), request, to)).to.equal(false);
    const abroad = { ...request, phoneNumber: '+2902001', otpCode: '123' };
    expect(isAbout(wamid('2902001'), abroad, ''), 'a short number').to.equal(true);
  });

  it('is true for a text that contains a name with non-ASCII letters', () => {
    const zoe = { ...request, firstName: 'Zoë', lastName: 'Østergård', login: undefined };
    for (const text of ['id zoë', 'ØSTERGÅRD-1']) expect(isAbout(text, zoe, to), text).to.equal(true);
    expect(isAbout('zo-stergrd', zoe, to)).to.equal(false);
  });

  it('is true for a text that contains the login, even if the request has no names', () => {
    const nameless = {
      ...request,
      login: 'zq.vexley@example.com',
      firstName: undefined,
      lastName: undefined,
    };
    expect(isAbout('user-zqvexley', nameless, to)).to.equal(true);
    expect(isAbout('user-zqvex', nameless, to)).to.equal(false);
  });

  it('is true for a word that contains a name of five letters or more, not for a shorter one', () => {
    for (const [firstName, isFound] of [
      ['Clara', true],
      ['Mila', false],
    ] as const) {
      const called = { ...request, login: undefined, firstName, lastName: undefined };
      expect(isAbout(`x${firstName}x`, called, to), firstName).to.equal(isFound);
    }
  });

  it('is false for a text that only resembles a part of the request', () => {
    const brief = {
      ...request,
      otpCode: '123',
      login: 'jo@example.com',
      firstName: 'Al',
      lastName: undefined,
    };
    for (const text of ['SM123abc', 'jo', 'al', 'ORDER-7', `ORDER-${ANA.phone.slice(-4)}`, 'für 7', '']) {
      expect(isAbout(text, brief, to), text).to.equal(false);
    }
    expect(isAbout('M1234', { ...request, otpCode: '1234' }, to), 'a code of four digits').to.equal(true);
    expect(isAbout('annam', request, to), 'a name is a whole word').to.equal(false);
    expect(
      isAbout('', { ...request, login: undefined, firstName: undefined, lastName: undefined }, ''),
    ).to.equal(false);
  });
});

describe('maskId()', () => {
  const shownId = (id: string): string => maskId(id, request, ANA.phone);

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

describe('a text that contains the code and user data', () => {
  const leak = `204981, 204-981, ${apart(CODE, ', ')} for ${ANA.login}, ${ANA.firstName} ${ANA.lastName.toUpperCase()}, at ${ANA.phone} or 07700 900123`;
  const channelOf = (
    send: ConnectedChannel['send'],
  ): Pick<OktaTelephonyHookOptions, 'sandboxNumber' | 'senders' | 'channels'> => ({
    sandboxNumber: undefined,
    senders: undefined,
    channels: { sms: { send } },
  });
  const accepted = channelOf(() => Promise.resolve({ status: 'accepted', transactionId: 'T1' }));
  const boom = (): never => {
    throw new Error(leak);
  };
  const cases: readonly (readonly [who: string, hook: NonNullable<SceneOptions['hook']>, action: string])[] =
    [
      [
        "a channel's refusal",
        channelOf(() => Promise.resolve({ status: 'refused', code: CODE, reason: leak })),
        'error',
      ],
      [
        "a channel's remedy",
        channelOf(() =>
          Promise.resolve({ status: 'refused', code: `E${ANA.phone}`, reason: '', remedy: leak }),
        ),
        'error',
      ],
      [
        "a channel's unknown outcome",
        channelOf(() => Promise.resolve({ status: 'unknown', reason: leak })),
        'pending',
      ],
      ['a channel that throws', channelOf(boom), 'pending'],
      ['a channel that rejects', channelOf(() => Promise.reject(new Error(leak))), 'pending'],
      ['chooseChannels that throws', { ...accepted, chooseChannels: boom }, 'sent'],
      ['composeText that throws', { ...accepted, composeText: boom }, 'sent'],
      [
        'composeText that rejects',
        { ...accepted, composeText: () => Promise.reject(new Error(leak)) },
        'sent',
      ],
      [
        'a state that fails',
        {
          ...accepted,
          state: {
            ...openMemoryState(),
            claim: () => Promise.reject(new Error(leak)),
            overtake: boom,
            isNewest: boom,
            keepReceipt: boom,
            takeReceipt: () => Promise.reject(new Error(leak)),
            isDelivered: boom,
          },
        },
        'sent',
      ],
    ];
  for (const [who, hook, action] of cases) {
    it(`is masked in log, events and answer if it comes from ${who}`, async () => {
      const scene = await startScene({ hook });
      try {
        const call = await scene.call();
        expect(call.okta.action).to.equal(action);
        expectNoSecrets();
        const shown = JSON.stringify([scene.log, scene.events, call.body])
          .replaceAll(ANA.id, '')
          .toLowerCase();
        for (const secret of [apart(CODE, ', '), '204-981', '900123', 'silveira', 'anastasia']) {
          expect(shown.includes(secret)).to.equal(false);
        }
      } finally {
        await scene.close();
      }
    });
  }
});
