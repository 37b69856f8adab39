import type { TelephonyRequest } from '../core/channel.js';
import type { Assess } from '../core/option-types.js';
import type { BrokenRule, GuardRule } from '../core/events.js';
import { digestOf } from '../core/masking.js';
import { shortRequestType } from '../core/request-types.js';
import { recipientOf, type NumberReading } from '../numbers/phone-number.js';
import type { Bucket } from '../delivery/state.js';
import { networkOf } from './addresses.js';
import type { LearnSettings } from './learning-guard.js';

/** What the guard blocks before anything is spent on it: limits, countries and number types. */

/** The limits, by their options' names. */
export type LimitRule = Extract<GuardRule, 'perUser' | 'perNumber' | 'perIp'>;

/** The guard's settings. */
export interface Guard {
  /** `record` blocks nothing: it only emits events. */
  readonly mode: 'enforce' | 'record';
  /** The limits that are on. */
  readonly limits: readonly Omit<LimitBucket, 'key'>[];
  /** ISO 3166; `undefined`: every country. */
  readonly countries: { readonly kind: 'allow' | 'deny'; readonly of: ReadonlySet<string> } | undefined;
  readonly answer: 'pending' | 'error';
  readonly assess?: Assess | undefined;
  /** `undefined`: it does not learn. */
  readonly learn?: LearnSettings | undefined;
}

/** A limit as it applies to one request. */
export interface LimitBucket extends Bucket {
  readonly rule: LimitRule;
}

/** Why a request is blocked. */
export interface GuardBlock extends BrokenRule {
  readonly code: (typeof BLOCKS)[GuardRule]['code'];
  readonly reason: string;
}

/** The purpose of a request type, by its last word. Types that do not exist yet count together. */
const PURPOSES: ReadonlyMap<string, string> = new Map([
  ['mfa-verification', 'sign-in'],
  ['pre-enrollment', 'enrollment'],
  ['account-unlock', 'recovery'],
  ['password-reset', 'recovery'],
]);

function purposeOf(requestType = ''): string {
  return PURPOSES.get(shortRequestType(requestType)) ?? 'other';
}

/**
 * The limits that a request takes a point of.
 *
 * @param isPreview - previews are counted apart under every rule: an administrator's test takes no point of a user.
 */
export function bucketsOf(
  request: TelephonyRequest,
  isPreview: boolean,
  { limits }: Guard,
): readonly LimitBucket[] {
  const buckets: LimitBucket[] = [];
  for (const { rule, points, seconds } of limits) {
    const key = keyOf(rule, request, isPreview);
    if (key !== undefined) buckets.push({ rule, key, points, seconds });
  }
  return buckets;
}

/**
 * The key that a limit counts by, with its name first; `undefined` if the request does not have what it counts.
 */
function keyOf(
  rule: LimitRule,
  { userId, login, phoneNumber, requestType, ipAddress }: TelephonyRequest,
  isPreview: boolean,
): string | undefined {
  const name = isPreview ? `preview ${rule}` : rule;
  switch (rule) {
    case 'perUser': {
      // All previews have one purpose.
      const purpose = purposeOf(isPreview ? undefined : requestType);
      if (userId !== undefined) return `${name} ${purpose} ${userId}`;
      // Okta's logins are case-insensitive.
      if (login !== undefined) return keyFrom(name, purpose, 'login', login.toLowerCase());
      return keyFrom(name, purpose, 'number', recipientOf(phoneNumber));
    }
    case 'perNumber':
      return keyFrom(name, recipientOf(phoneNumber));
    case 'perIp':
      return ipAddress === undefined ? undefined : keyFrom(name, networkOf(ipAddress));
  }
}

function keyFrom(...counted: readonly string[]): string {
  return digestOf(JSON.stringify(counted));
}

/** The rules of the limits that a request exceeds, by the keys that the state found without a point. */
export function exceededRules(
  buckets: readonly LimitBucket[],
  exceeded: readonly string[],
): readonly LimitRule[] {
  if (exceeded.length === 0) return [];
  return buckets.filter(({ key }) => exceeded.includes(key)).map(({ rule }) => rule);
}

