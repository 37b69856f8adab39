import { numberOfSender, readNumber } from '../../numbers/phone-number.js';
import { DEFAULT_PATH } from '../../options/options.js';
import { variablesWhere, type VariableName } from '../../options/variables.js';
import type { Variables } from '../environment.js';

/** The questions of `init`. Each is about one variable of the gateway. */

export interface Question {
  readonly name: VariableName;
  readonly what: string;
  /** The form of the answer, if the rule of the option allows more: emulators have other ids than Twilio's. */
  readonly form?: RegExp;
  /** More about the form, for an answer that does not have it. */
  readonly hint?: string;
  readonly complete?: (answer: string) => string;
  /** The answer that Enter gives. `undefined`: Enter skips the question. */
  readonly preset?: string | undefined;
  /** Variables that stand in the place of this one, so that it is not asked for. */
  readonly inPlace?: readonly VariableName[];
}

/**
 * A URL, or a domain name, which gets `https://`. `localhost:8080` and `ftp://acme.com` get none: they are something else. A
 * host that is only a number, such as a port, would be read as an IP address.
 */
const WITH_HOST = {
  form: /^(?:https?:\/\/(?!\d+(?:[:/]|$))|(?:[^\s.:/?#]+\.)+[^\s\d.:/?#][^\s.:/?#]*(?:[:/]|$))/i,
  hint: 'Without https:// it must begin with a domain name, such as acme.com',
};

const withScheme = (text: string): string => (/^https?:\/\//i.test(text) ? text : `https://${text}`);

/** An address without a path gets the default path of the hook. */
function withPath(text: string): string {
  const url = withScheme(text);
  return URL.canParse(url) && new URL(url).pathname === '/' ? new URL(DEFAULT_PATH, url).href : url;
}

export const OKTA_QUESTIONS: readonly Question[] = [
  {
    name: 'OKTA_ORG_URL',
    what: "the org's origin, such as https://acme.okta.com",
    ...WITH_HOST,
    complete: withScheme,
  },
  {
    name: 'OKTA_API_TOKEN',
    what: "an API token of an administrator who may only read users: the gateway's own",
    inPlace: ['OKTA_CLIENT_ID', 'OKTA_PRIVATE_KEY', 'OKTA_KEY_ID'],
  },
];

export const URL_QUESTION: Question = {
  name: 'PUBLIC_URL',
  what: 'the public URL of the hook with its host name, such as https://id.acme.com/okta/telephony',
  ...WITH_HOST,
  complete: withPath,
};

/** What is asked about the guard, after the senders. Enter takes the country of a sender's number. */
export function guardQuestion(variables: Pick<Variables, 'valueOf'>): Question {
  const senders = variablesWhere(({ sends }) => sends === 'sms' || sends === 'voice');
  return {
    name: 'GUARD_COUNTRIES',
    what: 'the only countries that codes may go to, such as DE,AT, or * for every country',
    complete: (answer) => answer.replaceAll(/\s/g, '').toUpperCase(),
    preset: senders.flatMap((name) => countriesOf(variables.valueOf(name)))[0],
  };
}

/** The countries that a sender is meant for; none if it is no number. */
function countriesOf(sender = ''): readonly string[] {
  const number = numberOfSender(sender);
  const country = number === undefined ? undefined : readNumber(number).country;
  if (country === undefined) return [];
  // One sender serves both, and many organizations have users in both.
  return country === 'US' || country === 'CA' ? ['US,CA'] : [country];
}

/** The questions that no variable answers. */
export function openQuestions(
  questions: readonly Question[],
  variables: Pick<Variables, 'hasAny'>,
): readonly Question[] {
  return questions.filter(({ name, inPlace = [] }) => !variables.hasAny(name, ...inPlace));
}
