import { idsOf, tellFailed, type HookParts } from './parts.js';
import type { Budget } from '../core/budget.js';
import type { DeliveryFailure, TelephonyRequest, UserProfile } from '../core/channel.js';
import {
  dispatch,
  type Delivery,
  type DispatchParts,
  type LateEnd,
  type ReadyChannel,
  type Rest,
} from '../delivery/dispatch.js';
import type { AttemptReport } from '../core/events.js';
import { LateFailover } from '../delivery/late/late-failover.js';
import type { LateSend } from '../delivery/late/late-send.js';
import { withinRollout } from '../delivery/rollout.js';
import { allowedSteps, hasStoppedSince } from './allowed-channels.js';
import { placeOf, type PlanStep, type Receipt } from '../delivery/late/receipt.js';
import type { AskedCode } from '../delivery/late/sent-codes.js';
import { suppressionReasonOf } from '../delivery/suppressions.js';
import { keepAccepted } from './last-codes.js';

/** A code goes out by its plan: in its call, and again by what is left of the plan where it did not arrive. */

/** So many calls in flight need the connections more than questions about messages do. */
const BUSY_CALLS = 32;

/** What is sent, and with which time. */
interface CodeToSend {
  readonly request: TelephonyRequest;
  readonly profile: UserProfile | undefined;
  readonly locale: string;
  readonly addressFor: (channel: string) => string;
  readonly budget: Budget;
  /** Which of whose events it is; `undefined` where nothing of it can be sent late. */
  readonly event:
    { readonly person: string; readonly eventKey: string; readonly expiresAtMs: number } | undefined;
  /** `undefined` where nobody tells whether it is used. */
  readonly asked: AskedCode | undefined;
  /** What was sent before, and did not arrive. */
  readonly before?: LateSend | undefined;
  readonly isStillWanted?: ((attempts: number) => boolean | Promise<boolean>) | undefined;
  /** Whether the user has said STOP to a channel since the plan was made. */
  readonly isSuppressed?: ((channel: string) => boolean) | undefined;
}

/** Tries the channels of a plan, tells of each attempt, and keeps what late failover may need. */
export function sendCode(
  plan: readonly ReadyChannel[],
  code: CodeToSend,
  parts: HookParts,
): Promise<Delivery> {
  return dispatch(plan, code.request, code.profile, new CodeUnderWay(code, parts));
}

/** A code while its channels are tried: what they are told of it, and what is told of them. */
class CodeUnderWay implements DispatchParts {
  readonly budget: Budget;
  readonly composeText: DispatchParts['composeText'];
  readonly texts: DispatchParts['texts'];
  readonly locale: string;
  readonly addressFor: DispatchParts['addressFor'];
  readonly isStillWanted: DispatchParts['isStillWanted'];
  readonly isSuppressed: DispatchParts['isSuppressed'];
  readonly #code: CodeToSend;
  readonly #parts: HookParts;

  constructor(code: CodeToSend, parts: HookParts) {
    this.budget = code.budget;
    this.composeText = parts.settings.composeText;
    this.texts = parts.settings.texts;
    this.locale = code.locale;
    this.addressFor = code.addressFor;
    this.isStillWanted = code.isStillWanted;
    this.isSuppressed = code.isSuppressed;
    this.#code = code;
    this.#parts = parts;
  }

  onAttempt(attempt: AttemptReport): void {
    const { events, underWay, settings } = this.#parts;
    const { eventId, oktaRequestId } = this.#code.request;
    if (attempt.outcome === 'accepted') underWay.lastSuccess.set(attempt.channel, settings.clock());
    if (!events.hasStepListeners) return;
    events.emit({
      type: 'attempt.ended',
      eventId,
      oktaRequestId,
      channel: attempt.channel,
      provider: attempt.provider,
      outcome: attempt.outcome,
      code: attempt.code,
      reason: attempt.reason,
      remedy: attempt.remedy,
      transactionId: attempt.transactionId,
      durationMs: attempt.durationMs,
    });
  }

  onComposeFailure(error: unknown): void {
    tellFailed('composeText', this.#code.request, this.#parts)(error);
  }

  /** What the refusal says of the recipient holds for later codes. */
  onRefused(channel: string, refusal: Pick<DeliveryFailure, 'moveOn' | 'isNotReached'>): void {
    const reason = suppressionReasonOf(refusal);
    if (reason !== undefined) void this.#parts.suppressions.add(this.addressFor(channel), channel, reason);
  }

  onAccepted(transactionId: string, rest: Rest, attempt = rest.attempts.at(-1)): void {
    const { event } = this.#code;
    keepAccepted(transactionId, attempt, rest.by, this.#code, this.#parts);
    // Nobody waits for the code of a caller who hung up: nothing is sent late.
    const mayFollow = event !== undefined && !this.budget.hasHungUp;
    const makeReceipt = mayFollow ? () => receiptOf(this.#code, event, rest, this.#parts) : undefined;
    // The code is out: whatever a channel of the user's own does to us now, that must not be told as a failure.
    this.#unfailing((lateFailover) => {
      lateFailover.accepted(transactionId, rest, makeReceipt);
    });
  }

  onDetached(late: Promise<LateEnd>, rest: Rest): void {
    recordLate(late, this.#code.request, this.#parts, ({ attempt, transactionId, failure }) => {
      if (transactionId !== undefined) this.onAccepted(transactionId, rest, attempt);
      if (failure !== undefined) this.onRefused(rest.by.name, failure);
      const { event } = this.#code;
      if (event === undefined || failure === undefined || this.budget.hasHungUp) return;
      this.#unfailing((lateFailover) => {
        lateFailover.failed(receiptOf(this.#code, event, rest, this.#parts), failure);
      });
    });
  }

