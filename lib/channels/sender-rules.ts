import type { ChannelSender } from '../core/channel.js';
import { numberOfSender, readNumber } from '../numbers/phone-number.js';

/**
 * Senders of SMS that do not work in a country: the one table, for the warnings at start and for doctor. It has only what its sources
 * say. A country that is not here may still have a rule.
 */

/** When the sources were read. */
export const RULES_READ_ON = '2026-12-01';

/** What a rule is about. `without-dlt`: a sender whose provider takes DLT ids, without any. */
export type SenderKind = 'letters' | 'long-code' | 'toll-free' | 'without-dlt';

/** A rule for the senders of some countries. */
export interface SenderRule {
  readonly kind: SenderKind;
  /** The countries of the recipients, ISO 3166. */
  readonly countries: readonly string[];
  /**
   * `refused`: no such sender works. `registered`: it works after a registration, which the options do not show. `campaign`: Twilio's API
   * says whether it is registered.
   */
  readonly unless: 'refused' | 'registered' | 'campaign';
  /** Since when, if the source says so. */
  readonly since?: string;
  /** Follows the names of the countries. */
  readonly effect: string;
  readonly remedy: string;
  readonly source: string;
}

const REGISTER =
  'Register the sender with your provider. Then name the country in senders.sms or channels, beside default: this ends the warning.';
const BY_NUMBER =
  'Set a number for them in senders.sms or channels, beside default. With optionsFrom(), set TWILIO_SMS_FROM to a Messaging Service that has one, or name another provider for them in SMS_PROVIDERS.';

export const SENDER_RULES: readonly SenderRule[] = [
  {
    kind: 'letters',
    countries: ['CA', 'CN', 'US'],
    unless: 'refused',
    effect: 'senders of letters do not work',
    remedy: BY_NUMBER,
    source: 'https://docs.aws.amazon.com/sms-voice/latest/userguide/sender-id.html',
  },
  {
    kind: 'letters',
    countries: ['PR'],
    unless: 'refused',
    effect: 'senders of letters do not work',
    remedy: BY_NUMBER,
    source: 'https://developers.telnyx.com/docs/messaging/messages/alphanumeric-sender-id',
  },
  {
    kind: 'letters',
    countries: ['SG'],
    unless: 'registered',
    since: '2023-01-31',
    effect: 'texts of a sender that is not registered are marked “Likely-SCAM”',
    remedy: REGISTER,
    source: 'https://www.imda.gov.sg/How-We-Can-Help/Anti-Scam-Measures',
  },
  {
    kind: 'letters',
    countries: ['AU'],
    unless: 'registered',
    since: '2026-07-01',
    effect: 'a sender that is not registered is shown as “Unverified”',
    remedy: REGISTER,
    source:
      'https://www.infobip.com/docs/essentials/australia-registration/australia-sms-alphanumeric-sender-id-registration.md',
  },
  {
    kind: 'letters',
    countries: ['JO', 'PH', 'QA'],
    unless: 'registered',
    effect: 'the sender must be registered',
    remedy: REGISTER,
    source:
      'https://aws.amazon.com/blogs/messaging-and-targeting/how-to-register-a-sender-id-using-apis-with-aws-end-user-messaging',
  },
  {
    kind: 'letters',
    countries: ['BD', 'IN', 'KH'],
    unless: 'registered',
    effect: 'the sender must be registered',
    remedy: REGISTER,
    source: 'https://docs.aws.amazon.com/end-user-messaging/latest/userguide/nx-supported-countries-asia.md',
  },
  {
    kind: 'letters',
    countries: ['CM'],
    unless: 'registered',
    effect: 'the sender must be registered',
    remedy: REGISTER,
    source:
      'https://docs.aws.amazon.com/end-user-messaging/latest/userguide/nx-supported-countries-africa.md',
  },
  {
    kind: 'without-dlt',
    countries: ['IN'],
    unless: 'registered',
    effect:
      'texts without ids of DLT go by international routes, at a higher price and without the name of the sender',
    remedy:
      'A company of India registers at DLT, and sets dlt: { entityId, contentId } of the channel. With optionsFrom(), it sets AWS_SMS_DLT_ENTITY_ID or VONAGE_DLT_ENTITY_ID. Any other one names the country in channels or SMS_PROVIDERS, beside default: this ends the warning at start.',
    source:
      'https://docs.aws.amazon.com/sms-voice/latest/userguide/registrations-sms-senderid-india-routes.html',
  },
  {
    kind: 'long-code',
    countries: ['US'],
    unless: 'campaign',
    effect: 'texts of a US number without an approved 10DLC campaign are blocked with error 30034',
    remedy:
      'Register a brand and a campaign: Twilio Console, Messaging > Regulatory Compliance > A2P 10DLC. Add the number to its Messaging Service.',
    source: 'https://www.twilio.com/docs/api/errors/30034',
  },
  {
    kind: 'toll-free',
    countries: ['CA', 'US'],
    unless: 'campaign',
    since: '2024-01-31',
    effect: 'texts of a toll-free number that is not verified are blocked with error 30032',
    remedy:
      'Verify it: Twilio Console, Phone Numbers > Active numbers > the number > Regulatory Information.',
    source: 'https://www.twilio.com/docs/api/errors/30464',
  },
];

