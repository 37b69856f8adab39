import { AttemptScope, DETACHED_MS, type ChannelClient, readOutcome, REFUSED } from './channel-contract.js';
import { BREAKER_OPEN, signOfOutcome, type Breaker } from './breaker.js';
import type { Budget } from '../core/budget.js';
import type {
  CallbackReceiver,
  ConnectedChannel,
  Message,
  Outcome,
  SendContext,
  TelephonyRequest,
} from '../core/channel.js';
import type { AttemptReport } from '../core/events.js';
import { isAbout, maskId, maskText, toToken } from '../core/masking.js';
import { codeOfThrown, describeThrown } from '../core/errors.js';
import { TIMED_OUT, waitAtMost } from '../core/time.js';
import { messageKey } from './messages/receipt.js';
import { personalDataOf } from '../numbers/personal-data.js';
import type { PlannedCode, PlanStep } from './records.js';

/** One attempt to send a message by one channel. */

/** What a provider pushes, and whether a report has come. */
export interface ReadyReceiver {
  readonly port: CallbackReceiver;
  /** Set by the first report of a sender whom the channel has proven. The webhook's URL may be wrong until then. */
  hasReported: boolean;
}

/** A configured provider of a channel. */
export interface ReadyChannel {
  readonly name: string;
  /** Its place in the option `channels`: `sms`, `sms[1]` or `sms.IN[0]`. */
  readonly key: string;
  readonly provider: string;
  readonly port: ConnectedChannel;
  /** Of its message ids. */
  readonly idNamespace: string;
  /** What the channel says about accepted messages. Read each time. */
  readonly reports: ConnectedChannel['reports'];
  /** What the provider pushes comes in by it; `undefined` if nothing can come. */
  readonly receiver: ReadyReceiver | undefined;
  readonly client: ChannelClient;
  readonly breaker: Breaker;
}

/** A code that is sent now, with what only a running send needs. */
export interface Send {
  readonly code: PlannedCode;
  /** What texts and channels get: the request of the code, with its end by the wall clock. */
  readonly request: TelephonyRequest;
  readonly budget: Budget;
  /** Called right before each attempt, with its step and the number of attempts so far. */
  readonly isStillWanted: (step: PlanStep, attempts: number) => boolean | Promise<boolean>;
  /** Called right before each attempt that is wanted: whether the recipient has stopped its channel. */
  readonly isSuppressed: (step: PlanStep) => boolean;
}

/** The result of an attempt. */
export interface AttemptEnd {
  /** As the channel gave it. */
  readonly outcome: Outcome;
  readonly attempt: AttemptReport;
  /**
   * The key of the attempt (`messageKey` with its reference), if a report may name it: the outcome is unknown, or the channel receives reports. `undefined` if the
   * channel has not read it, or while the attempt goes on.
   */
  readonly reference: string | undefined;
}

/** The result of sending a code by its plan. */
export interface Delivery {
  readonly status: 'accepted' | 'unknown' | 'refused';
  /** The attempt that decided; `undefined` if none was made. */
  readonly decidedBy: AttemptReport | undefined;
  readonly attempts: readonly AttemptReport[];
  readonly isFraudBlock: boolean;
  /** The message of the last attempt. */
  readonly lastTried?: { readonly channel: ReadyChannel; readonly message: Message } | undefined;
}

/** An attempt that goes on after its call was answered. */
export interface DetachedAttempt {
  /** Never rejects. */
  readonly end: Promise<AttemptEnd>;
  /** `undefined` if its channel has not read it. */
  readonly reference: string | undefined;
  /** Ends the attempt as accepted: a report names its message, so that its answer is not needed any more. */
  readonly stop: (transactionId: string) => void;
}

/**
 * Sends a message by a channel, unless the breaker of its host is open. Waits for the result until the budget
 * ends; a send that has left by then goes on for 10 s. Never rejects.
 *
 * @param onDetached - gets a send that goes on.
 * @param onReference - gets the attempt's reference when its channel reads it, if the channel receives reports.
 */
