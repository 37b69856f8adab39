import type { AttemptReport } from '../../core/events.js';
import type {
  KeptRequest,
  Known,
  LastCode,
  LastCodeRecord,
  Next,
  PlannedCode,
  PlanStep,
  RecordName,
  SentCode,
} from '../records.js';
import type { StatePort } from '../state.js';

/**
 * The last code that a user requested, kept until Okta reports its use, and to know its resend. It holds the number, but not the code.
 */

/**
 * How long a last code is kept after its use, milliseconds. No send of an older code ends later, and no gateway remembers longer what
 * it read before the use.
 */
const TAKEN_MS = 15 * 60_000;

/** How long the last code of a user is kept, milliseconds: Okta's event hooks have no time limit, and may be an hour late. */
const LAST_CODE_MS = 60 * 60_000;

/** Names the record: texts and calls are two factors in Okta, and the use of one says nothing about the other. */
export function lastCodeName(
  person: string,
  deliveryChannel: LastCode['deliveryChannel'],
): RecordName<'lastCode'> {
  return { kind: 'lastCode', key: `${deliveryChannel} ${person}` };
}

/** Keeps the code of an attempt as its user's last one, if anything needs to know it. */
export function keepSentCode(
  { request, codeRequest, person }: PlannedCode,
  {
    status,
    attempt,
    step,
    transactionId,
  }: Pick<SentCode, 'status' | 'transactionId'> & {
    readonly attempt: Pick<AttemptReport, 'channel' | 'provider' | 'transactionId'>;
    readonly step: PlanStep;
  },
  state: Pick<StatePort, 'update'>,
): void {
  if (codeRequest === undefined) return;
  const code: SentCode = {
    status,
    codeRequest,
    to: request.phoneNumber,
    channel: attempt.channel,
    providerIndex: step.provider,
    provider: attempt.provider,
    transactionId,
    reportedId: attempt.transactionId ?? request.eventId,
    requestType: request.requestType,
    deliveryChannel: request.deliveryChannel,
    eventId: request.eventId,
    oktaRequestId: request.oktaRequestId,
  };
  keepLastCode(person, code, state);
}

/** Keeps a code as its user's last one. No call waits for this. */
export function keepLastCode(person: string, code: LastCode, state: Pick<StatePort, 'update'>): void {
  void state.update([lastCodeName(person, code.deliveryChannel)], ([known]) => ({
    next: [lastCodeAfter(known, code)],
    result: true,
  }));
}

/**
 * The record after a code. It replaces a code that was requested before it, or at the same time unless that one was used, or is
 * `accepted` and this one is not. What was delivered stays so: several messages may have the same code.
 */
export function lastCodeAfter(
  known: Known<LastCodeRecord> | undefined,
  code: LastCode,
): Next<LastCodeRecord> | undefined {
  const { code: kept, isDelivered, takenBy } = known?.value ?? {};
  const laterMs = code.codeRequest.atMs - (kept?.codeRequest.atMs ?? -Infinity);
  const isSettled = takenBy !== undefined || (kept?.status === 'accepted' && code.status !== 'accepted');
  const stays = laterMs < 0 || (laterMs === 0 && isSettled);
  if (stays) return undefined;
  const value = isDelivered === true && kept?.eventId === code.eventId ? { code, isDelivered } : { code };
  return { value, lifeMs: LAST_CODE_MS };
}

/** A report says that a message with the code of this event was delivered. No call waits for this. */
export function keepDelivered(
  name: RecordName<'lastCode'>,
  eventId: string,
  state: Pick<StatePort, 'recall' | 'update'>,
): void {
  // Fast path: a provider reports that a message was read after it was delivered.
  const own = state.recall(name)?.value;
  if (own?.isDelivered === true && own.code.eventId === eventId) return;
  void state.update([name], ([known]) => ({ next: [lastCodeAfterDelivery(known, eventId)], result: true }));
}

/** The record after a delivery. A code that was used, or that another one has replaced, is not asked for again. */
export function lastCodeAfterDelivery(
  known: Known<LastCodeRecord> | undefined,
  eventId: string,
): Next<LastCodeRecord> | undefined {
  if (known === undefined) return undefined;
  const { code, isDelivered, takenBy } = known.value;
  if (code.eventId !== eventId || isDelivered === true || takenBy !== undefined) return undefined;
  return { value: { code, isDelivered: true }, lifeMs: known.leftMs };
}

/** A request for a code. */
interface CodeAsked {
  readonly request: Pick<KeptRequest, 'eventId' | 'requestType' | 'phoneNumber'>;
  /** By Okta's clock, like `codeRequest.atMs`. */
  readonly atMs: number;
}

/**
 * The code that a request asks for again: a provider has accepted it, for the same number and request type, and nothing says that it was
 * delivered or used.
 *
 * @param withinMs - how long after the first request, milliseconds.
 */
export function codeAskedAgain(
  known: Known<LastCodeRecord> | undefined,
  { request, atMs }: CodeAsked,
  withinMs: number,
): SentCode | undefined {
  if (known === undefined) return undefined;
  const { code, isDelivered, takenBy } = known.value;
  if (code.status !== 'accepted' || isDelivered === true || takenBy !== undefined) return undefined;
  const isOfSame = code.to === request.phoneNumber && code.requestType === request.requestType;
  // The event itself comes again if the state has forgotten its answer.
  const isLater = code.eventId !== request.eventId && atMs >= code.codeRequest.atMs;
  return isOfSame && isLater && atMs - code.codeRequest.atMs <= withinMs ? code : undefined;
}

/**
 * Takes the last code: one use gets it, and gets it again with the same token. A code that was requested after the use stays.
 *
 * @param use.usedMs - by Okta's clock, like `codeRequest.atMs`.
 */
export function lastCodeAfterUse(
  known: Known<LastCodeRecord> | undefined,
  { token, usedMs }: { readonly token: string; readonly usedMs: number },
): { readonly next?: Next<LastCodeRecord>; readonly result: LastCode | undefined } {
  if (known === undefined) return { result: undefined };
  const { code, takenBy } = known.value;
  if (takenBy !== undefined) return { result: takenBy === token ? code : undefined };
  if (code.codeRequest.atMs > usedMs) return { result: undefined };
  return { next: { value: { code, takenBy: token }, lifeMs: TAKEN_MS }, result: code };
}
