import type { UserProfile } from '../core/channel.js';
import type { OfOptIn, OfProviders, OfResend, OptIn, SkippedChannel } from '../core/events.js';
import { deepFreeze } from '../core/freeze.js';
import { letSocketsBeRead } from '../core/time.js';
import { sendCode } from '../delivery/dispatch.js';
import type { KeptRequest, PlannedCode, PlanStep } from '../delivery/records.js';
import {
  nextRoute,
  planChannels,
  withinRollout,
  skipSuppressed,
  suppressionFor,
  type FilteredChannels,
} from '../delivery/plan.js';
import { personalDataOf } from '../numbers/personal-data.js';
import { readNumber, toDialableNumber } from '../numbers/phone-number.js';
import { REFUSALS, type HookRefusal } from '../okta/hook-answer.js';
import { DEFAULT_LIST, listFor, type ChannelProviders } from '../options/channel-lists.js';
import { readLocale } from '../texts/locale.js';
import { idsOf, NO_OPT_IN, NO_RESEND, NONE, type HookParts, type ReadCall } from './call.js';
import { isAllowedByGuard, withoutLearned } from './enforce-limits.js';
import { codeRequestOf, hasNewerCode, mayStartAttempt, resentCodeOf } from './codes-of-user.js';

/** Plans the channels, tries them one after the other, and records the delivery in the call. */
export async function dispatchChannels(call: ReadCall, parts: HookParts): Promise<void> {
  const { request } = call.hook;
  if (areHandedOut(parts.settings)) deepFreeze(request);
  const wish = readWish(call, parts);
  const unread = unreadNumbers(wish, call);
  if (unread.length > 0) {
    await Promise.all(unread.map((number) => parts.suppressions.refresh(number, call.budget)));
  }
  const plan = planCall(wish, call, parts);
  // Without a profile from Okta nothing came over the network: a process that was stopped may not have seen yet
  // that Okta hung up.
  if (call.reading?.source !== 'okta') await letSocketsBeRead();
  const code: PlannedCode = {
    request,
    profile: call.reading?.profile,
    expiresAtMs: call.expiresAtMs,
    locale: localeOf(call),
    person: call.person,
    eventKey: call.eventKey,
    place: call.claim?.place,
    isPreview: call.hook.isPreview,
    untried: plan.steps,
    attempts: NONE,
    failedIds: NONE,
    codeRequest: codeRequestOf(call, parts),
  };
  const { suppressions } = parts;
  const isStillWanted = (step: PlanStep, attempts: number): boolean | Promise<boolean> =>
    mayStartAttempt(call, attempts, parts, () =>
      // A voice call is never suppressed: the user requested it.
      request.deliveryChannel === 'sms' ? suppressions.refresh(step.to, call.budget) : Promise.resolve(),
    );
  const isSuppressed = (step: PlanStep): boolean => suppressions.isStopped(step);
  const send = { code, request, budget: call.budget, isStillWanted, isSuppressed };
  const delivery = await sendCode(send, parts);
  // Recorded at once: if anything fails from here on, the code still counts as sent.
  call.skipped = plan.skipped;
  call.optIn = plan.optIn;
  call.providersOf = plan.providersOf;
  call.resend = plan.resend;
  call.delivery = delivery;
  if (delivery.status !== 'refused') return;
  if (await hasNewerCode(call, parts)) {
    // Any other refusal would let Okta send this code after the newer one.
    call.refusal = REFUSALS.SUPERSEDED;
  } else if (plan.block !== undefined) {
    // Any other refusal would let Okta send the code by a channel that the guard has blocked.
    call.refusal = plan.block;
  } else if (delivery.decidedBy === undefined) {
    call.refusal = refusalWithoutAttempt(plan, isSuppressed);
  }
}

/** Whether functions of the user get the request and the profile. Without any, freezing would only cost. */
function areHandedOut({ chooseChannels, composeText, ownChannels }: HookParts['settings']): boolean {
  return chooseChannels !== undefined || composeText !== undefined || ownChannels.size > 0;
}

/** What a call would be sent by if nobody had written STOP. */
interface Wish {
  /** The channels that the user has opted in to, or that `chooseChannels` names, and the requested one. */
  readonly planned: readonly string[];
  /** The planned channels that the rollout enables for the user. */
  readonly enabled: readonly string[];
  readonly optIn: OfOptIn;
  readonly whatsAppNumber: string;
}

