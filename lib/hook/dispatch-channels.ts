import { NONE, type DispatchedCall, type ProfiledCall } from './call.js';
import { idsOf, reportFailure, type HookParts } from './parts.js';
import type { UserProfile } from '../core/channel.js';
import { personKey, type PlannedCode } from '../delivery/late/receipt.js';
import { readLocale } from '../texts/locale.js';
import { toDialableNumber } from '../numbers/phone-number.js';
import { planChannels, type PlanStep } from '../delivery/plan.js';
import { letSocketsBeRead } from '../core/time.js';
import { codeRequestOf } from './last-codes.js';
import type { HookCall } from '../okta/inline-hook.js';
import { REFUSALS, type HookRefusal } from '../okta/refusals.js';
import type { ProfileReading } from '../okta/user-profile.js';
import { allowedChannels, arrivalOf, enabledChannels, hasStoppedSince } from './allowed-channels.js';
import { sendCode } from './send-code.js';
import { isAllowedByGuard } from './enforce-limits.js';
import { hasNewerCode, mayStartAttempt } from './supersession.js';

/** Plans the channels, tries them one after the other, and records the delivery in the call. */
export async function dispatchChannels(call: ProfiledCall, parts: HookParts): Promise<DispatchedCall> {
  const { settings, events } = parts;
  if (call.refusal !== undefined) return Object.assign(call, { skipped: NONE, delivery: undefined });
  const { hook } = call;
  const { request } = hook;
  const profile = call.reading?.profile;
  const planned = planChannels(request, profile, {
    chooseChannels: settings.chooseChannels,
    optInAttribute: settings.optInAttribute,
    optInChannels: settings.optInChannels,
    isConfigured: (channel) => parts.channels.has(channel),
    onFailure: reportFailure('chooseChannels', request, parts),
  });
  const enabled = enabledChannels(planned, call, parts);
  const whatsAppNumber = enabled.channels.includes('whatsapp')
    ? whatsAppNumberOf(call, profile, parts)
    : request.phoneNumber;
  const allowed = await allowedChannels(enabled, whatsAppNumber, call, parts);
  if (events.hasStepListeners) {
    events.emit({
      type: 'channels.planned',
      ...idsOf(request),
      // Copies, so that a listener cannot change the plan.
      channels: [...allowed.channels],
      skipped: [...allowed.skipped],
    });
  }
  const plan = allowed.channels.flatMap((channel) => {
    const to = channel === 'whatsapp' ? whatsAppNumber : request.phoneNumber;
    const providers = parts.channels.get(channel) ?? [];
    return providers.map((_, provider): PlanStep => ({ channel, provider, to }));
  });
  const isSuppressed = ({ channel, to }: PlanStep): boolean =>
    hasStoppedSince(channel, to, arrivalOf(call), parts);
  // Without a profile from Okta nothing came over the network: a process that was stopped may not have seen yet
  // that Okta hung up.
  if (call.reading?.source !== 'okta') await letSocketsBeRead();
  const code: PlannedCode = {
    request,
    profile,
    expiresAtMs: call.expiresAtMs,
    locale: localeOf(hook, call.reading),
    person: call.event?.person ?? personKey(request),
    eventKey: request.eventId,
    untried: plan,
    attempts: NONE,
    failedIds: NONE,
    asked: codeRequestOf(call, parts),
  };
  const isStillWanted = (attempts: number): boolean | Promise<boolean> =>
    mayStartAttempt(call, attempts, parts);
  const send = { code, request, budget: call.budget, isStillWanted, isSuppressed };
  // Without an event, a newer code has passed the guard already: this one is not sent late.
  const delivery = await sendCode(send, { mayFailOver: call.event !== undefined }, parts);
  // Recorded at once: if anything fails from here on, the code still counts as sent.
  const dispatched: DispatchedCall = Object.assign(call, { skipped: allowed.skipped, delivery });
  if (delivery.status !== 'refused') {
    if (call.running !== undefined) parts.runningCalls.sent(call.running);
  } else if (await hasNewerCode(call, parts)) {
    // Any other refusal would let Okta send this code after the newer one.
    call.refusal = REFUSALS.SUPERSEDED;
  } else if (delivery.decidedBy === undefined) {
    // STOP may have come before the plan was made, or since.
    const isStopped = enabled.channels.length > 0 && plan.every(isSuppressed);
    call.refusal = refusalWithoutAttempt(planned, plan, isStopped);
  }
  return dispatched;
}

function localeOf({ request }: HookCall, reading: ProfileReading | undefined): string {
  const { profile } = reading ?? {};
  return (
    request.locale ?? readLocale(profile?.['preferredLanguage']) ?? readLocale(profile?.['locale']) ?? 'en'
  );
}

/**
 * The enrolled number; at sign-in the profile's, if `unverifiedPhoneAttribute` names it and the guard allows
 * it.
 */
function whatsAppNumberOf(call: ProfiledCall, profile: UserProfile | undefined, parts: HookParts): string {
  const { requestType, phoneNumber } = call.hook.request;
  const { unverifiedPhoneAttribute } = parts.settings;
  if (unverifiedPhoneAttribute === undefined || requestType?.endsWith('.mfa-verification') !== true)
    return phoneNumber;
  const value = profile?.[unverifiedPhoneAttribute];
  return typeof value === 'string' ? numberOfProfile(value, call, parts) : phoneNumber;
}

function numberOfProfile(value: string, call: ProfiledCall, parts: HookParts): string {
  const enrolled = call.hook.request.phoneNumber;
  const number = toDialableNumber(value, parts.settings.defaultCountry);
  if (number === undefined || number === enrolled) return enrolled;
  return isAllowedByGuard(number, call, parts) ? number : enrolled;
}

function refusalWithoutAttempt(
  planned: readonly string[],
  plan: readonly PlanStep[],
  isStopped: boolean,
): HookRefusal {
  if (planned.length === 0) return REFUSALS.CHANNEL_NOT_CONFIGURED;
  if (isStopped) return REFUSALS.STOPPED;
  return plan.length === 0 ? REFUSALS.ROLLED_BACK : REFUSALS.DEADLINE;
}
