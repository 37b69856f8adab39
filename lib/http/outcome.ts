import type { Outcome, Refusal } from '../core/channel.js';
import type { HttpAnswer, HttpResult } from '../core/http.js';
import { asObject, type JsonObject } from '../core/json.js';
import { mechanicsOf } from '../core/refusal-cause.js';

/** How to read the complete answers of one provider. */
export interface AnswerReader {
  /** The name in reasons, e.g. `Twilio`. */
  readonly provider: string;
  /** The header with the provider's id of the request, in lower case, such as `twilio-request-id`. Default: none. */
  readonly requestIdHeader?: string | undefined;
  /** The transaction id in a 2xx, or its outcome; `undefined` if the answer cannot be read. */
  readonly readSuccess: (answer: HttpAnswer) => Outcome | string | undefined;
  /**
   * The refusal in a complete 3xx, 4xx or 503, or another outcome: `accepted` if the provider already has this
   * message.
   */
  readonly readRefusal: (answer: HttpAnswer) => Outcome | Omit<Refusal, 'status'>;
}

const MEND_REQUEST =
  'Mend the channel: context.http takes { url, method?, headers?, json | form | body? }; the reason says what is wrong.';
const MEND_READER = 'Mend the functions that the channel passes to outcomeOf: one of them threw.';

/**
 * The outcome of an attempt by `context.http`. It is `refused` only if the message has certainly not gone out:
 * the request never left, or a complete 3xx, 4xx or 503 came. After 500, 502, 504 and an answer that cannot be
 * read the outcome is `unknown`.
 */
export function outcomeOf(result: HttpResult, reader: AnswerReader): Outcome {
  const { provider, requestIdHeader } = reader;
  if (result.kind === 'not-sent') return outcomeOfNotSent(result, provider);
  if (result.kind === 'no-answer') {
    return { status: 'unknown', reason: `No complete answer from ${provider} (${result.reason})` };
  }
  const outcome = outcomeOfAnswer(result, reader);
  const providerRequestId = requestIdHeader === undefined ? undefined : result.headers[requestIdHeader];
  return providerRequestId === undefined ? outcome : { ...outcome, providerRequestId };
}

function outcomeOfAnswer(result: HttpAnswer, reader: AnswerReader): Outcome {
  const { provider } = reader;
  const { status } = result;
  if (status >= 200 && status <= 299) {
    const reason = `${provider} answered with status ${status} and nothing that can be read`;
    try {
      const read = reader.readSuccess(result);
      if (!read) return { status: 'unknown', reason };
      return typeof read === 'object' ? read : { status: 'accepted', transactionId: read };
    } catch {
      return { status: 'unknown', reason, remedy: MEND_READER };
    }
  }
  if (status >= 500 && status !== 503) {
    return { status: 'unknown', reason: `${provider} answered with status ${status}` };
  }
  try {
    const read = reader.readRefusal(result);
    return 'status' in read ? read : { status: 'refused', ...read };
  } catch {
    return {
      status: 'refused',
      code: `HTTP_${status}`,
      reason: `Refused by ${provider}`,
      remedy: MEND_READER,
    };
  }
}

function outcomeOfNotSent(
  { reason, problem }: Extract<HttpResult, { kind: 'not-sent' }>,
  provider: string,
): Refusal {
  const refused = { status: 'refused', ...mechanicsOf('never-left') } as const;
  return problem === undefined
    ? {
        ...refused,
        code: 'UNREACHABLE',
        reason: `Not sent: ${provider} could not be reached (${reason})`,
        remedy: 'Look at the egress of the gateway.',
      }
    : {
        ...refused,
        code: reason,
        reason: `Not sent: the request to ${provider} is wrong: ${problem}`,
        remedy: MEND_REQUEST,
      };
}

/** The JSON object of an answer; empty if there is none. */
export function readObject(answer: HttpAnswer): JsonObject {
  return asObject(answer.json);
}
