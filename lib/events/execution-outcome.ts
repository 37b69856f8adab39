import type { AttemptReport, HookEvent, HookEventOf, HookEventType } from '../core/events.js';
import type { ChannelTally, ExecutionOutcome } from '../core/history.js';

/** What the events of one execution come to. They are given in the order of time, and may be not all there are. */

/** A call that was not answered in so long never will be: its process has ended. Milliseconds. */
const LONGEST_CALL_MS = 60_000;

/** What a provider says of a message or a call that reached the user. A word that is not here says nothing. */
const DELIVERED: ReadonlySet<string> = new Set(['delivered', 'read', 'partially_delivered', 'completed']);
/** It did not. A call that nobody took brought no code. */
const UNDELIVERED: ReadonlySet<string> = new Set(['failed', 'undelivered', 'canceled', 'busy', 'no-answer']);

function isOf<Type extends HookEventType>(type: Type) {
  return (event: HookEvent): event is Extract<HookEvent, { readonly type: Type }> => event.type === type;
}

/** A send, by what is known of it by now. */
type Attempt = Pick<AttemptReport, 'channel' | 'provider' | 'outcome' | 'code' | 'transactionId'>;

/** What became of a message. */
interface Fate {
  readonly channel: string;
  readonly transactionId: string;
  readonly isDelivered: boolean;
  readonly code: string | undefined;
}

export interface Outcome {
  readonly outcome: ExecutionOutcome;
  readonly channel: string | undefined;
  readonly provider: string | undefined;
  readonly code: string | undefined;
}

/**
 * A use is beyond doubt, then a delivery, by whatever channel; else the last message that may have left decides, and where
 * none did, why.
 */
export function readOutcome(
  events: readonly HookEvent[],
  { startedAt, nowMs }: { readonly startedAt: number; readonly nowMs: number },
): Outcome {
  const attempts = readAttempts(events);
  const fates = readFates(events);
  const left = attempts.findLast(({ outcome }) => outcome !== 'refused');
  const { channel, provider } = left ?? attempts.at(-1) ?? reportedBy(events);
  const end = (outcome: ExecutionOutcome, code?: string): Outcome => ({ outcome, channel, provider, code });

  if (events.some(isOf('code.used'))) return end('used');
  if (fates.some(({ isDelivered }) => isDelivered)) return end('delivered');
  const isAsked = events.some(isOf('request.received'));
  const answered = answerOf(events);
  if (isAsked && answered === undefined && nowMs - startedAt < LONGEST_CALL_MS) return end('running');

  const failovers = events.filter(isOf('failover.ended'));
  if (left?.outcome === 'unknown') return end('pending', left.code);
  const failure = failureOf(left, fates, failovers);
  if (failure !== undefined) {
    const isHeldBack = failovers.some(({ code }) => code === 'FRAUD_BLOCK');
    return end(isHeldBack ? 'blocked' : 'undelivered', failure.code);
  }
  if (left !== undefined || events.some(isOf('message.status'))) return end('sent');

  const guard = events.filter(isOf('guard.blocked')).find((event) => isHeldBackBy(event, answered, attempts));
  if (guard !== undefined) return end('blocked', guard.code);
  const refusedCode = attempts.at(-1)?.code;
  switch (answered?.status) {
    case 'SUCCESSFUL':
      return end('sent');
    case 'PENDING':
      // It was refused by all, and Okta was told that it may have gone out: a fraud filter held it back.
      return attempts.length > 0
        ? end('blocked', answered.code ?? refusedCode)
        : end('pending', answered.code);
    case 'ERROR':
      return end('failed', answered.code ?? refusedCode);
    default:
      // Its process ended between the plan and what is told of a send: one may have left.
      if (events.some((event) => event.type === 'channels.planned' && event.channels.length > 0))
        return end('pending', 'NOT_ANSWERED');
      return end('failed', refusedCode ?? (isAsked ? 'NOT_ANSWERED' : undefined));
  }
}

/** Not where it blocked the number of the profile: then the code went to the enrolled one. */
function isHeldBackBy(
  { mode, code, isOtherNumber = false }: HookEventOf<'guard.blocked'>,
  answered: HookEventOf<'request.answered'> | undefined,
  attempts: readonly Attempt[],
): boolean {
  return mode === 'enforce' && !isOtherNumber && (attempts.length === 0 || answered?.code === code);
}

/** The answer that tells how the code went: of several, where nothing had gone out before, the last. */
export function answerOf(events: readonly HookEvent[]): HookEventOf<'request.answered'> | undefined {
  const answers = events.filter(isOf('request.answered'));
  return answers.findLast(({ isRepeat }) => !isRepeat) ?? answers[0];
}

