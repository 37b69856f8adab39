import { hash } from 'node:crypto';
import { VOICE, type MoveOn, type TelephonyRequest, type UserProfile } from '../core/channel.js';
import { ConfigurationError } from '../core/errors.js';
import type { ChooseChannels, Rollout } from '../core/option-types.js';

/** By which channels a code may go: those that the user, the options and the rollout leave, and what may follow a failure. */

/** The channels that the opt-in attribute of a profile names, of those that a user may choose. */
export function optedInChannels(
  profile: UserProfile | undefined,
  attribute: string,
  allowed: readonly string[],
): readonly string[] {
  const value = profile !== undefined && Object.hasOwn(profile, attribute) ? profile[attribute] : undefined;
  // Fast path: no opt-in.
  if (value === undefined || value === false) return NONE;
  // Only `true` is consent: `1` or `'yes'` is not.
  const names: readonly unknown[] = value === true ? BY_CONSENT : Array.isArray(value) ? value : [value];
  return names.filter(
    (name): name is string => typeof name === 'string' && name !== VOICE && allowed.includes(name),
  );
}

const NONE: readonly string[] = [];
const BY_CONSENT: readonly string[] = ['whatsapp'];

export interface PlanParts {
  readonly chooseChannels: ChooseChannels | undefined;
  readonly optInAttribute: string;
  readonly optInChannels: readonly string[];
  readonly isConfigured: (channel: string) => boolean;
  /** Called if `chooseChannels` throws or names a channel that cannot be used. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * The plan of one request: channel names in the order in which they are tried. A voice call stays a voice call,
 * and a text never becomes one.
 */
export function planChannels(
  request: TelephonyRequest,
  profile: UserProfile | undefined,
  parts: PlanParts,
): readonly string[] {
  if (request.deliveryChannel === VOICE) return [VOICE].filter(parts.isConfigured);
  const chosen =
    chosenByUser(request, profile, parts) ??
    optedInChannels(profile, parts.optInAttribute, parts.optInChannels);
  const plan: string[] = [];
  for (const channel of chosen) addToPlan(channel, plan, parts);
  addToPlan('sms', plan, parts);
  return plan;
}

function addToPlan(channel: string, plan: string[], { isConfigured }: PlanParts): void {
  if (channel !== VOICE && !plan.includes(channel) && isConfigured(channel)) plan.push(channel);
}

function chosenByUser(
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

/**
 * Returns the current percentages. Never throws: a failure goes to `onFailure`, with the percentages that stay
 * in force.
 */
export type ReadRollout = (
  onFailure: (error: unknown, inForce: { readonly percentages: Readonly<Record<string, number>> }) => void,
) => ReadonlyMap<string, number>;

type Shares = ReadonlyMap<string, number>;

/**
 * Reads the percentages once per call. If a part of an answer is wrong, the last good answer stays in force: a
 * kill switch stays pulled, whatever is misspelt after it. A function is called here for the first time, so
 * that there is always a good answer.
 *
 * @throws ConfigurationError if that first call fails.
 */
export function createRollout(
  option: Rollout | (() => Rollout) | undefined,
  isChannel: (name: string) => boolean,
): ReadRollout {
  if (typeof option !== 'function') {
    const named = Object.entries(option ?? {}).filter(([, share]) => share !== undefined);
    const shares = readShares(Object.fromEntries(named), isChannel);
    return () => shares;
  }
  let last = readFirst(option, isChannel);
  return (onFailure) => {
    try {
      last = readShares(option(), isChannel);
    } catch (error) {
      onFailure(error, { percentages: Object.fromEntries(last) });
    }
    return last;
  };
}

function readFirst(option: () => Rollout, isChannel: (name: string) => boolean): Shares {
  try {
    return readShares(option(), isChannel);
  } catch (cause) {
    // The function's own message may hold anything: it is only in the cause.
    const problem =
      cause instanceof WrongRollout
        ? `rollout: the function ${cause.message}; ${cause.remedy}`
        : 'rollout: the function threw when it was first asked; see the cause, and let it give the percentages of the start at once';
    throw new ConfigurationError([problem], { cause });
  }
}

/** An answer that cannot be used. */
class WrongRollout extends TypeError {
  readonly remedy: string;

  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

/** @throws WrongRollout, or what a getter throws. */
function readShares(given: unknown, isChannel: (name: string) => boolean): Shares {
  // The function must not be async. A rejection must not end the process.
  if (given instanceof Promise) given.catch(() => undefined);
  if (!isObjectOfShares(given)) {
    const isPromise = typeof given === 'object' && given !== null && 'then' in given;
    throw isPromise
      ? new WrongRollout('returned a promise', 'let it not be async: keep the percentages at hand')
      : new WrongRollout('did not return an object of percentages by channel', EXAMPLE);
  }
  const shares = new Map<string, number>();
  for (const [channel, value] of Object.entries(given)) {
    // A misspelt kill switch would turn nothing off.
    if (!isChannel(channel)) {
      throw new WrongRollout(
        `named ${nameOf(channel)}, which is not configured`,
        'look for a misspelling, or add it to channels or senders',
      );
    }
    if (!isPercentage(value)) {
      throw new WrongRollout(`gave ${nameOf(channel)} what is no number from 0 to 100`, EXAMPLE);
    }
    shares.set(channel, value);
  }
  return shares;
}

const EXAMPLE = 'let it return an object such as { whatsapp: 25 }';

/** A key may be anything: it is repeated only if it can be the name of a channel. */
function nameOf(channel: string): string {
  return /^[a-z][\w-]{0,31}$/i.test(channel) ? `the channel ${channel}` : 'a channel';
}

/** Neither a list or a `Map`, which would silently turn everything on, nor a promise. */
function isObjectOfShares(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !(Symbol.iterator in value) && !('then' in value);
}

function isPercentage(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 100;
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
 * A user's fixed position between 0 and 100: whoever is in 25 % is also in 50 %. It depends on the channel as
 * well, so that not the same users are first with every channel.
 */
function rolloutPosition(
  { userId, phoneNumber }: Parameters<typeof withinRollout>[1],
  channel: string,
): number {
  const digest = hash('sha256', JSON.stringify([channel, userId ?? phoneNumber]), 'hex');
  return (Number.parseInt(digest.slice(0, 8), 16) / 2 ** 32) * 100;
}

/** One step of a plan. Plain data: a state keeps it, and another gateway may read it. */
export interface PlanStep {
  readonly channel: string;
  /** The index of the provider in its channel's list. */
  readonly provider: number;
  /** Where the code goes by this channel, E.164. */
  readonly to: string;
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
export function hopefulSteps(
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
