import type { TelephonyRequest } from '../core/channel.js';
import type { Delivery } from '../delivery/attempt.js';
import type { AttemptReport, CodeOutcome, OfProviders } from '../core/events.js';
import { toToken } from '../core/masking.js';
import type { RememberedAnswer } from '../delivery/local-claims.js';
import { CODE_NOT_SENT, type RequestError } from '../core/request-error.js';
import { LIFT_STOP } from '../events/describe-answer.js';
import type { GuardBlock } from '../guard/limits.js';

/** The hook's own reasons for sending nothing. Providers' refusals are in `lib/channels`. */

/** A refusal by the hook or its guard. */
export interface HookRefusal {
  readonly code: keyof typeof REASONS | GuardBlock['code'];
  readonly reason: string;
  /** What an operator can do. */
  readonly remedy: string;
  /** The guard blocked the code, or a newer one superseded it. */
  readonly isBlock?: boolean | undefined;
  /** Okta must not send the code either, so the answer is `PENDING`: after an error, Okta sends the code itself. */
  readonly isPending?: boolean | undefined;
}

const REASONS = {
  NO_DIALABLE_NUMBER: {
    code: 'NO_DIALABLE_NUMBER',
    reason: 'The number is not in E.164 form, and no default country makes it so',
    remedy:
      'Enroll the phone again with its whole number. In a preview, replace the placeholder with a real number. If Okta has numbers without +, set defaultCountry.',
  },
  CODE_EXPIRED: {
    code: 'CODE_EXPIRED',
    reason: 'The code had ended before the request came',
    remedy: "Check the gateway's clock, and whether something delays Okta's requests.",
  },
  CHANNEL_NOT_CONFIGURED: {
    code: 'CHANNEL_NOT_CONFIGURED',
    reason: 'No sender is configured for the channel that Okta requested',
    remedy: 'Add senders.sms or senders.voice, or a channel of that name.',
  },
  ROLLED_BACK: {
    code: 'ROLLED_BACK',
    reason: 'The rollout leaves this user no channel',
    remedy: 'Raise rollout for the channel that Okta requested, or leave the code to Okta.',
  },
  STOPPED: {
    code: 'STOPPED',
    reason: 'The user has said STOP to every channel that is left',
    remedy: `${LIFT_STOP} Or configure another channel.`,
  },
  DEADLINE: {
    code: 'DEADLINE',
    reason: 'The time was over before anything could be sent',
    remedy: 'Check what took the time: profileMs, your functions, or a busy process.',
  },
  // After an error, Okta would send the older code itself, after the newer one.
  SUPERSEDED: {
    code: 'SUPERSEDED',
    reason: 'A newer code came before this one could be sent',
    remedy: 'Nothing: the user has a newer code.',
    isBlock: true,
    isPending: true,
  },
} as const;

/** As `NO_DIALABLE_NUMBER`, for a number with `+` or `00`, to which no default country applies. */
export const NO_INTERNATIONAL_NUMBER: HookRefusal = {
  ...REASONS.NO_DIALABLE_NUMBER,
  reason: 'After + or 00, the number does not have 7 to 15 digits that begin with a country code',
};

/** The hook's own refusals by code. The guard has its own. */
export const REFUSALS: Readonly<Record<keyof typeof REASONS, HookRefusal>> = REASONS;

/** The body of a response. */
export type HookAnswer = { readonly commands: readonly object[] } | { readonly error: object };

/** What a response with status 200 says of the code. Okta's word for `ERROR` is a body with `error`. */
type AnswerStatus = 'SUCCESSFUL' | 'PENDING' | 'ERROR';

/**
 * What decides an answer. The rest of the answer is in the request, so a repeat gets the same answer from the decision of the first
 * call. A state keeps it as a record, which TypeScript takes from a type, but not from an interface.
 */
