import { NONE, type DispatchedCall, type ProfiledCall } from './call.js';
import { idsOf, tellFailed, type HookParts } from './parts.js';
import type { UserProfile } from '../core/channel.js';
import type { ReadyChannel } from '../delivery/dispatch.js';
import { readLocale } from '../texts/locale.js';
import { toDialableNumber } from '../numbers/phone-number.js';
import { planChannels } from '../delivery/plan.js';
import { NEW_CALL_MS } from '../delivery/running-calls.js';
import { socketsRead } from '../core/wait-at-most.js';
import { codeRequestOf } from './last-codes.js';
import type { HookCall } from '../okta/inline-hook.js';
import { REFUSALS, type Refusal } from '../okta/refusals.js';
import type { ProfileReading } from '../okta/user-profile.js';
import { allowedChannels, arrivalOf, enabledChannels, hasStoppedSince } from './allowed-channels.js';
import { sendCode } from './send-code.js';
import { isAllowedByGuard } from './enforce-limits.js';

/** Plans the channels, tries them one after the other, and records the delivery in the call. */
export async function dispatchChannels(call: ProfiledCall, parts: HookParts): Promise<DispatchedCall> {
  const { settings, events } = parts;
  if (call.refusal !== undefined) return Object.assign(call, { passedOver: NONE, delivery: undefined });
  const { hook } = call;
  const { request } = hook;
  const profile = call.reading?.profile;
  const planned = planChannels(request, profile, {
    chooseChannels: settings.chooseChannels,
    optInAttribute: settings.optInAttribute,
    optInChannels: settings.optInChannels,
    isConfigured: (channel) => parts.channels.has(channel),
    onFailure: tellFailed('chooseChannels', request, parts),
  });
  const enabled = enabledChannels(planned, call, parts);
  const whatsAppNumber = enabled.channels.includes('whatsapp')
    ? whatsAppNumberOf(call, profile, parts)
    : request.phoneNumber;
  const addressFor = (channel: string): string =>
    channel === 'whatsapp' ? whatsAppNumber : request.phoneNumber;
  const allowed = await allowedChannels(enabled, whatsAppNumber, call, parts);
  if (events.hasStepListeners) {
    events.emit({
      type: 'channels.planned',
      at: events.now(),
      ...idsOf(request),
      // Copies, because listeners may change what they get.
      channels: [...allowed.channels],
      passedOver: [...allowed.passedOver],
    });
  }
  const hasStopped = (channel: string): boolean =>
    hasStoppedSince(channel, addressFor(channel), arrivalOf(call), parts);
  const plan: ReadyChannel[] = [];
  for (const name of allowed.channels) plan.push(...(parts.channels.get(name) ?? []));
  // If nothing was read from the network since, a process that was suspended may not have noticed yet that Okta hung up.
  if (call.reading?.source !== 'okta') await socketsRead();
  const delivery = await sendCode(
    plan,
    {
      request,
      profile,
      locale: localeOf(hook, call.reading),
      addressFor,
      budget: call.budget,
      event: call.event,
      isSuppressed: hasStopped,
      asked: codeRequestOf(call, parts),
      isStillWanted: (attempts) => mayStart(call, attempts, parts),
    },
    parts,
  );
  // Recorded at once: if anything fails from here on, the code stays sent.
  const dispatched: DispatchedCall = Object.assign(call, { passedOver: allowed.passedOver, delivery });
  if (delivery.status !== 'refused') {
    if (call.running !== undefined) parts.runningCalls.sent(call.running);
  } else if (await isOvertaken(call, parts)) {
    // Otherwise Okta would send this code after the newer one.
    call.refusal = REFUSALS.OVERTAKEN;
  } else if (delivery.decidedBy === undefined) {
    // The STOP may have come before the plan was made, or since.
    const isStopped = enabled.channels.length > 0 && allowed.channels.every(hasStopped);
    call.refusal = refusalWithoutAttempt(planned, plan, isStopped);
  }
  return dispatched;
}

/** Whether a call may start an attempt. It must not if a newer code of its user may arrive first. */
function mayStart(call: ProfiledCall, attempts: number, parts: HookParts): boolean | Promise<boolean> {
  const { running, budget } = call;
  if (running === undefined) return true;
  const isFirst = attempts === 0;
  const start = (): boolean => {
    call.isOvertaken = isFirst ? running.newer === 'ahead' : running.newer !== 'none';
    return !call.isOvertaken;
  };
  if (isFirst && budget.elapsedMs() <= NEW_CALL_MS) return start();
  return isOvertakenElsewhere(call, parts).then((isOvertaken) => !isOvertaken && start());
}

/** Whether a newer code of the same user is on its way, here or elsewhere. */
async function isOvertaken(call: ProfiledCall, parts: HookParts): Promise<boolean> {
  if (call.isOvertaken || call.running?.newer === 'ahead') return true;
  return isOvertakenElsewhere(call, parts);
}

/** Whether a newer code of the same user has passed the guard at a gateway that shares the state. */
async function isOvertakenElsewhere(call: ProfiledCall, { state }: HookParts): Promise<boolean> {
  const { budget, event } = call;
  if (!state.isShared || call.running === undefined || event === undefined) return false;
  // If the state does not answer, the call goes on.
  call.isOvertaken ||= (await state.isNewest({ ...event, request: call.hook.request }, budget)) === false;
  return call.isOvertaken;
}

function localeOf({ request }: HookCall, reading: ProfileReading | undefined): string {
  const { profile } = reading ?? {};
  return (
    request.locale ?? readLocale(profile?.['preferredLanguage']) ?? readLocale(profile?.['locale']) ?? 'en'
  );
}

/** The number for WhatsApp: the enrolled one. At sign-in, the profile's if `unverifiedPhoneAttribute` is set and the guard allows it. */
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
  plan: readonly ReadyChannel[],
  isStopped: boolean,
): Refusal {
  if (planned.length === 0) return REFUSALS.CHANNEL_NOT_CONFIGURED;
  if (isStopped) return REFUSALS.STOPPED;
  return plan.length === 0 ? REFUSALS.ROLLED_BACK : REFUSALS.DEADLINE;
}
