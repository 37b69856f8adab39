import type { Budget } from '../core/budget.js';
import { MAX_TEXT_LENGTH } from './text-template.js';
import { TIMED_OUT } from '../core/wait-at-most.js';
import type { TelephonyRequest, UserProfile } from '../core/channel.js';

/**
 * The user's own words for free-text channels. What it returns must hold the code and have at most 1600
 * characters; otherwise, or when it fails or is late, the text of the options is sent, or Okta's.
 */
export type ComposeText = (
  request: TelephonyRequest,
  profile: UserProfile | undefined,
  channel: string,
) => string | Promise<string>;

/** What `composeText` may take of the budget: milliseconds at most, and a fraction of what is left. */
const COMPOSE_SHARE = { maxMs: 300, fraction: 0.25 } as const;

/** Okta's text; a plain sentence where it is missing, too long, or does not hold the code (an edited preview). */
export function oktaText(request: TelephonyRequest): string {
  const { msgTemplate, otpCode } = request;
  if (msgTemplate !== undefined && isSendable(msgTemplate, otpCode)) return msgTemplate;
  return `Your verification code is ${otpCode}`;
}

/** The text for one channel: the user's if it can be sent, else the other one. */
export async function textFor(
  channel: string,
  request: TelephonyRequest,
  profile: UserProfile | undefined,
  parts: {
    readonly composeText: ComposeText;
    readonly budget: Budget;
    readonly otherwise: string;
    readonly onFailure: (error: unknown) => void;
  },
): Promise<string> {
  try {
    const { maxMs, fraction } = COMPOSE_SHARE;
    const work = Promise.resolve(parts.composeText(request, profile, channel));
    // Its failure after its share is over is nobody's any more.
    work.catch(() => undefined);
    const text: unknown = await parts.budget.within(work, parts.budget.share(maxMs, fraction));
    if (typeof text === 'string' && isSendable(text, request.otpCode)) return text;
    const why = text === TIMED_OUT ? 'too slow' : 'no text with the code and of a length that can be sent';
    parts.onFailure(new TypeError(why));
  } catch (error) {
    parts.onFailure(error);
  }
  return parts.otherwise;
}

function isSendable(text: string, otpCode: string): boolean {
  return text.length <= MAX_TEXT_LENGTH && text.includes(otpCode);
}
