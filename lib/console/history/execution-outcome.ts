import type { AttemptReport, HookEvent, HookEventOf, HookEventType } from '../../core/events.js';
import type { ChannelTally, ExecutionOutcome, ExecutionSummary, Failover } from './answers.js';

/** The outcome of an execution, from its events in the order of time. Some events may be missing. */

/** A call without an answer for this long has no answer: its process has ended. Milliseconds. */
const LONGEST_CALL_MS = 60_000;

/** The code of an execution that only Okta knows. */
export const NOT_RECEIVED = 'NOT_RECEIVED';

function isOf<Type extends HookEventType>(type: Type) {
  return (event: HookEvent): event is Extract<HookEvent, { readonly type: Type }> => event.type === type;
}

/** What is known of an attempt by now. Times are milliseconds since 1970. */
export interface Attempt extends Pick<
  AttemptReport,
  'channel' | 'provider' | 'outcome' | 'code' | 'transactionId'
> {
  readonly beganAt: number;
  readonly endedAt: number;
}

/** The final report of a message. */
interface DeliveryResult {
  readonly channel: string;
  readonly transactionId: string;
  readonly isDelivered: boolean;
  readonly code: string | undefined;
}

type Outcome = Pick<ExecutionSummary, 'outcome' | 'channel' | 'provider' | 'code'>;

/**
 * A used code is certain, then a delivery, by any channel. Otherwise the last message that may have left decides; if none
 * did, the reason decides.
 */
export function readOutcome(
  events: readonly HookEvent[],
  { startedAt, nowMs }: { readonly startedAt: number; readonly nowMs: number },
): Outcome {
  const attempts = readAttempts(events);
  const results = readDeliveryResults(events);
  const left = attempts.findLast(({ outcome }) => outcome !== 'refused');
  const { channel, provider } = left ?? attempts.at(-1) ?? reportedBy(events);
  const end = (outcome: ExecutionOutcome, code?: string): Outcome => ({ outcome, channel, provider, code });

  if (events.some(isOf('code.used'))) return end('used');
  if (results.some(({ isDelivered }) => isDelivered)) return end('delivered');
  const isCall = events.some(isOf('request.received'));
  const answered = answerOf(events);
  const rejected = rejectionOf(events);
  const isOpen = isCall && answered === undefined && rejected === undefined;
  if (isOpen && nowMs - startedAt < LONGEST_CALL_MS) return end('running');

  const failovers = events.filter(isOf('failover.ended'));
  if (left?.outcome === 'unknown') return end('pending', left.code);
  const failure = failureOf(left, results, failovers);
  if (failure !== undefined) {
    const isBlocked = failovers.some(({ code }) => code === 'FRAUD_BLOCK');
    return end(isBlocked ? 'blocked' : 'undelivered', failure.code);
  }
  if (left !== undefined || events.some(isOf('message.reported'))) return end('sent');

  // If the guard blocked only the number of the profile, the code went to the enrolled one. It may also block some channels.
  const guard = events
    .filter(isOf('guard.blocked'))
    .find(
      ({ isOtherNumber = false, allowedChannels = [] }) => !isOtherNumber && allowedChannels.length === 0,
    );
  const refusedCode = attempts.at(-1)?.code;
  switch (answered?.outcome) {
    case 'accepted':
      return end('sent');
    case 'unknown':
      return end('pending', answered.code);
    case 'blocked':
      return end('blocked', answered.code ?? guard?.code ?? refusedCode);
    case 'refused':
      return end('failed', answered.code ?? refusedCode);
    default:
      if (guard !== undefined && attempts.length === 0) return end('blocked', guard.code);
      if (rejected !== undefined) return end('failed', rejected.code);
      // The process ended between the plan and the report of an attempt: a message may have left.
      if (events.some((event) => event.type === 'channels.planned' && event.channels.length > 0))
        return end('pending', 'NOT_ANSWERED');
      return end(
        'failed',
        refusedCode ?? (isCall ? 'NOT_ANSWERED' : isUnread(events) ? NOT_RECEIVED : undefined),
      );
  }
}

