import { DETACHED_MS, startAttemptClock, type AttemptClock } from './attempt-clock.js';
import type { Budget } from '../core/budget.js';
import { TIMED_OUT, waitAtMost } from '../core/wait-at-most.js';
import type { Breaker } from './breaker.js';
import type {
  ChannelPort,
  DeliveryFailure,
  Message,
  MoveOn,
  Outcome,
  SendContext,
  TelephonyRequest,
  UserProfile,
} from '../core/channel.js';
import type { AttemptReport } from '../core/events.js';
import { isAbout, maskText, toldId, toToken } from '../core/masking.js';
import { leavesHopeFor } from './plan.js';
import { textFor, oktaText, type ComposeText } from '../texts/compose-text.js';
import type { Texts } from '../texts/texts.js';

/** A channel that is ready to be tried. */
export interface ReadyChannel {
  readonly name: string;
  readonly provider: string;
  readonly port: ChannelPort<never>;
  readonly breaker: Breaker;
}

/** What one call came to. */
export interface Delivery {
  readonly status: 'accepted' | 'unknown' | 'refused';
  /** The attempt that decided; `undefined` where none was made. */
  readonly decidedBy: AttemptReport | undefined;
  readonly attempts: readonly AttemptReport[];
  readonly isFraudBlock: boolean;
}

/** What is left of a plan when a channel has taken the message, or may have. */
export interface Rest {
  readonly by: ReadyChannel;
  /** In their order, without those that earlier refusals leave no hope for. */
  readonly untried: readonly ReadyChannel[];
  /** Those that were made until now. */
  readonly attempts: readonly AttemptReport[];
}

/** What became of a send after its call was answered. */
export interface LateEnd {
  readonly attempt: AttemptReport;
  /** The provider's id, as it came. */
  readonly transactionId: string | undefined;
  /** Where it was refused after all. */
  readonly failure: DeliveryFailure | undefined;
}

/** What a channel refuses with. */
type Refusal = Extract<Outcome, { status: 'refused' }>;

export interface DispatchParts {
  readonly budget: Budget;
  readonly composeText: ComposeText | undefined;
  /** Those of the options, which go before Okta's. */
  readonly texts: Texts | undefined;
  readonly locale: string;
  /** Where the text goes by each channel, E.164. */
  readonly addressFor: (channel: string) => string;
  onAttempt(attempt: AttemptReport): void;
  onComposeFailure(error: unknown): void;
  /** Asked right before each attempt, with how many were made. Default: it is wanted as long as the budget lasts. */
  readonly isStillWanted?: ((attempts: number) => boolean | Promise<boolean>) | undefined;
  /** Asked right before each attempt: whether its recipient is not to be reached by a channel. */
  readonly isSuppressed?: ((channel: string) => boolean) | undefined;
  /** A channel has refused the message. */
  onRefused?(channel: string, refusal: Refusal): void;
  /** A channel has accepted the message, by the provider's own id; empty where it gave none. */
  onAccepted(transactionId: string, rest: Rest): void;
  /** A send that goes on after the deadline, and what became of it. Never rejects. */
  onDetached(late: Promise<LateEnd>, rest: Rest): void;
}

/**
 * Tries the channels of a plan in turn, inside the budget, until one has accepted the message or nobody knows
 * whether it has. Only a refusal moves on, and only where that can help. Never rejects.
 */
