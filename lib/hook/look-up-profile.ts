import { endOfTurn } from '../core/time.js';
import { idsOf, type HookParts, type ReadCall } from './call.js';

/** Reads the user's profile. The call goes on without it if Okta does not answer in time. */
export async function lookUpProfile(
  call: ReadCall,
  { settings, events, profiles, state }: HookParts,
): Promise<void> {
  // Redis answers the claims of one turn together, so their calls go on together. On memory state they do here, which saves CPU time
  // as `answerOkta` says. Later than the guard, because the call supersedes older codes from there on.
  if (!state.isShared) await endOfTurn();
  const { budget, hook } = call;
  const { userId, login } = hook.request;
  const startedAt = budget.elapsedMs();
  const waitMs = budget.share(settings.profile.timeoutMs, 0.5);
  const { profile, ...found } = await profiles.read({ userId, login }, waitMs);
  const durationMs = Math.round(budget.elapsedMs() - startedAt);
  if (events.hasStepListeners) {
    events.emit({ type: 'profile.read', ...idsOf(hook.request), ...found, durationMs });
  }
  call.reading = { profile, ...found, durationMs };
}
