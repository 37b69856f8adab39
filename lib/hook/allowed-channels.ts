import type { OpenCall, ProfiledCall } from './call.js';
import { reportFailure, type HookParts } from './parts.js';
import { withinRollout } from '../delivery/rollout.js';
import type { PlanStep } from '../delivery/plan.js';
import {
  skipSuppressed,
  suppressionFor,
  type FilteredChannels,
  type Suppression,
} from '../delivery/suppressions.js';

/** Filters the planned channels: by the rollout, and by what the recipient has stopped. */

/** The planned channels that the rollout enables for the user. */
export function enabledChannels(
  planned: readonly string[],
  call: ProfiledCall,
  parts: HookParts,
): FilteredChannels {
  const { request } = call.hook;
  const channels = withinRollout(planned, request, parts.rollout(reportFailure('rollout', request, parts)));
  const skipped =
    channels.length === planned.length
      ? []
      : planned
          .filter((channel) => !channels.includes(channel))
          .map((channel) => ({ channel, reason: 'ROLLED_BACK' }) as const);
  return { channels, skipped };
}

/** The enabled channels that are not suppressed for the recipient. A voice call is never suppressed: the user requested it. */
export async function allowedChannels(
  { channels, skipped }: FilteredChannels,
  whatsAppNumber: string,
  call: ProfiledCall,
  parts: HookParts,
): Promise<FilteredChannels> {
  const { deliveryChannel, phoneNumber } = call.hook.request;
  if (deliveryChannel !== 'sms') return { channels, skipped };
  const { suppressions, state } = parts;
  const isKnown = call.suppressions !== undefined || !state.isShared;
  if (isKnown && whatsAppNumber === phoneNumber) {
    const known = suppressions.of(phoneNumber, call.suppressions, arrivalOf(call));
    // Fast path: nothing is suppressed.
    return known.length === 0 ? { channels, skipped } : allowedAmong({ channels, skipped }, known, known);
  }
  const [enrolled, ofWhatsApp] = await readSuppressions(whatsAppNumber, call, parts);
  return allowedAmong({ channels, skipped }, enrolled, ofWhatsApp);
}

function allowedAmong(
  { channels, skipped }: FilteredChannels,
  enrolled: readonly Suppression[],
  ofWhatsApp: readonly Suppression[],
): FilteredChannels {
  const allowed = skipSuppressed(channels, (channel) =>
    suppressionFor(channel === 'whatsapp' ? ofWhatsApp : enrolled, channel),
  );
  return { channels: allowed.channels, skipped: [...skipped, ...allowed.skipped] };
}

/** Reads suppressions that the claim did not read: of another WhatsApp number, or because the state failed then. */
async function readSuppressions(
  whatsAppNumber: string,
  call: ProfiledCall,
  parts: HookParts,
): Promise<readonly [enrolled: readonly Suppression[], ofWhatsApp: readonly Suppression[]]> {
  const { suppressions } = parts;
  const { phoneNumber } = call.hook.request;
  const sinceMs = arrivalOf(call);
  const ofEnrolled =
    call.suppressions === undefined
      ? suppressions.askFor(phoneNumber, sinceMs)
      : suppressions.of(phoneNumber, call.suppressions, sinceMs);
  return Promise.all([
    ofEnrolled,
    whatsAppNumber === phoneNumber ? ofEnrolled : suppressions.askFor(whatsAppNumber, sinceMs),
  ]);
}

/** The steps of an earlier plan that are still not suppressed. */
export async function allowedSteps(
  steps: readonly PlanStep[],
  { suppressions }: HookParts,
): Promise<readonly PlanStep[]> {
  const nowMs = performance.now();
  const numbers = [...new Set(steps.map(({ to }) => to))];
  const known = new Map(
    await Promise.all(numbers.map(async (to) => [to, await suppressions.askFor(to, nowMs)] as const)),
  );
  const suppressionOf = (channel: string): Suppression | undefined =>
    steps
      .filter((step) => step.channel === channel)
      .map(({ to }) => suppressionFor(known.get(to) ?? NONE, channel))
      .find((suppression) => suppression !== undefined);
  const allowed = skipSuppressed([...new Set(steps.map(({ channel }) => channel))], suppressionOf);
  return steps.filter(({ channel }) => allowed.channels.includes(channel));
}

/** Whether this gateway has received a STOP for a channel since a time of its monotonic clock. */
export function hasStoppedSince(
  channel: string,
  phoneNumber: string,
  sinceMs: number,
  { suppressions }: Pick<HookParts, 'suppressions'>,
): boolean {
  return suppressionFor(suppressions.of(phoneNumber, NONE, sinceMs), channel)?.reason === 'STOPPED';
}

const NONE: readonly Suppression[] = [];

/** When a call came in, by the monotonic clock of this process. The wall clock may jump during the call. */
export function arrivalOf({ budget }: Pick<OpenCall, 'budget'>): number {
  return performance.now() - budget.elapsedMs();
}
