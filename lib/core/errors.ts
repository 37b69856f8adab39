/** The errors of the package. No message, remedy or cause holds a one-time code, a phone number, a login or a secret. */

/** Every `code` of `TelephonyHookError` and its subclasses. `docs/reference/codes.md` explains each. A minor version may add some. */
export type ErrorCode =
  /** `ConfigurationError`: options that cannot work. */
  | 'CONFIGURATION'
  /** From `ready()`: the keys for Okta's access tokens cannot be fetched. */
  | 'PROOF_UNAVAILABLE'
  /** From `ready()`: the shared state cannot be used. */
  | 'STATE_LOST'
  /** From `ready()`: a check threw another error, which is the `cause`. After `close()`: the hook is closed. */
  | 'NOT_READY'
  /** From `ready()`: a check had no answer within 4 s. */
  | 'NOT_READY_IN_TIME'
  | OktaApiErrorCode
  | ProviderErrorCode;

/** A failure that this package throws, or that `ready()` returns. `code` is for programs, the rest is for the log. */
export class TelephonyHookError extends Error {
  override readonly name: string = 'TelephonyHookError';
  readonly code: ErrorCode;
  /** What an operator can do about it, in a sentence, if that is known. */
  declare readonly remedy: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    details: { readonly cause?: unknown; readonly remedy?: string | undefined } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    // Node prints the fields of an error that ends the process, and `remedy: undefined` says nothing.
    if (details.remedy !== undefined) this.remedy = details.remedy;
  }
}

/** One problem of a `ConfigurationError`. */
export interface ConfigurationIssue {
  /**
   * The path of the option, such as `credentials.okta.orgUrl` or `channels.sms[1]`; for `optionsFrom` the name of the variable.
   * Empty if the options are no object.
   */
  readonly option: string;
  /** The sentence in `problems`. */
  readonly message: string;
}

/** Thrown for options that cannot work: it names every problem with its remedy. */
export class ConfigurationError extends TelephonyHookError {
  override readonly name = 'ConfigurationError';
  declare readonly code: 'CONFIGURATION';
  /**
   * One sentence per problem: it begins with the option's path, and says what is wrong and what to do. Never the value. Only a URL
   * that lacks its scheme is shown, with the scheme.
   */
  declare readonly problems: readonly string[];
  /** The problems by option, in the same order. */
  declare readonly issues: readonly ConfigurationIssue[];

  /** @param problems - each begins with the path of its option, before a space or a colon. */
  constructor(
    problems: readonly string[],
    /** `of`: the function whose options they are. `subject`: what they are if they are no options. */
    details: {
      readonly cause?: unknown;
      readonly of?: string | undefined;
      readonly subject?: string | undefined;
    } = {},
  ) {
    const { of = 'oktaTelephonyHook', subject = `The options of ${of}` } = details;
    super('CONFIGURATION', `${subject} cannot work:\n- ${problems.join('\n- ')}`, details);
    // Not enumerable: Node would print them after the message, which has them, if the error ends the process.
    const issues = problems.map((message) => ({ option: optionIn(message), message }));
    Object.defineProperties(this, { problems: { value: problems }, issues: { value: issues } });
  }
}

/** The option that a problem begins with. `The options must be …` is about all of them. No option that works has a space or a colon. */
function optionIn(problem: string): string {
  return /^(?!The options )[^\s:]+/.exec(problem)?.[0] ?? '';
}

/** Why Okta's API gave nothing that could be used. */
export type OktaApiErrorCode =
  | 'OKTA_UNREACHABLE'
  | 'OKTA_NO_ANSWER'
  | 'OKTA_UNREADABLE'
  | 'OKTA_RATE_LIMITED'
  | 'OKTA_UNAUTHORIZED'
  | 'OKTA_FORBIDDEN'
  | 'OKTA_NOT_FOUND'
  | 'OKTA_HTTP_ERROR'
  | 'OKTA_WRONG_USER';

/** A call to Okta's API that failed. It never stops a code from being sent. */
export class OktaApiError extends TelephonyHookError {
  override readonly name = 'OktaApiError';
  declare readonly code: OktaApiErrorCode;
  /** Okta's HTTP status, where there was one. */
  readonly status: number | undefined;
  /** What the answer said of Okta's rate limit, and its `Date`; lower-case names, no other header. */
  readonly headers: Readonly<Record<string, string>> | undefined;
  /** Okta's own code, such as `E0000006`, or an OAuth error such as `invalid_scope`, if the answer had one. */
  readonly reason: string | undefined;

