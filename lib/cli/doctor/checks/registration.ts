import {
  brokenSenderRules,
  kindOfSender,
  problemOf,
  SENDER_RULES,
  type BrokenSenderRule,
  type SenderInCountry,
  type SenderKind,
} from '../../../channels/sender-rules.js';
import type { AccountReading } from '../../../channels/twilio/account-reader.js';
import { MESSAGING_SERVICE_SID } from '../../../channels/twilio/settings.js';
import { asList, fieldOf, textFieldOf } from '../../../core/json.js';
import { fail, ok, warn, type Finding } from '../finding.js';
import type { TwilioSide } from '../variables.js';
import type { TwilioAccess } from './twilio-access.js';

/** Whether the senders of SMS work in their countries of `GUARD_COUNTRIES`, by the table of `channels/sender-rules.ts`. */

const NO_COUNTRIES = ok(
  'GUARD_COUNTRIES names no countries of this sender, so no rule about senders is checked.',
);
const FINE = ok('No rule that doctor knows forbids the SMS sender in a country of GUARD_COUNTRIES.');

/** A rule that a sender breaks in countries. */
type Broken = Pick<BrokenSenderRule, 'rule' | 'problem'>;

/** The finding about senders of which the options say enough. */
export function sendersFinding(
  countries: readonly string[],
  senderFor: (country: string) => SenderInCountry | undefined,
): Finding {
  if (countries.length === 0) return NO_COUNTRIES;
  return findingOf(brokenSenderRules(countries.flatMap((country) => senderFor(country) ?? [])));
}

/** @param isPool - another sender of a Messaging Service may serve the countries. */
function findingOf(broken: readonly Broken[], isPool = false): Finding {
  if (broken.length === 0) return FINE;
  const isFailed = !isPool && broken.some(({ rule: { unless } }) => unless !== 'registered');
  const message = broken.map(({ problem }) => problem).join(' ');
  const remedy = [...new Set(broken.map(({ rule }) => rule.remedy))].join(' ');
  return (isFailed ? fail : warn)(message, remedy);
}

/** As `sendersFinding`, with what Twilio's API says of US numbers and toll-free numbers. */
export async function registrationFinding(
  { sending }: TwilioAccess,
  { sms, smsFallbackFrom, countries }: TwilioSide,
): Promise<Finding> {
  if (sms === undefined) return ok('Not set: Twilio sends no SMS from a sender of the gateway.');
  if (countries.length === 0) return NO_COUNTRIES;
  const from = smsFallbackFrom ?? sms;
  const option = smsFallbackFrom === undefined ? 'TWILIO_SMS_FROM' : 'TWILIO_SMS_FALLBACK_FROM';
  const isPool = MESSAGING_SERVICE_SID.test(from);
  const broken: Broken[] = [...brokenSenderRules(countries.map((country) => ({ from, option, country })))];
  try {
    const numbers = await numbersOf(from, sending);
    for (const rule of SENDER_RULES) {
      const concerned = rule.countries.filter((country) => countries.includes(country));
      const ofKind = numbers.filter(({ number }) => kindOfSender(number) === rule.kind);
      if (rule.unless !== 'campaign' || concerned.length === 0) continue;
      if (!(await areAllowed(rule.kind, ofKind, { from, sending })))
        broken.push({ rule, problem: problemOf(rule, concerned) });
    }
  } catch (error) {
    if (!(error instanceof UnreadError)) throw error;
    if (broken.length > 0) return findingOf(broken, isPool);
    return warn(
      `Whether the numbers are registered for their countries cannot be read: ${error.message}.`,
      'Look at Messaging > Regulatory Compliance in the Twilio Console, or use a key that may read Messaging.',
    );
  }
  return findingOf(broken, isPool);
}

type Sending = TwilioAccess['sending'];

interface OwnNumber {
  readonly number: string;
  /** `PN…` */
  readonly sid: string;
}

/** A resource cannot be read, so nothing is known of a registration. */
class UnreadError extends Error {}

/** The numbers that a sender sends from; none for letters. */
async function numbersOf(from: string, sending: Sending): Promise<readonly OwnNumber[]> {
  if (MESSAGING_SERVICE_SID.test(from)) return poolOf(from, sending);
  const kind = kindOfSender(from);
  if (kind !== 'long-code' && kind !== 'toll-free') return [];
  const own = ownNumbers(itemsOf(await sending.numbers(from), 'incoming_phone_numbers'));
  return own.filter(({ number }) => number === from);
}

const poolOf = async (service: string, sending: Sending): Promise<readonly OwnNumber[]> =>
  ownNumbers(itemsOf(await sending.numbersOfService(service), 'phone_numbers'));

const ownNumbers = (items: readonly unknown[]): readonly OwnNumber[] =>
  items.map((item) => ({
    number: textFieldOf(item, 'phone_number') ?? '',
    sid: textFieldOf(item, 'sid') ?? '',
  }));

async function areAllowed(
  kind: SenderKind,
  numbers: readonly OwnNumber[],
  { from, sending }: { readonly from: string; readonly sending: Sending },
): Promise<boolean> {
  if (numbers.length === 0) return true;
  if (kind === 'toll-free') {
    const verified = await Promise.all(
      numbers.map(async ({ sid }) => hasStatus(await sending.tollfreeVerifications(sid), TOLL_FREE)),
    );
    return verified.every(Boolean);
  }
  if (MESSAGING_SERVICE_SID.test(from)) return hasStatus(await sending.campaigns(from), CAMPAIGN);
  return isInCampaign(from, sending);
}

const CAMPAIGN = { list: 'compliance', field: 'campaign_status', approved: 'VERIFIED' } as const;
const TOLL_FREE = { list: 'verifications', field: 'status', approved: 'TWILIO_APPROVED' } as const;

/** Whether a Messaging Service with an approved campaign has the number in its pool. */
async function isInCampaign(number: string, sending: Sending): Promise<boolean> {
  const services = itemsOf(await sending.messagingServices(), 'services');
  for (const service of services) {
    const sid = textFieldOf(service, 'sid') ?? '';
    const pool = await poolOf(sid, sending);
    if (pool.some((one) => one.number === number)) return hasStatus(await sending.campaigns(sid), CAMPAIGN);
  }
  return false;
}

const hasStatus = (
  reading: AccountReading,
  { list, field, approved }: typeof CAMPAIGN | typeof TOLL_FREE,
): boolean => itemsOf(reading, list).some((item) => textFieldOf(item, field) === approved);

/** The items of a list. @throws UnreadError if there are more than one page. */
function itemsOf(reading: AccountReading, list: string): readonly unknown[] {
  if (reading.kind !== 'found') throw new UnreadError(reading.reason);
  const { body } = reading;
  const next = fieldOf(body, 'next_page_uri') ?? fieldOf(body, 'meta', 'next_page_url');
  if (!Array.isArray(body[list])) throw new UnreadError('the answer has no such list');
  if (typeof next === 'string') throw new UnreadError('there are too many to look through');
  return asList(body[list]);
}
