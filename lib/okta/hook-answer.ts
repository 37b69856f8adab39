import type { TelephonyRequest } from '../core/channel.js';
import type { Delivery } from '../delivery/dispatch.js';
import type { AttemptReport, CodeOutcome } from '../core/events.js';
import { toToken } from '../core/masking.js';
import type { RememberedAnswer } from '../delivery/state.js';
import { CODE_NOT_SENT, type RequestError } from '../core/request-error.js';
import type { HookRefusal } from './refusals.js';

/**
 * Makes the response body for Okta. Okta treats anything but `SUCCESSFUL` or `PENDING` as not sent, and then sends the code
 * itself.
 */

/** The body of a response with status 200. */
export type HookAnswer = RememberedAnswer;

/** The provider's name in an answer that a guard decided, not a channel. */
const GUARD_PROVIDER = 'GUARD';

/** The answer for a call's result; see "Answers" in .docs/operations.md. */
export function answerFor(
  request: TelephonyRequest,
  result: {
    readonly delivery: Delivery | undefined;
    /** Why no attempt was made. */
    readonly refusal: HookRefusal | undefined;
    readonly durationMs: number;
    /** The answer if a provider's fraud filter blocked the code. A guard's refusal has its own. */
    readonly guardAnswer: 'pending' | 'error';
  },
): HookAnswer {
  const { delivery, refusal, durationMs, guardAnswer } = result;
  const decidedBy = delivery?.decidedBy;
  if (refusal?.isPending === true) {
    const facts = { channel: 'none', durationMs, refused: [], blocked: refusal.code };
    return commandAnswer('PENDING', GUARD_PROVIDER, request, facts);
  }
  if (refusal !== undefined || delivery === undefined || decidedBy === undefined) {
    const { code, reason } = refusal ?? { code: 'NOT_TRIED', reason: 'Nothing was tried' };
    return failureAnswer(request, [
      { summary: 'Nothing was sent', reason: `${code}: ${reason}`, domain: 'okta-telephony-hook' },
    ]);
  }
  const { status, attempts, isFraudBlock } = delivery;
  const { channel, provider, transactionId } = decidedBy;
  if (status !== 'refused') {
    const facts = { channel, durationMs, refused: attempts.slice(0, -1) };
    return status === 'accepted'
      ? commandAnswer('SUCCESSFUL', provider, request, facts, transactionId)
      : commandAnswer('PENDING', provider, request, facts);
  }
  // After an error, Okta's own failover would send the code that the fraud filter has just blocked.
  if (isFraudBlock && guardAnswer === 'pending')
    return commandAnswer('PENDING', GUARD_PROVIDER, request, { channel, durationMs, refused: attempts });
  return failureAnswer(
    request,
    attempts.map(({ channel, provider, code, reason }) => ({
      summary: `Refused by ${toToken(channel)}`,
      reason: `${code ?? 'REFUSED'}: ${reason ?? 'Refused by the channel'}`,
      domain: toToken(provider),
    })),
  );
}

/** What became of a code, for `request.answered` and the metrics. */
export function codeOutcomeOf({
  delivery,
  refusal,
}: {
  readonly delivery: Delivery | undefined;
  readonly refusal: HookRefusal | undefined;
}): CodeOutcome {
  if (refusal !== undefined) return refusal.isBlock === true ? 'blocked' : 'refused';
  if (delivery?.isFraudBlock === true) return 'blocked';
  return delivery?.status ?? 'refused';
}

/**
 * The first call's answer as JSON, as it is kept for repeats. Its status does not say whether a code was blocked. It shares the
 * memory of the answer's text, which is most of what is kept of a call.
 */
export function keptAnswer(text: string, outcome: CodeOutcome): string {
  return BEGINNINGS[outcome] + text.slice(1);
}

/** How a kept answer begins. Thousands are kept: they share these strings. */
const BEGINNINGS = {
  accepted: '{"outcome":"accepted",',
  unknown: '{"outcome":"unknown",',
  blocked: '{"outcome":"blocked",',
  refused: '{"outcome":"refused",',
} as const satisfies Record<CodeOutcome, string>;

function isCodeOutcome(value: unknown): value is CodeOutcome {
  return typeof value === 'string' && Object.hasOwn(BEGINNINGS, value);
}

/**
 * The answer to a repeat: the first call's answer. If there is none that Okta can read, the answer is `PENDING`, since a code
 * may have left. The kept answer is not trusted, because a gateway of another version may have written it.
 */
