import { hash } from 'node:crypto';
import { VOICE, type MoveOn, type TelephonyRequest, type UserProfile } from '../core/channel.js';
import type { OptIn, SkippedChannel } from '../core/events.js';
import type { ChooseChannels } from '../core/option-types.js';
import type { PlanStep } from './records.js';
import type { Suppression } from './suppressions.js';

/** Chooses the channels of a code: those that the user, the rollout and the suppressions leave, and those that may follow a failure. */

/** What a profile says of the channels that its user wants. */
export interface OptInReading {
  readonly optIn: OptIn;
  /** The channels that it names, of those that a user may choose; none unless `optIn` is `yes`. */
  readonly channels: readonly string[];
}

/** Reads the opt-in attribute of a profile. */
export function readOptIn(
  profile: UserProfile | undefined,
  attribute: string,
  allowed: readonly string[],
): OptInReading {
  if (profile === undefined) return UNREAD;
  const value = Object.hasOwn(profile, attribute) ? profile[attribute] : undefined;
  // Fast path: no opt-in.
  if (value === undefined) return ABSENT;
  if (value === false || value === null) return NOT_OPTED_IN;
  // Only `true` is consent: `1` or `'yes'` is not.
  const names: readonly unknown[] = value === true ? BY_CONSENT : Array.isArray(value) ? value : [value];
  const channels = names.filter(
    (name): name is string => typeof name === 'string' && name !== VOICE && allowed.includes(name),
  );
  if (channels.length > 0) return { optIn: 'yes', channels };
  // SMS needs no opt-in, so it is never an unknown name.
  return names.every((name) => name === 'sms' || name === '') ? NOT_OPTED_IN : UNUSABLE;
}

const UNREAD: OptInReading = { optIn: 'unread', channels: [] };
const ABSENT: OptInReading = { optIn: 'absent', channels: [] };
const NOT_OPTED_IN: OptInReading = { optIn: 'no', channels: [] };
const UNUSABLE: OptInReading = { optIn: 'unusable', channels: [] };
const BY_CONSENT: readonly string[] = ['whatsapp'];

export interface PlanParts {
  readonly chooseChannels: ChooseChannels | undefined;
  readonly optInAttribute: string;
  readonly optInChannels: readonly string[];
  readonly isConfigured: (channel: string) => boolean;
  /** Called if `chooseChannels` throws or names a channel that cannot be used. */
  readonly onFailure: (error: unknown) => void;
}

/** The planned channels of one request. */
export interface PlannedChannels {
  /** In the order in which they are tried. */
  readonly channels: readonly string[];
  /** `undefined` with `chooseChannels`. */
  readonly optIn: OptIn | undefined;
}

/** Plans the channels of one request. A voice call stays a voice call, and a text never becomes one. */
export function planChannels(
  request: TelephonyRequest,
  profile: UserProfile | undefined,
  parts: PlanParts,
): PlannedChannels {
  const read = (): OptInReading => readOptIn(profile, parts.optInAttribute, parts.optInChannels);
  const reading = parts.chooseChannels === undefined ? read() : undefined;
  const optIn = reading?.optIn;
  if (request.deliveryChannel === VOICE) return { channels: [VOICE].filter(parts.isConfigured), optIn };
  const chosen = reading?.channels ?? chosenByOption(request, profile, parts) ?? read().channels;
  const channels: string[] = [];
  for (const channel of chosen) addToPlan(channel, channels, parts);
  addToPlan('sms', channels, parts);
  return { channels, optIn };
}

function addToPlan(channel: string, plan: string[], { isConfigured }: PlanParts): void {
  if (channel !== VOICE && !plan.includes(channel) && isConfigured(channel)) plan.push(channel);
}

function chosenByOption(
  request: TelephonyRequest,
  profile: UserProfile | undefined,
  parts: PlanParts,
): readonly string[] | undefined {
  if (parts.chooseChannels === undefined) return undefined;
  try {
    const chosen: unknown = parts.chooseChannels(request, profile);
    if (Array.isArray(chosen) && chosen.every((name) => typeof name === 'string')) {
      if (!chosen.every((name) => name !== VOICE && parts.isConfigured(name))) {
        parts.onFailure(
          new RangeError('named a channel that is not configured, or voice; it is passed over'),
        );
      }
      return chosen;
    }
    // The function must not be async. A rejection must not end the process.
    if (chosen instanceof Promise) chosen.catch(() => undefined);
    parts.onFailure(new TypeError('did not return an array of channel names'));
  } catch (error) {
    parts.onFailure(error);
  }
  return undefined;
}

