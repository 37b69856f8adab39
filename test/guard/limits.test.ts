import { expect } from 'chai';
import type { TelephonyRequest } from '#lib/core/channel.js';
import {
  bucketsOf,
  exceededRules,
  judge,
  remedyForBlock,
  type Guard,
  type GuardBlock,
  type LimitRule,
} from '#lib/guard/limits.js';
import { readNumber } from '#lib/numbers/phone-number.js';
import { makeMessage } from '../channels/twilio/scripted-api.js';

const LOGIN = 'ana@example.com';
const REQUEST: TelephonyRequest = {
  ...makeMessage().request,
  requestType: 'com.okta.user.telephony.mfa-verification',
  userId: '00u1',
  login: LOGIN,
  ipAddress: '198.51.100.7',
};
const guardOf = (...rules: readonly LimitRule[]): Guard => ({
  mode: 'enforce',
  limits: rules.map((rule) => ({ rule, points: 5, seconds: 60 })),
  countries: undefined,
  answer: 'pending',
});

describe('the limits of a request', () => {
  const keyOf = (
    rule: LimitRule,
    change: Partial<TelephonyRequest> = {},
    isPreview = false,
  ): string | undefined => bucketsOf({ ...REQUEST, ...change }, isPreview, guardOf(rule))[0]?.key;

  it('are those of the options, with their points and seconds', () => {
    const buckets = bucketsOf(REQUEST, false, guardOf('perUser', 'perNumber', 'perIp'));
    expect(buckets.map(({ rule, points, seconds }) => [rule, points, seconds])).to.deep.equal([
      ['perUser', 5, 60],
      ['perNumber', 5, 60],
      ['perIp', 5, 60],
    ]);
    expect(new Set(buckets.map(({ key }) => key)).size).to.equal(3);
    expect(bucketsOf(REQUEST, false, guardOf())).to.deep.equal([]);
  });

  it('count previews separately by every rule, and all request types of previews together', () => {
    for (const rule of ['perUser', 'perNumber', 'perIp'] as const) {
      expect(keyOf(rule, {}, true), rule).to.not.equal(keyOf(rule));
      expect(keyOf(rule, {}, true), rule).to.equal(keyOf(rule, {}, true));
      expect(bucketsOf(REQUEST, true, guardOf(rule))[0], rule).to.include({
        points: 5,
        seconds: 60,
      });
    }
    const requestType = 'com.okta.user.telephony.password-reset';
    expect(keyOf('perUser', { requestType }, true)).to.equal(keyOf('perUser', {}, true));
    expect(keyOf('perUser', { userId: '00u2' }, true)).to.not.equal(keyOf('perUser', {}, true));
  });

  it('have keys without number, login or address: the user id is the only id in them', () => {
    const [ofUser, ...others] = bucketsOf(REQUEST, false, guardOf('perUser', 'perNumber', 'perIp'));
    expect(ofUser?.key).to.match(/^perUser [\w-]+ 00u1$/);
    for (const { key } of others) expect(key).to.match(/^[\w-]{43}$/);
    const anonymous = { ...REQUEST, userId: undefined };
    for (const { key } of bucketsOf(anonymous, false, guardOf('perUser', 'perNumber', 'perIp'))) {
      expect(key).to.match(/^[\w-]{43}$/);
    }
  });

  it('count a user by the user id, else by the login, else by the number', () => {
    const other = { phoneNumber: '+447700900124', login: 'other@example.com' };
    expect(keyOf('perUser', other)).to.equal(keyOf('perUser'));
    expect(keyOf('perUser', { userId: '00u2' })).to.not.equal(keyOf('perUser'));
    const byLogin = keyOf('perUser', { userId: undefined });
    expect(byLogin).to.not.equal(keyOf('perUser'));
    expect(keyOf('perUser', { userId: undefined, login: LOGIN.toUpperCase() })).to.equal(byLogin);
    expect(keyOf('perUser', { userId: undefined, phoneNumber: '+447700900124' })).to.equal(byLogin);
    const byNumber = keyOf('perUser', { userId: undefined, login: undefined });
    expect(byNumber).to.not.be.oneOf([byLogin, keyOf('perUser'), keyOf('perNumber')]);
    expect(
      keyOf('perUser', { userId: undefined, login: undefined, phoneNumber: '+447700900124' }),
    ).to.not.equal(byNumber);
  });

  it('do not mix up a login with an equal user id', () => {
    expect(keyOf('perUser', { userId: 'x' })).to.not.equal(
      keyOf('perUser', { userId: undefined, login: 'x' }),
    );
  });

  it('count sign-in, enrollment and recovery of a user separately, and unknown request types as one', () => {
    const keyFor = (requestType: string | undefined): string | undefined => keyOf('perUser', { requestType });
    const [signIn, enrollment, unlock, reset] = [
      'mfa-verification',
      'pre-enrollment',
      'account-unlock',
      'password-reset',
    ].map((type) => keyFor(`com.okta.user.telephony.${type}`));
    expect(unlock).to.equal(reset);
    const unknown = keyFor(undefined);
    expect(keyFor('com.okta.user.telephony.something-new')).to.equal(unknown);
    expect(keyFor('constructor')).to.equal(unknown);
    expect(new Set([signIn, enrollment, unlock, unknown]).size).to.equal(4);
  });

  it('count a number and an IP address for all users and request types together', () => {
    const change = { userId: '00u2', requestType: undefined, login: undefined };
    expect(keyOf('perNumber', change)).to.equal(keyOf('perNumber'));
    expect(keyOf('perIp', { ...change, phoneNumber: '+447700900124' })).to.equal(keyOf('perIp'));
    expect(keyOf('perNumber', { phoneNumber: '+447700900124' })).to.not.equal(keyOf('perNumber'));
    expect(keyOf('perIp', { ipAddress: '198.51.100.8' })).to.not.equal(keyOf('perIp'));
  });

  it('count one phone once for every spelling of its number', () => {
    for (const [number, other] of [
      ['+525512345678', '+5215512345678'],
      ['+541123456789', '+5491123456789'],
      ['+5531987654321', '+553187654321'],
      ['+447911123456', '+4407911123456'],
      ['+18765551234', '+1118765551234'],
    ] as const) {
      const unnamed = { userId: undefined, login: undefined };
      expect(keyOf('perNumber', { phoneNumber: other }), other).to.equal(
        keyOf('perNumber', { phoneNumber: number }),
      );
      expect(keyOf('perUser', { ...unnamed, phoneNumber: other }), other).to.equal(
        keyOf('perUser', { ...unnamed, phoneNumber: number }),
      );
    }
  });

  it('count no IP address if Okta sent none', () => {
    expect(keyOf('perIp', { ipAddress: undefined })).to.equal(undefined);
  });

  const networks: readonly (readonly [one: string, other: string, isSame: boolean])[] = [
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
    ['2001:db8:1:2::1', '2001:0DB8:0001:0002:0:0:0:1', true],
    ['2001:db8::1', '2001:db8:0:0:7:7:7:7', true],
    ['2001:db8:1::', '2001:db8:1:0:0:0:192.0.2.1', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['2001:db8::1', '2001:db8:0:1::1', false],
    ['::ffff:198.51.100.7', '::ffff:198.51.100.8', false],
    ['198.51.100.7', '::ffff:198.51.100.7', true],
    ['198.51.100.7', '::FFFF:198.51.100.7', true],
    ['198.51.100.7', '::ffff:c633:6407', true],
    ['198.51.100.7', '0:0:0:0:0:FFFF:C633:6407', true],
    ['198.51.100.7', '::ffff:c633:6408', false],
    ['::ffff:10.0.0.7', '::ffff:a00:7', true],
    ['10.0.0.7', '::1:ffff:a00:7', false],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['::1', '::2', false],
    ['fe80::1%eth0', 'fe80::2%eth1', true],
    ['198.51.100.7', '198.51.100.70', false],
    ['not an address', 'none either', false],
  ];
  for (const [one, other, isSame] of networks) {
    it(`count ${one} and ${other} ${isSame ? 'as one' : 'separately'}`, () => {
      expect(keyOf('perIp', { ipAddress: one }) === keyOf('perIp', { ipAddress: other })).to.equal(isSame);
    });
  }

  it('that are exceeded are found by their keys', () => {
    const buckets = bucketsOf(REQUEST, false, guardOf('perUser', 'perNumber', 'perIp'));
    expect(exceededRules(buckets, [])).to.deep.equal([]);
    expect(
      exceededRules(buckets, [buckets[2]?.key ?? '', 'of another', buckets[0]?.key ?? '']),
    ).to.deep.equal(['perUser', 'perIp']);
  });
});

describe('the guard', () => {
  const judgedBy = (
    phoneNumber: string,
    countries: { allow: string[] } | { deny: string[] } | undefined,
    exceeded: readonly LimitRule[] = [],
  ): readonly GuardBlock[] =>
    judge(
      { number: readNumber(phoneNumber), exceeded },
      {
        ...guardOf('perUser', 'perNumber', 'perIp'),
        countries:
          countries === undefined
            ? undefined
            : 'allow' in countries
              ? { kind: 'allow', of: new Set(countries.allow) }
              : { kind: 'deny', of: new Set(countries.deny) },
      },
    );
  /** The first rule that blocks the number. */
  const judged = (...by: Parameters<typeof judgedBy>): GuardBlock | undefined => judgedBy(...by)[0];

  const table: readonly (readonly [
    number: string,
    countries: { allow: string[] } | { deny: string[] } | undefined,
    code: string | undefined,
  ])[] = [
    ['+12025550142', { allow: ['US'] }, undefined],
    ['+14165550142', { allow: ['US'] }, 'COUNTRY_NOT_ALLOWED'],
    ['+18765550142', { allow: ['US'] }, 'COUNTRY_NOT_ALLOWED'],
    ['+14165550142', { allow: ['US', 'CA'] }, undefined],
    ['+14161234567', { allow: ['US'] }, 'COUNTRY_NOT_ALLOWED'],
    ['+14161234567', { deny: ['CA'] }, 'COUNTRY_NOT_ALLOWED'],
    ['+441481112345', { allow: ['GB'] }, 'COUNTRY_NOT_ALLOWED'],
    ['+14165550142', { deny: ['CA'] }, 'COUNTRY_NOT_ALLOWED'],
    ['+12025550142', { deny: ['CA'] }, undefined],
    ['+447700900123', { allow: ['GB'] }, undefined],
    ['+447781123456', { allow: ['GB'] }, 'COUNTRY_NOT_ALLOWED'],
    ['+447797123456', { allow: ['GB'] }, 'COUNTRY_NOT_ALLOWED'],
    ['+447624123456', { allow: ['GB'] }, 'COUNTRY_NOT_ALLOWED'],
    ['+447781123456', { allow: ['GG'] }, undefined],
    ['+447781123456', { deny: ['GB'] }, undefined],
    ['+447700900123', { deny: ['GB'] }, 'COUNTRY_NOT_ALLOWED'],
    ['+9991234567', { allow: ['US', 'GB'] }, 'COUNTRY_NOT_ALLOWED'],
    ['+80012345678', { allow: ['US', 'GB'] }, 'COUNTRY_NOT_ALLOWED'],
    ['+9991234567', { deny: ['US', 'GB'] }, undefined],
    ['+80012345678', { deny: ['US', 'GB'] }, undefined],
    ['+9991234567', undefined, undefined],
    ['+447781123456', undefined, undefined],
    ['+449098790123', undefined, 'NUMBER_TYPE_BLOCKED'],
    ['+449098790123', { allow: ['US'] }, 'NUMBER_TYPE_BLOCKED'],
    ['+448451234567', { allow: ['GB'] }, 'NUMBER_TYPE_BLOCKED'],
    ['+19005550123', { allow: ['US'] }, 'NUMBER_TYPE_BLOCKED'],
    ['+979123456789', { deny: ['US'] }, 'NUMBER_TYPE_BLOCKED'],
  ];
  for (const [number, countries, code] of table) {
    it(`finds ${code ?? 'no rule broken'} for ${number} under ${JSON.stringify(countries ?? {})}`, () => {
      expect(judged(number, countries)?.code).to.equal(code);
    });
  }

  it('checks country before limits, and the limit per user before that per IP address', () => {
    expect(judged('+14165550142', { allow: ['US'] }, ['perUser'])?.rule).to.equal('country');
    expect(judged('+12025550142', { allow: ['US'] }, ['perUser', 'perIp'])?.rule).to.equal('perUser');
  });

  it('finds every rule that a request breaks', () => {
    const all = judgedBy('+19005550123', { allow: ['GB'] }, ['perIp', 'perUser']);
    expect(all.map(({ rule, points, seconds }) => [rule, points, seconds])).to.deep.equal([
      ['numberType', undefined, undefined],
      ['country', undefined, undefined],
      ['perUser', 5, 60],
      ['perIp', 5, 60],
    ]);
    expect(judgedBy('+12025550142', { allow: ['US'] })).to.deep.equal([]);
    expect(judgedBy('+12025550142', undefined)).to.deep.equal([]);
  });

  /** What is blocked, the code, the reason, the remedy, and the remedy if only the code is known. */
  const words: readonly (readonly [
    by: Parameters<typeof judgedBy>,
    code: GuardBlock['code'],
    reason: string,
    remedy: string,
    byCode?: string,
  ])[] = [
    [
      ['+14165550142', { allow: ['US'] }],
      'COUNTRY_NOT_ALLOWED',
      'Codes are not sent to the country of the number, CA',
      'If you have users there, add CA to guard.countries.allow, or to GUARD_COUNTRIES.',
      'If you have users there, allow the country in guard.countries, or in GUARD_COUNTRIES.',
    ],
    [
      ['+14165550142', { deny: ['CA'] }],
      'COUNTRY_NOT_ALLOWED',
      'Codes are not sent to the country of the number, CA',
      'If you have users there, take CA out of guard.countries.deny.',
      'If you have users there, allow the country in guard.countries, or in GUARD_COUNTRIES.',
    ],
    [
      ['+9991234567', { allow: ['US'] }],
      'COUNTRY_NOT_ALLOWED',
      'The country of the number is not known, and only some are allowed',
      'Correct the number: no country is known for it.',
      'If you have users there, allow the country in guard.countries, or in GUARD_COUNTRIES.',
    ],
    [
      ['+19005550123', undefined],
      'NUMBER_TYPE_BLOCKED',
      'The number costs more than others: premium rate, shared cost, personal, pager or satellite',
      'Have the user enroll another number.',
    ],
    [
      ['+12025550142', undefined, ['perUser']],
      'LIMIT_PER_USER',
      'The user has used up the limit',
      "Look at the user in Okta's System Log. If so many codes are normal, raise guard.perUser.",
    ],
    [
      ['+12025550142', undefined, ['perNumber']],
      'LIMIT_PER_NUMBER',
      'The number has used up the limit',
      'Find out who shares the number. If so many codes are normal, raise guard.perNumber.',
    ],
    [
      ['+12025550142', undefined, ['perIp']],
      'LIMIT_PER_IP',
      'The address has used up the limit',
      "Look at the address in Okta's System Log. If many users share it, raise guard.perIp.",
    ],
  ];
  for (const [by, code, reason, remedy, byCode = remedy] of words) {
    it(`explains ${code} by reason and remedy for ${JSON.stringify(by)}`, () => {
      expect(judged(...by)).to.include({ code, reason, remedy });
      expect(remedyForBlock(code)).to.equal(byCode);
    });
  }
});
