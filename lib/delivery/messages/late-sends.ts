import { Budget } from '../../core/budget.js';
import type { DeliveryFailure, DeliveryReport } from '../../core/channel.js';
import type { EventStream } from '../../core/event-stream.js';
import type { EmittedEvent, FailureCause } from '../../core/events.js';
import { deepFreeze, fixedDate } from '../../core/freeze.js';
import { isAbout, maskError, maskText, maskId, toToken } from '../../core/masking.js';
import { steadyMs } from '../../core/time.js';
import type { ReadyChannel, Delivery, Send } from '../attempt.js';
import type { StatePort } from '../state.js';
import { stepsThatCanHelp } from '../plan.js';
import { ownerOf, personalDataIn } from './receipt.js';
import type { PlanStep, Receipt } from '../records.js';
import { messageName } from './transitions.js';

/** Sends that follow a message that failed, and the events that report how they ended. */

/** Why a late send ends without a message. */
export type DropCode =
  'FRAUD_BLOCK' | 'CODE_EXPIRED' | 'NO_CHANNEL_LEFT' | 'SUPERSEDED' | 'DELIVERED' | 'STATE_LOST';

const REASONS: Readonly<Record<DropCode, string>> = {
  FRAUD_BLOCK: 'A fraud filter held the message back',
  CODE_EXPIRED: 'The code had ended',
  NO_CHANNEL_LEFT: 'No other channel can deliver the code',
  SUPERSEDED: 'A newer code was requested, or the user has signed in',
  DELIVERED: 'The message arrived after all',
  STATE_LOST: 'It is not known whether a newer code was requested',
};
const STATE_REMEDY =
  'The user can request another code. For the state, see the remedy of state.lost, or the reason of extension.failed.';

/** A late send while it runs. Its code is the receipt, with the steps that can still help. */
export interface LateSend extends Omit<Send, 'isStillWanted' | 'isSuppressed'> {
  readonly code: Receipt;
  readonly failure: DeliveryFailure;
  /** Set once. No attempt starts after that. */
  dropped: DropCode | undefined;
}

export interface LateSendsParts {
  readonly state: StatePort;
  readonly events: EventStream;
  /** Milliseconds since 1970; never fails. */
  readonly clock: () => number;
  /** How long one late send may take, milliseconds. */
  readonly deadlineMs: number;
  readonly channels: ReadonlyMap<string, readonly ReadyChannel[]>;
  /** Those of a plan's channels that the rollout leaves on for a user now. */
  readonly channelsOn: (channels: readonly string[], request: Receipt['request']) => readonly string[];
  /**
   * Sends a code by the steps that are left. Right before each attempt it asks whether the code is still
   * wanted.
   */
  readonly send: (send: LateSend, isStillWanted: () => Promise<boolean>) => Promise<Delivery>;
}

/** The late sends of this process. */
export class LateSends {
  readonly #running = new Set<LateSend>();
  readonly #parts: LateSendsParts;

  constructor(parts: LateSendsParts) {
    this.#parts = parts;
  }

  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  /** Drops the sends of these codes. */
  drop(isDropped: (code: Receipt) => boolean, why: DropCode): void {
    for (const send of this.#running) if (isDropped(send.code)) dropSend(send, why);
  }

  /**
   * Sends a code by its next channel, if that can help, and reports how it ended.
   *
   * @param messageKey - of the message that failed; `undefined` if the provider refused it after the call was answered.
   * @param how.wasLost - whether the state was lost when it failed: another process may have sent the code again, so this one does not.
   */
  async send(
    receipt: Receipt,
    failure: DeliveryFailure,
    messageKey: string | undefined,
    { wasLost = false }: { readonly wasLost?: boolean | undefined } = {},
  ): Promise<void> {
    const { events } = this.#parts;
    const send = startLateSend(receipt, failure, messageKey, this.#parts);
    if (wasLost) send.dropped ??= 'STATE_LOST';
    this.#running.add(send);
    try {
      const isStillWanted = (): Promise<boolean> => this.#isStillWanted(send);
      const delivery = send.dropped === undefined ? await this.#parts.send(send, isStillWanted) : undefined;
      events.emit(endOf(send, { delivery }));
    } catch (error) {
      // A custom channel threw where its port must not.
      events.emit(endOf(send, { defect: maskError(error, personalDataIn(receipt)) }));
    } finally {
      this.#running.delete(send);
      send.budget.close();
    }
  }

  /** Whether a report says that a message with this code was delivered. */
  async #isDelivered(code: Receipt): Promise<boolean> {
    const { state } = this.#parts;
    const { failedIds } = code;
    if (failedIds.length === 0) return false;
    const names = failedIds.map(messageName);
    if (names.some((name) => state.recall(name)?.value.status === 'delivered')) return true;
    const isDelivered = await state.read(names, (known) =>
      known.some((record) => record?.value.status === 'delivered'),
    );
    return isDelivered === true;
  }

  async #isStillWanted(send: LateSend): Promise<boolean> {
    const { state } = this.#parts;
    const { code } = send;
    const [isCurrent, isDelivered] = await Promise.all([
      state.isCurrent(code.person, code),
      this.#isDelivered(code),
    ]);
    if (isDelivered) send.dropped ??= 'DELIVERED';
    if (steadyMs() >= code.expiresAtMs) send.dropped ??= 'CODE_EXPIRED';
    if (isCurrent === 'unknown') send.dropped ??= 'STATE_LOST';
    if (!isCurrent) send.dropped ??= 'SUPERSEDED';
    return send.dropped === undefined;
  }
}