interface CallPlan extends Wish {
  /** The planned channels that the rollout or a suppression turns off. */
  readonly skipped: readonly SkippedChannel[];
  readonly providersOf: OfProviders['providersOf'];
  readonly resend: OfResend;
  /** The attempts to make, in order: one for each provider of each channel that is left. */
  readonly steps: readonly PlanStep[];
  /** Why the guard that learns has taken channels out of the plan. */
  readonly block: HookRefusal | undefined;
}

function readWish(call: ReadCall, parts: HookParts): Wish {
  const { settings, events, channels } = parts;
  const { request } = call.hook;
  const profile = call.reading?.profile;
  const { channels: planned, optIn } = planChannels(request, profile, {
    chooseChannels: settings.chooseChannels,
    optInAttribute: settings.optInAttribute,
    optInChannels: settings.optInChannels,
    isConfigured: (channel) => channels.has(channel),
    onFailure: (error) => {
      const personal = personalDataOf(request, profile);
      events.emitThrown({ extension: 'chooseChannels', error, personal, call: request });
    },
  });
  if (optIn === 'unusable') warnOfValue(parts);
  const enabled = enabledChannels(planned, request, parts);
  const whatsAppNumber = enabled.includes('whatsapp')
    ? whatsAppNumberOf(call, profile, parts)
    : request.phoneNumber;
  return { planned, enabled, whatsAppNumber, optIn: optInFields(optIn, request, parts) };
}

function planCall(wish: Wish, call: ReadCall, parts: HookParts): CallPlan {
  const { events } = parts;
  const { planned, enabled, optIn } = wish;
  const { request } = call.hook;
  const allowed = withoutLearned(withoutSuppressed(wish, call, parts), call, parts);
  const skipped = [...rolledBack(planned, enabled), ...allowed.skipped];
  const routes = allowed.channels.map((channel) => routeBy(channel, wish, call, parts));
  const lists = routes.flatMap(({ channel, list }) => (list === undefined ? [] : [[channel, list] as const]));
  const providersOf = lists.length === 0 ? undefined : Object.fromEntries(lists);
  const { steps, resend } = routeAgain(
    routes.flatMap((route) => route.steps),
    call,
    parts,
  );
  if (events.hasStepListeners) {
    events.emit({
      type: 'channels.planned',
      ...idsOf(request),
      // Copies, so that a listener cannot change the plan.
      channels: resend.resendOf === undefined ? [...allowed.channels] : channelsIn(steps),
      skipped: [...skipped],
      ...optIn,
      providersOf: providersOf && { ...providersOf },
      ...resend,
    });
  }
  return { ...wish, skipped, providersOf, resend, steps, block: allowed.block };
}

/** The steps of a call. If its user asks for a code again, the next route comes first. */
function routeAgain(
  steps: readonly PlanStep[],
  call: ReadCall,
  parts: HookParts,
): Pick<CallPlan, 'steps' | 'resend'> {
  const code = resentCodeOf(call, parts);
  const next = code && nextRoute(steps, { channel: code.channel, provider: code.providerIndex });
  return next === undefined
    ? { steps, resend: NO_RESEND }
    : { steps: next, resend: { resendOf: code?.eventId, resendOfChannel: code?.channel } };
}

/** The channels of steps, in the order in which each is tried first. */
function channelsIn(steps: readonly PlanStep[]): string[] {
  return [...new Set(steps.map(({ channel }) => channel))];
}

/** The steps of a channel: one for each provider that the country of its number has. */
function routeBy(
  channel: string,
  { whatsAppNumber }: Wish,
  { hook: { request }, number }: ReadCall,
  { settings }: HookParts,
): {
  readonly channel: string;
  /** As in `providersOf`. */
  readonly list: string | undefined;
  readonly steps: readonly PlanStep[];
} {
  const to = channel === 'whatsapp' ? whatsAppNumber : request.phoneNumber;
  const lists = settings.channels.get(channel)?.lists ?? NO_LISTS;
  // Without countries, the number need not be read.
  const isByCountry = lists.size > 1;
  const country = (): string | undefined =>
    to === request.phoneNumber ? number?.country : readNumber(to).country;
  const list = isByCountry ? listFor(lists, country()) : DEFAULT_LIST;
  const steps = (lists.get(list) ?? NONE).map((provider): PlanStep => ({ channel, provider, to }));
  return { channel, list: isByCountry ? list : undefined, steps };
}

const NO_LISTS: ChannelProviders['lists'] = new Map();

/** The opt-in in events. It names the attribute if the opt-in decided for SMS. */
function optInFields(
  optIn: OptIn | undefined,
  { deliveryChannel }: KeptRequest,
  { settings, optIns }: HookParts,
): OfOptIn {
  if (optIn === undefined) return NO_OPT_IN;
  const isDecisive = optIns.isOffered && deliveryChannel === 'sms' && optIn !== 'yes' && optIn !== 'unread';
  return { optIn, optInAttribute: isDecisive ? settings.optInAttribute : undefined };
}

