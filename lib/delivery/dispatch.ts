import { attemptSend, type DetachedEnd, type ReadyChannel } from './attempt.js';
import type { PlannedCode, Receipt } from './late/receipt.js';
import { hopefulSteps, providerOf, type PlanStep } from './plan.js';
import type { Budget } from '../core/budget.js';
import type { Message, Outcome, TelephonyRequest } from '../core/channel.js';
import type { AttemptReport } from '../core/events.js';
import { textFor, oktaText, type ComposeText } from '../texts/text.js';
import type { Texts } from '../texts/texts.js';

/** What one call came to. */
export interface Delivery {
  readonly status: 'accepted' | 'unknown' | 'refused';
  /** The attempt that decided; `undefined` where none was made. */
  readonly decidedBy: AttemptReport | undefined;
  readonly attempts: readonly AttemptReport[];
  readonly isFraudBlock: boolean;
}

/** The result of an attempt that went on after its call was answered. */
export interface LateEnd extends DetachedEnd {
  readonly receipt: Receipt;
}

/** What a channel refuses with. */
type Refusal = Extract<Outcome, { status: 'refused' }>;

/** What the factory makes once. */
export interface DispatchParts {
  readonly channels: ReadonlyMap<string, readonly ReadyChannel[]>;
  readonly settings: {
    readonly composeText: ComposeText | undefined;
    /** Those of the options, which go before Okta's. */
    readonly texts: Texts | undefined;
  };
}

/** A code that is sent now, and what only the running send needs. */
export interface Send {
  readonly code: PlannedCode;
  /** When the code ends, by the wall clock: channels and texts go by it. */
  readonly expiresAt: Date;
  readonly budget: Budget;
  /** Asked right before each attempt, with how many were made. Default: it is wanted as long as the budget lasts. */
  readonly isStillWanted?: ((attempts: number) => boolean | Promise<boolean>) | undefined;
  /** Asked right before each attempt: whether the recipient is not to be reached by its channel. */
  readonly isSuppressed?: ((step: PlanStep) => boolean) | undefined;
}

/** What a send reports while it runs. */
export interface SendListener {
  onAttempt(attempt: AttemptReport): void;
  onComposeFailure(error: unknown): void;
  /** A channel has refused the message. */
  onRefused?(step: PlanStep, refusal: Refusal): void;
  /** A channel has accepted the message, by the provider's own id; empty where it gave none. */
  onAccepted(transactionId: string, receipt: Receipt, attempt: AttemptReport): void;
  /** A send that goes on after the deadline, and what became of it. Never rejects. */
  onDetached(late: Promise<LateEnd>): void;
}

/**
 * Tries the channels of a plan in turn, inside the budget, until one has accepted the message or nobody knows
 * whether it has. Only a refusal moves on, and only where that can help. Never rejects.
 */
export async function dispatch(
  send: Send,
  listener: SendListener,
  { channels, settings }: DispatchParts,
): Promise<Delivery> {
  const { code, budget } = send;
  const request: TelephonyRequest = { ...code.request, expiresAt: send.expiresAt };
  const attempts: AttemptReport[] = [];
  let untried = code.untried;
  for (let [step] = untried; step !== undefined && !isOver(budget); [step] = untried) {
    const tried = step;
    untried = untried.slice(1);
    const channel = providerOf(tried, channels);
    if (channel === undefined) continue;
    const message = await composeMessage(channel, tried.to, request, send, settings, listener);
    // Composing took time of the call, too.
    if (isOver(budget)) break;
    // Nothing may come between this answer and the send: an answer that is there is not awaited.
    const wanted = send.isStillWanted?.(attempts.length) ?? true;
    if (!(wanted instanceof Promise ? await wanted : wanted)) break;
    // So did asking, and it may have become unwanted since the answer.
    if (isOver(budget)) break;
    if (send.isSuppressed?.(tried) === true) continue;
    const left = untried;
    const makeReceipt = (): Receipt => ({
      ...code,
      sentBy: tried,
      untried: left,
      attempts: [...code.attempts, ...attempts],
    });
    const { outcome, attempt } = await attemptSend(channel, message, budget, (late) => {
      listener.onDetached(late.then((end) => ({ ...end, receipt: makeReceipt() })));
    });
    attempts.push(attempt);
    listener.onAttempt(attempt);
    if (outcome.status === 'accepted') listener.onAccepted(outcome.transactionId, makeReceipt(), attempt);
    if (outcome.status !== 'refused') {
      return { status: outcome.status, decidedBy: attempt, attempts, isFraudBlock: false };
    }
    listener.onRefused?.(tried, outcome);
    if (outcome.isFraudBlock === true) {
      return { status: 'refused', decidedBy: attempt, attempts, isFraudBlock: true };
    }
    untried = hopefulSteps(untried, tried, outcome.moveOn ?? true, channels);
  }
  return { status: 'refused', decidedBy: attempts.at(-1), attempts, isFraudBlock: false };
}

/** A function, so that the compiler does not take the answer of a moment ago for today's. */
const isOver = (budget: Budget): boolean => budget.isOver;

/** Nothing is waited for but a `composeText`. */
async function composeMessage(
  { name, port }: ReadyChannel,
  to: string,
  request: TelephonyRequest,
  { code: { profile, locale }, budget }: Send,
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
  return { request, profile, to, text, locale, expiresAt: request.expiresAt };
}
