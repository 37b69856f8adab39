import { TIMED_OUT, type Budget } from './budget.js';
import type { Breaker } from './breaker.js';
import type { ChannelPort, Message, Outcome, SendContext, TelephonyRequest, UserProfile } from './channel.js';
import type { AttemptReport } from './events.js';
import { maskText, toToken } from './masking.js';
import { textFor, oktaText, type ComposeText } from './text.js';

/** How long a send that has left may still go on after the call's deadline, milliseconds. */
const DETACHED_MS = 10_000;

/** What a connect may take of the budget: milliseconds at most, and a fraction of what is left. */
const CONNECT_SHARE = { maxMs: 700, fraction: 0.4 } as const;

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

export interface DispatchParts {
  readonly budget: Budget;
  readonly composeText: ComposeText | undefined;
  readonly locale: string;
  /** Where the text goes by each channel, E.164. */
  readonly addressFor: (channel: string) => string;
  readonly onAttempt: (attempt: AttemptReport) => void;
  readonly onComposeFailure: (reason: string) => void;
  /** A send that goes on after the deadline, and what became of it. Never rejects. */
  readonly onDetached: (late: Promise<AttemptReport>) => void;
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
    const message = await composeMessage(channel, request, profile, parts);
    // Composing took time of the call, too.
    if (isOver(parts.budget)) break;
    const startedAt = parts.budget.elapsedMs();
    const outcome = await channel.breaker.attempt(() => attemptInTime(channel, message, startedAt, parts));
    const attempt = reportOf(channel, outcome, parts.budget.elapsedMs() - startedAt, request);
    attempts.push(attempt);
    parts.onAttempt(attempt);
    if (outcome.status !== 'refused') {
      return { status: outcome.status, decidedBy: attempt, attempts, isFraudBlock: false };
    }
    if (outcome.isFraudBlock === true) {
      return { status: 'refused', decidedBy: attempt, attempts, isFraudBlock: true };
    }
    const moveOn = outcome.moveOn ?? true;
    untried.splice(0, untried.length, ...untried.filter((other) => mayFollow(other, channel, moveOn)));
  }
  return { status: 'refused', decidedBy: attempts.at(-1), attempts, isFraudBlock: false };
}

/** A function, so that the compiler does not take the answer of a moment ago for today's. */
const isOver = (budget: Budget): boolean => budget.isOver;

async function composeMessage(
  channel: ReadyChannel,
  request: TelephonyRequest,
  profile: UserProfile | undefined,
  parts: DispatchParts,
): Promise<Message> {
  const text =
    channel.port.usesText === false
      ? oktaText(request)
      : await textFor(channel.name, request, profile, {
          composeText: parts.composeText,
          budget: parts.budget,
          onFailure: parts.onComposeFailure,
        });
  const to = parts.addressFor(channel.name);
  return { request, profile, to, text, locale: parts.locale, expiresAt: request.expiresAt };
}

/** One attempt until the deadline; a send that has left is then detached, and its late result recorded. */
async function attemptInTime(
  channel: ReadyChannel,
  message: Message,
  startedAt: number,
  parts: DispatchParts,
): Promise<Outcome> {
  const { budget } = parts;
  const giveUp = new AbortController();
  const { maxMs, fraction } = CONNECT_SHARE;
  const sending = send(channel.port, message, {
    signal: giveUp.signal,
    leaveSignal: budget.leaveSignal,
    leaveWithinMs: budget.share(maxMs, fraction),
  });
  const outcome = await Promise.race([sending, budget.end]);
  if (outcome !== TIMED_OUT) return outcome;

  const timer = setTimeout(() => {
    giveUp.abort();
  }, DETACHED_MS);
  const givenUp = new Promise<Outcome>((resolve) => {
    giveUp.signal.addEventListener('abort', () => {
      resolve({ status: 'unknown', reason: 'No answer within 10 s after the deadline' });
    });
  });
  const late = Promise.race([sending, givenUp]).then((result) => {
    clearTimeout(timer);
    void channel.breaker.recordLate(result);
    return reportOf(channel, result, budget.elapsedMs() - startedAt, message.request);
  });
  parts.onDetached(late);
  return { status: 'unknown', reason: 'No answer before the deadline' };
}

/** Calls the channel and holds it to its port: a throw or a malformed outcome is unknown. Never rejects. */
async function send(port: ChannelPort<never>, message: Message, context: SendContext): Promise<Outcome> {
  try {
    return readOutcome(await port.send(message, context));
  } catch {
    return { status: 'unknown', reason: 'The channel threw' };
  }
}

function readOutcome(outcome: unknown): Outcome {
  const { status, transactionId, code, reason, moveOn, isFraudBlock, remedy } = Object(outcome) as Record<
    string,
    unknown
  >;
  if (status === 'accepted' && typeof transactionId === 'string' && transactionId !== '') {
    return { status, transactionId: transactionId.slice(0, 200) };
  }
  if (status === 'refused') {
    return {
      status,
      code: typeof code === 'string' || typeof code === 'number' ? toToken(String(code)) : 'REFUSED',
      reason: typeof reason === 'string' ? reason : 'Refused by the channel',
      moveOn: moveOn === false || moveOn === 'other-channel' || moveOn === 'other-provider' ? moveOn : true,
      isFraudBlock: isFraudBlock === true,
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
  request: TelephonyRequest,
): AttemptReport {
  const report = { channel: name, provider, outcome: outcome.status, durationMs: Math.round(durationMs) };
  if (outcome.status === 'accepted') return { ...report, transactionId: outcome.transactionId };
  const reason = maskText(outcome.reason, request);
  return outcome.status === 'refused'
    ? {
        ...report,
        code: safeCode(outcome.code, request),
        reason,
        remedy: outcome.remedy === undefined ? undefined : maskText(outcome.remedy, request),
      }
    : { ...report, reason };
}

/** A custom channel's code is words of others: one that holds the number or the code is not told. */
function safeCode(code: string, { otpCode }: TelephonyRequest): string {
  return code.includes(otpCode) || /\d{7}/.test(code) ? 'REFUSED' : code;
}

/** Whether a refusal by one leaves hope for another. */
function mayFollow(
  other: ReadyChannel,
  refusing: ReadyChannel,
  moveOn: boolean | 'other-channel' | 'other-provider',
): boolean {
  switch (moveOn) {
    case 'other-channel':
      return other.name !== refusing.name;
    case 'other-provider':
      return other.provider !== refusing.provider;
    default:
      return moveOn;
  }
}