  constructor(
    code: OktaApiErrorCode,
    message: string,
    details: {
      cause?: unknown;
      status?: number | undefined;
      headers?: Readonly<Record<string, string>> | undefined;
      remedy?: string | undefined;
      reason?: string | undefined;
    } = {},
  ) {
    super(code, message, { cause: details.cause, remedy: details.remedy });
    this.status = details.status;
    this.headers = details.headers;
    this.reason = details.reason;
  }
}

/** Why a provider would not take a message. */
export type ProviderErrorCode =
  /** Twilio gave no answer. */
  | 'TWILIO_UNREACHABLE'
  /** Twilio does not accept the credentials. */
  | 'TWILIO_UNAUTHORIZED'
  /** What answered is not Twilio. */
  | 'TWILIO_UNREADABLE'
  /** Twilio answered with another error. */
  | 'TWILIO_HTTP_ERROR'
  /** The account has no such Verify service. */
  | 'VERIFY_SERVICE_UNKNOWN'
  /** Another provider gave no answer. */
  | 'PROVIDER_UNREACHABLE'
  /** The request left, and no complete answer came. */
  | 'PROVIDER_NO_ANSWER'
  /** What answered is not the provider, or it is down. */
  | 'PROVIDER_UNREADABLE'
  /** The provider refused, for the reason in `providerCode`. */
  | 'PROVIDER_REFUSED';

/** A provider's API that did not answer a check of `ready()` as it should. A channel of your own may throw it from `check`. */
export class ProviderError extends TelephonyHookError {
  override readonly name = 'ProviderError';
  declare readonly code: ProviderErrorCode;
  /** The provider's own code, such as Twilio's `60204`, or `HTTP_` and the status, if there was one. Providers add codes at any time. */
  readonly providerCode: string | undefined;

  constructor(
    code: ProviderErrorCode,
    message: string,
    details: {
      readonly cause?: unknown;
      readonly remedy?: string | undefined;
      readonly providerCode?: string | undefined;
    } = {},
  ) {
    super(code, message, details);
    this.providerCode = details.providerCode;
  }
}

/** The code of an error in events: the one that tables of codes list. */
export function reportedCode(error: TelephonyHookError): string {
  const providerCode = error instanceof ProviderError ? error.providerCode : undefined;
  return error.code === 'PROVIDER_REFUSED' && providerCode !== undefined ? providerCode : error.code;
}

/** What can be said of a thrown value without its message, which may quote what a user wrote or what was sent. */

/** Causes of an error may go in a circle. */
const MAX_CAUSES = 5;

/**
 * The code of an error or of its causes, where fetch hides it. The message is not used: it may quote what was
 * sent. Takes anything: a thrown value may throw when it is read.
 */
export function codeOfThrown(thrown: unknown): string {
  try {
    let error = thrown;
    for (let depth = 0; depth < MAX_CAUSES; depth += 1) {
      const { code, cause } = Object(error) as { readonly code?: unknown; readonly cause?: unknown };
      if (typeof code === 'string' && /^[A-Z][A-Z_]{2,40}$/.test(code)) return code;
      error = cause;
    }
  } catch {
    // No code can be read.
  }
  return '';
}

/** The class of an error, if it is a subclass. Only a word of a program passes, not personal data. */
function classOf(thrown: unknown): string {
  try {
    if (!(thrown instanceof Error)) return '';
    const { name, constructor } = thrown;
    const className: unknown = name === 'Error' ? constructor.name : name;
    const isName = typeof className === 'string' && /^[A-Z][A-Za-z_]{2,40}$/.test(className);
    return isName && className !== 'Error' ? ` ${className}` : '';
  } catch {
    return '';
  }
}

/** Says who threw, with the class and the code of the error if they are known: `The channel threw TypeError (ECONNRESET)`. */
export function describeThrown(who: string, thrown: unknown): string {
  const code = codeOfThrown(thrown);
  return `${who} threw${classOf(thrown)}${code === '' ? '' : ` (${code})`}`;
}
