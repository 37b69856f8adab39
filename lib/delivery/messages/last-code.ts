import type { AttemptReport } from '../../core/events.js';
import type { PlanStep } from '../plan.js';
import type { Known, Next, RecordName } from '../records.js';
import type { StatePort } from '../state.js';
import type { PlannedCode } from './receipt.js';

/**
 * The last code that a user requested, kept until Okta reports its use. It holds neither the code nor a number.
 */

/**
 * After a use, how long codes that were requested before it are not kept, milliseconds: no send of one ends
 * later.
 */
const TAKEN_MS = 30_000;

/** How a code was requested. A use is matched with it. */
export interface CodeRequest {
  /** When Okta requested it, by Okta's clock, milliseconds since 1970. */
  readonly atMs: number;
  /** When the code ends, by Okta's clock, milliseconds since 1970. */
  readonly endsAtMs: number;
  /** ISO 3166; `undefined` if the country of the number is not known. */
  readonly country?: string | undefined;
}

interface LastCodeBase {
  readonly codeRequest: CodeRequest;
  readonly deliveryChannel: 'sms' | 'voice';
  readonly eventId: string;
}

/** A code that a channel has accepted, or whose outcome is unknown. Plain data, as JSON carries it. */
export interface SentCode extends LastCodeBase {
  readonly status: 'accepted' | 'unknown';
  readonly channel: string;
  /** The provider's place in its channel's list. */
  readonly providerIndex: number;
  /** The provider's name. */
  readonly provider: string;
  /** The provider's id of the message; empty if it gave none, or has not answered. */
  readonly transactionId: string;
  /** The id of the message in events. */
  readonly reportedId: string;
  readonly requestType?: string | undefined;
  readonly oktaRequestId?: string | undefined;
}

/**
 * A code that was not sent. The user has a code from Okta itself, or none, and does not use an older one of
 * ours.
 */
export interface UnsentCode extends LastCodeBase {
  readonly status: 'refused';
}

/** The last code that a user requested: sent, or not. */
export type LastCode = SentCode | UnsentCode;

/** How long the last code of a user is kept, milliseconds: Okta's event hooks have no time limit, and may be an hour late. */
const LAST_CODE_MS = 60 * 60_000;

/** The last code of a person by text or by call. */
export interface LastCodeRecord {
  readonly code: LastCode;
  /** The token of the use that took it; `undefined` if no use was reported. It then only keeps earlier codes from being stored. */
  readonly takenBy?: string | undefined;
}

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
  // Field by field, so that V8 has one hidden class for all of them.
  const code: SentCode = {
    status,
    codeRequest,
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
