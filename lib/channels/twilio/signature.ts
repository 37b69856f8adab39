import twilio from 'twilio';

/**
 * Checks that Twilio has signed a webhook, and that its signature fits no other form. Without the second check, an
 * attacker could move text between parameters.
 */

/** A form-encoded body. A repeated name has all its values. */
export type FormFields = Readonly<Record<string, string | string[]>>;

/**
 * True if Twilio has signed a webhook with one of the tokens. There are several tokens while one is being rotated.
 *
 * @param parts.url - the configured URL, never one made from the request's Host header.
 * @param parts.signature - the `X-Twilio-Signature` header.
 */
export function isSignedByTwilio(parts: {
  readonly authTokens: readonly string[];
  readonly url: string;
  readonly signature: string;
  readonly params: FormFields;
}): boolean {
  const { authTokens, url, signature, params } = parts;
  return authTokens.some((token) => {
    // Anyone can sign with an empty token.
    if (token === '') return false;
    try {
      return twilio.validateRequest(token, signature, url, params);
    } catch {
      return false;
    }
  });
}

/** Makes the `X-Twilio-Signature` of a form, for `doctor`. `url` is the URL that is configured at Twilio. */
export function signWebhook(parts: {
  readonly authToken: string;
  readonly url: string;
  readonly params: Readonly<Record<string, string>>;
}): string {
  return twilio.getExpectedTwilioSignature(parts.authToken, parts.url, parts.params);
}

/** The form of Twilio's parameter names. Any other name is the rest of some value. */
const NAME = /^[A-Z][A-Za-z\d]*$/;

/**
 * Where a parameter begins: the names that we read, and those that sort between `Body` and `From`. `To` and `From` are also
 * words, so they count only before an address. A quoted name is a JSON key.
 */
const NAMES = new RegExp(
  `(?=(${[
    '(?:MessageSid|SmsSid|CallSid|MessageStatus|SmsStatus|CallStatus|ErrorCode|ErrorMessage|OptOutType)(?!")',
    '(?:Button(?:Payload|Text|Type)|Channel(?:InstallSid|Metadata|Prefix|ToAddress)|FrequentlyForwarded)(?!")',
    'ExternalUserId(?!entifier|")|ExternalUserIdentifier(?!")|Forwarded(?=true|false)',
    '(?:From|To)(?=(?:[a-z]+:)?(?:\\+\\d|[A-Z]{2}\\.))',
  ].join('|')}))`,
  'g',
);

/** A value that we read and that has more text behind it: the text may be a parameter that we do not read. */
const LONGER = new RegExp(
  [
    '(?:(?:OriginalReplied)?MessageSid|SmsSid|CallSid)=[A-Z]{2}[\\da-f]{32}.',
    '(?:Message|Sms|Call)Status=[a-z_-]+[A-Z]',
    'ChannelPrefix=[a-z]+[A-Z]',
    'ErrorCode=\\d+\\D',
    'OptOutType=[A-Z]+[a-z]',
    '(?:From|To)=(?:[a-z]+:)?\\+\\d+\\D',
  ]
    .map((value) => `^${value}`)
    .join('|'),
  's',
);

/**
 * Whether a signed form has one reading only. Twilio signs the sorted names and values joined without separators, so one
 * signature fits many forms: `From+44…` may be a parameter, or the end of the text before it. In a form that passes, a
 * parameter begins wherever the joined text has one of our names, and ends where its value ends. So all forms that have
 * the same signature and pass have the same values of these parameters.
 *
 * A signature cannot tell the text `helloErrorCode1` from the text `hello` and an error code. The first form is refused, the
 * second passes.
 */
export function hasOneReading(params: FormFields): boolean {
  let text = '';
  let bodyFrom = Infinity;
  /** The index where each name begins, by the index where it ends. */
  const names = new Map<number, number>();
  for (const name of Object.keys(params).sort()) {
    const value = params[name];
    if (typeof value !== 'string' || !NAME.test(name) || LONGER.test(`${name}=${value}`)) return false;
    if (name >= 'Body') bodyFrom = Math.min(bodyFrom, text.length);
    names.set(text.length + name.length, text.length);
    text += name + value;
  }
  // The text parameter begins at the first `Body`. The text itself may contain the word.
  const body = text.indexOf('Body');
  if (body !== -1 && body <= bodyFrom && names.get(body + 'Body'.length) !== body) return false;
  return [...text.matchAll(NAMES)].every(({ index, 1: name = '' }) => {
    const beginning = names.get(index + name.length);
    if (beginning === undefined) return false;
    // A longer name may end with this one, as SmsMessageSid does. No such name of Twilio's ends with `From` or `To` and has
    // an address.
    return name === 'From' || name === 'To' ? beginning === index : beginning <= index;
  });
}