/** Okta gave up on a call that no gateway of this history has read. */
function isUnread(events: readonly HookEvent[]): boolean {
  return events.length > 0 && events.every(isOf('okta.fell-back'));
}

/** The answer that decides the outcome: the last one that is not to a repeat. */
export function answerOf(events: readonly HookEvent[]): HookEventOf<'request.answered'> | undefined {
  const answers = events.filter(isOf('request.answered'));
  return answers.findLast(({ isRepeat }) => !isRepeat) ?? answers[0];
}

/** The rejection that ended the call without an answer; `undefined` if the request came again after it. Nothing was sent then. */
function rejectionOf(events: readonly HookEvent[]): HookEventOf<'request.rejected'> | undefined {
  const rejected = events.filter(isOf('request.rejected')).findLast(({ status }) => status !== 200);
  const received = events.findLast(isOf('request.received'));
  return rejected !== undefined && (received?.at ?? 0) > rejected.at ? undefined : rejected;
}

/** One message that counts for its channel, and as what. */
export interface ChannelCount {
  readonly channel: string;
  readonly as: Exclude<keyof ChannelTally, 'channel'>;
}

/** What the execution adds to the counts of each channel. */
export function countsOf(events: readonly HookEvent[]): readonly ChannelCount[] {
  const attempts = readAttempts(events);
  const filtered = filteredAttempt(attempts, answerOf(events));
  const use = events.find(isOf('code.used'));
  return [
    ...attempts.map((attempt) => ({
      channel: attempt.channel,
      as: attempt === filtered ? ('blocked' as const) : attempt.outcome,
    })),
    ...readDeliveryResults(events).map(({ channel, isDelivered }) => ({
      channel,
      as: isDelivered ? ('delivered' as const) : ('undelivered' as const),
    })),
    ...(use === undefined ? [] : [{ channel: use.channel, as: 'used' as const }]),
  ];
}

/** The attempt that a provider's fraud filter blocked, so that no other channel was tried. */
function filteredAttempt(
  attempts: readonly Attempt[],
  answered: HookEventOf<'request.answered'> | undefined,
): Attempt | undefined {
  if (answered?.outcome !== 'blocked' || answered.code === 'SUPERSEDED') return undefined;
  return attempts.findLast(({ outcome, channel }) => outcome === 'refused' && channel === answered.channel);
}

/** The channels that were tried. One that another followed has failed, unless it delivered after all. */
export function wayOf(events: readonly HookEvent[], outcome: ExecutionOutcome): ExecutionSummary['way'] {
  const attempts = readAttempts(events);
  const delivered = readDeliveryResults(events).filter(({ isDelivered }) => isDelivered);
  return attempts.map((attempt, index) => {
    const { channel, transactionId } = attempt;
    const isLast = index === attempts.length - 1;
    const hasFailed = attempt.outcome === 'refused' || !isLast || outcome === 'undelivered';
    const isDelivered = delivered.some((result) =>
      transactionId === undefined ? result.channel === channel : result.transactionId === transactionId,
    );
    return { channel, hasFailed: hasFailed && !isDelivered };
  });
}

/** The attempt by another channel or provider came before the answer, or after it as a part of late failover. */
export function failoverOf(events: readonly HookEvent[]): Failover | undefined {
  if (events.some((event) => event.type === 'failover.ended' && event.outcome !== 'dropped')) return 'late';
  const answer = answerOf(events);
  const after = answer === undefined ? [] : events.slice(events.indexOf(answer));
  const isLater = after.some(({ type }) => type === 'attempt.ended');
  if (readAttempts(events).length < 2) return undefined;
  return isLater ? 'late' : 'early';
}