/** The channels of a plan that are on for a user. */
export function withinRollout(
  channels: readonly string[],
  request: Pick<TelephonyRequest, 'userId' | 'phoneNumber'>,
  shares: ReadonlyMap<string, number>,
): readonly string[] {
  if (shares.size === 0) return channels;
  return channels.filter((channel) => {
    const share = shares.get(channel) ?? 100;
    return share === 100 || rolloutPosition(request, channel) < share;
  });
}

/**
 * A user's fixed position between 0 and 100, so that the users within 25 % are also within 50 %. It depends on the channel, too:
 * each channel begins with other users.
 */
function rolloutPosition(
  { userId, phoneNumber }: Parameters<typeof withinRollout>[1],
  channel: string,
): number {
  const digest = hash('sha256', JSON.stringify([channel, userId ?? phoneNumber]), 'hex');
  return (Number.parseInt(digest.slice(0, 8), 16) / 2 ** 32) * 100;
}

/** The suppression that counts for a channel: STOP goes before all others. */
export function suppressionFor(known: readonly Suppression[], channel: string): Suppression | undefined {
  if (known.length === 0) return undefined;
  const ofChannel = known.filter((entry) => entry.channel === channel);
  return ofChannel.find(({ reason }) => reason === 'STOPPED') ?? ofChannel[0];
}

/** The channels of a plan that may be tried, and those that are skipped. */
export interface FilteredChannels {
  readonly channels: readonly string[];
  readonly skipped: readonly SkippedChannel[];
}

/** Skips suppressed channels. What a provider said does not leave a user without any channel. */
export function skipSuppressed(
  channels: readonly string[],
  suppressionOf: (channel: string) => Suppression | undefined,
): FilteredChannels {
  const skipped: SkippedChannel[] = [];
  const left: string[] = [];
  const unwilling: string[] = [];
  for (const channel of channels) {
    const suppression = suppressionOf(channel);
    if (suppression === undefined) left.push(channel);
    else {
      skipped.push({ channel, reason: suppression.reason });
      if (suppression.reason !== 'STOPPED') unwilling.push(channel);
    }
  }
  return left.length > 0 || unwilling.length === 0
    ? { channels: left, skipped }
    : { channels: unwilling, skipped: skipped.filter(({ reason }) => reason === 'STOPPED') };
}

/**
 * The steps of a code that is asked for again: those up to the one that sent the earlier message move behind the others. `undefined` if
 * the plan does not have that step, or no other one.
 */
export function nextRoute(
  steps: readonly PlanStep[],
  { channel, provider }: Pick<PlanStep, 'channel' | 'provider'>,
): readonly PlanStep[] | undefined {
  const sentAt = steps.findIndex((step) => step.channel === channel && step.provider === provider);
  if (sentAt < 0 || steps.length === 1) return undefined;
  return [...steps.slice(sentAt + 1), ...steps.slice(0, sentAt + 1)];
}

/**
 * The provider of a step; `undefined` if this gateway does not have it: another gateway may have made the plan.
 */
export function providerOf<Provider>(
  { channel, provider }: PlanStep,
  channels: ReadonlyMap<string, readonly Provider[]>,
): Provider | undefined {
  return channels.get(channel)?.[provider];
}

/** Those steps that can still deliver a code after one step failed with `moveOn`, in their order. */
export function stepsThatCanHelp(
  steps: readonly PlanStep[],
  failed: PlanStep,
  moveOn: MoveOn,
  channels: ReadonlyMap<string, readonly { readonly provider: string }[]>,
): readonly PlanStep[] {
  return steps.filter((step) => {
    const provider = providerOf(step, channels);
    if (provider === undefined) return false;
    switch (moveOn) {
      case 'other-channel':
        return step.channel !== failed.channel;
      case 'other-provider':
        return provider.provider !== providerOf(failed, channels)?.provider;
      case false:
        // The number is wrong. A channel that sends to another number may still deliver.
        return step.to !== failed.to;
      case true:
        return true;
    }
  });
}