/** Decides whether anything can follow a failure, and by which steps. `LateSends` also looks at what has happened since. */
export function startLateSend(
  receipt: Receipt,
  failure: DeliveryFailure,
  messageKey: string | undefined,
  { channels, channelsOn, deadlineMs, clock }: Omit<LateSendsParts, 'state' | 'events' | 'send'>,
): LateSend {
  const { request, sentBy, failedIds } = receipt;
  const leftMs = receipt.expiresAtMs - steadyMs();
  const hopeful = stepsThatCanHelp(receipt.untried, sentBy, failure.moveOn ?? true, channels);
  // The rollout may have turned a channel off since the code was sent.
  const on = channelsOn([...new Set(hopeful.map(({ channel }) => channel))], request);
  const untried = hopeful.filter(({ channel }) => on.includes(channel));
  return {
    code: {
      ...receipt,
      profile: deepFreeze(receipt.profile),
      untried,
      failedIds: messageKey === undefined ? failedIds : [...failedIds, messageKey],
    },
    request: deepFreeze({ ...request, expiresAt: fixedDate(clock() + leftMs) }),
    budget: new Budget(deadlineMs),
    failure,
    dropped: dropCodeOf(failure, leftMs, untried),
  };
}

function dropCodeOf(
  { isFraudBlock }: DeliveryFailure,
  leftMs: number,
  untried: readonly PlanStep[],
): DropCode | undefined {
  if (isFraudBlock === true) return 'FRAUD_BLOCK';
  if (leftMs <= 0) return 'CODE_EXPIRED';
  return untried.length === 0 ? 'NO_CHANNEL_LEFT' : undefined;
}

/** Starts no further attempt. An attempt that has left goes on. */
export function dropSend(send: LateSend, why: DropCode): void {
  send.dropped ??= why;
  send.budget.hangUp();
}

/** The event that reports how a late send ended. */
export function endOf(
  { code: sent, failure, dropped }: LateSend,
  end: { readonly delivery?: Delivery | undefined; readonly defect?: string | undefined },
): EmittedEvent {
  const { delivery, defect } = end;
  const isSent = delivery !== undefined && delivery.status !== 'refused';
  const event = {
    type: 'failover.ended',
    ...ownerOf(sent.request),
    fromChannel: sent.sentBy.channel,
    cause: maskedFailure(failure, sent),
    attempts: [...sent.attempts, ...(delivery?.attempts ?? [])],
  } as const;
  if (dropped !== undefined && !isSent) {
    const remedy = dropped === 'STATE_LOST' ? STATE_REMEDY : undefined;
    return { ...event, ...NO_ATTEMPT, outcome: 'dropped', code: dropped, reason: REASONS[dropped], remedy };
  }
  if (delivery?.decidedBy === undefined) {
    const code = defect === undefined ? 'DEADLINE' : 'INTERNAL_ERROR';
    const reason = defect ?? 'The time was over before anything could be sent';
    return { ...event, ...NO_ATTEMPT, outcome: 'refused', code, reason, remedy: undefined };
  }
  const { channel, provider, outcome, code, reason, remedy, transactionId } = delivery.decidedBy;
  return { ...event, outcome, channel, provider, code, reason, remedy, transactionId };
}

const NO_ATTEMPT = { channel: undefined, provider: undefined, transactionId: undefined } as const;

/**
 * The event for a status that a look-up found: the same as after a callback, with the fields that say whose
 * message it is.
 */
export function statusOf(transactionId: string, report: DeliveryReport, receipt: Receipt): EmittedEvent {
  const { request, sentBy } = receipt;
  const failure = report.status === 'failed' ? maskedFailure(report, receipt) : undefined;
  return {
    type: 'message.reported',
    ...ownerOf(request),
    channel: sentBy.channel,
    // The id that the attempt's event has, so that the two can be joined.
    transactionId: maskId(transactionId, personalDataIn(receipt), request.eventId),
    report: report.status,
    status: report.status,
    code: failure?.code,
    reason: failure?.reason,
    remedy: failure?.remedy,
  };
}

/** A failure's words come from a provider and may quote the code or the user: they are masked. */
function maskedFailure({ code, reason, remedy }: DeliveryFailure, receipt: Receipt): FailureCause {
  const personal = personalDataIn(receipt);
  return {
    code: isAbout(code, personal) ? 'FAILED' : toToken(code),
    reason: maskText(reason, personal) || undefined,
    remedy: maskText(remedy, personal) || undefined,
  };
}
