import fc from 'fast-check';

/** Values that a hostile or odd caller or vendor may send as a text, a number or an object. */

/** Characters that tests rarely use. */
const ODD_CHARACTERS = [
  '\u0000',
  '\u0007',
  '\r\n',
  '\u2028',
  '\u200b',
  '\u200d',
  '\u202e',
  '\u2066',
  '\ufeff',
  '\ufffd',
  '\uffff',
  '\ud800',
  '\udc00',
  'e\u0301',
  'ß',
  'İ',
  '٣',
  '字',
  'א',
  '👩‍👩‍👧',
  '𝟙',
  '"',
  '\\',
  '<',
  '&',
  '%00',
  '=',
  ';',
  '{{code}}',
  '${code}',
  '$&',
] as const;

const FIRST_SURROGATE = 0xd800;
const SURROGATES = 0x800;

/**
 * Any character except lone surrogates. fast-check's unit `binary` makes the same ones, but each worker needs a second
 * to make a table of them.
 */
const anyCharacter: fc.Arbitrary<string> = fc.integer({ min: 0, max: 0x10ffff - SURROGATES }).map(
  (index) => String.fromCodePoint(index < FIRST_SURROGATE ? index : index + SURROGATES),
  (character) => {
    const point = typeof character === 'string' ? (character.codePointAt(0) ?? -1) : -1;
    const isWhole = point >= 0 && String.fromCodePoint(point) === character && !/\p{Cs}/u.test(character);
    if (!isWhole) throw new Error('no character');
    return point < FIRST_SURROGATE ? point : point - SURROGATES;
  },
);

/** Any text, often with odd characters. */
export const oddText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc
    .array(fc.oneof(fc.constantFrom(...ODD_CHARACTERS), fc.string({ maxLength: 5 })), { maxLength: 12 })
    .map((parts) => parts.join('')),
);

/** Names of properties that every object inherits, or that a merge could misuse. */
export const keyOfTrouble: fc.Arbitrary<string> = fc.constantFrom(
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'toJSON',
  'then',
  'length',
  '',
  '0',
  'polluted',
);

/** Adds an own property, even `__proto__`, as `JSON.parse` does. */
export function withOwn(target: object, key: string, value: unknown): object {
  return Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Not deeper than fast-check can print in a failing case. */
function nested(depth: number, isArray: boolean): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = isArray ? [value] : { a: value };
  return value;
}

/** Any JSON value. */
export const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -0,
    -1,
    1,
    0.5,
    1e21,
    1e308,
    5e-324,
    2 ** 53,
    '',
    ' ',
    [],
    {},
  ),
  oddText,
  fc.jsonValue({ maxDepth: 3, stringUnit: anyCharacter }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.dictionary(keyOfTrouble, fc.constantFrom<unknown>(1, 'x', null, { polluted: true }), { maxKeys: 4 }),
  fc.tuple(fc.integer({ min: 1, max: 400 }), fc.boolean()).map(([depth, isArray]) => nested(depth, isArray)),
  fc.integer({ min: 1, max: 3000 }).map((length) => 'x'.repeat(length)),
);

/** Any JSON value as text. */
export const oddJson: fc.Arbitrary<string> = oddValue.map((value) => JSON.stringify(value));

/** A code that Okta may send: letters, digits and hyphens in any script; some as numbers. */
export const goodCode: fc.Arbitrary<string | number> = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[0-9]{4,10}$/) },
  fc.stringMatching(/^[A-Z0-9]{2,3}(-[A-Z0-9]{2,6}){1,3}$/),
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  fc.stringMatching(/^[٠-٩]{6}$/),
  fc.stringMatching(/^[qž][a-zß-öあ-ん]{5,31}$/),
  fc.stringMatching(/^ {0,2}[0-9]{6}[\t ]{0,2}$/),
);

const SEPARATORS = [
  '',
  '',
  '',
  ' ',
  '-',
  '.',
  '(',
  ')',
  '/',
  '\u00a0',
  '\u2011',
  '\u202d',
  '\u202c',
  '  ',
] as const;

/** A valid phone number, and one of its spellings. */
export interface SpelledNumber {
  /** E.164. */
  readonly number: string;
  readonly spelled: string;
}

export const goodNumber: fc.Arbitrary<SpelledNumber> = fc
  .tuple(
    fc.oneof(
      fc.stringMatching(/^[1-9][0-9]{6,14}$/),
      fc.stringMatching(/^4477009[0-9]{5}$/),
      fc.stringMatching(/^1202555[0-9]{4}$/),
    ),
    fc.array(fc.constantFrom(...SEPARATORS), { minLength: 15, maxLength: 15 }),
    fc.constantFrom('+', '+', '00', '+ ', ' +'),
  )
  // Without the emulator's own numbers: some refuse messages, some are senders.
  .filter(([digits]) => !/^1(500555|415)/.test(digits))
  .map(([digits, separators, prefix]) => ({
    number: `+${digits}`,
    spelled: prefix + Array.from(digits, (digit, index) => digit + (separators[index] ?? '')).join(''),
  }));

/** A locale in any spelling, or another value. */
export const anyLocale: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    'EN-US',
    'en_gb',
    'de_DE.UTF-8',
    'de_DE@euro',
    'pt-BR',
    'zh-Hant-TW',
    'es-419',
    'iw',
    'und',
    'i-klingon',
    'x-private',
    'en-u-ca-buddhist',
    'english',
    '-',
    'en--US',
  ),
  fc.stringMatching(/^[a-zA-Z]{1,8}([-_][a-zA-Z0-9]{1,8}){0,6}$/),
  oddText,
  oddValue,
);

/** A time as Okta writes it, or another value. */
export const anyTime: fc.Arbitrary<unknown> = fc.oneof(
  fc
    .integer({ min: -1_000_000, max: 10_000_000 })
    .map((offsetMs) => new Date(Date.UTC(2026, 10, 25) + offsetMs).toISOString()),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom(
    '',
    'now',
    '2026-11-25',
    '2026-11-25T12:00:00',
    '2026-02-30T00:00:00Z',
    '-271821-04-20T00:00:00Z',
    '+275760-09-13T00:00:00Z',
    'Wed, 25 Nov 2026 12:00:00 GMT',
  ),
  oddValue,
);

/** A known, new or odd request type. */
export const anyRequestType: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    'com.okta.user.telephony.mfa-verification',
    'com.okta.user.telephony.pre-enrollment',
    'com.okta.user.telephony.account-unlock',
    'com.okta.user.telephony.password-reset',
  ),
  oddText,
  oddValue,
);

/** Every spelling of a delivery channel. */
export const goodDeliveryChannel: fc.Arbitrary<{ readonly spelled: string; readonly isVoice: boolean }> = fc
  .tuple(
    fc.constantFrom<readonly [text: string, isVoice: boolean]>(
      ['sms', false],
      ['call', true],
      ['voice', true],
      ['voice call', true],
      ['phone_call', true],
      ['Voice-Call', true],
    ),
    fc.constantFrom('', ' ', '\t'),
    fc.boolean(),
  )
  .map(([[text, isVoice], space, isUpper]) => ({
    spelled: space + (isUpper ? text.toUpperCase() : text) + space,
    isVoice,
  }));
