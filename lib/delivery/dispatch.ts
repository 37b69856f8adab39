import { attemptSend, type DetachedAttempt, type DetachedEnd, type ReadyChannel } from './attempt.js';
import { receiptOf, type PlannedCode, type TextSettings, type Receipt } from './messages/receipt.js';
import { hopefulSteps, providerOf, type PlanStep } from './plan.js';
import type { Budget } from '../core/budget.js';
import type { Message, Outcome, TelephonyRequest } from '../core/channel.js';
import type { AttemptReport } from '../core/events.js';
import { textFor, oktaText } from '../texts/texts.js';

/** The result of sending a code by its plan. */
export interface Delivery {
  readonly status: 'accepted' | 'unknown' | 'refused';
  /** The attempt that decided; `undefined` if none was made. */
  readonly decidedBy: AttemptReport | undefined;
  readonly attempts: readonly AttemptReport[];
  readonly isFraudBlock: boolean;
}

/** The result of an attempt that went on after its call was answered. */
export interface LateEnd extends DetachedEnd {
  readonly receipt: Receipt;
}

type RefusedOutcome = Extract<Outcome, { status: 'refused' }>;

/** The parts of a hook that a send uses. */
export interface DispatchParts {
  readonly channels: ReadonlyMap<string, readonly ReadyChannel[]>;
  readonly settings: TextSettings;
}

/** A code that is sent now, with what only a running send needs. */
export interface Send {
  readonly code: PlannedCode;
  /** What texts and channels get: the request of the code, with its end by the wall clock. */
  readonly request: TelephonyRequest;
  readonly budget: Budget;
  /**
   * Called right before each attempt, with its step and the number of attempts so far. Default: wanted until the
   * budget ends.
   */
  readonly isStillWanted?: ((step: PlanStep, attempts: number) => boolean | Promise<boolean>) | undefined;
  /** Called right before each attempt that is wanted: whether the recipient has stopped its channel. */
  readonly isSuppressed?: ((step: PlanStep) => boolean) | undefined;
}

/** Gets what happens while a code is sent. */
export interface SendListener {
  /** An attempt starts: its message may arrive before its channel answers. */
  onStart(step: PlanStep, provider: string): void;
  onAttempt(attempt: AttemptReport): void;
  onComposeFailure(error: unknown): void;
  onRefused(step: PlanStep, refusal: RefusedOutcome): void;
  /**
   * @param transactionId - the provider's id of the message; empty if it gave none.
   * @param makeReceipt - most calls need no receipt.
   */
  onAccepted(transactionId: string, step: PlanStep, makeReceipt: () => Receipt, attempt: AttemptReport): void;
  /**
   * The outcome of an attempt is unknown, and a report may name its reference.
   *
   * @param receipt - of the message, if it went out.
   */
  onUnknown(reference: string, receipt: Receipt): void;
  /** An attempt goes on after the deadline. @param late - its result; never rejects. */
  onDetached(late: Promise<LateEnd>, attempt: DetachedAttempt): void;
}

/**
 * Tries the steps of a plan in turn, within the budget, until a channel has accepted the message or the outcome
 * is unknown. Only a refusal moves on, and only to steps that can help. Never rejects.
 */
export async function tryPlan(
  send: Send,
  listener: SendListener,
  { channels, settings }: DispatchParts,
): Promise<Delivery> {
  const { code, budget } = send;
  const attempts: AttemptReport[] = [];
  let untried = code.untried;
  for (let [step] = untried; step !== undefined && !isOver(budget); [step] = untried) {
    const tried = step;
    untried = untried.slice(1);
    const channel = providerOf(tried, channels);
    if (channel === undefined) continue;
    const message = await composeMessage(channel, tried.to, send, settings, listener);
    // Composing the message took time.
    if (isOver(budget)) break;
    // An immediate answer is not awaited: nothing may happen between it and the send.
    const wanted = send.isStillWanted?.(tried, attempts.length) ?? true;
    if (!(typeof wanted === 'boolean' ? wanted : await wanted)) break;
    // Asking took time as well, and the caller may have hung up since.
    if (isOver(budget)) break;
    if (send.isSuppressed?.(tried) === true) continue;
    listener.onStart(tried, channel.provider);
    const left = untried;
    const makeReceipt = (): Receipt => receiptOf(code, tried, left, attempts, settings);
    const { outcome, attempt, reference } = await attemptSend(channel, message, budget, (detached) => {
      const late = detached.end.then((end) => ({ ...end, receipt: makeReceipt() }));
      listener.onDetached(late, detached);
    });
    attempts.push(attempt);
    listener.onAttempt(attempt);
    if (reference !== undefined) listener.onUnknown(reference, makeReceipt());
    if (outcome.status === 'accepted')
      listener.onAccepted(outcome.transactionId, tried, makeReceipt, attempt);
    if (outcome.status !== 'refused') {
      return { status: outcome.status, decidedBy: attempt, attempts, isFraudBlock: false };
    }
    listener.onRefused(tried, outcome);
    if (outcome.isFraudBlock === true) {
      return { status: 'refused', decidedBy: attempt, attempts, isFraudBlock: true };
    }
    untried = hopefulSteps(untried, tried, outcome.moveOn ?? true, channels);
  }
  return { status: 'refused', decidedBy: attempts.at(-1), attempts, isFraudBlock: false };
}

/** A function: TypeScript would otherwise assume that `isOver` does not change. */
const isOver = (budget: Budget): boolean => budget.isOver;

async function composeMessage(
  { name, port }: ReadyChannel,
  to: string,
  { code: { profile, locale }, request, budget }: Send,
  { composeText, texts }: DispatchParts['settings'],
  listener: SendListener,
): Promise<Message> {
  const isWorded = texts !== undefined && port.usesText !== false;
  let words = isWorded ? texts.wordsFor(name, request, profile, locale) : oktaText(request);
  if (port.usesText !== false && composeText !== undefined) {
    const onFailure = (error: unknown): void => {
      listener.onComposeFailure(error);
    };
    words = await textFor(name, request, profile, { composeText, budget, otherwise: words, onFailure });
  }
  const text = texts === undefined ? words : texts.bind(name, words, request);
  return Object.freeze({ request, profile, to, text, locale, expiresAt: request.expiresAt });
}