export async function dispatch(
  plan: readonly ReadyChannel[],
  request: TelephonyRequest,
  profile: UserProfile | undefined,
  parts: DispatchParts,
): Promise<Delivery> {
  const attempts: AttemptReport[] = [];
  const untried = [...plan];
  for (let next = untried.shift(); next !== undefined && !isOver(parts.budget); next = untried.shift()) {
    const channel = next;
    const composed = composeMessage(channel, request, profile, parts);
    const message = composed instanceof Promise ? await composed : composed;
    // Composing took time of the call, too.
    if (isOver(parts.budget)) break;
    const wanted = parts.isStillWanted?.(attempts.length) ?? true;
    if (!(wanted instanceof Promise ? await wanted : wanted)) break;
    // So did asking, and it may have become unwanted since the answer.
    if (isOver(parts.budget)) break;
    if (parts.isSuppressed?.(channel.name) === true) continue;
    const startedAt = parts.budget.elapsedMs();
    const rest: Rest = { by: channel, untried, attempts };
    const outcome = await channel.breaker.attempt((onLate) =>
      startSend(channel, message, parts, onLate, rest),
    );
    const attempt = reportOf(channel, outcome, parts.budget.elapsedMs() - startedAt, message);
    attempts.push(attempt);
    parts.onAttempt(attempt);
    if (outcome.status === 'accepted') parts.onAccepted(outcome.transactionId, rest);
    if (outcome.status !== 'refused') {
      return { status: outcome.status, decidedBy: attempt, attempts, isFraudBlock: false };
    }
    parts.onRefused?.(channel.name, outcome);
    if (outcome.isFraudBlock === true) {
      return { status: 'refused', decidedBy: attempt, attempts, isFraudBlock: true };
    }
    dropHopeless(untried, channel, outcome.moveOn ?? true, parts.addressFor);
  }
  return { status: 'refused', decidedBy: attempts.at(-1), attempts, isFraudBlock: false };
}

/** A function, so that the compiler does not take the answer of a moment ago for today's. */
const isOver = (budget: Budget): boolean => budget.isOver;

/** Nothing is waited for but a `composeText`. */
function composeMessage(
  { name, port }: ReadyChannel,
  request: TelephonyRequest,
  profile: UserProfile | undefined,
  dispatching: DispatchParts,
): Message | Promise<Message> {
  const { composeText, texts, budget, locale, addressFor } = dispatching;
  const withText = (words: string): Message => {
    const text = texts === undefined ? words : texts.bind(name, words, request);
    return { request, profile, to: addressFor(name), text, locale, expiresAt: request.expiresAt };
  };
  const isWorded = texts !== undefined && port.usesText !== false;
  const otherwise = isWorded ? texts.wordsFor(name, request, profile, locale) : oktaText(request);
  if (port.usesText === false || composeText === undefined) return withText(otherwise);
  const onFailure = (error: unknown): void => {
    dispatching.onComposeFailure(error);
  };
  return textFor(name, request, profile, { composeText, budget, otherwise, onFailure }).then(withText);
}

/** One attempt. At the deadline the waiting ends; a send that has left is detached, and its result recorded. */
function startSend(
  channel: ReadyChannel,
  message: Message,
  parts: DispatchParts,
  onLate: (end: Outcome) => void,
  rest: Rest,
): Promise<Outcome> {
  const { budget } = parts;
  const startedAt = budget.elapsedMs();
  const clock = startAttemptClock(budget);
  const sending = send(channel.port, message, clock.context);
  return budget.untilEnd(sending).then((outcome) => {
    if (outcome !== TIMED_OUT) return outcome;
    const end = endOfDetached(sending, clock);
    void end.then(onLate);
    parts.onDetached(
      end.then((late) => lateEndOf(late, reportOf(channel, late, budget.elapsedMs() - startedAt, message))),
      rest,
    );
    return NOT_IN_TIME;
  });
}

const NOT_IN_TIME: Outcome = { status: 'unknown', reason: 'No answer before the deadline' };

/** What became of a detached send, within its 10 s. */
async function endOfDetached(sending: Promise<Outcome>, clock: AttemptClock): Promise<Outcome> {
  const end = await waitAtMost(sending, DETACHED_MS);
  if (end !== TIMED_OUT) return end;
  clock.giveUp();
  return { status: 'unknown', reason: 'No answer within 10 s after the deadline' };
}

/** The code of a refusal that has none of its own. */
const REFUSED = 'REFUSED';

/** Calls the channel and holds it to its port: a throw or a malformed outcome is unknown. Never rejects. */
async function send(port: ChannelPort<never>, message: Message, context: SendContext): Promise<Outcome> {
  try {
    return readOutcome(await port.send(message, context));
  } catch (error) {
    return { status: 'unknown', reason: `The channel threw${classOf(error)}${codeOf(error)}` };
  }
}

/** Causes may go in a circle. */
const MOST_CAUSES = 5;

/**
 * The code of an error, or of what caused it: fetch hides it there. Its words may quote what was sent. Takes anything:
 * what others throw may itself throw when it is looked at.
 */
