import type { Outcome } from '../core/channel.js';
import { asObject, parseJson, type JsonObject } from '../core/json.js';
import type { HttpAnswer, HttpResult } from './call.js';

/** How to read the complete answers of one provider. */
export interface AnswerReader {
  /** The name in reasons, e.g. `Twilio`. */
  readonly provider: string;
  /** The outcome of a 2xx; `undefined` if the answer cannot be read. */
  readonly readSuccess: (answer: HttpAnswer) => Outcome | undefined;
  /**
   * The outcome of a complete 3xx, 4xx or 503: a refusal, or `accepted` if the provider already has this
   * message.
   */
  readonly readRefusal: (answer: HttpAnswer) => Outcome;
}

/**
 * The outcome of an attempt over HTTP. It is `refused` only if the message has certainly not gone out: the
 * request never left, or a complete 3xx, 4xx or 503 came. After 500, 502, 504 and an unreadable answer the
 * outcome is `unknown`.
 */
export function outcomeOfCall(result: HttpResult, reader: AnswerReader): Outcome {
  const { provider } = reader;
  if (result.kind === 'not-sent') {
    const reason = `Not sent: ${provider} could not be reached (${result.reason})`;
    return { status: 'refused', code: 'UNREACHABLE', reason, moveOn: true, hasLeft: false };
  }
  if (result.kind === 'no-answer') {
    return { status: 'unknown', reason: `No complete answer from ${provider} (${result.reason})` };
  }
  const { status } = result;
  if (status >= 200 && status <= 299) {
    const reason = `${provider} answered with status ${status} and nothing that can be read`;
    return reader.readSuccess(result) ?? { status: 'unknown', reason };
  }
  if (status < 500 || status === 503) return reader.readRefusal(result);
  return { status: 'unknown', reason: `${provider} answered with status ${status}` };
}

/**
 * The JSON object of an answer; empty if there is none, because a proxy in front of a provider may answer in
 * HTML.
 */
export function readObject(answer: HttpAnswer): JsonObject {
  return asObject(parseJson(answer.body));
}
