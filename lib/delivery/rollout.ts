import { hash } from 'node:crypto';
import type { TelephonyRequest } from './channel.js';

/** How far each channel is rolled out: percentage of users, 0 to 100. One that is not named is on for all. */
export type Rollout = Readonly<Record<string, number | undefined>>;

/** The percentages as they are at this moment. Neither throws nor rejects. */
export type ReadRollout = (onFailure: (error: unknown) => void) => ReadonlyMap<string, number>;

/** Asks for the percentages once per call. What cannot be read stays as it last was: a kill switch stays pulled. */
export function createRollout(
  option: Rollout | (() => Rollout) | undefined,
  isChannel: (name: string) => boolean,
): ReadRollout {
  if (typeof option !== 'function') {
    const { shares } = readShares(option ?? {}, new Map(), isChannel);
    return () => shares;
  }
  let last: ReadonlyMap<string, number> = new Map();
  return (onFailure) => {
    try {
      const given: unknown = option();
      if (isObjectOfShares(given)) {
        const { shares, problem } = readShares(given, last, isChannel);
        last = shares;
        if (problem !== undefined) onFailure(new RangeError(problem));
      } else {
        // An async function is a mistake of its author's; its failure must not end the process.
        if (given instanceof Promise) given.catch(() => undefined);
        onFailure(new TypeError('did not return an object of percentages by channel'));
      }
    } catch (error) {
      onFailure(error);
    }
    return last;
  };
}

function readShares(
  given: Readonly<Record<string, unknown>>,
  last: ReadonlyMap<string, number>,
  isChannel: (name: string) => boolean,
): { readonly shares: ReadonlyMap<string, number>; readonly problem: string | undefined } {
  const shares = new Map<string, number>();
  let problem: string | undefined;
  for (const [channel, value] of Object.entries(given)) {
    if (value === undefined) continue;
    // A kill switch that is misspelt kills nothing.
    if (!isChannel(channel)) problem = 'named a channel that is not configured';
    if (!isPercentage(value)) problem = 'gave a percentage that is no number from 0 to 100';
    const share = isPercentage(value) ? value : last.get(channel);
    if (share !== undefined) shares.set(channel, share);
  }
  return { shares, problem };
}

/** Neither a list or a `Map`, which would turn everything on without a word, nor a promise. */
function isObjectOfShares(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !(Symbol.iterator in value) && !('then' in value);
}

function isPercentage(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 100;
}

/** Those channels of a plan that are on for this user. */
export function withinRollout(
  channels: readonly string[],
  request: TelephonyRequest,
  shares: ReadonlyMap<string, number>,
): readonly string[] {
  if (shares.size === 0) return channels;
  return channels.filter((channel) => {
    const share = shares.get(channel) ?? 100;
    return share === 100 || placeOf(request, channel) < share;
  });
}

/**
 * Where a user stands between 0 and 100, always the same: whom 25 % reach, 50 % reach as well. By the channel too,
 * so that it is not the same people who are first with every one.
 */
function placeOf({ userId, phoneNumber }: TelephonyRequest, channel: string): number {
  const digest = hash('sha256', JSON.stringify([channel, userId ?? phoneNumber]), 'hex');
  return (Number.parseInt(digest.slice(0, 8), 16) / 2 ** 32) * 100;
}
