import twilio from 'twilio';

/** A form-encoded body as it came: a name that was repeated has all its values. */
export type FormFields = Readonly<Record<string, string | string[]>>;

/**
 * True if Twilio has signed a webhook with one of the tokens. Tokens are several while one is being replaced.
 *
 * @param parts.url the URL as Twilio was told it, never one put together from what a request says of its host
 * @param parts.signature the `X-Twilio-Signature` header
 */
export function isSignedByTwilio(parts: {
  readonly authTokens: readonly string[];
  readonly url: string;
  readonly signature: string | undefined;
  readonly params: FormFields;
}): boolean {
  const { authTokens, url, signature, params } = parts;
  if (signature === undefined || signature === '') return false;
  return authTokens.some((token) => {
    // Anybody can sign with an empty token.
    if (token === '') return false;
    try {
      return twilio.validateRequest(token, signature, url, params);
    } catch {
      return false;
    }
  });
}

/** The `X-Twilio-Signature` of a form, as Twilio makes it; `url` is the one that Twilio was told. */
export function signWebhook(parts: {
  readonly authToken: string;
  readonly url: string;
  readonly params: Readonly<Record<string, string>>;
}): string {
  return twilio.getExpectedTwilioSignature(parts.authToken, parts.url, parts.params);
}

/** Twilio's names are such; what begins otherwise is the rest of somebody's value. */
const NAME = /^[A-Z][A-Za-z\d]*$/;

/**
 * The names of what we read, and of what may stand between a text and its sender, as they look where a parameter begins. `To` and
 * `From` are words as well: they count with an address behind them. A quoted name is a key of JSON.
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

/** A value that we read with something behind it: a parameter that we do not read. */
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
 * Whether a signed form can be read in one way only. Twilio signs the sorted names and values joined without separators, so that one
 * signature fits many forms: with `From+44…` as a parameter, or as a part of the text before it. In a form that passes, a
 * parameter begins wherever the joined text has one of our names, and ends where its value does. So all forms of one signature
 * that pass have the same of these parameters.
 *
 * One thing no signature can tell: whether somebody wrote `helloErrorCode1`, or `hello` and Twilio sent an error code. The
 * first is refused, the second passes.
 */
export function hasOneReading(params: FormFields): boolean {
  let text = '';
  let bodyFrom = Infinity;
  /** Where names begin, by where they end. */
  const names = new Map<number, number>();
  for (const name of Object.keys(params).sort()) {
    const value = params[name];
    if (typeof value !== 'string' || !NAME.test(name) || LONGER.test(`${name}=${value}`)) return false;
    if (name >= 'Body') bodyFrom = Math.min(bodyFrom, text.length);
    names.set(text.length + name.length, text.length);
    text += name + value;
  }
  // A text begins where its name first stands. What is written may hold the word.
  const body = text.indexOf('Body');
  if (body !== -1 && body <= bodyFrom && names.get(body + 'Body'.length) !== body) return false;
  return [...text.matchAll(NAMES)].every(({ index, 1: name = '' }) => {
    const beginning = names.get(index + name.length);
    if (beginning === undefined) return false;
    // A longer name may end with it, as SmsMessageSid does; none of Twilio's ends with `From` or `To` and has an address.
    return name === 'From' || name === 'To' ? beginning === index : beginning <= index;
  });
}