export type Decision = Readonly<{
  /** The number of this form. Raise `FORM` with each change of a field: a gateway of another version may read it from Redis. */
  form: typeof FORM;
  /** The result for the code. The status does not say whether a guard blocked it. */
  outcome: CodeOutcome;
  status: AnswerStatus;
  /** The provider in the answer. With `ERROR`, only `causes` counts of the fields from here on. */
  provider: string;
  /** `undefined` if the provider gave none: the event's id then stands in the answer. */
  transactionId: string | undefined;
  channel: string;
  /** The country whose providers the channel has for the number, or `default`; `undefined` without providers by country. */
  providersOf: string | undefined;
  durationMs: number;
  /** The refused attempts before the one that decided, such as `whatsapp:63016,line:400`; empty if there were none. */
  refused: string;
  /** The guard's code, if it blocked the code before any attempt. */
  blocked: string | undefined;
  causes: readonly Cause[];
}>;

const FORM = 1;

/** A decision without its result. */
const NO_DECISION: Omit<Decision, 'outcome'> = {
  form: FORM,
  status: 'ERROR',
  provider: 'UNKNOWN',
  transactionId: undefined,
  channel: 'none',
  providersOf: undefined,
  durationMs: 0,
  refused: '',
  blocked: undefined,
  causes: [],
};

/** A refused attempt, or why there was none, for an answer with an error. For a repeat, why the first answer is not known. */
interface Cause {
  readonly summary: string;
  readonly reason: string;
  readonly domain: string;
}

/** The domain of a cause that is no provider's. */
const OURS = 'okta-telephony-hook';

/** The provider's name in an answer that a guard decided, not a channel. */
const GUARD_PROVIDER = 'GUARD';

/** Decides the answer by a call's result; see docs/reference/responses.md. */
export function decide(result: {
  readonly delivery: Delivery | undefined;
  /** Why no attempt was made. */
  readonly refusal: HookRefusal | undefined;
  readonly providersOf?: OfProviders['providersOf'];
  readonly durationMs: number;
  /** The answer if a provider's fraud filter blocked the code. A guard's refusal has its own. */
  readonly guardAnswer: 'pending' | 'error';
}): Decision {
  const { delivery, refusal, durationMs, guardAnswer } = result;
  const outcome = codeOutcomeOf(delivery, refusal);
  const decidedBy = delivery?.decidedBy;
  if (refusal?.isPending === true) {
    const { code: blocked } = refusal;
    return makeDecision(outcome, { status: 'PENDING', provider: GUARD_PROVIDER, durationMs, blocked });
  }
  if (refusal !== undefined || delivery === undefined || decidedBy === undefined) {
    const cause = causeOf(refusal ?? { code: 'NOT_TRIED', reason: 'Nothing was tried' });
    return makeDecision(outcome, { causes: [cause] });
  }
  const { status, attempts, isFraudBlock } = delivery;
  const { channel, provider, transactionId } = decidedBy;
  const providersOf = result.providersOf?.[channel];
  if (status !== 'refused') {
    const sent = { provider, channel, providersOf, durationMs, refused: refusalsIn(attempts.slice(0, -1)) };
    return status === 'accepted'
      ? makeDecision(outcome, { status: 'SUCCESSFUL', transactionId, ...sent })
      : makeDecision(outcome, { status: 'PENDING', ...sent });
  }
  // After an error, Okta's own failover would send the code that the fraud filter has just blocked.
  if (isFraudBlock && guardAnswer === 'pending') {
    const refused = refusalsIn(attempts);
    return makeDecision(outcome, {
      status: 'PENDING',
      provider: GUARD_PROVIDER,
      channel,
      providersOf,
      durationMs,
      refused,
    });
  }
  return makeDecision(outcome, {
    causes: attempts.map(({ channel, provider, code, reason }) => ({
      summary: `Refused by ${toToken(channel)}`,
      reason: `${code ?? 'REFUSED'}: ${reason ?? 'Refused by the channel'}`,
      domain: toToken(provider),
    })),
  });
}

