import { BoundedMap } from './bounded-map.js';
import type { DeliveryFailure } from './channel.js';

/** Channels that a number is sent no codes by for a while, and why. */

/**
 * - `STOPPED`: its owner has said so, and nothing goes that way until they take it back.
 * - `OPTED_OUT`: by the provider, they do not want it; `NOT_REACHED`: by the provider, nobody is reached there. It is
 *   passed over, but used where there is nothing else: providers err, and people come back without a word to us.
 */
export type SuppressionReason = 'STOPPED' | 'OPTED_OUT' | 'NOT_REACHED';

/** A channel that nobody is sent anything by at a number, until when, and why. */
export interface Suppression {
  readonly channel: string;
  readonly reason: SuppressionReason;
  /** Milliseconds since 1970. */
  readonly untilMs: number;
}

/** What a refusal, or a failure after it was accepted, says of the recipient by that channel; nearly always nothing. */
export function suppressionReasonOf({
  moveOn,
  isNotReached,
}: Pick<DeliveryFailure, 'moveOn' | 'isNotReached'>): SuppressionReason | undefined {
  if (isNotReached === true) return 'NOT_REACHED';
  return moveOn === 'other-channel' ? 'OPTED_OUT' : undefined;
}

/** How long each holds, milliseconds: a word until it is taken back, but nothing personal is kept for ever. */
export const SUPPRESSED_MS: Readonly<Record<SuppressionReason, number>> = {
  STOPPED: 365 * 86_400_000,
  OPTED_OUT: 86_400_000,
  NOT_REACHED: 86_400_000,
};

/** What is taken back. */
export interface LiftedSuppression {
  readonly channel: string;
  /** Those with another reason stay. */
  readonly reasons: readonly SuppressionReason[];
}

/**
 * The part of `State` that gateways share suppressions by. What `suppress` and `lift` return resolves once all gateways know
 * it, however much later: until then the gateway that was told goes by what it knows itself.
 */
export interface SuppressionState {
  /** Takes the place of an earlier one for the same number and channel, unless that was `STOPPED` and this is not. */
  readonly suppress?: ((recipient: string, suppression: Suppression, nowMs: number) => unknown) | undefined;
  /** What began after `nowMs` stays, for this may be told late. */
  readonly lift?: ((recipient: string, lifted: LiftedSuppression, nowMs: number) => unknown) | undefined;
  /** `undefined` where nobody can say at the moment. */
  readonly suppressionsOf?:
    | ((
        recipient: string,
        nowMs: number,
      ) => readonly Suppression[] | undefined | Promise<readonly Suppression[] | undefined>)
    | undefined;
}

/** A number's suppressions with one more: the newest of a channel holds, but what its owner has said outlives the rest. */
export function mergeSuppression<Entry extends Suppression>(
  known: readonly Entry[],
  added: Entry,
  nowMs: number,
): readonly Entry[] {
  const alive = known.filter(({ untilMs }) => untilMs > nowMs);
  const isStopped = alive.some(({ channel, reason }) => channel === added.channel && reason === 'STOPPED');
  if (isStopped && added.reason !== 'STOPPED') return alive;
  return [...alive.filter(({ channel }) => channel !== added.channel), added];
}

/** What is left of a number's suppressions when some are taken back. */
export function liftSuppressions<Entry extends Suppression>(
  known: readonly Entry[],
  { channel, reasons }: LiftedSuppression,
  nowMs: number,
): readonly Entry[] {
  return known.filter(
    (entry) =>
      entry.channel !== channel ||
      !reasons.includes(entry.reason) ||
      entry.untilMs - SUPPRESSED_MS[entry.reason] > nowMs,
  );
}

/** The one that counts for a channel: what its owner has said goes before all. */
export function suppressionFor(known: readonly Suppression[], channel: string): Suppression | undefined {
  if (known.length === 0) return undefined;
  const ofChannel = known.filter((entry) => entry.channel === channel);
  return ofChannel.find(({ reason }) => reason === 'STOPPED') ?? ofChannel[0];
}

/** As many numbers as a process remembers; the oldest are forgotten first. */
const MAX_RECIPIENTS = 20_000;

interface Known extends Suppression {
  /** When this process learnt it. */
  readonly sinceMs: number;
  /** Whether all gateways know it. */
  isShared: boolean;
}

/** Those that this process has learnt itself; starts no timer. */
export class Suppressions {
  readonly #known = new BoundedMap<readonly Known[]>(MAX_RECIPIENTS);

  /** Gives what is to be called when all gateways know it. */
  add(recipient: string, suppression: Suppression, nowMs: number): () => void {
    const entry: Known = { ...suppression, sinceMs: nowMs, isShared: false };
    this.#known.set(recipient, mergeSuppression(this.#of(recipient, nowMs), entry, nowMs));
    return () => {
      entry.isShared = true;
    };
  }

  lift(recipient: string, lifted: LiftedSuppression, nowMs: number): void {
    const left = liftSuppressions(this.#known.get(recipient) ?? [], lifted, nowMs);
    if (left.length === 0) this.#known.delete(recipient);
    else this.#known.set(recipient, left);
  }

  /** @param sinceMs - only what was learnt from then on, or is not known to all gateways yet. */
  of(recipient: string, nowMs: number, sinceMs = -Infinity): readonly Suppression[] {
    const known = this.#of(recipient, nowMs);
    return known.length === 0 ? NONE : known.filter((entry) => !entry.isShared || entry.sinceMs >= sinceMs);
  }

  get isEmpty(): boolean {
    return this.#known.size === 0;
  }

  #of(recipient: string, nowMs: number): readonly Known[] {
    return this.#known.get(recipient)?.filter(({ untilMs }) => untilMs > nowMs) ?? NONE;
  }
}

const NONE: readonly Known[] = [];

/** What is left of the channels of a plan, and what was passed over, as `channel:reason`. */
export interface Passed {
  readonly channels: readonly string[];
  readonly passedOver: readonly string[];
}

/** Passes over what is suppressed. What a provider said does not leave a user without any channel. */
export function passOver(
  channels: readonly string[],
  suppressionOf: (channel: string) => Suppression | undefined,
): Passed {
  const passedOver: string[] = [];
  const left: string[] = [];
  const unwilling: string[] = [];
  for (const channel of channels) {
    const suppression = suppressionOf(channel);
    if (suppression === undefined) left.push(channel);
    else {
      passedOver.push(`${channel}:${suppression.reason}`);
      if (suppression.reason !== 'STOPPED') unwilling.push(channel);
    }
  }
  return left.length > 0 || unwilling.length === 0
    ? { channels: left, passedOver }
    : { channels: unwilling, passedOver: passedOver.filter((entry) => entry.endsWith(':STOPPED')) };
}
