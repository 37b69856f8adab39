import type { FailureDetails, RefusalCause } from './channel.js';

/** What each cause of a refusal means for the plan. Channels name the cause, or say the mechanics themselves. */

type Mechanics = Pick<FailureDetails, 'moveOn' | 'isFraudBlock' | 'isNotReached'> & {
  readonly hasLeft?: boolean;
};

const MECHANICS: Readonly<Record<RefusalCause, Mechanics>> = {
  'wrong-number': { moveOn: false },
  'opted-out': { moveOn: 'other-channel' },
  'not-reached': { moveOn: 'other-channel', isNotReached: true },
  fraud: { moveOn: false, isFraudBlock: true },
  account: { moveOn: 'other-provider' },
  busy: { moveOn: true },
  'never-left': { moveOn: true, hasLeft: false },
};

const NEXT: Mechanics = { moveOn: true };

/** Every cause, for messages. */
export const CAUSES: readonly unknown[] = Object.keys(MECHANICS);

/** What a cause means for the plan. Without a cause, or with one that is unknown, the next step follows. */
export function mechanicsOf(cause: unknown): Mechanics {
  return typeof cause === 'string' && Object.hasOwn(MECHANICS, cause)
    ? MECHANICS[cause as RefusalCause]
    : NEXT;
}

/** Replaces the cause of a refusal by its mechanics. Mechanics that the refusal says itself win. */
export function withMechanics<T extends { readonly cause?: RefusalCause | undefined }>({
  cause,
  ...details
}: T): Mechanics & Omit<T, 'cause'> {
  return { ...mechanicsOf(cause), ...details };
}
