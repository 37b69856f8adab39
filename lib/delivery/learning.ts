/** The port of the part of a state that counts sent and used codes, for the guard that learns. Types only. */

/** The rules of the guard that learns. */
export type LearnRule = 'learn.country' | 'learn.prefix' | 'learn.ip';

/** A code that is about to be sent. */
export interface LearnedCode {
  /** Of this call alone: the same code counts once, however often its count is sent. */
  readonly token: string;
  /** As `personKey` makes it. */
  readonly person: string;
  /** The number in its canonical form, and without its last four digits. */
  readonly number: string;
  readonly prefix: string;
  /** ISO 3166, or `none`. */
  readonly country: string;
  /** An IPv4 address, or the first 64 bits of an IPv6 address; empty if Okta sent none. */
  readonly network: string;
  /** `false` if Okta reports no use of such a code: it is blocked with the others, but it does not count. */
  readonly isCounted: boolean;
  /** Whether `guard.learn.allow` lets it pass. */
  readonly isAllowed: boolean;
  readonly ratio: number;
  readonly isEnforced: boolean;
  readonly warmUpMs: number;
  /** By the hook's clock, milliseconds since 1970. */
  readonly nowMs: number;
}

/** A rule that blocks a code, with its limit. */
export interface LearnBlock {
  readonly rule: LearnRule;
  /** How many codes the rule counts now. */
  readonly level: number;
  /** How many it allows. */
  readonly points: number;
  /** The time in which the level drains. */
  readonly seconds: number;
}

/** How full the levels of a rule are: 1 is the limit. */
export interface LearnShare {
  readonly rule: LearnRule;
  readonly country: string;
  readonly hour: number;
  readonly day: number;
}

/** What the guard knows of a code. */
export interface LearnVerdict {
  /** Whether the code is in a count, its own or that of the code before it. `giveBack` takes it out. */
  readonly hasCounted: boolean;
  /** Whether a code was used with its number before. */
  readonly isKnown: boolean;
  /** The rules that block paid channels. */
  readonly blocks: readonly LearnBlock[];
  /** Whether blocks count: the mode is `enforce`, and the warm-up is over. */
  readonly isActing: boolean;
  /** No codes are reported as used: nothing is blocked. */
  readonly isBlind: boolean;
  readonly beganAtMs: number;
  readonly shares: readonly LearnShare[];
}

/** A code whose use was reported. */
export interface LearnedUse extends Pick<
  LearnedCode,
  'token' | 'number' | 'prefix' | 'country' | 'network' | 'ratio' | 'nowMs'
> {
  /** Whether it went by a paid channel. */
  readonly isPaid: boolean;
}

/** What is known of a country, for the console. */
export interface LearnedCountry extends LearnShare {
  /** Codes of the last 24 hours by paid channels. */
  readonly sent: number;
  readonly used: number;
  readonly dayLimit: number;
  readonly hourLimit: number;
  /** Until when the country is blocked; `undefined` if it is not. Milliseconds since 1970. */
  readonly blockedUntilMs: number | undefined;
  /** Until when a prefix in it is blocked, or a network that requested codes to it. */
  readonly partBlockedUntilMs: number | undefined;
  /** Until when an administrator has lifted its blocks. */
  readonly liftedUntilMs: number | undefined;
}

/** What is known of all codes, for the console. */
export interface LearnedSummary {
  /** No codes are reported as used: nothing is blocked. */
  readonly isBlind: boolean;
  /** When learning began; `undefined` before the first code. Milliseconds since 1970. */
  readonly beganAtMs: number | undefined;
  /** The countries with codes. */
  readonly countries: readonly LearnedCountry[];
}

export interface LearningState {
  /** Counts a code and judges it, in one step. Waits at most `waitMs`. Never rejects. */
  count(code: LearnedCode, waitMs: number): LearnVerdict | Promise<LearnVerdict>;
  /** The code did not leave by a paid channel. Harmless twice. No call waits for it. */
  giveBack(code: LearnedCode): void;
  /** Notes a use. Harmless twice. Resolves when it is noted. Never rejects. */
  use(use: LearnedUse): Promise<void>;
  /** What is known now; `undefined` if the state cannot say. */
  list(at: Pick<LearnedCode, 'ratio' | 'nowMs'>): Promise<LearnedSummary | undefined>;
  /** Lifts the blocks of a country, its prefixes included, until then. Resolves to `false` if the state cannot do it now. */
  lift(country: string, untilMs: number, at: Pick<LearnedCode, 'ratio' | 'nowMs'>): Promise<boolean>;
}
