import type { TelephonyRequest, UserProfile } from './channel.js';

/** Types of options that folders below `options/` read. `options/options.ts` has the others. */

/** Chooses the channels of a text, in order of preference. `sms` follows if it is not named. */
export type ChooseChannels = (
  request: TelephonyRequest,
  profile: UserProfile | undefined,
) => readonly string[];

/**
 * The rollout of each channel: percentage of users, 0 to 100. A channel that is not named, or is `undefined`,
 * is on for all users. A function must not return `undefined` for a channel: a flag that is gone must not turn
 * it on.
 */
export type Rollout = Readonly<Record<string, number | undefined>>;

/**
 * A custom function that words free-text messages. Its result must contain the code and have at most 1600
 * characters. If it does not, or if the function fails or is late, the hook sends the text of the options, or
 * else Okta's.
 */
export type ComposeText = (
  request: TelephonyRequest,
  profile: UserProfile | undefined,
  channel: string,
) => string | Promise<string>;

declare const brand: unique symbol;

/** The hook's connection to Twilio, for the `twilio…` functions. Its members are internal. */
export interface TwilioConnection {
  /** @internal */
  readonly [brand]?: undefined;
}

/** What a function of `guard.assess` has beside the request. */
export interface AssessContext {
  /** Aborts when the hook does not wait any longer: after 300 ms, or half of the time that is left. */
  readonly signal: AbortSignal;
  /** Twilio with the credentials of the hook, for `twilioLookup`; `undefined` without `credentials.twilio`. */
  readonly twilio: TwilioConnection | undefined;
}

/** What a function of `guard.assess` decides. */
export interface Assessment {
  /** `true`: the code is not sent. */
  readonly block: boolean;
  /** Why, for the log. The hook masks personal data in it. Default: none. */
  readonly reason?: string | undefined;
}

/**
 * A check of your own before a code is sent. `undefined` lets the code pass. So does a function that throws, takes over 300 ms,
 * or returns anything else than an `Assessment`.
 */
export type Assess = (
  request: TelephonyRequest,
  context: AssessContext,
) => Assessment | undefined | Promise<Assessment | undefined>;

/** Texts by BCP-47 tag; `default` serves every other language. */
export type TextsByLocale = Readonly<Record<string, string | undefined>>;

/**
 * Texts by request type: `mfa-verification`, `pre-enrollment`, `account-unlock`, `password-reset` or the last
 * part of any other request type, or a full request type. `default` serves every other type.
 */
export type TextsByRequestType = Readonly<Record<string, TextsByLocale | undefined>>;

/** Texts that replace Okta's. Each must contain `{code}` and may contain `{minutes}` and `{firstName}`. */
export interface TextsOptions {
  /** Texts for channels that send free text. Default: Okta's text. */
  readonly sms?: TextsByLocale | TextsByRequestType | undefined;
  /** Texts that calls speak, twice. Default: a sentence in one of ten languages. */
  readonly voice?: TextsByLocale | TextsByRequestType | undefined;
  /**
   * The host of the page where users type in the code, such as `login.acme.com`. Every SMS then ends with the
   * line `@login.acme.com #123456`, and browsers fill in the code on that site only. Default: no such line.
   */
  readonly webOtpDomain?: string | undefined;
}