/** What it adds to what became of the codes of each channel. */
export function tallyOf(events: readonly HookEvent[]): readonly ChannelTally[] {
  const tallies = new Map<string, ChannelTally>();
  const count = (channel: string, what: Exclude<keyof ChannelTally, 'channel'>): void => {
    const tally = tallies.get(channel) ?? emptyTally(channel);
    tallies.set(channel, { ...tally, [what]: tally[what] + 1 });
  };
  for (const { channel, outcome } of readAttempts(events)) count(channel, outcome);
  for (const { channel, isDelivered } of readFates(events)) {
    count(channel, isDelivered ? 'delivered' : 'undelivered');
  }
  const use = events.find(isOf('code.used'));
  if (use !== undefined) count(use.channel, 'used');
  return [...tallies.values()];
}

export function emptyTally(channel: string): ChannelTally {
  return { channel, accepted: 0, refused: 0, unknown: 0, delivered: 0, undelivered: 0, used: 0 };
}

/** The channels that were tried. */
export function triedChannels(events: readonly HookEvent[]): readonly string[] {
  return readAttempts(events).map(({ channel }) => channel);
}

/** In their order; one that was unknown when Okta was answered has what was told of it later. */
function readAttempts(events: readonly HookEvent[]): readonly Attempt[] {
  const attempts: Attempt[] = [];
  for (const event of events) {
    if (event.type === 'attempt.ended') attempts.push(event);
    if (event.type !== 'attempt.late') continue;
    const place = attempts.findLastIndex(
      ({ outcome, channel, provider }) =>
        outcome === 'unknown' && channel === event.channel && provider === event.provider,
    );
    if (place === -1) attempts.push(event);
    else attempts[place] = event;
  }
  return putFailoversLast(attempts, events.filter(isOf('failover.ended')));
}

/** Another gateway may have made them, whose clock says that it was before: what followed what, they say themselves. */
function putFailoversLast(
  attempts: readonly Attempt[],
  failovers: readonly HookEventOf<'failover.ended'>[],
): readonly Attempt[] {
  const ordered = [...attempts];
  // Each has the attempts of those before it, too.
  for (const failover of [...failovers].sort((one, other) => one.attempts.length - other.attempts.length)) {
    const { channel, provider, outcome, code, transactionId } = failover;
    if (outcome === 'dropped' || channel === undefined || provider === undefined) continue;
    const place = ordered.findLastIndex(
      (attempt) =>
        attempt.channel === channel &&
        attempt.provider === provider &&
        (attempt.transactionId ?? transactionId) === (transactionId ?? attempt.transactionId),
    );
    const [own = { channel, provider, outcome, code, transactionId }] =
      place === -1 ? [] : ordered.splice(place, 1);
    ordered.push(own);
  }
  return ordered;
}

/** By message: one that was delivered stays so, whatever is told of it, and of failures the first counts. */
function readFates(events: readonly HookEvent[]): readonly Fate[] {
  const fates = new Map<string, Fate>();
  for (const event of events) {
    if (event.type !== 'message.status') continue;
    const { channel, transactionId, status } = event;
    const isDelivered = DELIVERED.has(status);
    if (!isDelivered && (!UNDELIVERED.has(status) || fates.has(transactionId))) continue;
    const code = event.code ?? status.toUpperCase();
    fates.set(transactionId, { channel, transactionId, isDelivered, code: isDelivered ? undefined : code });
  }
  return [...fates.values()];
}

/** Why the last message did not arrive; `undefined` where nothing says so. */
function failureOf(
  left: Attempt | undefined,
  fates: readonly Fate[],
  failovers: readonly HookEventOf<'failover.ended'>[],
): { readonly code: string | undefined } | undefined {
  // Of a message that this history has not seen leave, what is told is told of it.
  if (left === undefined) return fates.at(-1);
  const failed = fates.find(({ transactionId, channel }) =>
    left.transactionId === undefined ? channel === left.channel : transactionId === left.transactionId,
  );
  if (failed !== undefined) return failed;
  // Nobody said that it had failed, but it was given up, and nothing left in its place.
  const givenUp = failovers.find(
    ({ fromChannel, outcome }) =>
      fromChannel === left.channel && (outcome === 'dropped' || outcome === 'refused'),
  );
  return givenUp === undefined || givenUp.code === 'DELIVERED' ? undefined : { code: givenUp.why };
}

/** Where no attempt is known. */
function reportedBy(events: readonly HookEvent[]): {
  readonly channel: string | undefined;
  readonly provider: string | undefined;
} {
  const told = events.findLast(
    (event) =>
      event.type === 'message.status' || event.type === 'code.used' || event.type === 'request.answered',
  );
  if (told === undefined) return { channel: undefined, provider: undefined };
  return { channel: told.channel, provider: 'provider' in told ? told.provider : undefined };
}
