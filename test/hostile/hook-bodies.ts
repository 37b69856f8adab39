import fc from 'fast-check';
import { ANA } from '#harness/scene.js';
import {
  anyLocale,
  anyRequestType,
  anyTime,
  goodCode,
  goodDeliveryChannel,
  goodNumber,
  keyOfTrouble,
  oddText,
  oddValue,
  withOwn,
} from './arbitraries.js';

/** The body of a hook call, its parts, and its secrets. */
export interface GoodBody {
  readonly body: Record<string, unknown>;
  readonly code: string;
  /** E.164. */
  readonly number: string;
  readonly isVoice: boolean;
  readonly secrets: readonly string[];
  /** Output may contain these, although their digits can contain a short code by chance. */
  readonly ids: readonly string[];
}

/** The `data` of a valid body. */
export interface GoodData {
  readonly userProfile: object;
  readonly messageProfile: Readonly<Record<string, unknown>>;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const letters = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...LETTERS.split('')), minLength: length, maxLength: length });

/** Names that occur in no other text: output that contains one leaks it. */
const name: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom('Qz', 'Žq', "O'Qx", 'Qx-Zy', '秦', 'ظق'), letters(5))
  .map((parts) => parts.join(''));

interface Person {
  readonly userId: unknown;
  readonly login: string;
  readonly firstName: string;
  readonly lastName: string;
}

const person: fc.Arbitrary<Person> = fc.record({
  userId: fc.oneof(
    fc.constant(ANA.id),
    letters(17).map((text) => `00u${text}`),
    fc.constantFrom<unknown>('me', '.', '..', '%2e%2e', '00u/../me', 'a?b=c#d', undefined),
  ),
  login: fc.oneof(
    letters(8).map((text) => `zq${text}@example.com`),
    letters(8).map((text) => `CORP\\zq${text}`),
    letters(8).map((text) => `zq${text}/../me`),
    letters(8).map((text) => `žq${text}\ud800`),
  ),
  firstName: name,
  lastName: name,
});

/** Unique, so that no case repeats the event of another. */
let count = 0;
export function freshEventId(): string {
  count += 1;
  const text = Array.from(count.toString(26), (digit) => LETTERS[parseInt(digit, 26)]);
  return `evt-${text.join('')}`;
}

/** A request whose code the hook must send, with any values in the other fields. */
export const goodBody: fc.Arbitrary<GoodBody> = fc
  .record({
    who: person,
    code: goodCode,
    number: goodNumber,
    channel: goodDeliveryChannel,
    template: fc.oneof(
      fc.tuple(oddText, oddText).map(([before, after]) => `${before}{}${after}`),
      fc.constant('{}'),
      fc.integer({ min: 1500, max: 5000 }).map((length) => 'y'.repeat(length) + '{}'),
      oddValue,
    ),
    locale: anyLocale,
    requestType: anyRequestType,
    eventTime: anyTime,
    otpExpires: anyTime,
    extras: fc.array(fc.tuple(keyOfTrouble, oddValue), { maxLength: 3 }),
  })
  .map(({ who, code, number, channel, template, locale, requestType, eventTime, otpExpires, extras }) => {
    const codeText = String(code).trim();
    const msgTemplate = typeof template === 'string' ? template.replace('{}', () => codeText) : template;
    const body: Record<string, unknown> = {
      eventId: '',
      eventTime,
      eventType: 'com.okta.telephony.provider',
      requestType,
      data: {
        context: {
          request: { id: 'reqZ', method: 'POST', url: { value: '/idp' }, ipAddress: '203.0.113.7' },
        },
        userProfile: { ...who },
        messageProfile: {
          msgTemplate,
          phoneNumber: number.spelled,
          otpExpires: isPast(otpExpires) ? undefined : otpExpires,
          deliveryChannel: channel.spelled,
          otpCode: code,
          locale,
        },
      },
    };
    for (const [key, value] of extras) withOwn(body, key, value);
    return {
      body,
      code: codeText,
      number: number.number,
      isVoice: channel.isVoice,
      ids: [ANA.id],
      secrets: [
        codeText,
        number.number.slice(1),
        number.spelled.trim(),
        who.login,
        who.firstName,
        who.lastName,
      ],
    };
  });

/** The hook does not send a code that expired long ago: contract section 6, 2. */
function isPast(time: unknown): boolean {
  const ms = typeof time === 'string' ? Date.parse(time) : NaN;
  return !Number.isNaN(ms) && Date.now() - ms > 60_000;
}

/** The places of a body that a change can hit. */
const PATHS = [
  [],
  ['eventId'],
  ['eventTime'],
  ['requestType'],
  ['data'],
  ['data', 'context'],
  ['data', 'context', 'request'],
  ['data', 'context', 'request', 'url'],
  ['data', 'userProfile'],
  ['data', 'userProfile', 'userId'],
  ['data', 'userProfile', 'login'],
  ['data', 'userProfile', 'firstName'],
  ['data', 'messageProfile'],
  ['data', 'messageProfile', 'msgTemplate'],
  ['data', 'messageProfile', 'phoneNumber'],
  ['data', 'messageProfile', 'otpCode'],
  ['data', 'messageProfile', 'otpExpires'],
  ['data', 'messageProfile', 'deliveryChannel'],
  ['data', 'messageProfile', 'locale'],
] as const satisfies readonly (readonly string[])[];

type Change = (value: unknown) => unknown;

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constant<Change>(() => undefined),
  oddValue.map(
    (value): Change =>
      () =>
        value,
  ),
  fc.constantFrom<Change>(
    (value) => [value],
    (value) => ({ value }),
    (value) => JSON.stringify(value),
    (value) => (typeof value === 'number' ? String(value) : value),
    (value) => (typeof value === 'string' ? Number(value) : value),
    (value) => (typeof value === 'object' && value !== null ? Object.values(value) : value),
    (value) => (typeof value === 'object' && value !== null ? withOwn({}, '__proto__', value) : value),
    (value) => (typeof value === 'string' ? `${value}\u0000` : value),
    (value) => (typeof value === 'string' ? `  ${value}\u200b` : value),
  ),
  fc.tuple(keyOfTrouble, oddValue).map(
    ([key, added]): Change =>
      (value) =>
        typeof value === 'object' && value !== null ? withOwn(Object.assign({}, value), key, added) : added,
  ),
  fc.integer({ min: 1000, max: 70_000 }).map(
    (length): Change =>
      () =>
        'z'.repeat(length),
  ),
);

/** A valid body with one to three changes. */
export const spoiledBody: fc.Arbitrary<GoodBody> = fc
  .tuple(goodBody, fc.array(fc.tuple(fc.constantFrom(...PATHS), change), { minLength: 1, maxLength: 3 }))
  .map(([good, changes]) => {
    let body: unknown = good.body;
    for (const [path, apply] of changes) body = changed(body, path, apply);
    // A body need not be an object.
    return { ...good, body: (body ?? null) as Record<string, unknown> };
  });

function changed(value: unknown, path: readonly string[], apply: Change): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return apply(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const inner = (value as Readonly<Record<string, unknown>>)[key];
  return withOwn(Object.assign({}, value), key, changed(inner, rest, apply));
}