/** Every rule that a request breaks: rules about its number come before limits. */
export function judge(
  { number, exceeded }: { readonly number: NumberReading; readonly exceeded: readonly LimitRule[] },
  { countries, limits }: Guard,
): readonly GuardBlock[] {
  const blocks: GuardBlock[] = [];
  const { country } = number;
  if (number.isCostly) blocks.push(blockBy('numberType'));
  if (countries !== undefined && !isAllowed(country, countries)) {
    const ofUnknown = blockBy('country');
    blocks.push(country === undefined ? ofUnknown : { ...ofUnknown, ...ofCountry(country, countries.kind) });
  }
  for (const { rule, points, seconds } of limits) {
    if (exceeded.includes(rule)) blocks.push({ ...blockBy(rule), points, seconds });
  }
  return blocks;
}

/** A block by a rule, in the words that `BLOCKS` has for it. Limits add their points and seconds. */
export function blockBy(rule: GuardRule): GuardBlock {
  return { rule, ...BLOCKS[rule], points: undefined, seconds: undefined };
}

function isAllowed(country: string | undefined, { kind, of }: NonNullable<Guard['countries']>): boolean {
  const isListed = country !== undefined && of.has(country);
  return kind === 'allow' ? isListed : !isListed;
}

function ofCountry(country: string, kind: 'allow' | 'deny'): Pick<GuardBlock, 'reason' | 'remedy'> {
  return {
    reason: `Codes are not sent to the country of the number, ${country}`,
    remedy:
      kind === 'allow'
        ? `If you have users there, add ${country} to guard.countries.allow, or to GUARD_COUNTRIES.`
        : `If you have users there, take ${country} out of guard.countries.deny.`,
  };
}

/** The code, the reason and the remedy of a block, by its rule. */
const BLOCKS = {
  numberType: {
    code: 'NUMBER_TYPE_BLOCKED',
    reason: 'The number costs more than others: premium rate, shared cost, personal, pager or satellite',
    remedy: 'Have the user enroll another number.',
  },
  // In the words for a number whose country is not known: `ofCountry` has those for a known one.
  country: {
    code: 'COUNTRY_NOT_ALLOWED',
    reason: 'The country of the number is not known, and only some are allowed',
    remedy: 'Correct the number: no country is known for it.',
  },
  assess: {
    code: 'BLOCKED_BY_ASSESS',
    reason: 'no reason given',
    remedy:
      'See the reason. If such codes should go out, change the function of guard.assess, or raise maxScore of twilioLookup (TWILIO_LOOKUP_MAX_SCORE).',
  },
  perUser: {
    code: 'LIMIT_PER_USER',
    reason: 'The user has used up the limit',
    remedy: "Look at the user in Okta's System Log. If so many codes are normal, raise guard.perUser.",
  },
  perNumber: {
    code: 'LIMIT_PER_NUMBER',
    reason: 'The number has used up the limit',
    remedy: 'Find out who shares the number. If so many codes are normal, raise guard.perNumber.',
  },
  perIp: {
    code: 'LIMIT_PER_IP',
    reason: 'The address has used up the limit',
    remedy: "Look at the address in Okta's System Log. If many users share it, raise guard.perIp.",
  },
  'learn.country': {
    code: 'LEARN_COUNTRY',
    reason: 'Too few codes to the country of the number are used',
    remedy:
      'Look at who requests codes for this country in Okta. If they are your users, add it to guard.learn.allow.countries; if you have none there, take it out of guard.countries.',
  },
  'learn.prefix': {
    code: 'LEARN_PREFIX',
    reason: 'Too few codes to numbers with the same beginning are used',
    remedy:
      "Look at the users in Okta's System Log. If they are yours, add the country to guard.learn.allow.countries, or raise guard.learn.ratio.",
  },
  'learn.ip': {
    code: 'LEARN_IP',
    reason: 'The address requested codes for numbers of several countries, and none was used',
    remedy:
      "Look at the address in Okta's System Log. If it is an office or a proxy of yours, add it to guard.learn.allow.ips.",
  },
} as const satisfies Readonly<
  Record<GuardRule, Pick<BrokenRule, 'code' | 'remedy'> & { readonly reason: string }>
>;

/**
 * What an operator can do about a block, by its code; `undefined` for any other code.
 * @param hasCountry - whether the country of the number is known.
 */
export function remedyForBlock(code: string, hasCountry = true): string | undefined {
  if (code === BLOCKS.country.code && hasCountry)
    return 'If you have users there, allow the country in guard.countries, or in GUARD_COUNTRIES.';
  return Object.values(BLOCKS).find((block) => block.code === code)?.remedy;
}
