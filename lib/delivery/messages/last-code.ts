import type { AttemptReport } from '../../core/events.js';
import type {
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
 * The last code that a user requested, kept until Okta reports its use. It holds the number, but not the code.
 */

/**
 * After a use, how long codes that were requested before it are not kept, milliseconds: no send of one ends
 * later.
 */
const TAKEN_MS = 30_000;

/** How long the last code of a user is kept, milliseconds: Okta's event hooks have no time limit, and may be an hour late. */
const LAST_CODE_MS = 60 * 60_000;

/** Names the record: texts and calls are two factors in Okta, and the use of one says nothing about the other. */
export function lastCodeName(
  person: string,
  deliveryChannel: LastCode['deliveryChannel'],
): RecordName<'lastCode'> {
  return { kind: 'lastCode', key: `${deliveryChannel} ${person}` };
}

/** Keeps the code of an attempt as its user's last one. Without Okta's event hook it is not kept. */
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
 * `accepted` and this one is not.
 */
export function lastCodeAfter(
  known: Known<LastCodeRecord> | undefined,
  code: LastCode,
): Next<LastCodeRecord> | undefined {
  const { code: kept, takenBy } = known?.value ?? {};
  const laterMs = code.codeRequest.atMs - (kept?.codeRequest.atMs ?? -Infinity);
  const isSettled = takenBy !== undefined || (kept?.status === 'accepted' && code.status !== 'accepted');
  const stays = laterMs < 0 || (laterMs === 0 && isSettled);
  return stays ? undefined : { value: { code }, lifeMs: LAST_CODE_MS };
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