/** Letters, digits and a few signs: an alphanumeric sender. The ids of services and pools are longer. */
const LETTERS = /^(?=.*[a-z])[\w &+-]{1,11}$/i;
/** The toll-free area codes of North America. */
const TOLL_FREE = /^\+18(?:00|33|44|55|66|77|88)\d{7}$/;

/** What kind of sender a text is; `undefined` if no rule is about it, such as a short code or the id of a service. */
export function kindOfSender(from: string): Exclude<SenderKind, 'without-dlt'> | undefined {
  const number = numberOfSender(from);
  if (number === undefined) return LETTERS.test(from) ? 'letters' : undefined;
  if (TOLL_FREE.test(number)) return 'toll-free';
  return readNumber(number).country === 'US' ? 'long-code' : undefined;
}

/** A sender, and a country that its texts go to. */
export interface SenderInCountry extends ChannelSender {
  readonly option: string;
  readonly country: string;
}

/** A rule that a sender breaks. */
export interface BrokenSenderRule {
  readonly rule: SenderRule;
  /** `option` of the sender. */
  readonly option: string;
  /** What is wrong, with the countries and the source. */
  readonly problem: string;
}

/** The rules that senders break, as far as the options show it: one entry for each option and rule, with its countries. */
export function brokenSenderRules(senders: readonly SenderInCountry[]): readonly BrokenSenderRule[] {
  return SENDER_RULES.flatMap((rule) => {
    const broken = senders.filter((sender) => isBroken(rule, sender));
    return [...new Set(broken.map(({ option }) => option))].map((option) => {
      const countries = broken.filter((one) => one.option === option).map(({ country }) => country);
      return { rule, option, problem: problemOf(rule, countries) };
    });
  });
}

function isBroken(
  { kind, countries, unless }: SenderRule,
  { from, country, isNamed = false, hasDlt }: SenderInCountry,
): boolean {
  if (unless === 'campaign' || !countries.includes(country)) return false;
  if (kind === 'without-dlt') return hasDlt === false && !isNamed;
  if (kind !== kindOfSender(from)) return false;
  // DLT registers senders, too. Its own rule says what is missing.
  return unless === 'refused' || !(isNamed || (country === 'IN' && hasDlt !== undefined));
}

/** What a rule says of some of its countries. */
export function problemOf({ effect, since, source }: SenderRule, countries: readonly string[]): string {
  const when = since === undefined ? '' : ` since ${since}`;
  return `${[...new Set(countries)].sort().join(', ')}: ${effect}${when} (${source}).`;
}