  #unfailing(work: (lateFailover: LateFailover) => void): void {
    const { lateFailover } = this.#parts;
    if (lateFailover === undefined) return;
    try {
      work(lateFailover);
    } catch (error) {
      tellFailed('lateFailover', this.#code.request, this.#parts)(error);
    }
  }
}

/** A send that outlives its call: waited for by `close()`, told when it ends. */
function recordLate(
  late: Promise<LateEnd>,
  request: TelephonyRequest,
  { events, underWay, settings }: HookParts,
  onEnd: (end: LateEnd) => void,
): void {
  const recorded = late.then((end) => {
    const { attempt } = end;
    underWay.detached.delete(recorded);
    if (attempt.outcome === 'accepted') underWay.lastSuccess.set(attempt.channel, settings.clock());
    events.emit({ type: 'attempt.late', ...idsOf(request), ...attempt });
    onEnd(end);
  });
  underWay.detached.add(recorded);
}

/** The parts of a hook, with late failover where it is on. */
export function withLateFailover(made: Omit<HookParts, 'lateFailover'>): HookParts {
  const { settings, events, channels, underWay } = made;
  if (settings.lateFailover === undefined) return { ...made, lateFailover: undefined };
  const lateFailover = new LateFailover({
    state: made.state,
    events,
    clock: settings.clock,
    deadlineMs: settings.deadlineMs,
    afterSeconds: settings.lateFailover.afterSeconds,
    channels,
    channelsOn: (names, request) =>
      withinRollout(names, request, made.rollout(tellFailed('rollout', request, made))),
    onLearnt: ({ sentBy }, failure) => {
      const reason = suppressionReasonOf(failure);
      if (reason !== undefined) void made.suppressions.add(sentBy.to, sentBy.channel, reason);
    },
    send: (send, isStillWanted) => sendAgain(send, isStillWanted, parts),
    isSending: () => underWay.calls.size + underWay.detached.size > 0,
    isBusy: () => underWay.calls.size >= BUSY_CALLS,
  });
  const parts: HookParts = { ...made, lateFailover };
  return parts;
}

async function sendAgain(
  late: LateSend,
  isStillWanted: () => Promise<boolean>,
  parts: HookParts,
): Promise<Delivery> {
  const { receipt, request, budget } = late;
  const sinceMs = performance.now();
  // The user may have said STOP since the code was sent, to any gateway.
  const steps = await allowedSteps(late.steps, parts);
  if (steps.length === 0) {
    late.dropped ??= 'NO_CHANNEL_LEFT';
    return { status: 'refused', decidedBy: undefined, attempts: [], isFraudBlock: false };
  }
  const plan = steps.flatMap(({ channel, provider }) => parts.channels.get(channel)?.[provider] ?? []);
  const addresses = new Map(steps.map(({ channel, to }) => [channel, to]));
  const addressFor = (channel: string): string => addresses.get(channel) ?? request.phoneNumber;
  return sendCode(
    plan,
    {
      request,
      profile: receipt.profile,
      locale: receipt.locale,
      addressFor,
      budget,
      event: receipt,
      asked: receipt.asked,
      before: late,
      isStillWanted,
      isSuppressed: (channel) => hasStoppedSince(channel, addressFor(channel), sinceMs, parts),
    },
    parts,
  );
}

function receiptOf(
  { request, profile, locale, addressFor, before, asked }: CodeToSend,
  { person, eventKey, expiresAtMs }: NonNullable<CodeToSend['event']>,
  { by, untried, attempts }: Rest,
  { settings, channels }: HookParts,
): Receipt {
  const stepOf = (ready: ReadyChannel): PlanStep => ({
    channel: ready.name,
    provider: placeOf(ready, channels),
    to: addressFor(ready.name),
  });
  // A receipt holds no more of a person than who sends it again may read.
  const isHandedOut =
    settings.composeText !== undefined || untried.some(({ name }) => settings.ownChannels.has(name));
  // By the steady clock instead: see `expiresAtMs`.
  const { expiresAt, ...kept } = request;
  return {
    request: isHandedOut ? kept : { ...kept, raw: undefined },
    expiresAtMs,
    profile: isHandedOut || settings.texts?.readsProfile(request) === true ? profile : undefined,
    locale,
    person,
    eventKey,
    sentBy: stepOf(by),
    failedIds: before?.failedIds ?? [],
    untried: untried.map(stepOf),
    // A copy, also where there is nothing to add: what it was gathered in goes on, and has room for many more.
    attempts: [...(before?.receipt.attempts ?? []), ...attempts],
    asked,
  };
}