function makeDecision(outcome: CodeOutcome, fields: Partial<Decision>): Decision {
  return { ...NO_DECISION, ...fields, outcome, durationMs: Math.round(fields.durationMs ?? 0) };
}

function causeOf({ code, reason }: { readonly code: string; readonly reason: string }): Cause {
  return { summary: 'Nothing was sent', reason: `${code}: ${reason}`, domain: OURS };
}

function refusalsIn(attempts: readonly AttemptReport[]): string {
  return attempts.map(({ channel, code }) => `${toToken(channel)}:${toToken(code ?? 'REFUSED')}`).join();
}

function codeOutcomeOf(delivery: Delivery | undefined, refusal: HookRefusal | undefined): CodeOutcome {
  if (refusal !== undefined) return refusal.isBlock === true ? 'blocked' : 'refused';
  if (delivery?.isFraudBlock === true) return 'blocked';
  return delivery?.status ?? 'refused';
}

/**
 * The decision of an event's first call, for a repeat. If there is none that this version can read, the answer is `PENDING`, since a
 * code may have left.
 *
 * @param kept - `undefined` if it is not known; `'released'` if the first call sent nothing and Okta had hung up.
 */
export function decisionOfFirst(kept: RememberedAnswer | 'released' | undefined): Decision {
  if (kept === 'released') return NOTHING_SENT;
  // No one but a gateway with the same encryption keys can have kept it, so its form says what is in it.
  if (kept?.['form'] === FORM) return kept as Decision;
  return kept === undefined ? NO_FIRST_ANSWER : OTHER_FORM;
}

const NO_FIRST_ANSWER = unknownFirst('The first call of this event has not answered in time');
const OTHER_FORM = unknownFirst('A gateway of another version answered the first call of this event');
const NOTHING_SENT = makeDecision('refused', { causes: [causeOf(REFUSALS.DEADLINE)] });

function unknownFirst(reason: string): Decision {
  const cause = { summary: 'No first answer', reason, domain: OURS };
  return makeDecision('unknown', { status: 'PENDING', channel: 'unknown', causes: [cause] });
}

/** The body of the answer. Okta takes a code with another status than `ERROR` as sent, or as possibly sent, and sends none itself. */
export function answerBy(decision: Decision, request: TelephonyRequest): HookAnswer {
  const { status, provider, transactionId = request.eventId, causes } = decision;
  if (status === 'ERROR') return failureAnswer(causes, request);
  const value = { status, provider, transactionId, transactionMetadata: metadataOf(decision, request) };
  return { commands: [{ type: 'com.okta.telephony.action', value: [value] }] };
}

/** `key=value` pairs joined by `;`, as they appear in Okta's System Log. */
function metadataOf(
  { channel, providersOf, durationMs, refused, blocked }: Decision,
  { requestType = 'unknown', eventId }: TelephonyRequest,
): string {
  const pairs = [
    `channel=${toToken(channel)}`,
    `requestType=${toToken(requestType, 100)}`,
    `Duration=${durationMs}ms`,
    `id=${toToken(eventId, 100)}`,
  ];
  if (providersOf !== undefined) pairs.push(`providers=${toToken(providersOf)}`);
  if (refused !== '') pairs.push(`refused=${refused}`);
  if (blocked !== undefined) pairs.push(`blocked=${blocked}`);
  return pairs.join(';');
}

/** Nothing was sent. Okta may show the summary to the end user, logs the causes, and sends the code itself. */
function failureAnswer(causes: readonly Cause[], { userId = 'unknown' }: TelephonyRequest): HookAnswer {
  return {
    error: {
      errorSummary: CODE_NOT_SENT,
      errorCauses: causes.map(({ summary, reason, domain }) => ({
        errorSummary: summary,
        reason,
        locationType: 'userId',
        location: toToken(userId),
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
