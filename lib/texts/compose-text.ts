import type { Budget } from '../core/budget.js';
import { MAX_TEXT_LENGTH } from './text-template.js';
import { TIMED_OUT } from '../core/time.js';
import type { TelephonyRequest, UserProfile } from '../core/channel.js';
import type { ComposeText } from '../core/option-types.js';

/**
 * The share of the budget for `composeText`: at most so many milliseconds, and a fraction of the remaining
 * time.
 */
const COMPOSE_SHARE = { maxMs: 300, fraction: 0.25 } as const;

/**
 * Okta's own text. Falls back to a plain sentence if the text is missing, too long or without the code, as
 * from an edited preview in the Admin Console.
 */
export function oktaText(request: TelephonyRequest): string {
  const { msgTemplate, otpCode } = request;
  if (msgTemplate !== undefined && isSendable(msgTemplate, otpCode)) return msgTemplate;
  return `Your verification code is ${otpCode}`;
}

/**
 * The text of `composeText` for one channel, or `otherwise` if it fails, is late or returns a text that cannot
 * be sent. Never rejects.
 */
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
    // After its share of the deadline is over, a failure of composeText must not become an unhandled
    // rejection.
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