/** In order. A later report replaces an attempt whose outcome was unknown. */
export function readAttempts(events: readonly HookEvent[]): readonly Attempt[] {
  const attempts: Attempt[] = [];
  for (const event of events) {
    if (event.type !== 'attempt.ended' && event.type !== 'attempt.settled') continue;
    const { channel, provider, outcome, code, transactionId, at, durationMs } = event;
    const isSettledByEvent = (one: Attempt): boolean =>
      one.outcome === 'unknown' && one.channel === channel && one.provider === provider;
    const place = event.type === 'attempt.ended' ? -1 : attempts.findLastIndex(isSettledByEvent);
    const beganAt = attempts[place]?.beganAt ?? at - durationMs;
    const attempt = { channel, provider, outcome, code, transactionId, beganAt, endedAt: at };
    if (place === -1) attempts.push(attempt);
    else attempts[place] = attempt;
  }
  return putFailoversLast(attempts, events.filter(isOf('failover.ended')));
}

/** Another gateway, with another clock, may have made the attempts of late failover. Their order follows from their content. */
function putFailoversLast(
  attempts: readonly Attempt[],
  failovers: readonly HookEventOf<'failover.ended'>[],
): readonly Attempt[] {
  const ordered = [...attempts];
  // Each event also has the attempts of the failovers before it.
  for (const failover of [...failovers].sort((one, other) => one.attempts.length - other.attempts.length)) {
    const { channel, provider, outcome, code, transactionId, at } = failover;
    if (outcome === 'dropped' || channel === undefined || provider === undefined) continue;
    const place = ordered.findLastIndex(
      (attempt) =>
        attempt.channel === channel &&
        attempt.provider === provider &&
        (attempt.transactionId ?? transactionId) === (transactionId ?? attempt.transactionId),
    );
    const late = { channel, provider, outcome, code, transactionId, beganAt: at, endedAt: at };
    const [own = late] = place === -1 ? [] : ordered.splice(place, 1);
    ordered.push(own);
  }
  return ordered;
}

/** By message. A delivery counts whatever else is reported; of several failures the first counts. */
function readDeliveryResults(events: readonly HookEvent[]): readonly DeliveryResult[] {
  const results = new Map<string, DeliveryResult>();
  for (const event of events) {
    if (event.type !== 'message.reported') continue;
    const { channel, transactionId, report, status } = event;
    const isDelivered = report === 'delivered';
    if (!isDelivered && (report !== 'failed' || results.has(transactionId))) continue;
    const code = event.code ?? status.toUpperCase();
    results.set(transactionId, { channel, transactionId, isDelivered, code: isDelivered ? undefined : code });
  }
  return [...results.values()];
}

/** Why the last message was not delivered; `undefined` if no event says so. */
function failureOf(
  left: Attempt | undefined,
  results: readonly DeliveryResult[],
  failovers: readonly HookEventOf<'failover.ended'>[],
): { readonly code: string | undefined } | undefined {
  // No attempt is known, so a report must be about a message that this history has not seen.
  if (left === undefined) return results.at(-1);
  const failed = results.find(({ transactionId, channel }) =>
    left.transactionId === undefined ? channel === left.channel : transactionId === left.transactionId,
  );
  if (failed !== undefined) return failed;
  // No failure was reported, but late failover gave the message up, and sent no other.
  const givenUp = failovers.find(
    ({ fromChannel, outcome }) =>
      fromChannel === left.channel && (outcome === 'dropped' || outcome === 'refused'),
  );
  return givenUp === undefined || givenUp.code === 'DELIVERED' ? undefined : { code: givenUp.cause.code };
}

/** For an execution without a known attempt. */
function reportedBy(events: readonly HookEvent[]): Pick<Outcome, 'channel' | 'provider'> {
  const reported = events.findLast(
    (event) =>
      event.type === 'message.reported' || event.type === 'code.used' || event.type === 'request.answered',
  );
  if (reported === undefined) return { channel: undefined, provider: undefined };
  return { channel: reported.channel, provider: 'provider' in reported ? reported.provider : undefined };
}
