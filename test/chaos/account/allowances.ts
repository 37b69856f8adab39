import type { CallFact, MessageFact, RunFacts } from './facts.js';
import { endOf, workEndOf, type EventRecord } from './records.js';

/**
 * What the guides allow: while Redis is lost, and a gateway has said so, each gateway goes by what it knows; a Redis
 * that has lost its keys knows nothing; a gateway that died keeps nothing. Nothing else is an excuse.
 */

/** A loss of Redis that a gateway has reported. */
export interface Loss {
  readonly gateway: number;
  readonly life: number | undefined;
  readonly from: number;
  /** `Infinity` until it has reported that Redis is back. */
  readonly to: number;
}

/** A gateway that has found Redis again needs this long to write what it has kept, milliseconds. */
const WRITTEN_MS = 1_500;
/** The same for the answer of a call, if it has not lost Redis. */
const ANSWERED_MS = 200;
/**
 * A gateway decides by what Redis said right before. That answer may have been on its way for as long as a command may
 * take (150 ms), and a code that leaves within 25 ms of its claim asks no second time. Milliseconds.
 */
const READ_MS = 200;
/** The same if it is known when Redis made the last answer that the gateway had read. */
const CLAIMED_MS = 30;

export class Allowances {
  readonly losses: readonly Loss[];
  readonly #facts: RunFacts;

  constructor(facts: RunFacts) {
    this.#facts = facts;
    this.losses = lossesOf(facts);
  }

  /** Whether a gateway had lost Redis at some time, or had not written since what it had kept. */
  hadLost(gateway: number | undefined, from: number, to: number): boolean {
    return this.losses.some(
      (loss) =>
        (gateway === undefined || loss.gateway === gateway) &&
        loss.from <= to &&
        loss.to + WRITTEN_MS >= from,
    );
  }

  /**
   * Whether what a gateway learned is not in Redis at a later time: it had lost Redis then and has not found it again,
   * or died before it had.
   */
  isUnwritten(gateway: number, from: number, to: number, until: number): boolean {
    return this.losses.some(
      (loss) =>
        loss.gateway === gateway &&
        loss.from <= to + WRITTEN_MS &&
        loss.to + WRITTEN_MS >= from &&
        (loss.to + WRITTEN_MS >= until || this.wasOut(gateway, from, loss.to + WRITTEN_MS)),
    );
  }

  /** Whether Redis lost keys at some time. @param writtenAt - only those that were written until then. */
  hasForgotten(from: number, to: number, writtenAt = to): boolean {
    return (this.#facts.wipes ?? []).some((wipe) => {
      return wipe.from <= to && wipe.to >= from && (wipe.since === undefined || writtenAt >= wipe.since);
    });
  }

  /** How far Redis's clock was set forward and back at some time together, milliseconds. */
  clockJumpedMs(from: number, to: number): number {
    const jumps = (this.#facts.clockJumps ?? []).filter(({ at }) => at >= from && at <= to);
    return jumps.reduce((sum, { byMs }) => sum + Math.abs(byMs), 0);
  }

  /** Whether a gateway, or the process that plays everybody else, had no CPU at some time: this proves nothing then. */
  wasStarved(gateway: number | undefined, from: number, to: number): boolean {
    return this.#facts.shortages.some(
      (shortage) =>
        (shortage.gateway === undefined || gateway === undefined || shortage.gateway === gateway) &&
        shortage.from <= to &&
        shortage.to >= from,
    );
  }

  /** Whether a gateway was killed or stopped at some time; any of them if `undefined`. */
  wasOut(gateway: number | undefined, from: number, to: number): boolean {
    return this.#facts.outages.some(
      (outage) =>
        outage.gateway !== undefined &&
        (gateway === undefined || outage.gateway === gateway) &&
        outage.from <= to &&
        outage.to >= from,
    );
  }

  /** Whether a message left although its gateway could know by then what had been answered elsewhere. */
  couldKnow({ at, knewAt }: Pick<MessageFact, 'at' | 'knewAt'>, answeredAt: number): boolean {
    return at > answeredAt + READ_MS || (at > answeredAt && (knewAt ?? 0) > answeredAt + CLAIMED_MS);
  }

  /**
   * Whether two calls of an event, both before a time, may have been decided apart. `'forgotten'`: the second one could
   * know of the first, whose gateway had found Redis again.
   */
  areApart({ event: { calls } }: EventRecord, until: number): boolean | 'forgotten' {
    const begun = calls.filter(({ at }) => at <= until);
    const pairs = begun.flatMap((first, index) =>
      begun.slice(index + 1).map((again) => this.mayDiffer(first, again, calls)),
    );
    return pairs.find((pair) => pair === true) ?? pairs.find((pair) => pair === 'forgotten') ?? false;
  }

  /** The same for two calls. */
  mayDiffer(first: CallFact, again: CallFact, calls: readonly CallFact[]): boolean | 'forgotten' {
    if (first.gateway === again.gateway && first.life !== undefined && first.life === again.life)
      return false;
    const writtenAt = Math.max(...[first, ...calls.slice(0, 1)].map((call) => this.#writtenAt(call)));
    if (this.hasForgotten(calls[0]?.at ?? first.at, endOf(again), writtenAt)) return true;
    if (this.#wasAlone(again)) return true;
    if (first.gateway === undefined || this.isUnwritten(first.gateway, first.at, endOf(first), again.at))
      return true;
    return this.#wasAlone(first) ? 'forgotten' : false;
  }

  /** Until when the answer of a call was written: if its gateway had lost Redis, when Redis was back. */
  #writtenAt(call: CallFact): number {
    const answeredAt = workEndOf(call) + ANSWERED_MS;
    const kept = this.losses.filter(
      ({ gateway, from, to }) => gateway === call.gateway && from <= answeredAt && to >= call.at,
    );
    return Math.max(answeredAt, ...kept.map(({ to }) => to + WRITTEN_MS));
  }

  /** Whether a gateway decided alone: it had lost Redis at some time of the call. */
  #wasAlone(call: CallFact): boolean {
    return this.losses.some(
      ({ gateway, from, to }) => gateway === call.gateway && from <= endOf(call) && to >= call.at,
    );
  }
}

function lossesOf({ hookEvents }: RunFacts): readonly Loss[] {
  return hookEvents.flatMap((lost, index): readonly Loss[] => {
    if (lost.type !== 'state.lost') return [];
    const back = hookEvents
      .slice(index)
      .find(
        ({ type, gateway, life }) =>
          type === 'state.recovered' && gateway === lost.gateway && life === lost.life,
      );
    return [{ gateway: lost.gateway, life: lost.life, from: lost.at, to: back?.at ?? Infinity }];
  });
}
