import { LIFT_STOP } from '../events/describe-answer.js';
import type { GuardBlock } from '../guard/limits.js';

/** The hook's own reasons for sending nothing. Providers' refusals are in `lib/channels`. */

/** A refusal by the hook or its guard. */
export interface HookRefusal {
  readonly code: keyof typeof REASONS | GuardBlock['code'];
  readonly reason: string;
  /** What an operator can do. */
  readonly remedy: string;
  /** The code was held back on purpose: by the guard, or because the user has a newer one. */
  readonly isBlock?: boolean | undefined;
  /** Okta must not send the code either, so the answer is `PENDING`: after an error, Okta sends the code itself. */
  readonly isPending?: boolean | undefined;
}

const REASONS = {
  NO_DIALABLE_NUMBER: {
    code: 'NO_DIALABLE_NUMBER',
    reason: 'The number is not in E.164 form, and no default country makes it so',
    remedy:
      'Enroll the phone again with its whole number. In a preview, replace the placeholder with a real number. If Okta has numbers without +, set defaultCountry.',
  },
  CODE_EXPIRED: {
    code: 'CODE_EXPIRED',
    reason: 'The code had ended before the request came',
    remedy: "Check the gateway's clock, and whether something delays Okta's requests.",
  },
  CHANNEL_NOT_CONFIGURED: {
    code: 'CHANNEL_NOT_CONFIGURED',
    reason: 'No sender is configured for the channel that Okta requested',
    remedy: 'Add senders.sms or senders.voice, or a channel of that name.',
  },
  ROLLED_BACK: {
    code: 'ROLLED_BACK',
    reason: 'The rollout leaves this user no channel',
    remedy: 'Raise rollout for the channel that Okta requested, or leave the code to Okta.',
  },
  STOPPED: {
    code: 'STOPPED',
    reason: 'The user has said STOP to every channel that is left',
    remedy: `${LIFT_STOP} Or configure another channel.`,
  },
  DEADLINE: {
    code: 'DEADLINE',
    reason: 'The time was over before anything could be sent',
    remedy: 'Check what took the time: profileMs, your functions, or a busy process.',
  },
  // After an error, Okta would send the older code itself, after the newer one.
  SUPERSEDED: {
    code: 'SUPERSEDED',
    reason: 'A newer code came before this one could be sent',
    remedy: 'Nothing: the user has a newer code.',
    isBlock: true,
    isPending: true,
  },
} as const;

/** As `NO_DIALABLE_NUMBER`, for a number with `+` or `00`, to which no default country applies. */
export const NO_INTERNATIONAL_NUMBER: HookRefusal = {
  ...REASONS.NO_DIALABLE_NUMBER,
  reason: 'After + or 00, the number does not have 7 to 15 digits that begin with a country code',
};

/** The hook's own refusals by code. The guard has its own. */
export const REFUSALS: Readonly<Record<keyof typeof REASONS, HookRefusal>> = REASONS;
