import type { Extension } from '../core/extensions.js';
import { maskError } from '../core/masking.js';
import type { KeptRequest } from '../delivery/late/receipt.js';
import type { HookParts } from './parts.js';

/**
 * Reports a failure of the user's function or channel, at most once a minute. The call goes on without it.
 *
 * @param request - of the call in which it failed; `undefined` outside of a call.
 */
export function reportFailure(
  extension: Extension,
  error: unknown,
  request: KeptRequest | undefined,
  { events }: Pick<HookParts, 'events'>,
  inForce?: { readonly percentages: Readonly<Record<string, number>> },
): void {
  events.emitFailed({ extension, reason: maskError(error, request), call: request, ...inForce });
}