export async function attemptSend(
  channel: ReadyChannel,
  message: Message,
  budget: Budget,
  onDetached: (attempt: DetachedAttempt) => void,
  onReference: (reference: string) => void,
): Promise<AttemptEnd> {
  const startedAt = budget.elapsedMs();
  const nameOf = (reference: string | undefined): string | undefined =>
    reference === undefined ? undefined : messageKey(channel.idNamespace, reference);
  const onRead = (reference: string): void => {
    if (channel.receiver !== undefined) onReference(messageKey(channel.idNamespace, reference));
  };
  const scope = new AttemptScope(budget, channel.client, message.request, onRead);
  const endOf = (outcome: Outcome): AttemptEnd => ({
    outcome,
    attempt: reportOf(channel, outcome, budget.elapsedMs() - startedAt, message),
    reference: mayBeNamed(outcome, channel) ? nameOf(scope.reference) : undefined,
  });
  const passed = channel.breaker.enter();
  if (passed === undefined) return endOf(BREAKER_OPEN);
  const sending = callChannel(channel, message, scope.context);
  const inTime = await budget.untilEnd(sending);
  if (inTime !== TIMED_OUT) {
    passed.end(signOfOutcome(inTime, scope.signOfConnection));
    return endOf(inTime);
  }
  let stop: DetachedAttempt['stop'] = () => undefined;
  let reported: Outcome | undefined;
  const stopped = new Promise<Outcome>((resolve) => {
    stop = (transactionId) => {
      reported = { status: 'accepted', transactionId };
      resolve(reported);
    };
  });
  const end = endOfDetached(Promise.race([sending, stopped]), scope);
  void end.then((late) => {
    // For the breaker of the host, a report is no answer.
    if (late !== reported) passed.endLate(signOfOutcome(late, scope.signOfConnection));
  });
  // The attempt has been reported with the channel's provider, and keeps it.
  const endLate = (late: Outcome): AttemptEnd =>
    endOf(late.status === 'accepted' ? { ...late, provider: undefined } : late);
  onDetached({ end: end.then(endLate), reference: nameOf(scope.reference), stop });
  passed.end('no-answer');
  return endOf(NOT_IN_TIME);
}

function mayBeNamed(outcome: Outcome, { receiver }: ReadyChannel): boolean {
  if (outcome === NOT_IN_TIME) return false;
  return outcome.status === 'unknown' || receiver !== undefined;
}

const NOT_IN_TIME: Outcome = { status: 'unknown', reason: 'No answer before the deadline' };

/** The outcome of a detached send, within its 10 s. */
async function endOfDetached(sending: Promise<Outcome>, scope: AttemptScope): Promise<Outcome> {
  const end = await waitAtMost(sending, DETACHED_MS);
  if (end !== TIMED_OUT) return end;
  scope.giveUp();
  return { status: 'unknown', reason: 'No answer within 10 s after the deadline' };
}

/**
 * Calls the channel and checks its answer: after a throw or a malformed answer the outcome is unknown. Never
 * rejects.
 */
async function callChannel(
  { port, client }: ReadyChannel,
  message: Message,
  context: SendContext,
): Promise<Outcome> {
  try {
    return readOutcome(await port.send(message, context), (mistake) => {
      client.onMistake(mistake, message.request);
    });
  } catch (error) {
    const reason = describeThrown('The channel', error);
    return { status: 'unknown', reason, remedy: codeOfThrown(error) === '' ? FIX_SEND : USE_HTTP };
  }
}

const FIX_SEND = 'Fix the send of the channel: it threw, so that it is unknown whether the message went out.';
/** A client that throws does not say whether its request left. */
const USE_HTTP =
  'Let the channel send by context.http in place of fetch or an SDK: it knows whether the request left, and if it did not, the next provider follows.';

function reportOf(
  { name, provider }: ReadyChannel,
  outcome: Outcome,
  durationMs: number,
  { request, profile, to }: Message,
): AttemptReport {
  // Ids, codes and reasons come from providers and may hold personal data or the code: they are masked.
  const personal = personalDataOf(request, profile, to);
  const { providerRequestId: id } = outcome;
  const providerRequestId = id === undefined || isAbout(id, personal) ? undefined : toToken(id);
  const report = {
    channel: name,
    provider,
    outcome: outcome.status,
    durationMs: Math.round(durationMs),
    providerRequestId,
  };
  if (outcome.status === 'accepted') {
    const { transactionId, provider: by } = outcome;
    return {
      ...report,
      provider: by === undefined || isAbout(by, personal) ? provider : toToken(by),
      transactionId: maskId(transactionId, personal, request.eventId),
    };
  }
  const reason = maskText(outcome.reason, personal);
  const remedy = outcome.remedy === undefined ? undefined : maskText(outcome.remedy, personal);
  if (outcome.status === 'unknown') return { ...report, reason, remedy };
  return {
    ...report,
    reason,
    remedy,
    code: isAbout(outcome.code, personal) ? REFUSED : toToken(outcome.code),
  };
}