function codeOf(thrown: unknown): string {
  try {
    let error = thrown;
    for (let depth = 0; depth < MOST_CAUSES; depth += 1) {
      const { code, cause } = Object(error) as { readonly code?: unknown; readonly cause?: unknown };
      if (typeof code === 'string' && /^[A-Z][A-Z_]{2,40}$/.test(code)) return ` (${code})`;
      error = cause;
    }
  } catch {
    // It has no code that can be read.
  }
  return '';
}

/** The class of an error, where it says more than that it is one: a word of a program, not of a person. */
function classOf(thrown: unknown): string {
  try {
    if (!(thrown instanceof Error)) return '';
    const { name, constructor } = thrown;
    const className: unknown = name === 'Error' ? constructor.name : name;
    const isName = typeof className === 'string' && /^[A-Z][A-Za-z_]{2,40}$/.test(className);
    return isName && className !== 'Error' ? ` ${className}` : '';
  } catch {
    return '';
  }
}

function readOutcome(outcome: unknown): Outcome {
  const { status, transactionId, code, reason, moveOn, isFraudBlock, isNotReached, hasLeft, remedy } = Object(
    outcome,
  ) as Record<string, unknown>;
  if (status === 'accepted') {
    const isReadable = typeof transactionId === 'string' || typeof transactionId === 'number';
    // It says that the message was taken; without an id of its own the event's serves.
    return { status, transactionId: isReadable ? String(transactionId).slice(0, 200) : '' };
  }
  if (status === 'refused') {
    return {
      status,
      code: (typeof code === 'string' || typeof code === 'number' ? String(code) : '') || REFUSED,
      reason: typeof reason === 'string' ? reason : 'Refused by the channel',
      moveOn: moveOn === false || moveOn === 'other-channel' || moveOn === 'other-provider' ? moveOn : true,
      isFraudBlock: isFraudBlock === true,
      isNotReached: isNotReached === true,
      hasLeft: hasLeft !== false,
      remedy: typeof remedy === 'string' ? remedy : undefined,
    };
  }
  return {
    status: 'unknown',
    reason: typeof reason === 'string' ? reason : 'The channel gave no readable outcome',
  };
}

function reportOf(
  { name, provider }: ReadyChannel,
  outcome: Outcome,
  durationMs: number,
  { request, to }: Message,
): AttemptReport {
  // Ids, codes and reasons are words of others: what says who, or which code, is not told.
  if (outcome.status === 'accepted') {
    return {
      channel: name,
      provider,
      outcome: 'accepted',
      durationMs: Math.round(durationMs),
      transactionId: toldId(outcome.transactionId, request, to),
    };
  }
  const report = { channel: name, provider, outcome: outcome.status, durationMs: Math.round(durationMs) };
  const reason = maskText(outcome.reason, request, to);
  if (outcome.status === 'unknown') return { ...report, reason };
  const code = isAbout(outcome.code, request, to) ? REFUSED : toToken(outcome.code);
  const remedy = outcome.remedy === undefined ? undefined : maskText(outcome.remedy, request, to);
  return { ...report, code, reason, remedy };
}

function lateEndOf(outcome: Outcome, attempt: AttemptReport): LateEnd {
  const failure: DeliveryFailure | undefined =
    outcome.status === 'refused'
      ? {
          status: 'failed',
          code: attempt.code ?? REFUSED,
          reason: attempt.reason ?? '',
          moveOn: outcome.moveOn,
          isFraudBlock: outcome.isFraudBlock,
          isNotReached: outcome.isNotReached,
          remedy: attempt.remedy,
        }
      : undefined;
  const transactionId = outcome.status === 'accepted' ? outcome.transactionId : undefined;
  return { attempt, transactionId, failure };
}

/** Leaves those that a refusal by one leaves hope for. */
function dropHopeless(
  untried: ReadyChannel[],
  refusing: ReadyChannel,
  moveOn: MoveOn,
  addressFor: (channel: string) => string,
): void {
  const hopOf = ({ name, provider }: ReadyChannel) => ({ channel: name, provider, to: addressFor(name) });
  const hopeful = untried.filter((other) => leavesHopeFor(hopOf(other), hopOf(refusing), moveOn));
  untried.splice(0, untried.length, ...hopeful);
}
