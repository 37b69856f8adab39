import { ConfigurationError } from '../core/errors.js';
import { isByName } from '../core/option-rules.js';
import type { Rollout } from '../core/option-types.js';
import { CHANNEL_NAME } from './combinations.js';

/** Reads the option `rollout`, when the hook is made and for each call. */

/**
 * Returns the current percentages. Never throws: a failure goes to `onFailure`, with the percentages that stay
 * in force.
 */
export type ReadRollout = (
  onFailure: (error: unknown, inForce: Readonly<Record<string, number>>) => void,
) => Shares;

/** By channel. */
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
    // The rules of the options have refused what is no object of percentages, also a `Map`.
    const shares = new Map(
      Object.entries(option ?? {}).flatMap(([name, share]) => (share === undefined ? [] : [[name, share]])),
    );
    return () => shares;
  }
  let last: Shares;
  try {
    last = readShares(option(), isChannel);
  } catch (cause) {
    // The function's own message may hold anything: it is only in the cause.
    const problem =
      cause instanceof WrongRollout
        ? `rollout: the function ${cause.message}; ${cause.remedy}`
        : 'rollout: the function threw when it was first asked; see the cause, and let it give the percentages of the start at once';
    throw new ConfigurationError([problem], { cause });
  }
  return (onFailure) => {
    try {
      last = readShares(option(), isChannel);
    } catch (error) {
      onFailure(error, Object.fromEntries(last));
    }
    return last;
  };
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
  if (!isByName(given)) {
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
  return CHANNEL_NAME.test(channel) ? `the channel ${channel}` : 'a channel';
}

function isPercentage(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 100;
}