/** Warns once: whoever writes such values writes them for many users. If SMS is the only channel, no value matters. */
function warnOfValue({ settings, optIns, events }: HookParts): void {
  if (optIns.isWarned || !optIns.isOffered) return;
  optIns.isWarned = true;
  const where = [`optInAttribute (${settings.optInAttribute})`];
  events.emit({ type: 'configuration.warned', option: 'optInAttribute', where });
}

/** The channels that the rollout enables for the user of a request. */
export function enabledChannels(
  names: readonly string[],
  request: KeptRequest,
  parts: Pick<HookParts, 'rollout' | 'events'>,
): readonly string[] {
  const shares = parts.rollout((error, percentages) => {
    const personal = personalDataOf(request);
    parts.events.emitThrown({ extension: 'rollout', error, personal, percentages, call: request });
  });
  return withinRollout(names, request, shares);
}

function rolledBack(planned: readonly string[], enabled: readonly string[]): readonly SkippedChannel[] {
  // Fast path: nothing is rolled back.
  if (enabled.length === planned.length) return NONE;
  return planned
    .filter((channel) => !enabled.includes(channel))
    .map((channel) => ({ channel, reason: 'ROLLED_BACK' }));
}

/**
 * The enrolled number; at sign-in the profile's, if `unverifiedPhoneAttribute` names it and the guard allows
 * it.
 */
function whatsAppNumberOf(call: ReadCall, profile: UserProfile | undefined, parts: HookParts): string {
  const { requestType, phoneNumber } = call.hook.request;
  const {
    profile: { unverifiedPhoneAttribute },
    defaultCountry,
  } = parts.settings;
  if (unverifiedPhoneAttribute === undefined || requestType?.endsWith('.mfa-verification') !== true)
    return phoneNumber;
  const value = profile?.[unverifiedPhoneAttribute];
  const number = typeof value === 'string' ? toDialableNumber(value, defaultCountry) : undefined;
  if (number === undefined || number === phoneNumber) return phoneNumber;
  return isAllowedByGuard(number, call, parts) ? number : phoneNumber;
}

/** The numbers whose suppressions are not known yet: the claim reads the enrolled number only, unless the state failed then. */
function unreadNumbers({ whatsAppNumber }: Wish, { hook, claim }: ReadCall): readonly string[] {
  const { deliveryChannel, phoneNumber } = hook.request;
  // A voice call is never suppressed: the user requested it.
  if (deliveryChannel !== 'sms') return NONE;
  const isOther = whatsAppNumber !== phoneNumber;
  return [...(claim?.hasRead === true ? NONE : [phoneNumber]), ...(isOther ? [whatsAppNumber] : NONE)];
}

/** Skips the suppressed channels: WhatsApp by its number, the others by the enrolled one. */
function withoutSuppressed(
  { enabled: channels, whatsAppNumber }: Wish,
  call: ReadCall,
  { suppressions }: HookParts,
): FilteredChannels {
  const { deliveryChannel, phoneNumber } = call.hook.request;
  if (deliveryChannel !== 'sms') return { channels, skipped: NONE };
  const isOther = whatsAppNumber !== phoneNumber;
  const ofEnrolled = suppressions.of(phoneNumber);
  const ofWhatsApp = isOther ? suppressions.of(whatsAppNumber) : ofEnrolled;
  // Fast path: nothing is suppressed.
  if (ofEnrolled.length === 0 && ofWhatsApp.length === 0) return { channels, skipped: NONE };
  return skipSuppressed(channels, (channel) =>
    suppressionFor(channel === 'whatsapp' ? ofWhatsApp : ofEnrolled, channel),
  );
}

function localeOf({ hook, reading }: ReadCall): string {
  const profile = reading?.profile;
  return (
    hook.request.locale ??
    readLocale(profile?.['preferredLanguage']) ??
    readLocale(profile?.['locale']) ??
    'en'
  );
}

function refusalWithoutAttempt(
  { planned, enabled, steps }: CallPlan,
  isSuppressed: (step: PlanStep) => boolean,
): HookRefusal {
  if (planned.length === 0) return REFUSALS.CHANNEL_NOT_CONFIGURED;
  if (enabled.length === 0) return REFUSALS.ROLLED_BACK;
  // STOP may have come before the plan was made, or since.
  return steps.every(isSuppressed) ? REFUSALS.STOPPED : REFUSALS.DEADLINE;
}
