import { EXTENSION_REMEDIES, type Extension } from '../core/extensions.js';
import { maskError } from '../core/masking.js';
import type { KeptRequest } from '../delivery/late/receipt.js';
import type { CallIds } from '../delivery/send-context.js';
import type { HookParts } from './parts.js';

/**
 * Reports failures of the user's functions and channels and of the state, each at most once a minute. What fails does not stop the
 * call.
 */

type ReportParts = Pick<HookParts, 'events'>;

/** The call in which something failed, as far as it is known. */
type FailedCall = Partial<CallIds> | undefined;

/**
 * Reports a failure of the user's function or channel.
 *
 * @param request - of the call in which it failed; `undefined` outside of a call.
 */
export function reportFailure(
  extension: Extension,
  error: unknown,
  request: KeptRequest | undefined,
  parts: ReportParts,
  inForce?: { readonly percentages: Readonly<Record<string, number>> },
): void {
  emitFailed(extension, request, { reason: maskError(error, request), ...inForce }, parts);
}

/** Reports a failure of the state: in a call, for a message of an earlier call, or outside of any. */
export function reportStateFailure(
  error: unknown,
  request: KeptRequest | undefined,
  call: FailedCall,
  parts: ReportParts,
): void {
  emitFailed('state', call, { reason: maskError(error, request) }, parts);
}

/** Reports a channel that gave a malformed outcome or made a wrong request: for each channel once a minute. */
export function reportMistake(channel: string, mistake: string, call: FailedCall, parts: ReportParts): void {
  emitFailed('channel', call, { reason: `${channel}: ${mistake}` }, parts, `channel ${channel}`);
}

function emitFailed(
  extension: Extension,
  call: FailedCall,
  details: { readonly reason: string; readonly percentages?: Readonly<Record<string, number>> },
  { events }: ReportParts,
  /** What is reported once a minute. */
  subject: string = extension,
): void {
  const { reason, percentages } = details;
  events.emitCounted(`failed ${subject}`, (count, isLater) => {
    // An event that comes later is about many calls: it is no step of one, and other percentages may be in force by then.
    const of = isLater ? undefined : call;
    return {
      type: 'extension.failed',
      eventId: of?.eventId,
      oktaRequestId: of?.oktaRequestId,
      userId: of?.userId,
      extension,
      remedy: EXTENSION_REMEDIES[extension],
      count,
      reason,
      percentages: isLater ? undefined : percentages,
    };
  });
}