export function answerOfRepeat(
  kept: RememberedAnswer | undefined,
  request: TelephonyRequest,
): { readonly body: HookAnswer; readonly text: string; readonly outcome: CodeOutcome } {
  try {
    const { outcome, ...body } = kept ?? {};
    const status = readStatus(body);
    if (status !== undefined) {
      const known = isCodeOutcome(outcome) ? outcome : OUTCOMES[status];
      return { body, text: JSON.stringify(body), outcome: known };
    }
  } catch {
    // Reading or serialising the kept answer may throw.
  }
  const body = commandAnswer('PENDING', 'UNKNOWN', request, {
    channel: 'unknown',
    durationMs: 0,
    refused: [],
  });
  return { body, text: JSON.stringify(body), outcome: 'unknown' };
}

/** For an answer that was kept without its outcome. */
const OUTCOMES = {
  SUCCESSFUL: 'accepted',
  PENDING: 'unknown',
  ERROR: 'refused',
} as const satisfies Record<AnswerStatus, CodeOutcome>;

type AnswerStatus = 'SUCCESSFUL' | 'PENDING' | 'ERROR';

/** The status in an answer. */
export function statusOf(body: HookAnswer): AnswerStatus {
  return readStatus(body) ?? 'ERROR';
}

/** `undefined` for an answer that Okta could not read. */
function readStatus(body: HookAnswer): AnswerStatus | undefined {
  const { commands, error } = Object(body) as {
    readonly commands?: readonly ({
      readonly value?: readonly ({ readonly status?: unknown } | null)[];
    } | null)[];
    readonly error?: { readonly errorSummary?: unknown } | null;
  };
  const status = commands?.[0]?.value?.[0]?.status;
  if (status === 'SUCCESSFUL' || status === 'PENDING') return status;
  return typeof error?.errorSummary === 'string' ? 'ERROR' : undefined;
}

/** What Okta's System Log shows of a call, beside its answer. */
interface Facts {
  readonly channel: string;
  readonly durationMs: number;
  /** The refused attempts before the one that decided. */
  readonly refused: readonly AttemptReport[];
  /** The guard's code, if it blocked the code before any attempt. */
  readonly blocked?: string;
}

/** Okta takes the code as sent (`SUCCESSFUL`) or as possibly sent (`PENDING`). It sends none itself in both cases. */
function commandAnswer(
  status: 'SUCCESSFUL' | 'PENDING',
  provider: string,
  request: TelephonyRequest,
  facts: Facts,
  transactionId = request.eventId,
): HookAnswer {
  const transactionMetadata = metadataOf(request, facts);
  return {
    commands: [
      {
        type: 'com.okta.telephony.action',
        value: [{ status, provider, transactionId, transactionMetadata }],
      },
    ],
  };
}

/** `key=value` pairs joined by `;`, as they appear in Okta's System Log. */
function metadataOf(
  { requestType = 'unknown', eventId }: TelephonyRequest,
  { channel, durationMs, refused, blocked }: Facts,
): string {
  const pairs = [
    `channel=${toToken(channel)}`,
    `requestType=${toToken(requestType, 100)}`,
    `Duration=${Math.round(durationMs)}ms`,
    `id=${toToken(eventId, 100)}`,
  ];
  if (refused.length > 0) {
    const codes = refused.map(
      (attempt) => `${toToken(attempt.channel)}:${toToken(attempt.code ?? 'REFUSED')}`,
    );
    pairs.push(`refused=${codes.join(',')}`);
  }
  if (blocked !== undefined) pairs.push(`blocked=${blocked}`);
  return pairs.join(';');
}

/** Nothing was sent. Okta may show the summary to the end user, logs the causes, and sends the code itself. */
function failureAnswer(
  request: TelephonyRequest,
  causes: readonly { readonly summary: string; readonly reason: string; readonly domain: string }[],
): HookAnswer {
  return {
    error: {
      errorSummary: CODE_NOT_SENT,
      errorCauses: causes.map(({ summary, reason, domain }) => ({
        errorSummary: summary,
        reason,
        locationType: 'userId',
        location: toToken(request.userId ?? 'unknown'),
        domain,
      })),
    },
  };
}

/** The body of a response with another status than 200. Okta skips the hook and sends the code itself. */
export function rejectionAnswer({ code, message, fields }: RequestError): HookAnswer {
  if (code === 'CALLER_NOT_PROVEN') return { error: { errorSummary: message } };
  const locations = fields.length === 0 ? [''] : fields;
  return {
    error: {
      errorSummary: message,
      errorCauses: locations.map((location) => ({
        errorSummary: location === '' ? message : `${location} is missing or not valid`,
        reason: code,
        locationType: location === '' ? 'request' : 'body',
        location,
        domain: 'okta-telephony-hook',
      })),
    },
  };
}
