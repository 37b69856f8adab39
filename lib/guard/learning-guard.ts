import type { BlockList } from 'node:net';
import { VOICE, type TelephonyRequest } from '../core/channel.js';
import type { EventStream } from '../core/event-stream.js';
import { hasReportedUse } from '../core/request-types.js';
import { newToken } from '../core/token.js';
import type {
  LearnedCode,
  LearnedSummary,
  LearningState,
  LearnRule,
  LearnShare,
  LearnVerdict,
} from '../delivery/learning.js';
import type { SentCode } from '../delivery/records.js';
import { recipientOf } from '../numbers/phone-number.js';
import { isListed, networkOf } from './addresses.js';
import { DAY_MS, HOUR_MS } from './learning.js';

/** The guard that learns, as a hook uses it: what it counts of a call, what it reports, and what it shows. */

export interface LearnSettings {
  readonly mode: 'record' | 'enforce';
  readonly ratio: number;
  readonly warmUpDays: number;
  readonly allow: { readonly countries: ReadonlySet<string>; readonly ips: BlockList };
}

/** The channels that cost money for each code, and that attackers earn from. */
const PAID: ReadonlySet<string> = new Set(['sms', VOICE]);

export function isPaidChannel(channel: string): boolean {
  return PAID.has(channel);
}

const NO_COUNTRY = 'none';

const CHECK_EVENT_HOOK =
  'See in Okta that the event hook is active and subscribes to user.authentication.auth_via_mfa and user.mfa.factor.activate (okta-telephony-hook doctor does it), and look for caller.rejected. If the event hook works, see whether codes arrive.';

/** A code that was counted, and what the guard says of it. */
export interface LearnedCall {
  readonly code: LearnedCode;
  readonly verdict: LearnVerdict;
}

/** What the metrics and the console show. */
export interface LearnStatus {
  readonly isBlind: boolean;
  /** By rule and country: 1 is the limit. */
  readonly levels: readonly { readonly rule: LearnRule; readonly country: string; readonly level: number }[];
}

/** What the console shows. */
export interface LearnOverview extends Pick<LearnedSummary, 'isBlind' | 'countries'> {
  readonly mode: LearnSettings['mode'];
  /** `enforce` blocks nothing before then; `undefined` if it blocks. Milliseconds since 1970. */
  readonly warmUpUntilMs: number | undefined;
}

export class LearningGuard {
  readonly #settings: LearnSettings;
  readonly #state: LearningState;
  readonly #events: EventStream;
  readonly #clock: () => number;
  /** When this process learned that the guard is blind. */
  #blindSinceMs: number | undefined;
  /** Two for each country, as this process saw them last. */
  readonly #shares = new Map<string, LearnShare & { readonly atMs: number }>();

  constructor(
    settings: LearnSettings,
    { state, events, clock }: { state: LearningState; events: EventStream; clock: () => number },
  ) {
    this.#settings = settings;
    this.#state = state;
    this.#events = events;
    this.#clock = clock;
  }

  /** Counts a code and judges it. Never rejects. */
  async count(
    { requestType = '', phoneNumber, ipAddress }: TelephonyRequest,
    of: { readonly person: string; readonly country: string | undefined; readonly waitMs: number },
  ): Promise<LearnedCall> {
    const { mode, ratio, warmUpDays, allow } = this.#settings;
    const { person, country = NO_COUNTRY, waitMs } = of;
    const code: LearnedCode = {
      token: newToken(),
      person,
      ...placesOf(phoneNumber, country),
      network: ipAddress === undefined ? '' : networkOf(ipAddress),
      isCounted: hasReportedUse(requestType),
      isAllowed: allow.countries.has(country) || (ipAddress !== undefined && isListed(ipAddress, allow.ips)),
      ratio,
      isEnforced: mode === 'enforce',
      warmUpMs: warmUpDays * DAY_MS,
      nowMs: this.#clock(),
    };
    const verdict = await this.#state.count(code, waitMs);
    this.#note(verdict);
    return { code, verdict };
  }

  /** The code did not leave by a paid channel. */
  giveBack({ code, verdict }: LearnedCall): void {
    if (verdict.hasCounted) this.#state.giveBack(code);
  }

  /** The use of a code was reported. */
  use({ to, channel, codeRequest: { country = NO_COUNTRY, network = '' }, eventId }: SentCode): void {
    const use = {
      // The same use has the same token: a user has one code at a time.
      token: eventId,
      ...placesOf(to, country),
      network,
      ratio: this.#settings.ratio,
      nowMs: this.#clock(),
      isPaid: isPaidChannel(channel),
    };
    void this.#state.use(use).then(() => {
      this.#noteBlindness(false);
    });
  }

  /** For the console; `undefined` if the state cannot say now. */
  async list(): Promise<LearnOverview | undefined> {
    const { mode, ratio, warmUpDays } = this.#settings;
    const nowMs = this.#clock();
    const summary = await this.#state.list({ ratio, nowMs });
    if (summary === undefined) return undefined;
    const { isBlind, countries, beganAtMs = nowMs } = summary;
    const warmUpUntilMs = beganAtMs + warmUpDays * DAY_MS;
    const isWarmingUp = mode === 'enforce' && warmUpUntilMs > nowMs;
    return { mode, isBlind, countries, warmUpUntilMs: isWarmingUp ? warmUpUntilMs : undefined };
  }

  /**
   * For the console: lifts the blocks of a country, its prefixes included, for an hour. Resolves to `false` if the state cannot do it now.
   *
   * @param liftedBy - the administrator's name.
   */
  async lift(country: string, liftedBy: string | undefined): Promise<boolean> {
    const nowMs = this.#clock();
    const isLifted = await this.#state.lift(country, nowMs + HOUR_MS, { ratio: this.#settings.ratio, nowMs });
    if (isLifted) this.#events.emit({ type: 'guard.lifted', country, liftedBy });
    return isLifted;
  }

  status(): LearnStatus {
    const nowMs = this.#clock();
    const levels = Array.from(this.#shares.values(), ({ rule, country, hour, day, atMs }) => {
      const sinceMs = Math.max(0, nowMs - atMs);
      return { rule, country, level: Math.max(0, hour - sinceMs / HOUR_MS, day - sinceMs / DAY_MS) };
    });
    return { isBlind: this.#blindSinceMs !== undefined, levels };
  }

  #note({ isBlind, shares }: LearnVerdict): void {
    this.#noteBlindness(isBlind);
    const atMs = this.#clock();
    for (const share of shares) this.#shares.set(`${share.rule} ${share.country}`, { ...share, atMs });
  }

  #noteBlindness(isBlind: boolean): void {
    if (isBlind === (this.#blindSinceMs !== undefined)) return;
    if (isBlind) {
      this.#events.emit({ type: 'guard.blind', remedy: CHECK_EVENT_HOOK });
      this.#blindSinceMs = this.#clock();
      return;
    }
    const blindMs = Math.max(0, this.#clock() - (this.#blindSinceMs ?? 0));
    this.#blindSinceMs = undefined;
    this.#events.emit({ type: 'guard.recovered', blindMs });
  }
}

/** What is counted of a number. A prefix is a number without its last four digits. */
function placesOf(phoneNumber: string, country: string): Pick<LearnedCode, 'number' | 'prefix' | 'country'> {
  const number = recipientOf(phoneNumber);
  return { number, prefix: number.slice(0, -4), country };
}
